(parameters [
  (identifier) @local.definition
  (default_parameter name: (identifier) @local.definition)
  (typed_parameter . (identifier) @local.definition)
  (typed_default_parameter name: (identifier) @local.definition)
  (list_splat_pattern (identifier) @local.definition)
  (dictionary_splat_pattern (identifier) @local.definition)
  (typed_parameter . (list_splat_pattern (identifier) @local.definition))
  (typed_parameter . (dictionary_splat_pattern (identifier) @local.definition))
])
(lambda_parameters [
  (identifier) @local.definition
  (default_parameter name: (identifier) @local.definition)
  (list_splat_pattern (identifier) @local.definition)
])
(assignment left: (identifier) @local.definition)
(pattern_list (identifier) @local.definition)
(tuple_pattern (identifier) @local.definition)
(list_splat_pattern (identifier) @local.definition)
(for_statement left: (identifier) @local.definition)
; The name is known in all of the comprehension, also before the clause that binds it.
([
  (list_comprehension (for_in_clause left: (identifier) @local.definition))
  (set_comprehension (for_in_clause left: (identifier) @local.definition))
  (dictionary_comprehension (for_in_clause left: (identifier) @local.definition))
  (generator_expression (for_in_clause left: (identifier) @local.definition))
  (list_comprehension (for_in_clause left: (pattern_list (identifier) @local.definition)))
  (set_comprehension (for_in_clause left: (pattern_list (identifier) @local.definition)))
  (dictionary_comprehension (for_in_clause left: (pattern_list (identifier) @local.definition)))
  (generator_expression (for_in_clause left: (pattern_list (identifier) @local.definition)))
])
(case_pattern (dotted_name . (identifier) @local.definition .))
(as_pattern_target (identifier) @local.definition)
(named_expression name: (identifier) @local.definition)
