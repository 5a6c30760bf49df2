//! A story, its provider, and a home of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use ledger::{AttemptRow, By, Ledger, Money, Prices, ReportRow, Usage};
use provider::scripted::{Script, Scripted, ScriptedHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::crates::copy_clap_builder;

const MODEL: &str = "claude-sonnet-5-5";

/// A copy of a crate, a home beside it, and the provider.
pub(crate) struct Theatre {
    folder: TempDir,
    provider: ScriptedHandle,
    /// Where the story waits for the provider.
    cues: TcpListener,
}

/// A run as the ledger has it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) row: ReportRow,
    pub(crate) attempts: Vec<AttemptRow>,
}

impl Theatre {
    pub(crate) async fn new(script: &str) -> Theatre {
        let folder = tempfile::tempdir().unwrap();
        let files = copy_clap_builder(&folder.path().join("crate"));
        assert!(files >= 50, "only {files} files");
        for name in ["crate/.git", "config", "state", "cache", "data", "run"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let script = Script::parse(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
        let provider = Scripted::start(script).await.unwrap();
        let cues = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Theatre {
            folder,
            provider,
            cues,
        }
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join("crate").join(file)).unwrap()
    }

    /// The step that waits until the provider holds an answer back.
    pub(crate) fn held(&self) -> Value {
        self.wait_for_provider("h")
    }

    /// The same, and then lets the provider go on.
    pub(crate) fn go_on(&self) -> Value {
        self.wait_for_provider("g")
    }

    fn wait_for_provider(&self, what: &str) -> Value {
        let address = self.cues.local_addr().unwrap();
        let connect = format!(
            "vim.fn.sockconnect('tcp', '{address}', {{ on_data = function() done = true end }})"
        );
        let line = format!(
            "lua local done = false; vim.fn.chansend({connect}, '{what}'); assert(vim.wait(20000, function() return done end, 5))"
        );
        json!({"do": "command", "line": line})
    }

    /// Plays the steps in a real Neovim and answers what was seen. Fails where a step was not taken, or where a request
    /// was not what the script expects.
    pub(crate) async fn play(&self, steps: Vec<Value>) -> Value {
        let inside = |name: &str| self.folder.path().join(name);
        let server = std::env::var_os("FARTHING_SERVER")
            .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_farthing")));
        let story = json!({
            "workspace": inside("crate"),
            "server": [fs::canonicalize(server).unwrap(), "serve"],
            "steps": steps,
        });
        fs::write(inside("story.json"), story.to_string()).unwrap();
        let mut player = self.player(&[inside("story.json"), inside("seen.json")]);
        let played = tokio::task::spawn_blocking(move || player.output());
        let output = tokio::select! {
            output = played => output.unwrap().expect("tests/editors/install-nvim puts Neovim under target/editors"),
            () = self.follow_cues() => unreachable!("cues are followed for as long as the story is played"),
        };
        let failures = self.provider.failures();
        let why = String::from_utf8_lossy(&output.stderr);
        let seen = fs::read_to_string(inside("seen.json")).unwrap_or_default();
        assert!(output.status.success(), "{why}\n{failures:?}\n{seen}");
        assert_eq!(failures, Vec::<String>::new());
        serde_json::from_str(&seen).unwrap()
    }

    async fn follow_cues(&self) {
        let mut holds = 0;
        loop {
            let mut cue = self.cues.accept().await.unwrap().0;
            let what = cue.read_u8().await.unwrap();
            holds += 1;
            self.provider
                .wait_for(|progress| progress.held >= holds)
                .await;
            if what == b'g' {
                self.provider.release();
            }
        }
    }

    fn player(&self, arguments: &[PathBuf]) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = fs::canonicalize(root).unwrap();
        let mut player = Command::new(root.join("target/editors/bin/nvim"));
        player
            .args(["--clean", "-l"])
            .arg(root.join("tests/editors/nvim/story.lua"))
            .args(arguments);
        let foreign = |name: &str| {
            ["FARTHING_", "ANTHROPIC_", "OPENAI_", "NVIM"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        };
        for (name, _) in std::env::vars().filter(|(name, _)| foreign(name)) {
            player.env_remove(name);
        }
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            player.env(name, self.folder.path().join(folder));
        }
        player
            .env("ANTHROPIC_BASE_URL", self.provider.base_url())
            .env("ANTHROPIC_API_KEY", "story-key")
            .env("NO_PROXY", "127.0.0.1");
        player
    }

    /// The runs that the server booked.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let ledger = Ledger::open(&self.folder.path().join("state/farthing/ledger.db")).unwrap();
        let rows = ledger.report(By::Run, None, None).unwrap();
        rows.into_iter()
            .map(|row| {
                let attempts = ledger.attempts(&row.key.parse().unwrap()).unwrap();
                Run { row, attempts }
            })
            .collect()
    }
}

/// What the shipped prices make of it.
pub(crate) fn price(usages: &[Usage]) -> Money {
    let prices = Prices::shipped();
    let price = prices
        .lookup(MODEL, Timestamp::now())
        .expect("a price for the default model");
    usages.iter().map(|usage| price.cost(usage)).sum()
}

/// A string of what was seen; empty where there is none.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Strings of what was seen.
pub(crate) fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
