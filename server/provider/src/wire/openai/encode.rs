use reqwest::Url;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::FIELDS;
use crate::request::{CompletionRequest, Content, Effort, Message, Role, ToolSpec};
use crate::wire;

/// The field that limits the answer. OpenAI's reasoning models refuse the older name; most other servers know no other,
/// and ignoring it they would answer without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerLimit {
    MaxCompletionTokens,
    MaxTokens,
}

impl AnswerLimit {
    pub(super) fn of(base_url: &str) -> AnswerLimit {
        if is_vendor(base_url) {
            AnswerLimit::MaxCompletionTokens
        } else {
            AnswerLimit::MaxTokens
        }
    }
}

/// Whether the vendor itself serves this address, or its cloud does.
pub(super) fn is_vendor(base_url: &str) -> bool {
    let url = Url::parse(base_url.trim()).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    ["openai.com", "openai.azure.com"]
        .iter()
        .any(|vendor| host == *vendor || host.ends_with(&format!(".{vendor}")))
}

/// The JSON body.
pub(super) fn encode(request: &CompletionRequest, limit: AnswerLimit) -> Result<Vec<u8>, String> {
    wire::check(request)?;
    serde_json::to_vec(&Body::new(request, limit)).map_err(|error| error.to_string())
}

pub(super) fn body_bytes(request: &CompletionRequest, limit: AnswerLimit) -> usize {
    wire::json_bytes(&Body::new(request, limit))
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<Effort>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    messages: Vec<WireMessage<'a>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum WireMessage<'a> {
    System {
        content: String,
    },
    User {
        content: String,
    },
    Assistant {
        content: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall<'a>>,
        /// What a server said beside the answer and wants back, such as its reasoning.
        #[serde(flatten)]
        fields: Map<String, Value>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: String,
}

impl<'a> Body<'a> {
    fn new(request: &'a CompletionRequest, limit: AnswerLimit) -> Body<'a> {
        let (newer, older) = match limit {
            AnswerLimit::MaxCompletionTokens => (Some(request.max_tokens), None),
            AnswerLimit::MaxTokens => (None, Some(request.max_tokens)),
        };
        // One message and one text: the templates of many local models take no more.
        let system = joined(request.system.iter().map(|block| block.text.as_str()));
        let mut messages: Vec<WireMessage<'_>> = Vec::new();
        messages.extend((!system.is_empty()).then_some(WireMessage::System { content: system }));
        for message in &request.messages {
            match message.role {
                Role::User => user(message, &mut messages),
                Role::Assistant => messages.push(assistant(message)),
            }
        }
        Body {
            model: &request.model,
            max_completion_tokens: newer,
            max_tokens: older,
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            reasoning_effort: request.effort,
            tools: request.tools.iter().map(tool).collect(),
            tool_choice: (!request.tools.is_empty()).then_some("auto"),
            messages,
        }
    }
}

fn tool(tool: &ToolSpec) -> Tool<'_> {
    Tool {
        r#type: "function",
        function: Function {
            name: &tool.name,
            description: &tool.description,
            parameters: &tool.input_schema,
        },
    }
}

/// Each result is a message of its own here; the text follows them.
fn user<'a>(message: &'a Message, messages: &mut Vec<WireMessage<'a>>) {
    let mut texts = Vec::new();
    for content in &message.content {
        match content {
            Content::Text { text } => texts.push(text.as_str()),
            Content::ToolResult {
                tool_use_id,
                content,
                ..
            } => messages.push(WireMessage::Tool {
                tool_call_id: tool_use_id,
                content,
            }),
            Content::ToolUse { .. } | Content::Opaque { .. } => {}
        }
    }
    let content = joined(texts.into_iter());
    messages.extend((!content.is_empty()).then_some(WireMessage::User { content }));
}

fn assistant(message: &Message) -> WireMessage<'_> {
    let mut texts = Vec::new();
    let mut tool_calls = Vec::new();
    let mut fields = Map::new();
    for content in &message.content {
        match content {
            Content::Text { text } => texts.push(text.as_str()),
            Content::ToolUse { id, name, input } => tool_calls.push(ToolCall {
                id,
                r#type: "function",
                function: Called {
                    name,
                    arguments: input.to_string(),
                },
            }),
            Content::Opaque { block } => {
                let kept = FIELDS
                    .iter()
                    .filter_map(|name| Some(((*name).to_owned(), block.get(name)?.clone())));
                fields.extend(kept);
            }
            Content::ToolResult { .. } => {}
        }
    }
    let content = joined(texts.into_iter());
    WireMessage::Assistant {
        // Some servers take no `null` unless there are calls.
        content: Some(content).filter(|text| !text.is_empty() || tool_calls.is_empty()),
        tool_calls,
        fields,
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::request::{CacheTtl, SystemBlock};

    fn request() -> CompletionRequest {
        CompletionRequest {
            model: "gpt-6-luna".to_owned(),
            max_tokens: 512,
            system: vec![SystemBlock::new("Be brief."), SystemBlock::new("Be kind.")],
            tools: Vec::new(),
            messages: vec![Message::user("Hi")],
            effort: None,
        }
    }

    #[track_caller]
    fn check(request: &CompletionRequest, limit: AnswerLimit, expected: Expect) {
        let shown = match encode(request, limit) {
            Ok(body) => {
                assert_eq!(body.len(), body_bytes(request, limit));
                let body: Value = serde_json::from_slice(&body).unwrap();
                serde_json::to_string_pretty(&body).unwrap()
            }
            Err(error) => error,
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn the_smallest_request() {
        check(
            &request(),
            AnswerLimit::MaxCompletionTokens,
            expect![[r#"
            {
              "model": "gpt-6-luna",
              "max_completion_tokens": 512,
              "stream": true,
              "stream_options": {
                "include_usage": true
              },
              "messages": [
                {
                  "role": "system",
                  "content": "Be brief.\n\nBe kind."
                },
                {
                  "role": "user",
                  "content": "Hi"
                }
              ]
            }"#]],
        );
    }

    #[test]
    fn a_conversation_with_tools_and_reasoning() {
        let mut request = request();
        request.effort = Some(Effort::High);
        request.tools = vec![ToolSpec::new("find", "Finds.", json!({"type": "object"}))];
        request.system[0].cache = Some(CacheTtl::OneHour);
        request.messages.push(Message::assistant(vec![
            Content::Opaque {
                block: json!({"type": "reasoning", "reasoning_content": "Look first.", "model": "not sent"}),
            },
            Content::ToolUse {
                id: "t1".to_owned(),
                name: "find".to_owned(),
                input: json!({"query": "a"}),
            },
            Content::ToolUse {
                id: "t2".to_owned(),
                name: "find".to_owned(),
                input: json!({}),
            },
        ]));
        let result = |id: &str, text: &str| Content::ToolResult {
            tool_use_id: id.to_owned(),
            content: text.to_owned(),
            is_error: false,
        };
        request.messages.push(Message::tool_results(vec![
            result("t1", "here"),
            result("t2", "there"),
            Content::Text {
                text: "Go on.".to_owned(),
            },
        ]));
        request
            .messages
            .push(Message::assistant(vec![Content::Text {
                text: "Done.".to_owned(),
            }]));
        check(
            &request,
            AnswerLimit::MaxTokens,
            expect![[r#"
            {
              "model": "gpt-6-luna",
              "max_tokens": 512,
              "stream": true,
              "stream_options": {
                "include_usage": true
              },
              "reasoning_effort": "high",
              "tools": [
                {
                  "type": "function",
                  "function": {
                    "name": "find",
                    "description": "Finds.",
                    "parameters": {
                      "type": "object"
                    }
                  }
                }
              ],
              "tool_choice": "auto",
              "messages": [
                {
                  "role": "system",
                  "content": "Be brief.\n\nBe kind."
                },
                {
                  "role": "user",
                  "content": "Hi"
                },
                {
                  "role": "assistant",
                  "content": null,
                  "tool_calls": [
                    {
                      "id": "t1",
                      "type": "function",
                      "function": {
                        "name": "find",
                        "arguments": "{\"query\":\"a\"}"
                      }
                    },
                    {
                      "id": "t2",
                      "type": "function",
                      "function": {
                        "name": "find",
                        "arguments": "{}"
                      }
                    }
                  ],
                  "reasoning_content": "Look first."
                },
                {
                  "role": "tool",
                  "tool_call_id": "t1",
                  "content": "here"
                },
                {
                  "role": "tool",
                  "tool_call_id": "t2",
                  "content": "there"
                },
                {
                  "role": "user",
                  "content": "Go on."
                },
                {
                  "role": "assistant",
                  "content": "Done."
                }
              ]
            }"#]],
        );
    }

    #[test]
    fn what_a_server_would_reject_is_not_sent() {
        let limit = AnswerLimit::MaxTokens;
        let mut empty = request();
        empty.messages.clear();
        check(
            &empty,
            limit,
            expect!["the conversation does not begin with a user message"],
        );
        let mut blank = request();
        blank.messages.push(Message::user(""));
        check(
            &blank,
            limit,
            expect!["message 2 of the conversation is empty"],
        );
        let mut silent = request();
        silent.max_tokens = 0;
        check(&silent, limit, expect!["max_tokens is 0"]);
    }

    #[test]
    fn the_vendor_itself_wants_the_newer_limit() {
        for (host, expected) in [
            ("https://api.openai.com", AnswerLimit::MaxCompletionTokens),
            (
                "https://eu.api.openai.com:8443/v1",
                AnswerLimit::MaxCompletionTokens,
            ),
            (
                "https://mine.openai.azure.com/openai/v1",
                AnswerLimit::MaxCompletionTokens,
            ),
            ("http://localhost:11434", AnswerLimit::MaxTokens),
            ("https://openai.com.example", AnswerLimit::MaxTokens),
            ("https://notopenai.com", AnswerLimit::MaxTokens),
        ] {
            assert_eq!(AnswerLimit::of(host), expected, "{host}");
        }
    }
}
