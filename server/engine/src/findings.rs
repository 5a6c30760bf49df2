//! The architecture review: what the rules say about the files as they are in the editor.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use review::{Finding, Manifests, Review, check_file, graph};
use text::FilePath;
use workspace::Snapshot;

use crate::config::Config;
use crate::{Engine, Event};

/// What the review remembers between edits; nothing until the first pass over the disk has ended.
#[derive(Default)]
pub(crate) struct Reviewed {
    review: Option<Review>,
    manifests: Manifests,
    manifest_files: BTreeSet<FilePath>,
}

/// The manifests of a workspace: among the files without a grammar, and among those of the index, because the language
/// of a manifest may have a grammar.
pub fn manifests_of(index: &index::Index, others: &[FilePath]) -> BTreeSet<FilePath> {
    let files = index.paths().chain(others);
    let manifests = files.filter(|file| review::is_manifest(file.file_name()));
    manifests.cloned().collect()
}

/// Reads manifests. One that cannot be read says nothing.
pub fn read_manifests(files: &BTreeSet<FilePath>) -> Manifests {
    Manifests::read(files.iter().filter_map(|file| {
        let text = workspace::read(file).ok()?;
        Some((file.clone(), text.to_string()))
    }))
}

/// The findings of a whole index, by file and place: what the editor shows file by file.
pub fn findings_of(
    roots: &[FilePath],
    index: &index::Index,
    manifests: &Manifests,
    config: &Config,
) -> (Vec<Finding>, Review) {
    let review = Review::of(&project(roots, index, manifests), &config.rules);
    let mut findings = Vec::new();
    for (file, facts) in index.files() {
        findings.extend(check_file(file, &facts, &config.rules));
        findings.extend(review.file(file).iter().cloned());
    }
    findings
        .sort_by(|a, b| (&a.file, a.range.start, a.rule).cmp(&(&b.file, b.range.start, b.rule)));
    (findings, review)
}

fn project<'a>(
    roots: &'a [FilePath],
    index: &'a index::Index,
    manifests: &'a Manifests,
) -> graph::Project<'a> {
    graph::Project {
        roots,
        index,
        manifests,
        // What ignore files leave out, such as code that a build makes, can be imported all the same.
        exists: &|file| file.as_path().exists(),
    }
}

impl Engine {
    /// Reviews the whole workspace, once its index is complete.
    pub(crate) fn review_all(&self, others: &[FilePath]) {
        self.review_with(manifests_of(self.snapshot().index(), others));
    }

    /// Reviews the whole workspace again because of its manifests, if any has changed.
    pub(crate) fn manifests_changed<'f>(&self, changed: impl Iterator<Item = &'f FilePath>) {
        let changed: BTreeSet<&FilePath> = changed.collect();
        if changed.is_empty() {
            return;
        }
        let files = self.reviewed(|reviewed| {
            let known = reviewed.manifest_files.iter();
            let others = known.filter(|file| !changed.contains(file)).cloned();
            let there = changed.iter().filter(|file| file.as_path().is_file());
            let files = others.chain(there.map(|file| (*file).clone()));
            reviewed.review.is_some().then(|| files.collect())
        });
        if let Some(files) = files {
            self.review_with(files);
        }
    }

    fn review_with(&self, manifest_files: BTreeSet<FilePath>) {
        let manifests = read_manifests(&manifest_files);
        let snapshot = self.snapshot();
        let project = project(&snapshot.roots, snapshot.index(), &manifests);
        let review = Review::of(&project, &self.config().rules);
        self.reviewed(|reviewed| {
            *reviewed = Reviewed {
                review: Some(review),
                manifests,
                manifest_files,
            };
        });
    }

    /// Takes in that files have changed, and has the open files shown whose findings are not what they were.
    pub(crate) fn review_changed(&self, files: &BTreeSet<FilePath>) {
        let (snapshot, config) = (self.snapshot(), self.config());
        let changed = self.reviewed(|reviewed| {
            let Reviewed {
                review, manifests, ..
            } = reviewed;
            let review = review.as_mut()?;
            let project = project(&snapshot.roots, snapshot.index(), manifests);
            Some(review.update(&project, &config.rules, files))
        });
        for file in changed.unwrap_or_default() {
            if snapshot.open_document(&file).is_some() && !files.contains(&file) {
                self.show(Event::Markers(file));
            }
        }
    }

    /// What the review says about a file as a part of the workspace, by place.
    pub(crate) fn findings_in_graph(&self, snapshot: &Snapshot, file: &FilePath) -> Vec<Finding> {
        if snapshot.root_of(file).is_none() {
            return Vec::new();
        }
        self.reviewed(|reviewed| {
            let review = reviewed.review.as_ref();
            review.map_or_else(Vec::new, |review| review.file(file).to_vec())
        })
    }

    fn reviewed<T>(&self, act: impl FnOnce(&mut Reviewed) -> T) -> T {
        // The review is replaced as a whole, so that a panic leaves the one before.
        let mut reviewed = self
            .shared
            .reviewed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        act(&mut reviewed)
    }
}
