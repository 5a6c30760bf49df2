(formal_parameters [(required_parameter) (optional_parameter)] @metrics.parameter)
