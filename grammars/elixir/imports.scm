((call
  target: (identifier) @_alias
  (arguments
    . (alias) @import.path
    (keywords (pair value: (alias) @import.alias))?)) @import
  (#eq? @_alias "alias"))

((call
  target: (identifier) @_alias
  (arguments . (dot
    left: (alias) @import.prefix
    right: (tuple (alias) @import.path)))) @import
  (#eq? @_alias "alias"))

((call
  target: (identifier) @_import
  (arguments . (alias) @import.source)) @import @import.wildcard
  (#any-of? @_import "import" "use"))

((call
  target: (identifier) @_require
  (arguments . (alias) @import.module)) @import
  (#eq? @_require "require"))
