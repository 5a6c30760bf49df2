use std::collections::BTreeMap;

use index::Place;
use text::{FilePath, Range};
use workspace::{Coverage, Snapshot};

use super::Relation;
use crate::action::{last_name, one_line};
use crate::source::{Source, shown_path};

/// The most places in one answer.
const MAX_PLACES: usize = 30;
/// The most files that are read for one answer while the index is being made.
const MAX_READ: usize = 50;

/// Finds places by name, a line each, and says how complete the list is; or says in a sentence why there is none.
pub(super) fn find(
    snapshot: &Snapshot,
    home: &FilePath,
    query: &str,
    relation: Relation,
) -> Result<String, String> {
    let reading = snapshot.reading(last_name(query), MAX_READ);
    let mut finder = Finder {
        snapshot: &reading.snapshot,
        home,
        read: BTreeMap::new(),
    };
    let (rows, total) = match relation {
        Relation::Definitions => finder.definitions(query),
        Relation::References => finder.references(query),
        Relation::Callers => finder.callers(query)?,
        Relation::Callees => finder.callees(query)?,
    };
    let mut lines = rows;
    if lines.is_empty() {
        lines.push(format!("nothing for `{query}`"));
    }
    if total > MAX_PLACES {
        lines.push(format!("{} more are left out", total - MAX_PLACES));
    }
    lines.push(completeness(snapshot.coverage, reading.left));
    Ok(lines.join("\n"))
}

/// How complete an answer is, if so many files that mention the name are left to read.
fn completeness(coverage: Coverage, left: Option<usize>) -> String {
    let Coverage {
        done,
        found,
        complete,
    } = coverage;
    match left {
        _ if complete => {
            format!("(all {done} files searched, by name; a namesake may be among them)")
        }
        Some(0) => {
            "(all files that mention the name searched; a namesake may be among them)".to_owned()
        }
        Some(left) => {
            format!("({left} files that mention the name were not searched; there may be more)")
        }
        None => format!("({done} of {found} files searched so far; there may be more)"),
    }
}

struct Finder<'a> {
    snapshot: &'a Snapshot,
    home: &'a FilePath,
    read: BTreeMap<FilePath, Option<Source>>,
}

impl Finder<'_> {
    fn definitions(&mut self, query: &str) -> (Vec<String>, usize) {
        let mut places = self.snapshot.index().definitions(last_name(query));
        if query.contains('/') {
            let index = self.snapshot.index();
            places.retain(|place| {
                index
                    .symbol(place)
                    .is_some_and(|symbol| *symbol.path == *query)
            });
        }
        let total = places.len();
        (
            places
                .iter()
                .take(MAX_PLACES)
                .filter_map(|place| self.row(place))
                .collect(),
            total,
        )
    }

    fn references(&mut self, query: &str) -> (Vec<String>, usize) {
        let places = self.snapshot.index().references(last_name(query));
        let total = places.len();
        let mut rows = Vec::new();
        for place in places.iter().take(MAX_PLACES) {
            let within = place.within.and_then(|id| {
                self.snapshot.index().symbol(&Place {
                    file: place.file.clone(),
                    symbol: id,
                })
            });
            let within = within.map(|symbol| symbol.path.to_string());
            rows.extend(self.line(&place.file, place.range, within.as_deref()));
        }
        (rows, total)
    }

    fn callers(&mut self, query: &str) -> Result<(Vec<String>, usize), String> {
        let mut rows = Vec::new();
        let mut total = 0;
        for place in self.meant(query)? {
            for (caller, calls) in self.snapshot.index().callers(&place) {
                let path = self
                    .snapshot
                    .index()
                    .symbol(&caller)
                    .map(|symbol| symbol.path.to_string());
                for call in calls {
                    total += 1;
                    if rows.len() < MAX_PLACES {
                        rows.extend(self.line(&caller.file, call, path.as_deref()));
                    }
                }
            }
        }
        Ok((rows, total))
    }

    fn callees(&mut self, query: &str) -> Result<(Vec<String>, usize), String> {
        let mut places = Vec::new();
        for place in self.meant(query)? {
            places.extend(self.snapshot.index().callees(&place.file, place.symbol));
        }
        let total = places.len();
        Ok((
            places
                .iter()
                .take(MAX_PLACES)
                .filter_map(|place| self.row(place))
                .collect(),
            total,
        ))
    }

    /// The symbols that a query means: the one with that path here, or else all of that name.
    fn meant(&self, query: &str) -> Result<Vec<Place>, String> {
        let index = self.snapshot.index();
        if let Some(id) = index.file(self.home).and_then(|facts| facts.by_path(query)) {
            return Ok(vec![Place {
                file: self.home.clone(),
                symbol: id,
            }]);
        }
        let mut places = index.definitions(last_name(query));
        if query.contains('/') {
            places.retain(|place| {
                index
                    .symbol(place)
                    .is_some_and(|symbol| *symbol.path == *query)
            });
        }
        if places.is_empty() {
            return Err(format!(
                "nothing is called `{query}`; look for it with kind `definitions` and the name alone"
            ));
        }
        places.truncate(MAX_PLACES);
        Ok(places)
    }

    /// `PATH (file:line): signature`.
    fn row(&mut self, place: &Place) -> Option<String> {
        let shown = shown_path(self.snapshot, &place.file);
        // The text may be newer than the index; the path joins the two.
        let path = self.snapshot.index().symbol(place)?.path.clone();
        let source = self.source(&place.file)?;
        let symbol = source.symbol(&path)?;
        let (line, signature) = (source.line(symbol.item.start), source.signature(symbol));
        Some(format!("{path} ({shown}:{line}): {signature}"))
    }

    /// `file:line in PATH: the line`; nothing of a file that runs are kept out of.
    fn line(&mut self, file: &FilePath, range: Range, within: Option<&str>) -> Option<String> {
        if self.snapshot.is_closed(file) {
            return None;
        }
        let shown = shown_path(self.snapshot, file);
        let within = within.map(|path| format!(" in {path}")).unwrap_or_default();
        Some(match self.source(file) {
            Some(source) => {
                let line = source.text.line_of(range.start);
                let text = one_line(&source.text.slice(source.text.line_range(line)), 160);
                format!("{shown}:{}{within}: {text}", line + 1)
            }
            None => format!("{shown}{within}"),
        })
    }

    fn source(&mut self, file: &FilePath) -> Option<&Source> {
        let snapshot = self.snapshot;
        self.read
            .entry(file.clone())
            .or_insert_with(|| Source::indexed(snapshot, file))
            .as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_complete_it_is() {
        let say = |complete, left| {
            let coverage = Coverage {
                done: 5,
                found: 9,
                complete,
            };
            completeness(coverage, left)
        };
        let said = [
            say(true, Some(0)),
            say(false, Some(0)),
            say(false, Some(3)),
            say(false, None),
        ];
        expect_test::expect![[r#"
            (all 5 files searched, by name; a namesake may be among them)
            (all files that mention the name searched; a namesake may be among them)
            (3 files that mention the name were not searched; there may be more)
            (5 of 9 files searched so far; there may be more)"#]]
        .assert_eq(&said.join("\n"));
    }
}
