; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(comment) (marginalia)] @comment
(statement) @item

; --- definitions ---

(create_schema (identifier) @name) @definition.module

(create_table
  . (_)
  (object_reference name: (identifier) @name)
  (column_definitions)? @body) @definition.struct

[(create_view
  (object_reference name: (identifier) @name)
  (create_query) @body)
(create_materialized_view
  (object_reference name: (identifier) @name)
  (create_query) @body)] @definition.struct

(column_definition
  name: (identifier) @name) @definition.field

(create_type
  (object_reference name: (identifier) @name)
  (enum_elements) @body) @definition.enum
(enum_elements
  enum_element: (literal) @name @definition.variant)
(create_type
  (object_reference name: (identifier) @name)) @definition.type

(create_function
  (object_reference name: (identifier) @name)
  (function_arguments) @parameters
  (function_body)? @body) @definition.function

(create_index
  column: (identifier) @name) @definition.variable

(create_sequence
  (object_reference name: (identifier) @name)) @definition.variable

(create_trigger
  (object_reference name: (identifier) @name)) @definition.function

(cte
  . (identifier) @name
  (statement) @body) @definition.variable

; --- references ---

(object_reference name: (identifier) @reference)
(object_reference
  schema: (identifier) @qualifier
  name: (identifier) @reference)
(field
  (object_reference name: (identifier) @qualifier)?
  name: (identifier) @reference.member)
(column (identifier) @reference.member)
(field (object_reference name: (identifier) @ignore))

(invocation (object_reference name: (identifier) @reference.call))
(relation (object_reference name: (identifier) @reference.type))
