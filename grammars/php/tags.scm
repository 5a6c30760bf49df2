; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
[(property_declaration) (const_declaration)] @item

; --- definitions ---

(namespace_definition
  name: (_) @name
  body: (_)? @body) @definition.module

(class_declaration
  name: (name) @name
  body: (_) @body) @definition.class

[(interface_declaration
  name: (name) @name
  body: (_) @body)
(trait_declaration
  name: (name) @name
  body: (_) @body)] @definition.interface

(enum_declaration
  name: (name) @name
  body: (_) @body) @definition.enum

(enum_case
  name: (name) @name) @definition.variant

((method_declaration
  attributes: (attribute_list (attribute_group (attribute [
    (name) @_marker
    (qualified_name (name) @_marker)
  ])))
  name: (name) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method @test
  (#any-of? @_marker "Test" "DataProvider"))

(method_declaration
  name: (name) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method

(function_definition
  name: (name) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.function

(property_element
  name: (variable_name (name) @name)
  default_value: (_)? @value) @definition.field

(const_element
  . (name) @name . "=" . (_) @value) @definition.constant

((function_call_expression
  function: (name) @_define
  arguments: (arguments . (argument (string (string_content) @name)))) @definition.constant
  (#eq? @_define "define"))

([
  (method_declaration (visibility_modifier) @_visibility)
  (property_declaration (visibility_modifier) @_visibility)
  (const_declaration (visibility_modifier) @_visibility)
] @private
  (#any-of? @_visibility "private" "protected"))

; --- references ---

(name) @reference

(named_type [
  (name) @reference.type
  (qualified_name (name) @reference.type)
])

(function_call_expression
  function: [
    (name) @reference.call
    (qualified_name (name) @reference.call)
  ])

[(member_call_expression
  object: [
    (variable_name (name) @qualifier)
    (member_access_expression name: (name) @qualifier)
    (member_call_expression name: (name) @qualifier)
    (scoped_call_expression name: (name) @qualifier)
  ]?
  name: (name) @reference.call.method)
(nullsafe_member_call_expression
  object: [
    (variable_name (name) @qualifier)
    (member_access_expression name: (name) @qualifier)
    (member_call_expression name: (name) @qualifier)
    (scoped_call_expression name: (name) @qualifier)
  ]?
  name: (name) @reference.call.method)
(scoped_call_expression
  scope: [
    (name) @qualifier
    (relative_scope) @qualifier
    (qualified_name (name) @qualifier)
    (variable_name (name) @qualifier)
  ]?
  name: (name) @reference.call.method)]

[(member_access_expression
  object: [
    (variable_name (name) @qualifier)
    (member_access_expression name: (name) @qualifier)
  ]?
  name: (name) @reference.member)
(nullsafe_member_access_expression
  object: [
    (variable_name (name) @qualifier)
    (member_access_expression name: (name) @qualifier)
  ]?
  name: (name) @reference.member)
(class_constant_access_expression
  . [
    (name) @qualifier
    (relative_scope) @qualifier
    (qualified_name (name) @qualifier)
  ]
  (name) @reference.member .)]

(object_creation_expression [
  (name) @reference.call
  (qualified_name (name) @reference.call)
])
(attribute [
  (name) @reference.call
  (qualified_name (name) @reference.call)
])

[(base_clause [
  (name) @reference.implementation
  (qualified_name (name) @reference.implementation)
])
(class_interface_clause [
  (name) @reference.implementation
  (qualified_name (name) @reference.implementation)
])
(use_declaration [
  (name) @reference.implementation
  (qualified_name (name) @reference.implementation)
])]

(binary_expression
  operator: "instanceof"
  right: [
    (name) @reference.type
    (qualified_name (name) @reference.type)
  ])

; Variables are known inside their function only.
[(variable_name (name) @ignore)
(argument name: (name) @ignore)
(qualified_name prefix: (namespace_name (name) @ignore))
(namespace_definition name: (namespace_name (name) @ignore))
(namespace_use_declaration (namespace_name (name) @ignore))
(goto_statement (name) @ignore)
(named_label_statement (name) @ignore)]
