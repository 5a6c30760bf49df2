//! `farthing serve`: the language server.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::setup::{self, Places};

/// Serves until the client is gone.
pub(crate) fn serve() -> anyhow::Result<ExitCode> {
    // Standard output carries the protocol and nothing else.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("FARTHING_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let places = Places::find()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(async {
        lsp::run(|editor| setup::engine(&places, editor, Some(places.hunks()))).await
    })?;
    // A blocking read of standard input would keep the runtime alive.
    std::process::exit(i32::from(code))
}
