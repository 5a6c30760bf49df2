[
  (if_expression) (while_expression) (for_expression) (match_expression) (try_expression) (function_expression)
] @metrics.branch
(else_clause expression: (if_expression) @metrics.elseif)
(else_clause expression: (_) @metrics.else)
(match_case) @metrics.case
(fun_expression) @metrics.nesting
(infix_expression operator: [(and_operator) (or_operator)] @metrics.boolean)
(let_binding (parameter) @metrics.parameter)
(method_definition (parameter) @metrics.parameter)
