; Places that the review looks at. Captures are defined in ../README.md.

; --- what repeats, and what runs elsewhere ---

(for_in_statement left: (_) @smell.variable body: (_) @smell.body) @smell.loop
(for_statement body: (_) @smell.body) @smell.loop
(while_statement body: (_) @smell.body) @smell.loop
(do_statement body: (_) @smell.body) @smell.loop
[
  (function_declaration)
  (generator_function_declaration)
  (function_expression)
  (arrow_function)
  (method_definition)
] @smell.function
(function_declaration "async") @smell.async
(function_expression "async") @smell.async
(arrow_function "async") @smell.async
(method_definition "async") @smell.async

; --- performance ---

((new_expression
  constructor: (identifier) @_expression
  arguments: (arguments . (string) @smell.argument)) @smell.regex-in-loop
  (#eq? @_expression "RegExp"))

((await_expression
  (call_expression
    function: (member_expression property: (property_identifier) @_verb)
    arguments: (arguments) @smell.argument)) @smell.query-in-loop
  (#any-of? @_verb
    "findOne" "findOneBy" "findOneOrFail" "findOneByOrFail" "findUnique" "findUniqueOrThrow" "findFirst"
    "findFirstOrThrow" "findByPk"))

((call_expression
  function: (member_expression property: (property_identifier) @_verb)) @smell.blocking-in-async
  (#any-of? @_verb "readFileSync" "writeFileSync" "appendFileSync" "readdirSync" "copyFileSync" "execSync" "spawnSync"))

((call_expression function: (identifier) @_verb) @smell.blocking-in-async
  (#any-of? @_verb "readFileSync" "writeFileSync" "appendFileSync" "readdirSync" "copyFileSync" "execSync" "spawnSync"))

(assignment_expression left: (identifier) @smell.assigned)
(variable_declarator name: (identifier) @smell.assigned)
(variable_declarator name: (identifier) @smell.list value: (array "[" . "]"))
((variable_declarator
  name: (identifier) @smell.list
  value: (call_expression function: (member_expression property: (property_identifier) @_make)))
  (#any-of? @_make "map" "filter" "keys" "values" "entries" "flatMap"))

((call_expression
  function: (member_expression object: (identifier) @smell.argument property: (property_identifier) @_search)) @smell.search-in-loop
  (#any-of? @_search "includes" "indexOf"))

((await_expression "await" @_await (call_expression arguments: (arguments) @smell.argument)) @smell.await-in-loop
  (#eq? @_await "await"))

(for_statement
  initializer: (lexical_declaration (variable_declarator name: (identifier) @smell.assigned))
  body: (_) @smell.body) @smell.loop
(variable_declarator name: [(object_pattern) (array_pattern)] @smell.assigned)

((new_expression
  constructor: (member_expression object: (identifier) @_intl)
  arguments: (arguments) @smell.argument) @smell.alloc-in-loop
  (#eq? @_intl "Intl"))
((new_expression constructor: (identifier) @_made arguments: (arguments) @smell.argument) @smell.alloc-in-loop
  (#any-of? @_made "TextEncoder" "TextDecoder" "DOMParser" "XMLSerializer" "Ajv"))
((call_expression
  function: (member_expression object: (identifier) @_json property: (property_identifier) @_parse)
  arguments: (arguments . (call_expression
    function: (member_expression property: (property_identifier) @_stringify)
    arguments: (arguments) @smell.argument))) @smell.alloc-in-loop
  (#eq? @_json "JSON")
  (#eq? @_parse "parse")
  (#eq? @_stringify "stringify"))

((call_expression
  function: (member_expression property: (property_identifier) @_find)
  arguments: (arguments "(" . ")")) @smell.unbounded-query
  (#any-of? @_find "findMany" "findAll"))
((call_expression
  function: (member_expression
    object: [
      (identifier) @_repository
      (member_expression property: (property_identifier) @_repository)
      (call_expression function: (member_expression property: (property_identifier) @_repository))
    ]
    property: (property_identifier) @_find)
  arguments: (arguments "(" . ")")) @smell.unbounded-query
  (#any-of? @_repository "repository" "repo" "getRepository")
  (#eq? @_find "find"))
((call_expression
  function: (member_expression property: (property_identifier) @_query)
  arguments: (arguments . [(string) (template_string)] @smell.argument)) @smell.unbounded-query
  (#any-of? @_query "query" "execute" "all"))

; --- abstractions ---

((function_declaration
  parameters: (formal_parameters (_) @smell.variable)
  body: (statement_block "{" . (return_statement (call_expression
    function: [(identifier) (member_expression)]
    arguments: (arguments) @smell.argument)) . "}")) @smell.pass-through)

; --- security ---

((call_expression
  function: [
    (identifier) @_exec
    (member_expression property: (property_identifier) @_exec)
  ]
  arguments: (arguments . (template_string (template_substitution)) @smell.argument)) @smell.dynamic-shell
  (#any-of? @_exec "execSync" "exec"))

((call_expression
  function: (identifier) @_eval
  arguments: (arguments . [
    (identifier)
    (binary_expression)
    (call_expression)
    (member_expression)
    (template_string (template_substitution))
  ] @smell.argument)) @smell.dynamic-eval
  (#eq? @_eval "eval"))

((pair key: (property_identifier) @_option value: (false)) @smell.tls-off
  (#eq? @_option "rejectUnauthorized"))
