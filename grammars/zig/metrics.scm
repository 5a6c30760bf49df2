[
  (if_statement) (if_expression) (for_statement) (for_expression) (while_statement) (while_expression)
  (switch_expression) (catch_expression)
] @metrics.branch
(else_clause alternative: (if_statement) @metrics.elseif)
(else_clause (_) @metrics.else)
(if_expression "else" . (if_expression) @metrics.elseif)
(if_expression "else" . (_) @metrics.else)
(switch_case) @metrics.case
(break_expression (break_label)) @metrics.jump
(continue_expression (break_label)) @metrics.jump
(binary_expression operator: ["and" "or"] @metrics.boolean)
(parameters (parameter) @metrics.parameter)
