use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One completion to ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// The model, as the provider names it.
    pub model: String,
    /// The most tokens the answer may have, thinking included. The only limit a provider enforces.
    pub max_tokens: u32,
    /// The system prompt.
    pub system: Vec<SystemBlock>,
    /// The tools the model may call.
    pub tools: Vec<ToolSpec>,
    /// The conversation. Append to it and change nothing: providers check thinking against everything before it, and
    /// caches match prefixes.
    pub messages: Vec<Message>,
    /// How hard the model should think; `None` is the model's own default.
    pub effort: Option<Effort>,
}

impl CompletionRequest {
    /// The cache breakpoints in the order the provider sees them: tools, system, messages.
    pub(crate) fn breakpoints(&self) -> impl Iterator<Item = CacheTtl> {
        let tools = self.tools.iter().filter_map(|tool| tool.cache);
        let system = self.system.iter().filter_map(|block| block.cache);
        let messages = self.messages.iter().filter_map(|message| message.cache);
        tools.chain(system).chain(messages)
    }
}

/// A piece of the system prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemBlock {
    /// The text.
    pub text: String,
    /// A cache breakpoint after this block.
    pub cache: Option<CacheTtl>,
}

impl SystemBlock {
    /// A block without a cache breakpoint.
    pub fn new(text: impl Into<String>) -> SystemBlock {
        SystemBlock {
            text: text.into(),
            cache: None,
        }
    }
}

/// How long the provider keeps the prompt up to a breakpoint. At most four breakpoints per request, and those of an
/// hour come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheTtl {
    /// Five minutes after the last use.
    FiveMinutes,
    /// One hour after the last use; writing costs more.
    OneHour,
}

/// A tool the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: String,
    /// What it does, as an instruction to the model.
    pub description: String,
    /// JSON Schema of its arguments; the root is an object.
    pub input_schema: Value,
    /// Stream the arguments as they are generated, neither buffered nor validated by the provider.
    pub eager_input_streaming: bool,
    /// A cache breakpoint after this tool.
    pub cache: Option<CacheTtl>,
}

impl ToolSpec {
    /// A tool without a cache breakpoint, whose arguments the provider may buffer.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: Value,
    ) -> ToolSpec {
        ToolSpec {
            name: name.into(),
            description: description.into(),
            input_schema,
            eager_input_streaming: false,
            cache: None,
        }
    }
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said. Results of tool calls come before text.
    pub content: Vec<Content>,
    /// A cache breakpoint at the end of this message. Not part of what is said: it may move between requests.
    pub cache: Option<CacheTtl>,
}

impl Message {
    /// What the user says.
    pub fn user(text: impl Into<String>) -> Message {
        Message {
            role: Role::User,
            content: vec![Content::Text { text: text.into() }],
            cache: None,
        }
    }

    /// What the model said, as [`StreamEvent::Finished`](crate::StreamEvent::Finished) handed it over.
    pub fn assistant(content: Vec<Content>) -> Message {
        Message {
            role: Role::Assistant,
            content,
            cache: None,
        }
    }

    /// The results of tool calls. Every call of the last answer needs one, all in one message.
    pub fn tool_results(content: Vec<Content>) -> Message {
        Message {
            role: Role::User,
            content,
            cache: None,
        }
    }
}

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person, or the results of tool calls.
    User,
    /// The model.
    Assistant,
}

/// A block of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// The text; an empty one is not sent.
        text: String,
    },
    /// The model called a tool.
    ToolUse {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
        /// The arguments, a JSON object.
        input: Value,
    },
    /// The answer to a tool call.
    ToolResult {
        /// The id of the call.
        tool_use_id: String,
        /// What the tool says to the model.
        content: String,
        /// Whether the call failed or was refused.
        is_error: bool,
    },
    /// A block of the provider's own (thinking with its signature, compaction, anything unknown), kept and sent back
    /// exactly as it came.
    Opaque {
        /// The block as JSON, its own `type` included.
        block: Value,
    },
}

/// How hard the model should think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Least thinking.
    Low,
    /// The default of most models.
    Medium,
    /// Thorough.
    High,
    /// More than thorough.
    XHigh,
    /// All the model can.
    Max,
}
