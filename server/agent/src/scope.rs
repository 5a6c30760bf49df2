use gate::{Scope, Target};
use index::{Facts, Symbol, SymbolKind};
use workspace::Document;

use crate::{Action, Task};

/// How many tests may be added where no container of tests takes them in.
const NEW_TESTS: u8 = 8;

/// What a run of `task` may change in its file.
///
/// An ordinary action may change its symbol, the imports, and add two new items beside or inside it.
/// Tests go into the nearest place of the same file that holds tests, or beside the symbol, which itself stays as it is;
/// there is room for more of them. Documentation needs neither imports nor new items.
pub fn scope_of(task: &Task, document: &Document) -> Scope {
    let scope = Scope::symbol(task.file.clone(), task.symbol.clone());
    match task.action {
        Action::Simplify
        | Action::Extract
        | Action::Faster
        | Action::Harden
        | Action::Fix
        | Action::Comment => scope,
        Action::Document => Scope {
            imports: false,
            siblings: 0,
            ..scope
        },
        Action::Tests => {
            let mut scope = Scope {
                siblings: NEW_TESTS,
                ..scope.beside()
            };
            let home = document
                .parsed()
                .and_then(|parsed| home_of_tests(parsed.facts(), &task.symbol));
            if let Some((symbol, edit)) = home {
                scope.targets.push(Target { symbol, edit });
            }
            scope
        }
    }
}

/// The nearest place after or around `path` where tests are: a container whose text may change, or else a test beside
/// which new ones go.
fn home_of_tests(facts: &Facts, path: &str) -> Option<(String, bool)> {
    let target = facts.symbol(facts.by_path(path)?)?;
    let nearest = |wanted: &dyn Fn(&Symbol) -> bool| {
        let found = facts
            .symbols
            .iter()
            .filter(|symbol| wanted(symbol) && !symbol.range.contains_range(target.range));
        found
            .min_by_key(|symbol| (distance(target, symbol), symbol.range.start))
            .map(|symbol| symbol.path.to_string())
    };
    let holds_tests = |symbol: &Symbol| {
        let container = matches!(
            symbol.kind,
            SymbolKind::Module | SymbolKind::Class | SymbolKind::Struct | SymbolKind::Test
        );
        container && symbol.body.is_some() && (symbol.test || has_tests(facts, symbol))
    };
    nearest(&holds_tests).map(|path| (path, true)).or_else(|| {
        nearest(&|symbol| symbol.test && symbol.kind.is_callable()).map(|path| (path, false))
    })
}

/// Bytes between the two: what comes after counts as near, because tests follow what they test.
fn distance(target: &Symbol, other: &Symbol) -> usize {
    if other.range.start >= target.range.end {
        other.range.start - target.range.end
    } else {
        // Behind everything that follows.
        usize::MAX / 2 + target.range.start.saturating_sub(other.range.end)
    }
}

fn has_tests(facts: &Facts, symbol: &Symbol) -> bool {
    let children = facts
        .by_path(&symbol.path)
        .into_iter()
        .flat_map(|id| facts.children(id));
    children
        .filter_map(|child| facts.symbol(child))
        .any(|child| child.test)
}
