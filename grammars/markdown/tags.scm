; Headings with what stands under them, each inside the one it is under. Captures are defined in ../README.md.

(section
  . (atx_heading heading_content: (inline) @name)
  (_)* @body) @definition.section

; The grammar does not say what stands under a heading that is underlined.
(setext_heading
  heading_content: (paragraph) @name) @definition.section
