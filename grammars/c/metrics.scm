[
  (if_statement) (while_statement) (do_statement) (for_statement) (switch_statement) (conditional_expression)
] @metrics.branch
(else_clause (if_statement) @metrics.elseif)
(else_clause [
  (compound_statement) (expression_statement) (return_statement) (goto_statement) (break_statement)
  (continue_statement) (for_statement) (while_statement) (do_statement) (switch_statement)
] @metrics.else)
(case_statement) @metrics.case
(goto_statement) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(parameter_list (parameter_declaration declarator: (_)) @metrics.parameter)
