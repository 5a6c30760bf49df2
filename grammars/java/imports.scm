(import_declaration) @import
(import_declaration (scoped_identifier) @import.path . ";")
(import_declaration (identifier) @import.module . ";")
(import_declaration
  [(scoped_identifier) (identifier)] @import.source
  (asterisk) @import.wildcard)
