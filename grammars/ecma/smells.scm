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
