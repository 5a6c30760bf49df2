[
  (if_statement) (while_statement) (for_statement) (c_style_for_statement) (case_statement) (ternary_expression)
] @metrics.branch
(if_statement (elif_clause) @metrics.elseif)
(if_statement (else_clause) @metrics.else)
(case_item) @metrics.case
(list ["&&" "||"] @metrics.boolean)
(binary_expression operator: ["&&" "||"] @metrics.boolean)
