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
(type_switch_statement alias: (expression_list (identifier) @smell.assigned))
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

(for_statement (for_clause initializer: (short_var_declaration left: (_) @smell.assigned)) body: (block) @smell.body) @smell.loop

((call_expression
  function: (selector_expression operand: (identifier) @_package field: (field_identifier) @_make)
  arguments: (argument_list) @smell.argument) @smell.alloc-in-loop
  (#any-of? @_package "strings" "template" "tls")
  (#any-of? @_make "NewReplacer" "New" "LoadX509KeyPair"))

((call_expression
  function: (selector_expression field: (field_identifier) @_query)
  arguments: (argument_list . [(interpreted_string_literal) (raw_string_literal)] @smell.argument)) @smell.unbounded-query
  (#any-of? @_query "Query" "Queryx" "Select"))
((call_expression
  function: (selector_expression field: (field_identifier) @_query)
  arguments: (argument_list . (_) . [(interpreted_string_literal) (raw_string_literal)] @smell.argument)) @smell.unbounded-query
  (#any-of? @_query "QueryContext" "QueryxContext" "Select" "Query"))

; --- abstractions ---

((function_declaration
  parameters: (parameter_list (parameter_declaration name: (identifier) @smell.variable))
  body: (block (statement_list . (return_statement (expression_list . (call_expression
    function: [(identifier) (selector_expression)]
    arguments: (argument_list) @smell.argument) .)) .))) @smell.pass-through)

; --- security ---

((keyed_element
  (literal_element (identifier) @_option)
  (literal_element (true))) @smell.tls-off
  (#eq? @_option "InsecureSkipVerify"))
