((call
  target: (identifier) @_def
  (arguments . [
    (call (arguments [
      (identifier) @local.definition
      (binary_operator left: (identifier) @local.definition operator: "\\\\")
      (binary_operator operator: "=" right: (identifier) @local.definition)
      (tuple (identifier) @local.definition)
    ]))
    (binary_operator
      left: (call (arguments [
        (identifier) @local.definition
        (binary_operator left: (identifier) @local.definition operator: "\\\\")
        (binary_operator operator: "=" right: (identifier) @local.definition)
        (tuple (identifier) @local.definition)
      ]))
      operator: "when")
  ]))
  (#any-of? @_def "def" "defp" "defmacro" "defmacrop" "defguard" "defguardp"))
(binary_operator
  left: (identifier) @local.definition
  operator: ["=" "<-"])
(binary_operator
  left: (tuple (identifier) @local.definition)
  operator: ["=" "<-"])
(stab_clause left: (arguments (identifier) @local.definition))
(stab_clause left: (arguments (tuple (identifier) @local.definition)))
