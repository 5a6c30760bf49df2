[(conditional) (case) (lambda_case) (multi_way_if)] @metrics.branch
(conditional else: (conditional) @metrics.elseif)
(conditional else: (_) @metrics.else)
(alternative) @metrics.case
(match (guards) @metrics.case)
(lambda) @metrics.nesting
((infix operator: (operator) @metrics.boolean)
  (#any-of? @metrics.boolean "&&" "||"))
(patterns (_) @metrics.parameter)
