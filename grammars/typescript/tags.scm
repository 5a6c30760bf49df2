(ambient_declaration) @item

(abstract_class_declaration
  name: (_) @name
  body: (_) @body) @definition.class

(interface_declaration
  name: (_) @name
  body: (_) @body) @definition.interface

(type_alias_declaration
  name: (_) @name) @definition.type

(enum_declaration
  name: (_) @name
  body: (_) @body) @definition.enum

(enum_assignment
  name: (_) @name) @definition.variant

(enum_body
  name: (_) @definition.variant @name)

(internal_module
  name: (_) @name
  body: (_) @body) @definition.module

(module
  name: (_) @name
  body: (_)? @body) @definition.module

(function_signature
  name: (_) @name
  parameters: (_) @parameters) @definition.function

[(method_signature
  name: (_) @name
  parameters: (_) @parameters)
(abstract_method_signature
  name: (_) @name
  parameters: (_) @parameters)] @definition.method

(property_signature
  name: (_) @name) @definition.field

(public_field_definition
  name: (_) @name
  value: [
    (arrow_function
      parameter: (_)? @parameters
      parameters: (_)? @parameters
      body: (_) @body)
    (function_expression
      parameters: (_) @parameters
      body: (_) @body)
  ]) @definition.method

(public_field_definition
  name: (_) @name
  value: (_)? @value) @definition.field

(public_field_definition name: (private_property_identifier) @private)
((accessibility_modifier) @private
  (#any-of? @private "private" "protected"))

; --- references ---

[(required_parameter pattern: (identifier) @ignore)
(optional_parameter pattern: (identifier) @ignore)]

(type_identifier) @reference.type
(nested_type_identifier
  module: (identifier) @qualifier
  name: (type_identifier) @reference.type)

(extends_clause value: [
  (identifier) @reference.implementation
  (member_expression property: (property_identifier) @reference.implementation)
])
(implements_clause [
  (type_identifier) @reference.implementation
  (generic_type name: (type_identifier) @reference.implementation)
])
(extends_type_clause type: [
  (type_identifier) @reference.implementation
  (generic_type name: (type_identifier) @reference.implementation)
])
