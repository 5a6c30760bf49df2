(use_declaration) @import
(use_declaration (visibility_modifier) @import.reexport)
(extern_crate_declaration name: (identifier) @import.module alias: (identifier)? @import.alias) @import

(scoped_use_list path: (_) @import.prefix)
(use_wildcard) @import.wildcard

(use_declaration
  argument: [(identifier) (scoped_identifier) (crate) (self) (super)] @import.path)

(use_list
  [(identifier) (scoped_identifier) (self)] @import.path)

(use_as_clause
  path: (_) @import.path
  alias: (identifier) @import.alias)
