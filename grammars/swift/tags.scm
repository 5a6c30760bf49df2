; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(comment) (multiline_comment)] @comment
[(property_declaration) (enum_entry) (pattern)] @item

; --- definitions ---

(class_declaration
  declaration_kind: ["class" "actor"]
  name: (type_identifier) @name
  body: (_) @body) @definition.class

(class_declaration
  declaration_kind: "struct"
  name: (type_identifier) @name
  body: (_) @body) @definition.struct

(class_declaration
  declaration_kind: "enum"
  name: (type_identifier) @name
  body: (_) @body) @definition.enum

(class_declaration
  declaration_kind: "extension"
  name: (user_type (type_identifier) @name .)
  body: (_) @body) @definition.impl

(protocol_declaration
  name: (type_identifier) @name
  body: (_) @body) @definition.interface

[(typealias_declaration name: (type_identifier) @name)
(associatedtype_declaration name: (type_identifier) @name)] @definition.type

(enum_entry
  name: (simple_identifier) @name @definition.variant)

((function_declaration
  (modifiers (attribute (user_type (type_identifier) @_marker)))
  name: _ @name
  body: (_)? @body) @definition.function @parameters @test
  (#eq? @_marker "Test"))

(function_declaration
  name: _ @name
  body: (_)? @body) @definition.function @parameters

(protocol_function_declaration
  name: _ @name
  body: (_)? @body) @definition.method @parameters

(init_declaration
  name: "init" @name
  body: (_)? @body) @definition.method @parameters

(deinit_declaration
  "deinit" @name
  body: (_) @body) @definition.method

(subscript_declaration
  "subscript" @name
  (computed_property) @body) @definition.method @parameters

(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)
  computed_value: (_) @body) @definition.variable

(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)
  value: (_) @value) @definition.variable

(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name @definition.variable)
  !value
  !computed_value)

(protocol_property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)) @definition.field

(macro_declaration (simple_identifier) @name) @definition.macro
(operator_declaration (custom_operator) @name) @definition.function

([
  (class_declaration (modifiers (visibility_modifier) @_visibility))
  (protocol_declaration (modifiers (visibility_modifier) @_visibility))
  (function_declaration (modifiers (visibility_modifier) @_visibility))
  (init_declaration (modifiers (visibility_modifier) @_visibility))
  (subscript_declaration (modifiers (visibility_modifier) @_visibility))
  (property_declaration (modifiers (visibility_modifier) @_visibility))
  (typealias_declaration (modifiers (visibility_modifier) @_visibility))
] @private
  (#any-of? @_visibility "private" "fileprivate"))

; --- references ---

(simple_identifier) @reference
(type_identifier) @reference.type

(navigation_expression
  target: [
    (simple_identifier) @qualifier
    (self_expression) @qualifier
    (super_expression) @qualifier
  ]?
  suffix: (navigation_suffix suffix: (simple_identifier) @reference.member))
(prefix_expression
  operation: "."
  target: (simple_identifier) @reference.member)
(pattern "." . (simple_identifier) @reference.member)

; What stands in square brackets after a value is no call.
(call_expression
  . [
    (simple_identifier) @reference.call
    (prefix_expression operation: "." target: (simple_identifier) @reference.call.method)
    (navigation_expression
      target: [
        (simple_identifier) @qualifier
        (self_expression) @qualifier
        (super_expression) @qualifier
        (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @qualifier))
        (call_expression . (simple_identifier) @qualifier)
        (call_expression
          . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @qualifier)))
      ]?
      suffix: (navigation_suffix suffix: (simple_identifier) @reference.call.method))
  ]
  (call_suffix [
    (value_arguments "(")
    (lambda_literal)
  ]))

(constructor_expression
  constructed_type: (user_type (type_identifier) @reference.call .))
(constructor_expression
  constructed_type: (user_type (type_identifier) @reference.call . (type_arguments)))
(attribute (user_type (type_identifier) @reference.call))
(macro_invocation (simple_identifier) @reference.call)

(inheritance_specifier
  inherits_from: (user_type (type_identifier) @reference.implementation))

(parameter external_name: (simple_identifier) @ignore)
[(parameter name: (simple_identifier) @ignore)
(value_argument_label (simple_identifier) @ignore)
(tuple_type_item name: (simple_identifier) @ignore)
(enum_type_parameters (simple_identifier) @ignore)
(attribute (simple_identifier) @ignore)
(control_transfer_statement ["continue" "break"] result: (simple_identifier) @ignore)]
