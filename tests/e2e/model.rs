//! The model of a test: a script behind the real HTTP path.

use std::time::Duration;

use provider::scripted::{Progress, Script, Scripted, ScriptedHandle};
use tokio::runtime::Runtime;

use crate::harness::Options;

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scripted provider and the runtime it lives on. Dropped, it fails the test if a request was not as the script expects.
pub(crate) struct Model {
    runtime: Runtime,
    pub(crate) handle: ScriptedHandle,
}

impl Model {
    pub(crate) fn start(script: &str) -> Model {
        let runtime = Runtime::new().unwrap();
        let script = Script::parse(script).unwrap();
        let handle = runtime.block_on(Scripted::start(script)).unwrap();
        Model { runtime, handle }
    }

    /// The editor, with this model to ask.
    pub(crate) fn behind(&self, options: Options) -> Options {
        options
            .env("ANTHROPIC_BASE_URL", &self.handle.base_url())
            .env("ANTHROPIC_API_KEY", "a-test-key")
            .env("NO_PROXY", "127.0.0.1")
    }

    /// Waits for something that does not need the editor to answer.
    pub(crate) fn until(&self, what: &str, done: impl FnMut(&Progress) -> bool) -> Progress {
        let waiting = async { tokio::time::timeout(PATIENCE, self.handle.wait_for(done)).await };
        let progress = self.runtime.block_on(waiting);
        progress.unwrap_or_else(|_| panic!("no {what}; so far {:?}", self.handle.progress()))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.handle.failures(), Vec::<String>::new());
        }
    }
}
