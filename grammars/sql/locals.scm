(function_argument . (identifier) @local.definition)
(relation alias: (identifier) @local.definition)
(cte . (identifier) @local.definition)
