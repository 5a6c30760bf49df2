use serde_json::Value;

use super::script::Expect;
use super::wire::Wire;

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    wire: Wire,
    /// As it came.
    raw: &'a Value,
    /// In the words of the Messages API.
    body: &'a Value,
    messages: &'a [Value],
    key: Option<&'a str>,
    version: Option<&'a str>,
}

/// The blocks of a message or of the system prompt: a string counts as one text.
enum Blocks<'a> {
    One(&'a str),
    Many(&'a [Value]),
}

impl<'a> Asked<'a> {
    /// Fails where the real API would.
    pub(super) fn new(
        wire: Wire,
        raw: &'a Value,
        body: &'a Value,
        key: Option<&'a str>,
        version: Option<&'a str>,
    ) -> Result<Asked<'a>, String> {
        if !body.is_object() {
            return Err("the body is not a JSON object".to_owned());
        }
        let messages = body["messages"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let asked = Asked {
            wire,
            raw,
            body,
            messages,
            key,
            version,
        };
        asked.check()?;
        Ok(asked)
    }

    /// How many answers the conversation already has.
    pub(super) fn turn(&self) -> usize {
        self.messages
            .iter()
            .filter(|message| message["role"] == "assistant")
            .count()
    }

    pub(super) fn model(&self) -> &'a str {
        self.body["model"].as_str().unwrap_or_default()
    }

    pub(super) fn body_bytes(&self) -> usize {
        self.raw.to_string().len()
    }

    /// The text that a conversation begins with.
    pub(super) fn first_user_text(&self) -> String {
        self.messages
            .iter()
            .find(|message| message["role"] == "user")
            .map(text_of)
            .unwrap_or_default()
    }

    /// The first thing that is not as expected.
    pub(super) fn unmet(&self, expect: &Expect) -> Option<String> {
        let last = self
            .messages
            .iter()
            .rev()
            .find(|message| message["role"] == "user");
        let seen = format!(
            "{}\n{}",
            text_of_blocks(&self.body["system"]),
            last.map(text_of).unwrap_or_default()
        );
        let results = last
            .map(|message| results_of(message).join("\n"))
            .unwrap_or_default();
        let body = self.raw.to_string();
        let tools = self.body["tools"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let has_tool = |name: &&String| tools.iter().any(|tool| tool["name"] == name.as_str());
        let equal = |what: &str, expected: Option<&str>, actual: Option<&str>| {
            let expected = expected?;
            (actual != Some(expected)).then(|| {
                format!(
                    "expected the {what} {expected:?}, got {:?}",
                    actual.unwrap_or("none")
                )
            })
        };
        let model = equal(
            "model",
            expect.model.as_deref(),
            self.body["model"].as_str(),
        );
        let effort = || {
            equal(
                "effort",
                expect.effort.as_deref(),
                self.body["output_config"]["effort"].as_str(),
            )
        };
        let version = || {
            equal(
                "anthropic-version",
                expect.anthropic_version.as_deref(),
                self.version,
            )
        };
        let key = || {
            let expected = expect.key.as_deref()?;
            (self.key != Some(expected)).then(|| {
                let actual = if self.key.is_some() {
                    "another"
                } else {
                    "none"
                };
                format!("expected the key {expected:?}, got {actual}")
            })
        };
        let missing = || {
            let part = expect
                .contains
                .as_slice()
                .iter()
                .find(|part| !seen.contains(part.as_str()))?;
            Some(format!(
                "expected {part:?} in the last user message or the system prompt, which say {}",
                quote(&seen)
            ))
        };
        let result = || {
            let part = expect
                .tool_result_contains
                .as_slice()
                .iter()
                .find(|part| !results.contains(part.as_str()))?;
            Some(format!(
                "expected {part:?} in the tool results, which say {}",
                quote(&results)
            ))
        };
        let present = || {
            let part = expect
                .lacks
                .as_slice()
                .iter()
                .find(|part| body.contains(escaped(part).as_str()))?;
            Some(format!("did not expect {part:?} anywhere in the request"))
        };
        let tool = || {
            let name = expect.tools.iter().find(|name| !has_tool(name))?;
            Some(format!("expected a tool named {name:?}"))
        };
        let breakpoints = || {
            let expected = expect.cache_breakpoints?;
            let actual = breakpoints(self.body);
            (actual != expected)
                .then(|| format!("expected {expected} cache breakpoints, got {actual}"))
        };
        model
            .or_else(effort)
            .or_else(version)
            .or_else(key)
            .or_else(missing)
            .or_else(result)
            .or_else(present)
            .or_else(tool)
            .or_else(breakpoints)
    }

    /// Replaces `{{hash:PATH}}` by the hash last shown for the symbol PATH, and `{{line:START}}` by the rest of the last
    /// line that begins with START. Other double braces are text.
    pub(super) fn fill(&self, template: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let placeholder = after.split_once("}}").and_then(|(inside, after)| {
                let (kind, argument) = inside.split_once(':')?;
                matches!(kind, "hash" | "line").then_some((kind, argument, after))
            });
            if let Some((kind, argument, after)) = placeholder {
                let found = if kind == "hash" {
                    self.hash_of(argument)
                } else {
                    self.line_after(argument)
                };
                let value = found.ok_or_else(|| {
                    format!("nothing in the request answers {{{{{kind}:{argument}}}}}")
                })?;
                filled.push_str(&value);
                rest = after;
            } else {
                filled.push_str("{{");
                rest = after;
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn hash_of(&self, path: &str) -> Option<String> {
        let start = format!("symbol: {path} · hash: ");
        self.last_line(|line| {
            let hash = line.strip_prefix(&start)?.trim_end();
            (hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .then(|| hash.to_owned())
        })
    }

    fn line_after(&self, start: &str) -> Option<String> {
        self.last_line(|line| {
            line.strip_prefix(start)
                .map(|rest| rest.trim_end().to_owned())
        })
    }

    fn last_line(&self, find: impl Fn(&str) -> Option<String>) -> Option<String> {
        self.messages.iter().rev().find_map(|message| {
            let mut text = results_of(message).join("\n");
            text.push('\n');
            text.push_str(&text_of(message));
            text.lines().rev().find_map(&find)
        })
    }

    /// What the real API would answer with a 400.
    fn check(&self) -> Result<(), String> {
        if self.wire == Wire::Messages && self.version.is_none() {
            return Err("the header anthropic-version is missing".to_owned());
        }
        if self.model().is_empty() {
            return Err("model is missing".to_owned());
        }
        if self.body["max_tokens"]
            .as_u64()
            .is_none_or(|tokens| tokens == 0)
        {
            return Err("max_tokens is missing or 0".to_owned());
        }
        if self.body["stream"] != true {
            return Err("stream is not true".to_owned());
        }
        if let Some(field) = ["temperature", "top_p", "top_k"]
            .into_iter()
            .find(|field| !self.body[field].is_null())
        {
            return Err(format!("{field} is not supported by current models"));
        }
        let breakpoints = breakpoints(self.body);
        if breakpoints > 4 {
            return Err(format!(
                "{breakpoints} cache breakpoints, at most 4 are allowed"
            ));
        }
        if self
            .messages
            .first()
            .is_none_or(|message| message["role"] != "user")
        {
            return Err("the first message is not the user's".to_owned());
        }
        if self
            .messages
            .last()
            .is_some_and(|message| message["role"] != "user")
        {
            return Err(
                "the last message is not the user's; prefilling is not supported".to_owned(),
            );
        }
        for (index, message) in self.messages.iter().enumerate() {
            if let Blocks::Many(blocks) = blocks(&message["content"])
                && (blocks.is_empty()
                    || blocks
                        .iter()
                        .any(|block| block["type"] == "text" && block["text"] == ""))
            {
                return Err(format!("messages.{index} is empty or has an empty text"));
            }
            let answers: Vec<&str> =
                ids(self.messages.get(index + 1), "tool_result", "tool_use_id");
            for call in ids(Some(message), "tool_use", "id") {
                if answers.iter().filter(|answer| **answer == call).count() != 1 {
                    return Err(format!(
                        "the tool call {call} of messages.{index} has no result in the next message"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// `{{hash:…}}` and the like inside every string of a JSON value.
pub(super) fn fill_value(asked: &Asked<'_>, value: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(asked.fill(text)?),
        Value::Array(list) => Value::Array(
            list.iter()
                .map(|item| fill_value(asked, item))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => {
            let filled = map
                .iter()
                .map(|(key, item)| Ok((key.clone(), fill_value(asked, item)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn blocks(content: &Value) -> Blocks<'_> {
    match content {
        Value::String(text) => Blocks::One(text),
        Value::Array(blocks) => Blocks::Many(blocks),
        _ => Blocks::Many(&[]),
    }
}

fn text_of(message: &Value) -> String {
    text_of_blocks(&message["content"])
}

fn text_of_blocks(content: &Value) -> String {
    match blocks(content) {
        Blocks::One(text) => text.to_owned(),
        Blocks::Many(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter(|block| block["type"] == "text")
                .filter_map(|block| block["text"].as_str())
                .collect();
            texts.join("\n")
        }
    }
}

fn results_of(message: &Value) -> Vec<String> {
    match blocks(&message["content"]) {
        Blocks::One(_) => Vec::new(),
        Blocks::Many(blocks) => blocks
            .iter()
            .filter(|block| block["type"] == "tool_result")
            .map(|block| text_of_blocks(&block["content"]))
            .collect(),
    }
}

fn ids<'a>(message: Option<&'a Value>, kind: &str, field: &str) -> Vec<&'a str> {
    match message.map(|message| blocks(&message["content"])) {
        Some(Blocks::Many(blocks)) => blocks
            .iter()
            .filter(|block| block["type"] == kind)
            .filter_map(|block| block[field].as_str())
            .collect(),
        Some(Blocks::One(_)) | None => Vec::new(),
    }
}

fn breakpoints(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(breakpoints).sum(),
        Value::Object(map) => {
            let own = usize::from(map.get("cache_control").is_some_and(Value::is_object));
            own + map
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "input" | "input_schema"))
                .map(|(_, item)| breakpoints(item))
                .sum::<usize>()
        }
        _ => 0,
    }
}

/// How `part` looks inside a JSON string.
fn escaped(part: &str) -> String {
    let quoted = Value::from(part).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(part)
        .to_owned()
}

fn quote(text: &str) -> String {
    let mut quoted: String = text.trim().chars().take(300).collect();
    if quoted.len() < text.trim().len() {
        quoted.push('…');
    }
    format!("{quoted:?}")
}
