(namespace_use_declaration) @import
(namespace_use_declaration
  (namespace_name) @import.prefix
  body: (namespace_use_group))
(namespace_use_clause
  . [(name) (qualified_name)] @import.path
  alias: (name)? @import.alias)

([
  (include_expression [
    (string (string_content) @import.source)
    (binary_expression right: (string (string_content) @import.source))
  ])
  (include_once_expression [
    (string (string_content) @import.source)
    (binary_expression right: (string (string_content) @import.source))
  ])
  (require_expression [
    (string (string_content) @import.source)
    (binary_expression right: (string (string_content) @import.source))
  ])
  (require_once_expression [
    (string (string_content) @import.source)
    (binary_expression right: (string (string_content) @import.source))
  ])
] @import @import.wildcard)
