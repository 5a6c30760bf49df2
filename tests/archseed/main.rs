//! ArchSeed: known defects and harmless look-alikes, put into a workspace one at a time.
//!
//! For each rule, a generator writes defects that it must report (seeds) and code that merely looks like them (decoys),
//! each under many names, in many places, amid code that is neither. A rule passes if it reports at least 95 of 100
//! seeds and at most 5 of 100 decoys. What a team says about itself is tried the same way, and each of those cases once
//! more under the opposite word.
//!
//! `FARTHING_HOST` names a folder whose files then stand around each seed in place of the generated ones.

#![expect(clippy::unwrap_used, reason = "a test states what it expects bluntly")]

mod cases;
mod host;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use index::{Facts, Index};
use review::graph::Project;
use review::{
    Bar, Finding, LogReader, Manifests, Review, RuleId, Seen, Thresholds, all_rules, judge,
    judge_other,
};
use text::{FilePath, Range};

use crate::cases::{Case, Files, cases};
use crate::host::{Names, host};

/// How often each seed and each decoy is written, under other names in other places.
const VARIANTS: u64 = 8;

#[derive(Default)]
struct Score {
    seeds: usize,
    found: usize,
    decoys: usize,
    alarms: usize,
    wrong: Vec<String>,
}

#[test]
fn every_rule_finds_what_was_seeded_and_leaves_the_decoys() {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for case in cases() {
        let score = scores.entry(case.rule).or_default();
        for variant in 0..VARIANTS {
            score.seeds += 1;
            if reports(case, case.seed, case.team, variant) {
                score.found += 1;
            } else {
                score.wrong.push(format!("missed: {}", case.seed[0].1));
            }
            for decoy in case.decoys {
                score.decoys += 1;
                if reports(case, decoy, case.team, variant) {
                    score.alarms += 1;
                    score.wrong.push(format!("alarm: {}", decoy[0].1));
                }
            }
        }
    }
    let mut table = String::from("rule | seeds | found | decoys | alarms\n");
    let mut failed = Vec::new();
    for (rule, score) in &scores {
        let Score {
            seeds,
            found,
            decoys,
            alarms,
            wrong,
        } = score;
        writeln!(table, "{rule} | {seeds} | {found} | {decoys} | {alarms}").unwrap();
        if found * 100 < seeds * 95 || alarms * 100 > decoys * 5 {
            failed.push(format!("{rule}: {}", wrong.join("\n")));
        }
    }
    println!("{table}");
    assert!(failed.is_empty(), "{table}\n{}", failed.join("\n\n"));
    for rule in all_rules().iter().filter(|rule| !rule.is_by_model()) {
        assert!(
            scores.contains_key(rule.code()),
            "{rule} has no seed in tests/archseed/cases"
        );
    }
}

#[test]
fn what_a_team_says_decides() {
    let (mut conflicts, mut controls) = (0, 0);
    for case in cases().filter(|case| case.control.is_some()) {
        for variant in 0..VARIANTS {
            conflicts += 1;
            assert!(
                reports(case, case.seed, case.team, variant),
                "{}",
                case.seed[0].1
            );
            controls += 1;
            let control = case.control.unwrap();
            assert!(
                !reports(case, case.seed, control, variant),
                "{}",
                case.seed[0].1
            );
        }
    }
    assert!(
        conflicts >= 60 && controls >= 30,
        "{conflicts} conflicts, {controls} controls"
    );
}

/// Whether the case's rule has anything to say about the files, in a workspace with many others.
fn reports(case: &Case, files: Files<'_>, team: fn() -> review::Team, variant: u64) -> bool {
    let mut names = Names::new(case.rule, variant);
    let root = FilePath::new("/w").unwrap();
    let mut index = Index::new();
    let mut manifests = Vec::new();
    let mut texts: BTreeMap<FilePath, String> = BTreeMap::new();
    for (path, text) in host(&mut names, case.language) {
        texts.insert(root.join(&path).unwrap(), text);
    }
    let mut seeded = Vec::new();
    for (path, text) in files {
        let file = root.join(&names.fill(path)).unwrap();
        texts.insert(file.clone(), names.fill(text));
        seeded.push(file);
    }
    for (file, text) in &texts {
        if review::is_manifest(file) {
            manifests.push((file.clone(), text.clone()));
        }
        if let Some(grammar) = grammars::for_path(file.file_name()) {
            index.insert(file.clone(), Arc::new(Facts::of(grammar, text)));
        }
    }
    let mut thresholds = Thresholds::default();
    let rule = RuleId::from_code(case.rule).unwrap();
    thresholds.set(rule, Some(rule.default_threshold()));
    let team = team();
    let manifests = Manifests::read(manifests);
    let project = Project {
        roots: std::slice::from_ref(&root),
        index: &index,
        manifests: &manifests,
        exists: &|file| texts.contains_key(file),
        ignored: &|_, _| false,
        team: &team,
    };
    let review = Review::of(&project, &thresholds);
    let mut reader = LogReader::new(root.clone());
    reader.feed(log(&root, texts.keys()).as_bytes());
    let history = reader.finish();
    let read = |file: &FilePath| texts.get(file).cloned();
    let graph = review.graph();
    let unused = review::unused_dependencies(graph, &project, &thresholds, &[], &read);
    // What is in a folder `new` has just been written.
    let is_new = |file: &FilePath| file.as_str().contains("/new/");
    let fresh = |file: &FilePath, _: &str, _: Range| is_new(file);
    let bar = Bar {
        thresholds: &thresholds,
        team: &team,
        today: "2027-03-02",
        history: &history,
        customs: review.customs(),
        index: &index,
        fresh: Some(&fresh),
    };
    let found = |file: &FilePath| -> Vec<Finding> {
        let path = file.relative_to(&root).unwrap();
        let mut others = review.file(file).to_vec();
        others.extend(unused.get(file).cloned().unwrap_or_default());
        others.extend(history.about(file, graph, &project, &thresholds, &is_new));
        let others = &*others;
        match index.file(file) {
            Some(facts) => {
                let smells = facts.smells_in(&texts[file], &|_| true);
                let seen = Seen {
                    facts: &facts,
                    smells: &smells,
                    others: Some(others),
                };
                judge(&bar, file, path, &seen)
            }
            None => judge_other(&bar, path, others),
        }
    };
    let mut all = seeded.iter().flat_map(found);
    all.any(|finding| finding.rule == rule)
}

/// A history in which each file in a folder `hot` changed often, those in a folder `pair` changed together, and all
/// others once.
fn log<'f>(root: &FilePath, files: impl Iterator<Item = &'f FilePath>) -> String {
    let paths: Vec<&str> = files.filter_map(|file| file.relative_to(root)).collect();
    let mut log = String::new();
    for path in &paths {
        let times = if path.starts_with("hot/") { 20 } else { 1 };
        for _ in 0..times {
            write!(log, "\0\n\nM\t{path}\n").unwrap();
        }
    }
    for _ in 0..12 {
        log.push_str("\0\n\n");
        for path in paths.iter().filter(|path| path.starts_with("pair/")) {
            writeln!(log, "M\t{path}").unwrap();
        }
    }
    log
}
