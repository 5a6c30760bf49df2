//! `farthing demo`: the main job from start to end, in a terminal.

mod client;
mod story;

use std::process::ExitCode;

use clap::Args;

/// How to tell the story.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Ask the real model that is configured instead of the scripted one. This costs money, as the ledger will show.
    #[arg(long)]
    live: bool,
}

/// Tells the story once.
pub(crate) fn demo(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    story::tell(&runtime, args.live)
}
