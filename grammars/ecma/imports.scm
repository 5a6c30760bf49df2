(import_statement) @import
(import_statement source: (string) @import.source)
(import_clause (identifier) @import.default)
(import_specifier
  name: (_) @import.name
  alias: (identifier)? @import.alias)
(namespace_import (identifier) @import.alias) @import.wildcard

(export_statement source: (string) @import.source) @import @import.reexport
(export_statement "*" @import.wildcard source: (string))
(namespace_export (identifier) @import.alias) @import.wildcard
(export_specifier
  name: (_) @import.name
  alias: (_)? @import.alias)

((variable_declarator
  name: [
    (identifier) @import.alias
    (object_pattern [
      (shorthand_property_identifier_pattern) @import.name
      (pair_pattern
        key: (property_identifier) @import.name
        value: (identifier) @import.alias)
    ])
  ]
  value: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string) @import.source))) @import
  (#eq? @_require "require"))

((call_expression
  function: (identifier) @_require
  arguments: (arguments . (string) @import.source)) @import
  (#eq? @_require "require"))

(call_expression
  function: (import)
  arguments: (arguments . (string) @import.source)) @import @import.dynamic
