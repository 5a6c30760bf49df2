(import_statement "type" @import.type)
(export_statement "type" @import.type source: (string))
(import_require_clause (identifier) @import.alias source: (string) @import.source)
; `export type * from` is none to the parser, which leaves out the `type`.
(export_statement (ERROR "type" @import.type) source: (string))
