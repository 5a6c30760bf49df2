; Keys, each inside the one that it is a part of. Captures are defined in ../README.md.

(comment) @comment

(block_mapping_pair
  key: (_) @name
  value: (block_node) @body) @definition.entry
[(block_mapping_pair key: (_) @name value: (_)? @value)
 (flow_pair key: (_) @name value: (_)? @value)] @definition.entry
