//! Code inside of a text of another language becomes part of the facts of that text.
//!
//! The code is parsed where it stands, so that every offset is one of the whole text. What is found in it lies in the
//! symbol of the text around it.

use std::cell::RefCell;
use std::ops::{ControlFlow, Range as Bytes};
use std::sync::Arc;

use grammars::Grammar;
use rustc_hash::FxHashSet;
use text::Range;
use tree_sitter::{ParseOptions, Parser, Point, Tree};

use crate::facts::{Facts, Instruction, PackedReference, Symbol, SymbolId};
use crate::names::{Interner, Names};
use crate::symbols::around;
use crate::{MAX_PATH, STEPS_PER_BYTE, STEPS_PER_FILE, walk};

/// More pieces of code than this are not read: each costs a look at the whole text.
const MAX_PIECES: usize = 64;

/// The facts that a tree holds, with those of the code in it.
pub(crate) fn extract(grammar: &'static Grammar, source: &str, tree: &Tree) -> Facts {
    let host = walk::extract(grammar, source, tree);
    let pieces = grammar.embedded(source, tree.root_node());
    if pieces.is_empty() {
        return host;
    }
    let pieces = pieces.into_iter().take(MAX_PIECES);
    let parts: Vec<Facts> = pieces
        .filter_map(|(piece, grammar)| {
            let tree = parse(grammar, source, &piece)?;
            Some(walk::extract(grammar, source, &tree))
        })
        .collect();
    join(host, &parts)
}

/// The piece of code that a range lies in, if it does in one: its language and its tree.
pub(crate) fn piece_around(
    grammar: &'static Grammar,
    source: &str,
    tree: &Tree,
    range: Range,
) -> Option<(&'static Grammar, Tree)> {
    let pieces = grammar.embedded(source, tree.root_node());
    let mut pieces = pieces.into_iter().take(MAX_PIECES);
    let (piece, grammar) =
        pieces.find(|(piece, _)| Range::from(piece.clone()).contains_range(range))?;
    Some((grammar, parse(grammar, source, &piece)?))
}

/// The tree of a piece of a text, with the offsets of the whole. None if it makes too much work.
fn parse(grammar: &'static Grammar, source: &str, piece: &Bytes<usize>) -> Option<Tree> {
    thread_local! {
        static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
    }
    PARSER.with_borrow_mut(|parser| {
        parser.set_language(grammar.language()).ok()?;
        let range = tree_sitter::Range {
            start_byte: piece.start,
            end_byte: piece.end,
            start_point: point(source, piece.start),
            end_point: point(source, piece.end),
        };
        parser.set_included_ranges(&[range]).ok()?;
        let mut steps = STEPS_PER_FILE + piece.len() * STEPS_PER_BYTE;
        let mut within_budget = |_: &tree_sitter::ParseState| match steps.checked_sub(1) {
            Some(left) => {
                steps = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        };
        let options = ParseOptions::new().progress_callback(&mut within_budget);
        let mut rest = |offset: usize, _: Point| source.as_bytes().get(offset..).unwrap_or(&[]);
        let tree = parser.parse_with_options(&mut rest, None, Some(options));
        parser.reset();
        tree
    })
}

/// Where an offset is, as the parser counts.
fn point(source: &str, offset: usize) -> Point {
    let before = source.get(..offset).unwrap_or("");
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    Point::new(before.matches('\n').count(), offset - line)
}

/// The facts of a text with those of its parts, which do not overlap.
fn join(mut host: Facts, parts: &[Facts]) -> Facts {
    let outer = std::mem::take(&mut host.symbols);
    let mut all: Vec<(usize, SymbolId, &Symbol)> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        all.extend(
            part.enumerate()
                .map(|(id, symbol)| (number + 1, id, symbol)),
        );
    }
    let ids = (0..).map(SymbolId);
    all.extend(outer.iter().zip(ids).map(|(symbol, id)| (0, id, symbol)));
    all.sort_by_key(|(part, id, symbol)| (symbol.range.start, *part, *id));
    let counts = [outer.len()]
        .into_iter()
        .chain(parts.iter().map(|part| part.symbols.len()));
    let mut places: Vec<Vec<SymbolId>> = counts.map(|count| vec![SymbolId(0); count]).collect();
    for ((part, id, _), place) in all.iter().zip(0..) {
        if let Some(slot) = places
            .get_mut(*part)
            .and_then(|ids| ids.get_mut(id.index()))
        {
            *slot = SymbolId(place);
        }
    }
    let place = |part: usize, id: SymbolId| places.get(part)?.get(id.index()).copied();
    let outside = |offset: usize| around(&outer, offset).map(|index| SymbolId(index as u32));
    let mut taken: FxHashSet<Arc<str>> = outer.iter().map(|symbol| symbol.path.clone()).collect();
    let mut symbols: Vec<Symbol> = Vec::with_capacity(all.len());
    for (part, _, symbol) in &all {
        let mut symbol = Symbol::clone(symbol);
        if *part > 0 {
            let above = outside(symbol.range.start);
            let above_path = above
                .and_then(|id| outer.get(id.index()))
                .map(|symbol| &symbol.path);
            symbol.path = unique_path(above_path, &symbol, &mut taken);
            symbol.parent = match symbol.parent {
                Some(parent) => place(*part, parent),
                None => above.and_then(|above| place(0, above)),
            };
        } else {
            symbol.parent = symbol.parent.and_then(|parent| place(0, parent));
        }
        symbols.push(symbol);
    }
    let comments = parts
        .iter()
        .zip(1..)
        .flat_map(|(part, number)| part.comments.iter().map(move |comment| (number, comment)));
    let mut comments: Vec<Instruction> = comments
        .chain(host.comments.iter().map(|comment| (0, comment)))
        .map(|(part, comment)| Instruction {
            symbol: match comment.symbol {
                Some(symbol) => place(part, symbol),
                None => outside(comment.range.start).and_then(|above| place(0, above)),
            },
            ..comment.clone()
        })
        .collect();
    comments.sort_by_key(|comment| comment.range);
    host.comments = comments;
    (host.names, host.references) = references(&host, parts);
    host.imports
        .extend(parts.iter().flat_map(|part| part.imports.iter().cloned()));
    host.imports.sort_by_key(|import| import.range);
    for import in &mut host.imports {
        let around = around(&symbols, import.range.start);
        import.within = around.map(|index| SymbolId(index as u32));
    }
    let blocks = parts.iter().map(|part| part.imports_range);
    host.imports_range = host.imports_range.or(blocks.flatten().next());
    let errors = parts.iter().flat_map(|part| part.errors.iter());
    let mut errors: Vec<_> = host.errors.iter().chain(errors).copied().collect();
    errors.sort_unstable();
    host.error_count = errors.len();
    host.errors = errors.into();
    let incomplete = parts.iter().map(|part| part.incomplete);
    host.incomplete = host.incomplete.or(incomplete.flatten().next());
    let sorted = |key: fn(&Symbol) -> &str, keep: fn(&Symbol) -> bool| {
        let ids = symbols.iter().zip((0..).map(SymbolId));
        let mut ids: Vec<_> = ids.filter(|(symbol, _)| keep(symbol)).collect();
        ids.sort_by(|(a, _), (b, _)| key(a).cmp(key(b)));
        ids.into_iter().map(|(_, id)| id).collect()
    };
    host.by_name = sorted(|symbol| &symbol.name, |symbol| symbol.kind.is_mentioned());
    host.by_path = sorted(|symbol| &symbol.path, |_| true);
    host.symbols = symbols;
    host
}

/// A path inside of what the piece lies in, that no other symbol has.
fn unique_path(
    above: Option<&Arc<str>>,
    symbol: &Symbol,
    taken: &mut FxHashSet<Arc<str>>,
) -> Arc<str> {
    let path = match above {
        Some(above) => format!("{above}/{}", symbol.path),
        None => symbol.path.to_string(),
    };
    let path = if path.len() > MAX_PATH {
        symbol.name.to_string()
    } else {
        path
    };
    let mut own: Arc<str> = path.as_str().into();
    let mut count = 1;
    while !taken.insert(own.clone()) {
        count += 1;
        own = format!("{path}#{count}").into();
    }
    own
}

/// All references by place, and the names in them.
fn references(host: &Facts, parts: &[Facts]) -> (Names, Box<[PackedReference]>) {
    let mut names = Interner::default();
    let mut found = Vec::new();
    for facts in [host].into_iter().chain(parts) {
        for packed in &facts.references {
            let name = names.number(facts.names.get(packed.name));
            let qualifier = packed
                .qualifier
                .map(|name| names.number(facts.names.get(name)));
            found.push((name, qualifier, *packed));
        }
    }
    found.sort_by_key(|(_, _, packed)| packed.start);
    let keep = vec![true; names.len()];
    let (kept, places) = names.finish(&keep, false);
    let place = |number: u32| places.get(number as usize).copied().flatten();
    let references = found.into_iter().filter_map(|(name, qualifier, packed)| {
        Some(PackedReference {
            name: place(name)?,
            qualifier: qualifier.and_then(place),
            ..packed
        })
    });
    let references = references.collect();
    (kept, references)
}
