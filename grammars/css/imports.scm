; Style sheets that take in others. Captures are defined in ../README.md.

(import_statement) @import
(import_statement (string_value) @import.source) @import.wildcard
(import_statement
  (call_expression (arguments [(string_value) (plain_value)] @import.source))) @import.wildcard
