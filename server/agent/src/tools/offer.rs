//! What a model is told of the tools.

use provider::ToolSpec;
use serde_json::{Value, json};

use super::{CREATE, DELETE, RENAME, patch};
use crate::Model;

/// The tools that a model is offered, always in the same order.
pub(crate) fn specs_for(model: &Model) -> Vec<ToolSpec> {
    let mut specs = specs();
    if model.creates {
        let text = json!({"type": "string", "description": "All of the file."});
        let name = json!({"type": "string", "description": "Its path from the workspace folder; nothing has it yet."});
        let reason = json!({"type": "string", "description": "Why the task needs a file of its own, for the user."});
        let fields = json!({"new_file": name, "text": text, "reason": reason});
        specs.push(spec(
            CREATE,
            "Makes a new file. It interrupts the user, who has to allow it, so only if the task cannot be done well in the file \
             you work in. You cannot change it afterwards: send it whole and right.",
            fields,
        ));
    }
    if model.moves {
        let old = json!({"type": "string", "description": "Its path from the workspace folder."});
        let new = json!({"type": "string", "description": "Its new path; nothing has it yet."});
        let reason =
            json!({"type": "string", "description": "Why the task needs it, for the user."});
        specs.push(spec(
            RENAME,
            "Gives a file another name or folder, and changes nothing in it or in others that name it. It interrupts the user, \
             who has to allow it, so only if the task asks for it. Not for the file you work in.",
            json!({"old_file": old, "new_file": new, "reason": reason}),
        ));
        specs.push(spec(
            DELETE,
            "Deletes a file. It interrupts the user, who has to allow it, so only if the task asks for it and nothing needs the \
             file any more. Not for the file you work in.",
            json!({"old_file": old, "reason": reason}),
        ));
    }
    if model.patches {
        specs.push(spec(
            patch::NAME,
            "Changes symbols that are in scope by a patch of the file you work in, from `*** Begin Patch` and `*** Update File: \
             PATH` to `*** End Patch`. Each hunk has to be found exactly once, so give it context lines that are in no other \
             place, or `@@` with the line that begins what it is in. Instead of edit_symbol where you prefer it; it takes no hash.",
            json!({"input": {"type": "string", "description": "The whole patch."}}),
        ));
    }
    specs
}

/// The tools that only read.
pub(crate) const READS: [&str; 2] = ["read_symbol", "find"];

/// Those tools as they are offered.
pub(crate) fn reading_specs() -> Vec<ToolSpec> {
    let mut specs = specs();
    specs.retain(|spec| READS.contains(&spec.name.as_str()));
    specs
}

/// The tools that every model is offered.
pub(crate) fn specs() -> Vec<ToolSpec> {
    let symbol =
        json!({"type": "string", "description": "Path of the symbol, as a header shows it."});
    let base = json!({"type": "string", "description": "Hash from the symbol's latest header, twelve hexadecimal digits."});
    let reason = json!({"type": "string", "description": "Why, in a few words; the user sees it beside the change."});
    vec![
        spec(
            "edit_symbol",
            "Changes pieces inside one symbol. Your normal tool for a change: what you do not send stays as it is. Copy each \
             old_text exactly, whole lines with their indentation, from the symbol's current text, and take as few lines as \
             make it unique inside the symbol. All edits of one call are found in the same text, so they may not overlap.",
            json!({
                "symbol": symbol,
                "base": base,
                "edits": {
                    "type": "array",
                    "items": object(json!({
                        "old_text": {"type": "string", "description": "What stands there now; found exactly once in the symbol."},
                        "new_text": {"type": "string", "description": "What shall stand there; empty to delete."},
                    })),
                },
                "reason": reason,
            }),
        ),
        spec(
            "replace_symbol",
            "Replaces one symbol whole, with its documentation and attributes. Only when most of its lines change: you pay for \
             every line you send. An empty text deletes the symbol.",
            json!({
                "symbol": symbol,
                "base": base,
                "text": {"type": "string", "description": "The whole new text, first line to last."},
                "reason": reason,
            }),
        ),
        spec(
            "add_symbol",
            "Adds one item, such as a function, a type or a test, beside a symbol that is in scope. Blank lines around it and \
             its indentation are taken care of.",
            json!({
                "anchor": {"type": "string", "description": "Path of the symbol that is there already."},
                "position": {"type": "string", "enum": ["before", "after", "inside"], "description": "Above the anchor, below it, or last inside it."},
                "text": {"type": "string", "description": "The whole item, with documentation and attributes."},
                "reason": reason,
            }),
        ),
        spec(
            "edit_imports",
            "Adds and removes import statements of the file. Whole statements, as they stand or shall stand in the file. Use it \
             for every import; other tools cannot reach them.",
            json!({
                "add": {"type": "array", "items": {"type": "string"}},
                "remove": {"type": "array", "items": {"type": "string"}},
                "reason": reason,
            }),
        ),
        spec(
            "read_symbol",
            "Shows a symbol of the workspace, or lines of it such as `@12-40`. Only for what the first message leaves out. There is no way to read a whole file, \
             and no need: ask for the outline of what contains it.",
            json!({
                "symbol": symbol,
                "file": {"type": "string", "description": "Its file, as `find` shows it. Leave it out for the file you work in."},
                "view": {"type": "string", "enum": ["body", "signature", "outline"], "description": "The whole text with its hash; only the header and documentation; or the headers of what is inside it."},
            }),
        ),
        spec(
            "find",
            "Finds code by the name of a symbol, not by text: where it is defined, every mention, who calls it, or what it calls. \
             Answers with a line for each place and says how complete the list is.",
            json!({
                "query": {"type": "string", "description": "A name, or the path of a symbol in the file you work in."},
                "kind": {"type": "string", "enum": ["definitions", "references", "callers", "callees"]},
            }),
        ),
        spec(
            "request_scope",
            "Asks the user to let you change further symbols of the file, or lines that no symbol holds: `@12-40`, or `@file` for \
             all, which edit_symbol and replace_symbol then take as `symbol`. It interrupts them, so ask once, for all of them, \
             and only if the task cannot be done without it.",
            json!({
                "symbols": {"type": "array", "items": {"type": "string"}, "description": "Paths of the symbols, or lines."},
                "reason": {"type": "string", "description": "Why the task needs them, for the user."},
            }),
        ),
    ]
}

fn spec(name: &str, description: &str, properties: Value) -> ToolSpec {
    ToolSpec::new(name, description, object(properties))
}

/// The schema of an object with these fields and no others; all but `file` are required.
fn object(properties: Value) -> Value {
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys())
        .collect();
    let required: Vec<&String> = names.into_iter().filter(|name| *name != "file").collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_closed_and_begin_with_the_address() {
        for tool in specs() {
            let schema = &tool.input_schema;
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            let first = schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .next()
                .unwrap()
                .clone();
            assert!(
                ["symbol", "anchor", "add", "query", "symbols"].contains(&first.as_str()),
                "{first}"
            );
        }
    }
}
