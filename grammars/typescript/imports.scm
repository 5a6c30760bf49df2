(import_statement "type" @import.type)
(export_statement "type" @import.type source: (string))
(import_require_clause (identifier) @import.alias source: (string) @import.source)
