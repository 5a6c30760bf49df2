; Symbols, and every name that is mentioned. Captures are defined in ../README.md.
; Every word of the language is a call here; which one it is, only its name tells.

(comment) @comment

; What stands above a function and belongs to it.
((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @_word
    (arguments . [(string) @doc (_)]))) @attribute
  (#eq? @_word "doc"))
((unary_operator
  operator: "@"
  operand: (call target: (identifier) @_word)) @attribute
  (#any-of? @_word "typedoc" "spec" "impl" "deprecated" "since" "tag" "describetag"))

; --- definitions ---

((call
  target: (identifier) @_def
  (arguments . (alias) @name)
  (do_block) @body) @definition.module
  (#eq? @_def "defmodule"))

((call
  target: (identifier) @_def
  (arguments . (alias) @name)
  (do_block) @body) @definition.interface
  (#eq? @_def "defprotocol"))

((call
  target: (identifier) @_def
  (arguments
    . (alias) @interface
    (keywords (pair value: (alias) @name)))
  (do_block) @body) @definition.impl
  (#eq? @_def "defimpl"))

((call
  target: (identifier) @_def
  (do_block
    (unary_operator
      operator: "@"
      operand: (call
        target: (identifier) @_word
        (arguments . (string) @doc)))))
  (#any-of? @_def "defmodule" "defprotocol")
  (#eq? @_word "moduledoc"))

; Clauses of one function follow each other.
((call
  target: (identifier) @_def
  (arguments
    . [
      (identifier) @name
      (call
        target: (identifier) @name
        (arguments)? @parameters)
      (binary_operator
        left: [
          (identifier) @name
          (call
            target: (identifier) @name
            (arguments)? @parameters)
        ]
        operator: "when")
      (binary_operator
        left: (identifier)
        operator: _ @name
        right: (identifier))
    ]
    (keywords (pair value: (_) @body))?)
  (do_block)? @body) @definition.function @clause
  (#any-of? @_def "def" "defp" "defdelegate" "defguard" "defguardp" "defn" "defnp"))

((call
  target: (identifier) @_def
  (arguments
    . [
      (identifier) @name
      (call
        target: (identifier) @name
        (arguments)? @parameters)
      (binary_operator
        left: (call
          target: (identifier) @name
          (arguments)? @parameters)
        operator: "when")
    ]
    (keywords (pair value: (_) @body))?)
  (do_block)? @body) @definition.macro @clause
  (#any-of? @_def "defmacro" "defmacrop"))

((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @_word
    (arguments . (binary_operator
      left: [
        (identifier) @name
        (call target: (identifier) @name)
      ]
      operator: "::")))) @definition.type
  (#any-of? @_word "type" "typep" "opaque"))

((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @_word
    (arguments . (binary_operator
      left: (call target: (identifier) @name)
      operator: "::")))) @definition.function
  (#any-of? @_word "callback" "macrocallback"))

((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @name
    (arguments . (_) @value))) @definition.variable
  (#not-any-of? @name
    "doc" "moduledoc" "typedoc" "spec" "impl" "deprecated" "since" "tag" "describetag" "moduletag" "type" "typep" "opaque"
    "callback" "macrocallback" "behaviour" "enforce_keys" "derive" "optional_callbacks" "compile" "before_compile"
    "after_compile" "on_load" "dialyzer" "external_resource" "file" "on_definition"))

; Tests and groups of them.
((call
  target: (identifier) @_test
  (arguments . (string (quoted_content) @name))
  (do_block) @body) @definition.test
  (#any-of? @_test "test" "property"))

((call
  target: (identifier) @_group
  (arguments . (string (quoted_content) @name))
  (do_block) @body) @definition.module
  (#eq? @_group "describe"))

((call target: (identifier) @_def) @private
  (#any-of? @_def "defp" "defmacrop" "defguardp" "defnp"))
((unary_operator
  operator: "@"
  operand: (call target: (identifier) @_word)) @private
  (#eq? @_word "typep"))

; --- references ---

[(identifier) (alias)] @reference

(call target: (identifier) @reference.call)

(call
  target: (dot
    left: (alias) @qualifier
    right: (identifier) @reference.call.method))
(call
  target: (dot
    left: [
      (identifier) @qualifier
      (call target: (identifier) @qualifier)
      (call target: (dot right: (identifier) @qualifier))
    ]
    right: (identifier) @reference.call.method)
  (arguments))

; Without arguments it may as well be a part of a value.
(call
  target: (dot
    left: (identifier) @qualifier
    right: (identifier) @reference.member))

; A function is passed on as `&name/1`.
(unary_operator
  operator: "&"
  operand: (binary_operator
    left: (identifier) @reference.call
    operator: "/"))

(struct (alias) @reference.type)

((call
  target: (identifier) @_use
  (arguments . (alias) @reference.implementation))
  (#any-of? @_use "use" "defimpl"))
((unary_operator
  operand: (call
    target: (identifier) @_behaviour
    (arguments . (alias) @reference.implementation)))
  (#eq? @_behaviour "behaviour"))
