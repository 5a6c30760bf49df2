(value_pattern) @local.definition
(let_binding pattern: (value_name) @local.definition)
(module_parameter . (module_name) @local.definition.type)
