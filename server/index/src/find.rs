use grammars::SymbolKind;

use crate::join::{Index, Place};
use crate::shape;

/// How well a name fits what was asked for, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fit {
    Same,
    SameButCase,
    Start,
    Inside,
    Letters,
}

impl Index {
    /// Symbols whose name is like `query`, the best first; a query with `/` is about the end of the path.
    ///
    /// Names that are the same come first, then those that start with it, contain it, or have its letters in order;
    /// among these the shortest, then by name and place. O(all names); impl blocks are not found.
    pub fn find(&self, query: &str, limit: usize) -> Vec<Place> {
        let name = query.rsplit('/').next().unwrap_or(query);
        if name.is_empty() {
            return Vec::new();
        }
        let mut fitting: Vec<(Fit, usize, String)> = Vec::new();
        self.each_name(|known| {
            if known.starts_with(shape::MARK) {
                return;
            }
            if let Some(fit) = fit(name, known) {
                fitting.push((fit, known.len(), known.to_owned()));
            }
        });
        fitting.sort_unstable();
        fitting.dedup();
        let places = fitting
            .into_iter()
            .flat_map(|(_, _, known)| self.definitions(&known));
        let in_path = |place: &Place| match query.rsplit_once('/') {
            None => true,
            Some((owner, _)) => self.symbol(place).is_some_and(|symbol| {
                let path = symbol.path.rsplit_once('/').map_or("", |(path, _)| path);
                symbol.kind != SymbolKind::Impl && ends_with_ignoring_case(path, owner)
            }),
        };
        places.filter(in_path).take(limit).collect()
    }
}

fn fit(query: &str, name: &str) -> Option<Fit> {
    if query == name {
        return Some(Fit::Same);
    }
    if query.len() > name.len() {
        return None;
    }
    if query.eq_ignore_ascii_case(name) {
        return Some(Fit::SameButCase);
    }
    let (query, name) = (query.as_bytes(), name.as_bytes());
    let same = |window: &[u8]| window.eq_ignore_ascii_case(query);
    if name.get(..query.len()).is_some_and(same) {
        return Some(Fit::Start);
    }
    if name.windows(query.len()).any(same) {
        return Some(Fit::Inside);
    }
    let mut letters = name.iter();
    let in_order = query
        .iter()
        .all(|wanted| letters.any(|letter| letter.eq_ignore_ascii_case(wanted)));
    in_order.then_some(Fit::Letters)
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    let tail = start.and_then(|start| text.as_bytes().get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}
