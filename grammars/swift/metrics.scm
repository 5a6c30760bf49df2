[
  (if_statement) (guard_statement) (while_statement) (repeat_while_statement) (for_statement) (switch_statement)
  (catch_block) (ternary_expression)
] @metrics.branch
(if_statement (else) . (if_statement) @metrics.elseif)
(if_statement (else) . "{" @metrics.else)
(switch_entry) @metrics.case
(lambda_literal) @metrics.nesting
(control_transfer_statement ["continue" "break"] result: (_)) @metrics.jump
(conjunction_expression op: "&&" @metrics.boolean)
(disjunction_expression op: "||" @metrics.boolean)
(function_declaration (parameter) @metrics.parameter)
(protocol_function_declaration (parameter) @metrics.parameter)
(init_declaration (parameter) @metrics.parameter)
(subscript_declaration (parameter) @metrics.parameter)
