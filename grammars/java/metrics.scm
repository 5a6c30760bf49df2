[
  (if_statement) (while_statement) (do_statement) (for_statement) (enhanced_for_statement)
  (switch_expression) (catch_clause) (ternary_expression)
] @metrics.branch
(if_statement alternative: (if_statement) @metrics.elseif)
(if_statement alternative: [
  (block) (expression_statement) (return_statement) (throw_statement) (break_statement) (continue_statement)
  (for_statement) (enhanced_for_statement) (while_statement) (do_statement) (try_statement) (yield_statement)
] @metrics.else)
[(switch_block_statement_group) (switch_rule)] @metrics.case
(lambda_expression) @metrics.nesting
(break_statement (identifier)) @metrics.jump
(continue_statement (identifier)) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(formal_parameters [(formal_parameter) (spread_parameter)] @metrics.parameter)
