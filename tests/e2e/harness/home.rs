//! A user's machine in a temporary folder: a workspace, and places for configuration, state and cache.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;

use super::{Options, Process};

/// See the module documentation. Clones are the same machine; the folder goes with the last of them.
#[derive(Clone)]
pub(crate) struct Home(Arc<TempDir>);

impl Home {
    pub(crate) fn new() -> Home {
        // Every booking waits for the disk, and a disk that is busy elsewhere can take half a minute; memory does not.
        let memory = Path::new("/dev/shm");
        let memory = memory
            .is_dir()
            .then(|| TempDir::with_prefix_in("farthing-", memory).ok());
        let folder = memory.flatten();
        let folder = folder.unwrap_or_else(|| TempDir::with_prefix("farthing-").unwrap());
        let home = Home(Arc::new(folder));
        for folder in [
            "workspace",
            "user",
            "config/farthing",
            "state",
            "cache",
            "data",
            "run",
            "tmp",
        ] {
            fs::create_dir_all(home.0.path().join(folder)).unwrap();
        }
        home
    }

    /// Writes a file of the workspace.
    #[expect(clippy::disallowed_methods, reason = "the test is the user")]
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of the workspace.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes the machine-level configuration.
    #[expect(clippy::disallowed_methods, reason = "the test is the user")]
    pub(crate) fn configure(&self, toml: &str) {
        fs::write(self.folder("config/farthing").join("config.toml"), toml).unwrap();
    }

    /// Where the server keeps its ledger and journals.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder("state").join("farthing")
    }

    /// Where the server keeps what can be made again.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder("cache").join("farthing")
    }

    /// The folder that the editor has open.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder("workspace")
    }

    /// A path in the workspace.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        match path.strip_prefix("file://") {
            Some(path) => PathBuf::from(path),
            None if path.is_empty() => self.workspace(),
            None => self.workspace().join(path),
        }
    }

    /// The URI of a path in the workspace; a URI stands for itself.
    pub(crate) fn uri(&self, path: &str) -> String {
        if path.contains(':') {
            return path.to_owned();
        }
        let path = self.path(path);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
        let bytes = path.to_str().unwrap().bytes();
        let text: String = bytes
            .map(|byte| {
                if plain(&byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        format!("file://{text}")
    }

    /// The capabilities that a real client sent.
    pub(crate) fn recorded_capabilities(name: &str) -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recorded");
        let path = folder.join(format!("{name}-capabilities.json"));
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    /// A command of the shipped binary in an environment that holds nothing of the real user's.
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        command.current_dir(self.workspace()).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("HOME", self.folder("user"))
            .env("XDG_CONFIG_HOME", self.folder("config"))
            .env("XDG_STATE_HOME", self.folder("state"))
            .env("XDG_CACHE_HOME", self.folder("cache"))
            .env("XDG_DATA_HOME", self.folder("data"))
            .env("XDG_RUNTIME_DIR", self.folder("run"))
            .env("TMPDIR", self.folder("tmp"))
            .env("LANG", "C.UTF-8")
            .env("RUST_BACKTRACE", "1");
        command
    }

    /// Asks git in the workspace, as its user.
    #[expect(
        clippy::disallowed_methods,
        reason = "a repository is made as its user would make it"
    )]
    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        command.args(["-c", "commit.gpgsign=false"]).args(arguments);
        let output = command.current_dir(self.workspace()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Commits everything in the workspace.
    pub(crate) fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    /// Starts the server with its log on standard error.
    pub(super) fn launch(&self, options: &Options) -> (Process, ChildStdout, ChildStdin) {
        let mut command = self.command();
        command.args(&options.arguments);
        for (name, value) in &options.environment {
            command.env(name, value);
        }
        let streams = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        let input = child.stdout.take().unwrap();
        let output = child.stdin.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let process = Process {
            child,
            log,
            reader: Some(reader),
        };
        (process, input, output)
    }

    fn folder(&self, name: &str) -> PathBuf {
        // Temporary folders may lie behind a link, and a server may resolve it.
        self.0.path().canonicalize().unwrap().join(name)
    }
}
