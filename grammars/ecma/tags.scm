; What JavaScript, TypeScript and TSX have in common. Captures are defined in ../README.md.

(comment) @comment
(decorator) @attribute
[(export_statement) (expression_statement)] @item
[(lexical_declaration) (variable_declaration)] @item

; --- definitions ---

(function_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.function

(generator_function_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.function

(class_declaration
  name: (_) @name
  body: (_) @body) @definition.class

(method_definition
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.method

; A function or class that is bound to a name.
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function
      parameter: (_)? @parameters
      parameters: (_)? @parameters
      body: (_) @body)
    (function_expression
      parameters: (_) @parameters
      body: (_) @body)
    (generator_function
      parameters: (_) @parameters
      body: (_) @body)
  ]) @definition.function

(variable_declarator
  name: (identifier) @name
  value: (class body: (_) @body)) @definition.class

(variable_declarator
  name: (identifier) @name
  value: (_)? @value) @definition.variable

(export_statement
  "default" @name
  value: [
    (arrow_function
      parameter: (_)? @parameters
      parameters: (_)? @parameters
      body: (_) @body)
    (function_expression
      parameters: (_) @parameters
      body: (_) @body)
  ]) @definition.function

(export_statement
  "default" @name
  value: (class body: (_) @body)) @definition.class

; Tests are calls, described by a text.
((call_expression
  function: [
    (identifier) @_group
    (member_expression object: (identifier) @_group)
  ]
  arguments: (arguments
    . [(string) (template_string)] @name
    [
      (arrow_function body: (_) @body)
      (function_expression body: (_) @body)
    ])) @definition.module @test
  (#any-of? @_group "describe" "suite" "context"))

((call_expression
  function: [
    (identifier) @_case
    (member_expression object: (identifier) @_case)
  ]
  arguments: (arguments
    . [(string) (template_string)] @name
    [
      (arrow_function body: (_) @body)
      (function_expression body: (_) @body)
    ])) @definition.test @test
  (#any-of? @_case "it" "test" "specify"))

(export_statement) @public
(export_specifier name: (_) @export)
(export_statement "default" value: (identifier) @export)
((method_definition name: (private_property_identifier) @private))

; --- references ---

(identifier) @reference
(shorthand_property_identifier) @reference
(property_identifier) @reference.member
(private_property_identifier) @reference.member

(call_expression function: (identifier) @reference.call)

(call_expression
  function: (member_expression
    object: [
      (identifier) @qualifier
      (this) @qualifier
      (super) @qualifier
      (member_expression property: (property_identifier) @qualifier)
    ]?
    property: (_) @reference.call.method))

(decorator (identifier) @reference.call)
(export_specifier alias: (identifier) @ignore)

(new_expression
  constructor: [
    (identifier) @reference.call
    (member_expression property: (property_identifier) @reference.call)
  ])
