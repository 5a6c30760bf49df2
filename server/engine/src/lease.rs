//! Who works where: a symbol, or a stretch of lines, is one run's at a time.

use std::sync::{Arc, Mutex, PoisonError};

use gate::{Region, Scope};
use index::Facts;
use text::{FilePath, Range};
use workspace::Document;

/// What one run may change, held against all others for as long as the run lasts. Cloning gives the same lease.
///
/// Whoever takes the engine's lock as well takes that one first.
#[derive(Clone)]
pub(crate) struct Lease(Arc<Mutex<Held>>);

/// A scope, and the text of its file that its regions are for.
struct Held {
    scope: Scope,
    serial: u64,
}

impl Lease {
    pub(crate) fn new(scope: Scope, serial: u64) -> Lease {
        Lease(Arc::new(Mutex::new(Held { scope, serial })))
    }

    /// The one file.
    pub(crate) fn file(&self) -> FilePath {
        self.with(|held| held.scope.file.clone())
    }

    /// The scope as it is in `document`. With `own`, what led there is the run's own change of what has that name.
    ///
    /// A document that has forgotten what was typed since leaves no region.
    pub(crate) fn at(&self, document: &Document, own: Option<&str>) -> Scope {
        self.with(|held| held.at(document, own))
    }

    /// Changes the scope; `change` must not move its regions.
    pub(crate) fn change(&self, change: impl FnOnce(Scope) -> Scope) {
        self.with(|held| held.scope = change(held.scope.clone()));
    }

    /// Adds symbols and lines, the lines as they are in `document`.
    pub(crate) fn add(&self, names: &[String], document: &Document) {
        self.with(|held| {
            let scope = held.at(document, None);
            *held = Held {
                scope: with_names(scope, names, document),
                serial: document.serial(),
            };
        });
    }

    /// What of `wanted` this lease holds already, in `document`.
    pub(crate) fn holds(&self, wanted: &Scope, document: &Document) -> Option<String> {
        let facts = document.parsed()?.facts();
        let held = self.at(document, None);
        (wanted.file == held.file)
            .then(|| shared(wanted, &held, facts))
            .flatten()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn at(&mut self, document: &Document, own: Option<&str>) -> Scope {
        if !self.scope.regions.is_empty() && document.file() == &self.scope.file {
            let after = document.text().len();
            match document.changes_since(self.serial) {
                Some(changes) => {
                    for change in changes {
                        self.scope = self.scope.moved(change, after, own);
                    }
                    self.serial = document.serial();
                }
                None if document.serial() < self.serial => {}
                None => self.scope.regions.clear(),
            }
        }
        self.scope.clone()
    }
}

/// A scope with these symbols and lines in it too, the lines as they are in `document`.
pub(crate) fn with_names(mut scope: Scope, names: &[String], document: &Document) -> Scope {
    for name in names {
        if !Region::is_name(name) {
            scope = scope.granted(name);
        } else if let Some(region) = Region::named(name, document.text()) {
            scope = scope.granted_region(region);
        }
    }
    scope
}

/// What of `wanted` is also in `held`, or around or inside something there. The imports and the room for new items are
/// everybody's: edits of them are merged.
fn shared(wanted: &Scope, held: &Scope, facts: &Facts) -> Option<String> {
    let places = |scope: &Scope| -> Vec<Place> {
        let targets = scope.targets.iter().map(|target| {
            let symbol = facts
                .by_path(&target.symbol)
                .and_then(|id| facts.symbol(id));
            Place {
                name: target.symbol.clone(),
                range: symbol.map(|symbol| symbol.range),
            }
        });
        let regions = scope.regions.iter().map(|region| Place {
            name: region.name.clone(),
            range: Some(region.range),
        });
        targets.chain(regions).collect()
    };
    let held = places(held);
    let mut wanted = places(wanted).into_iter();
    let found = wanted.find(|wanted| held.iter().any(|held| wanted.meets(held)))?;
    Some(found.name)
}

struct Place {
    name: String,
    /// Where it is, unless it is gone.
    range: Option<Range>,
}

impl Place {
    fn meets(&self, other: &Place) -> bool {
        let under = |a: &str, b: &str| {
            a.strip_prefix(b)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        under(&self.name, &other.name)
            || under(&other.name, &self.name)
            || matches!((self.range, other.range), (Some(a), Some(b)) if a.intersects(b))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use expect_test::{Expect, expect};
    use text::Text;
    use workspace::Workspace;

    use super::*;

    const TEXT: &str = "struct Cart;\n\nimpl Cart {\n    fn total(&self) {}\n\n    fn count(&self) {}\n}\n\nfn main() {}\n";

    /// What of `wanted` a run that holds `held` keeps from others.
    fn check(held: &[&str], wanted: &[&str], expected: Expect) {
        let file = FilePath::new("/shop/lib.rs").unwrap();
        let mut workspace = Workspace::default();
        workspace.open(&file, "rust", 0, Text::from(TEXT));
        let document = workspace.snapshot().open_document(&file).cloned().unwrap();
        let empty = Scope {
            targets: Vec::new(),
            ..Scope::symbol(file, "")
        };
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            with_names(empty.clone(), &names, &document)
        };
        let found = Lease::new(of(held), document.serial()).holds(&of(wanted), &document);
        expected.assert_eq(&found.unwrap_or_else(|| "nothing".to_owned()));
    }

    #[test]
    fn what_two_runs_would_both_change() {
        check(&["main"], &["main"], expect!["main"]);
        check(&["main"], &["Cart/total"], expect!["nothing"]);
        check(&["Cart/total"], &["Cart/count"], expect!["nothing"]);
        check(&["Cart/total"], &["Cart"], expect!["Cart"]);
        check(&["Cart"], &["Cart/total"], expect!["Cart/total"]);
        check(&["main"], &["mainly"], expect!["nothing"]);
        check(
            &["main", "Cart/count"],
            &["gone", "Cart/count"],
            expect!["Cart/count"],
        );
    }

    #[test]
    fn lines_and_symbols_that_lie_over_each_other() {
        check(&["@4"], &["Cart/total"], expect!["Cart/total"]);
        check(&["@4"], &["Cart/count"], expect!["nothing"]);
        check(&["Cart/total"], &["@3-4"], expect!["@3-4"]);
        check(&["@1-4"], &["@4-6"], expect!["@4-6"]);
        check(&["@1-3"], &["@4-6"], expect!["nothing"]);
        check(&["@file"], &["main"], expect!["main"]);
    }
}
