(field_definition
  property: (_) @name
  value: [
    (arrow_function
      parameter: (_)? @parameters
      parameters: (_)? @parameters
      body: (_) @body)
    (function_expression
      parameters: (_) @parameters
      body: (_) @body)
  ]) @definition.method

(field_definition
  property: (_) @name
  value: (_)? @value) @definition.field

(field_definition property: (private_property_identifier) @private)

(class_heritage [
  (identifier) @reference.implementation
  (member_expression property: (property_identifier) @reference.implementation)
])
