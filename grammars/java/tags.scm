; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(line_comment) (block_comment)] @comment
[(field_declaration) (constant_declaration)] @item

; --- definitions ---

(class_declaration
  name: (identifier) @name
  body: (_) @body) @definition.class

(interface_declaration
  name: (identifier) @name
  body: (_) @body) @definition.interface

(annotation_type_declaration
  name: (identifier) @name
  body: (_) @body) @definition.interface

(record_declaration
  name: (identifier) @name
  body: (_) @body) @definition.struct

(record_declaration
  parameters: (formal_parameters
    (formal_parameter name: (identifier) @name @definition.field)))

(enum_declaration
  name: (identifier) @name
  body: (_) @body) @definition.enum

(enum_constant
  name: (identifier) @name
  body: (_)? @body) @definition.variant

((method_declaration
  (modifiers [
    (marker_annotation name: (identifier) @_marker)
    (marker_annotation name: (scoped_identifier name: (identifier) @_marker))
    (annotation name: (identifier) @_marker)
    (annotation name: (scoped_identifier name: (identifier) @_marker))
  ])
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method @test
  (#any-of? @_marker
    "Test" "ParameterizedTest" "RepeatedTest" "TestFactory" "TestTemplate" "Property" "Theory" "Benchmark"))

(method_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method

(annotation_type_element_declaration
  name: (identifier) @name) @definition.method

(constructor_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.method

(compact_constructor_declaration
  name: (identifier) @name
  body: (_) @body) @definition.method

(variable_declarator
  name: (identifier) @name
  value: (_)? @value) @definition.variable

(modifiers "public") @public
(field_declaration (modifiers "public")) @public

; --- references ---

(identifier) @reference
(type_identifier) @reference.type
(field_access field: (identifier) @reference.member)
(field_access
  object: [(identifier) (this) (super)] @qualifier
  field: (identifier) @reference.member)

(method_invocation
  !object
  name: (identifier) @reference.call)

(method_invocation
  object: (_)
  name: (identifier) @reference.call.method)

(method_invocation
  object: [
    (identifier) @qualifier
    (this) @qualifier
    (super) @qualifier
    (field_access field: (identifier) @qualifier)
    (method_invocation name: (identifier) @qualifier)
  ]
  name: (identifier) @reference.call.method)

(method_reference (identifier) @reference.call.method .)
(method_reference
  . [(identifier) (this) (super)] @qualifier
  (identifier) @reference.call.method .)

(object_creation_expression
  type: [
    (type_identifier) @reference.call
    (generic_type (type_identifier) @reference.call)
    (scoped_type_identifier (type_identifier) @reference.call .)
    (generic_type (scoped_type_identifier (type_identifier) @reference.call .))
  ])

[(marker_annotation name: (identifier) @reference.call)
(annotation name: (identifier) @reference.call)]

[(superclass [
  (type_identifier) @reference.implementation
  (generic_type . (type_identifier) @reference.implementation)
  (scoped_type_identifier (type_identifier) @reference.implementation .)
])
(super_interfaces (type_list [
  (type_identifier) @reference.implementation
  (generic_type . (type_identifier) @reference.implementation)
  (scoped_type_identifier (type_identifier) @reference.implementation .)
]))
(extends_interfaces (type_list [
  (type_identifier) @reference.implementation
  (generic_type . (type_identifier) @reference.implementation)
  (scoped_type_identifier (type_identifier) @reference.implementation .)
]))]

(package_declaration [(identifier) (scoped_identifier)] @name) @definition.module

[(package_declaration (identifier) @ignore)
(package_declaration (scoped_identifier name: (identifier) @ignore))
(scoped_identifier scope: (identifier) @ignore)
(scoped_identifier scope: (scoped_identifier name: (identifier) @ignore))
(formal_parameter name: (identifier) @ignore)
(spread_parameter (variable_declarator name: (identifier) @ignore))
(element_value_pair key: (identifier) @ignore)
(labeled_statement . (identifier) @ignore)
(break_statement (identifier) @ignore)
(continue_statement (identifier) @ignore)]
