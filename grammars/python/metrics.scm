[(if_statement) (while_statement) (for_statement) (match_statement) (except_clause) (conditional_expression)] @metrics.branch
(if_statement alternative: (elif_clause) @metrics.elseif)
(if_statement alternative: (else_clause) @metrics.else)
(for_statement alternative: (else_clause) @metrics.else)
(while_statement alternative: (else_clause) @metrics.else)
(case_clause) @metrics.case
(lambda) @metrics.nesting
[(for_in_clause) (if_clause)] @metrics.case
(boolean_operator operator: ["and" "or"] @metrics.boolean)
(parameters [
  (identifier) (default_parameter) (typed_parameter) (typed_default_parameter)
  (list_splat_pattern) (dictionary_splat_pattern) (tuple_pattern)
] @metrics.parameter)
