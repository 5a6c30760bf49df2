; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
(container_field) @item

; --- definitions ---

[(variable_declaration
  "const" . (identifier) @name
  (struct_declaration) @body)
(variable_declaration
  "const" . (identifier) @name
  (union_declaration) @body)
(variable_declaration
  "const" . (identifier) @name
  (opaque_declaration) @body)] @definition.struct

[(variable_declaration
  "const" . (identifier) @name
  (enum_declaration) @body)
(variable_declaration
  "const" . (identifier) @name
  (error_set_declaration) @body)] @definition.enum

; A function that returns a type is a type with parameters.
(function_declaration
  name: (identifier) @name
  body: (block
    (expression_statement
      (return_expression [
        (struct_declaration) @body
        (union_declaration) @body
      ])))) @definition.struct

(function_declaration
  name: (identifier) @name
  (parameters) @parameters
  body: (_)? @body) @definition.function

(enum_declaration
  (container_field name: (identifier) @name @definition.variant))
(error_set_declaration
  (identifier) @name @definition.variant)
(struct_declaration
  (container_field name: (identifier) @name @definition.field))
(union_declaration
  (container_field name: (identifier) @name @definition.field))

; A file that is loaded is an import and no variable.
((variable_declaration
  ["const" "var"] . (identifier) @name
  [
    (builtin_function (builtin_identifier) @_builtin)
    (field_expression object: (builtin_function (builtin_identifier) @_builtin))
  ]?) @definition.variable
  (#not-any-of? @_builtin "@import" "@cImport" "@This"))

(test_declaration
  [(string) (identifier)] @name
  (block) @body) @definition.test

[(function_declaration "pub")
(function_declaration "export")
(variable_declaration "pub")
(container_field)] @public

; --- references ---

(identifier) @reference

(field_expression
  object: [
    (identifier) @qualifier
    (field_expression member: (identifier) @qualifier)
  ]?
  member: (identifier) @reference.member)

(call_expression
  function: [
    (identifier) @reference.call
    (field_expression
      object: [
        (identifier) @qualifier
        (field_expression member: (identifier) @qualifier)
        (call_expression function: (identifier) @qualifier)
        (call_expression function: (field_expression member: (identifier) @qualifier))
      ]?
      member: (identifier) @reference.call.method)
  ])

(struct_initializer . (identifier) @reference.call)

[(parameter type: (identifier) @reference.type)
(container_field type: (identifier) @reference.type)
(function_declaration type: (identifier) @reference.type)
(variable_declaration type: (identifier) @reference.type)
(pointer_type (identifier) @reference.type)
(nullable_type (identifier) @reference.type)
(slice_type (identifier) @reference.type)
(array_type (identifier) @reference.type .)
(error_union_type ok: (identifier) @reference.type)]

[(parameter name: (identifier) @ignore)
(block_label (identifier) @ignore)
(break_label (identifier) @ignore)
(payload (identifier) @ignore)
(initializer_list (assignment_expression left: (field_expression !object member: (identifier) @ignore)))]
