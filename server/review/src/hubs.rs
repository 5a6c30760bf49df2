//! Files that import many others and are imported by many: whatever changes, they have to do with it.

use std::collections::{BTreeMap, BTreeSet};

use text::{FilePath, Range};

use crate::check::{Finding, Severity, is_of_others, stands_alone};
use crate::graph::{EdgeKind, Graph, Project, is_test_file, name_of};
use crate::rule::RuleId;

/// A file counts as one that imports much, or is imported much, from this part of all files on, in percent,
const ABOVE: usize = 98;
/// and from so many files on.
const LEAST: usize = 10;

/// One finding for each hub, about the whole file. O(imports).
pub(crate) fn check(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    let mut leads: BTreeMap<&FilePath, BTreeSet<&FilePath>> = BTreeMap::new();
    let mut led: BTreeMap<&FilePath, BTreeSet<&FilePath>> = BTreeMap::new();
    for (from, edge) in graph.edges() {
        if edge.test || edge.kind == EdgeKind::Type || !graph.is_file(&edge.to) {
            continue;
        }
        leads.entry(from).or_default().insert(&edge.to);
        led.entry(&edge.to).or_default().insert(from);
    }
    let files = graph.files().count();
    let (most_out, most_in) = (limit(&leads, files), limit(&led, files));
    for (file, targets) in &leads {
        let importers = led.get(file).map_or(0, BTreeSet::len);
        if targets.len() < most_out || importers < most_in {
            continue;
        }
        let path = name_of(project, file);
        let Some(facts) = project.index.file(file) else {
            continue;
        };
        // A file that passes others on is there to be imported, and one that starts everything to import.
        let passes_on = facts
            .imports
            .iter()
            .filter(|import| import.reexport)
            .count();
        let is_index = facts
            .grammar
            .modules
            .index_files
            .contains(&file.file_name());
        if is_index
            || passes_on * 2 >= facts.imports.len()
            || facts.generated
            || is_test_file(project, file, &facts)
            || is_of_others(&path)
            || stands_alone(&path)
        {
            continue;
        }
        found.push(Finding {
            rule: RuleId::Hub,
            severity: Severity::Information,
            file: (*file).clone(),
            symbol: "".into(),
            range: Range::new(0, 0),
            message: format!(
                "imports {} files and is imported by {importers}; of all files, 98 in 100 do less of either",
                targets.len()
            ),
            key: "".into(),
            related: Vec::new(),
        });
    }
}

/// From how many files on the number is among the highest.
fn limit(neighbours: &BTreeMap<&FilePath, BTreeSet<&FilePath>>, files: usize) -> usize {
    let mut counts: Vec<usize> = neighbours.values().map(BTreeSet::len).collect();
    counts.resize(files.max(counts.len()), 0);
    counts.sort_unstable();
    let above = counts.get(counts.len() * ABOVE / 100);
    above.copied().unwrap_or(usize::MAX).max(LEAST)
}
