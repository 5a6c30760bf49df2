((variable_declaration
  ["const" "var"] . (identifier) @import.alias
  (builtin_function
    (builtin_identifier) @_import
    (arguments (string (string_content) @import.module)))) @import
  (#eq? @_import "@import"))

((variable_declaration
  ["const" "var"] . (identifier) @import.alias
  (field_expression
    object: (builtin_function
      (builtin_identifier) @_import
      (arguments (string (string_content) @import.source)))
    member: (identifier) @import.name)) @import
  (#eq? @_import "@import"))

((using_namespace_declaration
  (builtin_function
    (builtin_identifier) @_import
    (arguments (string (string_content) @import.source)))) @import @import.wildcard
  (#eq? @_import "@import"))
