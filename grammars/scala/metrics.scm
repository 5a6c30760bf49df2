[
  (if_expression) (while_expression) (do_while_expression) (for_expression) (match_expression) (catch_clause)
] @metrics.branch
(if_expression alternative: (if_expression) @metrics.elseif)
(if_expression alternative: (_) @metrics.else)
(case_clause) @metrics.case
(lambda_expression) @metrics.nesting
((infix_expression operator: (operator_identifier) @metrics.boolean)
  (#any-of? @metrics.boolean "&&" "||"))
(function_definition (parameters (parameter) @metrics.parameter))
(function_declaration (parameters (parameter) @metrics.parameter))
