(import) @import
(import
  (qualified_identifier) @import.path
  (identifier)? @import.alias)
(import
  (qualified_identifier) @import.source
  "*" @import.wildcard)
