//! Circles between folders: packages of which none can be used, tested or moved without the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use text::FilePath;

use crate::check::{Finding, MOST_RELATED, Related, Severity};
use crate::graph::{Edge, EdgeKind, Graph, Project, cycles, folder_of, name_of};
use crate::rule::RuleId;

/// One finding for each circle, at the first import of the cheapest step to undo.
///
/// A folder and what lies in it belong together anyway, so imports between them do not count; neither do those of tests
/// and those for the type checker alone.
pub(crate) fn check(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    let mut steps: BTreeMap<(FilePath, FilePath), Vec<(&FilePath, &Edge)>> = BTreeMap::new();
    for (from, edge) in graph.edges() {
        if edge.test || edge.kind == EdgeKind::Type {
            continue;
        }
        let to = if graph.is_file(&edge.to) {
            folder_of(&edge.to)
        } else {
            edge.to.clone()
        };
        let from_folder = folder_of(from);
        let related = from_folder == to || from_folder.is_inside(&to) || to.is_inside(&from_folder);
        if !related {
            steps
                .entry((from_folder, to))
                .or_default()
                .push((from, edge));
        }
    }
    let mut folders: Vec<&FilePath> = steps.keys().flat_map(|(from, to)| [from, to]).collect();
    folders.sort_unstable();
    folders.dedup();
    let number = |folder: &FilePath| folders.binary_search(&folder).unwrap_or(0);
    let numbered: BTreeMap<(usize, usize), &Vec<(&FilePath, &Edge)>> = steps
        .iter()
        .map(|((from, to), imports)| ((number(from), number(to)), imports))
        .collect();
    let edges: Vec<(usize, usize)> = numbered.keys().copied().collect();
    let cost = |from: usize, to: usize| {
        let imports = numbered.get(&(from, to));
        imports.map_or(0, |imports| imports.len() as u32)
    };
    for cycle in cycles(folders.len(), &edges, &cost) {
        let Some(cheapest) = cycle.cut.first() else {
            continue;
        };
        let Some((file, edge)) = numbered.get(cheapest).and_then(|imports| imports.first()) else {
            continue;
        };
        let (from, to) = (folders[cheapest.0], folders[cheapest.1]);
        let imports = cost(cheapest.0, cheapest.1);
        let s = if imports == 1 { "" } else { "s" };
        let end = match cycle.cut.len() - 1 {
            0 => "undoing that ends it".to_owned(),
            others => format!("undoing that and {others} more such steps ends it"),
        };
        let message = format!(
            "{} folders import each other in a circle, here {} imports {} ({imports} import{s}); {end}",
            cycle.nodes.len(),
            name_of(project, from),
            name_of(project, to),
        );
        let others = cycle.cut.iter().skip(1).filter_map(|step| {
            let (file, edge) = numbered.get(step)?.first()?;
            Some(Related {
                file: (*file).clone(),
                range: edge.range,
                message: format!(
                    "{} imports {} as well",
                    name_of(project, folders[step.0]),
                    name_of(project, folders[step.1])
                ),
            })
        });
        found.push(Finding {
            rule: RuleId::PackageCycle,
            severity: Severity::Information,
            file: (*file).clone(),
            symbol: "".into(),
            range: edge.range,
            message,
            key: Arc::from(format!(
                "{} {}",
                name_of(project, from),
                name_of(project, to)
            )),
            related: others.take(MOST_RELATED).collect(),
        });
    }
}
