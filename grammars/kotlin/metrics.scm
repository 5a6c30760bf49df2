[
  (if_expression) (while_statement) (do_while_statement) (for_statement) (when_expression) (catch_block)
] @metrics.branch
(if_expression "else" . (if_expression) @metrics.elseif)
(if_expression "else" . (_) @metrics.else)
(when_entry) @metrics.case
[(lambda_literal) (anonymous_function)] @metrics.nesting
(binary_expression operator: ["&&" "||"] @metrics.boolean)
(labeled_expression (label) . (identifier)) @metrics.jump
(function_value_parameters (parameter) @metrics.parameter)
