; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment

; A declaration belongs to the only thing it declares, however it is dereferenced.
[
  (declaration) (field_declaration) (type_definition)
  (init_declarator) (pointer_declarator) (array_declarator) (parenthesized_declarator) (function_declarator)
] @item

; --- definitions ---

; Tests are written with macros that look like functions: the second argument is the name.
((function_definition
  declarator: (function_declarator
    declarator: (identifier) @_macro @ignore
    parameters: (parameter_list
      . "(" . (parameter_declaration type: (_) @container)
      . "," . (parameter_declaration type: (_) @name)))
  body: (_) @body) @definition.function @test
  (#any-of? @_macro "TEST" "TEST_F" "TEST_P" "TYPED_TEST" "TYPED_TEST_P" "Test" "IGNORE_TEST"))

((function_definition
  type: (type_identifier) @_macro @ignore
  declarator: (parenthesized_declarator (identifier) @name)
  body: (_) @body) @definition.function @test
  (#eq? @_macro "START_TEST"))

(function_definition
  declarator: [
    (function_declarator
      declarator: (identifier) @name
      parameters: (_) @parameters)
    (function_declarator
      declarator: (parenthesized_declarator (identifier) @name)
      parameters: (_) @parameters)
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator
          declarator: (function_declarator
            declarator: (identifier) @name
            parameters: (_) @parameters))))
    (pointer_declarator
      declarator: (function_declarator
        declarator: (identifier) @name
        parameters: (_) @parameters))
    (pointer_declarator
      declarator: (pointer_declarator
        declarator: (function_declarator
          declarator: (identifier) @name
          parameters: (_) @parameters)))
  ]
  body: (_) @body) @definition.function

; A prototype: the definition of the same name takes the path.
(declaration
  declarator: [
    (function_declarator
      declarator: (identifier) @name
      parameters: (_) @parameters)
    (pointer_declarator
      declarator: (function_declarator
        declarator: (identifier) @name
        parameters: (_) @parameters))
    (pointer_declarator
      declarator: (pointer_declarator
        declarator: (function_declarator
          declarator: (identifier) @name
          parameters: (_) @parameters)))
  ]) @definition.function

; `typedef struct { ... } name;` is known by the name at its end.
(type_definition
  type: (struct_specifier body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition
  type: (union_specifier body: (_) @body)
  declarator: (type_identifier) @name) @definition.struct
(type_definition
  type: (enum_specifier body: (_) @body)
  declarator: (type_identifier) @name) @definition.enum

(type_definition
  declarator: [
    (type_identifier) @name
    (pointer_declarator declarator: (type_identifier) @name)
    (array_declarator declarator: (type_identifier) @name)
    (function_declarator declarator: (type_identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (type_identifier) @name))
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (type_identifier) @name)))
    (pointer_declarator
      declarator: (function_declarator
        declarator: (parenthesized_declarator
          (pointer_declarator declarator: (type_identifier) @name))))
  ]) @definition.type

[(struct_specifier
  name: (type_identifier) @name
  body: (_) @body)
(union_specifier
  name: (type_identifier) @name
  body: (_) @body)] @definition.struct

(enum_specifier
  name: (type_identifier) @name
  body: (_) @body) @definition.enum

(enumerator
  name: (identifier) @name
  value: (_)? @value) @definition.variant

(field_declaration
  declarator: [
    (field_identifier) @name @definition.field
    (array_declarator declarator: (field_identifier) @name @definition.field)
    (pointer_declarator declarator: (field_identifier) @name @definition.field)
    (pointer_declarator declarator: (pointer_declarator declarator: (field_identifier) @name @definition.field))
    (pointer_declarator declarator: (array_declarator declarator: (field_identifier) @name @definition.field))
    (array_declarator declarator: (array_declarator declarator: (field_identifier) @name @definition.field))
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (field_identifier) @name @definition.field)))
    (pointer_declarator
      declarator: (function_declarator
        declarator: (parenthesized_declarator
          (pointer_declarator declarator: (field_identifier) @name @definition.field))))
  ])

(init_declarator
  declarator: [
    (identifier) @name
    (array_declarator declarator: (identifier) @name)
    (array_declarator declarator: (array_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (identifier) @name)))
  ]
  value: (_) @value) @definition.variable

(declaration
  declarator: [
    (identifier) @name @definition.variable
    (array_declarator declarator: (identifier) @name @definition.variable)
    (array_declarator declarator: (array_declarator declarator: (identifier) @name @definition.variable))
    (pointer_declarator declarator: (identifier) @name @definition.variable)
    (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @name @definition.variable))
    (pointer_declarator declarator: (array_declarator declarator: (identifier) @name @definition.variable))
    (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (identifier) @name @definition.variable)))
  ])

; A macro without a value is a flag or guards a header.
(preproc_def
  name: (identifier) @name
  value: (_) @value) @definition.constant

(preproc_function_def
  name: (identifier) @name
  parameters: (_) @parameters
  value: (_)? @body) @definition.macro

((function_definition (storage_class_specifier) @_static) @private
  (#eq? @_static "static"))
((declaration (storage_class_specifier) @_static) @private
  (#eq? @_static "static"))

; --- references ---

(identifier) @reference
(type_identifier) @reference.type
(field_identifier) @reference.member

(call_expression
  function: [
    (identifier) @reference.call
    (parenthesized_expression (identifier) @reference.call)
  ])

(call_expression
  function: (field_expression
    argument: [
      (identifier) @qualifier
      (field_expression field: (field_identifier) @qualifier)
    ]?
    field: (field_identifier) @reference.call.method))

[(preproc_def name: (identifier) @ignore)
(preproc_params (identifier) @ignore)
(attribute_specifier (argument_list (identifier) @ignore))
(parameter_declaration
  declarator: [
    (identifier) @ignore
    (array_declarator declarator: (identifier) @ignore)
    (pointer_declarator declarator: (identifier) @ignore)
    (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @ignore))
    (pointer_declarator declarator: (array_declarator declarator: (identifier) @ignore))
  ])]
