//! The protocol: the only user of tower-lsp and lsp-types.

mod backend;
pub mod capabilities;
mod commands;
mod editor;
mod lens;
pub mod ordered;
mod outbox;
mod pages;
pub mod position;
mod publish;
mod session;
pub mod transport;
pub mod uri;

use std::sync::Arc;

use engine::{Editor, Engine};
use tokio::io::{AsyncRead, AsyncWrite};

/// Serves one client on standard input and output until it is gone; answers with the exit code of the process.
///
/// `make_engine` makes the engine for the client, which it is given as an editor.
pub async fn run(
    make_engine: impl FnOnce(Arc<dyn Editor>) -> anyhow::Result<Engine>,
) -> anyhow::Result<u8> {
    run_over(tokio::io::stdin(), tokio::io::stdout(), make_engine).await
}

/// The same as [`run`] on any two streams.
pub async fn run_over(
    input: impl AsyncRead,
    output: impl AsyncWrite,
    make_engine: impl FnOnce(Arc<dyn Editor>) -> anyhow::Result<Engine>,
) -> anyhow::Result<u8> {
    let backend::Parts {
        service,
        socket,
        engine,
        outbox,
    } = backend::service(make_engine)?;
    let ended = transport::serve(input, output, service, socket).await;
    tracing::info!(cause = ?ended.cause, "the session has ended");
    let code = ended.exit_code();
    tokio::select! {
        () = async {
            engine.shutdown().await;
            outbox::close(&outbox).await;
        } => {}
        never = ended.unheard.listen() => match never {},
    }
    Ok(code)
}

/// The one place where tasks start that no handler waits for. They end by themselves: each waits for something bounded.
#[expect(
    clippy::disallowed_methods,
    reason = "short tasks, and the outbox, which lives as long as the process"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
