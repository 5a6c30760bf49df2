; Places that the review looks at. Captures are defined in ../README.md.

; --- what repeats, and what runs elsewhere ---

(for_statement left: (_) @smell.variable body: (block) @smell.body) @smell.loop
(while_statement body: (block) @smell.body) @smell.loop
(list_comprehension body: (_) @smell.body (for_in_clause left: (_) @smell.variable)) @smell.loop
(set_comprehension body: (_) @smell.body (for_in_clause left: (_) @smell.variable)) @smell.loop
(function_definition) @smell.function
(function_definition "async") @smell.async
(lambda) @smell.function

; --- performance ---

((call
  function: (attribute object: (identifier) @_module attribute: (identifier) @_compile)
  arguments: (argument_list . (string) @smell.argument)) @smell.regex-in-loop
  (#any-of? @_module "re" "regex")
  (#eq? @_compile "compile"))

((call
  function: (attribute
    object: (attribute attribute: (identifier) @_manager)
    attribute: (identifier) @_verb)
  arguments: (argument_list) @smell.argument) @smell.query-in-loop
  (#any-of? @_manager "objects" "_default_manager" "_base_manager")
  (#any-of? @_verb "get" "get_or_create" "update_or_create" "aget"))

((call
  function: (attribute
    object: (call
      function: (attribute object: (attribute attribute: (identifier) @_manager))
      arguments: (argument_list) @smell.argument)
    attribute: (identifier) @_verb)) @smell.query-in-loop
  (#any-of? @_manager "objects" "_default_manager" "_base_manager")
  (#any-of? @_verb "get" "first" "last" "count" "exists" "update" "delete" "aggregate"))

((call
  function: (attribute object: (identifier) @_session attribute: (identifier) @_verb)
  arguments: (argument_list . (_) . (_)) @smell.argument) @smell.query-in-loop
  (#any-of? @_session "session" "db_session")
  (#eq? @_verb "get"))

((call function: (attribute object: (identifier) @_time attribute: (identifier) @_sleep)) @smell.blocking-in-async
  (#eq? @_time "time")
  (#eq? @_sleep "sleep"))

((call function: (attribute object: (identifier) @_requests attribute: (identifier) @_verb)) @smell.blocking-in-async
  (#eq? @_requests "requests")
  (#any-of? @_verb "get" "post" "put" "patch" "delete" "head" "request"))

((call function: (attribute object: (identifier) @_process attribute: (identifier) @_run)) @smell.blocking-in-async
  (#eq? @_process "subprocess")
  (#any-of? @_run "run" "call" "check_call" "check_output"))

(assignment left: (identifier) @smell.assigned)
(assignment left: (pattern_list (identifier) @smell.assigned))
(assignment left: (identifier) @smell.list right: (list "[" . "]"))
(assignment left: (identifier) @smell.list right: (list_comprehension))
((assignment left: (identifier) @smell.list right: (call function: (identifier) @_make))
  (#any-of? @_make "list" "sorted"))

((comparison_operator "in" . (identifier) @smell.argument) @smell.search-in-loop)
((comparison_operator "not in" . (identifier) @smell.argument) @smell.search-in-loop)

((augmented_assignment left: (identifier) @smell.argument operator: "+=" right: (string)) @smell.concat-in-loop)
((augmented_assignment
  left: (identifier) @smell.argument
  operator: "+="
  right: (binary_operator left: (string))) @smell.concat-in-loop)
((augmented_assignment
  left: (identifier) @smell.argument
  operator: "+="
  right: (binary_operator right: (string))) @smell.concat-in-loop)

((await "await" @_await (call arguments: (argument_list) @smell.argument)) @smell.await-in-loop
  (#eq? @_await "await"))

((for_statement
  right: (call
    function: (attribute
      object: (attribute attribute: (identifier) @_manager)
      attribute: (identifier) @_all)
    arguments: (argument_list "(" . ")"))) @smell.unbounded-query
  (#any-of? @_manager "objects" "_default_manager")
  (#eq? @_all "all"))
((call
  function: (identifier) @_list
  arguments: (argument_list . (call
    function: (attribute
      object: (attribute attribute: (identifier) @_manager)
      attribute: (identifier) @_all)
    arguments: (argument_list "(" . ")")) .)) @smell.unbounded-query
  (#any-of? @_list "list" "set" "tuple" "len")
  (#any-of? @_manager "objects" "_default_manager")
  (#eq? @_all "all"))
((call
  function: (attribute
    object: (call function: (attribute object: (_) attribute: (identifier) @_query))
    attribute: (identifier) @_all)
  arguments: (argument_list "(" . ")")) @smell.unbounded-query
  (#eq? @_query "query")
  (#eq? @_all "all"))
((call
  function: (attribute attribute: (identifier) @_execute)
  arguments: (argument_list . (string) @smell.argument)) @smell.unbounded-query
  (#any-of? @_execute "execute" "fetch" "fetchall" "fetch_all" "read_sql" "read_sql_query"))

((call
  function: (attribute object: (identifier) @_package attribute: (identifier) @_make)
  arguments: (argument_list) @smell.argument) @smell.alloc-in-loop
  (#any-of? @_package "requests" "httpx" "aiohttp" "boto3" "futures" "multiprocessing" "jinja2")
  (#any-of? @_make
    "Session" "Client" "AsyncClient" "ClientSession" "client" "resource" "ThreadPoolExecutor" "ProcessPoolExecutor"
    "Pool" "Environment"))

; --- abstractions ---

((function_definition
  parameters: (parameters (_) @smell.variable)
  body: (block . (return_statement (call arguments: (argument_list) @smell.argument)) .)) @smell.pass-through)
((function_definition
  parameters: (parameters (_) @smell.variable)
  body: (block . (expression_statement (call arguments: (argument_list) @smell.argument)) .)) @smell.pass-through)

; --- security ---

((call
  function: (attribute object: (identifier) @_process)
  arguments: (argument_list
    . [
      (identifier)
      (binary_operator)
      (call)
      (attribute)
      (subscript)
      (string (interpolation))
    ] @smell.argument
    (keyword_argument name: (identifier) @_shell value: (true)))) @smell.dynamic-shell
  (#eq? @_process "subprocess")
  (#eq? @_shell "shell"))

((call
  function: (attribute object: (identifier) @_os attribute: (identifier) @_system)
  arguments: (argument_list . [
    (identifier)
    (binary_operator)
    (call)
    (attribute)
    (subscript)
    (string (interpolation))
  ] @smell.argument)) @smell.dynamic-shell
  (#eq? @_os "os")
  (#any-of? @_system "system" "popen"))

((call
  function: (attribute object: (identifier) @_yaml attribute: (identifier) @_load)
  arguments: (argument_list . (_) .)) @smell.unsafe-deserialise
  (#eq? @_yaml "yaml")
  (#any-of? @_load "load" "load_all" "unsafe_load" "unsafe_load_all"))

((call
  function: (attribute object: (identifier) @_pickle attribute: (identifier) @_load)) @smell.unsafe-deserialise
  (#any-of? @_pickle "pickle" "cPickle" "dill" "marshal" "shelve")
  (#any-of? @_load "load" "loads"))

((call
  function: (identifier) @_eval
  arguments: (argument_list . [
    (identifier)
    (binary_operator)
    (call)
    (attribute)
    (subscript)
    (string (interpolation))
  ] @smell.argument)) @smell.dynamic-eval
  (#any-of? @_eval "eval" "exec"))

((call
  function: (attribute object: (identifier) @_client)
  arguments: (argument_list
    (keyword_argument name: (identifier) @_verify value: (false)))) @smell.tls-off
  (#any-of? @_client "requests" "httpx" "session" "client")
  (#eq? @_verify "verify"))

((call
  function: (attribute object: (identifier) @_ssl attribute: (identifier) @_context)) @smell.tls-off
  (#eq? @_ssl "ssl")
  (#eq? @_context "_create_unverified_context"))

((call
  function: (attribute attribute: (identifier) @_execute)
  arguments: (argument_list . [
    (string (interpolation))
    (binary_operator left: (string))
    (call function: (attribute object: (string) attribute: (identifier)))
  ] @smell.argument)) @smell.sql-format
  (#any-of? @_execute "execute" "executemany" "raw"))
