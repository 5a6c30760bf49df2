; Rules and at-rules, each inside the one it is nested in. Captures are defined in ../README.md.

[(comment) (js_comment)] @comment

(rule_set
  (selectors) @name
  (block) @body) @definition.rule

[(media_statement . (_) @name (block) @body)
 (supports_statement . (_) @name (block) @body)] @definition.rule

(keyframes_statement
  (keyframes_name) @name
  (keyframe_block_list) @body) @definition.rule

(scope_statement
  "@scope" @name
  (block) @body) @definition.rule

(at_rule
  (at_keyword) @name
  (block) @body) @definition.rule
