; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(line_comment) (block_comment)] @comment
(class_parameter) @item

; --- definitions ---

(class_declaration
  "interface"
  name: (identifier) @name
  (class_body)? @body) @definition.interface

(class_declaration
  name: (identifier) @name
  (enum_class_body) @body) @definition.enum

(class_declaration
  (modifiers (class_modifier "data"))
  name: (identifier) @name
  (class_body)? @body) @definition.struct

(class_declaration
  name: (identifier) @name
  (class_body)? @body) @definition.class

(object_declaration
  name: (identifier) @name
  (class_body)? @body) @definition.class

(enum_entry
  (identifier) @name
  (class_body)? @body) @definition.variant

(class_parameter
  ["val" "var"] . (identifier) @name @definition.field)

(type_alias
  type: (identifier) @name) @definition.type

((function_declaration
  (modifiers (annotation [
    (user_type (identifier) @_marker)
    (constructor_invocation (user_type (identifier) @_marker))
  ]))
  name: (identifier) @name
  (function_value_parameters) @parameters
  (function_body)? @body) @definition.function @test
  (#any-of? @_marker "Test" "ParameterizedTest" "RepeatedTest" "TestFactory" "Property" "Benchmark"))

; An extension belongs to the type before its name.
(function_declaration
  (user_type . (identifier) @container) . "." . name: (identifier) @name
  (function_value_parameters) @parameters
  (function_body)? @body) @definition.method

(function_declaration
  name: (identifier) @name
  (function_value_parameters) @parameters
  (function_body)? @body) @definition.function

(secondary_constructor
  "constructor" @name
  (function_value_parameters) @parameters
  (block)? @body) @definition.method

(property_declaration
  (modifiers (property_modifier "const"))
  (variable_declaration . (identifier) @name)) @definition.constant

(property_declaration
  (user_type . (identifier) @container) . "." . (variable_declaration . (identifier) @name)
  (getter)? @body) @definition.field

(property_declaration
  (variable_declaration . (identifier) @name)
  "=" . (_) @value) @definition.variable

(property_declaration
  (variable_declaration . (identifier) @name)
  (getter)? @body) @definition.variable

([
  (class_declaration (modifiers (visibility_modifier ["private" "protected"])))
  (object_declaration (modifiers (visibility_modifier ["private" "protected"])))
  (function_declaration (modifiers (visibility_modifier ["private" "protected"])))
  (property_declaration (modifiers (visibility_modifier ["private" "protected"])))
  (secondary_constructor (modifiers (visibility_modifier ["private" "protected"])))
  (type_alias (modifiers (visibility_modifier ["private" "protected"])))
  (class_parameter (modifiers (visibility_modifier ["private" "protected"])))
] @private)

; --- references ---

(identifier) @reference
(user_type (identifier) @reference.type)

(navigation_expression (identifier) @reference.member .)
(navigation_expression
  . [
    (identifier) @qualifier
    (this_expression) @qualifier
    (super_expression) @qualifier
  ]
  (identifier) @reference.member .)

(call_expression . (identifier) @reference.call)
(call_expression
  . (navigation_expression (identifier) @reference.call.method .))
(call_expression
  . (navigation_expression
    . [
      (identifier) @qualifier
      (this_expression) @qualifier
      (super_expression) @qualifier
      (navigation_expression (identifier) @qualifier .)
      (call_expression . (identifier) @qualifier)
      (call_expression . (navigation_expression (identifier) @qualifier .))
    ]
    (identifier) @reference.call.method .))

(infix_expression
  (_) . (identifier) @reference.call.method . (_))
(callable_reference (identifier) @reference.call .)

(annotation [
  (user_type (identifier) @reference.call .)
  (constructor_invocation (user_type (identifier) @reference.call .))
])

(delegation_specifier [
  (user_type (identifier) @reference.implementation)
  (constructor_invocation (user_type (identifier) @reference.implementation))
  (explicit_delegation (user_type (identifier) @reference.implementation))
])

(qualified_identifier (identifier) @ignore . ".")
(package_header (qualified_identifier) @name) @definition.module

[(package_header (qualified_identifier (identifier) @ignore .))
(value_argument . (identifier) @ignore . "=")
(class_parameter (identifier) @ignore . ":")
(labeled_expression (label) . (identifier) @ignore)
(this_expression (identifier) @ignore)
(return_expression label: (identifier) @ignore)]
