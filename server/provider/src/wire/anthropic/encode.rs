use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::request::{
    CacheTtl, CompletionRequest, Content, Effort, Message, Role, SystemBlock, ToolSpec,
};
use crate::wire;

/// The most cache breakpoints one request may have.
const MOST_BREAKPOINTS: usize = 4;

/// The JSON body.
pub(super) fn encode(request: &CompletionRequest) -> Result<Vec<u8>, String> {
    check(request)?;
    serde_json::to_vec(&Body::from(request)).map_err(|error| error.to_string())
}

/// The JSON body of the question how many tokens `request` has: the same without what is only about the answer.
pub(super) fn counted(request: &CompletionRequest) -> Option<Vec<u8>> {
    check(request).ok()?;
    let body = Body {
        max_tokens: None,
        stream: None,
        ..Body::from(request)
    };
    serde_json::to_vec(&body).ok()
}

pub(super) fn body_bytes(request: &CompletionRequest) -> usize {
    wire::json_bytes(&Body::from(request))
}

/// What the provider would answer with a 400 is found before anything leaves.
fn check(request: &CompletionRequest) -> Result<(), String> {
    let breakpoints: Vec<CacheTtl> = request.breakpoints().collect();
    if breakpoints.len() > MOST_BREAKPOINTS {
        return Err(format!(
            "{} cache breakpoints, at most {MOST_BREAKPOINTS} are allowed",
            breakpoints.len()
        ));
    }
    if breakpoints
        .windows(2)
        .any(|pair| pair == [CacheTtl::FiveMinutes, CacheTtl::OneHour])
    {
        return Err("a cache breakpoint of one hour follows one of five minutes".to_owned());
    }
    wire::check(request)
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<WireMessage<'a>>,
}

#[derive(Serialize)]
struct OutputConfig {
    effort: Effort,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolChoice {
    /// Forcing a tool is an error on current models.
    Auto,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    eager_input_streaming: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: Role,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    Known {
        #[serde(flatten)]
        known: Known<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Opaque(&'a Value),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Known<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a Value,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

struct CacheControl(CacheTtl);

impl Serialize for CacheControl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            r#type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            ttl: Option<&'static str>,
        }

        let ttl = match self.0 {
            CacheTtl::FiveMinutes => None,
            CacheTtl::OneHour => Some("1h"),
        };
        Wire {
            r#type: "ephemeral",
            ttl,
        }
        .serialize(serializer)
    }
}

impl<'a> From<&'a CompletionRequest> for Body<'a> {
    fn from(request: &'a CompletionRequest) -> Body<'a> {
        Body {
            model: &request.model,
            max_tokens: Some(request.max_tokens),
            stream: Some(true),
            output_config: request.effort.map(|effort| OutputConfig { effort }),
            tools: request.tools.iter().map(tool).collect(),
            tool_choice: (!request.tools.is_empty()).then_some(ToolChoice::Auto),
            system: request
                .system
                .iter()
                .filter(|block| !block.text.is_empty())
                .map(system)
                .collect(),
            messages: request.messages.iter().map(message).collect(),
        }
    }
}

fn tool(tool: &ToolSpec) -> Tool<'_> {
    Tool {
        name: &tool.name,
        description: &tool.description,
        input_schema: &tool.input_schema,
        eager_input_streaming: tool.eager_input_streaming,
        cache_control: tool.cache.map(CacheControl),
    }
}

fn system(block: &SystemBlock) -> Block<'_> {
    Block::Known {
        known: Known::Text { text: &block.text },
        cache_control: block.cache.map(CacheControl),
    }
}

fn message(message: &Message) -> WireMessage<'_> {
    let mut content: Vec<Block<'_>> = message.content.iter().filter_map(block).collect();
    // Thinking cannot carry a breakpoint, so it goes to the last block that can.
    let last = content.iter_mut().rev().find_map(|block| match block {
        Block::Known { cache_control, .. } => Some(cache_control),
        Block::Opaque(_) => None,
    });
    if let Some(cache_control) = last {
        *cache_control = message.cache.map(CacheControl);
    }
    WireMessage {
        role: message.role,
        content,
    }
}

/// `None` for an empty text, which the API rejects.
fn block(content: &Content) -> Option<Block<'_>> {
    let known = match content {
        content if wire::is_empty(content) => return None,
        Content::Text { text } => Known::Text { text },
        Content::ToolUse { id, name, input } => Known::ToolUse { id, name, input },
        Content::ToolResult {
            tool_use_id,
            content,
            is_error,
        } => Known::ToolResult {
            tool_use_id,
            content,
            is_error: *is_error,
        },
        Content::Opaque { block } => return Some(Block::Opaque(block)),
    };
    Some(Block::Known {
        known,
        cache_control: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn request() -> CompletionRequest {
        CompletionRequest {
            model: "claude-sonnet-5-5".to_owned(),
            max_tokens: 512,
            system: vec![SystemBlock::new("Be brief.")],
            tools: Vec::new(),
            messages: vec![Message::user("Hi")],
            effort: None,
        }
    }

    #[track_caller]
    fn check(request: &CompletionRequest, expected: Expect) {
        let body = encode(request);
        if let Ok(body) = &body {
            assert_eq!(
                body.len(),
                body_bytes(request),
                "the announced size is the size that is sent"
            );
        }
        let shown = match body {
            Ok(body) => {
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
            expect![[r#"
                {
                  "model": "claude-sonnet-5-5",
                  "max_tokens": 512,
                  "stream": true,
                  "system": [
                    {
                      "type": "text",
                      "text": "Be brief."
                    }
                  ],
                  "messages": [
                    {
                      "role": "user",
                      "content": [
                        {
                          "type": "text",
                          "text": "Hi"
                        }
                      ]
                    }
                  ]
                }"#]],
        );
    }

    #[test]
    fn a_conversation_with_tools_breakpoints_and_thinking() {
        let mut request = request();
        request.effort = Some(Effort::XHigh);
        let mut read = ToolSpec::new("read_symbol", "Reads.", json!({"type": "object"}));
        read.eager_input_streaming = true;
        read.cache = Some(CacheTtl::OneHour);
        request.tools = vec![
            ToolSpec::new("find", "Finds.", json!({"type": "object"})),
            read,
        ];
        request.system[0].cache = Some(CacheTtl::OneHour);
        request.messages[0].cache = Some(CacheTtl::FiveMinutes);
        request.messages.push(Message::assistant(vec![
            Content::Opaque { block: json!({"type": "thinking", "thinking": "", "signature": "c2ln", "new": [1.0, {}]}) },
            Content::Text { text: String::new() },
            Content::ToolUse { id: "t1".to_owned(), name: "find".to_owned(), input: json!({"z": 1, "a": 2}) },
            Content::Opaque { block: json!({"type": "redacted_thinking", "data": "x"}) },
        ]));
        request.messages[1].cache = Some(CacheTtl::FiveMinutes);
        request
            .messages
            .push(Message::tool_results(vec![Content::ToolResult {
                tool_use_id: "t1".to_owned(),
                content: "out of scope".to_owned(),
                is_error: true,
            }]));
        check(
            &request,
            expect![[r#"
            {
              "model": "claude-sonnet-5-5",
              "max_tokens": 512,
              "stream": true,
              "output_config": {
                "effort": "xhigh"
              },
              "tools": [
                {
                  "name": "find",
                  "description": "Finds.",
                  "input_schema": {
                    "type": "object"
                  }
                },
                {
                  "name": "read_symbol",
                  "description": "Reads.",
                  "input_schema": {
                    "type": "object"
                  },
                  "eager_input_streaming": true,
                  "cache_control": {
                    "type": "ephemeral",
                    "ttl": "1h"
                  }
                }
              ],
              "tool_choice": {
                "type": "auto"
              },
              "system": [
                {
                  "type": "text",
                  "text": "Be brief.",
                  "cache_control": {
                    "type": "ephemeral",
                    "ttl": "1h"
                  }
                }
              ],
              "messages": [
                {
                  "role": "user",
                  "content": [
                    {
                      "type": "text",
                      "text": "Hi",
                      "cache_control": {
                        "type": "ephemeral"
                      }
                    }
                  ]
                },
                {
                  "role": "assistant",
                  "content": [
                    {
                      "type": "thinking",
                      "thinking": "",
                      "signature": "c2ln",
                      "new": [
                        1.0,
                        {}
                      ]
                    },
                    {
                      "type": "tool_use",
                      "id": "t1",
                      "name": "find",
                      "input": {
                        "z": 1,
                        "a": 2
                      },
                      "cache_control": {
                        "type": "ephemeral"
                      }
                    },
                    {
                      "type": "redacted_thinking",
                      "data": "x"
                    }
                  ]
                },
                {
                  "role": "user",
                  "content": [
                    {
                      "type": "tool_result",
                      "tool_use_id": "t1",
                      "content": "out of scope",
                      "is_error": true
                    }
                  ]
                }
              ]
            }"#]],
        );
    }

    #[test]
    fn what_the_api_would_reject_is_not_sent() {
        let mut too_many = request();
        too_many.messages[0].cache = Some(CacheTtl::FiveMinutes);
        too_many.messages = vec![too_many.messages[0].clone(); 5];
        check(
            &too_many,
            expect!["5 cache breakpoints, at most 4 are allowed"],
        );

        let mut order = request();
        order.system[0].cache = Some(CacheTtl::FiveMinutes);
        order.messages[0].cache = Some(CacheTtl::OneHour);
        check(
            &order,
            expect!["a cache breakpoint of one hour follows one of five minutes"],
        );

        let mut empty = request();
        empty.messages.clear();
        check(
            &empty,
            expect!["the conversation does not begin with a user message"],
        );

        let mut blank = request();
        blank.messages.push(Message::user(""));
        check(&blank, expect!["message 2 of the conversation is empty"]);

        let mut silent = request();
        silent.max_tokens = 0;
        check(&silent, expect!["max_tokens is 0"]);
    }
}
