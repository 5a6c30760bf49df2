(using_directive) @import
(using_directive
  name: (identifier)? @import.alias
  [(qualified_name) (alias_qualified_name)] @import.source) @import.wildcard
(using_directive
  !name
  (identifier) @import.source) @import.wildcard
