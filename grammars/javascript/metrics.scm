(formal_parameters [
  (identifier) (assignment_pattern) (object_pattern) (array_pattern) (rest_pattern)
] @metrics.parameter)
