; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
(decorator) @attribute
(decorated_definition) @wrapper

; --- definitions ---

(class_definition
  name: (identifier) @name
  body: (block) @body) @definition.class

(function_definition
  name: (identifier) @name
  parameters: (parameters) @parameters
  body: (block) @body) @definition.function

(class_definition
  body: (block . (expression_statement . (string) @doc)))

(function_definition
  body: (block . (expression_statement . (string) @doc)))

; The first assignment to a name is its definition.
(expression_statement
  (assignment
    left: (identifier) @name
    right: (_)? @value)) @definition.variable

(type_alias_statement
  left: (type (identifier) @name)) @definition.type

; --- references ---

(identifier) @reference
(attribute attribute: (identifier) @reference.member)
(keyword_argument name: (identifier) @ignore)

(call function: (identifier) @reference.call)

(call
  function: (attribute
    object: [
      (identifier) @qualifier
      (attribute attribute: (identifier) @qualifier)
      (call function: (identifier) @qualifier)
    ]?
    attribute: (identifier) @reference.call.method))

(decorator [
  (identifier) @reference.call
  (attribute attribute: (identifier) @reference.call)
])

(type [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (generic_type . (identifier) @reference.type)
  (subscript value: (identifier) @reference.type)
  (binary_operator (identifier) @reference.type)
  (union_type (type (identifier) @reference.type))
])

(class_definition
  superclasses: (argument_list [
    (identifier) @reference.implementation
    (attribute attribute: (identifier) @reference.implementation)
    (subscript value: (identifier) @reference.implementation)
  ]))
