; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
; A declaration belongs to the only thing it declares.
[
  (value_definition) (type_definition) (module_definition) (class_definition) (class_type_definition)
  (exception_definition) (constructor_declaration) (field_declaration)
] @item
[(item_attribute) (attribute)] @attribute

; --- definitions ---

(module_binding
  (module_name) @name
  body: (_)? @body) @definition.module

(module_type_definition
  (module_type_name) @name
  body: (_)? @body) @definition.interface

(type_binding
  name: (type_constructor) @name
  body: (record_declaration) @body) @definition.struct

(type_binding
  name: (type_constructor) @name
  body: (variant_declaration) @body) @definition.enum

(type_binding
  name: (type_constructor) @name) @definition.type

(variant_declaration
  (constructor_declaration (constructor_name) @name @definition.variant))
(exception_definition
  (constructor_declaration (constructor_name) @name @definition.struct))
(field_declaration
  (field_name) @name) @definition.field

(let_binding
  pattern: [
    (value_name) @name
    (parenthesized_operator (_) @name)
  ]
  (parameter)
  body: (_) @body) @definition.function @parameters

(let_binding
  pattern: (value_name) @name
  body: [
    (fun_expression) @body
    (function_expression) @body
  ]) @definition.function

; What the program does: `let () = ...`
(let_binding
  pattern: (unit) @name
  body: (_) @body) @definition.function

; `let%test "adds up" = ...`
((value_definition
  (attribute_id) @_test
  (let_binding
    pattern: (string) @name
    body: (_) @body)) @definition.test
  (#any-of? @_test "test" "test_unit" "expect_test" "bench"))

(let_binding
  pattern: (value_name) @name
  body: (_) @value) @definition.variable

[(value_specification [
  (value_name) @name
  (parenthesized_operator (_) @name)
])
(external [
  (value_name) @name
  (parenthesized_operator (_) @name)
])] @definition.function

(class_binding
  (class_name) @name
  body: (_) @body) @definition.class

(class_type_binding
  (class_type_name) @name
  body: (_)? @body) @definition.interface

(method_definition
  (method_name) @name
  body: (_)? @body) @definition.method @parameters
(method_specification
  (method_name) @name) @definition.method
(instance_variable_definition
  (instance_variable_name) @name) @definition.field

(method_definition "private") @private

; --- references ---

[(value_name) (constructor_name) (module_name) (module_type_name) (class_name) (instance_variable_name)] @reference
[(type_constructor) (class_type_name)] @reference.type
[(field_name) (method_name)] @reference.member

(value_path
  (module_path (module_name) @qualifier .)
  (value_name) @reference)
(constructor_path
  (module_path (module_name) @qualifier .)
  (constructor_name) @reference)
(type_constructor_path
  (extended_module_path (module_name) @qualifier .)
  (type_constructor) @reference.type)

(application_expression
  function: [
    (value_path
      (module_path (module_name) @qualifier .)
      (value_name) @reference.call)
    (value_path (value_name) @reference.call)
    (constructor_path (constructor_name) @reference.call)
  ])

(method_invocation
  object: (value_path (value_name) @qualifier)
  method: (method_name) @reference.call.method)
(method_invocation
  method: (method_name) @reference.call.method)
(new_expression (class_path (class_name) @reference.call))

(inheritance_definition
  class: (class_path (class_name) @reference.implementation))
(include_module
  module: (module_path (module_name) @reference.implementation .))
(module_binding
  module_type: (module_type_path (module_type_name) @reference.implementation))

(module_parameter . (module_name) @ignore)
