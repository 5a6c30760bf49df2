//! Imports against the direction that all others between two folders take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use text::FilePath;

use crate::check::{
    Finding, MOST_RELATED, Related, Severity, is_of_others, only_declares, stands_alone,
};
use crate::graph::{Edge, EdgeKind, Graph, Project, folder_of, name_of};
use crate::rule::RuleId;

/// So many imports between two folders show which of them lies above the other,
const LEAST_IMPORTS: usize = 20;
/// if at least so many of a hundred go the same way.
const LEAST_SHARE: usize = 95;

/// A file that imports from the upper one of so many pairs is where things are put together, and has to know them.
const MOST_ABOVE: usize = 2;

type Imports<'g> = Vec<(&'g FilePath, &'g Edge)>;

/// One finding for each file that imports against the direction of the others. O(imports).
///
/// An import counts for the two folders by which its ends part ways. What a function imports when it runs, and what is
/// for the type checker alone, goes round the layers on purpose.
pub(crate) fn check(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    let mut pairs: BTreeMap<(FilePath, FilePath), [Imports<'_>; 2]> = BTreeMap::new();
    for (from, edge) in graph.edges() {
        if edge.test || matches!(edge.kind, EdgeKind::Type | EdgeKind::Deferred) {
            continue;
        }
        let to = if graph.is_file(&edge.to) {
            folder_of(&edge.to)
        } else {
            edge.to.clone()
        };
        let Some((one, other)) = parted(&folder_of(from), &to) else {
            continue;
        };
        let names = name_of(project, from);
        if is_of_others(&names) || stands_alone(&names) || only_declares(&names) {
            continue;
        }
        let (pair, way) = if one < other {
            ((one, other), 0)
        } else {
            ((other, one), 1)
        };
        pairs.entry(pair).or_default()[way].push((from, edge));
    }
    let mut drifts = Vec::new();
    let mut above_of: BTreeMap<&FilePath, BTreeSet<&FilePath>> = BTreeMap::new();
    for ((first, second), [there, back]) in &pairs {
        let all = there.len() + back.len();
        let (above, below, down, up) = if there.len() > back.len() {
            (first, second, there, back)
        } else {
            (second, first, back, there)
        };
        if up.is_empty() || all < LEAST_IMPORTS || down.len() * 100 < all * LEAST_SHARE {
            continue;
        }
        for (file, _) in up {
            above_of.entry(file).or_default().insert(above);
        }
        drifts.push(([above, below], down.len(), up));
    }
    let puts_together = |file: &FilePath| {
        above_of
            .get(file)
            .is_some_and(|above| above.len() > MOST_ABOVE)
    };
    for (pair, down, up) in drifts {
        judge(project, pair, down, up, &puts_together, found);
    }
}

fn judge(
    project: &Project<'_>,
    [above, below]: [&FilePath; 2],
    down: usize,
    up: &Imports<'_>,
    puts_together: &dyn Fn(&FilePath) -> bool,
    found: &mut Vec<Finding>,
) {
    let (above, below) = (name_of(project, above), name_of(project, below));
    let mut files: BTreeMap<&FilePath, Vec<&Edge>> = BTreeMap::new();
    for (file, edge) in up.iter().filter(|(file, _)| !puts_together(file)) {
        files.entry(file).or_default().push(edge);
    }
    for (file, edges) in files {
        let Some(first) = edges.first() else {
            continue;
        };
        let rest = edges.iter().skip(1).map(|edge| Related {
            file: file.clone(),
            range: edge.range,
            message: format!("imports {} as well", name_of(project, &edge.to)),
        });
        let count = up.len();
        let es = if count == 1 { "es" } else { "" };
        found.push(Finding {
            rule: RuleId::InferredDrift,
            severity: Severity::Information,
            file: file.clone(),
            symbol: "".into(),
            range: first.range,
            message: format!(
                "imports {}, but {down} imports go from `{above}` to `{below}` and only {count} go{es} this way",
                name_of(project, &first.to),
            ),
            key: Arc::from(format!("{below} {above}")),
            related: rest.take(MOST_RELATED).collect(),
        });
    }
}

/// The folders right below the innermost one around both by which two folders part; none if one is in the other.
fn parted(one: &FilePath, other: &FilePath) -> Option<(FilePath, FilePath)> {
    let (a, b) = (one.as_str(), other.as_str());
    let parts = |text: &'_ str| -> Vec<usize> {
        let mut ends: Vec<usize> = text.match_indices('/').map(|(at, _)| at).collect();
        ends.push(text.len());
        ends
    };
    let mut own = parts(a).into_iter().zip(parts(b));
    let (here, there) = own.find(|(here, there)| a.get(..*here) != b.get(..*there))?;
    let folder = |text: &str, end: usize| FilePath::new(text.get(..end)?).ok();
    Some((folder(a, here)?, folder(b, there)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn folders_part_where_their_paths_do() {
        let path = |text: &str| FilePath::new(text).unwrap();
        for (one, other, expected) in [
            ("/w/a/x", "/w/b", Some(("/w/a", "/w/b"))),
            ("/w/a/x/y", "/w/a/z", Some(("/w/a/x", "/w/a/z"))),
            ("/w/a", "/w/a/x", None),
            ("/w/a", "/w/a", None),
            ("/w/ab/x", "/w/a/x", Some(("/w/ab", "/w/a"))),
        ] {
            let expected = expected.map(|(one, other)| (path(one), path(other)));
            assert_eq!(parted(&path(one), &path(other)), expected, "{one} {other}");
        }
    }
}
