//! Private functions, methods and types whose name stands nowhere else in the workspace.

use index::{Facts, Index, Role, Symbol, SymbolId, SymbolKind};
use text::FilePath;

use crate::check::{Finding, Severity};
use crate::rule::RuleId;

/// Findings of one file, silenced or not.
///
/// A name is enough to count as used, whatever it means there. What is decorated or overrides something is called by
/// others, so everything with something above it, and every member of a type that extends another, is left out.
pub(crate) fn check(file: &FilePath, facts: &Facts, index: &Index) -> Vec<Finding> {
    let unused = facts.enumerate().filter(|(id, symbol)| {
        may_be_unused(facts, *id, symbol) && is_unmentioned(facts, symbol, index)
    });
    unused
        .map(|(_, symbol)| Finding {
            rule: RuleId::Unreferenced,
            severity: Severity::Information,
            file: file.clone(),
            symbol: symbol.path.clone(),
            range: symbol.name_range,
            message: format!(
                "`{}` is private, and its name stands nowhere else in the workspace",
                symbol.name
            ),
            key: "".into(),
            related: Vec::new(),
        })
        .collect()
}

fn may_be_unused(facts: &Facts, id: SymbolId, symbol: &Symbol) -> bool {
    // A declaration without a body, and a function in a value, is there for somebody else to find.
    let kind = matches!(
        symbol.kind,
        SymbolKind::Function
            | SymbolKind::Method
            | SymbolKind::Class
            | SymbolKind::Struct
            | SymbolKind::Enum
    );
    let of_type = |id| {
        let around = facts.symbol(id);
        around.is_some_and(|around| around.kind.has_members())
    };
    let kind = kind && symbol.body.is_some() && symbol.parent.is_none_or(of_type);
    // Names such as `__enter__` are called by the language itself, and so are entry points.
    let by_the_language = symbol.name.starts_with("__") || matches!(&*symbol.name, "main" | "init");
    let plain = symbol.range.start == symbol.item.start;
    let local = facts
        .ancestors(id)
        .skip(1)
        .any(|(_, around)| around.kind.is_callable());
    let inherits = symbol.parent.is_some_and(|parent| extends(facts, parent));
    kind && plain
        && !symbol.public
        && !symbol.test
        && !by_the_language
        && !local
        && !inherits
        && facts.error_count == 0
}

/// Whether a type says that it extends or implements another.
pub(crate) fn extends(facts: &Facts, id: SymbolId) -> bool {
    facts.symbol(id).is_some_and(|symbol| {
        let mut references = facts.references_in(symbol.header);
        references.any(|reference| reference.role == Role::Implement)
    })
}

fn is_unmentioned(facts: &Facts, symbol: &Symbol, index: &Index) -> bool {
    facts.references_to(&symbol.name).next().is_none()
        && facts.by_name(&symbol.name).len() == 1
        && index.references(&symbol.name).is_empty()
}
