[
  (if_statement) (while_statement) (do_statement) (for_statement) (for_in_statement)
  (switch_statement) (catch_clause) (ternary_expression)
] @metrics.branch
(else_clause (if_statement) @metrics.elseif)
(else_clause [
  (statement_block) (expression_statement) (return_statement) (throw_statement)
  (for_statement) (for_in_statement) (while_statement) (do_statement) (switch_statement) (try_statement)
  (break_statement) (continue_statement)
] @metrics.else)
(switch_case) @metrics.case
[(arrow_function) (function_expression) (generator_function)] @metrics.nesting
(break_statement label: (_)) @metrics.jump
(continue_statement label: (_)) @metrics.jump
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(arrow_function parameter: (identifier) @metrics.parameter)
