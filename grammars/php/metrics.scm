[
  (if_statement) (while_statement) (do_statement) (for_statement) (foreach_statement)
  (switch_statement) (match_expression) (catch_clause) (conditional_expression)
] @metrics.branch
(if_statement alternative: (else_if_clause) @metrics.elseif)
(else_clause body: (if_statement) @metrics.elseif)
(else_clause body: (_) @metrics.else)
[(case_statement) (match_conditional_expression)] @metrics.case
[(anonymous_function) (arrow_function)] @metrics.nesting
(goto_statement) @metrics.jump
(binary_expression operator: ["&&" "||" "and" "or"] @metrics.boolean)
(formal_parameters [
  (simple_parameter) (variadic_parameter) (property_promotion_parameter)
] @metrics.parameter)
