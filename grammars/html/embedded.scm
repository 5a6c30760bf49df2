; Code in a page. Of several patterns that fit the same code the first counts; captures are defined in ../README.md.

((script_element
  (start_tag (attribute
    (attribute_name) @_type
    [(quoted_attribute_value (attribute_value) @_value) (attribute_value) @_value]))
  (raw_text) @embedded.typescript)
  (#any-of? @_type "lang" "type")
  (#any-of? @_value "ts" "typescript" "text/typescript"))

((script_element
  (start_tag (attribute
    (attribute_name) @_type
    [(quoted_attribute_value (attribute_value) @_value) (attribute_value) @_value]))
  (raw_text) @embedded.javascript)
  (#eq? @_type "type")
  (#any-of? @_value
    "module" "text/javascript" "application/javascript" "text/ecmascript" "text/babel" "text/jsx"))

((script_element
  (start_tag (attribute
    (attribute_name) @_type
    [(quoted_attribute_value (attribute_value) @_value) (attribute_value) @_value]))
  (raw_text) @embedded.json)
  (#eq? @_type "type")
  (#any-of? @_value "application/json" "application/ld+json" "importmap" "speculationrules"))

; Any other type is that of a template, or of a language that is not known.
((script_element
  (start_tag (attribute (attribute_name) @_type))
  (raw_text) @embedded)
  (#eq? @_type "type"))

(script_element (raw_text) @embedded.javascript)

(style_element (raw_text) @embedded.css)
