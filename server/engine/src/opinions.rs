//! What reviews by a model have come to in a workspace: their findings, what the user has dismissed, and how often.
//!
//! It outlives the server, in one file for each workspace. Nothing in that file is trusted: what does not hold any more
//! has no finding, and damage costs the findings and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::PoisonError;

use ledger::RunId;
use review::claims::{Evidence, Opinion};
use review::{Finding, RuleId};
use serde::{Deserialize, Serialize};
use text::{FilePath, Hash};
use workspace::Snapshot;

use crate::{Engine, Event};

/// The most findings that are remembered; the oldest go first.
const MOST: usize = 64;
/// The most dismissals that are remembered.
const MOST_DISMISSED: usize = 4_096;

/// All that is remembered of a workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Opinions {
    kept: Vec<Kept>,
    dismissed: BTreeSet<Dismissal>,
    /// By the code of the rule.
    tally: BTreeMap<String, Tally>,
}

/// One finding, and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) opinion: Opinion,
    pub(crate) model: String,
    pub(crate) run: RunId,
    /// What it said when it was last looked at; nothing if it did not hold.
    #[serde(skip)]
    said: Option<Finding>,
}

/// A finding that the user has taken for no problem, by what it is about and not by its line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dismissal {
    /// The code of the rule.
    pub rule: String,
    /// The path of the file from the root.
    pub file: String,
    /// The path of the symbol; empty outside of symbols.
    pub symbol: String,
    /// What is claimed; of a symbol, whatever it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
}

/// How often a rule has been right, as far as the user has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Findings that were shown.
    pub shown: u32,
    /// Those of them that were dismissed.
    pub dismissed: u32,
}

impl Tally {
    /// How many were not dismissed, of how many.
    pub fn kept(self) -> String {
        let kept = self.shown.saturating_sub(self.dismissed);
        format!("{kept} of {} kept", self.shown)
    }
}

impl Dismissal {
    /// Of a finding in the file with that path from the root.
    pub(crate) fn of(finding: &Finding, path: &str) -> Dismissal {
        let key = if finding.symbol.is_empty() {
            finding.key.to_string()
        } else {
            String::new()
        };
        Dismissal {
            rule: finding.rule.code().to_owned(),
            file: path.to_owned(),
            symbol: finding.symbol.to_string(),
            key,
        }
    }
}

/// Where opinions are kept.
#[derive(Clone, Debug)]
pub(crate) struct Memory(PathBuf);

impl Memory {
    pub(crate) fn new(folder: PathBuf) -> Memory {
        Memory(folder)
    }

    fn place(&self, roots: &[FilePath]) -> PathBuf {
        let roots: Vec<&str> = roots.iter().map(FilePath::as_str).collect();
        self.0.join(format!("{}.json", Hash::of(&roots.join("\n"))))
    }

    fn read(&self, roots: &[FilePath]) -> Option<Opinions> {
        let text = std::fs::read_to_string(self.place(roots)).ok()?;
        serde_json::from_str(&text)
            .inspect_err(
                |error| tracing::warn!(%error, "what reviews have come to is damaged and left out"),
            )
            .ok()
    }

    fn write(&self, roots: &[FilePath], opinions: &Opinions) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let mut draft = tempfile::NamedTempFile::new_in(&self.0)?;
        draft.write_all(&serde_json::to_vec(opinions)?)?;
        draft.persist(self.place(roots))?;
        Ok(())
    }
}

impl Opinions {
    /// Whether the user has taken such a finding for no problem.
    pub(crate) fn is_dismissed(&self, dismissal: &Dismissal) -> bool {
        self.dismissed.contains(dismissal)
    }

    fn add(&mut self, opinion: Opinion, model: &str, run: &RunId) {
        self.tally
            .entry(opinion.rule().code().to_owned())
            .or_default()
            .shown += 1;
        self.kept.push(Kept {
            opinion,
            model: model.to_owned(),
            run: run.clone(),
            said: None,
        });
        let surplus = self.kept.len().saturating_sub(MOST);
        self.kept.drain(..surplus);
    }

    /// The findings that hold, each with what is known of it.
    pub(crate) fn holding<'o>(
        &'o self,
        evidence: &Evidence<'_>,
        of: impl Fn(&Opinion) -> bool,
    ) -> Vec<(&'o Kept, Finding)> {
        let wanted = self.kept.iter().filter(|kept| of(&kept.opinion));
        wanted
            .filter_map(|kept| Some((kept, kept.opinion.finding(evidence)?)))
            .collect()
    }

    pub(crate) fn tally(&self, rule: RuleId) -> Tally {
        self.tally.get(rule.code()).copied().unwrap_or_default()
    }
}

/// How often each rule has been right in a workspace, by its code, as it is written down in `folder`.
pub fn recorded_tallies(folder: PathBuf, roots: &[FilePath]) -> BTreeMap<String, Tally> {
    let found = Memory::new(folder).read(roots);
    found.map(|opinions| opinions.tally).unwrap_or_default()
}

impl Engine {
    /// Takes up what is remembered of the workspace.
    pub(crate) fn recall_opinions(&self, roots: &[FilePath]) {
        let Some(memory) = &self.shared.memory else {
            return;
        };
        let found = memory.read(roots).unwrap_or_default();
        self.opinions(|opinions| *opinions = found);
    }

    pub(crate) fn opinions<T>(&self, act: impl FnOnce(&mut Opinions) -> T) -> T {
        // A panic leaves whole entries behind.
        let opinions = &self.shared.opinions;
        act(&mut opinions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is remembered, over what another window has written meanwhile.
    fn change_opinions<T>(&self, roots: &[FilePath], change: impl FnOnce(&mut Opinions) -> T) -> T {
        self.opinions(|opinions| {
            if let Some(memory) = &self.shared.memory
                && let Some(newer) = memory.read(roots)
            {
                *opinions = newer;
            }
            let changed = change(opinions);
            if let Some(memory) = &self.shared.memory
                && let Err(error) = memory.write(roots, opinions)
            {
                tracing::warn!(%error, "what this review came to would not survive a restart");
            }
            changed
        })
    }

    /// Remembers what a review has come to, and has it shown.
    pub(crate) fn add_opinions(&self, opinions: Vec<Opinion>, model: &str, run: &RunId) {
        let snapshot = self.snapshot();
        let homes: Vec<String> = opinions.iter().map(|one| one.home().to_owned()).collect();
        self.change_opinions(&snapshot.roots, |all| {
            for opinion in opinions {
                all.add(opinion, model, run);
            }
        });
        self.show_files(&snapshot, |path| homes.iter().any(|home| home == path));
    }

    /// Takes a finding of a model for no problem, for ever. Answers whether there was such a finding.
    pub fn dismiss(&self, file: &FilePath, dismissal: &Dismissal) -> bool {
        let snapshot = self.snapshot();
        let path = snapshot.display(file).to_owned();
        let found = self.opinions_about(&snapshot, file);
        let known = found.iter().any(|(_, finding)| {
            path == dismissal.file && Dismissal::of(finding, &path) == *dismissal
        });
        if !known {
            return false;
        }
        let gone: Vec<Opinion> = (found.into_iter())
            .filter(|(_, finding)| Dismissal::of(finding, &path) == *dismissal)
            .map(|(kept, _)| kept.opinion)
            .collect();
        self.change_opinions(&snapshot.roots, |all| {
            all.kept.retain(|kept| !gone.contains(&kept.opinion));
            if all.dismissed.len() < MOST_DISMISSED {
                all.dismissed.insert(dismissal.clone());
            }
            let tally = all.tally.entry(dismissal.rule.clone()).or_default();
            tally.dismissed += u32::try_from(gone.len()).unwrap_or(u32::MAX);
        });
        self.show(Event::Markers(file.clone()));
        true
    }

    pub(crate) fn tally(&self, rule: RuleId) -> Tally {
        self.opinions(|opinions| opinions.tally(rule))
    }

    /// All findings of models that hold and that nothing silences, by file and place.
    pub fn model_findings(&self) -> Vec<Finding> {
        let snapshot = self.snapshot();
        let found = self.holding(&snapshot, |_| true).into_iter();
        let mut found: Vec<Finding> = found.map(|(_, finding)| finding).collect();
        found.retain(|finding| self.is_heard(&snapshot, finding));
        found.sort_by(|a, b| (&a.file, a.range.start).cmp(&(&b.file, b.range.start)));
        found
    }

    /// The findings of models in one file.
    pub(crate) fn opinions_about(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
    ) -> Vec<(Kept, Finding)> {
        let path = snapshot.display(file).to_owned();
        let mut found = self.holding(snapshot, |opinion| opinion.home() == path);
        found.retain(|(_, finding)| finding.file == *file);
        found
    }

    /// What a model has said is to be done about its finding; nothing for one of a rule.
    pub(crate) fn advice(&self, snapshot: &Snapshot, finding: &Finding) -> String {
        if !finding.rule.is_by_model() {
            return String::new();
        }
        let found = self.opinions_about(snapshot, &finding.file);
        let same = |(_, other): &&(Kept, Finding)| {
            (other.rule, &other.symbol, &other.key) == (finding.rule, &finding.symbol, &finding.key)
        };
        let fix = found.iter().find(same).map(|(kept, _)| kept.opinion.fix());
        fix.map(|fix| format!(". Advice: {fix}"))
            .unwrap_or_default()
    }

    fn holding(&self, snapshot: &Snapshot, of: impl Fn(&Opinion) -> bool) -> Vec<(Kept, Finding)> {
        let opinions = self.opinions(|opinions| opinions.clone());
        if !opinions.kept.iter().any(|kept| of(&kept.opinion)) {
            return Vec::new();
        }
        let found = self.with_evidence(snapshot, |evidence, _| {
            let found = opinions.holding(evidence, of).into_iter();
            let found = found.map(|(kept, mut finding)| {
                let tally = opinions.tally(finding.rule);
                if tally.dismissed > 0 {
                    finding.message = format!("{} · {} here", finding.message, tally.kept());
                }
                (kept.clone(), finding)
            });
            found.collect()
        });
        found.unwrap_or_default()
    }

    /// Takes in that something has changed, and has the open files shown in which a finding of a model has come or gone.
    pub(crate) fn opinions_changed(&self) {
        if self.opinions(|opinions| opinions.kept.is_empty()) {
            return;
        }
        let snapshot = self.snapshot();
        let opinions = self.opinions(|opinions| opinions.clone());
        let now = self.with_evidence(&snapshot, |evidence, _| {
            let said = opinions.kept.iter();
            let said: Vec<Option<Finding>> =
                said.map(|kept| kept.opinion.finding(evidence)).collect();
            said
        });
        let mut moved: BTreeSet<String> = BTreeSet::new();
        for (kept, said) in opinions.kept.iter().zip(now.unwrap_or_default()) {
            if kept.said == said {
                continue;
            }
            moved.insert(kept.opinion.home().to_owned());
            self.opinions(|opinions| {
                let same = |other: &&mut Kept| other.opinion == kept.opinion;
                if let Some(kept) = opinions.kept.iter_mut().find(same) {
                    kept.said = said;
                }
            });
        }
        self.show_files(&snapshot, |path| moved.contains(path));
    }

    fn show_files(&self, snapshot: &Snapshot, of: impl Fn(&str) -> bool) {
        for document in snapshot.open_documents() {
            if of(snapshot.display(document.file())) {
                self.show(Event::Markers(document.file().clone()));
            }
        }
    }
}
