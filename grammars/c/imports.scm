(preproc_include path: (_) @import.source) @import @import.wildcard
