(import_declaration) @import
(import_declaration (identifier) @import.prefix . ".")
(import_declaration (namespace_wildcard) @import.wildcard)
(import_declaration (identifier) @import.path .)
(namespace_selectors (identifier) @import.path)
(namespace_selectors (namespace_wildcard) @import.wildcard)
(arrow_renamed_identifier
  name: (identifier) @import.path
  alias: (identifier) @import.alias)
(as_renamed_identifier
  name: (identifier) @import.path
  alias: (identifier) @import.alias)
