[(if_statement) (while_statement) (repeat_statement) (for_statement)] @metrics.branch
(if_statement alternative: (elseif_statement) @metrics.elseif)
(if_statement alternative: (else_statement) @metrics.else)
(function_definition) @metrics.nesting
(goto_statement) @metrics.jump
(binary_expression operator: ["and" "or"] @metrics.boolean)
(parameters name: (identifier) @metrics.parameter)
(parameters (vararg_expression) @metrics.parameter)
