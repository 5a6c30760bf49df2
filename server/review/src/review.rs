//! The rules about the workspace as a whole: how files import each other, and what the team says about that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use text::FilePath;

use crate::check::{Finding, MOST_RELATED, Related, Severity, is_of_others, stands_alone};
use crate::context;
use crate::customs::Customs;
use crate::dependencies;
use crate::drift;
use crate::graph::{Cycle, Edge, EdgeKind, Graph, Project, cycles, is_test_file, name_of};
use crate::hubs;
use crate::jobs;
use crate::packages;
use crate::rule::{RuleId, Thresholds};

/// The graph of a workspace and what the rules have to say about it. Keeps up with edits.
#[derive(Clone, Default)]
pub struct Review {
    graph: Graph,
    findings: BTreeMap<FilePath, Vec<Finding>>,
    customs: Arc<Customs>,
}

impl Review {
    /// Reviews everything in an index.
    pub fn of(project: &Project<'_>, thresholds: &Thresholds) -> Review {
        let graph = Graph::of(project);
        let findings = findings(&graph, project, thresholds);
        let customs = Arc::new(Customs::of(project, thresholds));
        Review {
            graph,
            findings,
            customs,
        }
    }

    /// Takes in that files have changed. Answers the files whose findings are not what they were.
    ///
    /// O(imports of the files) as long as no import leads elsewhere than before; then O(imports of all files).
    pub fn update(
        &mut self,
        project: &Project<'_>,
        thresholds: &Thresholds,
        changed: &BTreeSet<FilePath>,
    ) -> BTreeSet<FilePath> {
        let moved = self.graph.update(project, changed);
        if moved.is_empty() {
            return BTreeSet::new();
        }
        let before = std::mem::take(&mut self.findings);
        self.findings = findings(&self.graph, project, thresholds);
        let files = before.keys().chain(self.findings.keys());
        files
            .filter(|file| before.get(*file) != self.findings.get(*file))
            .cloned()
            .collect()
    }

    /// The findings of a file, silenced or not, by place.
    pub fn file(&self, file: &FilePath) -> &[Finding] {
        self.findings.get(file).map_or(&[], Vec::as_slice)
    }

    /// The files with findings, silenced or not, by path.
    pub fn files(&self) -> impl Iterator<Item = &FilePath> {
        self.findings.keys()
    }

    /// All findings, silenced or not, by file and place.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.values().flatten()
    }

    /// The groups of files that import each other while they are loaded, the largest first, whether a rule reports them
    /// or not.
    pub fn circles(&self) -> Vec<Circle> {
        let found = circles(&self.graph, &|edge| edge.kind == EdgeKind::Load);
        let cut = |step: &Step<'_>| (step.from.clone(), step.edge.to.clone());
        found
            .into_iter()
            .map(|ring| Circle {
                cut: ring.cut.iter().map(cut).collect(),
                files: ring.files,
            })
            .collect()
    }

    /// What the workspace did in one way nearly everywhere when it was reviewed as a whole.
    pub fn customs(&self) -> &Arc<Customs> {
        &self.customs
    }

    /// Which file imports which.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// A group of files each of which leads to every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The files, by path.
    pub files: Vec<FilePath>,
    /// Imports whose removal ends the circle, the cheapest first.
    pub cut: Vec<(FilePath, FilePath)>,
}

fn findings(
    graph: &Graph,
    project: &Project<'_>,
    thresholds: &Thresholds,
) -> BTreeMap<FilePath, Vec<Finding>> {
    let mut found = Vec::new();
    if thresholds.get(RuleId::Unresolved).is_some() {
        unresolved(graph, project, &mut found);
    }
    let at_load = circles(graph, &|edge| edge.kind == EdgeKind::Load);
    if thresholds.get(RuleId::LoadCycle).is_some() {
        found.extend(
            at_load
                .iter()
                .filter(|circle| !circle.stands_alone(project))
                .filter_map(|circle| circle.finding(RuleId::LoadCycle, project)),
        );
    }
    if thresholds.get(RuleId::DeferredCycle).is_some() {
        // What loads in a circle is reported as such; the rest closes only through what happens later.
        let known: BTreeSet<&FilePath> = at_load.iter().flat_map(|circle| &circle.files).collect();
        let later = circles(graph, &|edge| edge.kind != EdgeKind::Static);
        let later = later
            .iter()
            .filter(|circle| !circle.files.iter().any(|file| known.contains(file)));
        found.extend(later.filter_map(|circle| circle.finding(RuleId::DeferredCycle, project)));
    }
    if thresholds.get(RuleId::PackageCycle).is_some() {
        packages::check(graph, project, &mut found);
    }
    if thresholds.get(RuleId::UndeclaredDependency).is_some() {
        dependencies::undeclared(graph, project, &mut found);
    }
    if thresholds.get(RuleId::Hub).is_some() {
        hubs::check(graph, project, &mut found);
    }
    if thresholds.get(RuleId::InferredDrift).is_some() {
        drift::check(graph, project, &mut found);
    }
    if thresholds.get(RuleId::TwoForOne).is_some() {
        jobs::check(graph, project, &mut found);
    }
    context::check(graph, project, thresholds, &mut found);
    let mut by_file: BTreeMap<FilePath, Vec<Finding>> = BTreeMap::new();
    for finding in found {
        by_file
            .entry(finding.file.clone())
            .or_default()
            .push(finding);
    }
    for findings in by_file.values_mut() {
        findings.sort_by_key(|finding| (finding.range.start, finding.rule));
    }
    by_file
}

fn unresolved(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    for (file, links) in graph.files() {
        if links.unresolved.is_empty() {
            continue;
        }
        let facts = project.index.file(file);
        // Tests import what a build makes, and what does not exist.
        let left_out = facts.is_none_or(|facts| is_test_file(project, file, &facts))
            || is_of_others(&name_of(project, file))
            || is_data(&name_of(project, file));
        if left_out {
            continue;
        }
        for missing in links.unresolved.iter().filter(|one| !is_made(&one.path)) {
            found.push(Finding {
                rule: RuleId::Unresolved,
                severity: Severity::Warning,
                file: file.clone(),
                symbol: "".into(),
                range: missing.range,
                message: format!("`{}` leads to no file of the workspace", missing.path),
                key: missing.path.clone(),
                related: Vec::new(),
            });
        }
    }
}

/// Whether a path leads to what a build keeps in a folder of its own, laid over this one.
fn is_made(path: &str) -> bool {
    path.split('/').any(|part| part == "+types")
}

/// Whether a file is read by a program rather than a part of one.
fn is_data(path: &str) -> bool {
    path.split('/').any(|folder| folder == "resources")
}

/// Files that lead to each other, and the imports to remove.
struct Ring<'g> {
    files: Vec<FilePath>,
    cut: Vec<Step<'g>>,
    /// The way back from the first import of the cut to where it starts.
    way: Vec<Step<'g>>,
}

#[derive(Clone, Copy)]
struct Step<'g> {
    from: &'g FilePath,
    edge: &'g Edge,
}

fn circles<'g>(graph: &'g Graph, counts: &dyn Fn(&Edge) -> bool) -> Vec<Ring<'g>> {
    let mut numbers: FxHashMap<&FilePath, usize> = FxHashMap::default();
    let mut files: Vec<&FilePath> = Vec::new();
    let mut steps: BTreeMap<(usize, usize), Step<'g>> = BTreeMap::new();
    for (file, _) in graph.files() {
        numbers.insert(file, files.len());
        files.push(file);
    }
    for (from, edge) in graph.edges().filter(|(_, edge)| counts(edge) && !edge.test) {
        if let (Some(a), Some(b)) = (numbers.get(from), numbers.get(&edge.to)) {
            steps.entry((*a, *b)).or_insert(Step { from, edge });
        }
    }
    let edges: Vec<(usize, usize)> = steps.keys().copied().collect();
    // Taking one name is undone sooner than taking many, or the whole module.
    let cost = |a: usize, b: usize| {
        steps
            .get(&(a, b))
            .map_or(0, |step| match step.edge.names.len() as u32 {
                0 => 8,
                names => names,
            })
    };
    cycles(files.len(), &edges, &cost)
        .into_iter()
        .map(|cycle| {
            let at = |edge: &(usize, usize)| steps.get(edge).copied();
            Ring {
                cut: cycle.cut.iter().filter_map(at).collect(),
                way: way_back(&cycle, &edges).iter().filter_map(at).collect(),
                files: cycle
                    .nodes
                    .iter()
                    .map(|node| files[*node].clone())
                    .collect(),
            }
        })
        .collect()
}

/// The shortest way inside the group from the target of the first cut edge back to its start.
fn way_back(cycle: &Cycle, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let Some((start, target)) = cycle.cut.first().copied() else {
        return Vec::new();
    };
    let mut came: BTreeMap<usize, usize> = BTreeMap::from([(target, target)]);
    let mut wave = vec![target];
    while !came.contains_key(&start) && !wave.is_empty() {
        let mut next = Vec::new();
        for node in wave {
            let first = edges.partition_point(|(from, _)| *from < node);
            let leaving = edges[first..].iter().take_while(|(from, _)| *from == node);
            for (_, to) in leaving {
                if cycle.nodes.binary_search(to).is_ok() && !came.contains_key(to) {
                    came.insert(*to, node);
                    next.push(*to);
                }
            }
        }
        wave = next;
    }
    let mut way = Vec::new();
    let mut node = start;
    while node != target {
        let Some(before) = came.get(&node).copied() else {
            return Vec::new();
        };
        way.push((before, node));
        node = before;
    }
    way.reverse();
    way
}

impl Ring<'_> {
    /// Whether all of it is in examples and the like, which are as short as they can be.
    fn stands_alone(&self, project: &Project<'_>) -> bool {
        let mut files = self.files.iter();
        files.all(|file| stands_alone(&name_of(project, file)))
    }

    fn finding(&self, rule: RuleId, project: &Project<'_>) -> Option<Finding> {
        let first = self.cut.first()?;
        let name = |file: &FilePath| name_of(project, file);
        let count = self.files.len();
        let when = match rule {
            RuleId::LoadCycle => "while they are loaded",
            _ => "in a circle that closes after loading",
        };
        let others = self.cut.len() - 1;
        let end = match others {
            0 => "removing this import ends it".to_owned(),
            1 => "removing this import and one more ends it".to_owned(),
            _ => format!("removing this import and {others} more ends it"),
        };
        let rest = self.cut.iter().skip(1).map(|step| Related {
            file: step.from.clone(),
            range: step.edge.range,
            message: format!("import of {} to remove as well", name(&step.edge.to)),
        });
        let way = self.way.iter().map(|step| Related {
            file: step.from.clone(),
            range: step.edge.range,
            message: format!("on the way back: imports {}", name(&step.edge.to)),
        });
        Some(Finding {
            rule,
            severity: match rule {
                RuleId::LoadCycle => Severity::Warning,
                _ => Severity::Information,
            },
            file: first.from.clone(),
            symbol: "".into(),
            range: first.edge.range,
            message: format!(
                "{count} files import each other {when}, here through {}; {end}",
                name(&first.edge.to)
            ),
            key: Arc::from(name(&first.edge.to)),
            related: way.chain(rest).take(MOST_RELATED).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
