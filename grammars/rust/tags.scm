; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

[(line_comment) (block_comment)] @comment
(attribute_item) @attribute

; --- definitions ---

(mod_item
  name: (identifier) @name
  body: (declaration_list)? @body) @definition.module

(struct_item
  name: (type_identifier) @name
  body: (_)? @body) @definition.struct

(union_item
  name: (type_identifier) @name
  body: (_) @body) @definition.struct

(enum_item
  name: (type_identifier) @name
  body: (_) @body) @definition.enum

(enum_variant
  name: (identifier) @name) @definition.variant

(field_declaration
  name: (field_identifier) @name) @definition.field

(trait_item
  name: (type_identifier) @name
  body: (_) @body) @definition.interface

(associated_type
  name: (type_identifier) @name) @definition.type

(type_item
  name: (type_identifier) @name) @definition.type

(function_item
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_) @body) @definition.function

(function_signature_item
  name: (identifier) @name
  parameters: (_) @parameters) @definition.function

(const_item
  name: (identifier) @name
  value: (_)? @value) @definition.constant

(static_item
  name: (identifier) @name
  value: (_)? @value) @definition.constant

(macro_definition
  name: (identifier) @name
  (macro_rule)? @body) @definition.macro

; An impl block is called after its type, without generic arguments; anything that is no plain name is taken as written.
(impl_item
  trait: (_)? @interface
  type: [
    (type_identifier) @name
    (scoped_type_identifier name: (type_identifier) @name)
    (generic_type type: (type_identifier) @name)
    (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
  ]
  body: (_) @body) @definition.impl

(impl_item
  trait: (_)? @interface
  type: (_) @name
  body: (_) @body) @definition.impl

; `pub(crate)` and narrower are not visible outside the package.
((visibility_modifier) @public
  (#eq? @public "pub"))

((attribute_item
  (attribute (identifier) @_marker)) @test
  (#any-of? @_marker "test" "rstest" "test_case" "bench" "proptest" "quickcheck" "wasm_bindgen_test"))

((attribute_item
  (attribute (scoped_identifier name: (identifier) @_marker))) @test
  (#any-of? @_marker "test" "rstest" "test_case" "bench"))

((attribute_item
  (attribute
    (identifier) @_cfg
    arguments: (token_tree . (identifier) @_test))) @test
  (#eq? @_cfg "cfg")
  (#eq? @_test "test"))
((attribute_item
  (attribute
    (identifier) @_cfg
    arguments: (token_tree . (identifier) @_all (token_tree . (identifier) @_test)))) @test
  (#eq? @_cfg "cfg")
  (#eq? @_all "all")
  (#eq? @_test "test"))

; --- references ---

(identifier) @reference
(type_identifier) @reference.type
(field_identifier) @reference.member
(shorthand_field_identifier) @reference.member

(call_expression
  function: [
    (identifier) @reference.call
    (generic_function function: (identifier) @reference.call)
  ])

(call_expression
  function: [
    (scoped_identifier
      path: [
        (identifier) @qualifier
        (self) @qualifier
        (super) @qualifier
        (crate) @qualifier
        (scoped_identifier name: (identifier) @qualifier)
        (generic_type type: (type_identifier) @qualifier)
        (bracketed_type (qualified_type type: (type_identifier) @qualifier))
      ]?
      name: (identifier) @reference.call)
    (generic_function
      function: (scoped_identifier
        path: [
          (identifier) @qualifier
          (self) @qualifier
          (super) @qualifier
          (crate) @qualifier
          (scoped_identifier name: (identifier) @qualifier)
          (generic_type type: (type_identifier) @qualifier)
        ]?
        name: (identifier) @reference.call))
  ])

(call_expression
  function: [
    (field_expression
      value: [(identifier) (self)]? @qualifier
      field: (field_identifier) @reference.call.method)
    (generic_function
      function: (field_expression
        value: [(identifier) (self)]? @qualifier
        field: (field_identifier) @reference.call.method))
  ])

; A value named by its path, such as a variant or an associated constant.
(scoped_identifier
  path: [
    (identifier) @qualifier
    (scoped_identifier name: (identifier) @qualifier)
    (generic_type type: (type_identifier) @qualifier)
  ]
  name: (identifier) @reference)

(scoped_type_identifier
  path: [
    (identifier) @qualifier
    (scoped_identifier name: (identifier) @qualifier)
  ]
  name: (type_identifier) @reference.type)

(macro_invocation
  macro: [
    (identifier) @reference.call
    (scoped_identifier name: (identifier) @reference.call)
  ])

; The arguments of a macro are tokens; a name before a parenthesis is most likely a call.
(token_tree
  (identifier) @reference.call . (token_tree . "("))

(token_tree
  "." . (identifier) @reference.call.method . (token_tree . "("))

(token_tree
  [(identifier) (self)] @qualifier . "." . (identifier) @reference.call.method . (token_tree . "("))

(token_tree
  (identifier) @qualifier . "::" . (identifier) @reference)

(token_tree
  (identifier) @qualifier . "::" . (identifier) @reference.call . (token_tree . "("))

(impl_item
  trait: [
    (type_identifier) @reference.implementation
    (scoped_type_identifier name: (type_identifier) @reference.implementation)
    (generic_type type: (type_identifier) @reference.implementation)
    (generic_type type: (scoped_type_identifier name: (type_identifier) @reference.implementation))
  ])

(trait_item
  bounds: (trait_bounds [
    (type_identifier) @reference.implementation
    (generic_type type: (type_identifier) @reference.implementation)
  ]))

(attribute (identifier) @ignore)
((attribute
  (identifier) @_name
  arguments: (token_tree (identifier) @ignore))
  (#not-eq? @_name "derive"))
(attribute
  (scoped_identifier)
  arguments: (token_tree (identifier) @ignore))
(attribute
  (identifier) @_derive
  arguments: (token_tree (identifier) @reference.implementation)
  (#eq? @_derive "derive"))
[(lifetime (identifier) @ignore) (label (identifier) @ignore)]
