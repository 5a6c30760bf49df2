//! Noticing that the editor died without a word.

use tower_lsp::jsonrpc::Request;

/// Resolves when the process named in an `initialize` request is gone.
///
/// Never resolves for a request that names none, and for a process that cannot be seen at the start: it has just sent
/// this request, so it lives, in another process namespace or on another machine. On Windows only the end of the input
/// tells.
pub(super) fn gone(initialize: &Request) -> impl Future<Output = ()> + Send + use<> {
    let id = initialize
        .params()
        .and_then(|params| params.get("processId")?.as_i64())
        .and_then(|id| i32::try_from(id).ok())
        .filter(|id| *id > 0);
    async move {
        if let Some(id) = id {
            process_gone(id).await;
        } else {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn process_gone(id: i32) {
    let Some(process) = rustix::process::Pid::from_raw(id) else {
        return std::future::pending().await;
    };
    if !unix::is_alive(process) {
        tracing::info!(id, "the client's process cannot be seen from here");
        return std::future::pending().await;
    }
    unix::wait(process).await;
    tracing::warn!(id, "the client's process is gone");
}

#[cfg(not(unix))]
async fn process_gone(_id: i32) {
    std::future::pending().await
}

#[cfg(unix)]
mod unix {
    use std::time::Duration;

    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    use tokio::time::MissedTickBehavior;

    /// How often a process is looked up where its end cannot be waited for.
    const INTERVAL: Duration = Duration::from_secs(3);

    pub(super) fn is_alive(process: Pid) -> bool {
        // A process of another user may not be signalled, which proves it is there.
        !matches!(test_kill_process(process), Err(Errno::SRCH))
    }

    pub(super) async fn wait(process: Pid) {
        #[cfg(target_os = "linux")]
        if wait_on_handle(process).await.is_ok() {
            return;
        }
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while is_alive(process) {
            ticks.tick().await;
        }
    }

    /// Waits without polling; fails on kernels before 5.3 and under some sandboxes.
    #[cfg(target_os = "linux")]
    async fn wait_on_handle(process: Pid) -> std::io::Result<()> {
        use rustix::process::{PidfdFlags, pidfd_open};
        use tokio::io::Interest;
        use tokio::io::unix::AsyncFd;

        let handle = pidfd_open(process, PidfdFlags::empty())?;
        #[expect(
            deprecated,
            reason = "the caveat is about types that may close or change their descriptor; `OwnedFd` does neither"
        )]
        let handle = AsyncFd::with_interest(handle, Interest::READABLE)?;
        handle.readable().await?.retain_ready();
        Ok(())
    }
}
