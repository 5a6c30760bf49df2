(if_expression) @metrics.branch
(else_clause (block) @metrics.else)
(else_clause (if_expression) @metrics.elseif)
[(while_expression) (loop_expression) (for_expression) (match_expression)] @metrics.branch
(match_arm) @metrics.case
(closure_expression) @metrics.nesting
(break_expression (label)) @metrics.jump
(continue_expression (label)) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(let_chain "&&" @metrics.boolean)
(parameters [(parameter) (variadic_parameter)] @metrics.parameter)
