(open_module module: (_) @import.source) @import @import.wildcard
(include_module module: (module_path) @import.source) @import @import.wildcard
(module_definition
  (module_binding
    (module_name) @import.alias
    body: (module_path) @import.module)) @import
