//! Facts as a few bytes: what is kept of the files that nobody looks at, in memory and on disk.
//!
//! A fifth of the text or less. Unpacking takes a fraction of what reading the text again would.

use std::fmt::Write as _;
use std::sync::Arc;

use grammars::{Role, SymbolKind};
use text::Range;

use crate::base::Counts;
use crate::bytes::{Reader, Writer, shared};
use crate::facts::{
    Facts, Import, ImportKind, ImportedName, Incomplete, Instruction, Metrics, PackedReference,
    Symbol, SymbolId,
};
use crate::names::{NameId, Names};
use crate::posting::Uses;
use crate::shape::Shape;
use crate::skim::AllNames;

/// Grows with every change of the form, so that nobody reads what was written otherwise.
const FORM: u32 = 2;

/// Says how facts are packed, and by which grammars they are read. Where it differs, packed facts mean nothing.
pub fn form() -> String {
    let mut form = format!("form {FORM}\n");
    for grammar in grammars::all() {
        let language = grammar.language();
        let (abi, kinds) = (language.abi_version(), language.node_kind_count());
        let states = language.parse_state_count();
        // A String takes whatever is written.
        _ = writeln!(form, "{} {abi} {kinds} {states}", grammar.name);
        for (_, query) in grammar.queries() {
            form.push_str(query);
        }
        form.push_str(grammar.embedding().unwrap_or_default());
    }
    form
}

/// The facts of one file, packed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packed(Arc<[u8]>);

impl Packed {
    /// What was written by [`Packed::as_bytes`]. Other bytes make facts that cannot be unpacked, or false ones: whoever
    /// keeps them has to know that they are the same.
    pub fn from_bytes(bytes: &[u8]) -> Packed {
        Packed(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The facts. None if these are not packed facts.
    pub fn unpack(&self) -> Option<Facts> {
        Unpacking::start(&self.0)?.facts()
    }

    /// How much is in it.
    pub(crate) fn counts(&self) -> Option<(&'static str, Counts)> {
        let unpacking = Unpacking::start(&self.0)?;
        let counts = Counts {
            memory: self.0.len(),
            ..unpacking.counts
        };
        Some((unpacking.grammar.title, counts))
    }

    /// Hands every name that the file uses to `each`, sorted, with what it does with it, as long as `each` wants more.
    /// Says whether all could be read.
    pub(crate) fn each_use(&self, mut each: impl FnMut(&[u8], Uses) -> bool) -> Option<()> {
        let mut unpacking = Unpacking::start(&self.0)?;
        let mut name = Vec::new();
        for _ in 0..unpacking.bytes.count()? {
            let uses = Uses::from_bits(unpacking.name(&mut name)?);
            if uses != Uses::default() && !each(&name, uses) {
                break;
            }
        }
        Some(())
    }
}

const REFERRED: u8 = 1 << Uses::BITS;

impl Facts {
    /// The facts in the form in which they are kept. O(size).
    pub fn pack(&self) -> Packed {
        let known = (0..self.names.len()).map(|index| self.names.get(NameId::new(index)));
        let known = known.map(|name| (name, Uses::default()));
        let names = merge_uses(self.uses().into_iter(), known);
        // All other symbols are among those that are used.
        let blocks = self
            .symbols
            .iter()
            .filter(|symbol| !symbol.kind.is_mentioned());
        let blocks = blocks.map(|symbol| (&*symbol.name, Uses::default()));
        let mut blocks: Vec<(&str, Uses)> = blocks.collect();
        blocks.sort_unstable_by_key(|(name, _)| *name);
        let names = merge_uses(names.into_iter(), blocks.into_iter());
        let place = |name: &str| {
            let found = names.binary_search_by(|(known, _)| (*known).cmp(name));
            found.unwrap_or(0)
        };
        let mut out = Writer(Vec::with_capacity(self.bytes / 6 + 64));
        self.pack_head(&mut out);
        out.number(names.len());
        let mut before: &str = "";
        let mut known = 0;
        for (name, uses) in &names {
            let same = shared(before.as_bytes(), name.as_bytes());
            let same = name.floor_char_boundary(same);
            let referred = known < self.names.len() && self.names.get(NameId::new(known)) == *name;
            known += usize::from(referred);
            out.byte(uses.bits() | if referred { REFERRED } else { 0 });
            out.number(same);
            out.text(&name[same..]);
            before = name;
        }
        let mut last = 0;
        for (number, symbol) in self.symbols.iter().enumerate() {
            pack_symbol(&mut out, self, number, symbol, last, &place);
            last = symbol.range.start;
        }
        for id in &self.by_path {
            out.number(id.index());
        }
        for import in &self.imports {
            pack_import(&mut out, import, &place);
        }
        let mut last = 0;
        for reference in &self.references {
            let qualified = reference.qualifier.is_some();
            out.byte(
                reference.role as u8 | u8::from(reference.member) << 4 | u8::from(qualified) << 5,
            );
            out.number(reference.start as usize - last);
            last = reference.start as usize;
            out.number(reference.name.index());
            if let Some(qualifier) = reference.qualifier {
                out.number(qualifier.index());
            }
        }
        for error in &self.errors {
            pack_range(&mut out, 0, *error);
        }
        for comment in &self.comments {
            pack_range(&mut out, 0, comment.range);
            out.text(&comment.text);
            pack_id(&mut out, comment.symbol);
        }
        Packed(out.0.into())
    }

    fn pack_head(&self, out: &mut Writer) {
        out.text(self.grammar.name);
        let incomplete = match self.incomplete {
            None => 0,
            Some(Incomplete::TooLarge) => 1,
            Some(Incomplete::TooTangled) => 2,
            Some(Incomplete::TooDeep) => 3,
            Some(Incomplete::NoParser) => 4,
        };
        let imports_range = u8::from(self.imports_range.is_some());
        out.byte(incomplete | u8::from(self.generated) << 3 | imports_range << 4);
        for count in [
            self.bytes,
            self.lines,
            self.symbols.len(),
            self.references.len(),
            self.imports.len(),
            self.errors.len(),
            self.comments.len(),
        ] {
            out.number(count);
        }
        if let Some(range) = self.imports_range {
            pack_range(out, 0, range);
        }
    }
}

/// Makes one sorted list of two, and one entry of those that have the same name.
pub(crate) fn merge_uses<'n>(
    first: impl Iterator<Item = (&'n str, Uses)>,
    second: impl Iterator<Item = (&'n str, Uses)>,
) -> Vec<(&'n str, Uses)> {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    let mut merged: Vec<(&str, Uses)> = Vec::with_capacity(first.size_hint().0);
    loop {
        let next = match (first.peek(), second.peek()) {
            (Some(a), Some(b)) if b.0 < a.0 => second.next(),
            (Some(_), _) => first.next(),
            (None, _) => second.next(),
        };
        let Some((name, uses)) = next else {
            return merged;
        };
        match merged.last_mut() {
            Some(last) if last.0 == name => last.1 = last.1.and(uses),
            _ => merged.push((name, uses)),
        }
    }
}

const HAS_METRICS: u8 = 1;
const HAS_BODY: u8 = 2;
const HAS_DOC: u8 = 4;
const PLAIN_PATH: u8 = 8;
const HAS_SHAPE: u8 = 16;

fn pack_symbol(
    out: &mut Writer,
    facts: &Facts,
    number: usize,
    symbol: &Symbol,
    last: usize,
    place: &impl Fn(&str) -> usize,
) {
    let flags = [symbol.public, symbol.test, symbol.test_case];
    let flags = flags
        .iter()
        .enumerate()
        .map(|(bit, set)| u8::from(*set) << (5 + bit));
    out.byte(symbol.kind as u8 | flags.sum::<u8>());
    let parent = symbol.parent.and_then(|parent| facts.symbol(parent));
    let plain = *symbol.path == *plain_path(parent, &symbol.name);
    let mut has = if plain { PLAIN_PATH } else { 0 };
    for (present, bit) in [
        (symbol.metrics.is_some(), HAS_METRICS),
        (symbol.body.is_some(), HAS_BODY),
        (symbol.doc.is_some(), HAS_DOC),
        (symbol.shape.is_some(), HAS_SHAPE),
    ] {
        has |= if present { bit } else { 0 };
    }
    out.byte(has);
    out.number(place(&symbol.name));
    if !plain {
        out.text(&symbol.path);
    }
    out.number(symbol.parent.map_or(0, |parent| number - parent.index()));
    pack_range(out, last, symbol.range);
    let start = symbol.range.start;
    pack_range(out, start, symbol.item);
    pack_range(out, symbol.item.start, symbol.name_range);
    pack_range(out, symbol.item.start, symbol.header);
    if let Some(body) = symbol.body {
        pack_range(out, symbol.header.end, body);
    }
    if let Some(doc) = symbol.doc {
        pack_range(out, start, doc);
    }
    if let Some(metrics) = symbol.metrics {
        for count in [
            metrics.lines,
            metrics.nesting,
            metrics.cognitive,
            metrics.branches,
            metrics.parameters,
        ] {
            out.number(count as usize);
        }
    }
    if let Some(shape) = &symbol.shape {
        out.number(place(&shape.code));
        out.number(shape.tokens as usize);
    }
}

fn plain_path(parent: Option<&Symbol>, name: &Arc<str>) -> Arc<str> {
    match parent {
        Some(parent) => format!("{}/{name}", parent.path).into(),
        None => name.clone(),
    }
}

fn pack_import(out: &mut Writer, import: &Import, place: &impl Fn(&str) -> usize) {
    let kind = match import.kind {
        ImportKind::Load => 0,
        ImportKind::Guarded => 1,
        ImportKind::Type => 2,
        ImportKind::Dynamic => 3,
    };
    let alias = u8::from(import.alias.is_some());
    out.byte(kind | u8::from(import.wildcard) << 2 | u8::from(import.reexport) << 3 | alias << 4);
    pack_range(out, 0, import.range);
    out.text(&import.source);
    if let Some(alias) = &import.alias {
        out.text(alias);
    }
    pack_id(out, import.within);
    out.number(import.names.len());
    for taken in &import.names {
        out.number(place(&taken.name) << 1 | usize::from(taken.alias.is_some()));
        if let Some(alias) = &taken.alias {
            out.text(alias);
        }
    }
}

fn pack_range(out: &mut Writer, from: usize, range: Range) {
    out.step(from, range.start);
    out.number(range.len());
}

fn pack_id(out: &mut Writer, id: Option<SymbolId>) {
    out.number(id.map_or(0, |id| id.index() + 1));
}

/// Packed facts of which the head is read.
pub(crate) struct Unpacking<'b> {
    bytes: Reader<'b>,
    grammar: &'static grammars::Grammar,
    flags: u8,
    lines: usize,
    comments: usize,
    counts: Counts,
    imports_range: Option<Range>,
}

impl<'b> Unpacking<'b> {
    pub(crate) fn start(bytes: &'b [u8]) -> Option<Unpacking<'b>> {
        let mut bytes = Reader(bytes);
        let name = bytes.text()?;
        let mut all = grammars::all().iter();
        let grammar = all.find(|grammar| grammar.name == name)?;
        let flags = bytes.byte()?;
        let (size, lines) = (bytes.number()?, bytes.number()?);
        let mut counts = [0; 5];
        for count in &mut counts {
            *count = bytes.count()?;
        }
        let [symbols, references, imports, errors, comments] = counts;
        let mut unpacking = Unpacking {
            bytes,
            grammar,
            flags,
            lines,
            comments,
            counts: Counts {
                symbols,
                references,
                imports,
                errors,
                incomplete: usize::from(flags & 7 != 0),
                bytes: size,
                memory: 0,
            },
            imports_range: None,
        };
        if flags & 1 << 4 != 0 {
            unpacking.imports_range = Some(unpacking.range(0)?);
        }
        Some(unpacking)
    }

    /// The next name, which starts like the one before in `name`, and what is done with it.
    fn name(&mut self, name: &mut Vec<u8>) -> Option<u8> {
        let flags = self.bytes.byte()?;
        let same = self.bytes.number()?;
        let rest = self.bytes.number()?;
        let rest = self.bytes.bytes(rest)?;
        if same > name.len() {
            return None;
        }
        name.truncate(same);
        name.extend_from_slice(rest);
        Some(flags)
    }

    fn range(&mut self, from: usize) -> Option<Range> {
        let start = self.bytes.step(from)?;
        let end = start.checked_add(self.bytes.number()?)?;
        (end <= self.counts.bytes).then(|| Range::new(start, end))
    }

    #[expect(
        clippy::option_option,
        reason = "none that could be read, and none that is there"
    )]
    fn id(&mut self) -> Option<Option<SymbolId>> {
        match self.bytes.number()? {
            0 => Some(None),
            id if id <= self.counts.symbols => Some(Some(SymbolId(id as u32 - 1))),
            _ => None,
        }
    }

    pub(crate) fn grammar(&self) -> &'static grammars::Grammar {
        self.grammar
    }

    /// How many there are.
    pub(crate) fn symbols(&self) -> usize {
        self.counts.symbols
    }

    pub(crate) fn all_names(&mut self) -> Option<AllNames> {
        let mut names = AllNames::default();
        let mut name = Vec::new();
        for _ in 0..self.bytes.count()? {
            self.name(&mut name)?;
            names.push(std::str::from_utf8(&name).ok()?);
        }
        Some(names)
    }

    /// Reads past the next symbol: its kind, the place of its name, its path if that is written, and its parent.
    pub(crate) fn pass_symbol(
        &mut self,
        number: usize,
    ) -> Option<(SymbolKind, usize, Option<&'b str>, Option<usize>)> {
        let kind = *SymbolKind::ALL.get(usize::from(self.bytes.byte()? & 31))?;
        let has = self.bytes.byte()?;
        let name = self.bytes.number()?;
        let path = match has & PLAIN_PATH {
            0 => Some(self.bytes.text()?),
            _ => None,
        };
        let parent = match self.bytes.number()? {
            0 => None,
            back => Some(number.checked_sub(back)?),
        };
        // Four ranges that all have, then what some have.
        let mut numbers = 8;
        for (bit, more) in [
            (HAS_BODY, 2),
            (HAS_DOC, 2),
            (HAS_METRICS, 5),
            (HAS_SHAPE, 2),
        ] {
            numbers += if has & bit == 0 { 0 } else { more };
        }
        for _ in 0..numbers {
            self.bytes.number()?;
        }
        Some((kind, name, path, parent))
    }

    fn facts(mut self) -> Option<Facts> {
        let count = self.bytes.count()?;
        let mut all: Vec<Arc<str>> = Vec::with_capacity(count);
        let (mut text, mut ends) = (String::new(), Vec::new());
        let mut name = Vec::new();
        for _ in 0..count {
            let flags = self.name(&mut name)?;
            let this = std::str::from_utf8(&name).ok()?;
            if flags & REFERRED != 0 {
                text.push_str(this);
                ends.push(text.len() as u32);
            }
            all.push(this.into());
        }
        let names = Names::of(text, ends);
        let mut symbols = Vec::with_capacity(self.counts.symbols);
        let mut name_places = Vec::with_capacity(self.counts.symbols);
        let mut last = 0;
        for number in 0..self.counts.symbols {
            let (symbol, name) = self.symbol(number, last, &all, &symbols)?;
            last = symbol.range.start;
            symbols.push(symbol);
            name_places.push(name);
        }
        let mut by_path = Vec::with_capacity(symbols.len());
        for _ in 0..symbols.len() {
            let id = self.bytes.number().filter(|id| *id < symbols.len())?;
            by_path.push(SymbolId(id as u32));
        }
        let mut by_name: Vec<SymbolId> = (0..symbols.len() as u32).map(SymbolId).collect();
        by_name.retain(|id| symbols[id.index()].kind.is_mentioned());
        by_name.sort_by_key(|id| name_places[id.index()]);
        let mut imports = Vec::with_capacity(self.counts.imports);
        for _ in 0..self.counts.imports {
            imports.push(self.import(&all)?);
        }
        let references = self.references(names.len())?;
        let mut errors = Vec::with_capacity(self.counts.errors);
        for _ in 0..self.counts.errors {
            errors.push(self.range(0)?);
        }
        let mut comments = Vec::with_capacity(self.comments);
        for _ in 0..self.comments {
            comments.push(Instruction {
                range: self.range(0)?,
                text: self.bytes.text()?.to_owned(),
                symbol: self.id()?,
            });
        }
        let incomplete = match self.flags & 7 {
            0 => None,
            1 => Some(Incomplete::TooLarge),
            2 => Some(Incomplete::TooTangled),
            3 => Some(Incomplete::TooDeep),
            4 => Some(Incomplete::NoParser),
            _ => return None,
        };
        self.bytes.0.is_empty().then_some(Facts {
            grammar: self.grammar,
            symbols,
            imports,
            comments,
            error_count: errors.len(),
            lines: self.lines,
            bytes: self.counts.bytes,
            generated: self.flags & 1 << 3 != 0,
            incomplete,
            names,
            references,
            imports_range: self.imports_range,
            errors: errors.into(),
            by_name: by_name.into(),
            by_path: by_path.into(),
        })
    }

    fn symbol(
        &mut self,
        number: usize,
        last: usize,
        names: &[Arc<str>],
        before: &[Symbol],
    ) -> Option<(Symbol, usize)> {
        let flags = self.bytes.byte()?;
        let kind = *SymbolKind::ALL.get(usize::from(flags & 31))?;
        let has = self.bytes.byte()?;
        let place = self.bytes.number()?;
        let name = names.get(place)?.clone();
        let path = if has & PLAIN_PATH == 0 {
            Some(Arc::from(self.bytes.text()?))
        } else {
            None
        };
        let parent = match self.bytes.number()? {
            0 => None,
            back => Some(number.checked_sub(back)?),
        };
        let path = match path {
            Some(path) => path,
            None => plain_path(parent.and_then(|parent| before.get(parent)), &name),
        };
        let range = self.range(last)?;
        let item = self.range(range.start)?;
        let name_range = self.range(item.start)?;
        let header = self.range(item.start)?;
        let body = match has & HAS_BODY {
            0 => None,
            _ => Some(self.range(header.end)?),
        };
        let doc = match has & HAS_DOC {
            0 => None,
            _ => Some(self.range(range.start)?),
        };
        let metrics = match has & HAS_METRICS {
            0 => None,
            _ => Some(Metrics {
                lines: self.bytes.number()? as u32,
                nesting: self.bytes.number()? as u32,
                cognitive: self.bytes.number()? as u32,
                branches: self.bytes.number()? as u32,
                parameters: self.bytes.number()? as u32,
            }),
        };
        let shape = match has & HAS_SHAPE {
            0 => None,
            _ => Some(Shape {
                code: names.get(self.bytes.number()?)?.clone(),
                tokens: self.bytes.number()? as u32,
            }),
        };
        let symbol = Symbol {
            name,
            path,
            kind,
            parent: parent.map(|parent| SymbolId(parent as u32)),
            range,
            item,
            name_range,
            header,
            body,
            doc,
            public: flags & 1 << 5 != 0,
            test: flags & 1 << 6 != 0,
            test_case: flags & 1 << 7 != 0,
            metrics,
            shape,
        };
        Some((symbol, place))
    }

    fn import(&mut self, names: &[Arc<str>]) -> Option<Import> {
        let flags = self.bytes.byte()?;
        let range = self.range(0)?;
        let source = self.bytes.text()?.into();
        let alias = match flags & 1 << 4 {
            0 => None,
            _ => Some(self.bytes.text()?.into()),
        };
        let within = self.id()?;
        let count = self.bytes.count()?;
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            let place = self.bytes.number()?;
            let alias = match place & 1 {
                0 => None,
                _ => Some(self.bytes.text()?.into()),
            };
            let name = names.get(place >> 1)?.clone();
            taken.push(ImportedName { name, alias });
        }
        Some(Import {
            range,
            source,
            names: taken,
            alias,
            wildcard: flags & 1 << 2 != 0,
            reexport: flags & 1 << 3 != 0,
            kind: match flags & 3 {
                0 => ImportKind::Load,
                1 => ImportKind::Guarded,
                2 => ImportKind::Type,
                _ => ImportKind::Dynamic,
            },
            within,
        })
    }

    fn references(&mut self, names: usize) -> Option<Box<[PackedReference]>> {
        let mut references = Vec::with_capacity(self.counts.references);
        let mut start = 0_u32;
        for _ in 0..self.counts.references {
            let flags = self.bytes.byte()?;
            let step = u32::try_from(self.bytes.number()?).ok()?;
            start = start.checked_add(step)?;
            let name = self.bytes.number().filter(|name| *name < names)?;
            let qualifier = match flags & 1 << 5 {
                0 => None,
                _ => Some(NameId::new(
                    self.bytes.number().filter(|name| *name < names)?,
                )),
            };
            references.push(PackedReference {
                start,
                name: NameId::new(name),
                qualifier,
                role: *Role::ALL.get(usize::from(flags & 15))?,
                member: flags & 1 << 4 != 0,
            });
        }
        Some(references.into())
    }
}
