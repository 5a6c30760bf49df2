(import_declaration (identifier) @import.source) @import @import.wildcard
