(import) @import
(import module: (module) @import.source)
(import alias: (module) @import.alias)
(import !names) @import.wildcard
(import "hiding") @import.wildcard
(import
  module: (module) . names: (import_list name: (import_name [
    (variable) @import.name
    (name) @import.name
    (prefix_id (operator) @import.name)
  ])))
(import
  alias: (module) . names: (import_list name: (import_name [
    (variable) @import.name
    (name) @import.name
    (prefix_id (operator) @import.name)
  ])))
