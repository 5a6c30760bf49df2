; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
(variable_declaration) @item

; --- definitions ---

(function_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.function

; What is put into the table that the file returns is part of the file.
((function_declaration
  name: (dot_index_expression
    table: (identifier) @_module
    field: (identifier) @name)
  parameters: (_) @parameters
  body: (_)? @body) @definition.function
  (#any-of? @_module "M" "_M" "exports" "_G"))

[(function_declaration
  name: (dot_index_expression
    table: [
      (identifier) @container
      (dot_index_expression field: (identifier) @container)
    ]
    field: (identifier) @name)
  parameters: (_) @parameters
  body: (_)? @body)
(function_declaration
  name: (method_index_expression
    table: [
      (identifier) @container
      (dot_index_expression field: (identifier) @container)
    ]
    method: (identifier) @name)
  parameters: (_) @parameters
  body: (_)? @body)] @definition.method

(assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list
    . value: (function_definition
      parameters: (_) @parameters
      body: (_)? @body) .)) @definition.function

((assignment_statement
  (variable_list
    . name: (dot_index_expression
      table: (identifier) @_module
      field: (identifier) @name) .)
  (expression_list
    . value: (function_definition
      parameters: (_) @parameters
      body: (_)? @body) .)) @definition.function
  (#any-of? @_module "M" "_M" "exports" "_G"))

(assignment_statement
  (variable_list
    . name: (dot_index_expression
      table: [
        (identifier) @container
        (dot_index_expression field: (identifier) @container)
      ]
      field: (identifier) @name) .)
  (expression_list
    . value: (function_definition
      parameters: (_) @parameters
      body: (_)? @body) .)) @definition.method

(field
  name: (identifier) @name
  value: (function_definition
    parameters: (_) @parameters
    body: (_)? @body)) @definition.function

; A module that is loaded is an import and no variable.
((assignment_statement
  (variable_list name: (identifier) @name)
  (expression_list
    value: [
      (function_call name: (identifier) @_call)
      (dot_index_expression table: (function_call name: (identifier) @_call))
    ]?) @value) @definition.variable
  (#not-eq? @_call "require"))

[(function_declaration "local")
(variable_declaration)] @private

; Tests and groups of them.
((function_call
  name: (identifier) @_test
  arguments: (arguments
    . (string content: (_) @name)
    (function_definition body: (_)? @body))) @definition.test
  (#any-of? @_test "it" "test" "spec" "pending"))

((function_call
  name: (identifier) @_group
  arguments: (arguments
    . (string content: (_) @name)
    (function_definition body: (_)? @body))) @definition.module
  (#any-of? @_group "describe" "context" "insulate"))

; --- references ---

(identifier) @reference

[(dot_index_expression
  table: [
    (identifier) @qualifier
    (dot_index_expression field: (identifier) @qualifier)
  ]?
  field: (identifier) @reference.member)
(method_index_expression
  table: (identifier)? @qualifier
  method: (identifier) @reference.member)]

(function_call
  name: [
    (identifier) @reference.call
    (dot_index_expression
      table: [
        (identifier) @qualifier
        (dot_index_expression field: (identifier) @qualifier)
      ]?
      field: (identifier) @reference.call.method)
    (method_index_expression
      table: [
        (identifier) @qualifier
        (dot_index_expression field: (identifier) @qualifier)
        (function_call name: (identifier) @qualifier)
      ]?
      method: (identifier) @reference.call.method)
  ])

[(field name: (identifier) @ignore)
(attribute (identifier) @ignore)
(goto_statement (identifier) @ignore)
(label_statement (identifier) @ignore)]
