//! Language knowledge as data: a folder per language.
//!
//! A folder holds `language.toml` (names, comments, tests, paths), queries in tree-sitter's language, and fixtures.
//! `build.rs` turns the folders into the registry, so that adding a language changes nothing but this folder.
//!
//! No other room names a language.

mod asks;
mod capture;
mod children;
mod embedded;
mod glob;
mod keywords;
mod pattern;
mod rules;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use capture::{Capture, Metric, Role, Scent, Smell, SymbolKind};
pub use children::Child;
use embedded::Embedded;
use keywords::Keywords;
pub use rules::{Entry, Rules, Scratch};
use tree_sitter::{Language, Node};
use tree_sitter_language::LanguageFn;

/// Every language, by name.
pub fn all() -> &'static [Grammar] {
    &REGISTRY
}

/// The language of that name, or of that identifier in the protocol.
pub fn by_name(name: &str) -> Option<&'static Grammar> {
    all()
        .iter()
        .find(|grammar| grammar.name == name || grammar.language_ids.contains(&name))
}

/// The language of a file, by its whole name or else by its longest known extension. A few look-ups in tables.
pub fn for_path(path: &str) -> Option<&'static Grammar> {
    let by_name = BY_NAME.get_or_init(|| table(|grammar| grammar.file_names));
    let by_extension = BY_EXTENSION.get_or_init(|| table(|grammar| grammar.extensions));
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if let Some(grammar) = by_name.get(name) {
        return Some(grammar);
    }
    let dots = name.match_indices('.').filter(|(at, _)| *at > 0);
    let mut extensions = dots.filter_map(|(at, _)| name.get(at + 1..));
    extensions.find_map(|extension| by_extension.get(extension).copied())
}

static BY_NAME: OnceLock<Table> = OnceLock::new();
static BY_EXTENSION: OnceLock<Table> = OnceLock::new();

type Table = HashMap<&'static str, &'static Grammar>;

fn table(keys: fn(&'static Grammar) -> &'static [&'static str]) -> Table {
    let pairs = all()
        .iter()
        .flat_map(|grammar| keys(grammar).iter().map(move |key| (*key, grammar)));
    pairs.collect()
}

/// What we know about a language.
pub struct Grammar {
    /// The name of its folder, such as `go`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Whose rules say what an import means; several languages may share one.
    pub ecosystem: &'static str,
    /// What file names end in, without the dot.
    pub extensions: &'static [&'static str],
    /// File names that say it all.
    pub file_names: &'static [&'static str],
    /// What the protocol calls it, if not by `name`.
    pub language_ids: &'static [&'static str],
    /// Words that stand for the type, or the value, a method belongs to.
    pub self_names: &'static [&'static str],
    /// What may stand before a name and is not part of it, the longest first.
    pub sigils: &'static [&'static str],
    /// What stands between the parts of a name of which only the last one counts.
    pub name_separator: Option<&'static str>,
    /// Whether a bare name may mean a member of the type that the code belongs to.
    pub implicit_self: bool,
    /// Names that every file knows; nobody asks where they are used.
    pub builtins: &'static [&'static str],
    /// Patterns of files that nobody writes by hand, such as lock files.
    pub protected: &'static [&'static str],
    /// The actions that make sense on its data, by their names; all of them do on code.
    pub data_actions: &'static [&'static str],
    /// Which of its files are worth reading.
    pub reading: Reading,
    /// What starts a comment that goes on to the end of the line.
    pub line_comment: &'static str,
    /// What opens and closes a comment of any length.
    pub block_comment: Option<(&'static str, &'static str)>,
    /// One step of indentation.
    pub indent: &'static str,
    /// Where documentation stands and what it looks like.
    pub docs: Docs,
    /// What is visible outside the file or the package.
    pub visibility: Visibility,
    /// Whether a capital letter tells a constant in a pattern from a name that the pattern binds.
    pub lower_case_locals: bool,
    /// How files make modules.
    pub modules: Modules,
    /// What tests look like.
    pub tests: Tests,
    /// What follows the three backticks of a Markdown code block.
    pub fence: &'static str,
    /// The signs that stand around texts.
    pub quotes: &'static str,
    /// Texts that say that a query asks for many things at once.
    pub batched: &'static [&'static str],
    /// What is done in one way in one repository and in another way in the next.
    pub customs: Customs,
    queries: &'static [(&'static str, &'static str)],
    smell_queries: &'static [(&'static str, &'static str)],
    embedding: Option<&'static str>,
    parser: LanguageFn,
    language: OnceLock<Language>,
    embedded: OnceLock<Result<Embedded, String>>,
    rules: OnceLock<Result<Rules, String>>,
    smells: OnceLock<Result<Rules, String>>,
    keywords: OnceLock<Keywords>,
}

/// Calls by which a repository shows how it does things: `name`, `qualifier.name`, or `*.name` for a part of any value;
/// `*` stands for anything at the start or the end of a word.
#[derive(Debug)]
pub struct Customs {
    /// Those that log.
    pub logs: &'static [&'static str],
    /// Those that print for whoever happens to look.
    pub prints: &'static [&'static str],
    /// Those that make an error which callers can tell from others.
    pub errors: &'static [&'static str],
    /// Those that make one which they cannot.
    pub bare_errors: &'static [&'static str],
}

/// Which files of a language are worth reading, apart from what holds for all.
#[derive(Debug)]
pub struct Reading {
    /// Patterns of the names of files that a program keeps for itself, such as lock files.
    pub never: &'static [&'static str],
    /// The size of the largest that people write, in bytes; what is larger is data.
    pub max_bytes: usize,
    /// Whether people write long lines in it, so that these do not tell what is minified.
    pub long_lines: bool,
    /// The most columns that what nests may start at: the parser counts levels of indentation and has room for some.
    pub max_indent: usize,
    /// Whether text far behind an item has a say in how the parser reads it, so that no part can be read by itself.
    pub ambiguous: bool,
    /// Kinds of nodes that the parser takes for there when nothing is written, where the language wants something.
    pub filled: &'static [&'static str],
}

impl Reading {
    /// Whether a file of that name, without its folder, is one that nobody reads.
    pub fn is_never(&self, name: &str) -> bool {
        self.never
            .iter()
            .any(|pattern| glob::fits_component(pattern, name))
    }

    /// Whether a text is indented deeper than the parser can count, by blanks or by marks of lists on one line.
    pub fn is_too_deep(&self, source: &str) -> bool {
        let indents = |byte: &u8| matches!(byte, b' ' | b'\t' | b'-' | b'?' | b':');
        self.max_indent < source.len()
            && source.lines().any(|line| {
                let mark = line.bytes().take_while(|byte| indents(byte));
                line.len() > self.max_indent && mark.count() > self.max_indent
            })
    }
}

/// Where documentation stands and what it looks like.
#[derive(Debug)]
pub struct Docs {
    /// Whether it stands inside what it documents, at the start of the body, rather than before it.
    pub inside: bool,
    /// What a comment starts with that documents what follows. An empty one means every comment.
    pub markers: &'static [&'static str],
    /// What a comment starts with that documents what it is in.
    pub inner_markers: &'static [&'static str],
    /// The line, if any, that opens a written piece of documentation.
    pub open: &'static str,
    /// What each line of it starts with.
    pub line: &'static str,
    /// The line, if any, that closes it.
    pub close: &'static str,
    /// One sentence for whoever writes it.
    pub hint: &'static str,
}

/// When symbols are visible outside.
#[derive(Debug)]
pub struct Visibility {
    /// Of a file.
    pub items: Visible,
    /// Of a type.
    pub members: Visible,
}

/// A rule for what is visible outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// What is marked as public.
    Marked,
    /// What is not marked as private.
    Open,
    /// What has a name that starts with a capital letter.
    Capital,
    /// What has a name that does not start with an underscore, or that starts and ends with two.
    Underscore,
}

impl Visible {
    /// Whether a symbol without any mark is visible under this rule, going by its name.
    pub fn unmarked(self, name: &str) -> bool {
        match self {
            Visible::Marked => false,
            Visible::Open => true,
            Visible::Capital => name.chars().next().is_some_and(char::is_uppercase),
            Visible::Underscore => {
                !name.starts_with('_') || (name.starts_with("__") && name.ends_with("__"))
            }
        }
    }
}

/// How files make modules.
#[derive(Debug)]
pub struct Modules {
    /// What stands between the parts of a module path.
    pub separator: &'static str,
    /// Whether all files of a folder make one module together.
    pub unit_is_folder: bool,
    /// Words in a path that stand for a place relative to the file.
    pub relative: &'static [&'static str],
    /// Files that stand for their folder.
    pub index_files: &'static [&'static str],
    /// What the path in an import leaves out of the file's name, in the order of precedence.
    pub endings: &'static [&'static str],
    /// Folders in a folder around a file that paths in its imports start in as well.
    pub roots: &'static [&'static str],
    /// Packages that come with the language.
    pub standard: &'static [&'static str],
    /// Endings of what is built, as an import may name them, and of the sources they are built from.
    pub built: &'static [(&'static str, &'static [&'static str])],
    /// How the path in an import leads to a file.
    pub resolution: Resolution,
    /// Whether importing a file runs it, so that a cycle of imports has an order that may be the wrong one.
    pub run_on_import: bool,
    /// Whether an import is gone from the program if all its names are used as types only.
    pub drop_type_imports: bool,
}

/// How the path in an import leads to a file of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody has said.
    None,
    /// By a dotted name below one of several roots; leading dots start at the file's own package.
    DottedName,
    /// By a relative path, an alias of the compiler's configuration, or the name of a package of the workspace.
    Specifier,
    /// Down a tree of modules that starts at the root file of a crate.
    ModuleTree,
    /// By the path of a folder below the path that a module file gives its own folder.
    PackagePath,
    /// By the path of a file, from the folder of the file or from folders that the build knows.
    IncludePath,
    /// By the dotted name of a type that has a file of its name; what is in the same folder needs no import.
    TypePath,
    /// By a path, with slashes or the separator: from the file's own folder, from a folder around it or a root in one, or
    /// else from wherever there is only one such file.
    Path,
    /// By the name of a package that files declare, wherever they lie, and of what is in it.
    DeclaredPackage,
}

impl Resolution {
    /// Whether files of the language lead to others at all, or can be led to.
    pub fn is_known(self) -> bool {
        self != Resolution::None
    }
}

/// What tests look like.
#[derive(Debug)]
pub struct Tests {
    /// Patterns of the names of functions that are tests.
    pub functions: &'static [&'static str],
    /// Patterns of the names of types that hold tests.
    pub types: &'static [&'static str],
    /// Patterns of the paths of files that hold nothing but tests.
    pub paths: &'static [&'static str],
    /// One sentence for whoever writes one.
    pub hint: &'static str,
}

impl Tests {
    /// Whether a function or a type of that name is a test, going by the name alone.
    pub fn named(&self, kind: SymbolKind, name: &str) -> bool {
        let patterns = match kind {
            SymbolKind::Function | SymbolKind::Method => self.functions,
            SymbolKind::Class | SymbolKind::Struct => self.types,
            _ => return false,
        };
        patterns
            .iter()
            .any(|pattern| glob::fits_component(pattern, name))
    }
}

impl Grammar {
    /// The parser's tables.
    pub fn language(&self) -> &Language {
        self.language.get_or_init(|| Language::new(self.parser))
    }

    /// Whether an action of that name makes sense on a symbol of that kind, as far as it depends on the language.
    pub fn allows(&self, action: &str, kind: SymbolKind) -> bool {
        !kind.is_data() || self.data_actions.contains(&action)
    }

    /// The queries, ready to use. If one is broken they are silent, and [`Grammar::problem`] says why.
    pub fn rules(&self) -> &Rules {
        static SILENT: OnceLock<Rules> = OnceLock::new();
        match self.compiled() {
            Ok(rules) => rules,
            Err(_) => SILENT.get_or_init(Rules::silent),
        }
    }

    /// Whether a word is a part of the language, so that nobody can call anything by it everywhere. O(1).
    pub fn is_keyword(&self, word: &str) -> bool {
        let read = || {
            let language = self.language();
            let kinds = 0..u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
            let signs = kinds.filter(|kind| !language.node_kind_is_named(*kind));
            let texts = signs.filter_map(|kind| language.node_kind_for_id(kind));
            Keywords::of(texts.filter(|text| text.starts_with(char::is_alphabetic)))
        };
        self.keywords.get_or_init(read).contains(word)
    }

    /// The queries about smells, ready to use; silent if there are none or one is broken.
    pub fn smells(&self) -> &Rules {
        static SILENT: OnceLock<Rules> = OnceLock::new();
        match self.compiled_smells() {
            Ok(rules) => rules,
            Err(_) => SILENT.get_or_init(Rules::silent),
        }
    }

    /// What is wrong with the queries, if anything.
    pub fn problem(&self) -> Option<&str> {
        let problem = self.compiled().as_ref().err();
        let problem = problem.or_else(|| self.compiled_smells().as_ref().err());
        let embedded = self.compiled_embedded();
        let embedded = embedded.and_then(|embedded| embedded.as_ref().err());
        problem.or(embedded).map(String::as_str)
    }

    /// The pieces of code in a text that are in other languages, by place; `root` is the root of its tree.
    pub fn embedded(
        &self,
        source: &str,
        root: Node<'_>,
    ) -> Vec<(std::ops::Range<usize>, &'static Grammar)> {
        match self.compiled_embedded() {
            Some(Ok(embedded)) => embedded.regions(source, root),
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// The query that tells code of other languages, as written.
    pub fn embedding(&self) -> Option<&'static str> {
        self.embedding
    }

    /// The queries as written, bases first, each with its file.
    pub fn queries(&self) -> &'static [(&'static str, &'static str)] {
        self.queries
    }

    /// Whether a file holds nothing but tests, going by its path from the root of the workspace.
    pub fn is_test_path(&self, path: &str) -> bool {
        self.tests
            .paths
            .iter()
            .any(|pattern| glob::fits(pattern, path))
    }

    /// Whether nobody should edit a file by hand, going by its path from the root of the workspace.
    pub fn is_protected_path(&self, path: &str) -> bool {
        self.protected
            .iter()
            .any(|pattern| glob::fits(pattern, path))
    }

    /// The name by which other files import the file at `path`: that of the file, or of its folder.
    pub fn module_name<'p>(&self, path: &'p str) -> &'p str {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stands_for_folder =
            self.modules.unit_is_folder || self.modules.index_files.contains(&file);
        if stands_for_folder && !folder.is_empty() {
            return folder.rsplit('/').next().unwrap_or(folder);
        }
        let extension = self
            .extensions
            .iter()
            .filter_map(|extension| file.strip_suffix(extension)?.strip_suffix('.'))
            .min_by_key(|stem| stem.len());
        extension.unwrap_or(file)
    }

    fn compiled_smells(&self) -> &Result<Rules, String> {
        self.smells
            .get_or_init(|| Rules::new(self.language(), self.smell_queries))
    }

    fn compiled_embedded(&self) -> Option<&Result<Embedded, String>> {
        let source = self.embedding?;
        let read = || Embedded::new(self.language(), source);
        Some(self.embedded.get_or_init(read))
    }

    fn compiled(&self) -> &Result<Rules, String> {
        self.rules
            .get_or_init(|| Rules::new(self.language(), self.queries))
    }
}

impl PartialEq for Grammar {
    fn eq(&self, other: &Grammar) -> bool {
        self.name == other.name
    }
}

impl Eq for Grammar {}

impl std::fmt::Debug for Grammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Grammar").field(&self.name).finish()
    }
}

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
