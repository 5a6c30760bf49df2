//! What can be read of a hunk or a run as a text of its own: its changes, and the trace of what it did.

use std::fmt::Write as _;

use jiff::Timestamp;
use ledger::{Entry, Journal};
use serde_json::Value;
use text::{Edit, EditSet, FilePath, Text};

use crate::hunks::{Hunk, HunkState};
use crate::{Engine, HunkId, RunId, Whole};

/// A text that only the server has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// What a hunk changes.
    Hunk(HunkId),
    /// What a run changes, as far as the user has not decided on it.
    Changes(RunId),
    /// What a run did.
    Trace(RunId),
}

impl Engine {
    /// The text of a page; none if there is nothing to be read any more. The trace is read from the disk.
    pub fn page(&self, page: &Page) -> Option<String> {
        match page {
            Page::Hunk(id) => Some(self.changes(&[self.hunk(*id)?])),
            Page::Changes(run) => {
                let mut hunks = self.hunks_of_run(run);
                hunks.reverse();
                (!hunks.is_empty()).then(|| self.changes(&hunks))
            }
            Page::Trace(run) => {
                let path = Journal::path_of(&self.shared.journals, run);
                let recording = Journal::read(&path).ok()?;
                let mut trace = trace(&recording.entries);
                for problem in &recording.problems {
                    let _ = writeln!(trace, "(the record is damaged: {problem})");
                }
                Some(trace)
            }
        }
    }

    /// Hunks as a difference that tools read, file by file.
    fn changes(&self, hunks: &[Hunk]) -> String {
        let mut shown = String::new();
        let mut files: Vec<&FilePath> = hunks.iter().map(|hunk| &hunk.file).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let here = hunks.iter().filter(|hunk| hunk.file == *file);
            shown.push_str(&self.changes_in(file, here));
        }
        shown
    }

    fn changes_in<'h>(&self, file: &FilePath, hunks: impl Iterator<Item = &'h Hunk>) -> String {
        let snapshot = self.snapshot();
        let name = snapshot.display(file);
        let now = snapshot.open_document(file).map(|open| open.text().clone());
        let (mut back, mut others) = (Vec::new(), String::new());
        for hunk in hunks {
            match (&hunk.state, &hunk.whole) {
                (_, Some(whole)) if *whole != Whole::Made => {
                    let _ = writeln!(others, "# {}", whole.shown(&snapshot));
                }
                (HunkState::Landed(landed), _) => {
                    back.push(Edit::new(landed.range, landed.old.clone()));
                }
                (HunkState::Pending { edit, why, .. }, _) => {
                    let _ = writeln!(others, "# not in the text: {why}");
                    if let Ok(want) = edit.want() {
                        others.push_str(&unified(name, edit.base(), &want));
                    }
                }
            }
        }
        let landed = now.and_then(|now| {
            let before = EditSet::new(back).ok()?.apply(&now).ok()?;
            Some(unified(name, &before, &now))
        });
        landed.unwrap_or_default() + &others
    }
}

fn unified(name: &str, before: &Text, after: &Text) -> String {
    let (before, after) = (before.to_string(), after.to_string());
    similar::TextDiff::from_lines(&before, &after)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// What a run did, one line for each event, with the seconds since it began.
fn trace(entries: &[Entry]) -> String {
    let mut shown = String::new();
    let began = entries
        .first()
        .map_or(Timestamp::UNIX_EPOCH, |entry| entry.at);
    for Entry { at, event, .. } in entries {
        let since = format!("{:.3} s", at.duration_since(began).as_secs_f64());
        let _ = writeln!(shown, "{since:<11}{}", line(event));
    }
    shown
}

/// An event in words. One that a later version has written is shown as it is.
fn line(event: &Value) -> String {
    let text = |key: &str| match &event[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match event["event"].as_str() {
        Some("began") => format!(
            "{} of `{}` in {} begins with {}, {} tokens of context",
            text("action"),
            text("symbol"),
            text("file"),
            text("model"),
            text("pack_tokens"),
        ),
        Some("asked") => format!(
            "turn {}: a request of {} bytes leaves, for an answer of at most {} tokens",
            text("turn"),
            text("bytes"),
            text("max_tokens"),
        ),
        Some("no_budget") => format!("turn {}: no budget: {}", text("turn"), text("message")),
        Some("moved") => format!(
            "turn {}: {} goes on: {}",
            text("turn"),
            text("model"),
            text("why")
        ),
        Some("answered") => format!(
            "turn {}: the answer is complete ({}): {}",
            text("turn"),
            text("stop"),
            text("text")
        ),
        Some("failed") => format!("turn {}: no answer: {}", text("turn"), text("why")),
        Some("settled") => format!("the bill: {}, {}", text("how"), text("usage")),
        Some("called") => format!(
            "turn {}: {} {}",
            text("turn"),
            text("tool"),
            event["arguments"]
        ),
        Some("replied") => {
            let verdict = &event["verdict"];
            let how = verdict["verdict"].as_str().unwrap_or_default();
            let said = ["message", "why", "hunks"].map(|key| &verdict[key]);
            let said = said.into_iter().find(|said| !said.is_null());
            let said = said.map(|said| match said {
                Value::String(said) => format!(": {said}"),
                said => format!(": {said} hunks"),
            });
            let tool = text("tool");
            format!(
                "turn {}: {tool} {how}{}",
                text("turn"),
                said.unwrap_or_default()
            )
        }
        Some("ended") => format!(
            "{} after {} turns, {} tool calls, {} hunks. {}",
            text("state"),
            text("turns"),
            text("tool_calls"),
            text("hunks"),
            text("message"),
        ),
        _ => event.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trace_is_read_line_by_line() {
        let events = [
            json!({"event": "began", "action": "simplify", "symbol": "f", "file": "/w/a.rs", "model": "m", "pack_tokens": 9}),
            json!({"event": "called", "turn": 1, "tool": "find", "arguments": {"query": "f"}}),
            json!({"event": "replied", "turn": 1, "tool": "find", "verdict": {"verdict": "refused", "message": "no"}}),
            json!({"event": "replied", "turn": 1, "tool": "edit_symbol", "verdict": {"verdict": "landed", "hunks": 2}}),
            json!({"event": "of tomorrow", "what": 1}),
        ];
        let entries: Vec<Entry> = (1..)
            .zip(events)
            .map(|(seq, event)| Entry {
                seq,
                at: Timestamp::from_millisecond(1_500 * i64::try_from(seq).unwrap()).unwrap(),
                event,
            })
            .collect();
        expect![[r#"
            0.000 s    simplify of `f` in /w/a.rs begins with m, 9 tokens of context
            1.500 s    turn 1: find {"query":"f"}
            3.000 s    turn 1: find refused: no
            4.500 s    turn 1: edit_symbol landed: 2 hunks
            6.000 s    {"event":"of tomorrow","what":1}
        "#]]
        .assert_eq(&trace(&entries));
    }
}
