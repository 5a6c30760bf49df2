(required_parameter pattern: (identifier) @local.definition)
(type_parameter name: (type_identifier) @local.definition.type)
(optional_parameter pattern: (identifier) @local.definition)
