//! The rest of the world: one user's editor and purse, in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agent::{
    Ask, Attempt, FileChange, Grant, Host, JournalEvent, NoBudget, Outcome, Progress, Scope,
    Settlement,
};
use async_trait::async_trait;
use gate::{FileKind, Named, Policy, Proposal, Refusal, Rule, Standing, Verdict, View, decide};
use ledger::Usage;
use text::{Edit, EditSet, FilePath, Range, Text};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workspace::{Coverage, Snapshot, Workspace};

use crate::spec::Spec;

/// An editor that makes every approved edit at once, and a user who answers as the specification says.
pub(crate) struct Desk {
    root: FilePath,
    cancel: CancellationToken,
    /// How many requests the budget has room for.
    requests: Option<usize>,
    /// The answer length that a request over budget could still have.
    affordable: Option<u32>,
    /// A model that can always be paid.
    cheaper: Option<String>,
    allows: bool,
    grants: bool,
    keeps_back: bool,
    windows: bool,
    /// The file that runs are kept out of.
    closed: Option<String>,
    /// What another run works on.
    leased: Option<String>,
    /// The moment at which the user cancels.
    cancels_at: Option<usize>,
    /// How many there have been.
    moments: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    workspace: Workspace,
    scope: Option<Scope>,
    before: Vec<(String, String)>,
    active: FilePath,
    attempts: Vec<Attempt>,
    bills: Vec<String>,
    notes: Vec<String>,
    end: String,
    cancelled: Option<Cancelled>,
}

/// When the user cancelled at a moment, and what every file was then.
#[derive(Clone)]
pub(crate) struct Cancelled {
    pub(crate) at: Instant,
    pub(crate) files: Vec<(String, String, bool)>,
}

impl Desk {
    pub(crate) fn new(spec: &Spec, cancel: CancellationToken) -> Desk {
        let root = FilePath::new("/home/someone/project").unwrap();
        let mut workspace = Workspace::default();
        workspace.set_roots(vec![root.clone()]);
        let windows = spec.given("line breaks") == Some("windows");
        for (path, text) in &spec.files {
            let file = root.join(path).unwrap();
            let text = if windows {
                text.replace('\n', "\r\n")
            } else {
                text.clone()
            };
            workspace.open(&file, "", 1, Text::from(text.as_str()));
            index(&mut workspace, &file);
        }
        let files = spec.files.len();
        workspace.set_coverage(Coverage {
            done: files,
            found: files,
            complete: true,
        });
        let active = spec.action.split(' ').nth(1).unwrap_or_default();
        let state = State {
            workspace,
            scope: None,
            before: spec.files.clone(),
            active: root.join(active).unwrap(),
            attempts: Vec::new(),
            bills: Vec::new(),
            notes: Vec::new(),
            end: String::new(),
            cancelled: None,
        };
        let says = |key: &str, word: &str| spec.given(key) == Some(word);
        Desk {
            root,
            cancel,
            requests: spec
                .given("budget")
                .map(|count| count.split(' ').next().unwrap_or_default().parse().unwrap()),
            affordable: spec
                .given("affordable answer")
                .map(|tokens| tokens.parse().unwrap()),
            cheaper: spec.given("cheaper model").map(str::to_owned),
            allows: says("the user allows", "yes"),
            grants: says("the user grants", "yes"),
            keeps_back: says("mode", "staged"),
            windows,
            closed: spec.given("closed").map(str::to_owned),
            leased: spec.given("another run works on").map(str::to_owned),
            cancels_at: spec
                .given("the user cancels at moment")
                .map(|moment| moment.parse().unwrap()),
            moments: AtomicUsize::new(0),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn path(&self, path: &str) -> FilePath {
        self.root.join(path).unwrap()
    }

    pub(crate) fn set_scope(&self, scope: Scope) {
        self.state.lock().unwrap().scope = Some(scope);
    }

    /// Every file, its text, and whether that has changed.
    pub(crate) fn files(&self) -> Vec<(String, String, bool)> {
        let state = self.state.lock().unwrap();
        let snapshot = state.workspace.snapshot();
        let files = state.before.iter().map(|(path, before)| {
            let file = self.root.join(path).unwrap();
            let text = snapshot
                .open_document(&file)
                .map(|document| document.text().to_string())
                .unwrap_or_default();
            let text = if self.windows {
                let shown = text.replace("\r\n", "\n");
                assert_eq!(
                    text.matches('\n').count(),
                    text.matches("\r\n").count(),
                    "{text:?}"
                );
                shown
            } else {
                text
            };
            let changed = text != *before;
            (path.clone(), text, changed)
        });
        files.collect()
    }

    pub(crate) fn user_types(&self, old: &str, new: &str) {
        let mut state = self.state.lock().unwrap();
        let file = state.active.clone();
        let text = state
            .workspace
            .snapshot()
            .open_document(&file)
            .unwrap()
            .text()
            .to_string();
        let at = text
            .find(old)
            .unwrap_or_else(|| panic!("the user looks for {old:?} in vain"));
        change(
            &mut state.workspace,
            &file,
            EditSet::one(Edit::new(Range::new(at, at + old.len()), new)),
        );
    }

    pub(crate) fn user_cancels(&self) {
        self.cancel.cancel();
    }

    /// Something happens: the host is asked or told something, or a piece of the answer comes.
    pub(crate) fn moment(&self) {
        let moment = self.moments.fetch_add(1, Ordering::Relaxed);
        if self.cancels_at != Some(moment) {
            return;
        }
        self.cancel.cancel();
        let cancelled = Cancelled {
            at: Instant::now(),
            files: self.files(),
        };
        self.state.lock().unwrap().cancelled = Some(cancelled);
    }

    /// A moment in which a host waits, and whether the user has cancelled by its end.
    async fn is_stopped_now(&self) -> bool {
        self.moment();
        tokio::task::yield_now().await;
        self.cancel.is_cancelled()
    }

    /// How many moments there were, and the one at which the user cancelled.
    pub(crate) fn moments(&self) -> (usize, Option<Cancelled>) {
        let cancelled = self.state.lock().unwrap().cancelled.clone();
        (self.moments.load(Ordering::Relaxed), cancelled)
    }

    /// How the run ended, what it was asked to pay, and whatever else the user saw.
    pub(crate) fn end(&self) -> String {
        let state = self.state.lock().unwrap();
        assert_eq!(
            state.bills.len(),
            state.attempts.len(),
            "each reservation is settled exactly once: {:?}",
            state.bills
        );
        let lines = [state.end.clone()]
            .into_iter()
            .chain(state.notes.iter().cloned())
            .chain(state.bills.iter().cloned());
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Renames or deletes a file that is open in the editor.
    fn moved(&self, change: &FileChange) -> Outcome {
        let mut state = self.state.lock().unwrap();
        let open = |path: &FilePath| (state.workspace.snapshot().open_document(path)).cloned();
        let policy = Policy::new(vec![self.root.clone()]);
        let name = change.file();
        let path = self.root.join(name).unwrap();
        let document = open(&path);
        let worked_in = (path == state.active).then(String::new);
        let kind = match &document {
            Some(_) => FileKind::Ordinary,
            None => FileKind::Nothing,
        };
        let standing = Standing {
            kind,
            worked_in,
            ..Standing::default()
        };
        let old = (Named { file: &path, name }, &standing);
        let (asked, to) = match change {
            FileChange::Rename { to, reason, .. } => {
                let new = self.root.join(to).unwrap();
                let named = Named {
                    file: &new,
                    name: to,
                };
                let named = (named, open(&new).is_some());
                let judged = gate::rename(&policy, old, named, reason);
                let asked = format!("asked to rename {name} to {to}: {reason}");
                (judged.map(|_| asked), Some(new))
            }
            FileChange::Delete { reason, .. } => {
                let judged = gate::delete(&policy, old, 1 << 20, reason);
                let asked = format!("asked to delete {name}: {reason}");
                (judged.map(|_| asked), None)
            }
            FileChange::Create { .. } => unreachable!(),
        };
        match asked {
            Ok(asked) => state.notes.push(asked),
            Err(refusal) => return Outcome::Refused(refusal),
        }
        if !self.allows {
            return Outcome::Refused(Refusal {
                rule: Rule::Protected,
                message: format!("the user did not allow {name}"),
            });
        }
        let text = document.unwrap().text().clone();
        state.workspace.close(&path);
        state.workspace.forget(&path);
        if let Some(to) = to {
            let name = to.relative_to(&self.root).unwrap().to_owned();
            state.before.push((name, String::new()));
            state.workspace.open(&to, "", 1, text);
            index(&mut state.workspace, &to);
        }
        Outcome::Landed { hunks: 1 }
    }

    fn bill(&self, attempt: Attempt, how: &str) {
        let mut state = self.state.lock().unwrap();
        let number = state
            .attempts
            .iter()
            .position(|known| *known == attempt)
            .unwrap()
            + 1;
        state.bills.push(format!("request {number}: {how}"));
    }
}

#[async_trait]
impl Host for Desk {
    fn snapshot(&self) -> Snapshot {
        self.moment();
        let snapshot = self.state.lock().unwrap().workspace.snapshot();
        let closed = self.closed.clone();
        snapshot.closing(move |file| closed.as_deref() == Some(file))
    }

    async fn propose(&self, proposal: Proposal) -> Outcome {
        assert!(
            !self.cancel.is_cancelled(),
            "nothing is proposed after the user has cancelled"
        );
        if self.is_stopped_now().await {
            return Outcome::Cancelled;
        }
        let mut state = self.state.lock().unwrap();
        let snapshot = state.workspace.snapshot();
        let scope = state.scope.clone().unwrap();
        let document = snapshot.open_document(&proposal.file).unwrap();
        let parsed = document.parsed().unwrap();
        let view = View {
            file: document.file(),
            text: document.text(),
            version: document.version(),
            parsed,
        };
        let (edit, added) = match decide(
            &view,
            &scope,
            &Policy::new(vec![self.root.clone()]),
            &proposal,
        ) {
            Verdict::Approved { edit, added } => (edit, added),
            Verdict::NeedsApproval(question) => {
                state.notes.push(format!(
                    "asked: {}",
                    question.text.replace(self.root.as_str(), "")
                ));
                if !self.allows {
                    let message = "the user did not allow this change".to_owned();
                    return Outcome::Refused(Refusal {
                        rule: Rule::Protected,
                        message,
                    });
                }
                question.approve()
            }
            Verdict::Refused(refusal) => return Outcome::Refused(refusal),
        };
        if self.keeps_back {
            return Outcome::Pending {
                why: "changes are staged".to_owned(),
            };
        }
        change(&mut state.workspace, &proposal.file, edit.edits().clone());
        state.scope = Some(scope.with_added(added));
        Outcome::Landed {
            hunks: edit.hunks().len(),
        }
    }

    async fn change_file(&self, change: FileChange) -> Outcome {
        if self.is_stopped_now().await {
            return Outcome::Cancelled;
        }
        let FileChange::Create { file, text, reason } = &change else {
            return self.moved(&change);
        };
        let mut state = self.state.lock().unwrap();
        let path = self.root.join(file).unwrap();
        let is_there = state.workspace.snapshot().open_document(&path).is_some();
        let policy = Policy::new(vec![self.root.clone()]);
        let grammar = grammars::for_path(file);
        let judged = gate::create(&policy, grammar, (path, is_there), file, text, reason);
        let question = match judged {
            Ok(question) => question,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let asked = format!("asked to make {file}: {reason}. {}", question.warning);
        state.notes.push(asked.trim_end().to_owned());
        if !self.allows {
            return Outcome::Refused(Refusal {
                rule: Rule::Protected,
                message: format!("the user did not allow {file}"),
            });
        }
        let new = question.approve();
        state.before.push((file.clone(), String::new()));
        let text = new.text().clone();
        state.workspace.open(new.file(), "", 1, text);
        index(&mut state.workspace, new.file());
        Outcome::Landed { hunks: 1 }
    }

    async fn reserve(&self, ask: Ask) -> Result<Attempt, NoBudget> {
        self.moment();
        let mut state = self.state.lock().unwrap();
        let fits = self
            .affordable
            .is_some_and(|affordable| ask.max_tokens <= affordable)
            || self.cheaper.as_deref() == Some(ask.model.as_str());
        if self
            .requests
            .is_some_and(|most| state.attempts.len() >= most)
            && !fits
        {
            let message = "the limit of $0.05 for a run leaves $0.01".to_owned();
            return Err(NoBudget {
                message,
                can_afford_max_tokens: self.affordable,
            });
        }
        if ask.model != "scripted" {
            let number = state.attempts.len() + 1;
            state
                .notes
                .push(format!("request {number} went to {}", ask.model));
        }
        if ask.max_tokens != 4096 {
            state.notes.push(format!(
                "reserved for an answer of at most {} tokens",
                ask.max_tokens
            ));
        }
        let attempt: Attempt = format!("00000000-0000-7000-8000-{:012x}", state.attempts.len() + 1)
            .parse()
            .unwrap();
        state.attempts.push(attempt);
        Ok(attempt)
    }

    async fn settle(&self, attempt: Attempt, how: Settlement) {
        self.moment();
        let tokens = |usage: Usage| format!("{} in, {} out", usage.prompt(), usage.output);
        let how = match how {
            Settlement::Used { usage, .. } => tokens(usage),
            Settlement::Unknown { known: None } => "unknown, so all that was reserved".to_owned(),
            Settlement::Unknown { known: Some(usage) } => format!(
                "unknown, so all that was reserved; at least {}",
                tokens(usage)
            ),
            Settlement::Unbilled => "nothing".to_owned(),
        };
        self.bill(attempt, &how);
    }

    fn abandon(&self, attempt: Attempt, _known: Option<Usage>) {
        self.bill(attempt, "abandoned");
    }

    async fn grant(&self, symbols: &[String], reason: &str) -> Grant {
        if self.is_stopped_now().await {
            return Grant::Refused;
        }
        if let Some(symbol) = &self.leased
            && symbols.contains(symbol)
        {
            return Grant::Busy {
                symbol: symbol.clone(),
                run: format!("Simplify `{symbol}`"),
            };
        }
        let mut state = self.state.lock().unwrap();
        state.notes.push(format!(
            "asked to widen the scope by {}: {reason}",
            symbols.join(", ")
        ));
        if self.grants {
            let scope = state.scope.clone().unwrap();
            state.scope = Some(symbols.iter().fold(scope, Scope::granted));
            return Grant::Given;
        }
        Grant::Refused
    }

    fn report(&self, _progress: Progress) {
        self.moment();
    }

    fn journal(&self, event: JournalEvent) {
        self.moment();
        if let JournalEvent::Moved { model, why, .. } = &event {
            let mut state = self.state.lock().unwrap();
            state.notes.push(format!("{model} went on: {why}"));
        }
        if let JournalEvent::Ended {
            state: ended,
            message,
            turns,
            tool_calls,
            hunks,
        } = event
        {
            let mut state = self.state.lock().unwrap();
            let message = if message.is_empty() {
                String::new()
            } else {
                format!(": {message}")
            };
            state.end = format!(
                "{ended}{message}\nturns: {turns}, tool calls: {tool_calls}, hunks: {hunks}"
            );
        }
    }
}

fn change(workspace: &mut Workspace, file: &FilePath, edits: EditSet) {
    let snapshot = workspace.snapshot();
    let document = snapshot.open_document(file).unwrap();
    let text = edits.apply(document.text()).unwrap();
    let version = document.version().unwrap_or(0) + 1;
    workspace.change(file, version, vec![edits], text);
    index(workspace, file);
}

fn index(workspace: &mut Workspace, file: &FilePath) {
    let snapshot = workspace.snapshot();
    let document = snapshot.open_document(file).unwrap();
    if let Some(parsed) = document.parsed() {
        let facts = Arc::clone(parsed.facts());
        workspace.index_file(file, facts, Some(document.serial()));
    }
}
