((call
  target: (identifier) @_branch
  (do_block)) @metrics.branch
  (#any-of? @_branch "if" "unless" "case" "cond" "with" "for" "receive"))
[(rescue_block) (catch_block)] @metrics.branch
(do_block (else_block) @metrics.else)
(do_block (stab_clause) @metrics.case)
(anonymous_function) @metrics.nesting
(binary_operator operator: ["&&" "||" "and" "or"] @metrics.boolean)
(arguments (_) @metrics.parameter)
