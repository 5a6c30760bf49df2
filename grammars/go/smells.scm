; Places that the review looks at. Captures are defined in ../README.md.

; --- what repeats, and what runs elsewhere ---

(for_statement (range_clause left: (_) @smell.variable) body: (block) @smell.body) @smell.loop
(for_statement body: (block) @smell.body) @smell.loop
[(function_declaration) (method_declaration) (func_literal)] @smell.function

; --- performance ---

((call_expression
  function: (selector_expression operand: (identifier) @_package field: (field_identifier) @_compile)
  arguments: (argument_list . [
    (interpreted_string_literal)
    (raw_string_literal)
  ] @smell.argument)) @smell.regex-in-loop
  (#eq? @_package "regexp")
  (#any-of? @_compile "MustCompile" "Compile" "MatchString"))

((call_expression
  function: (selector_expression
    operand: [
      (identifier) @_db
      (selector_expression field: (field_identifier) @_db)
    ]
    field: (field_identifier) @_verb)
  arguments: (argument_list) @smell.argument) @smell.query-in-loop
  (#any-of? @_db "db" "DB" "tx" "conn")
  (#any-of? @_verb "Query" "QueryRow" "QueryContext" "QueryRowContext" "Exec" "ExecContext"))

(short_var_declaration left: (expression_list (identifier) @smell.assigned))
(var_spec name: (identifier) @smell.assigned)
(assignment_statement left: (expression_list (identifier) @smell.assigned) operator: "=")

((assignment_statement
  left: (expression_list . (identifier) @smell.argument)
  operator: "+="
  right: (expression_list (interpreted_string_literal))) @smell.concat-in-loop)
((assignment_statement
  left: (expression_list . (identifier) @smell.argument)
  operator: "+="
  right: (expression_list (binary_expression right: (interpreted_string_literal)))) @smell.concat-in-loop)
((assignment_statement
  left: (expression_list . (identifier) @smell.argument)
  operator: "+="
  right: (expression_list (binary_expression left: (interpreted_string_literal)))) @smell.concat-in-loop)

; --- security ---

((keyed_element
  (literal_element (identifier) @_option)
  (literal_element (true))) @smell.tls-off
  (#eq? @_option "InsecureSkipVerify"))
