[
  (if) (unless) (while) (until) (for) (case) (case_match) (conditional) (rescue)
  (if_modifier) (unless_modifier) (while_modifier) (until_modifier) (rescue_modifier)
] @metrics.branch
(if alternative: (elsif) @metrics.elseif)
(elsif alternative: (elsif) @metrics.elseif)
(if alternative: (else) @metrics.else)
(elsif alternative: (else) @metrics.else)
(unless alternative: (else) @metrics.else)
[(when) (in_clause)] @metrics.case
[(block) (do_block)] @metrics.nesting
(binary operator: ["&&" "||" "and" "or"] @metrics.boolean)
(method_parameters [
  (identifier) (optional_parameter) (keyword_parameter) (splat_parameter) (hash_splat_parameter) (destructured_parameter)
] @metrics.parameter)
