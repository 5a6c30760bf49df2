; Elements with an id, and the code in a page. Captures are defined in ../README.md.

(comment) @comment

; --- elements by their id, wherever among the first attributes it stands ---

(element
  [(start_tag
     (tag_name) . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))
   (self_closing_tag
     (tag_name) . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))]
  (_)* @body
  (#eq? @_id "id")) @definition.element
(element
  [(start_tag
     (tag_name) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))
   (self_closing_tag
     (tag_name) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))]
  (_)* @body
  (#eq? @_id "id")) @definition.element
(element
  [(start_tag
     (tag_name) . (attribute) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))
   (self_closing_tag
     (tag_name) . (attribute) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))]
  (_)* @body
  (#eq? @_id "id")) @definition.element
(element
  [(start_tag
     (tag_name) . (attribute) . (attribute) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))
   (self_closing_tag
     (tag_name) . (attribute) . (attribute) . (attribute)
     . (attribute (attribute_name) @_id [(quoted_attribute_value (attribute_value) @name) (attribute_value) @name]))]
  (_)* @body
  (#eq? @_id "id")) @definition.element

; --- what shapes a page ---

(element
  (start_tag (tag_name) @name)
  (_)* @body
  (#any-of? @name
    "head" "body" "header" "nav" "main" "section" "article" "aside" "footer" "form" "dialog" "template" "table" "svg"
    "HEAD" "BODY" "HEADER" "NAV" "MAIN" "SECTION" "ARTICLE" "ASIDE" "FOOTER" "FORM" "DIALOG" "TEMPLATE" "TABLE")
  ) @definition.element

[(script_element (start_tag (tag_name) @name) (raw_text) @body)
 (style_element (start_tag (tag_name) @name) (raw_text) @body)] @definition.element
