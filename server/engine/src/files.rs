//! Whole files that a run makes, renames or deletes, and the way back of each. The editor does all of it; only what is
//! under the names afterwards is proof.

use gate::{
    FileKind, Landed, Move, NewFile, Removal, Standing, bring_back, take_away, write_again,
};
use serde::{Deserialize, Serialize};
use text::{FilePath, Text};
use tokio::time::{Instant, timeout_at};
use workspace::Document;

use crate::hunks::{Hunk, HunkState};
use crate::{Engine, Event, Planned, Reply, ReviewError, RunId};

/// What a hunk is that is about a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// The run has made the file that the hunk is in.
    Made,
    /// The run has given another file another name.
    Renamed {
        /// Its path before.
        from: String,
        /// Its path now.
        to: String,
    },
    /// The run has deleted another file.
    Deleted {
        /// Its path.
        file: String,
        /// Where its bytes are.
        kept: Option<String>,
        /// Whether the editor had it open.
        open: bool,
    },
}

/// What there is under a name.
enum There {
    /// A text, and the change count of the document if it is open.
    Text(Text, Option<u64>),
    /// Something else.
    Other,
    Nothing,
}

impl Engine {
    /// Has the editor make a file. Answers with the change count of its document, or why it is not there.
    pub(crate) async fn make_file(&self, new: &NewFile, label: &str) -> Result<u64, String> {
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ENDS.to_owned());
        };
        self.make(new, label).await
    }

    async fn make(&self, new: &NewFile, label: &str) -> Result<u64, String> {
        // The user may have taken a while to allow it.
        if self.is_taken(new.file(), None).await {
            return Err(TAKEN.to_owned());
        }
        let reply = self.shared.editor.create(new, label).await;
        let wanted = new.clone();
        let made = move |engine: &Engine| match engine.there(wanted.file()) {
            There::Text(text, serial) if text == *wanted.text() => Some(serial.unwrap_or(0)),
            _ => None,
        };
        let serial = self.comes_to(&reply, made).await;
        serial.ok_or_else(|| unproved(&reply, "make it", "it is not there as it should be"))
    }

    /// Has the editor give a file another name, or says why it has not got it.
    pub(crate) async fn move_file(&self, wanted: &Move, label: &str) -> Result<(), String> {
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ENDS.to_owned());
        };
        if self.is_taken(wanted.to(), Some(wanted.from())).await {
            return Err(TAKEN.to_owned());
        }
        let reply = self.shared.editor.rename(wanted, label).await;
        let (from, to) = (wanted.from().clone(), wanted.to().clone());
        let files = vec![from.clone(), to.clone()];
        let moved =
            move |engine: &Engine| (engine.is_there(&to) && !engine.is_there(&from)).then_some(());
        let moved = self.comes_to(&reply, moved).await;
        self.refresh_from_disk(files);
        moved.ok_or_else(|| unproved(&reply, "rename it", "it has its name still"))
    }

    /// Has the editor delete a file whose bytes are kept for the way back, or says why it is there still.
    pub(crate) async fn delete_file(&self, gone: &Removal, label: &str) -> Result<Whole, String> {
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ENDS.to_owned());
        };
        let file = gone.file();
        let open = self.snapshot().open_document(file).is_some();
        let kept = match &self.shared.shelf {
            _ if self.shared.editor.writes_later() => None,
            None => return Err("there is no place to keep its bytes for the way back".to_owned()),
            Some(shelf) => {
                let (shelf, file) = (shelf.clone(), file.clone());
                let keeping = tokio::task::spawn_blocking(move || shelf.keep_bytes(&file)).await;
                let kept = keeping.unwrap_or_else(|_| Err(std::io::Error::other("it panicked")));
                Some(kept.map_err(|error| format!("its bytes cannot be kept: {error}"))?)
            }
        };
        let reply = self.shared.editor.remove(gone, label).await;
        let wanted = file.clone();
        let deleted = move |engine: &Engine| (!engine.is_there(&wanted)).then_some(());
        let deleted = self.comes_to(&reply, deleted).await;
        self.refresh_from_disk(vec![file.clone()]);
        let whole = Whole::Deleted {
            file: file.to_string(),
            kept: kept.map(|kept| kept.to_string()),
            open,
        };
        if deleted.is_none() {
            self.forget_bytes(&whole);
            return Err(unproved(&reply, "delete it", "it is there still"));
        }
        Ok(whole)
    }

    /// Takes back what a run has done to a whole file.
    pub(crate) async fn take_file_back(
        &self,
        hunk: &Hunk,
        whole: &Whole,
    ) -> Result<(), ReviewError> {
        let path = |path: &str| FilePath::new(path).map_err(|_| ReviewError::Gone);
        match whole {
            Whole::Made => match &hunk.state {
                HunkState::Landed(made) => self.remove_made_file(hunk, made).await,
                HunkState::Pending { .. } => Ok(()),
            },
            Whole::Renamed { from, to } => self.rename_back(hunk, &path(from)?, &path(to)?).await,
            Whole::Deleted { file, kept, open } => {
                let kept = kept.as_deref().ok_or(ReviewError::Gone)?;
                self.bring_deleted_back(hunk, &path(file)?, &path(kept)?, *open)
                    .await
            }
        }
    }

    /// Takes a file away that a run has made, unless anybody has changed it since.
    async fn remove_made_file(&self, hunk: &Hunk, made: &Landed) -> Result<(), ReviewError> {
        let file = &hunk.file;
        let now = match self.looked_up(file).await {
            There::Nothing => return Ok(()),
            There::Other => return Err(ReviewError::FileChanged(file.clone())),
            There::Text(now, _) => now,
        };
        let removal = take_away(file, &now, made);
        let removal = removal.map_err(|_| ReviewError::FileChanged(file.clone()))?;
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ReviewError::Gone);
        };
        // A file that goes is closed, and a closed file's hunks are kept.
        self.with(|state| state.hunks.remove(hunk.id));
        let reply = self.shared.editor.remove(&removal, &undoing(hunk)).await;
        let wanted = file.clone();
        let gone = move |engine: &Engine| (!engine.is_there(&wanted)).then_some(());
        if self.comes_to(&reply, gone).await.is_some() {
            return Ok(());
        }
        self.with(|state| state.hunks.add(hunk.clone()));
        self.show(Event::Markers(file.clone()));
        Err(ReviewError::NotLanded(match reply {
            Reply::Refused(why) if !why.is_empty() => {
                format!("the editor did not remove the file: {why}")
            }
            _ => "the editor did not remove the file".to_owned(),
        }))
    }

    /// Gives a file that a run has renamed its name again, with whatever was changed in it since.
    async fn rename_back(
        &self,
        hunk: &Hunk,
        from: &FilePath,
        to: &FilePath,
    ) -> Result<(), ReviewError> {
        let (is_there, taken) = (
            !matches!(self.looked_up(to).await, There::Nothing),
            self.is_taken(from, Some(to)).await,
        );
        let snapshot = self.snapshot();
        let (old, new) = (snapshot.display(from), snapshot.display(to));
        let stays = |why: String| Err(ReviewError::NotLanded(why));
        if !is_there && taken {
            // The user has done it already.
            return Ok(());
        }
        if !is_there {
            return stays(format!("{new} is no longer there"));
        }
        if !self.hunks(to).is_empty() {
            return stays(format!(
                "{new} has hunks that wait for a decision; keep or undo them before it is {old} again"
            ));
        }
        let Some(back) = bring_back(to, from, taken) else {
            return stays(format!(
                "{old} is there again, so that {new} keeps its name"
            ));
        };
        let moved = self.move_file(&back, &undoing(hunk)).await;
        moved.map_err(|why| ReviewError::NotLanded(format!("{new} keeps its name: {why}")))
    }

    /// Brings a file back that a run has deleted, byte for byte, and shows it again where it was shown.
    async fn bring_deleted_back(
        &self,
        hunk: &Hunk,
        file: &FilePath,
        kept: &FilePath,
        open: bool,
    ) -> Result<(), ReviewError> {
        let taken = self.is_taken(file, None).await;
        let Some(back) = bring_back(kept, file, taken) else {
            return Err(ReviewError::NotLanded(format!(
                "{file} is there again; what was deleted is at {kept}"
            )));
        };
        // Editors move files by one call of the system, which many file systems refuse from one disk to another.
        if let Err(why) = self.move_file(&back, &undoing(hunk)).await {
            let text = workspace::read(kept);
            let new = (text.as_ref().ok()).and_then(|text| write_again(file, text, false));
            let written = match new {
                Some(new) => self.make_file(&new, &undoing(hunk)).await.map(|_| ()),
                None => Err(why),
            };
            written.map_err(|why| {
                ReviewError::NotLanded(format!(
                    "{file} does not come back: {why}; its bytes are at {kept}"
                ))
            })?;
        }
        if open {
            self.shared.editor.reopen(file).await;
        }
        Ok(())
    }

    /// What matters of a file that is to be renamed or deleted as a whole, for the run that asks.
    pub(crate) fn standing(&self, root: &FilePath, file: &FilePath, asking: &RunId) -> Standing {
        let (open, worked_in, undecided) = self.with(|state| {
            let open = state.workspace.snapshot().open_document(file).cloned();
            let undecided = state.hunks.is_undecided(file);
            (open, state.runs.working_in(file, asking), undecided)
        });
        let metadata = std::fs::symlink_metadata(file.as_path());
        let kind = match (self.shared.editor.planned(file), &metadata) {
            (Some(Planned::Nothing), _) | (None, Err(_)) => FileKind::Nothing,
            (Some(Planned::Text(_) | Planned::Moved(_)), _) => FileKind::Ordinary,
            (None, Ok(there)) if there.is_symlink() => FileKind::Link,
            (None, Ok(there)) if there.is_file() => FileKind::Ordinary,
            (None, Ok(_)) => FileKind::Other,
        };
        let on_disk = || workspace::read(file).ok();
        Standing {
            kind,
            leads_out: !workspace::is_within(root, file),
            read_only: (metadata.as_ref()).is_ok_and(|there| there.permissions().readonly()),
            unsaved: open.is_some_and(|open: Document| {
                on_disk().is_none_or(|disk| !reads_alike(open.text(), &disk))
            }),
            worked_in,
            undecided,
            size: metadata.map_or(0, |there| there.len()),
        }
    }

    /// Forgets the bytes of a deleted file, once the user has decided.
    pub(crate) fn forget_bytes(&self, whole: &Whole) {
        if let (
            Some(shelf),
            Whole::Deleted {
                kept: Some(kept), ..
            },
        ) = (&self.shared.shelf, whole)
        {
            shelf.forget_bytes(kept);
        }
    }

    /// Waits until the files are as wanted, as far as the editor's reply gives hope.
    async fn comes_to<T: Send + 'static>(
        &self,
        reply: &Reply,
        wanted: impl Fn(&Engine) -> Option<T> + Clone + Send + 'static,
    ) -> Option<T> {
        let deadline = Instant::now() + self.shared.timing.proof;
        let mut changed = self.shared.changed.subscribe();
        let mut is_late = matches!(reply, Reply::Refused(_));
        loop {
            changed.mark_unchanged();
            let (engine, wanted) = (self.clone(), wanted.clone());
            let looking = tokio::task::spawn_blocking(move || wanted(&engine));
            let found = looking.await.ok().flatten();
            if found.is_some() || is_late {
                return found;
            }
            is_late = timeout_at(deadline, changed.changed()).await.is_err();
        }
    }

    /// Whether something else than `but` has a name. Names that differ in their case alone are one to some disks.
    pub(crate) fn is_taken_now(&self, file: &FilePath, but: Option<&FilePath>) -> bool {
        let same = |but: &FilePath| but.as_str().to_lowercase() == file.as_str().to_lowercase();
        if but.is_some_and(same) {
            return self.is_there(file);
        }
        !matches!(self.there(file), There::Nothing)
    }

    async fn is_taken(&self, file: &FilePath, but: Option<&FilePath>) -> bool {
        let (engine, file, but) = (self.clone(), file.clone(), but.cloned());
        let looking = tokio::task::spawn_blocking(move || engine.is_taken_now(&file, but.as_ref()));
        looking.await.unwrap_or(true)
    }

    async fn looked_up(&self, file: &FilePath) -> There {
        let (engine, file) = (self.clone(), file.clone());
        let looking = tokio::task::spawn_blocking(move || engine.there(&file));
        looking.await.unwrap_or(There::Other)
    }

    /// What the editor has open under a name, as long as the disk has something; else what the disk has.
    fn there(&self, file: &FilePath) -> There {
        let open = self.snapshot().open_document(file).cloned();
        let open = open.map(|open: Document| There::Text(open.text().clone(), Some(open.serial())));
        match self.shared.editor.planned(file) {
            Some(Planned::Nothing) => return There::Nothing,
            Some(Planned::Text(text)) => return open.unwrap_or(There::Text(text, None)),
            Some(Planned::Moved(_)) => return open.unwrap_or(There::Other),
            None => {}
        }
        if std::fs::symlink_metadata(file.as_path()).is_err() {
            return There::Nothing;
        }
        open.unwrap_or_else(|| match workspace::read(file) {
            Ok(text) => There::Text(text, None),
            Err(_) => There::Other,
        })
    }

    /// Whether the folder of a file lists just that name.
    fn is_there(&self, file: &FilePath) -> bool {
        if let Some(planned) = self.shared.editor.planned(file) {
            return planned != Planned::Nothing;
        }
        let folder = file.as_path().parent().map(std::fs::read_dir);
        let mut entries = folder.into_iter().flatten().flatten().flatten();
        entries.any(|entry| entry.file_name() == file.file_name())
    }
}

/// Whether two texts are the same but for what editors leave out of a document, or make anew when they save it: the mark
/// at the beginning of a file, and how its lines end.
fn reads_alike(one: &Text, other: &Text) -> bool {
    let plain = |text: &Text| {
        let text = text.to_string();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        text.replace("\r\n", "\n").replace('\r', "\n")
    };
    one == other || plain(one) == plain(other)
}

const ENDS: &str = "the server ends";
const TAKEN: &str = "something of that name is there by now";

/// Why nothing came of what the editor was asked to do.
fn unproved(reply: &Reply, what: &str, instead: &str) -> String {
    match reply {
        Reply::Applied => format!("the editor said it did {what}, but {instead}"),
        Reply::Refused(why) if why.is_empty() => format!("the editor did not {what}"),
        Reply::Refused(why) => format!("the editor did not {what}: {why}"),
    }
}

fn undoing(hunk: &Hunk) -> String {
    format!("Undo: {}", hunk.title)
}
