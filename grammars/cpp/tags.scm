; What C++ has beyond C.

(template_declaration) @item
(attribute_declaration) @attribute

; --- definitions ---

(namespace_definition
  name: (_) @name
  body: (_) @body) @definition.module

(class_specifier
  name: [
    (type_identifier) @name
    (template_type name: (type_identifier) @name)
    (qualified_identifier name: (type_identifier) @name)
  ]
  body: (_) @body) @definition.class

[(struct_specifier
  name: [(template_type name: (type_identifier) @name) (qualified_identifier name: (type_identifier) @name)]
  body: (_) @body)
(union_specifier
  name: [(template_type name: (type_identifier) @name) (qualified_identifier name: (type_identifier) @name)]
  body: (_) @body)] @definition.struct

; What stands first in a class is private.
(class_specifier name: (_) body: (_)) @private.rest
((access_specifier) @private.rest
  (#any-of? @private.rest "private" "protected"))
((access_specifier) @public.rest
  (#eq? @public.rest "public"))

(alias_declaration
  name: (type_identifier) @name) @definition.type

(concept_definition
  name: (identifier) @name) @definition.interface

; Written outside of the class.
(function_definition
  declarator: [
    (function_declarator
      declarator: (qualified_identifier
        scope: [
          (namespace_identifier) @container
          (template_type name: (type_identifier) @container)
        ]
        name: [(identifier) (destructor_name) (operator_name)] @name)
      parameters: (_) @parameters)
    (function_declarator
      declarator: (qualified_identifier
        name: (qualified_identifier
          scope: [
            (namespace_identifier) @container
            (template_type name: (type_identifier) @container)
          ]
          name: [(identifier) (destructor_name) (operator_name)] @name))
      parameters: (_) @parameters)
    (pointer_declarator
      declarator: (function_declarator
        declarator: (qualified_identifier
          scope: [
            (namespace_identifier) @container
            (template_type name: (type_identifier) @container)
          ]
          name: [(identifier) (operator_name)] @name)
        parameters: (_) @parameters))
    (reference_declarator
      (function_declarator
        declarator: (qualified_identifier
          scope: [
            (namespace_identifier) @container
            (template_type name: (type_identifier) @container)
          ]
          name: [(identifier) (operator_name)] @name)
        parameters: (_) @parameters))
    (qualified_identifier
      scope: [
        (namespace_identifier) @container
        (template_type name: (type_identifier) @container)
      ]
      name: (operator_cast) @name)
  ]
  body: (_)? @body) @definition.method

; Methods and operators.
(function_definition
  declarator: [
    (function_declarator
      declarator: [(field_identifier) (destructor_name) (operator_name)] @name
      parameters: (_) @parameters)
    (function_declarator
      declarator: (template_function name: (identifier) @name)
      parameters: (_) @parameters)
    (pointer_declarator
      declarator: (function_declarator
        declarator: [(field_identifier) (operator_name)] @name
        parameters: (_) @parameters))
    (reference_declarator
      (function_declarator
        declarator: [(identifier) (field_identifier) (operator_name)] @name
        parameters: (_) @parameters))
    (operator_cast) @name
  ]
  body: (_)? @body) @definition.function

(function_definition
  declarator: (function_declarator
    declarator: (identifier) @name
    parameters: (_) @parameters)) @definition.function

[
  (declaration
    declarator: [
      (function_declarator
        declarator: [(destructor_name) (operator_name)] @name
        parameters: (_) @parameters)
      (reference_declarator
        (function_declarator
          declarator: [(identifier) (operator_name)] @name
          parameters: (_) @parameters))
      (operator_cast) @name
    ])
  (field_declaration
    declarator: [
      (function_declarator
        declarator: [(field_identifier) (operator_name)] @name
        parameters: (_) @parameters)
      (pointer_declarator
        declarator: (function_declarator
          declarator: [(field_identifier) (operator_name)] @name
          parameters: (_) @parameters))
      (reference_declarator
        (function_declarator
          declarator: [(field_identifier) (operator_name)] @name
          parameters: (_) @parameters))
      (operator_cast) @name
    ])
] @definition.function

(field_declaration
  declarator: (reference_declarator (field_identifier) @name @definition.field))

; --- references ---

(call_expression
  function: [
    (qualified_identifier
      scope: [
        (namespace_identifier) @qualifier
        (template_type name: (type_identifier) @qualifier)
      ]?
      name: [
        (identifier) @reference.call
        (template_function name: (identifier) @reference.call)
      ])
    (qualified_identifier
      name: (qualified_identifier
        scope: [
          (namespace_identifier) @qualifier
          (template_type name: (type_identifier) @qualifier)
        ]?
        name: [
          (identifier) @reference.call
          (template_function name: (identifier) @reference.call)
        ]))
    (template_function name: (identifier) @reference.call)
    (field_expression
      argument: (this) @qualifier
      field: (field_identifier) @reference.call.method)
    (field_expression
      argument: [(identifier) (this)]? @qualifier
      field: (template_method name: (field_identifier) @reference.call.method))
  ])

(qualified_identifier
  scope: [
    (namespace_identifier) @qualifier
    (template_type name: (type_identifier) @qualifier)
  ]
  name: (identifier) @reference)

(qualified_identifier
  scope: [
    (namespace_identifier) @qualifier
    (template_type name: (type_identifier) @qualifier)
  ]
  name: [
    (type_identifier) @reference.type
    (template_type name: (type_identifier) @reference.type)
  ])

(new_expression
  type: [
    (type_identifier) @reference.call
    (template_type name: (type_identifier) @reference.call)
    (qualified_identifier name: (type_identifier) @reference.call)
    (qualified_identifier name: (template_type name: (type_identifier) @reference.call))
  ])

(base_class_clause [
  (type_identifier) @reference.implementation
  (template_type name: (type_identifier) @reference.implementation)
  (qualified_identifier name: (type_identifier) @reference.implementation)
  (qualified_identifier name: (template_type name: (type_identifier) @reference.implementation))
])

(field_initializer (field_identifier) @reference.member)

[(destructor_name (identifier) @ignore)
(attribute (identifier) @ignore)
(parameter_declaration
  declarator: [
    (reference_declarator (identifier) @ignore)
    (reference_declarator (variadic_declarator (identifier) @ignore))
  ])
(optional_parameter_declaration
  declarator: [
    (identifier) @ignore
    (pointer_declarator declarator: (identifier) @ignore)
    (reference_declarator (identifier) @ignore)
  ])]
