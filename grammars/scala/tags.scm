; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(comment) (block_comment)] @comment
[(class_parameter) (enum_case_definitions) (val_definition) (var_definition)] @item

; --- definitions ---

(class_definition
  "case"
  name: (_) @name
  body: (_)? @body) @definition.struct

(class_definition
  "case"
  class_parameters: (class_parameters
    (class_parameter name: (identifier) @name @definition.field)))

[(class_definition
  name: (_) @name
  body: (_)? @body)
(object_definition
  name: (_) @name
  body: (_)? @body)
(package_object
  name: (_) @name
  body: (_)? @body)
(given_definition
  name: (_) @name
  body: [(template_body) (with_template_body)] @body)] @definition.class

(trait_definition
  name: (_) @name
  body: (_)? @body) @definition.interface

(enum_definition
  name: (_) @name
  body: (_) @body) @definition.enum

[(simple_enum_case name: (_) @name)
(full_enum_case name: (_) @name)] @definition.variant

(extension_definition
  parameters: (parameters
    (parameter type: [
      (type_identifier) @name
      (generic_type type: (type_identifier) @name)
    ]))) @definition.impl

(class_parameter
  ["val" "var"] . name: (identifier) @name @definition.field)

(type_definition
  name: (type_identifier) @name) @definition.type

((function_definition
  (annotation name: (type_identifier) @_marker)
  name: (_) @name
  body: (_) @body) @definition.function @parameters @test
  (#any-of? @_marker "Test" "ParameterizedTest"))

(function_definition
  name: (_) @name
  body: (_) @body) @definition.function @parameters

(function_declaration
  name: (_) @name) @definition.function @parameters

[(val_definition
  pattern: (identifier) @name
  value: (_) @value)
(var_definition
  pattern: (identifier) @name
  value: (_) @value)
(given_definition
  name: (_) @name
  body: (_) @value)] @definition.variable

[(val_definition pattern: [
  (identifiers (identifier) @name @definition.variable)
  (tuple_pattern (identifier) @name @definition.variable)
])
(var_definition pattern: [
  (identifiers (identifier) @name @definition.variable)
  (tuple_pattern (identifier) @name @definition.variable)
])]

[(val_declaration name: (_) @name)
(var_declaration name: (_) @name)] @definition.variable

; Tests and groups of them.
((call_expression
  function: (call_expression
    function: (identifier) @_test
    arguments: (arguments . (string) @name))
  arguments: (block) @body) @definition.test
  (#any-of? @_test "test" "it" "property" "scenario" "they" "specify"))

((call_expression
  function: (call_expression
    function: (identifier) @_group
    arguments: (arguments . (string) @name))
  arguments: (block) @body) @definition.module
  (#any-of? @_group "describe" "feature" "suite"))

([
  (class_definition (modifiers (access_modifier ["private" "protected"])))
  (object_definition (modifiers (access_modifier ["private" "protected"])))
  (trait_definition (modifiers (access_modifier ["private" "protected"])))
  (enum_definition (modifiers (access_modifier ["private" "protected"])))
  (type_definition (modifiers (access_modifier ["private" "protected"])))
  (function_definition (modifiers (access_modifier ["private" "protected"])))
  (function_declaration (modifiers (access_modifier ["private" "protected"])))
  (val_definition (modifiers (access_modifier ["private" "protected"])))
  (var_definition (modifiers (access_modifier ["private" "protected"])))
  (val_declaration (modifiers (access_modifier ["private" "protected"])))
  (var_declaration (modifiers (access_modifier ["private" "protected"])))
  (class_parameter (modifiers (access_modifier ["private" "protected"])))
] @private)

; --- references ---

(identifier) @reference
(type_identifier) @reference.type

(field_expression
  value: (identifier)? @qualifier
  field: (identifier) @reference.member)

(call_expression
  function: [
    (identifier) @reference.call
    (generic_function function: (identifier) @reference.call)
    (generic_function
      function: (field_expression
        value: (identifier)? @qualifier
        field: (identifier) @reference.call.method))
    (field_expression
      value: [
        (identifier) @qualifier
        (field_expression field: (identifier) @qualifier)
        (call_expression function: (identifier) @qualifier)
        (call_expression function: (field_expression field: (identifier) @qualifier))
      ]?
      field: (identifier) @reference.call.method)
  ])

(infix_expression operator: (identifier) @reference.call.method)

(instance_expression [
  (type_identifier) @reference.call
  (generic_type type: (type_identifier) @reference.call)
  (stable_type_identifier (type_identifier) @reference.call)
])
(annotation name: (type_identifier) @reference.call)

(extends_clause [
  (type_identifier) @reference.implementation
  (generic_type type: (type_identifier) @reference.implementation)
  (stable_type_identifier (type_identifier) @reference.implementation)
])

(package_clause
  name: (package_identifier) @name
  body: (_)? @body) @definition.module

[(package_identifier (identifier) @ignore)
(parameter name: (identifier) @ignore)
(class_parameter name: (identifier) @ignore)
(arguments (assignment_expression left: (identifier) @ignore))
(interpolated_string_expression interpolator: (identifier) @ignore)
(access_qualifier (identifier) @ignore)]
(import_declaration (identifier) @ignore . ".")
