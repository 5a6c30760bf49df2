[
  (if_statement) (while_statement) (do_statement) (for_statement) (foreach_statement)
  (switch_statement) (switch_expression) (catch_clause) (conditional_expression)
] @metrics.branch
(if_statement alternative: (if_statement) @metrics.elseif)
(if_statement alternative: [
  (block) (expression_statement) (return_statement) (throw_statement) (break_statement) (continue_statement)
  (for_statement) (foreach_statement) (while_statement) (do_statement) (try_statement) (yield_statement)
] @metrics.else)
[(switch_section) (switch_expression_arm)] @metrics.case
[(lambda_expression) (anonymous_method_expression)] @metrics.nesting
(goto_statement) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(parameter_list (parameter) @metrics.parameter)
(parameter_list name: (identifier) @metrics.parameter)
(bracketed_parameter_list (parameter) @metrics.parameter)
