((command
  name: (command_name (word) @_source) . argument: [
    (word) @import.source
    (raw_string) @import.source
    (string (string_content) @import.source)
    (concatenation (word) @import.source)
  ]) @import @import.wildcard
  (#any-of? @_source "source" "."))
