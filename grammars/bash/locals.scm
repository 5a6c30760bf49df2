(declaration_command
  ["local" "declare" "typeset"]
  (variable_assignment name: (variable_name) @local.definition))
(declaration_command
  ["local" "declare" "typeset"]
  (variable_name) @local.definition)
(for_statement variable: (variable_name) @local.definition)
(c_style_for_statement
  initializer: (variable_assignment name: (variable_name) @local.definition))
