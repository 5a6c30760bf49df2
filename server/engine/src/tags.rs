//! Prices where the code is: what lenses above symbols and hints behind them say.

use agent::Action;
use index::{Facts, Symbol, SymbolKind};
use ledger::Estimate;
use text::{FilePath, Range};
use workspace::Snapshot;

use crate::charge::tokens;
use crate::menu::Packers;
use crate::{Engine, Launch};

/// What a symbol is tagged with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The name of the symbol.
    pub range: Range,
    /// What to show.
    pub text: String,
}

impl Engine {
    /// The actions that have a lens, each at the name of its symbol, in the order of the file. They are priced one by one,
    /// when they are looked at: [`Engine::priced_title`].
    pub fn lens_launches(&self, snapshot: &Snapshot, file: &FilePath) -> Vec<(Range, Launch)> {
        let wanted = self.config().surfaces.priced_lenses.clone();
        if wanted.is_empty() || !self.is_configured() || self.is_closed_to_runs(snapshot, file) {
            return Vec::new();
        }
        let Some(parsed) = snapshot
            .open_document(file)
            .and_then(|document| document.parsed())
        else {
            return Vec::new();
        };
        let facts = parsed.facts();
        let launches = tagged(facts).flat_map(|symbol| {
            let offered = wanted
                .iter()
                .filter(|action| action.is_offered_on(symbol, facts.grammar))
                .map(|action| (symbol.name_range, Launch::new(*action, &symbol.path)));
            offered.collect::<Vec<_>>()
        });
        launches.collect()
    }

    /// The words of an action with what it would cost here and now, or without where that cannot be said.
    pub fn priced_title(&self, snapshot: &Snapshot, file: &FilePath, launch: &Launch) -> String {
        match self.estimate(snapshot, file, launch) {
            Ok(estimate) => format!("{} · {}", launch.title(), estimate.title()),
            Err(_) => launch.title(),
        }
    }

    /// The size of each symbol whose name is in `range`, and what the actions on it cost, from the cheapest to the dearest.
    pub fn price_tags(&self, snapshot: &Snapshot, file: &FilePath, range: Range) -> Vec<Tag> {
        let wanted = self.config().surfaces.priced_hints;
        if !wanted || !self.is_configured() || self.is_closed_to_runs(snapshot, file) {
            return Vec::new();
        }
        let Some(document) = snapshot.open_document(file) else {
            return Vec::new();
        };
        let Some(parsed) = document.parsed() else {
            return Vec::new();
        };
        let for_runs = self.closing(snapshot.clone());
        let mut packers = Packers::default();
        let model = self.model().id;
        let in_range = |symbol: &&Symbol| range.touches(symbol.name_range.start);
        let facts = parsed.facts();
        let tags = tagged(facts).filter(in_range).filter_map(|symbol| {
            let estimates = Action::all()
                .iter()
                .filter(|action| action.is_offered_on(symbol, facts.grammar))
                .filter_map(|action| {
                    let launch = Launch::new(*action, &symbol.path);
                    let estimate = self.estimate_with(&mut packers, &for_runs, file, &launch);
                    estimate.ok()
                });
            let prices = estimates.reduce(around)?;
            let size = self
                .shared
                .purse
                .tokens(&document.text().slice(symbol.range), &model);
            Some(Tag {
                range: symbol.name_range,
                text: format!("{} · {}", tokens(size), prices.title()),
            })
        });
        tags.collect()
    }

    fn is_closed_to_runs(&self, snapshot: &Snapshot, file: &FilePath) -> bool {
        self.config().deny.denies(snapshot.display(file))
    }
}

/// The symbols that are worth a tag: not each field and variant.
fn tagged(facts: &Facts) -> impl Iterator<Item = &Symbol> {
    let is_part = |symbol: &Symbol| matches!(symbol.kind, SymbolKind::Field | SymbolKind::Variant);
    facts.symbols.iter().filter(move |symbol| !is_part(symbol))
}

/// From the lower end of the cheaper to the upper end of the dearer.
fn around(one: Estimate, other: Estimate) -> Estimate {
    Estimate {
        low: one.low.min(other.low),
        high: one.high.max(other.high),
        input_tokens: one.input_tokens.max(other.input_tokens),
        output_tokens: one.output_tokens.max(other.output_tokens),
        ..one
    }
}
