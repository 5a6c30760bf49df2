//! Import statements, read during the walk.

use std::sync::Arc;

use grammars::{Capture, Grammar};
use text::Range;
use tree_sitter::Node;

use crate::facts::{Import, ImportKind, ImportedName};

/// Reads import statements as the walk passes them.
pub(crate) struct Imports<'s> {
    grammar: &'static Grammar,
    source: &'s str,
    statement: Option<Statement>,
    /// What surrounding code makes of imports.
    pub(crate) kind: ImportKind,
    pub(crate) done: Vec<Import>,
    pub(crate) runs: Vec<Run>,
    pub(crate) in_run: bool,
}

struct Statement {
    range: Range,
    source: Option<String>,
    prefixes: Vec<String>,
    entries: Vec<Entry>,
    alias: Option<String>,
    wildcard: bool,
    reexport: bool,
    kind: ImportKind,
}

struct Entry {
    range: Range,
    what: What,
    alias: Option<String>,
}

#[derive(PartialEq)]
enum What {
    Module(String),
    Name(String),
    Path(String),
    All(String),
}

/// Statements at the top level with nothing between them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Run {
    pub(crate) range: Range,
    pub(crate) statements: usize,
}

impl<'s> Imports<'s> {
    pub(crate) fn new(grammar: &'static Grammar, source: &'s str) -> Imports<'s> {
        Imports {
            grammar,
            source,
            statement: None,
            kind: ImportKind::Load,
            done: Vec::new(),
            runs: Vec::new(),
            in_run: false,
        }
    }

    /// Whether the walk is inside a statement.
    pub(crate) fn is_open(&self) -> bool {
        self.statement.is_some()
    }

    /// Starts a statement, unless it is part of one.
    pub(crate) fn open(&mut self, range: Range) -> bool {
        if self.is_open() {
            return false;
        }
        self.statement = Some(Statement {
            range,
            source: None,
            prefixes: Vec::new(),
            entries: Vec::new(),
            alias: None,
            wildcard: false,
            reexport: false,
            kind: self.kind,
        });
        true
    }

    /// Takes in an item at the top level of the file: a statement, or the end of a run of them.
    pub(crate) fn top_level(&mut self, is_import: bool) {
        let Some(statement) = self.statement.as_ref().filter(|_| is_import) else {
            self.in_run = false;
            return;
        };
        match self.runs.last_mut().filter(|_| self.in_run) {
            Some(run) => {
                run.range = run.range.cover(statement.range);
                run.statements += 1;
            }
            None => self.runs.push(Run {
                range: statement.range,
                statements: 1,
            }),
        }
        self.in_run = true;
    }

    /// The kind of imports from here on; gives back the one until here.
    pub(crate) fn set_kind(&mut self, kind: ImportKind) -> ImportKind {
        std::mem::replace(&mut self.kind, kind)
    }

    /// Takes in one match inside a statement.
    pub(crate) fn read(&mut self, captures: &[(Capture, Node<'_>)]) {
        let Some(statement) = &mut self.statement else {
            return;
        };
        let known = statement.entries.len();
        let mut alias = None;
        for (capture, node) in captures {
            let range = Range::from(node.byte_range());
            let text = || clean(self.source.get(node.byte_range()).unwrap_or(""));
            let what = match capture {
                Capture::ImportModule => What::Module(text()),
                Capture::ImportName => What::Name(text()),
                Capture::ImportPath => What::Path(text()),
                Capture::ImportDefault => {
                    alias = Some(text());
                    What::Name("default".to_owned())
                }
                Capture::ImportWildcard => {
                    let text = text();
                    let path = text.strip_suffix('*').unwrap_or("");
                    let path = path.trim_end_matches(self.grammar.modules.separator);
                    if path.is_empty() && statement.prefixes.is_empty() {
                        statement.wildcard = true;
                        continue;
                    }
                    What::All(path.to_owned())
                }
                Capture::ImportSource => {
                    statement.source = Some(text());
                    continue;
                }
                Capture::ImportReexport => {
                    statement.reexport = true;
                    continue;
                }
                Capture::ImportType => {
                    statement.kind = ImportKind::Type;
                    continue;
                }
                Capture::ImportGuarded => {
                    statement.kind = ImportKind::Guarded;
                    continue;
                }
                Capture::ImportDynamic => {
                    statement.kind = ImportKind::Dynamic;
                    continue;
                }
                Capture::ImportAlias => {
                    match statement.entries.get_mut(known..).and_then(<[_]>::last_mut) {
                        Some(entry) if entry.alias.is_none() => entry.alias = Some(text()),
                        _ => alias = Some(text()),
                    }
                    continue;
                }
                _ => continue,
            };
            let what = match what {
                What::Path(path) => What::Path(prefixed(&statement.prefixes, path, self.grammar)),
                What::All(path) => What::All(prefixed(&statement.prefixes, path, self.grammar)),
                other => other,
            };
            statement.entries.push(Entry {
                range,
                what,
                alias: alias.take(),
            });
        }
        statement.alias = alias.or(statement.alias.take());
    }

    pub(crate) fn open_prefix(&mut self, node: Node<'_>) -> bool {
        let Some(statement) = &mut self.statement else {
            return false;
        };
        let text = clean(self.source.get(node.byte_range()).unwrap_or(""));
        let prefix = prefixed(&statement.prefixes, text, self.grammar);
        statement.prefixes.push(prefix);
        true
    }

    pub(crate) fn close_prefix(&mut self) {
        if let Some(statement) = &mut self.statement {
            statement.prefixes.pop();
        }
    }

    pub(crate) fn close(&mut self) {
        if let Some(statement) = self.statement.take() {
            statement.finish(self.grammar, &mut self.done);
        }
    }

    /// The run that the next statement would belong to.
    pub(crate) fn run(&self) -> Option<Run> {
        self.runs.last().filter(|_| self.in_run).copied()
    }
}

/// The block of imports: the longest of all runs.
pub(crate) fn block(runs: &[Run]) -> Option<Range> {
    let longest = runs.iter().rev().max_by_key(|run| run.statements);
    longest.map(|run| run.range)
}

impl Statement {
    fn finish(mut self, grammar: &Grammar, done: &mut Vec<Import>) {
        self.entries
            .sort_by_key(|entry| (entry.range, entry.alias.is_none()));
        self.entries
            .dedup_by(|a, b| a.range == b.range && a.what == b.what);
        if self.wildcard {
            // `import a.*` takes what is in `a`, and not an `a` out of what is before it.
            let whole = self.source.clone().map(What::Path);
            self.entries
                .retain(|entry| Some(&entry.what) != whole.as_ref());
        }
        let modules = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.what, What::Module(_)))
            .count();
        let (range, reexport, kind) = (self.range, self.reexport, self.kind);
        let import = |source: &str| Import {
            range,
            source: source.into(),
            names: Vec::new(),
            alias: None,
            wildcard: false,
            reexport,
            kind,
            within: None,
        };
        let first = done.len();
        let mut own = self.source.as_deref().map(|source| Import {
            alias: self.alias.as_deref().map(Arc::from),
            wildcard: self.wildcard,
            ..import(source)
        });
        for entry in self.entries {
            let alias = entry.alias.as_deref().map(Arc::from);
            match entry.what {
                What::Module(module) => done.push(Import {
                    range: if modules > 1 { entry.range } else { range },
                    alias,
                    ..import(&module)
                }),
                What::Name(name) => {
                    if let Some(own) = &mut own {
                        let name = name.into();
                        own.names.push(ImportedName { name, alias });
                    }
                }
                What::Path(path) => match split_path(&path, grammar.modules.separator) {
                    Some((source, name)) => {
                        let target = same_source(done, first, source, &import);
                        let name = name.into();
                        target.names.push(ImportedName { name, alias });
                    }
                    None => done.push(Import {
                        alias,
                        ..import(&path)
                    }),
                },
                What::All(path) => same_source(done, first, &path, &import).wildcard = true,
            }
        }
        done.extend(own);
    }
}

/// The import from `source` among the latest since `first`, or a fresh one.
fn same_source<'d>(
    done: &'d mut Vec<Import>,
    first: usize,
    source: &str,
    import: &impl Fn(&str) -> Import,
) -> &'d mut Import {
    // Sources alternate a few at a time; a longer look would make huge statements slow.
    let latest = first.max(done.len().saturating_sub(16));
    let mut since = done.iter().skip(latest);
    let place = since.position(|import| *import.source == *source);
    let place = place.map_or(done.len(), |place| latest + place);
    if place == done.len() {
        done.push(import(source));
    }
    &mut done[place]
}

fn split_path<'p>(path: &'p str, separator: &str) -> Option<(&'p str, &'p str)> {
    let (source, name) = path.rsplit_once(separator)?;
    (!source.is_empty()).then_some((source, name))
}

fn prefixed(prefixes: &[String], path: String, grammar: &Grammar) -> String {
    match prefixes.last() {
        Some(prefix) if path.is_empty() => prefix.clone(),
        Some(prefix) => format!("{prefix}{}{path}", grammar.modules.separator),
        None => path,
    }
}

/// A path or name without quotes, angle brackets and blanks.
fn clean(text: &str) -> String {
    let text = crate::symbols::unquoted(text.trim());
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
    let text = inner.unwrap_or(text);
    if text.contains(char::is_whitespace) {
        return text.split_whitespace().collect();
    }
    text.to_owned()
}
