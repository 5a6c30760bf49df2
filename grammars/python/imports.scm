[(import_statement) (import_from_statement) (future_import_statement)] @import

(import_statement name: (dotted_name) @import.module)
(import_statement
  name: (aliased_import
    name: (dotted_name) @import.module
    alias: (identifier) @import.alias))

(import_from_statement module_name: (_) @import.source)
(import_from_statement name: (dotted_name) @import.name)
(import_from_statement
  name: (aliased_import
    name: (dotted_name) @import.name
    alias: (identifier) @import.alias))
(future_import_statement "__future__" @import.source name: (dotted_name) @import.name)
(wildcard_import) @import.wildcard

((if_statement
  condition: [
    (identifier) @_condition
    (attribute attribute: (identifier) @_condition)
  ]) @import.type
  (#eq? @_condition "TYPE_CHECKING"))
(try_statement) @import.guarded
((with_statement
  (with_clause (with_item value: (call
    function: [(identifier) @_suppress (attribute attribute: (identifier) @_suppress)]
    arguments: (argument_list (identifier) @_missing))))) @import.guarded
  (#eq? @_suppress "suppress")
  (#any-of? @_missing "ImportError" "ModuleNotFoundError"))
