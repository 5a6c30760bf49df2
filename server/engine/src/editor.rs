use async_trait::async_trait;
use gate::{ApprovedEdit, Move, NewFile, Removal};
use serde::Serialize;
use text::{FilePath, Text};

use crate::RunId;

/// What the engine needs of an editor. Implemented by `lsp`, by [`crate::HeadlessEditor`] and by test doubles.
#[async_trait]
pub trait Editor: Send + Sync + 'static {
    /// Asks the editor to make an edit. The reply is not proof: only a later document change is.
    async fn apply(&self, edit: &ApprovedEdit, label: &str) -> Reply;

    /// Shows edits of one text for the user to pick from, and makes those that are picked. Takes as long as the user.
    async fn preview(&self, edits: &[ApprovedEdit], title: &str) -> Reply {
        let _ = (edits, title);
        Reply::Refused("this editor has no preview".to_owned())
    }

    /// Whether it can make files, rename them, and take them away again.
    fn makes_files(&self) -> bool {
        false
    }

    /// Asks the editor to make a file with its text. The reply is not proof: only the file is.
    async fn create(&self, file: &NewFile, label: &str) -> Reply {
        let _ = (file, label);
        Reply::Refused("this editor makes no files".to_owned())
    }

    /// Asks the editor to remove a file. The reply is not proof.
    async fn remove(&self, file: &Removal, label: &str) -> Reply {
        let _ = (file, label);
        Reply::Refused("this editor removes no files".to_owned())
    }

    /// Asks the editor to give a file another name. The reply is not proof.
    async fn rename(&self, file: &Move, label: &str) -> Reply {
        let _ = (file, label);
        Reply::Refused("this editor renames no files".to_owned())
    }

    /// Has a file shown again that was, beside what the user looks at.
    async fn reopen(&self, file: &FilePath) {
        let _ = file;
    }

    /// Whether it writes when all is done, so that until then the disk is as before whatever it makes, renames or deletes.
    fn writes_later(&self) -> bool {
        false
    }

    /// What will be under a name, where that is not what the disk has.
    fn planned(&self, file: &FilePath) -> Option<Planned> {
        let _ = file;
        None
    }

    /// Asks the user a question that a run waits for. No answer is a no.
    async fn ask(&self, question: &str) -> bool;

    /// Shows what happened. Must not block.
    fn show(&self, event: Event);
}

/// What will be under the name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// A text.
    Text(Text),
    /// What the disk has under another name.
    Moved(FilePath),
    /// Nothing.
    Nothing,
}

/// What an editor says of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It says that it made it.
    Applied,
    /// It says that it did not, and perhaps why.
    Refused(String),
}

/// Something to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The markers of a file are to be fetched anew.
    Markers(FilePath),
    /// A run began.
    RunBegan {
        /// The run.
        run: RunId,
        /// Its action, in the words of the menu.
        title: String,
        /// Its cost so far, against the estimate.
        message: String,
    },
    /// A run came further.
    RunProgress {
        /// The run.
        run: RunId,
        /// Where it is, and its cost so far.
        message: String,
    },
    /// A run ended. Sent exactly once for each run that began.
    RunEnded {
        /// The run.
        run: RunId,
        /// How, and what it cost.
        message: String,
        /// Whether the user should be told even without looking.
        level: Level,
    },
    /// The first pass over the disk moves.
    Indexing {
        /// Files done.
        done: usize,
        /// Files found.
        found: usize,
        /// Whether it has ended.
        complete: bool,
    },
    /// Money was spent.
    Spending(Spending),
    /// A sentence for the user.
    Notice(Level, String),
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the record.
    Log,
    /// Good to know.
    Info,
    /// Something needs attention.
    Warning,
    /// Something failed.
    Error,
}

/// What was spent, for a status bar.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spending {
    /// Settled and reserved today, to be shown.
    pub today: String,
    /// The same for this month.
    pub month: String,
    /// Today's in picodollars.
    pub today_picodollars: i64,
    /// The limit of a day, to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_day: Option<String>,
    /// The limit of a month, to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_month: Option<String>,
    /// Whether a limit is used up, so that no run can start.
    pub exhausted: bool,
    /// The last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// A run that ended, for a status bar.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LastRun {
    /// Its action, in the words of the menu.
    pub title: String,
    /// What it cost, to be shown.
    pub cost: String,
    /// How it ended.
    pub state: String,
}
