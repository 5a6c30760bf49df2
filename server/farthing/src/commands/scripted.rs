//! `farthing scripted`: the scripted model as a process of its own.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use provider::scripted::{Script, Scripted};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::ui;

/// Serves the script until standard input closes; then prints what was asked and what it would have cost.
pub(crate) fn scripted(path: &Path) -> anyhow::Result<ExitCode> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let script = Script::parse(&text).with_context(|| path.display().to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let server = Scripted::start(script).await.context("cannot listen on loopback")?;
        ui::line(json!({"base_url": server.base_url()}))?;
        let mut input = tokio::io::stdin();
        let mut ignored = [0; 256];
        while input.read(&mut ignored).await? > 0 {}
        let failures = server.failures();
        ui::line(json!({"requests": server.requests().len(), "billed": server.billed(), "failures": failures}))?;
        Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}
