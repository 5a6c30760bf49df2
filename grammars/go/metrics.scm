[(if_statement) (for_statement) (expression_switch_statement) (type_switch_statement) (select_statement)] @metrics.branch
(if_statement alternative: (if_statement) @metrics.elseif)
(if_statement alternative: (block) @metrics.else)
[(expression_case) (type_case) (communication_case)] @metrics.case
(func_literal) @metrics.nesting
(goto_statement) @metrics.jump
(break_statement (label_name)) @metrics.jump
(continue_statement (label_name)) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(parameter_list (parameter_declaration name: (identifier) @metrics.parameter))
(parameter_list (parameter_declaration !name) @metrics.parameter)
(parameter_list (variadic_parameter_declaration) @metrics.parameter)
