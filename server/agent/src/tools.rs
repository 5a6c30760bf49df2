//! The tools: what the model is told of them, and what it may send.
//!
//! Address fields come first in every schema, so that what a call is about is known before its body has been written.

mod change;
mod find;
mod input;
mod offer;
mod own;
pub(crate) mod patch;
mod read;
mod toolbox;

use gate::{Operation, Replacement};
use serde::Deserialize;
use serde_json::Value;

use crate::action::one_line;
use crate::{FileChange, Model};

use input::{
    AddSymbol, ApplyPatch, CreateFile, DeleteFile, EditImports, EditSymbol, Find, ReadSymbol,
    RenameFile, ReplaceSymbol, RequestScope,
};
pub(crate) use offer::{READS, reading_specs, specs, specs_for};
use patch::Patch;
pub(crate) use toolbox::{Reply, Toolbox, Work};

/// The tools for whole files.
const CREATE: &str = "create_file";
const RENAME: &str = "rename_file";
const DELETE: &str = "delete_file";

/// The most bytes of code in one call; the gate's limit for an edit is lower.
const MAX_CODE: usize = 256 * 1024;
/// The most bytes of a name path.
const MAX_PATH: usize = 400;
/// The most entries of a list.
const MAX_ENTRIES: usize = 64;
/// The most symbols in one request for a wider scope: a person has to read them.
const MAX_REQUESTED: usize = 8;
/// The most characters of a reason.
const MAX_REASON: usize = 300;

/// A tool call that makes sense as far as it can be seen without looking at the workspace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Read {
        symbol: String,
        file: Option<String>,
        view: View,
    },
    Find {
        query: String,
        kind: Relation,
    },
    Change {
        operation: Operation,
        reason: String,
    },
    RequestScope {
        symbols: Vec<String>,
        reason: String,
    },
    File(FileChange),
    Patch(Patch),
}

/// The tools that not every model is offered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extra {
    patches: bool,
    creates: bool,
    moves: bool,
}

impl Extra {
    /// None of them.
    pub(crate) const NONE: Extra = Extra {
        patches: false,
        creates: false,
        moves: false,
    };
}

impl From<&Model> for Extra {
    fn from(model: &Model) -> Extra {
        Extra {
            patches: model.patches,
            creates: model.creates,
            moves: model.moves,
        }
    }
}

/// How much of a symbol to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum View {
    Body,
    Signature,
    Outline,
}

/// How what is looked for relates to the name that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relation {
    Definitions,
    References,
    Callers,
    Callees,
}

/// Understands a tool call, or says in a sentence for the model what is wrong with it.
pub(crate) fn parse(tool: &str, input: &Value, extra: Extra) -> Result<Call, String> {
    match tool {
        "edit_symbol" => {
            let EditSymbol {
                symbol,
                base,
                edits,
                reason,
            } = read(tool, input)?;
            if edits.is_empty() || edits.len() > MAX_ENTRIES {
                return Err(format!(
                    "edit_symbol takes 1 to {MAX_ENTRIES} edits, not {}",
                    edits.len()
                ));
            }
            code(
                edits
                    .iter()
                    .flat_map(|edit| [&edit.old_text, &edit.new_text]),
            )?;
            let edits = edits
                .into_iter()
                .map(|edit| Replacement {
                    old: edit.old_text,
                    new: edit.new_text,
                })
                .collect();
            Ok(change(
                Operation::EditSymbol {
                    symbol: path("symbol", symbol)?,
                    base,
                    edits,
                },
                &reason,
            ))
        }
        "replace_symbol" => {
            let ReplaceSymbol {
                symbol,
                base,
                text,
                reason,
            } = read(tool, input)?;
            code([&text])?;
            Ok(change(
                Operation::ReplaceSymbol {
                    symbol: path("symbol", symbol)?,
                    base,
                    text,
                },
                &reason,
            ))
        }
        "add_symbol" => {
            let AddSymbol {
                anchor,
                position,
                text,
                reason,
            } = read(tool, input)?;
            code([&text])?;
            Ok(change(
                Operation::AddSymbol {
                    anchor: path("anchor", anchor)?,
                    place: position,
                    text,
                },
                &reason,
            ))
        }
        "edit_imports" => {
            let EditImports {
                add,
                remove,
                reason,
            } = read(tool, input)?;
            if add.is_empty() && remove.is_empty() {
                return Err("edit_imports got nothing to add and nothing to remove".to_owned());
            }
            if add.len() + remove.len() > MAX_ENTRIES {
                return Err(format!(
                    "edit_imports takes at most {MAX_ENTRIES} statements"
                ));
            }
            code(add.iter().chain(&remove))?;
            Ok(change(Operation::EditImports { add, remove }, &reason))
        }
        "read_symbol" => {
            let ReadSymbol { symbol, file, view } = read(tool, input)?;
            let file = file.map(|file| path("file", file)).transpose()?;
            Ok(Call::Read {
                symbol: path("symbol", symbol)?,
                file,
                view,
            })
        }
        "find" => {
            let Find { query, kind } = read(tool, input)?;
            Ok(Call::Find {
                query: path("query", query)?,
                kind,
            })
        }
        "request_scope" => {
            let RequestScope { symbols, reason } = read(tool, input)?;
            if symbols.is_empty() || symbols.len() > MAX_REQUESTED {
                return Err(format!(
                    "request_scope takes 1 to {MAX_REQUESTED} symbols, not {}",
                    symbols.len()
                ));
            }
            let symbols = symbols
                .into_iter()
                .map(|symbol| path("symbols", symbol))
                .collect::<Result<_, _>>()?;
            Ok(Call::RequestScope {
                symbols,
                reason: one_line(&reason, MAX_REASON),
            })
        }
        // A tool that was not offered is no tool.
        CREATE if extra.creates => {
            let CreateFile {
                new_file,
                text,
                reason,
            } = read(tool, input)?;
            code([&text])?;
            Ok(Call::File(FileChange::Create {
                file: path("new_file", new_file)?,
                text,
                reason: one_line(&reason, MAX_REASON),
            }))
        }
        RENAME if extra.moves => {
            let RenameFile {
                old_file,
                new_file,
                reason,
            } = read(tool, input)?;
            Ok(Call::File(FileChange::Rename {
                file: path("old_file", old_file)?,
                to: path("new_file", new_file)?,
                reason: one_line(&reason, MAX_REASON),
            }))
        }
        DELETE if extra.moves => {
            let DeleteFile { old_file, reason } = read(tool, input)?;
            Ok(Call::File(FileChange::Delete {
                file: path("old_file", old_file)?,
                reason: one_line(&reason, MAX_REASON),
            }))
        }
        patch::NAME if extra.patches => {
            let ApplyPatch { input } = read(tool, input)?;
            code([&input])?;
            Patch::parse(&input).map(Call::Patch)
        }
        other => Err(no_such_tool(other, extra)),
    }
}

fn no_such_tool(name: &str, extra: Extra) -> String {
    let mut names: Vec<String> = specs().into_iter().map(|tool| tool.name).collect();
    names.extend(extra.creates.then(|| CREATE.to_owned()));
    if extra.moves {
        names.extend([RENAME, DELETE].map(str::to_owned));
    }
    names.extend(extra.patches.then(|| patch::NAME.to_owned()));
    format!(
        "there is no tool {:?}; the tools are {}",
        one_line(name, 60),
        names.join(", ")
    )
}

fn read<'a, T: Deserialize<'a>>(tool: &str, input: &'a Value) -> Result<T, String> {
    T::deserialize(input).map_err(|error| {
        format!(
            "{tool}: {}; send the call again",
            one_line(&error.to_string(), 300)
        )
    })
}

fn change(operation: Operation, reason: &str) -> Call {
    Call::Change {
        operation,
        reason: one_line(reason, MAX_REASON),
    }
}

fn path(field: &str, path: String) -> Result<String, String> {
    let trimmed = path.trim();
    if trimmed.is_empty() {
        return Err(format!("`{field}` is empty"));
    }
    if trimmed.len() > MAX_PATH || trimmed.contains(char::is_control) {
        return Err(format!(
            "`{field}` is a name on one line, of at most {MAX_PATH} bytes"
        ));
    }
    Ok(trimmed.to_owned())
}

fn code<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    let bytes: usize = texts.into_iter().map(String::len).sum();
    if bytes > MAX_CODE {
        return Err(format!(
            "{bytes} bytes in one call, the limit is {MAX_CODE}; send smaller changes"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ALL: Extra = Extra {
        patches: true,
        creates: true,
        moves: true,
    };

    fn check(tool: &str, input: Value, expect: Expect) {
        let shown = match parse(tool, &input, ALL) {
            Ok(call) => format!("{call:?}"),
            Err(sentence) => sentence,
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn a_call_becomes_an_operation() {
        let edits = json!([{"old_text": "a", "new_text": "b"}]);
        check(
            "edit_symbol",
            json!({"symbol": " A/b ", "base": "0123456789ab", "edits": edits, "reason": "so\nthat"}),
            expect![[
                r#"Change { operation: EditSymbol { symbol: "A/b", base: Hash(0123456789ab), edits: [Replacement { old: "a", new: "b" }] }, reason: "so that" }"#
            ]],
        );
        check(
            "create_file",
            json!({"new_file": "src/a.rs", "text": "fn a() {}\n"}),
            expect![[r#"File(Create { file: "src/a.rs", text: "fn a() {}\n", reason: "" })"#]],
        );
        check(
            "rename_file",
            json!({"old_file": "src/a.rs", "new_file": "src/b.rs", "reason": "it says\nmore"}),
            expect![[
                r#"File(Rename { file: "src/a.rs", to: "src/b.rs", reason: "it says more" })"#
            ]],
        );
        check(
            "delete_file",
            json!({"old_file": "src/a.rs"}),
            expect![[r#"File(Delete { file: "src/a.rs", reason: "" })"#]],
        );
        check(
            "read_symbol",
            json!({"symbol": "A"}),
            expect![[r#"Read { symbol: "A", file: None, view: Body }"#]],
        );
    }

    #[test]
    fn a_wrong_call_is_answered_with_what_is_wrong() {
        check(
            "edit_symbol",
            json!({"symbol": "a"}),
            expect!["edit_symbol: missing field `base`; send the call again"],
        );
        check(
            "replace_symbol",
            json!({"symbol": "a", "base": "12", "text": ""}),
            expect!["replace_symbol: a hash is twelve hexadecimal digits; send the call again"],
        );
        check(
            "add_symbol",
            json!({"anchor": "a", "position": "above", "text": ""}),
            expect![
                "add_symbol: unknown variant `above`, expected one of `before`, `after`, `inside`; send the call again"
            ],
        );
        check(
            "find",
            json!({"query": "a", "kind": "callers", "limit": 3}),
            expect!["find: unknown field `limit`, expected `query` or `kind`; send the call again"],
        );
        check(
            "find",
            json!({"query": " ", "kind": "callers"}),
            expect!["`query` is empty"],
        );
        check(
            "edit_imports",
            json!({}),
            expect!["edit_imports got nothing to add and nothing to remove"],
        );
        check(
            "request_scope",
            json!({"symbols": []}),
            expect!["request_scope takes 1 to 8 symbols, not 0"],
        );
        check(
            "rm -rf\n/",
            json!({}),
            expect![[
                r#"there is no tool "rm -rf /"; the tools are edit_symbol, replace_symbol, add_symbol, edit_imports, read_symbol, find, request_scope, create_file, rename_file, delete_file, apply_patch"#
            ]],
        );
        let big = "x".repeat(MAX_CODE + 1);
        check(
            "replace_symbol",
            json!({"symbol": "a", "base": "0123456789ab", "text": big}),
            expect!["262145 bytes in one call, the limit is 262144; send smaller changes"],
        );
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let fields = "(symbol|base|edits|old_text|new_text|text|anchor|position|add|remove|query|kind|symbols|reason|file|view)";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((fields, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_model_sends_is_answered(tool in 0usize..8, input in anything()) {
            let names: Vec<String> = specs().into_iter().map(|tool| tool.name).collect();
            let _ = parse(names.get(tool).map_or("nothing", String::as_str), &input, ALL);
        }
    }
}
