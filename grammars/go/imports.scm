(import_declaration) @import
(import_spec
  name: (_)? @import.alias
  path: (_) @import.module)
