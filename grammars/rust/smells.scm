; Places that the review looks at. Captures are defined in ../README.md.

; --- what repeats, and what runs elsewhere ---

(for_expression pattern: (_) @smell.variable body: (block) @smell.body) @smell.loop
(while_expression body: (block) @smell.body) @smell.loop
(loop_expression body: (block) @smell.body) @smell.loop
[(function_item) (closure_expression)] @smell.function
(function_item (function_modifiers "async")) @smell.async
(async_block) @smell.async

; --- performance ---

((call_expression
  function: (scoped_identifier
    path: [
      (identifier) @_expression
      (scoped_identifier name: (identifier) @_expression)
    ]
    name: (identifier) @_new)
  arguments: (arguments . [(string_literal) (raw_string_literal)] @smell.argument)) @smell.regex-in-loop
  (#any-of? @_expression "Regex" "RegexBuilder" "RegexSet")
  (#eq? @_new "new"))

((call_expression
  function: (scoped_identifier
    path: [
      (identifier) @_thread
      (scoped_identifier name: (identifier) @_thread)
    ]
    name: (identifier) @_sleep)) @smell.blocking-in-async
  (#eq? @_thread "thread")
  (#eq? @_sleep "sleep"))

((call_expression
  function: (scoped_identifier
    path: (scoped_identifier path: (identifier) @_std name: (identifier) @_fs)
    name: (identifier) @_verb)) @smell.blocking-in-async
  (#eq? @_std "std")
  (#eq? @_fs "fs")
  (#any-of? @_verb "read" "read_to_string" "read_dir" "write" "copy" "create_dir_all" "remove_dir_all"))

((let_declaration
  pattern: (identifier) @smell.guard
  value: (call_expression
    function: (field_expression
      value: (call_expression
        function: (field_expression field: (field_identifier) @_lock)
        arguments: (arguments "(" . ")"))
      field: (field_identifier) @_unwrap)))
  (#any-of? @_lock "lock" "read" "write")
  (#any-of? @_unwrap "unwrap" "expect" "unwrap_or_else"))
((let_declaration
  pattern: (mut_pattern (identifier) @smell.guard)
  value: (call_expression
    function: (field_expression
      value: (call_expression
        function: (field_expression field: (field_identifier) @_lock)
        arguments: (arguments "(" . ")"))
      field: (field_identifier) @_unwrap)))
  (#any-of? @_lock "lock" "read" "write")
  (#any-of? @_unwrap "unwrap" "expect" "unwrap_or_else"))
((call_expression function: (identifier) @_drop arguments: (arguments . (identifier) @smell.release))
  (#eq? @_drop "drop"))

((await_expression "await" @_await) @smell.lock-across-await (#eq? @_await "await"))

((await_expression (call_expression arguments: (arguments) @smell.argument) "await" @_await) @smell.await-in-loop
  (#eq? @_await "await"))

(let_declaration pattern: (_) @smell.assigned)
(let_condition pattern: (_) @smell.assigned)
(match_pattern . (_) @smell.assigned)
(assignment_expression left: (_) @smell.assigned)
(closure_parameters (_) @smell.assigned)

((reference_expression
  "&" . (call_expression
    function: (field_expression value: (_) @smell.argument field: (field_identifier) @_clone)
    arguments: (arguments "(" . ")"))) @smell.alloc-in-loop
  (#any-of? @_clone "clone" "to_string" "to_owned" "to_vec"))

((call_expression
  function: (field_expression
    value: (call_expression arguments: (arguments . [(string_literal) (raw_string_literal)] @smell.argument))
    field: (field_identifier) @_fetch)) @smell.unbounded-query
  (#any-of? @_fetch "fetch_all" "load"))

; --- abstractions ---

((function_item
  parameters: (parameters (parameter pattern: (identifier) @smell.variable))
  body: (block "{" . (call_expression
    function: [(identifier) (scoped_identifier)]
    arguments: (arguments) @smell.argument) . "}")) @smell.pass-through)

; --- security ---

((call_expression
  function: (field_expression field: (field_identifier) @_accept)
  arguments: (arguments . (boolean_literal) @_yes)) @smell.tls-off
  (#any-of? @_accept "danger_accept_invalid_certs" "danger_accept_invalid_hostnames")
  (#eq? @_yes "true"))
