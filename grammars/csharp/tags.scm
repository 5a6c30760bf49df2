; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
[(field_declaration) (event_field_declaration) (variable_declaration) (global_statement)] @item

; --- definitions ---

[(namespace_declaration
  name: (_) @name
  body: (_) @body)
(file_scoped_namespace_declaration name: (_) @name)] @definition.module

(class_declaration
  name: (identifier) @name
  body: (_)? @body) @definition.class

(struct_declaration
  name: (identifier) @name
  body: (_)? @body) @definition.struct

(record_declaration
  name: (identifier) @name
  body: (_)? @body) @definition.struct

(record_declaration
  (parameter_list (parameter name: (identifier) @name @definition.field)))

(interface_declaration
  name: (identifier) @name
  body: (_)? @body) @definition.interface

(enum_declaration
  name: (identifier) @name
  body: (_)? @body) @definition.enum

(enum_member_declaration
  name: (identifier) @name) @definition.variant

(delegate_declaration
  name: (identifier) @name) @definition.type

((method_declaration
  (attribute_list (attribute name: [
    (identifier) @_marker
    (qualified_name name: (identifier) @_marker)
  ]))
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method @test
  (#any-of? @_marker
    "Fact" "Theory" "Test" "TestCase" "TestMethod" "DataTestMethod" "TestCaseSource" "Property" "Benchmark"))

(method_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method

(local_function_statement
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.function

[(constructor_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body)
(destructor_declaration
  "~"
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body)
(operator_declaration
  operator: _ @name
  parameters: (_) @parameters
  body: (_)? @body)
(conversion_operator_declaration
  type: (_) @name
  parameters: (_) @parameters
  body: (_)? @body)] @definition.method

(indexer_declaration
  "this" @name
  parameters: (_) @parameters
  accessors: (_)? @body
  value: (_)? @body) @definition.method

(property_declaration
  name: (identifier) @name
  accessors: (_)? @body
  value: (_)? @value) @definition.field

(event_declaration
  name: (identifier) @name) @definition.field

(variable_declarator
  name: (identifier) @name
  [(initializer_expression) (lambda_expression) (invocation_expression) (object_creation_expression)]? @value
) @definition.variable

((modifier) @public
  (#eq? @public "public"))
((field_declaration (modifier) @_public) @public
  (#eq? @_public "public"))
((event_field_declaration (modifier) @_public) @public
  (#eq? @_public "public"))
; Namespaces hide nothing.
[(namespace_declaration) (file_scoped_namespace_declaration)] @public

; --- references ---

(identifier) @reference

(member_access_expression name: (identifier) @reference.member)
(member_access_expression
  expression: [(identifier) "this" "base"] @qualifier
  name: (identifier) @reference.member)
(member_binding_expression name: (identifier) @reference.member)

(invocation_expression
  function: [
    (identifier) @reference.call
    (generic_name . (identifier) @reference.call)
  ])

(invocation_expression
  function: (member_access_expression
    expression: [
      (identifier) @qualifier
      "this" @qualifier
      "base" @qualifier
      (generic_name . (identifier) @qualifier)
      (member_access_expression name: (identifier) @qualifier)
    ]?
    name: [
      (identifier) @reference.call.method
      (generic_name . (identifier) @reference.call.method)
    ]))

(conditional_access_expression
  (invocation_expression
    function: (member_binding_expression name: (identifier) @reference.call.method)))

(object_creation_expression
  type: [
    (identifier) @reference.call
    (generic_name . (identifier) @reference.call)
    (qualified_name name: (identifier) @reference.call)
  ])

(attribute name: [
  (identifier) @reference.call
  (qualified_name name: (identifier) @reference.call)
])

(base_list [
  (identifier) @reference.implementation
  (generic_name . (identifier) @reference.implementation)
  (qualified_name name: (identifier) @reference.implementation)
])

[(parameter name: (identifier) @ignore)
(attribute_argument name: (identifier) @ignore)
(argument name: (identifier) @ignore)
(goto_statement (identifier) @ignore)
(labeled_statement . (identifier) @ignore)
(parameter_list name: (identifier) @ignore)
(namespace_declaration name: (identifier) @ignore)
(namespace_declaration name: (qualified_name name: (identifier) @ignore))
(file_scoped_namespace_declaration name: (identifier) @ignore)
(file_scoped_namespace_declaration name: (qualified_name name: (identifier) @ignore))]

[
  (parameter type: (identifier) @reference.type)
  (parameter type: (generic_name . (identifier) @reference.type))
  (parameter type: (nullable_type type: (identifier) @reference.type))
  (method_declaration returns: (identifier) @reference.type)
  (method_declaration returns: (generic_name . (identifier) @reference.type))
  (property_declaration type: (identifier) @reference.type)
  (property_declaration type: (generic_name . (identifier) @reference.type))
  (variable_declaration type: (identifier) @reference.type)
  (variable_declaration type: (generic_name . (identifier) @reference.type))
  (variable_declaration type: (nullable_type type: (identifier) @reference.type))
  (type_argument_list (identifier) @reference.type)
  (type_argument_list (generic_name . (identifier) @reference.type))
  (array_type type: (identifier) @reference.type)
  (cast_expression type: (identifier) @reference.type)
  (catch_declaration type: (identifier) @reference.type)
  (typeof_expression type: (identifier) @reference.type)
  (as_expression right: (identifier) @reference.type)
  (is_expression right: (identifier) @reference.type)
  (type_parameter_constraint type: (identifier) @reference.type)
]
