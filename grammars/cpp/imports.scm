(using_declaration) @import
(using_declaration (qualified_identifier) @import.path)
(using_declaration "namespace" [(identifier) (qualified_identifier)] @import.source) @import.wildcard
(namespace_alias_definition
  name: (_) @import.alias
  (nested_namespace_specifier) @import.module) @import
