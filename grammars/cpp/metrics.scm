[(for_range_loop) (catch_clause)] @metrics.branch
(lambda_expression) @metrics.nesting
(binary_expression operator: ["and" "or"] @metrics.boolean)
(parameter_list [(optional_parameter_declaration) (variadic_parameter_declaration)] @metrics.parameter)
