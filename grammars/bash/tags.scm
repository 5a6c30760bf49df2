; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
(declaration_command) @item

; --- definitions ---

(function_definition
  name: (word) @name
  body: (_) @body) @definition.function

; The first assignment to a name is its definition.
(variable_assignment
  name: (variable_name) @name
  value: (_)? @value) @definition.variable

; --- references ---

(variable_name) @reference
(command_name (word) @reference.call)
