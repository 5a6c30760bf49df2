(case) @metrics.branch
[(join) (set_operation)] @metrics.case
(binary_expression operator: [(keyword_and) (keyword_or)] @metrics.boolean)
(function_arguments (function_argument) @metrics.parameter)
