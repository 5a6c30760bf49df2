//! Turns, tools, prompts, context packs, scope and budget of a run. No vendor, no editor, no language name.
