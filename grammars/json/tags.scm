; Keys, each inside the one that it is a part of. Captures are defined in ../README.md.

(comment) @comment

(pair
  key: (string (string_content)) @name
  value: (_) @value) @definition.entry
