use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use gate::ApprovedEdit;
use text::{FilePath, Text};

use crate::state::Shared;
use crate::{Editor, Engine, Event, Reply};

/// An editor without a screen, for runs from the command line: it makes each edit at once in a document of its own and
/// answers every question with no.
pub struct HeadlessEditor {
    engine: OnceLock<Weak<Shared>>,
    document: Mutex<Option<(FilePath, i32, Text)>>,
    report: Box<dyn Fn(Event) + Send + Sync>,
}

impl HeadlessEditor {
    /// An editor that hands every event to `report`.
    pub fn new(report: impl Fn(Event) + Send + Sync + 'static) -> Arc<HeadlessEditor> {
        Arc::new(HeadlessEditor {
            engine: OnceLock::new(),
            document: Mutex::new(None),
            report: Box::new(report),
        })
    }

    /// Opens the one document in `engine`, which must have been made with this editor.
    pub fn open(&self, engine: &Engine, file: &FilePath, text: Text) {
        self.engine.get_or_init(|| Arc::downgrade(&engine.shared));
        engine.open(file, "", 0, text.clone());
        *self.document.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((file.clone(), 0, text));
    }

    /// The text of the document with everything that has landed.
    pub fn text(&self) -> Option<Text> {
        self.document
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|(_, _, text)| text.clone())
    }
}

#[async_trait]
impl Editor for HeadlessEditor {
    async fn apply(&self, edit: &ApprovedEdit, _label: &str) -> Reply {
        let Some(shared) = self.engine.get().and_then(Weak::upgrade) else {
            return Reply::Refused("the engine is gone".to_owned());
        };
        let changed = {
            let mut document = self.document.lock().unwrap_or_else(PoisonError::into_inner);
            match document.as_mut() {
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

    async fn ask(&self, _question: &str) -> bool {
        false
    }

    fn show(&self, event: Event) {
        (self.report)(event);
    }
}
