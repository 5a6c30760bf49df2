//! The vendors' formats, a module each. What they share (sending, timeouts, cancelling, errors) is in `http`.

pub(crate) mod anthropic;
pub(crate) mod openai;

use std::io;

use serde::Serialize;

use crate::request::{CompletionRequest, Content, Role};

/// The size of `body` as JSON, without writing it anywhere.
fn json_bytes(body: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Neither the writer nor the types can fail: every map key is a string.
    let written = serde_json::to_writer(&mut count, body);
    debug_assert!(written.is_ok());
    count.0
}

/// What servers would answer with a 400, or worse, not at all, is found before anything leaves.
fn check(request: &CompletionRequest) -> Result<(), String> {
    if request
        .messages
        .first()
        .is_none_or(|message| message.role != Role::User)
    {
        return Err("the conversation does not begin with a user message".to_owned());
    }
    if let Some(index) = request
        .messages
        .iter()
        .position(|message| message.content.iter().all(is_empty))
    {
        return Err(format!(
            "message {} of the conversation is empty",
            index + 1
        ));
    }
    if request.max_tokens == 0 {
        return Err("max_tokens is 0".to_owned());
    }
    Ok(())
}

fn is_empty(content: &Content) -> bool {
    matches!(content, Content::Text { text } if text.is_empty())
}
