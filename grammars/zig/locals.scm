(parameter name: (identifier) @local.definition)
(payload (identifier) @local.definition)
(variable_declaration ["const" "var"] . (identifier) @local.definition)
