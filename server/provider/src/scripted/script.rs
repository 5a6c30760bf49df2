use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::usage::Usage;

/// What a scripted provider expects and answers.
#[derive(Debug, Clone)]
pub struct Script {
    /// The first whose condition holds is played. One without a condition comes last.
    pub(super) conversations: Vec<Conversation>,
    /// What becomes of questions how many tokens a prompt has, if they are not answered.
    pub(super) count: Option<Count>,
}

/// What becomes of a question how many tokens a prompt has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Count {
    /// An error response.
    Status(u16),
    /// There is never a response.
    Hang,
    /// The connection is closed without a response.
    Drop,
}

/// Why a text is not a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{field}`: {message}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// The field, or the table it should be in.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

#[derive(Debug, Clone)]
pub(super) struct Conversation {
    /// All must stand in the first user message.
    pub(super) when_contains: Vec<String>,
    pub(super) turns: Vec<Turn>,
}

#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// The script's and the turn's own.
    pub(super) expect: [Expect; 2],
    pub(super) answer: Answer,
    pub(super) usage: Option<Usage>,
    pub(super) pace: Pace,
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug, Clone)]
pub(super) enum Answer {
    Blocks {
        thinking: Option<String>,
        text: Option<String>,
        tools: Vec<Tool>,
        stop: Option<String>,
    },
    /// The body as it is.
    Raw(String),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The size of a chunk; without it, a chunk is an event.
    pub(super) chunk_bytes: Option<NonZeroUsize>,
    /// Between two chunks.
    pub(super) delay: Duration,
}

#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// How many requests it spoils; `None` spoils them all.
    pub(super) times: Option<u32>,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// An error response instead of the answer.
    Status {
        status: u16,
        headers: Vec<(String, String)>,
        body: Option<String>,
    },
    /// The connection is closed without a response.
    Drop,
    /// There is never a response.
    Hang,
    /// An error event ends the stream.
    Error { after: After, error: StreamError },
    /// The connection is closed.
    Cut(After),
    /// Nothing more comes.
    Stall(After),
    /// Nothing comes until the handle's `release`.
    Hold(After),
    /// Some bytes are destroyed.
    Garble(After),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamError {
    pub(super) r#type: String,
    pub(super) message: String,
}

/// A place in the stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum After {
    Bytes(usize),
    Events(usize),
}

/// What a request must be. Lists must hold as a whole.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) model: Option<String>,
    pub(super) effort: Option<String>,
    /// In the last user message or the system prompt.
    pub(super) contains: OneOrMany,
    /// Nowhere in the body.
    pub(super) lacks: OneOrMany,
    /// In the tool results of the last user message.
    pub(super) tool_result_contains: OneOrMany,
    pub(super) tools: Vec<String>,
    pub(super) cache_breakpoints: Option<usize>,
    pub(super) key: Option<String>,
    pub(super) anthropic_version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) input: Option<Map<String, Value>>,
    /// The arguments as text, to send what is not JSON.
    pub(super) input_json: Option<String>,
    /// The stream ends without the end of this block.
    #[serde(default)]
    pub(super) unfinished: bool,
}

impl Default for OneOrMany {
    fn default() -> OneOrMany {
        OneOrMany::Many(Vec::new())
    }
}

impl OneOrMany {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl Script {
    /// Reads a script.
    pub fn parse(source: &str) -> Result<Script, ScriptError> {
        let file: File = toml::from_str(source).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let field = field_at(source, span.start);
            ScriptError {
                line: line_of(source, span.start),
                field,
                message: error.message().to_owned(),
            }
        })?;
        let at = |span: Range<usize>, field: &str, message: &str| ScriptError {
            line: line_of(source, span.start),
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let pace = Pace {
            chunk_bytes: file.chunk_bytes,
            delay: Duration::from_millis(file.delay_ms.unwrap_or(0)),
        };
        let mut conversations = Vec::new();
        for conversation in file.conversation {
            let span = conversation.span();
            let ConversationTable {
                when_contains,
                turn,
            } = conversation.into_inner();
            let when_contains = when_contains.as_slice().to_vec();
            if when_contains.is_empty() {
                return Err(at(
                    span,
                    "conversation",
                    "`when_contains` is empty; put turns for everything else at the top level",
                ));
            }
            let turns = turns(turn, &file.expect, pace, &at)?;
            if turns.is_empty() {
                return Err(at(span, "conversation", "it has no [[conversation.turn]]"));
            }
            conversations.push(Conversation {
                when_contains,
                turns,
            });
        }
        let rest = turns(file.turn, &file.expect, pace, &at)?;
        if !rest.is_empty() {
            conversations.push(Conversation {
                when_contains: Vec::new(),
                turns: rest,
            });
        }
        if conversations.is_empty() {
            return Err(at(0..0, "turn", "the script has no [[turn]]"));
        }
        Ok(Script {
            conversations,
            count: file.count,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chunk_bytes: Option<NonZeroUsize>,
    delay_ms: Option<u64>,
    count: Option<Count>,
    #[serde(default)]
    expect: Expect,
    #[serde(default)]
    turn: Vec<Spanned<TurnTable>>,
    #[serde(default)]
    conversation: Vec<Spanned<ConversationTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationTable {
    when_contains: OneOrMany,
    #[serde(default)]
    turn: Vec<Spanned<TurnTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnTable {
    #[serde(default)]
    expect: Expect,
    thinking: Option<String>,
    text: Option<String>,
    #[serde(default)]
    tool: Vec<Spanned<Tool>>,
    stop: Option<String>,
    usage: Option<Usage>,
    sse: Option<String>,
    chunk_bytes: Option<NonZeroUsize>,
    delay_ms: Option<u64>,
    #[serde(default)]
    fault: Vec<Spanned<FaultTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    times: Option<u32>,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    drop: bool,
    #[serde(default)]
    hang: bool,
    error: Option<StreamError>,
    error_after: Option<After>,
    cut_after: Option<After>,
    stall_after: Option<After>,
    hold_after: Option<After>,
    garble_after: Option<After>,
}

type At<'a> = &'a dyn Fn(Range<usize>, &str, &str) -> ScriptError;

fn turns(
    tables: Vec<Spanned<TurnTable>>,
    expect: &Expect,
    pace: Pace,
    at: At<'_>,
) -> Result<Vec<Turn>, ScriptError> {
    tables
        .into_iter()
        .map(|table| turn(table, expect, pace, at))
        .collect()
}

fn turn(
    table: Spanned<TurnTable>,
    expect: &Expect,
    pace: Pace,
    at: At<'_>,
) -> Result<Turn, ScriptError> {
    let span = table.span();
    let table = table.into_inner();
    let has_blocks = table.thinking.is_some()
        || table.text.is_some()
        || !table.tool.is_empty()
        || table.stop.is_some();
    let answer = match table.sse {
        Some(_) if has_blocks => {
            return Err(at(
                span,
                "sse",
                "it is the whole answer; remove `thinking`, `text`, `tool` and `stop`",
            ));
        }
        Some(sse) => Answer::Raw(sse),
        None if !has_blocks && table.fault.is_empty() => {
            return Err(at(
                span,
                "turn",
                "it answers nothing; give it `text`, [[turn.tool]], `stop`, `sse` or [[turn.fault]]",
            ));
        }
        None => {
            let tools = table
                .tool
                .into_iter()
                .map(|table| tool(table, at))
                .collect::<Result<_, _>>()?;
            Answer::Blocks {
                thinking: table.thinking,
                text: table.text,
                tools,
                stop: table.stop,
            }
        }
    };
    Ok(Turn {
        expect: [expect.clone(), table.expect],
        answer,
        usage: table.usage,
        pace: Pace {
            chunk_bytes: table.chunk_bytes.or(pace.chunk_bytes),
            delay: table.delay_ms.map_or(pace.delay, Duration::from_millis),
        },
        faults: table
            .fault
            .into_iter()
            .map(|table| fault(table, at))
            .collect::<Result<_, _>>()?,
    })
}

fn tool(table: Spanned<Tool>, at: At<'_>) -> Result<Tool, ScriptError> {
    let span = table.span();
    let tool = table.into_inner();
    if tool.input.is_some() && tool.input_json.is_some() {
        return Err(at(
            span,
            "input",
            "`input` and `input_json` exclude each other",
        ));
    }
    Ok(tool)
}

fn fault(table: Spanned<FaultTable>, at: At<'_>) -> Result<Fault, ScriptError> {
    let span = table.span();
    let table = table.into_inner();
    let fail = |field: &str, message: &str| at(span.clone(), field, message);
    if table.status.is_none() && (!table.headers.is_empty() || table.body.is_some()) {
        return Err(fail("status", "`headers` and `body` belong to a `status`"));
    }
    if table.error.is_some() && table.error_after.is_none() {
        return Err(fail(
            "error_after",
            "`error` needs to know where; write error_after = { events = 3 }",
        ));
    }
    let mut effects = Vec::new();
    if let Some(status) = table.status {
        if !(200..600).contains(&status) {
            return Err(fail("status", "an HTTP status is between 200 and 599"));
        }
        let headers: Vec<_> = table.headers.into_iter().collect();
        if headers
            .iter()
            .any(|(name, value)| name.is_empty() || format!("{name}{value}").contains(['\r', '\n']))
        {
            return Err(fail(
                "headers",
                "a header has no name or contains a line break",
            ));
        }
        effects.push(Effect::Status {
            status,
            headers,
            body: table.body,
        });
    }
    effects.extend(table.drop.then_some(Effect::Drop));
    effects.extend(table.hang.then_some(Effect::Hang));
    effects.extend(table.error_after.map(|after| {
        let overloaded = || StreamError {
            r#type: "overloaded_error".to_owned(),
            message: "Overloaded".to_owned(),
        };
        Effect::Error {
            after,
            error: table.error.unwrap_or_else(overloaded),
        }
    }));
    effects.extend(table.cut_after.map(Effect::Cut));
    effects.extend(table.stall_after.map(Effect::Stall));
    effects.extend(table.hold_after.map(Effect::Hold));
    effects.extend(table.garble_after.map(Effect::Garble));
    let one = "it needs exactly one of `status`, `drop`, `hang`, `error_after`, `cut_after`, `stall_after`, `hold_after`, `garble_after`";
    match <[Effect; 1]>::try_from(effects) {
        Ok([effect]) => Ok(Fault {
            times: table.times,
            effect,
        }),
        Err(_) => Err(fail("fault", one)),
    }
}

fn line_of(source: &str, offset: usize) -> usize {
    source
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The key whose value begins at `offset`, or which stands there, or with which the line begins.
fn field_at(source: &str, offset: usize) -> String {
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let key = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|c| is_key(*c))
            .collect::<String>()
    };
    let (before, after) = source.split_at_checked(offset).unwrap_or((source, ""));
    let line = before
        .rsplit('\n')
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if let Some(line) = line.trim_end().strip_suffix('=').map(str::trim_end) {
        let start = line.rfind(|c| !is_key(c)).map_or(0, |at| at + 1);
        return line.get(start..).unwrap_or(line).to_owned();
    }
    let here = key(after.trim_start_matches('['));
    if here.is_empty() { key(line) } else { here }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)]

    use expect_test::{Expect as Snapshot, expect};

    use super::*;

    #[track_caller]
    fn check(source: &str, expected: Snapshot) {
        let shown = match Script::parse(source) {
            Ok(script) => {
                let turns: usize = script
                    .conversations
                    .iter()
                    .map(|conversation| conversation.turns.len())
                    .sum();
                format!(
                    "{} conversations, {turns} turns",
                    script.conversations.len()
                )
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_script_has_turns_and_conversations() {
        check(
            r#"
                chunk_bytes = 7
                [expect]
                key = "dummy"
                [[turn]]
                text = "Hi"
                [[turn]]
                expect = { contains = ["a", "b"], tools = ["find"] }
                usage = { input = 10, output = 2 }
                [[turn.tool]]
                name = "find"
                input = { name = "x", deep = { list = [1, 2.5, true] } }
                [[turn.fault]]
                status = 429
                times = 1
                headers = { retry-after-ms = "5" }
                [[turn.fault]]
                cut_after = { events = 3 }
                [[conversation]]
                when_contains = "harden"
                [[conversation.turn]]
                stop = "refusal"
            "#,
            expect!["2 conversations, 3 turns"],
        );
    }

    #[test]
    fn mistakes_are_placed() {
        check("", expect!["line 1: `turn`: the script has no [[turn]]"]);
        check(
            "[[turn]]\ntext = \"a\"\n\n[[turn]]\nusage = { input = 1 }\n",
            expect![
                "line 4: `turn`: it answers nothing; give it `text`, [[turn.tool]], `stop`, `sse` or [[turn.fault]]"
            ],
        );
        check(
            "[[turn]]\ntext = \"a\"\ntxet = \"b\"\n",
            expect![
                "line 3: `txet`: unknown field `txet`, expected one of `expect`, `thinking`, `text`, `tool`, `stop`, `usage`, `sse`, `chunk_bytes`, `delay_ms`, `fault`"
            ],
        );
        check(
            "[[turn]]\ntext = 3\n",
            expect!["line 2: `text`: invalid type: integer `3`, expected a string"],
        );
        check(
            "[[turn]]\ntext = \"a\"\nusage = { input = -1 }\n",
            expect!["line 3: `input`: invalid value: integer `-1`, expected u64"],
        );
        check(
            "[[turn]]\ntext = \"a\"\n[turn.expect]\ncontains = 1\n",
            expect!["line 4: `contains`: expected a string or a list of strings"],
        );
        check(
            "[[turn]]\ntext = \"a\n",
            expect![[r#"line 2: `text`: invalid basic string, expected `"`"#]],
        );
        check(
            "[[turn]]\ntext = \"a\"\nsse = \"b\"\n",
            expect![
                "line 1: `sse`: it is the whole answer; remove `thinking`, `text`, `tool` and `stop`"
            ],
        );
        check(
            "[[turn]]\n[[turn.tool]]\ninput = {}\n",
            expect!["line 2: `turn.tool`: missing field `name`"],
        );
        check(
            "[[turn]]\n[[turn.tool]]\nname = \"a\"\ninput = {}\ninput_json = \"\"\n",
            expect!["line 2: `input`: `input` and `input_json` exclude each other"],
        );
        check(
            "[[turn]]\n[[turn.fault]]\nstatus = 99\n",
            expect!["line 2: `status`: an HTTP status is between 200 and 599"],
        );
        check(
            "[[turn]]\n[[turn.fault]]\nstatus = 500\ndrop = true\n",
            expect![
                "line 2: `fault`: it needs exactly one of `status`, `drop`, `hang`, `error_after`, `cut_after`, `stall_after`, `hold_after`, `garble_after`"
            ],
        );
        check(
            "[[turn]]\n[[turn.fault]]\ncut_after = { lines = 3 }\n",
            expect!["line 3: `lines`: unknown variant `lines`, expected `bytes` or `events`"],
        );
        check(
            "[[turn]]\n[[turn.fault]]\nbody = \"x\"\n",
            expect!["line 2: `status`: `headers` and `body` belong to a `status`"],
        );
        check(
            "[[turn]]\n[[turn.fault]]\nerror = { type = \"a\", message = \"b\" }\n",
            expect![
                "line 2: `error_after`: `error` needs to know where; write error_after = { events = 3 }"
            ],
        );
        check(
            "[[conversation]]\nwhen_contains = []\n",
            expect![
                "line 1: `conversation`: `when_contains` is empty; put turns for everything else at the top level"
            ],
        );
        check(
            "[[conversation]]\nwhen_contains = \"a\"\n",
            expect!["line 1: `conversation`: it has no [[conversation.turn]]"],
        );
    }
}
