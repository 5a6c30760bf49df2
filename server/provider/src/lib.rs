//! Talks to model APIs: request, stream events, usage, errors, retry. Does not know what a tool means.
//!
//! One call of [`Provider::stream`] is one HTTP attempt, because every attempt may be billed and so needs its own
//! reservation. The caller asks [`RetryPolicy`] whether another attempt makes sense and when.
//!
//! Three promises hold for every stream:
//!
//! 1. It ends with exactly one [`StreamEvent::Finished`] or one [`ProviderError`], and nothing follows.
//! 2. Both say what is known about the bill ([`Billed`]); what is not known is never counted as zero.
//! 3. The key is in the request header and nowhere else: not in events, errors, `Debug` output or logs.
//!
//! [`scripted`] is a server on loopback that speaks the same wires from a file, for tests and for the demo.

mod error;
mod event;
mod http;
mod key;
mod origin;
mod request;
mod retry;
pub mod scripted;
mod sse;
mod usage;
mod wire;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;

pub use crate::error::{Billed, ErrorKind, ProviderError};
pub use crate::event::{StopReason, StreamEvent};
pub use crate::http::{SetupError, Timeouts};
pub use crate::key::Auth;
pub use crate::request::{
    CacheTtl, CompletionRequest, Content, Effort, Message, Role, SystemBlock, ToolSpec,
};
pub use crate::retry::RetryPolicy;
pub use crate::usage::Usage;
pub use crate::wire::anthropic::{Anthropic, AnthropicConfig};
pub use crate::wire::openai::{OpenAi, OpenAiConfig, OpenAiServer};

/// Tokens a provider adds to a prompt that has tools, rounded up from the largest published overhead (804, Opus 4.7
/// with a forced tool).
const TOOL_PROMPT_TOKENS: u64 = 1_024;

/// A vendor's API: streams one completion per call.
pub trait Provider: Send + Sync {
    /// The provider's short name, as the ledger and the configuration write it: `anthropic`.
    fn name(&self) -> &str;

    /// The exact size in bytes of the JSON body that `request` is sent with.
    fn body_bytes(&self, request: &CompletionRequest) -> usize;

    /// An upper bound of the prompt's tokens that needs no tokenizer. It rests on two things vendors do not promise but
    /// all keep: no token is shorter than one byte, and what they add for tools stays near what they publish.
    fn input_upper_bound(&self, request: &CompletionRequest) -> u64 {
        let overhead = if request.tools.is_empty() {
            0
        } else {
            TOOL_PROMPT_TOKENS
        };
        self.body_bytes(request) as u64 + overhead
    }

    /// The tokens of the prompt that `request` would send, counted by the provider itself: exact but for a few. `None`
    /// where it has no counter, or where that does not answer.
    ///
    /// Nobody bills it, but it sends the prompt, so it is only for a request that the user has asked for. It takes as long
    /// as it takes: the caller decides how long to wait, and dropping the future ends it.
    fn count_tokens(&self, request: &CompletionRequest) -> BoxFuture<'static, Option<u64>> {
        let _ = request;
        std::future::ready(None).boxed()
    }

    /// Sends `request` once and streams the answer.
    ///
    /// Nothing is sent before the stream is first polled, and dropping the stream closes the connection.
    /// Polling it to its end, past `Finished`, lets the next request use the same connection.
    /// When `cancel` fires, the stream ends at once with [`ErrorKind::Cancelled`], which carries the usage known so far.
    fn stream(
        &self,
        request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>>;
}
