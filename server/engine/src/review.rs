//! Keep and undo, hunk by hunk, file by file, run by run.

use std::sync::Arc;

use gate::{Landed, View, restore};
use text::{Edit, EditSet, FilePath};
use tokio_util::sync::CancellationToken;

use crate::files::Whole;
use crate::hunks::{Hunk, HunkId, HunkState};
use crate::landing::Landing;
use crate::{Engine, Event, RunId};

/// Why a hunk could not be kept or undone.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// It was kept or undone before, or its file was closed.
    #[error("this hunk is no longer pending; it was kept or undone, or its file was closed")]
    Gone,
    /// What was typed inside it and the way back collide.
    #[error(
        "{0} changed inside this hunk since it landed, so that it cannot be taken back alone; undo your change first, or keep it"
    )]
    Changed(FilePath),
    /// A file that a run has made is no longer as the run has made it.
    #[error(
        "{0} has been changed since the run made it, so that it stays; remove it by hand, or keep it"
    )]
    FileChanged(FilePath),
    /// The editor did not take the edit.
    #[error("{0}")]
    NotLanded(String),
}

/// Which way to look for a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Down.
    Next,
    /// Up.
    Previous,
}

impl Engine {
    /// The hunks of a file that wait for a decision, by position. O(log n).
    pub fn hunks(&self, file: &FilePath) -> Arc<Vec<Hunk>> {
        self.with(|state| state.hunks.of(file))
    }

    /// The hunks of a run that wait for a decision.
    pub fn hunks_of_run(&self, run: &RunId) -> Vec<Hunk> {
        self.with(|state| state.hunks.of_run(run))
    }

    /// Keeps a hunk: its text is the user's from here on. A pending one is applied first.
    pub async fn keep(&self, id: HunkId) -> Result<(), ReviewError> {
        let hunk = self
            .with(|state| state.hunks.get(id))
            .ok_or(ReviewError::Gone)?;
        if let HunkState::Pending { edit, serial, .. } = &hunk.state {
            match self
                .land(edit, *serial, &hunk.title, &CancellationToken::new())
                .await
            {
                Landing::Landed { .. } => {}
                Landing::NotLanded { why } | Landing::Overtaken { why } => {
                    return Err(ReviewError::NotLanded(why));
                }
                Landing::Cancelled => return Err(ReviewError::Gone),
            }
        }
        self.settle_hunk(&hunk);
        Ok(())
    }

    /// Makes all staged hunks of a file, the last one first. Answers how many, and the first reason why one was not made.
    pub async fn keep_staged(&self, file: &FilePath) -> (usize, Option<ReviewError>) {
        let (mut kept, mut failed) = (0, None);
        for hunk in self
            .hunks(file)
            .iter()
            .rev()
            .filter(|hunk| hunk.is_staged())
        {
            match self.keep(hunk.id).await {
                Ok(()) => kept += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        (kept, failed)
    }

    /// The hunk after, or before, a place, as the files of the workspace and their lines follow each other; after the last
    /// comes the first. Without a place, the first or the last one.
    pub fn hunk_beside(&self, from: Option<(&FilePath, usize)>, way: Way) -> Option<Hunk> {
        let hunks = self.with(|state| state.hunks.all());
        let place = |hunk: &Hunk| (hunk.file.clone(), hunk.range().start);
        let from = from.map(|(file, offset)| (file.clone(), offset));
        let found = match way {
            Way::Next => (hunks.iter())
                .find(|hunk| from.as_ref().is_some_and(|from| place(hunk) > *from))
                .or(hunks.first()),
            Way::Previous => (hunks.iter().rev())
                .find(|hunk| from.as_ref().is_some_and(|from| place(hunk) < *from))
                .or(hunks.last()),
        };
        found.cloned()
    }

    /// A hunk that waits for a decision.
    pub fn hunk(&self, id: HunkId) -> Option<Hunk> {
        self.with(|state| state.hunks.get(id))
    }

    /// Keeps all landed hunks of a file; those that are not in its text go on waiting. Answers how many.
    pub fn keep_file(&self, file: &FilePath) -> usize {
        let kept = self.with(|state| state.hunks.keep_landed(file));
        for whole in kept.iter().filter_map(|hunk| hunk.whole.as_ref()) {
            self.forget_bytes(whole);
        }
        self.show(Event::Markers(file.clone()));
        kept.len()
    }

    /// The run whose hunk came last, among those that nobody has kept or undone.
    pub fn last_run(&self) -> Option<RunId> {
        self.with(|state| state.hunks.last_run())
    }

    /// Takes a hunk back, keeping what was typed around it and, where possible, inside it.
    pub async fn undo(&self, id: HunkId) -> Result<(), ReviewError> {
        let hunk = self
            .with(|state| state.hunks.get(id))
            .ok_or(ReviewError::Gone)?;
        if let Some(whole) = &hunk.whole {
            self.take_file_back(&hunk, whole).await?;
        } else if let HunkState::Landed(_) = hunk.state {
            self.take_back(&hunk).await?;
        }
        self.settle_hunk(&hunk);
        Ok(())
    }

    /// Stops a run and takes back all its hunks that are not kept, the last one first.
    ///
    /// Answers how many were taken back, and the first reason why one was not.
    pub async fn undo_run(&self, run: &RunId) -> (usize, Option<ReviewError>) {
        self.cancel(run);
        let mut undone = 0;
        let mut failed = None;
        for hunk in self.hunks_of_run(run) {
            match self.undo(hunk.id).await {
                Ok(()) => undone += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        (undone, failed)
    }

    async fn take_back(&self, hunk: &Hunk) -> Result<(), ReviewError> {
        let edit = {
            // The newest state of the hunk, together with the text it belongs to.
            let (document, hunk) = self.with(|state| {
                let document = state
                    .workspace
                    .snapshot()
                    .open_document(&hunk.file)
                    .cloned();
                (document, state.hunks.get(hunk.id))
            });
            let (Some(document), Some(hunk)) = (document, hunk) else {
                return Err(ReviewError::Gone);
            };
            let HunkState::Landed(landed) = &hunk.state else {
                return Err(ReviewError::Gone);
            };
            let Some(parsed) = document.parsed() else {
                return Err(ReviewError::Gone);
            };
            let view = View {
                file: &hunk.file,
                text: document.text(),
                version: document.version(),
                parsed,
            };
            let edit = restore(&view, landed, &hunk.symbol)
                .map_err(|_| ReviewError::Changed(hunk.file.clone()))?;
            (edit, document.serial())
        };
        let (edit, serial) = edit;
        if edit.edits().is_empty() {
            return Ok(());
        }
        match self
            .land(
                &edit,
                serial,
                &format!("Undo: {}", hunk.title),
                &CancellationToken::new(),
            )
            .await
        {
            Landing::Landed { .. } => Ok(()),
            Landing::NotLanded { why } | Landing::Overtaken { why } => {
                Err(ReviewError::NotLanded(why))
            }
            Landing::Cancelled => Err(ReviewError::Gone),
        }
    }

    pub(crate) fn settle_hunk(&self, hunk: &Hunk) {
        self.with(|state| state.hunks.remove(hunk.id));
        if let Some(whole) = &hunk.whole {
            self.forget_bytes(whole);
        }
        self.show(Event::Markers(hunk.file.clone()));
    }

    /// Forgets the hunks that the user took back with the editor's own undo.
    pub(crate) fn drop_hunks_undone_in_the_editor(&self, file: &FilePath) {
        self.with(|state| {
            let snapshot = state.workspace.snapshot();
            let Some(document) = snapshot.open_document(file) else {
                return;
            };
            for hunk in state.hunks.of(file).iter() {
                if let HunkState::Landed(Landed { range, old, new }) = &hunk.state
                    && old != new
                    && range.len() == old.len()
                    && document.text().slice(*range) == *old
                {
                    state.hunks.remove(hunk.id);
                }
            }
        });
    }

    /// The hunk as a picture: the lines it changed, before and after.
    pub fn diff_of(&self, hunk: &Hunk) -> String {
        let snapshot = self.snapshot();
        let shown = |path: &str| FilePath::new(path).map(|path| snapshot.display(&path).to_owned());
        match &hunk.whole {
            Some(Whole::Renamed { from, to }) => {
                let names = [("-", shown(from)), ("+", shown(to))];
                let lines =
                    names.map(|(sign, name)| format!("{sign}{}\n", name.unwrap_or_default()));
                return lines.concat();
            }
            Some(Whole::Deleted { file, .. }) => {
                return format!("-{}\n", shown(file).unwrap_or_default());
            }
            Some(Whole::Made) | None => {}
        }
        let Some(document) = snapshot.open_document(&hunk.file) else {
            return String::new();
        };
        let text = document.text();
        match &hunk.state {
            HunkState::Landed(landed) => {
                let back = Edit::new(landed.range, landed.old.clone());
                match EditSet::one(back).apply(text) {
                    Ok(before) => line_diff(&before.to_string(), &text.to_string()),
                    Err(_) => String::new(),
                }
            }
            HunkState::Pending { edit, .. } => {
                let Ok(want) = edit.want() else {
                    return String::new();
                };
                line_diff(&edit.base().to_string(), &want.to_string())
            }
        }
    }
}

/// Changed lines with `-` and `+` before them, with two unchanged lines around.
fn line_diff(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let mut shown = String::new();
    for group in diff.grouped_ops(2) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            shown.push_str(&change.tag().to_string());
            shown.push_str(change.value().trim_end_matches(['\r', '\n']));
            shown.push('\n');
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::line_diff;

    #[test]
    fn a_diff_shows_what_went_and_what_came() {
        expect![[r"
             fn f() {
            -    a();
            +    b();
             }
        "]]
        .assert_eq(&line_diff(
            "fn f() {\n    a();\n}\n",
            "fn f() {\n    b();\n}\n",
        ));
    }
}
