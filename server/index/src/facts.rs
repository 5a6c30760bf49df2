use std::fmt;
use std::sync::Arc;

use grammars::{Grammar, Role, SymbolKind};
use serde::Serialize;
use text::Range;

use crate::base::Counts;
use crate::names::{NameId, Names};
use crate::pack::merge_uses;
use crate::posting::Uses;
use crate::shape::Shape;
use crate::symbols::around;

/// What is known about one file: a function of its text alone.
#[derive(Debug, PartialEq)]
pub struct Facts {
    /// The language it was read as.
    pub grammar: &'static Grammar,
    /// By where they start, parents before children. A symbol lies wholly inside its parent.
    pub symbols: Vec<Symbol>,
    /// By where they start.
    pub imports: Vec<Import>,
    /// The comments that ask for something, by where they start.
    pub comments: Vec<Instruction>,
    /// Syntax errors: places that make no sense and tokens that are missing.
    pub error_count: usize,
    /// The number of lines; a final line break opens one more.
    pub lines: usize,
    /// The length of the text.
    pub bytes: usize,
    /// Whether the file says that a program wrote it.
    pub generated: bool,
    /// Why there is less here than in the file, if there is.
    pub incomplete: Option<Incomplete>,
    pub(crate) names: Names,
    pub(crate) references: Box<[PackedReference]>,
    pub(crate) imports_range: Option<Range>,
    pub(crate) errors: Box<[Range]>,
    pub(crate) by_name: Box<[SymbolId]>,
    pub(crate) by_path: Box<[SymbolId]>,
}

/// The position of a symbol in [`Facts::symbols`]. It means nothing in the facts of another text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct SymbolId(pub u32);

impl SymbolId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Something that has a name and a place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Symbol {
    /// As written, without quotes and line breaks. That of an impl block is its type, or `Type as Interface`.
    pub name: Arc<str>,
    /// Unique in the file: the names of what it is in and its own, joined by `/`.
    ///
    /// Members of an impl block are in its type, `Type/name`, or in `Type as Interface/name`; methods that are declared
    /// outside of their type are in it as well. The block itself is `impl Type` or `Type as Interface`.
    /// When several symbols have the same path, all but the first get `#2`, `#3`, …; functions with a body come first,
    /// fields last, otherwise the order is that of the file.
    pub path: Arc<str>,
    /// What it is.
    pub kind: SymbolKind,
    /// The innermost symbol that it lies in.
    pub parent: Option<SymbolId>,
    /// All that belongs to it: with the documentation, attributes and comments directly above.
    pub range: Range,
    /// The item itself: without what is above.
    pub item: Range,
    /// Its name.
    pub name_range: Range,
    /// The item up to its body.
    pub header: Range,
    /// What the header announces: statements, members, variants.
    pub body: Option<Range>,
    /// Its documentation.
    pub doc: Option<Range>,
    /// Whether it can be seen outside the file (in some languages: outside the package).
    pub public: bool,
    /// Whether it is part of a test.
    pub test: bool,
    /// Whether it is a test case: what a test runner would run.
    pub test_case: bool,
    /// Of functions, methods and test cases.
    pub metrics: Option<Metrics>,
    /// Of functions, methods and test cases that are not small.
    #[serde(skip)]
    pub shape: Option<Shape>,
}

/// How big and how tangled a function is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Metrics {
    /// Lines of the item, blank ones included.
    pub lines: u32,
    /// How deep conditions, loops and handlers lie in each other, at most.
    pub nesting: u32,
    /// Cognitive complexity as SonarSource defines it (G. A. Campbell, "Cognitive Complexity", version 1.7):
    /// a point for each break in the straight flow, one more for each level it lies deep, one for each run of like
    /// logical operators, one for recursion that is visible in the function itself.
    pub cognitive: u32,
    /// Conditions, loops and handlers, and the cases of those that have several.
    pub branches: u32,
    /// Parameters; the value a method is called on is not one where the language writes it apart.
    pub parameters: u32,
}

impl Metrics {
    /// Takes in what was counted in another part of the same function.
    pub(crate) fn join(&mut self, other: Metrics) {
        self.nesting = self.nesting.max(other.nesting);
        self.cognitive += other.cognitive;
        self.branches += other.branches;
        self.parameters = self.parameters.max(other.parameters);
    }
}

/// One mention of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference<'f> {
    /// The name.
    pub name: &'f str,
    /// Where it is.
    pub range: Range,
    /// What is done with it.
    pub role: Role,
    /// Whether it is a part of a value: what `value.name` is depends on the value.
    pub member: bool,
    /// The last word of what stands before it: `Type` in `module::Type::name`, `value` in `value.name`.
    pub qualifier: Option<&'f str>,
    /// The innermost symbol that it lies in.
    pub within: Option<SymbolId>,
}

/// A reference as it is kept: its end follows from the name, the symbol it is in from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PackedReference {
    pub(crate) start: u32,
    pub(crate) name: NameId,
    pub(crate) qualifier: Option<NameId>,
    pub(crate) role: Role,
    pub(crate) member: bool,
}

/// What a file takes from one module by one statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Import {
    /// The statement, or the part of it that imports this module if it imports several.
    pub range: Range,
    /// The module as written, without quotes.
    pub source: Arc<str>,
    /// What is taken from it; nothing if it is the module itself.
    pub names: Vec<ImportedName>,
    /// What the module as a whole is called in this file, if that is written.
    pub alias: Option<Arc<str>>,
    /// Whether everything is taken.
    pub wildcard: bool,
    /// Whether it is passed on.
    pub reexport: bool,
    /// When it happens.
    pub kind: ImportKind,
    /// The innermost symbol that it lies in; inside a function it happens when that runs.
    pub within: Option<SymbolId>,
}

/// A name taken from a module.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImportedName {
    /// What the module calls it; `default` for an export without a name.
    pub name: Arc<str>,
    /// What this file calls it, if otherwise.
    pub alias: Option<Arc<str>>,
}

impl ImportedName {
    /// What this file calls it.
    pub fn local(&self) -> &Arc<str> {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

/// When an import happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// When the file is loaded.
    Load,
    /// When the file is loaded, and it may fail.
    Guarded,
    /// Never: it is for the type checker.
    Type,
    /// When the statement is reached.
    Dynamic,
}

/// A comment that asks for something: `farthing: …`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Instruction {
    /// The comment, or the comments on lines that follow each other.
    pub range: Range,
    /// What it asks for, on one line.
    pub text: String,
    /// The symbol that it is in or directly above.
    pub symbol: Option<SymbolId>,
}

/// Why there is less in the facts than in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Incomplete {
    /// It is longer than [`crate::MAX_BYTES`], or open and longer than [`crate::MAX_OPEN_BYTES`]; there are no facts.
    TooLarge,
    /// Its syntax made too much work; there are no facts.
    TooTangled,
    /// Symbols lie deeper than [`crate::MAX_DEPTH`] or have paths longer than [`crate::MAX_PATH`]; those are left out.
    TooDeep,
    /// The grammar does not fit this program; there are no facts.
    NoParser,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incomplete::TooLarge => write!(
                f,
                "the file is larger than is read: {} KiB, or {} KiB while it is open",
                crate::MAX_BYTES / 1024,
                crate::MAX_OPEN_BYTES / 1024
            ),
            Incomplete::TooTangled => {
                f.write_str("the syntax is too tangled to read in reasonable time")
            }
            Incomplete::TooDeep => f.write_str("symbols that are nested too deep were left out"),
            Incomplete::NoParser => f.write_str("the grammar of this language cannot be loaded"),
        }
    }
}

impl Facts {
    /// Facts without symbols, for a text that could not be read.
    pub(crate) fn none(grammar: &'static Grammar, source: &str, why: Incomplete) -> Facts {
        Facts {
            grammar,
            symbols: Vec::new(),
            imports: Vec::new(),
            comments: Vec::new(),
            error_count: 0,
            lines: count_lines(source),
            bytes: source.len(),
            generated: false,
            incomplete: Some(why),
            names: Names::default(),
            references: Box::default(),
            imports_range: None,
            errors: Box::default(),
            by_name: Box::default(),
            by_path: Box::default(),
        }
    }

    /// A symbol; none if the identifier comes from elsewhere.
    pub fn symbol(&self, id: SymbolId) -> Option<&Symbol> {
        self.symbols.get(id.index())
    }

    /// All symbols with their identifiers, in order.
    pub fn enumerate(&self) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        self.symbols
            .iter()
            .zip(0..)
            .map(|(symbol, number)| (SymbolId(number), symbol))
    }

    /// All symbols with their identifiers, by their paths; no two have the same.
    pub fn in_order_of_path(&self) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        self.by_path
            .iter()
            .filter_map(|id| Some((*id, self.symbol(*id)?)))
    }

    /// The innermost symbol around a cursor at `offset`, the place right after it included. O(log n).
    pub fn symbol_at(&self, offset: usize) -> Option<SymbolId> {
        let after = self
            .symbols
            .partition_point(|symbol| symbol.range.start <= offset);
        let last = SymbolId(u32::try_from(after.checked_sub(1)?).ok()?);
        self.ancestors(last)
            .find(|(_, symbol)| symbol.range.touches(offset))
            .map(|(id, _)| id)
    }

    /// The innermost function, method or test case around a cursor at `offset`. O(log n).
    pub fn function_at(&self, offset: usize) -> Option<SymbolId> {
        self.callable(self.symbol_at(offset)?)
    }

    /// The symbol itself, or else the innermost function, method or test case that it lies in.
    pub fn callable(&self, id: SymbolId) -> Option<SymbolId> {
        self.ancestors(id)
            .find(|(_, symbol)| symbol.kind.is_callable())
            .map(|(id, _)| id)
    }

    /// The symbol, what it lies in, and so on outwards.
    pub fn ancestors(&self, id: SymbolId) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next?;
            let symbol = self.symbol(id)?;
            next = symbol.parent;
            Some((id, symbol))
        })
    }

    /// The symbols directly inside `id`, in order. O(size of the symbol).
    pub fn children(&self, id: SymbolId) -> impl Iterator<Item = SymbolId> {
        self.descendants(id)
            .filter(move |(_, symbol)| symbol.parent == Some(id))
            .map(|(id, _)| id)
    }

    /// The symbols inside `id` at any depth, in order.
    pub fn descendants(&self, id: SymbolId) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        let end = self.symbol(id).map_or(0, |symbol| symbol.range.end);
        let after = self.symbols.get(id.index() + 1..).unwrap_or(&[]);
        after
            .iter()
            .take_while(move |symbol| symbol.range.start < end)
            .zip(id.0 + 1..)
            .map(|(symbol, number)| (SymbolId(number), symbol))
    }

    /// The symbols that lie in no other, in order.
    pub fn roots(&self) -> impl Iterator<Item = SymbolId> {
        self.enumerate()
            .filter(|(_, symbol)| symbol.parent.is_none())
            .map(|(id, _)| id)
    }

    /// The symbol with that path. O(log n).
    pub fn by_path(&self, path: &str) -> Option<SymbolId> {
        let found = self
            .by_path
            .binary_search_by(|id| self.path_of(*id).cmp(path));
        self.by_path.get(found.ok()?).copied()
    }

    /// The symbols of that name, in order; impl blocks are not among them. O(log n).
    pub fn by_name(&self, name: &str) -> &[SymbolId] {
        let start = self.by_name.partition_point(|id| self.name_of(*id) < name);
        let rest = self.by_name.get(start..).unwrap_or(&[]);
        let len = rest.partition_point(|id| self.name_of(*id) == name);
        rest.get(..len).unwrap_or(&[])
    }

    /// The type that a member belongs to, if it is in this file; otherwise the symbol that it lies in.
    pub fn container(&self, id: SymbolId) -> Option<SymbolId> {
        let symbol = self.symbol(id)?;
        let owner = self.owner_name(id)?;
        let is_type = |id: &&SymbolId| self.symbol(**id).is_some_and(|owner| owner.kind.is_type());
        let declared = self.by_name(owner).iter().find(is_type).copied();
        declared.filter(|owner| *owner != id).or(symbol.parent)
    }

    /// The name of the type that a member belongs to, or of the symbol that it lies in.
    pub fn owner_name(&self, id: SymbolId) -> Option<&str> {
        owner_in(&self.symbol(id)?.path)
    }

    /// All references, by where they are. Names that are known inside one function only are left out.
    pub fn references(&self) -> impl ExactSizeIterator<Item = Reference<'_>> {
        self.references.iter().map(|packed| self.unpack(packed))
    }

    /// The references inside `range`. O(log n).
    pub fn references_in(&self, range: Range) -> impl Iterator<Item = Reference<'_>> {
        self.packed_in(range)
            .iter()
            .map(|packed| self.unpack(packed))
    }

    /// The references to a name. O(n), but only integers are compared.
    pub fn references_to(&self, name: &str) -> impl Iterator<Item = Reference<'_>> {
        let name = self.names.find(name);
        let found = self
            .references
            .iter()
            .filter(move |packed| Some(packed.name) == name);
        found.map(|packed| self.unpack(packed))
    }

    /// Whether the file has a name: defines it, mentions it or imports it. O(log n).
    pub fn mentions(&self, name: &str) -> bool {
        self.names.find(name).is_some()
    }

    /// The block of import statements: the longest run of them at the top level with nothing but comments between.
    pub fn imports_range(&self) -> Option<Range> {
        self.imports_range
    }

    /// The import that makes `name` known in this file, and the name it has there; none for a module's own name.
    pub fn import_of(&self, name: &str) -> Option<(&Import, Option<&ImportedName>)> {
        self.imports.iter().find_map(|import| {
            let taken = import.names.iter().find(|taken| **taken.local() == *name);
            if taken.is_some() {
                return Some((import, taken));
            }
            let whole = match &import.alias {
                Some(alias) => **alias == *name,
                None => import.names.is_empty() && self.last_part(&import.source) == name,
            };
            whole.then_some((import, None))
        })
    }

    /// Whether there is a syntax error in a range, or at one of its edges.
    pub fn has_error_in(&self, range: Range) -> bool {
        // Errors nest, so that a later one may end earlier; but the outermost come first.
        let until = self
            .errors
            .partition_point(|error| error.start <= range.end);
        let before = self.errors.get(..until).unwrap_or(&[]);
        before.iter().any(|error| error.end >= range.start)
    }

    /// Where the syntax errors are.
    pub fn errors(&self) -> &[Range] {
        &self.errors
    }

    /// What it takes in memory, roughly, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let symbols = self
            .symbols
            .iter()
            .map(|symbol| size_of::<Symbol>() + symbol.path.len() + 16 + 2 * size_of::<SymbolId>());
        let imports = self.imports.iter().map(|import| {
            size_of::<Import>()
                + import.source.len()
                + import.names.len() * size_of::<ImportedName>()
        });
        size_of::<Facts>()
            + symbols.sum::<usize>()
            + imports.sum::<usize>()
            + self.references.len() * size_of::<PackedReference>()
            + self.errors.len() * size_of::<Range>()
            + self.names.heap_bytes()
    }

    /// Every name that the file uses and how, by name; the codes of shapes are names as well.
    pub(crate) fn uses(&self) -> Vec<(&str, Uses)> {
        let referred = self.referred_names();
        let defined = self.by_name.iter().filter_map(|id| self.symbol(*id));
        let defined = defined.map(|symbol| (&*symbol.name, Uses::DEFINES));
        let mut imported: Vec<(&str, Uses)> =
            self.imported().map(|part| (part, Uses::IMPORTS)).collect();
        imported.sort_unstable_by_key(|(name, _)| *name);
        let shapes = self
            .symbols
            .iter()
            .filter_map(|symbol| symbol.shape.as_ref());
        let mut shapes: Vec<(&str, Uses)> =
            shapes.map(|shape| (&*shape.code, Uses::LOOKS)).collect();
        shapes.sort_unstable_by_key(|(code, _)| *code);
        let names = merge_uses(referred, defined).into_iter();
        let names = merge_uses(names, imported.into_iter()).into_iter();
        merge_uses(names, shapes.into_iter())
    }

    /// The names of the modules that the file takes something from, as their files may be called, and of what it takes.
    pub fn imported(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().flat_map(|import| {
            let names = import.names.iter().map(|name| &*name.name);
            self.parts(&import.source).chain(names)
        })
    }

    /// How much is in them.
    pub fn counts(&self) -> Counts {
        Counts {
            symbols: self.symbols.len(),
            references: self.references.len(),
            imports: self.imports.len(),
            errors: self.error_count,
            incomplete: usize::from(self.incomplete.is_some()),
            bytes: self.bytes,
            memory: self.heap_bytes(),
        }
    }

    /// The names that are referred to, sorted, and whether test cases do.
    fn referred_names(&self) -> impl Iterator<Item = (&str, Uses)> {
        let mut referred = vec![Uses::default(); self.names.len()];
        let mut cases = self
            .symbols
            .iter()
            .filter(|symbol| symbol.test_case)
            .map(|symbol| symbol.range)
            .peekable();
        let mut case = None;
        for packed in &self.references {
            let start = packed.start as usize;
            while let Some(next) = cases.next_if(|range| range.start <= start) {
                // Cases may lie in others; what counts is how far they reach.
                case = case.max(Some(next.end));
            }
            if let Some(uses) = referred.get_mut(packed.name.index()) {
                *uses = uses.and(Uses::REFERS);
                if case.is_some_and(|end| start < end) {
                    *uses = uses.and(Uses::TESTS);
                }
            }
        }
        let ids = referred.into_iter().enumerate();
        ids.filter(|(_, uses)| *uses != Uses::default())
            .map(|(index, uses)| (self.names.get(NameId::new(index)), uses))
    }

    /// The parts of a module path as others may name them: without `.`, `..` and endings of files.
    pub(crate) fn parts<'p>(&self, source: &'p str) -> impl Iterator<Item = &'p str> {
        let separator = self.grammar.modules.separator;
        let parts = source.split(separator).flat_map(|part| part.split('/'));
        parts.filter_map(|part| {
            let is_path = matches!(part, "" | "." | "..");
            let file = grammars::for_path(part);
            let part = file.map_or(part, |grammar| grammar.module_name(part));
            (!is_path).then_some(part)
        })
    }

    /// The last part of a module path.
    pub(crate) fn last_part<'p>(&self, source: &'p str) -> &'p str {
        let separator = self.grammar.modules.separator;
        let part = source.rsplit(separator).next().unwrap_or(source);
        part.rsplit('/').next().unwrap_or(part)
    }

    pub(crate) fn packed_in(&self, range: Range) -> &[PackedReference] {
        let place = |offset| {
            self.references
                .partition_point(|packed| (packed.start as usize) < offset)
        };
        let found = self.references.get(place(range.start)..place(range.end));
        found.unwrap_or(&[])
    }

    pub(crate) fn unpack(&self, packed: &PackedReference) -> Reference<'_> {
        let name = self.names.get(packed.name);
        let start = packed.start as usize;
        Reference {
            name,
            range: Range::new(start, start + name.len()),
            role: packed.role,
            member: packed.member,
            qualifier: packed.qualifier.map(|qualifier| self.names.get(qualifier)),
            within: around(&self.symbols, start).map(|index| SymbolId(index as u32)),
        }
    }

    fn name_of(&self, id: SymbolId) -> &str {
        self.symbol(id).map_or("", |symbol| &symbol.name)
    }

    fn path_of(&self, id: SymbolId) -> &str {
        self.symbol(id).map_or("", |symbol| &symbol.path)
    }
}

/// The number of lines by `\n`, `\r\n` and `\r`; a final line break opens one more.
pub(crate) fn count_lines(source: &str) -> usize {
    let bytes = source.as_bytes();
    // By far the most frequent.
    if !bytes.contains(&b'\r') {
        return 1 + count(bytes, b'\n');
    }
    let breaks = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    1 + breaks.count()
}

/// How often a byte is in a text. As many at a time as fit into a register, because sums of so few fit into a byte.
fn count(bytes: &[u8], wanted: u8) -> usize {
    let few = bytes.chunks(usize::from(u8::MAX));
    let counts = few.map(|few| few.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>());
    counts.map(usize::from).sum()
}

/// The name of the owner in the path of what it owns.
pub(crate) fn owner_in(path: &str) -> Option<&str> {
    let (owner, _) = path.rsplit_once('/')?;
    let owner = owner.rsplit_once('/').map_or(owner, |(_, last)| last);
    let owner = owner.rsplit_once('#').map_or(owner, |(name, ordinal)| {
        let is_ordinal = ordinal.bytes().all(|byte| byte.is_ascii_digit());
        if is_ordinal { name } else { owner }
    });
    Some(owner.split_once(" as ").map_or(owner, |(name, _)| name))
}
