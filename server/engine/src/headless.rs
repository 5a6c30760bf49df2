use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use gate::{ApprovedEdit, Move, NewFile, Removal};
use text::{FilePath, Text};
use tokio::sync::oneshot;

use crate::state::Shared;
use crate::{Editor, Engine, Event, Planned, Reply};

/// An editor without a screen, for runs from the command line: it makes each edit at once in a document of its own,
/// remembers what is to become of whole files, and writes nothing.
pub struct HeadlessEditor {
    engine: OnceLock<Weak<Shared>>,
    desk: Mutex<Desk>,
    report: Box<dyn Fn(Event) + Send + Sync>,
    answer: Option<Answer>,
}

/// The user's answer to a question. May wait for the user.
type Answer = Arc<dyn Fn(&str) -> bool + Send + Sync>;

#[derive(Default)]
struct Desk {
    document: Option<(FilePath, i32, Text)>,
    planned: BTreeMap<FilePath, Planned>,
    steps: Vec<FileStep>,
}

/// What is to become of a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStep {
    /// It comes.
    Create(FilePath, Text),
    /// It gets another name.
    Rename(FilePath, FilePath),
    /// It goes, as long as it still has these bytes.
    Delete(FilePath, Vec<u8>),
}

impl HeadlessEditor {
    /// An editor that hands every event to `report` and answers every question with no.
    pub fn new(report: impl Fn(Event) + Send + Sync + 'static) -> Arc<HeadlessEditor> {
        HeadlessEditor::made(report, None)
    }

    /// An editor with a user who answers questions, and who may take their time.
    pub fn with_user(
        report: impl Fn(Event) + Send + Sync + 'static,
        answer: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Arc<HeadlessEditor> {
        HeadlessEditor::made(report, Some(Arc::new(answer)))
    }

    fn made(
        report: impl Fn(Event) + Send + Sync + 'static,
        answer: Option<Answer>,
    ) -> Arc<HeadlessEditor> {
        Arc::new(HeadlessEditor {
            engine: OnceLock::new(),
            desk: Mutex::default(),
            report: Box::new(report),
            answer,
        })
    }

    /// Opens the one document in `engine`, which must have been made with this editor.
    pub fn open(&self, engine: &Engine, file: &FilePath, text: Text) {
        self.engine.get_or_init(|| Arc::downgrade(&engine.shared));
        engine.open(file, "", 0, text.clone());
        self.desk().document = Some((file.clone(), 0, text));
    }

    /// The text of the document with everything that has landed.
    pub fn text(&self) -> Option<Text> {
        let desk = self.desk();
        desk.document.as_ref().map(|(_, _, text)| text.clone())
    }

    /// What is to become of whole files, one after the other.
    pub fn steps(&self) -> Vec<FileStep> {
        self.desk().steps.clone()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Editor for HeadlessEditor {
    async fn apply(&self, edit: &ApprovedEdit, _label: &str) -> Reply {
        let Some(shared) = self.engine.get().and_then(Weak::upgrade) else {
            return Reply::Refused("the engine is gone".to_owned());
        };
        let changed = {
            let mut desk = self.desk();
            match desk.document.as_mut() {
                Some((file, version, text))
                    if file == edit.file() && edit.version() == Some(*version) =>
                {
                    match edit.edits().apply(text) {
                        Ok(after) => {
                            *version += 1;
                            *text = after.clone();
                            Ok((*version, after))
                        }
                        Err(error) => Err(error.to_string()),
                    }
                }
                _ => Err("the document has changed".to_owned()),
            }
        };
        match changed {
            Ok((version, text)) => {
                Engine { shared }.change(edit.file(), version, vec![edit.edits().clone()], text);
                Reply::Applied
            }
            Err(reason) => Reply::Refused(reason),
        }
    }

    fn makes_files(&self) -> bool {
        self.answer.is_some()
    }

    async fn create(&self, new: &NewFile, _label: &str) -> Reply {
        let (file, text) = (new.file().clone(), new.text().clone());
        let mut desk = self.desk();
        (desk.planned).insert(file.clone(), Planned::Text(text.clone()));
        desk.steps.push(FileStep::Create(file, text));
        Reply::Applied
    }

    async fn rename(&self, wanted: &Move, _label: &str) -> Reply {
        let (from, to) = (wanted.from().clone(), wanted.to().clone());
        let mut desk = self.desk();
        desk.planned.insert(from.clone(), Planned::Nothing);
        (desk.planned).insert(to.clone(), Planned::Moved(from.clone()));
        desk.steps.push(FileStep::Rename(from, to));
        Reply::Applied
    }

    async fn remove(&self, gone: &Removal, _label: &str) -> Reply {
        let file = gone.file().clone();
        let path = file.as_path().to_owned();
        let reading = tokio::task::spawn_blocking(move || std::fs::read(path));
        let bytes = match reading.await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Reply::Refused(error.to_string()),
            Err(error) => return Reply::Refused(error.to_string()),
        };
        let mut desk = self.desk();
        desk.planned.insert(file.clone(), Planned::Nothing);
        desk.steps.push(FileStep::Delete(file, bytes));
        Reply::Applied
    }

    fn writes_later(&self) -> bool {
        true
    }

    fn planned(&self, file: &FilePath) -> Option<Planned> {
        self.desk().planned.get(file).cloned()
    }

    async fn ask(&self, question: &str) -> bool {
        let Some(answer) = self.answer.clone() else {
            return false;
        };
        // A thread of its own, because nobody may wait at the end for a user who does not answer.
        let (told, answered) = oneshot::channel();
        let question = question.to_owned();
        std::thread::spawn(move || {
            let _gone = told.send(answer(&question));
        });
        answered.await.unwrap_or(false)
    }

    fn show(&self, event: Event) {
        (self.report)(event);
    }
}
