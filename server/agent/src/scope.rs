use gate::{Region, Scope, Target};
use index::{Facts, Place, Symbol, SymbolKind};
use text::FilePath;
use workspace::{Document, Snapshot};

use crate::source::shown_path;
use crate::{Action, PackError, Task};

/// How many tests may be added where no container of tests takes them in.
const NEW_TESTS: u8 = 8;

/// How many symbols of a file are looked at for tests that mention them.
const NEIGHBOURS: usize = 32;
/// A name that more symbols have than this says little about which of them is meant, and takes long to look up.
pub(crate) const NAMESAKES: usize = 12;
/// In so many files, the nearest of those with a test that uses the name: of the target, and of what is beside it.
const NEAR: usize = 32;
const NEAR_BESIDE: usize = 4;

/// What a run of `task` may change, wherever that is.
///
/// The same as [`scope_of`], but for tests: when their file has none and others reach the target from elsewhere, new
/// ones go beside those. That file must be open, because a run changes only what the user can see.
pub fn scope_in(snapshot: &Snapshot, task: &Task) -> Result<Scope, PackError> {
    let scope = scope_of(task, &snapshot.document(&task.file)?);
    if task.action != Action::Tests || scope.targets.len() > 1 {
        return Ok(scope);
    }
    let Some((file, test)) = test_elsewhere(snapshot, task) else {
        return Ok(scope);
    };
    let document = snapshot.open_document(&file);
    let facts = document
        .and_then(Document::parsed)
        .map(|parsed| parsed.facts().clone());
    let Some(facts) = facts else {
        let (symbol, file) = (task.symbol.clone(), shown_path(snapshot, &file));
        return Err(PackError::TestsElsewhere { symbol, file });
    };
    let around = facts
        .by_path(&test)
        .into_iter()
        .flat_map(|id| facts.ancestors(id).skip(1));
    let container = around
        .map(|(_, symbol)| symbol)
        .find(|symbol| holds_tests(&facts, symbol));
    let target = match container {
        Some(container) => Target {
            symbol: container.path.to_string(),
            edit: true,
        },
        None => Target {
            symbol: test,
            edit: false,
        },
    };
    Ok(Scope {
        file,
        targets: vec![target],
        imports: true,
        siblings: NEW_TESTS,
        regions: Vec::new(),
    })
}

/// The nearest test in another file that mentions the target, or else a symbol beside it.
fn test_elsewhere(snapshot: &Snapshot, task: &Task) -> Option<(FilePath, String)> {
    let index = snapshot.index();
    let facts = index.file(&task.file)?;
    let target = facts.by_path(&task.symbol)?;
    let beside = facts.enumerate().filter(|(id, symbol)| {
        *id != target && (symbol.kind.is_callable() || symbol.kind.is_type())
    });
    let beside = beside.take(NEIGHBOURS - 1);
    let beside = beside.map(|(id, _)| (id, NEAR_BESIDE));
    let symbols = std::iter::once((target, NEAR)).chain(beside);
    let symbols = symbols.filter(|(id, _)| {
        let name = facts.symbol(*id).map(|symbol| &symbol.name);
        name.is_some_and(|name| !index.is_common(name, NAMESAKES))
    });
    let mut tests = symbols.flat_map(|(symbol, near)| {
        let place = Place {
            file: task.file.clone(),
            symbol,
        };
        index.nearest_tests_in(&place, near)
    });
    let test = tests.find(|place| place.file != task.file)?;
    let path = index
        .file(&test.file)?
        .symbol(test.symbol)?
        .path
        .to_string();
    Some((test.file, path))
}

/// What a run of `task` may change in its file.
///
/// An ordinary action may change its symbol, the imports, and add two new items beside or inside it.
/// Tests go into the nearest place of the same file that holds tests, or beside the symbol, which itself stays as it is;
/// there is room for more of them. Documentation needs neither imports nor new items.
///
/// Where the task names lines instead of a symbol, it may change these lines and the imports.
pub fn scope_of(task: &Task, document: &Document) -> Scope {
    if let Some(region) = Region::named(&task.symbol, document.text()) {
        return Scope::region(task.file.clone(), region);
    }
    let scope = Scope::symbol(task.file.clone(), task.symbol.clone());
    match task.action {
        Action::Simplify
        | Action::Extract
        | Action::Faster
        | Action::Harden
        | Action::Fix
        | Action::Comment => scope,
        Action::Review => Scope {
            targets: Vec::new(),
            imports: false,
            siblings: 0,
            ..scope
        },
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
    let container = nearest(&|symbol| holds_tests(facts, symbol));
    let test = || nearest(&|symbol| symbol.test && symbol.kind.is_callable());
    container
        .map(|path| (path, true))
        .or_else(|| test().map(|path| (path, false)))
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

/// Whether it is a group of tests rather than a test.
fn holds_tests(facts: &Facts, symbol: &Symbol) -> bool {
    let container = matches!(
        symbol.kind,
        SymbolKind::Module | SymbolKind::Class | SymbolKind::Struct | SymbolKind::Test
    );
    container
        && !symbol.test_case
        && symbol.body.is_some()
        && (symbol.test || has_tests(facts, symbol))
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
