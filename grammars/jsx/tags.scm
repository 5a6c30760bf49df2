; A component in a tree of elements is called like a function.
(jsx_opening_element name: (identifier) @reference.call)
(jsx_self_closing_element name: (identifier) @reference.call)
(jsx_opening_element
  name: (member_expression property: (property_identifier) @reference.call.method))
(jsx_self_closing_element
  name: (member_expression property: (property_identifier) @reference.call.method))
(jsx_closing_element name: (identifier) @ignore)
(jsx_attribute (property_identifier) @ignore)
