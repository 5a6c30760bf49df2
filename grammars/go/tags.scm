; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment

; A declaration belongs to the only thing it declares.
[(type_declaration) (const_declaration) (var_declaration) (const_spec) (var_spec) (field_declaration)] @item

; --- definitions ---

(function_declaration
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.function

(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @container
        (generic_type type: (type_identifier) @container)
        (pointer_type (type_identifier) @container)
        (pointer_type (generic_type type: (type_identifier) @container))
      ]))
  name: (field_identifier) @name
  parameters: (_) @parameters
  body: (_)? @body) @definition.method

(type_spec
  name: (type_identifier) @name
  type: (struct_type (field_declaration_list) @body)) @definition.struct

(type_spec
  name: (type_identifier) @name
  type: (interface_type) @body) @definition.interface

[(type_spec name: (type_identifier) @name)
(type_alias name: (type_identifier) @name)] @definition.type

(field_declaration
  name: (field_identifier) @name @definition.field)

(method_elem
  name: (field_identifier) @name
  parameters: (_) @parameters) @definition.method

(const_spec
  name: (identifier) @name @definition.constant)

(var_spec
  name: (identifier) @name @definition.variable)

; --- references ---

(identifier) @reference
(type_identifier) @reference.type
(field_identifier) @reference.member

(call_expression
  function: [
    (identifier) @reference.call
    (type_instantiation_expression type: (type_identifier) @reference.call)
  ])

(call_expression
  function: (selector_expression
    operand: [
      (identifier) @qualifier
      (selector_expression field: (field_identifier) @qualifier)
    ]?
    field: (field_identifier) @reference.call.method))

(qualified_type
  package: (package_identifier) @qualifier
  name: (type_identifier) @reference.type)

(keyed_element
  key: (literal_element (identifier) @reference.member))

(field_declaration
  !name
  type: [
    (type_identifier) @reference.implementation
    (qualified_type name: (type_identifier) @reference.implementation)
  ])
(interface_type
  (type_elem . [
    (type_identifier) @reference.implementation
    (qualified_type name: (type_identifier) @reference.implementation)
  ] .))
