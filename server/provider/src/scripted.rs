//! A provider that answers from a file: a server on loopback that speaks the Messages stream and the stream of chat
//! completions, byte by byte.
//!
//! Tests and the demo run the real HTTP path against it, and it can do everything a real endpoint can do wrong. It is
//! stateless: which turn to play follows from the conversation in the request, so one server serves many runs at once
//! and a run can be repeated. `docs/scripted-provider.md` describes the format.
//!
//! ```toml
//! [[turn]]
//! expect = { contains = "Cart/total" }
//! text = "I will simplify it."
//!
//! [[turn.tool]]
//! name = "edit_symbol"
//! input = { symbol = "Cart/total", hash = "{{hash:Cart/total}}", old = "a + b", new = "b + a" }
//!
//! [[turn]]
//! text = "Done."
//! ```

mod asked;
mod chat;
mod play;
mod respond;
mod script;
mod serve;
mod wire;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::respond::State;
pub use self::script::{Script, ScriptError};
use crate::usage::Usage;

/// The scripted provider.
#[derive(Debug)]
pub struct Scripted;

impl Scripted {
    /// Serves `script` on a free port of the loopback interface until the handle is dropped.
    pub async fn start(script: Script) -> io::Result<ScriptedHandle> {
        Scripted::start_at(script, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Serves `script` at `address`.
    pub async fn start_at(script: Script, address: SocketAddr) -> io::Result<ScriptedHandle> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(script));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve::serve(listener, state.clone()));
        Ok(ScriptedHandle {
            address,
            state,
            tasks,
        })
    }
}

/// A running scripted provider. Dropping it stops the server and breaks its connections.
#[derive(Debug)]
pub struct ScriptedHandle {
    address: SocketAddr,
    state: Arc<State>,
    /// The server. Aborted when the handle is dropped, and its connections with it.
    tasks: JoinSet<()>,
}

impl ScriptedHandle {
    /// The base URL to configure a client with.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests()
    }

    /// Every request that was not what the script expects, as a sentence.
    pub fn failures(&self) -> Vec<String> {
        self.state.failures()
    }

    /// What a real provider would have billed at most: the declared usage of every answer that began, even if it was
    /// cut off or abandoned.
    pub fn billed(&self) -> Usage {
        self.state.billed()
    }

    /// How often somebody asked how many tokens a prompt has. These are not among [`ScriptedHandle::requests`].
    pub fn counts(&self) -> usize {
        self.state.counts()
    }

    /// What has happened so far.
    pub fn progress(&self) -> Progress {
        self.state.progress()
    }

    /// Waits until what has happened satisfies `done`. Waits for ever if it never does.
    pub async fn wait_for(&self, done: impl FnMut(&Progress) -> bool) -> Progress {
        self.state.wait_for(done).await
    }

    /// Lets one stream that is held (`hold_after`) go on; if none is, the next one will not stop.
    pub fn release(&self) {
        self.state.release();
    }

    /// Stops the server. After this its port is free.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

/// What a scripted provider has seen and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Connections that clients made.
    pub connections: usize,
    /// Requests that arrived.
    pub requests: usize,
    /// Answers that were streamed to their end.
    pub answered: usize,
    /// Streams that reached their `hold_after`.
    pub held: usize,
    /// Streams that the client left before their end.
    pub abandoned: usize,
}

/// One request as it arrived.
#[derive(Clone)]
pub struct Recorded {
    /// The path, for example `/v1/messages`.
    pub path: String,
    /// Names in lower case, in order. The value of a header that carries a key is `[key]`.
    pub headers: Vec<(String, String)>,
    /// The body; `null` if it was not JSON.
    pub body: Value,
    /// The exact size of the body.
    pub body_bytes: usize,
}

impl Recorded {
    /// The value of the header `name`, written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "POST {} {}", self.path, self.body)
    }
}
