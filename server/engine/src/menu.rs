//! What the light bulb offers at a place, each with its price.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use agent::{Action, Note, Packer};
use ledger::Estimate;
use review::Finding;
use serde::{Deserialize, Serialize};
use text::{FilePath, Range};
use workspace::{Document, Snapshot};

use crate::hunks::{Hunk, HunkId, HunkState};
use crate::{Dismissal, Engine, Launch, LaunchError, Page, RunId, Way, Whole};

/// The menu of one place.
#[derive(Clone, Debug, Default)]
pub struct Menu {
    /// Its entries, in the order to show them.
    pub items: Vec<Item>,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Item {
    /// Name and price.
    pub title: String,
    /// Where editors file it.
    pub kind: ItemKind,
    /// What happens when it is picked.
    pub pick: Pick,
    /// What it repairs, if it is for a diagnostic.
    pub repairs: Option<Repairs>,
    /// What it is expected to cost, if it costs anything.
    pub estimate: Option<Estimate>,
}

/// Where editors file an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Repairs something.
    Fix,
    /// Changes how something is written.
    Rewrite,
    /// Takes something out into a thing of its own.
    Extract,
    /// Looks at the whole file and changes nothing.
    Review,
}

/// What an entry repairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repairs {
    /// The diagnostic at this place in the list that the menu was asked with.
    Foreign(usize),
    /// A finding of ours: its code and range.
    Finding(&'static str, Range),
    /// A hunk.
    Hunk(HunkId),
}

/// What happens when an entry is picked.
#[derive(Clone, Debug)]
pub enum Pick {
    /// A run starts.
    Launch(Launch),
    /// A hunk is kept.
    Keep(HunkId),
    /// A hunk is taken back.
    Undo(HunkId),
    /// All hunks of the file are kept.
    KeepFile,
    /// Another hunk is shown: the one beside this one.
    Go(HunkId, Way),
    /// All hunks of a run are taken back.
    UndoRun(RunId),
    /// The editor shows all staged hunks of a run, to pick from.
    Preview(RunId),
    /// A text that only the server has is shown.
    Show(Page),
    /// A run is stopped.
    Cancel(RunId),
    /// A finding of a model is taken for no problem.
    Dismiss(Dismissal),
    /// How to configure a model is explained.
    Configure,
}

/// A diagnostic that somebody else published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignDiagnostic {
    /// Where.
    pub range: Range,
    /// Who published it.
    pub source: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// What it says.
    pub message: String,
}

impl Engine {
    /// The menu at `range`; nothing can be launched in a file that `[scope] deny` closes.
    ///
    /// Parses the file if nobody has since the last keystroke. Never waits for a
    /// network; of the disk, only the few files that a price is about are read.
    pub fn menu(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
        range: Range,
        diagnostics: &[ForeignDiagnostic],
    ) -> Menu {
        let mut items = self.review_items(file, range);
        let Some(document) = snapshot.open_document(file) else {
            return Menu { items };
        };
        let findings = self.findings_at(snapshot, document, range);
        items.extend(dismissals(&findings, snapshot.display(file)));
        if !self.is_configured() {
            items.push(Item {
                title: "Set up a model for Farthing…".to_owned(),
                kind: ItemKind::Rewrite,
                pick: Pick::Configure,
                repairs: None,
                estimate: None,
            });
            return Menu { items };
        }
        let snapshot = &self.closing(snapshot.clone());
        if snapshot.is_closed(file) {
            return Menu { items };
        }
        let launches = self.launches(snapshot, document, range, &findings, diagnostics);
        let mut packers = Packers::default();
        let priced = self.config().surfaces.priced_actions;
        items.extend(launches.into_iter().map(|(launch, kind, repairs)| {
            let estimate = self.estimate_with(&mut packers, snapshot, file, &launch);
            let title = launch.title();
            let title = match &estimate {
                Ok(estimate) if priced => format!("{title} · {}", estimate.title()),
                Ok(_) | Err(_) => title,
            };
            Item {
                title,
                kind,
                pick: Pick::Launch(launch),
                repairs,
                estimate: estimate.ok(),
            }
        }));
        items.extend(self.review_item(snapshot, document));
        Menu { items }
    }

    /// The review of the whole file by a model; none before the imports of the workspace are known.
    fn review_item(&self, snapshot: &Snapshot, document: &Document) -> Option<Item> {
        document.grammar()?;
        let path = snapshot.display(document.file());
        let launch = Launch::new(Action::Review, path);
        let estimate = self.estimate_review_lately(snapshot, path).ok()?;
        let title = if self.config().surfaces.priced_actions {
            format!("{} · {}", launch.title(), estimate.title())
        } else {
            launch.title()
        };
        Some(Item {
            title,
            kind: ItemKind::Review,
            pick: Pick::Launch(launch),
            repairs: None,
            estimate: Some(estimate),
        })
    }

    /// What can be launched at `range`, the most specific first.
    fn launches(
        &self,
        snapshot: &Snapshot,
        document: &Document,
        range: Range,
        findings: &[Finding],
        diagnostics: &[ForeignDiagnostic],
    ) -> Vec<(Launch, ItemKind, Option<Repairs>)> {
        let Some(parsed) = document.parsed() else {
            return Vec::new();
        };
        let facts = parsed.facts();
        let mut found = Vec::new();
        for finding in findings {
            if !finding.rule.is_repaired_in_a_symbol() || finding.symbol.is_empty() {
                continue;
            }
            let advice = self.advice(snapshot, finding);
            let launch = Launch {
                instruction: Some(format!("{}{advice}", finding.message)),
                finding: Some(finding.rule.code().to_owned()),
                ..Launch::new(Action::Fix, &finding.symbol)
            };
            found.push((
                launch,
                ItemKind::Fix,
                Some(Repairs::Finding(finding.rule.code(), finding.range)),
            ));
        }
        for (index, diagnostic) in diagnostics.iter().enumerate() {
            let Some(symbol) = facts
                .symbol_at(diagnostic.range.start)
                .and_then(|id| facts.symbol(id))
            else {
                continue;
            };
            let note = Note {
                line: document.text().line_of(diagnostic.range.start) + 1,
                source: diagnostic.source.clone(),
                code: diagnostic.code.clone(),
                message: diagnostic.message.clone(),
            };
            let launch = Launch {
                instruction: Some(diagnostic.message.clone()),
                diagnostics: vec![note],
                ..Launch::new(Action::Fix, &symbol.path)
            };
            found.push((launch, ItemKind::Fix, Some(Repairs::Foreign(index))));
        }
        let lines = document.text().full_lines(range);
        for comment in facts.comments.iter().filter(|comment| {
            (comment.range.intersects(lines) || lines.contains(comment.range.start))
                && !review::is_silencing(comment)
        }) {
            let Some(symbol) = comment.symbol.and_then(|id| facts.symbol(id)) else {
                continue;
            };
            let launch = Launch {
                instruction: Some(comment.text.clone()),
                ..Launch::new(Action::Comment, &symbol.path)
            };
            found.push((launch, ItemKind::Rewrite, None));
        }
        let Some(symbol) = target(facts, range) else {
            return found;
        };
        for action in Action::all()
            .iter()
            .copied()
            .filter(|action| action.is_offered_on(symbol, facts.grammar))
        {
            let kind = if action == Action::Extract {
                ItemKind::Extract
            } else {
                ItemKind::Rewrite
            };
            let selection = (!range.is_empty()).then_some(range);
            found.push((
                Launch {
                    selection,
                    ..Launch::new(action, &symbol.path)
                },
                kind,
                None,
            ));
        }
        found
    }

    /// Decisions about the hunks that `range` touches, and about the run that works there.
    fn review_items(&self, file: &FilePath, range: Range) -> Vec<Item> {
        let hunks = self.hunks(file);
        let here: Vec<&Hunk> = hunks
            .iter()
            .filter(|hunk| {
                hunk.range().touches(range.start)
                    || hunk.range().intersects(range)
                    || self.on_line(file, hunk.range(), range)
            })
            .collect();
        let mut items = Vec::new();
        for hunk in &here {
            self.add_decisions(hunk, &mut items);
        }
        if let Some(hunk) = here.first() {
            let of_run = hunks.iter().filter(|other| other.run == hunk.run).count();
            if hunks.len() > 1 {
                items.push(item(
                    format!("Keep all {} hunks in this file", hunks.len()),
                    Pick::KeepFile,
                    hunk.id,
                ));
            }
            items.push(item(
                format!(
                    "Undo run: {} ({of_run} {})",
                    hunk.title,
                    if of_run == 1 { "hunk" } else { "hunks" }
                ),
                Pick::UndoRun(hunk.run.clone()),
                hunk.id,
            ));
            let staged = (hunks.iter())
                .filter(|other| other.run == hunk.run && other.is_staged())
                .count();
            if staged > 0 {
                let title = format!("Pick from all {staged} hunks of this run in a preview");
                items.push(item(title, Pick::Preview(hunk.run.clone()), hunk.id));
            }
            let run = || hunk.run.clone();
            for (title, page) in [
                ("Show this hunk as a difference", Page::Hunk(hunk.id)),
                ("Show all changes of this run", Page::Changes(run())),
                ("Show what this run did", Page::Trace(run())),
            ] {
                items.push(item(title.to_owned(), Pick::Show(page), hunk.id));
            }
            if self.with(|state| state.hunks.count()) > 1 {
                let go = |way| Pick::Go(hunk.id, way);
                items.push(item("Next hunk".to_owned(), go(Way::Next), hunk.id));
                items.push(item("Previous hunk".to_owned(), go(Way::Previous), hunk.id));
            }
        }
        for run in self.running().into_iter().filter(|run| run.file == *file) {
            items.push(Item {
                title: format!("Cancel: {} · {} so far", run.title, run.charge()),
                kind: ItemKind::Fix,
                pick: Pick::Cancel(run.id),
                repairs: None,
                estimate: None,
            });
        }
        items
    }

    /// Keep and undo of one hunk, or what stands for it while it is not in the text.
    fn add_decisions(&self, hunk: &Hunk, items: &mut Vec<Item>) {
        match hunk.state {
            HunkState::Landed(_) => {
                let cost = if hunk.charge.is_nothing() {
                    String::new()
                } else {
                    format!(" · {}", hunk.charge)
                };
                // What was done to other files stands in one place.
                let (keep, undo) = match &hunk.whole {
                    Some(whole) if *whole != Whole::Made => {
                        let what = whole.shown(&self.snapshot());
                        (format!("Keep: {what}"), format!("Undo: {what}"))
                    }
                    _ => ("Keep this hunk".to_owned(), "Undo this hunk".to_owned()),
                };
                let keep = format!("{keep}{cost}");
                items.push(item(keep, Pick::Keep(hunk.id), hunk.id));
                items.push(item(undo, Pick::Undo(hunk.id), hunk.id));
            }
            HunkState::Pending { .. } => {
                let cost = if hunk.is_staged() && !hunk.charge.is_nothing() {
                    format!(" · {}", hunk.charge)
                } else {
                    String::new()
                };
                if !hunk.is_stuck() {
                    items.push(item(
                        format!("Apply this hunk{cost}"),
                        Pick::Keep(hunk.id),
                        hunk.id,
                    ));
                }
                items.push(item(
                    "Discard this hunk".to_owned(),
                    Pick::Undo(hunk.id),
                    hunk.id,
                ));
            }
        }
    }

    /// Whether the cursor is on a line of the hunk: editors ask for a cursor, not for what is under it.
    fn on_line(&self, file: &FilePath, hunk: Range, range: Range) -> bool {
        let snapshot = self.snapshot();
        snapshot.open_document(file).is_some_and(|document| {
            let lines = document.text().full_lines(hunk);
            lines.contains(range.start) || lines.intersects(range)
        })
    }

    /// What a launch at this place would cost, computed from the very request that it would send.
    pub fn estimate(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
        launch: &Launch,
    ) -> Result<Estimate, LaunchError> {
        let snapshot = self.closing(snapshot.clone());
        self.estimate_with(&mut Packers::default(), &snapshot, file, launch)
    }

    pub(crate) fn estimate_with<'a>(
        &self,
        packers: &mut Packers<'a>,
        snapshot: &'a Snapshot,
        file: &FilePath,
        launch: &Launch,
    ) -> Result<Estimate, LaunchError> {
        let config = self.config();
        let task = launch.task(file, &config);
        let scope = agent::scope_in(snapshot, &task)?;
        let packer = match packers.entry(task.symbol.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Packer::new(snapshot, file, &task.symbol)?),
        };
        let models = self.models(launch.action);
        let sizes = packer.sizes(&task, &scope, &models.first)?;
        let turns = config.limits.turns;
        (self.shared.purse).estimate(launch.action, &models, sizes, turns)
    }
}

/// What takes the findings of models for no problem.
fn dismissals(findings: &[Finding], path: &str) -> impl Iterator<Item = Item> {
    let by_model = findings.iter().filter(|finding| finding.rule.is_by_model());
    by_model.map(move |finding| Item {
        title: "Dismiss: not a problem here".to_owned(),
        kind: ItemKind::Fix,
        pick: Pick::Dismiss(Dismissal::of(finding, path)),
        repairs: Some(Repairs::Finding(finding.rule.code(), finding.range)),
        estimate: None,
    })
}

/// What is known of the symbols of one menu, by name path: its actions are mostly about the same one.
pub(crate) type Packers<'a> = BTreeMap<String, Packer<'a>>;

/// An entry about a hunk.
fn item(title: String, pick: Pick, hunk: HunkId) -> Item {
    Item {
        title,
        kind: ItemKind::Fix,
        pick,
        repairs: Some(Repairs::Hunk(hunk)),
        estimate: None,
    }
}

/// The smallest symbol that an action can be about and that holds all of `range`.
fn target(facts: &index::Facts, range: Range) -> Option<&index::Symbol> {
    let mut at = facts.symbol_at(range.start);
    while let Some(id) = at {
        let symbol = facts.symbol(id)?;
        if symbol.range.contains_range(range)
            && Action::all()
                .iter()
                .any(|action| action.is_offered_on(symbol, facts.grammar))
        {
            return Some(symbol);
        }
        at = symbol.parent;
    }
    None
}
