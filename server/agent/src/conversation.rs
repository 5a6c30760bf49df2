//! The conversation of a run: it only grows, because providers check an answer against everything before it and caches
//! match from the start.

use std::collections::BTreeMap;

use provider::{CacheTtl, CompletionRequest, Content, Message, Role};
use text::Hash;

use crate::Model;
use crate::prompt::{prefix_tokens, text_before};
use crate::tools::{self, Reply};

/// How many messages of the user end with a cache breakpoint: the last, and the one before for answers with so many
/// blocks that the provider does not look back far enough.
const MARKED: usize = 2;

/// What has been said so far, as the request that would be sent next.
pub(crate) struct Conversation {
    request: CompletionRequest,
    prefix: Hash,
    /// Tokens of what comes before all messages.
    prefix_tokens: u64,
    /// Whether each model has tools of its own; otherwise all have those that the conversation began with.
    tools_by_model: bool,
    /// Tokens of the first `counted` messages and of what comes before all of them, by [`ledger::tokens`].
    tokens: u64,
    counted: usize,
}

impl Conversation {
    pub(crate) fn new(request: CompletionRequest) -> Conversation {
        let system: String = request.system.iter().map(|block| &*block.text).collect();
        let tokens = ledger::tokens(&text_before(&system, &request.tools));
        Conversation::after(request, tokens, true)
    }

    /// One that has so many tokens before its first message, and tools that are the same for all models.
    pub(crate) fn with_own_tools(request: CompletionRequest, prefix_tokens: u64) -> Conversation {
        Conversation::after(request, prefix_tokens, false)
    }

    fn after(request: CompletionRequest, prefix_tokens: u64, tools_by_model: bool) -> Conversation {
        let prefix = serde_json::to_string(&(&request.system, &request.tools)).unwrap_or_default();
        Conversation {
            request,
            prefix: Hash::of(&prefix),
            prefix_tokens,
            tools_by_model,
            tokens: prefix_tokens,
            counted: 0,
        }
    }

    /// Tokens of the next request, by [`ledger::tokens`]: what the provider's count of it teaches the estimates.
    pub(crate) fn tokens(&mut self) -> u64 {
        let new = self.request.messages.get(self.counted..).unwrap_or(&[]);
        let content = new.iter().flat_map(|message| &message.content);
        self.tokens += content.map(tokens_of).sum::<u64>();
        self.counted = self.request.messages.len();
        self.tokens
    }

    /// The next request, with another limit for its answer where the budget wants one.
    pub(crate) fn request(&self, max_tokens: u32) -> CompletionRequest {
        CompletionRequest {
            max_tokens,
            ..self.request.clone()
        }
    }

    /// From here on another model is asked. What only the one before understands, its thinking, is left out.
    pub(crate) fn move_to(&mut self, model: &Model) {
        self.request.model.clone_from(&model.id);
        self.request.max_tokens = model.max_tokens;
        self.request.effort = model.effort;
        if self.tools_by_model {
            self.request.tools = tools::specs_for(model);
            self.prefix_tokens = prefix_tokens(model);
        }
        for message in &mut self.request.messages {
            message
                .content
                .retain(|content| !matches!(content, Content::Opaque { .. }));
        }
        self.request
            .messages
            .retain(|message| !message.content.is_empty());
        self.tokens = self.prefix_tokens;
        self.counted = 0;
    }

    /// Forgets everything after the first message.
    pub(crate) fn restart(&mut self) {
        self.request.messages.truncate(1);
        self.mark();
    }

    pub(crate) fn max_tokens(&self) -> u32 {
        self.request.max_tokens
    }

    /// Hash of the system prompt and the tools.
    pub(crate) fn prefix(&self) -> Hash {
        self.prefix
    }

    /// Hash of the messages.
    pub(crate) fn hash(&self) -> Hash {
        Hash::of(&serde_json::to_string(&self.request.messages).unwrap_or_default())
    }

    pub(crate) fn len(&self) -> usize {
        self.request.messages.len()
    }

    /// Appends an answer as it came.
    pub(crate) fn answer(&mut self, content: Vec<Content>) {
        // Providers reject an empty message; there is nothing to keep of one.
        if !content.is_empty() {
            self.request.messages.push(Message::assistant(content));
        }
    }

    /// Appends the results of the last answer's tool calls, in the order of the calls, and what else is to be said.
    pub(crate) fn results(&mut self, replies: Vec<Reply>, also: Option<String>) {
        let mut replies: BTreeMap<String, Reply> = replies
            .into_iter()
            .rev()
            .map(|reply| (reply.id.clone(), reply))
            .collect();
        let calls: Vec<String> = match self.request.messages.last() {
            Some(Message {
                role: Role::Assistant,
                content,
                ..
            }) => content.iter().filter_map(call_id).collect(),
            Some(_) | None => Vec::new(),
        };
        let mut content: Vec<Content> = calls
            .into_iter()
            .map(|id| match replies.remove(&id) {
                Some(Reply {
                    id, text, is_error, ..
                }) => Content::ToolResult {
                    tool_use_id: id,
                    content: text,
                    is_error,
                },
                // Every call needs a result, also one whose end never came.
                None => Content::ToolResult {
                    tool_use_id: id,
                    content: "this call did not arrive whole and was not carried out".to_owned(),
                    is_error: true,
                },
            })
            .collect();
        content.extend(also.map(|text| Content::Text { text }));
        if content.is_empty() {
            return;
        }
        self.request.messages.push(Message::tool_results(content));
        self.mark();
    }

    fn mark(&mut self) {
        let users = self
            .request
            .messages
            .iter_mut()
            .rev()
            .filter(|message| message.role == Role::User);
        for (at, message) in users.enumerate() {
            message.cache = (at < MARKED).then_some(CacheTtl::FiveMinutes);
        }
    }
}

fn tokens_of(content: &Content) -> u64 {
    match content {
        Content::Text { text } => ledger::tokens(text),
        Content::ToolUse { name, input, .. } => {
            ledger::tokens(name) + ledger::tokens(&input.to_string())
        }
        Content::ToolResult { content, .. } => ledger::tokens(content),
        Content::Opaque { block } => ledger::tokens(&block.to_string()),
    }
}

fn call_id(content: &Content) -> Option<String> {
    match content {
        Content::ToolUse { id, .. } => Some(id.clone()),
        Content::Text { .. } | Content::ToolResult { .. } | Content::Opaque { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prompt;

    fn conversation() -> Conversation {
        let model = Model {
            id: "m".to_owned(),
            max_tokens: 100,
            effort: None,
            patches: false,
            creates: false,
            moves: false,
        };
        Conversation::new(prompt::request(&model, "pack".to_owned()))
    }

    fn call(id: &str) -> Content {
        Content::ToolUse {
            id: id.to_owned(),
            name: "find".to_owned(),
            input: json!({}),
        }
    }

    fn reply(id: &str) -> Reply {
        Reply {
            id: id.to_owned(),
            text: format!("about {id}"),
            is_error: false,
            broken: false,
        }
    }

    #[test]
    fn every_call_has_one_result_in_the_order_of_the_calls() {
        let mut conversation = conversation();
        conversation.answer(vec![call("a"), call("b"), call("c")]);
        conversation.results(
            vec![reply("c"), reply("a"), reply("x"), reply("a")],
            Some("and".to_owned()),
        );
        let request = conversation.request(7);
        let said: Vec<String> = request.messages[2]
            .content
            .iter()
            .map(|content| match content {
                Content::ToolResult {
                    tool_use_id,
                    is_error,
                    ..
                } => format!("{tool_use_id} {is_error}"),
                Content::Text { text } => text.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(said, ["a false", "b true", "c false", "and"]);
        assert_eq!(request.max_tokens, 7);
    }

    #[test]
    fn at_most_three_breakpoints_and_never_one_that_shortens_the_prefix() {
        let mut conversation = conversation();
        for turn in 0..5 {
            conversation.answer(vec![call(&turn.to_string())]);
            conversation.results(vec![reply(&turn.to_string())], None);
        }
        let marked: Vec<usize> = conversation
            .request(1)
            .messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.cache.is_some())
            .map(|(at, _)| at)
            .collect();
        assert_eq!(marked, [8, 10]);
    }

    #[test]
    fn another_model_gets_what_was_said_but_not_what_was_thought() {
        let mut conversation = conversation();
        let thought = || Content::Opaque {
            block: json!({"type": "thinking", "thinking": "", "signature": "s"}),
        };
        conversation.answer(vec![thought(), call("a")]);
        conversation.results(vec![reply("a")], None);
        conversation.answer(vec![thought()]);
        let tokens = conversation.tokens();
        let other = Model {
            id: "other".to_owned(),
            max_tokens: 50,
            effort: None,
            patches: false,
            creates: false,
            moves: false,
        };
        conversation.move_to(&other);
        let request = conversation.request(conversation.max_tokens());
        assert_eq!((request.model.as_str(), request.max_tokens), ("other", 50));
        let blocks: Vec<usize> = (request.messages.iter())
            .map(|message| message.content.len())
            .collect();
        assert_eq!(blocks, [1, 1, 1]);
        assert!(conversation.tokens() < tokens);
        conversation.restart();
        assert_eq!(conversation.len(), 1);
        assert!(conversation.request(1).messages[0].cache.is_some());
    }

    #[test]
    fn an_answer_without_content_leaves_no_trace() {
        let mut conversation = conversation();
        conversation.answer(Vec::new());
        conversation.results(Vec::new(), None);
        assert_eq!(conversation.len(), 1);
    }
}
