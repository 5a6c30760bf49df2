//! The module graph as a picture: folders as boxes in rows, each above what it imports; what closes a circle in red.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use review::graph::{EdgeKind, Graph};
use text::FilePath;

use super::page::escape;

/// More boxes than this and nobody can read the picture: folders are then drawn with what is in them.
const MOST_BOXES: usize = 36;
const WIDTH: usize = 150;
const HEIGHT: usize = 44;
const GAP: usize = 24;
const ROW: usize = 110;

/// The folders, and how often one imports another.
pub(super) struct Modules {
    /// Folders by path from the root, with the number of their files.
    boxes: Vec<(String, usize)>,
    /// Imports from one box to another, and how many.
    edges: BTreeMap<(usize, usize), usize>,
}

impl Modules {
    /// The folders of a graph, joined with the folders around them until there are few enough. Tests are left out.
    pub(super) fn of(root: &FilePath, graph: &Graph) -> Modules {
        let folder = |file: &FilePath| {
            let path = file.relative_to(root).unwrap_or(file.as_str());
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            folder.to_owned()
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let ordinary = graph.edges().filter(|(_, edge)| !edge.test);
        let mut pairs: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (from, edge) in ordinary.filter(|(_, edge)| edge.kind != EdgeKind::Type) {
            let to = if graph.is_file(&edge.to) {
                folder(&edge.to)
            } else {
                let path = edge.to.relative_to(root).unwrap_or(edge.to.as_str());
                path.to_owned()
            };
            for (file, folder) in [(from, folder(from)), (&edge.to, to.clone())] {
                if seen.insert(file.clone()) {
                    *counts.entry(folder).or_default() += 1;
                }
            }
            *pairs.entry((folder(from), to)).or_default() += 1;
        }
        let depth = |path: &str| path.split('/').filter(|part| !part.is_empty()).count();
        let mut deepest = counts.keys().map(|path| depth(path)).max().unwrap_or(0);
        let cut = |path: &str, deepest: usize| {
            let parts: Vec<&str> = path.split('/').take(deepest).collect();
            parts.join("/")
        };
        let count_at = |deepest: usize| {
            let names: BTreeSet<String> = counts.keys().map(|path| cut(path, deepest)).collect();
            names.len()
        };
        while deepest > 1 && count_at(deepest) > MOST_BOXES {
            deepest -= 1;
        }
        let mut boxes: BTreeMap<String, usize> = BTreeMap::new();
        for (path, files) in &counts {
            *boxes.entry(cut(path, deepest)).or_default() += files;
        }
        let mut boxes: Vec<(String, usize)> = boxes.into_iter().collect();
        if boxes.len() > MOST_BOXES {
            boxes.sort_by_key(|(name, files)| (std::cmp::Reverse(*files), name.clone()));
            boxes.truncate(MOST_BOXES);
            boxes.sort();
        }
        let number = |path: &str| {
            let name = cut(path, deepest);
            boxes.iter().position(|(known, _)| *known == name)
        };
        let mut edges: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for ((from, to), count) in &pairs {
            if let (Some(from), Some(to)) = (number(from), number(to))
                && from != to
            {
                *edges.entry((from, to)).or_default() += count;
            }
        }
        Modules { boxes, edges }
    }

    /// Whether there is anything to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// How many boxes there are.
    pub(super) fn len(&self) -> usize {
        self.boxes.len()
    }

    /// The picture.
    pub(super) fn svg(&self) -> String {
        let edges: Vec<(usize, usize)> = self.edges.keys().copied().collect();
        let cost = |from: usize, to: usize| {
            let count = self.edges.get(&(from, to)).copied();
            count.unwrap_or(0) as u32
        };
        let back: BTreeSet<(usize, usize)> = review::graph::cut_of(self.boxes.len(), &edges, &cost)
            .into_iter()
            .collect();
        let rows = self.rows(&back);
        let widest = rows.iter().map(Vec::len).max().unwrap_or(1);
        let width = widest * (WIDTH + GAP) + GAP;
        let height = rows.len() * ROW + GAP;
        let mut places = vec![(0, 0); self.boxes.len()];
        for (row, members) in rows.iter().enumerate() {
            let used = members.len() * (WIDTH + GAP) - GAP;
            let mut x = (width - used) / 2;
            for member in members {
                places[*member] = (x, row * ROW + GAP);
                x += WIDTH + GAP;
            }
        }
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Folders and their imports\" style=\"max-width:{width}px\">"
        );
        let most = self.edges.values().copied().max().unwrap_or(1) as f64;
        for ((from, to), count) in &self.edges {
            let class = if back.contains(&(*from, *to)) {
                "edge back"
            } else {
                "edge"
            };
            let stroke = 0.8 + 3.2 * (*count as f64 / most).sqrt();
            let _ = write!(
                svg,
                "<path class=\"{class}\" stroke-width=\"{stroke:.1}\" d=\"{}\"><title>{} imports {} · {count}</title></path>",
                curve(places[*from], places[*to]),
                escape(shown(&self.boxes[*from].0)),
                escape(shown(&self.boxes[*to].0)),
            );
        }
        for ((name, files), (x, y)) in self.boxes.iter().zip(&places) {
            let s = if *files == 1 { "" } else { "s" };
            let _ = write!(
                svg,
                "<g class=\"box\"><title>{0}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\
                 <text x=\"{1}\" y=\"{2}\">{3}</text><text class=\"small\" x=\"{1}\" y=\"{4}\">{files} file{s}</text></g>",
                escape(shown(name)),
                x + WIDTH / 2,
                y + 19,
                escape(&ending(shown(name))),
                y + 35,
            );
        }
        svg.push_str("</svg>");
        svg
    }

    /// Boxes in rows: each below everything that imports it, apart from what closes a circle.
    fn rows(&self, back: &BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
        let mut level = vec![0; self.boxes.len()];
        for _ in 0..self.boxes.len() {
            let mut changed = false;
            for edge in self.edges.keys().filter(|edge| !back.contains(*edge)) {
                let below = level[edge.0] + 1;
                if level[edge.1] < below {
                    level[edge.1] = below;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let deepest = level.iter().copied().max().unwrap_or(0);
        let mut rows = vec![Vec::new(); deepest + 1];
        for (member, level) in level.iter().enumerate() {
            rows[*level].push(member);
        }
        // Each box near what imports it, so that fewer lines cross.
        for at in 1..rows.len() {
            let (above, rest) = rows.split_at_mut(at);
            let (Some(above), Some(row)) = (above.last(), rest.first_mut()) else {
                continue;
            };
            row.sort_by_key(|member| {
                let places = above.iter().enumerate();
                let places: Vec<usize> = places
                    .filter(|(_, other)| self.edges.contains_key(&(**other, *member)))
                    .map(|(place, _)| place * 100)
                    .collect();
                let middle = places.iter().sum::<usize>() / places.len().max(1);
                (middle, *member)
            });
        }
        // A row too wide to read goes on in the next.
        let broken = rows.iter().flat_map(|row| row.chunks(8));
        broken
            .map(<[usize]>::to_vec)
            .filter(|row| !row.is_empty())
            .collect()
    }
}

fn shown(name: &str) -> &str {
    if name.is_empty() { "(root)" } else { name }
}

/// The end of a path, which tells it from its neighbours.
fn ending(name: &str) -> String {
    const MOST: usize = 20;
    let count = name.chars().count();
    if count <= MOST {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - MOST + 1).collect();
    format!("…{end}")
}

fn curve(from: (usize, usize), to: (usize, usize)) -> String {
    let (x1, y1) = (from.0 + WIDTH / 2, from.1);
    let (x2, y2) = (to.0 + WIDTH / 2, to.1);
    if y2 > y1 {
        let (start, end) = (y1 + HEIGHT, y2);
        let middle = usize::midpoint(start, end);
        format!("M{x1} {start}C{x1} {middle} {x2} {middle} {x2} {end}")
    } else {
        // Upwards, or to a neighbour: around the side, so that it stands out.
        let (start, end) = (y1 + HEIGHT / 2, y2 + HEIGHT / 2);
        let (x1, x2) = (from.0 + WIDTH, to.0 + WIDTH);
        let out = x1.max(x2) + GAP * 2;
        format!("M{x1} {start}C{out} {start} {out} {end} {x2} {end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(names: &[&str], edges: &[(usize, usize)]) -> Modules {
        Modules {
            boxes: names.iter().map(|name| ((*name).to_owned(), 1)).collect(),
            edges: edges.iter().map(|edge| (*edge, 1)).collect(),
        }
    }

    #[test]
    fn each_box_lies_below_what_imports_it() {
        let three = modules(&["a", "b", "c"], &[(2, 1), (1, 0), (2, 0)]);
        assert_eq!(three.rows(&BTreeSet::new()), [vec![2], vec![1], vec![0]]);
    }

    #[test]
    fn what_closes_a_circle_is_marked_and_names_are_inert() {
        let svg = modules(&["<b>", ""], &[(0, 1), (1, 0)]).svg();
        assert_eq!(svg.matches("edge back").count(), 1);
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;") && svg.contains("(root)"));
    }
}
