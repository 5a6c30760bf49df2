; Tables and their keys. Captures are defined in ../README.md.

(comment) @comment

[(table
   . [(bare_key) (dotted_key) (quoted_key)] @name
   (pair)* @body)
 (table_array_element
   . [(bare_key) (dotted_key) (quoted_key)] @name
   (pair)* @body)] @definition.section

(pair
  . [(bare_key) (dotted_key) (quoted_key)] @name
  (_) @value) @definition.entry
