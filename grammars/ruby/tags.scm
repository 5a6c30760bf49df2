; Symbols, and every name that is mentioned. Captures are defined in ../README.md.

(comment) @comment
; `private def price` and `attr_reader :price`.
(call
  !receiver
  arguments: (argument_list . [(method) (singleton_method) (simple_symbol)])) @item
(argument_list . [(method) (singleton_method) (simple_symbol)]) @item

; --- definitions ---

; A module with methods of its own is there to be mixed in.
((module
  name: [
    (constant) @name
    (scope_resolution name: (constant) @name)
  ]
  body: (body_statement (method)) @body) @definition.interface)

(module
  name: [
    (constant) @name
    (scope_resolution name: (constant) @name)
  ]
  body: (_)? @body) @definition.module

(class
  name: [
    (constant) @name
    (scope_resolution name: (constant) @name)
  ]
  body: (_)? @body) @definition.class

; `Line = Struct.new(:name) do ... end` is a class too.
((assignment
  left: (constant) @name
  right: (call
    receiver: (constant) @_class
    method: (identifier) @_new
    block: (_
      body: (_)? @body)?)) @definition.struct
  (#any-of? @_class "Struct" "Data" "Class" "Module")
  (#any-of? @_new "new" "define"))

([(assignment
  left: (constant) @name
  right: (_) @value)
(operator_assignment
  left: (constant) @name
  right: (_) @value)] @definition.constant)

(method
  name: (_) @name
  parameters: (_)? @parameters
  body: (_)? @body) @definition.function

(singleton_method
  name: (_) @name
  parameters: (_)? @parameters
  body: (_)? @body) @definition.function

((call
  !receiver
  method: (identifier) @_define
  arguments: (argument_list . (simple_symbol) @name)
  block: (_) @body) @definition.function
  (#any-of? @_define "define_method" "define_singleton_method"))

(alias
  name: (_) @name) @definition.function
((call
  !receiver
  method: (identifier) @_alias
  arguments: (argument_list . (simple_symbol) @name)) @definition.function
  (#any-of? @_alias "alias_method"))

((call
  !receiver
  method: (identifier) @_attribute
  arguments: (argument_list (simple_symbol) @name @definition.field))
  (#any-of? @_attribute
    "attr_reader" "attr_writer" "attr_accessor" "cattr_accessor" "cattr_reader" "mattr_accessor" "mattr_reader"
    "class_attribute" "thread_mattr_accessor"))

; Tests and groups of them.
((call
  !receiver
  method: (identifier) @_test
  arguments: (argument_list . [(string) (constant) (simple_symbol) (scope_resolution)] @name)
  block: (_ body: (_)? @body)) @definition.test
  (#any-of? @_test "it" "test" "specify" "scenario" "should" "example" "xit" "fit" "property"))

((call
  method: (identifier) @_group
  arguments: (argument_list . [(string) (constant) (simple_symbol) (scope_resolution)] @name)
  block: (_ body: (_)? @body)) @definition.module
  (#any-of? @_group "describe" "context" "feature" "shared_examples" "shared_context" "xdescribe" "fdescribe"))

(call
  !receiver
  method: (identifier) @_mark
  arguments: (argument_list [(method) (singleton_method)]) @_definition
  (#any-of? @_mark "private" "protected" "private_class_method")) @private

; What follows `private` in a class is hidden, up to the next word of the kind or out of `class << self`.
(body_statement
  (singleton_class) . (_) @public.rest)
((body_statement (identifier) @private.rest)
  (#any-of? @private.rest "private" "protected"))
((body_statement (identifier) @public.rest)
  (#any-of? @public.rest "public" "module_function"))

; --- references ---

[(identifier) (constant)] @reference
[(instance_variable) (class_variable)] @reference.member

(call
  !receiver
  method: [(identifier) (constant)] @reference.call)

(call
  receiver: (_)
  method: [(identifier) (constant)] @reference.call.method)

(call
  receiver: [
    (identifier) @qualifier
    (constant) @qualifier
    (self) @qualifier
    (instance_variable) @qualifier
    (scope_resolution name: (constant) @qualifier)
    (call method: (identifier) @qualifier)
  ]
  method: [(identifier) (constant)] @reference.call.method)

; `Cart.new` calls `Cart`.
((call
  receiver: [
    (constant) @reference.call
    (scope_resolution name: (constant) @reference.call)
  ]
  method: (identifier) @_new)
  (#eq? @_new "new"))

(scope_resolution
  scope: [
    (constant) @qualifier
    (scope_resolution name: (constant) @qualifier)
  ]
  name: (constant) @reference)

; A method is passed on by its name: `before_action :sign_in`, `map(&:price)`.
(argument_list (simple_symbol) @reference.member)
(block_argument (simple_symbol) @reference.member)

(superclass [
  (constant) @reference.implementation
  (scope_resolution name: (constant) @reference.implementation)
])

((call
  !receiver
  method: (identifier) @_mixin
  arguments: (argument_list [
    (constant) @reference.implementation
    (scope_resolution name: (constant) @reference.implementation)
  ]))
  (#any-of? @_mixin "include" "extend" "prepend"))

(exceptions [
  (constant) @reference.type
  (scope_resolution name: (constant) @reference.type)
])

[(module name: (scope_resolution scope: (constant) @ignore))
(class name: (scope_resolution scope: (constant) @ignore))
(setter (identifier) @ignore)]
