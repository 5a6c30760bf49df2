//! An editor for tests: it drives a server over raw JSON-RPC, keeps its own documents, answers what servers ask, and is
//! strict.
//!
//! ```ignore
//! let home = Home::new();
//! home.write("src/lib.rs", "fn main() {}\n");
//! let mut editor = Editor::start(&home, Options::neovim());
//! editor.initialize();
//! editor.open("src/lib.rs");
//! let actions = editor.code_actions("src/lib.rs", "main");
//! editor.execute(&actions[0]["command"]);
//! editor.wait_for_progress("end");
//! assert_eq!(editor.text("src/lib.rs"), "…");
//! ```
//!
//! Everything happens in the test's own thread: messages are handled, and the server's requests answered, while the test
//! waits for something. A test that waits for nothing answers nothing. Waiting has a deadline and never sleeps.
//!
//! When an editor is dropped it shuts the server down and fails the test if the server broke the protocol, reported an
//! error that the test did not take, wrote an error to its log, or left with a code other than 0.

#![allow(
    dead_code,
    unused_imports,
    reason = "a library; not every test uses all of it"
)]

mod answer;
mod document;
mod documents;
mod home;
mod options;
mod requests;
mod self_test;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::process::{Child, ExitStatus};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use self::answer::Applying;
pub(crate) use self::document::{Change, Document, Encoding};
pub(crate) use self::home::Home;
pub(crate) use self::options::{Options, Temper, Told};
use self::wire::{Received, Wire};

/// How long a test waits for one thing. Far longer than it should take, so that a slow machine fails no test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A moment at which a test can act, with the message that brought it about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// An edit of the server is about to be looked at: the last moment to type something.
    BeforeApply,
    /// It was applied or not; the reply has not been sent.
    AfterApply,
    /// A message with this method came from the server; nothing was done about it.
    On(&'static str),
}

type Hook = Rc<RefCell<dyn FnMut(&mut Editor, &Value)>>;

/// One message that went over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) after: Duration,
    pub(crate) from_server: bool,
    pub(crate) message: Value,
}

/// The last diagnostics of one document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    pub(crate) version: Option<i64>,
    pub(crate) items: Vec<Value>,
    /// How often they were published.
    pub(crate) times: usize,
}

/// An editor with one server. See the module documentation.
pub(crate) struct Editor {
    pub(crate) options: Options,
    pub(crate) capabilities: Value,
    /// What `initialize` was answered with.
    pub(crate) server: Value,
    pub(crate) encoding: Encoding,
    /// Everything that went over the wire.
    pub(crate) recorded: Vec<Recorded>,
    home: Home,
    wire: Wire,
    process: Option<Process>,
    started: Instant,
    last_id: i64,
    waiting: BTreeMap<i64, Option<Result<Value, Value>>>,
    unread: VecDeque<Value>,
    documents: BTreeMap<String, Document>,
    diagnostics: BTreeMap<String, Published>,
    progress: BTreeMap<String, Vec<Value>>,
    registered: BTreeMap<String, Value>,
    hooks: Vec<(Moment, Hook)>,
    applying: VecDeque<Applying>,
    held: VecDeque<(Value, Value)>,
    untold: VecDeque<answer::Untold>,
    choices: VecDeque<Value>,
    errors: Vec<String>,
    violations: Vec<String>,
    allowed_log: Vec<String>,
    ended: bool,
}

/// The server's process and what it wrote to its standard error.
struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Ends once the log is whole.
    reader: Option<JoinHandle<()>>,
}

impl Editor {
    /// Starts the shipped binary.
    pub(crate) fn start(home: &Home, options: Options) -> Editor {
        let (process, input, output) = home.launch(&options);
        let mut editor = Editor::over(input, output, home, options);
        editor.process = Some(process);
        editor
    }

    /// Talks to a server at the other end of two streams.
    pub(crate) fn over(
        input: impl Read + Send + 'static,
        output: impl Write + Send + 'static,
        home: &Home,
        options: Options,
    ) -> Editor {
        Editor {
            capabilities: Home::recorded_capabilities(options.capabilities),
            server: Value::Null,
            encoding: Encoding::Utf16,
            recorded: Vec::new(),
            home: home.clone(),
            wire: Wire::new(input, output),
            process: None,
            started: Instant::now(),
            last_id: 0,
            waiting: BTreeMap::new(),
            unread: VecDeque::new(),
            documents: BTreeMap::new(),
            diagnostics: BTreeMap::new(),
            progress: BTreeMap::new(),
            registered: BTreeMap::new(),
            hooks: Vec::new(),
            applying: VecDeque::new(),
            held: VecDeque::new(),
            untold: VecDeque::new(),
            choices: VecDeque::new(),
            errors: Vec::new(),
            violations: Vec::new(),
            allowed_log: Vec::new(),
            ended: false,
            options,
        }
    }

    /// Initializes the session with the recorded capabilities; the workspace of the home is its one folder.
    pub(crate) fn initialize(&mut self) -> Value {
        let root = self.uri("");
        let mut params = json!({
            "processId": std::process::id(),
            "clientInfo": {"name": self.options.name, "version": "test"},
            "rootUri": root,
            "workspaceFolders": [{"uri": root, "name": "workspace"}],
            "capabilities": self.capabilities,
        });
        if !self.options.initialization.is_null() {
            params["initializationOptions"] = self.options.initialization.clone();
        }
        self.server = self.request("initialize", params);
        let encoding = &self.server["capabilities"]["positionEncoding"];
        self.encoding = Encoding::named(encoding.as_str().unwrap_or("utf-16"));
        self.notify("initialized", json!({}));
        self.server.clone()
    }

    // Events.

    /// Waits for a message from the server, also one that came before and was not taken yet, and takes it.
    pub(crate) fn wait_for(&mut self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        self.wait_until(what, |editor| {
            let at = editor.unread.iter().position(&mut wanted)?;
            editor.unread.remove(at)
        })
    }

    /// Waits for a message with this method and takes it.
    pub(crate) fn wait_for_method(&mut self, method: &str) -> Value {
        self.wait_for(method, |message| message["method"] == method)
    }

    /// Waits for a progress event of this kind (`begin`, `report`, `end`) and takes it.
    pub(crate) fn wait_for_progress(&mut self, kind: &str) -> Value {
        let event = self.wait_for(&format!("progress {kind}"), |message| {
            message["method"] == "$/progress" && message["params"]["value"]["kind"] == kind
        });
        event["params"].clone()
    }

    /// Waits until the editor is in a state, looking again after each message.
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        mut state: impl FnMut(&mut Editor) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = state(self) {
                return found;
            }
            match self.wire.receive(deadline) {
                Received::Message(message) => self.handle(message),
                Received::Rubbish(bytes) => self.fail(&format!("the server sent {bytes:?}")),
                Received::End => self.fail(&format!("the server left before {what}")),
                Received::Silence => self.fail(&format!("no {what} in {PATIENCE:?}")),
            }
        }
    }

    /// Handles what the server sent before it answered this: afterwards nothing older is on its way.
    pub(crate) fn settle(&mut self) {
        let _refused = self.try_request("farthing/unknown", json!({}));
    }

    /// Acts at every such moment from now on.
    pub(crate) fn at(&mut self, moment: Moment, hook: impl FnMut(&mut Editor, &Value) + 'static) {
        self.hooks.push((moment, Rc::new(RefCell::new(hook))));
    }

    /// Acts at the next such moment only.
    pub(crate) fn once(
        &mut self,
        moment: Moment,
        hook: impl FnOnce(&mut Editor, &Value) + 'static,
    ) {
        let mut hook = Some(hook);
        self.at(moment, move |editor, message| {
            if let Some(hook) = hook.take() {
                hook(editor, message);
            }
        });
    }

    /// Decides how the next edits of the server are treated, one after the other; later ones as usual.
    pub(crate) fn next_edits(&mut self, applying: impl IntoIterator<Item = Applying>) {
        self.applying.extend(applying);
    }

    /// Decides what the user picks in the next question, by the title of the choice; without one, nothing.
    pub(crate) fn next_choice(&mut self, title: &str) {
        self.choices.push_back(json!({"title": title}));
    }

    /// The last diagnostics of a document.
    pub(crate) fn diagnostics(&self, path: &str) -> Published {
        self.diagnostics
            .get(&self.uri(path))
            .cloned()
            .unwrap_or_default()
    }

    /// The values of all progress events of one token so far, oldest first.
    pub(crate) fn progress(&self, token: &Value) -> Vec<Value> {
        self.progress
            .get(&token.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// Asks the server to stop what it reports under this token.
    pub(crate) fn cancel_progress(&mut self, token: &Value) {
        self.notify("window/workDoneProgress/cancel", json!({"token": token}));
    }

    /// What the client was asked to register, by method.
    pub(crate) fn registration(&self, method: &str) -> Option<&Value> {
        self.registered.get(method)
    }

    /// The server's messages with this method, in order.
    pub(crate) fn sent_by_server(&self, method: &str) -> Vec<&Value> {
        let recorded = self.recorded.iter().filter(|recorded| recorded.from_server);
        recorded
            .map(|recorded| &recorded.message)
            .filter(|message| message["method"] == method)
            .collect()
    }

    /// Takes the errors that the server has shown to the user so far.
    pub(crate) fn take_errors(&mut self) -> Vec<String> {
        std::mem::take(&mut self.errors)
    }

    /// Takes the server's breaches of the protocol so far.
    pub(crate) fn take_violations(&mut self) -> Vec<String> {
        std::mem::take(&mut self.violations)
    }

    /// Lets errors in the server's log pass that contain this.
    pub(crate) fn allow_in_log(&mut self, part: &str) {
        self.allowed_log.push(part.to_owned());
    }

    /// The processor time that the server has used, where the system tells.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let id = self.process.as_ref()?.child.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // After the name, which may hold anything: the 14th and 15th fields, in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// The most memory that the server has taken so far, in bytes, where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let id = self.process.as_ref()?.child.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes << 10)
    }

    // The end.

    /// Ends the session as an editor does, and fails the test for whatever was wrong in it.
    pub(crate) fn shutdown(mut self) {
        self.end();
    }

    /// Kills the server, as a crash would. The home can be started again.
    pub(crate) fn kill(mut self) {
        self.ended = true;
        if let Some(process) = &mut self.process {
            let _gone = process.child.kill();
            let _gone = process.child.wait();
        }
    }

    /// Closes the server's input without a word and waits for it to leave.
    pub(crate) fn hang_up(mut self) -> Option<ExitStatus> {
        self.ended = true;
        self.wire.close();
        self.wait_for_exit()
    }

    fn end(&mut self) {
        self.ended = true;
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let status = self.wait_for_exit();
        if status.is_some_and(|status| status.code() != Some(0)) {
            self.violations
                .push(format!("the server left with {status:?}"));
        }
        let log = self.log();
        let complaints = log
            .iter()
            .filter(|line| line.contains("ERROR") || line.contains("panicked at"));
        let complaints =
            complaints.filter(|line| !self.allowed_log.iter().any(|part| line.contains(part)));
        let mut faults: Vec<String> = complaints
            .map(|line| format!("in the log: {line}"))
            .collect();
        faults.extend(
            self.errors
                .iter()
                .map(|error| format!("an error nobody took: {error}")),
        );
        faults.extend(self.violations.iter().cloned());
        let unanswered = self.waiting.iter().filter(|(_, answer)| answer.is_none());
        faults.extend(unanswered.map(|(id, _)| format!("request {id} was never answered")));
        if !faults.is_empty() {
            self.fail(&format!(
                "the server misbehaved:\n  {}",
                faults.join("\n  ")
            ));
        }
    }

    /// Reads to the end of the server's output, then reaps the process.
    fn wait_for_exit(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.wire.receive(deadline) {
                Received::Message(message) => self.handle(message),
                Received::Rubbish(bytes) => self.fail(&format!("the server sent {bytes:?}")),
                Received::End => break,
                Received::Silence => {
                    if let Some(process) = &mut self.process {
                        let _gone = process.child.kill();
                    }
                    self.fail(&format!("the server did not leave in {PATIENCE:?}"));
                }
            }
        }
        let process = self.process.as_mut()?;
        let status = process.child.wait().ok();
        if let Some(reader) = process.reader.take() {
            let _whole = reader.join();
        }
        status
    }

    fn log(&self) -> Vec<String> {
        let log = self
            .process
            .as_ref()
            .map(|process| process.log.lock().unwrap().clone());
        log.unwrap_or_default()
    }

    /// Fails the test with the end of the conversation and of the server's log.
    fn fail(&self, reason: &str) -> ! {
        let mut story = String::new();
        for recorded in self.recorded.iter().rev().take(40).rev() {
            let direction = if recorded.from_server { "<-" } else { "->" };
            let message: String = recorded.message.to_string().chars().take(600).collect();
            let after = recorded.after.as_millis();
            let _infallible = writeln!(story, "{after:>6} ms {direction} {message}");
        }
        for line in self.log().iter().rev().take(30).rev() {
            let _infallible = writeln!(story, "log: {line}");
        }
        panic!("{reason}\n{story}");
    }

    fn send(&mut self, message: Value) {
        self.wire.send(&message);
        self.record(false, message);
    }

    fn record(&mut self, from_server: bool, message: Value) {
        let after = self.started.elapsed();
        self.recorded.push(Recorded {
            after,
            from_server,
            message,
        });
    }

    fn run_hooks(&mut self, now: impl Fn(Moment) -> bool, message: &Value) {
        let hooks: Vec<Hook> = self
            .hooks
            .iter()
            .filter(|(at, _)| now(*at))
            .map(|(_, hook)| Rc::clone(hook))
            .collect();
        for hook in hooks {
            // A hook that is running already waits for something; it does not act again meanwhile.
            if let Ok(mut hook) = hook.try_borrow_mut() {
                (*hook)(self, message);
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Some(process) = &mut self.process {
                let _gone = process.child.kill();
                let _gone = process.child.wait();
            }
        } else if !self.ended {
            self.end();
        }
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
