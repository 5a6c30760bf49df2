; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(comment) (haddock)] @comment
[(data_constructor) (newtype_constructor) (prefix) (record) (field) (field_name)] @item

; --- definitions ---

; With a list of what is exported, the rest is hidden.
(header exports: (exports)) @private.rest
(export variable: (variable) @export)
(export type: (name) @export)

(data_type
  name: (_) @name
  constructors: (data_constructors "|") @body) @definition.enum

[(data_type
  name: (_) @name
  constructors: (_)? @body)
(newtype
  name: (_) @name
  constructor: (_) @body)] @definition.struct

(data_constructor [
  (prefix name: (constructor) @name @definition.variant)
  (record name: (constructor) @name @definition.variant)
  (infix operator: (constructor_operator) @name @definition.variant)
])
(newtype_constructor
  name: (constructor) @name @definition.variant)
(field name: (field_name (variable) @name @definition.field))

[(type_synonym name: (_) @name)
(type_family name: (_) @name)
(data_family name: (_) @name)] @definition.type

(class
  name: (_) @name
  declarations: (_)? @body) @definition.interface

(instance
  name: (_) @interface
  patterns: (type_patterns . [
    (name) @name
    (parens type: (apply constructor: (name) @name))
    (parens type: (apply constructor: (apply constructor: (name) @name)))
  ])
  declarations: (_)? @body) @definition.impl
(instance
  name: (_) @interface
  patterns: (type_patterns . (_) @name)
  declarations: (_)? @body) @definition.impl

; A signature starts what its equations go on with.
(signature
  name: [
    (variable) @name
    (prefix_id (operator) @name)
  ]) @definition.function

(function
  name: [
    (variable) @name
    (prefix_id (operator) @name)
  ]
  patterns: (_)? @parameters
  match: (_) @body
  binds: (local_binds)? @body) @definition.function @clause

(function
  (infix operator: [
    (operator) @name
    (infix_id (variable) @name)
  ])
  match: (_) @body
  binds: (local_binds)? @body) @definition.function @clause

(bind
  name: [
    (variable) @name
    (prefix_id (operator) @name)
  ]
  match: (_) @body @value
  binds: (local_binds)? @body) @definition.function @clause

(foreign_import
  signature: (signature name: (variable) @name)) @definition.function

; --- references ---

(variable) @reference
(constructor) @reference
(name) @reference.type

(apply function: [
  (variable) @reference.call
  (constructor) @reference.call
])
(apply function: (qualified
  module: (module (module_id) @qualifier)
  id: (variable) @reference.call))

(qualified
  module: (module (module_id) @qualifier)
  id: [(variable) (constructor)] @reference)
(qualified
  module: (module (module_id) @qualifier)
  id: (name) @reference.type)

(infix_id (variable) @reference.call)

(deriving classes: [
  (name) @reference.implementation
  (tuple (name) @reference.implementation)
  (parens (name) @reference.implementation)
])
(instance name: (name) @reference.implementation)
