; Places that the review looks at. Captures are defined in ../README.md.

; --- what repeats, and what runs elsewhere ---

(enhanced_for_statement name: (identifier) @smell.variable body: (_) @smell.body) @smell.loop
(for_statement body: (_) @smell.body) @smell.loop
(while_statement body: (_) @smell.body) @smell.loop
(do_statement body: (_) @smell.body) @smell.loop
[(method_declaration) (constructor_declaration) (lambda_expression)] @smell.function

; --- performance ---

((method_invocation
  object: (identifier) @_pattern
  name: (identifier) @_compile
  arguments: (argument_list . (string_literal) @smell.argument)) @smell.regex-in-loop
  (#eq? @_pattern "Pattern")
  (#any-of? @_compile "compile" "matches"))

((method_invocation
  object: (identifier) @_repository
  name: (identifier) @_find
  arguments: (argument_list) @smell.argument) @smell.query-in-loop
  (#any-of? @_repository "entityManager" "em" "repository" "jdbcTemplate" "session")
  (#any-of? @_find "find" "findById" "findOne" "getReference" "queryForObject" "queryForList" "getById"))

(variable_declarator name: (identifier) @smell.assigned)
(assignment_expression left: (identifier) @smell.assigned operator: "=")

((assignment_expression left: (identifier) @smell.argument operator: "+=" right: (string_literal)) @smell.concat-in-loop)
((assignment_expression
  left: (identifier) @smell.argument
  operator: "+="
  right: (binary_expression left: (string_literal))) @smell.concat-in-loop)
((assignment_expression
  left: (identifier) @smell.argument
  operator: "+="
  right: (binary_expression right: (string_literal))) @smell.concat-in-loop)
