//! Runs the specifications beside this file: what an agent does, as Markdown that people read.
//!
//! Each drives the real loop, the real tools and the real gate; only the model, the editor and the purse are doubles.
//! `README.md` describes the form. `UPDATE_EXPECT=1` writes what happened into the blocks that say what should.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test states what it expects bluntly, and keeps its own files"
)]

mod attacks;
mod cancels;
mod desk;
mod model;
mod spec;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent::{Action, End, Host as _, Inquiry, JournalEvent, Model, Models, RunLimits, Task};
use provider::ToolSpec;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::model::Scripted;
use crate::spec::{File, Spec};

#[test]
fn every_specification_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/runs");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("README.md")
    });
    paths.sort();
    let mut report = String::new();
    let mut count = 0;
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut file = File::parse(&std::fs::read_to_string(&path).unwrap());
        for spec in file.specs() {
            count += 1;
            let actual = perform(&spec);
            for (block, actual) in actual.compare(&spec) {
                match block {
                    Some(index) if update => file.set(index, &actual),
                    Some(index) => {
                        let expected = file.body(index);
                        let _ = writeln!(
                            report,
                            "\n{name}: {}\n--- expected\n{expected}--- actual\n{actual}",
                            spec.title
                        );
                    }
                    None => {
                        let _ = writeln!(report, "\n{name}: {}\n{actual}", spec.title);
                    }
                }
            }
        }
        if update {
            std::fs::write(&path, file.text()).unwrap();
        }
    }
    assert!(
        report.is_empty(),
        "{report}\nUPDATE_EXPECT=1 rewrites the blocks; read the difference before you keep it"
    );
    assert!(count >= 12, "only {count} specifications were found");
}

/// What happened, in the form of the blocks.
struct Actual {
    sent: String,
    replies: Vec<String>,
    files: Vec<(String, String, bool)>,
    end: String,
    /// How many moments there were, and how things stood when the user cancelled at one.
    moments: usize,
    cancelled: Option<(desk::Cancelled, Duration)>,
}

fn perform(spec: &Spec) -> Actual {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let desk = Arc::new(Desk::new(spec, cancel.clone()));
        let task = task(spec, &desk);
        let scope = agent::scope_in(&desk.snapshot(), &task).unwrap();
        desk.set_scope(scope.clone());
        let model = Model {
            id: "scripted".to_owned(),
            max_tokens: 4096,
            effort: None,
            patches: spec.given("patches") == Some("yes"),
            creates: spec.given("new files") == Some("yes"),
            moves: spec.given("moved files") == Some("yes"),
        };
        let other = |key: &str| {
            spec.given(key).map(|id| Model {
                id: id.to_owned(),
                ..model.clone()
            })
        };
        let models = Models {
            cheaper: other("cheaper model"),
            larger: other("larger model"),
            first: model,
        };
        let mut limits = RunLimits::default();
        if let Some(turns) = spec.given("turns") {
            limits.turns = turns.parse().unwrap();
        }
        if let Some(calls) = spec.given("tool calls") {
            limits.tool_calls = calls.parse().unwrap();
        }
        let scripted = Scripted::new(spec.turns(), desk.clone());
        if task.action == Action::Review {
            ask(&task, &models, &limits, desk.as_ref(), &scripted, cancel).await;
        } else {
            agent::run(
                &task,
                &scope,
                &models,
                &limits,
                desk.as_ref(),
                &scripted,
                cancel,
            )
            .await;
        }
        let (moments, cancelled) = desk.moments();
        Actual {
            sent: scripted.first_message(),
            replies: scripted.replies(),
            files: desk.files(),
            end: desk.end(),
            moments,
            cancelled: cancelled.map(|cancelled| {
                let took = cancelled.at.elapsed();
                (cancelled, took)
            }),
        }
    })
}

/// Asks the words of the action, to be answered by the tool `report`, and once more the same.
async fn ask(
    task: &Task,
    models: &Models,
    limits: &RunLimits,
    desk: &Desk,
    scripted: &Scripted,
    cancel: CancellationToken,
) {
    let schema = json!({"type": "object", "properties": {}});
    let inquiry = Inquiry {
        system: "Answer by report.",
        question: task.instruction.clone().unwrap_or_default(),
        file: task.file.clone(),
        answer: ToolSpec::new("report", "The answer.", schema),
        reads: true,
    };
    let (mut turns, mut tool_calls, mut said) = (0, 0, Vec::new());
    let mut end = None;
    for _ in 0..2 {
        let answered = agent::inquire(
            &inquiry,
            models,
            limits,
            turns,
            desk,
            scripted,
            cancel.clone(),
        )
        .await;
        turns += answered.turns;
        tool_calls += answered.tool_calls;
        match answered.answer {
            Ok(Some(answer)) => said.push(answer.to_string()),
            Ok(None) => said.push("no answer".to_owned()),
            Err(ended) => {
                end = Some(ended);
                break;
            }
        }
    }
    let end = end.unwrap_or_else(|| End::Completed {
        summary: said.join(", then "),
        hunks: 0,
    });
    desk.journal(JournalEvent::Ended {
        state: end.state(),
        message: end.message().to_owned(),
        turns,
        tool_calls,
        hunks: 0,
    });
}

/// `ACTION FILE SYMBOL`, and on further lines the words to act on.
fn task(spec: &Spec, desk: &Desk) -> Task {
    let (line, words) = spec.action.split_once('\n').unwrap_or((&spec.action, ""));
    let mut parts = line.splitn(3, ' ');
    let mut part = || {
        parts
            .next()
            .unwrap_or_else(|| panic!("{}: an action is `ACTION FILE SYMBOL`", spec.title))
    };
    let action = Action::from_id(part())
        .unwrap_or_else(|| panic!("{}: there is no such action", spec.title));
    let mut task = Task::new(action, desk.path(part()), part());
    let words = words.trim();
    task.instruction = (!words.is_empty()).then(|| words.to_owned());
    task
}

impl Actual {
    /// What differs: the block that says otherwise, if there is one, and what it should say.
    fn compare(&self, spec: &Spec) -> Vec<(Option<usize>, String)> {
        let mut differences = Vec::new();
        let mut check = |block: Option<usize>, expected: Option<&str>, actual: &str| {
            if expected.map(str::trim_end) != Some(actual.trim_end()) {
                differences.push((block, actual.to_owned()));
            }
        };
        if let Some((block, expected)) = &spec.sent {
            check(Some(*block), Some(expected), &self.sent);
        }
        for (at, (block, expected)) in spec.replies.iter().enumerate() {
            check(
                Some(*block),
                Some(expected),
                self.replies.get(at).map_or("", String::as_str),
            );
        }
        for reply in self.replies.iter().skip(spec.replies.len()) {
            check(
                None,
                None,
                &format!("the model was told this, and no ```reply block says so:\n{reply}"),
            );
        }
        for (path, text, changed) in &self.files {
            match spec.results.iter().find(|(_, name, _)| name == path) {
                Some((block, _, expected)) => check(Some(*block), Some(expected), text),
                None if *changed => check(
                    None,
                    None,
                    &format!("{path} has changed, and no ```result block says so:\n{text}"),
                ),
                None => {}
            }
        }
        match &spec.end {
            Some((block, expected)) => check(Some(*block), Some(expected), &self.end),
            None => check(None, None, "there is no ```end block"),
        }
        differences
    }
}
