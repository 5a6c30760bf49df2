//! Two libraries for one job, where the team has not said which one it wants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use text::FilePath;

use crate::check::{
    Finding, MOST_RELATED, Related, Severity, is_of_others, runs_once, stands_alone,
};
use crate::graph::{EdgeKind, External, Graph, Project, is_test_file, name_of};
use crate::rule::RuleId;
use crate::team::is_of;

/// A job and the libraries that do it.
struct Job {
    name: String,
    /// What it is for: "to send HTTP requests".
    title: String,
    /// By ecosystem.
    libraries: BTreeMap<String, Vec<String>>,
}

static JOBS: LazyLock<Vec<Job>> = LazyLock::new(|| read(include_str!("jobs.toml")));

fn read(text: &str) -> Vec<Job> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let jobs = table.into_iter().filter_map(|(name, value)| {
        let toml::Value::Table(mut job) = value else {
            return None;
        };
        let title = job.remove("title")?.as_str()?.to_owned();
        let libraries = job.into_iter().map(|(ecosystem, names)| {
            let names = names.as_array().into_iter().flatten();
            let names = names.filter_map(|name| Some(name.as_str()?.to_owned()));
            (ecosystem, names.collect())
        });
        Some(Job {
            name,
            title,
            libraries: libraries.collect(),
        })
    });
    jobs.collect()
}

/// Where a library is imported, by the library.
type Uses<'g> = BTreeMap<&'static str, Vec<(&'g FilePath, &'g External)>>;

/// Two libraries for one job in the code of one manifest: one finding for each library that fewer files import than
/// another one. O(imports of packages).
///
/// A library whose import may fail anywhere has another one to fall back to, and one in a test or an example says nothing about the
/// code; a job that the team has decided on is left to the rule about that.
pub(crate) fn check(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    let mut uses: BTreeMap<(FilePath, usize), Uses<'_>> = BTreeMap::new();
    let mut optional: BTreeSet<(usize, &str)> = BTreeSet::new();
    for (file, links) in graph.files() {
        if links.externals.is_empty() {
            continue;
        }
        let path = name_of(project, file);
        let Some(facts) = project.index.file(file) else {
            continue;
        };
        if facts.generated
            || is_of_others(&path)
            || stands_alone(&path)
            || runs_once(&path)
            || is_test_file(project, file, &facts)
        {
            continue;
        }
        let ecosystem = facts.grammar.ecosystem;
        for external in &links.externals {
            if external.test || external.kind == EdgeKind::Type {
                continue;
            }
            for (number, job) in JOBS.iter().enumerate() {
                let Some(library) = job.library(ecosystem, external) else {
                    continue;
                };
                if external.guarded {
                    optional.insert((number, library));
                    continue;
                }
                let base = base_of(project, file);
                let places = uses.entry((base, number)).or_default();
                places.entry(library).or_default().push((file, external));
            }
        }
    }
    for ((_, number), mut libraries) in uses {
        libraries.retain(|library, _| !optional.contains(&(number, *library)));
        if let Some(job) = JOBS.get(number).filter(|job| !job.is_decided(project)) {
            job.judge(project, &libraries, found);
        }
    }
}

/// The folder whose code must agree: that of the nearest manifest, or the root of the workspace.
fn base_of(project: &Project<'_>, file: &FilePath) -> FilePath {
    let sets = project.manifests.dependencies().iter();
    let around = sets.filter(|set| file.is_inside(&set.folder));
    let nearest = around.max_by_key(|set| set.folder.as_str().len());
    let roots = || project.roots.iter().find(|root| file.is_inside(root));
    let base = nearest.map(|set| &set.folder).or_else(roots);
    base.unwrap_or(file).clone()
}

impl Job {
    fn library(&'static self, ecosystem: &str, external: &External) -> Option<&'static str> {
        let names = self.libraries.get(ecosystem)?;
        let fits = |name: &&String| is_of(&external.path, name) || is_of(&external.package, name);
        names.iter().find(fits).map(String::as_str)
    }

    /// Whether the team has said which one it wants.
    fn is_decided(&self, project: &Project<'_>) -> bool {
        let all = || self.libraries.values().flatten();
        let mut decided = project.team.jobs.iter();
        decided.any(|one| {
            one.job == self.name
                || all().any(|name| is_of(name, &one.library))
                || one
                    .instead_of
                    .iter()
                    .any(|other| all().any(|name| is_of(name, other)))
        })
    }

    fn judge(&self, project: &Project<'_>, libraries: &Uses<'_>, found: &mut Vec<Finding>) {
        let files = |places: &[(&FilePath, &External)]| {
            let files: BTreeSet<&FilePath> = places.iter().map(|(file, _)| *file).collect();
            files.len()
        };
        let most = libraries
            .iter()
            .max_by_key(|(name, places)| (files(places), std::cmp::Reverse(**name)));
        let Some((usual, usual_places)) = most else {
            return;
        };
        // Whoever takes both has the one speak to the other.
        let both: BTreeSet<&FilePath> = usual_places.iter().map(|(file, _)| *file).collect();
        for (name, places) in libraries.iter().filter(|(name, _)| *name != usual) {
            let alone = places.iter().filter(|(file, _)| !both.contains(file));
            let places: Vec<_> = alone.copied().collect();
            let Some((file, first)) = places.first() else {
                continue;
            };
            let count = files(usual_places);
            let s = if count == 1 { "" } else { "s" };
            let others = places.iter().skip(1).map(|(file, external)| Related {
                file: (*file).clone(),
                range: external.range,
                message: format!("imports `{name}` as well"),
            });
            let usual_first = usual_places.iter().take(3).map(|(file, external)| Related {
                file: (*file).clone(),
                range: external.range,
                message: format!("{} imports `{usual}`", name_of(project, file)),
            });
            found.push(Finding {
                rule: RuleId::TwoForOne,
                severity: Severity::Information,
                file: (*file).clone(),
                symbol: "".into(),
                range: first.range,
                message: format!(
                    "`{name}` and `{usual}` are both there {}; {count} file{s} here take `{usual}`",
                    self.title
                ),
                key: (*name).into(),
                related: usual_first.chain(others).take(MOST_RELATED).collect(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_title_and_libraries_of_known_ecosystems() {
        assert!(JOBS.len() > 30, "{}", JOBS.len());
        let known: BTreeSet<&str> = grammars::all().iter().map(|one| one.ecosystem).collect();
        for job in JOBS.iter() {
            assert!(job.title.starts_with("to ") || job.title.starts_with("for "));
            for (ecosystem, names) in &job.libraries {
                assert!(known.contains(ecosystem.as_str()), "{ecosystem}");
                assert!(names.len() > 1, "{} {ecosystem}", job.name);
                let unique: BTreeSet<&String> = names.iter().collect();
                assert_eq!(unique.len(), names.len(), "{} {ecosystem}", job.name);
            }
        }
    }
}
