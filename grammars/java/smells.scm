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

(for_statement init: (local_variable_declaration declarator: (variable_declarator name: (identifier) @smell.assigned)) body: (_) @smell.body) @smell.loop

((object_creation_expression type: (type_identifier) @_made arguments: (argument_list) @smell.argument) @smell.alloc-in-loop
  (#any-of? @_made "SimpleDateFormat" "DecimalFormat" "ObjectMapper" "Gson" "RestTemplate" "OkHttpClient" "SecureRandom"))
((method_invocation
  object: (identifier) @_formatter
  name: (identifier) @_pattern
  arguments: (argument_list) @smell.argument) @smell.alloc-in-loop
  (#any-of? @_formatter "DateTimeFormatter" "HttpClient" "JAXBContext" "DocumentBuilderFactory")
  (#any-of? @_pattern "ofPattern" "newHttpClient" "newInstance"))

((method_invocation
  name: (identifier) @_query
  arguments: (argument_list . (string_literal) @smell.argument)) @smell.unbounded-query
  (#any-of? @_query "createQuery" "createNativeQuery" "executeQuery" "query" "prepareStatement"))

; --- abstractions ---

((method_declaration
  parameters: (formal_parameters (formal_parameter name: (identifier) @smell.variable))
  body: (block "{" . (return_statement (method_invocation arguments: (argument_list) @smell.argument)) . "}")) @smell.pass-through)
