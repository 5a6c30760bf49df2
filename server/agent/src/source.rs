use std::sync::Arc;

use gate::Region;
use index::{Facts, Symbol, SymbolId, SymbolKind};
use text::{FilePath, Hash, Range, Text};
use workspace::Snapshot;

use crate::PackError;
use crate::action::{last_name, one_line};

/// The most characters of a header that is shown on one line.
const MAX_SIGNATURE: usize = 300;

/// One file as it was at one moment: its text and the facts of exactly this text.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) file: FilePath,
    pub(crate) text: Text,
    pub(crate) facts: Arc<Facts>,
    /// The lines that the run may change as text, each in the form of a symbol.
    regions: Vec<Symbol>,
}

impl Source {
    /// The file as it is, parsed if nobody has done so yet.
    pub(crate) fn exact(snapshot: &Snapshot, file: &FilePath) -> Result<Source, PackError> {
        let document = snapshot.document(file)?;
        let facts = match document.parsed() {
            Some(parsed) => parsed.facts().clone(),
            None => return Err(PackError::NoGrammar(shown_path(snapshot, file))),
        };
        Ok(Source {
            file: file.clone(),
            text: document.text().clone(),
            facts,
            regions: Vec::new(),
        })
    }

    /// The same with regions to be addressed like symbols.
    pub(crate) fn with_regions(mut self, regions: &[Region]) -> Source {
        self.regions = regions.iter().map(|region| self.lines_of(region)).collect();
        self
    }

    /// The lines that the run may change as text, each in the form of a symbol.
    pub(crate) fn regions(&self) -> &[Symbol] {
        &self.regions
    }

    /// Lines that a name such as `@12-40` stands for in this very text, if it stands for any.
    pub(crate) fn named_lines(&self, name: &str) -> Option<Symbol> {
        Some(self.lines_of(&Region::named(name, &self.text)?))
    }

    fn lines_of(&self, region: &Region) -> Symbol {
        let name: Arc<str> = region.name.as_str().into();
        let start = region.range.start;
        let first = self.text.line_range(self.text.line_of(start));
        Symbol {
            name: name.clone(),
            path: name,
            kind: SymbolKind::Module,
            parent: None,
            range: region.range,
            item: region.range,
            name_range: Range::at(start),
            header: Range::new(start, first.end.min(region.range.end).max(start)),
            body: None,
            doc: None,
            public: false,
            test: false,
            test_case: false,
            metrics: None,
            shape: None,
        }
    }

    /// A file that is nowhere else.
    #[cfg(test)]
    pub(crate) fn parsed(file: &FilePath, text: &Text, facts: &Arc<Facts>) -> Source {
        Source {
            file: file.clone(),
            text: text.clone(),
            facts: facts.clone(),
            regions: Vec::new(),
        }
    }

    /// The file with the facts that the index has, if they are of the text as it is; costs no parse.
    ///
    /// `None` for files that are not in the index: a run reads nothing else.
    pub(crate) fn indexed(snapshot: &Snapshot, file: &FilePath) -> Option<Source> {
        let indexed = snapshot.index().file(file)?;
        let text = snapshot.text(file).ok()?;
        let facts = match snapshot.open_document(file) {
            Some(document) => document.parsed()?.facts().clone(),
            None => indexed,
        };
        (facts.bytes == text.len() && facts.lines == text.lines()).then(|| Source {
            file: file.clone(),
            text,
            facts,
            regions: Vec::new(),
        })
    }

    /// A symbol, or the lines of a region.
    pub(crate) fn symbol(&self, path: &str) -> Option<&Symbol> {
        if Region::is_name(path) {
            return self.regions.iter().find(|region| *region.path == *path);
        }
        self.facts.symbol(self.facts.by_path(path)?)
    }

    pub(crate) fn id(&self, symbol: &Symbol) -> Option<SymbolId> {
        self.facts.by_path(&symbol.path)
    }

    pub(crate) fn hash_of(&self, symbol: &Symbol) -> Hash {
        Hash::of(&self.text.slice(symbol.range))
    }

    /// The symbol's text from the start of its first line, so that its indentation is seen, and with `\n` for whatever
    /// line break the file has, as models write it.
    pub(crate) fn text_of(&self, symbol: &Symbol) -> String {
        let line = self.text.line_start(self.text.line_of(symbol.range.start));
        let mut text = self.text.slice(Range::new(line, symbol.range.start));
        if !text.trim().is_empty() {
            text.clear();
        }
        text.push_str(&self.text.slice(symbol.range));
        if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text
        }
    }

    /// `symbol: PATH · hash: HASH`: what an edit of the symbol must name.
    pub(crate) fn header_of(&self, symbol: &Symbol) -> String {
        format!("symbol: {} · hash: {}", symbol.path, self.hash_of(symbol))
    }

    /// The header and the text.
    pub(crate) fn shown(&self, symbol: &Symbol) -> String {
        format!("{}\n{}", self.header_of(symbol), self.text_of(symbol))
    }

    /// The item up to its body, on one line.
    pub(crate) fn signature(&self, symbol: &Symbol) -> String {
        let header = one_line(&self.text.slice(symbol.header), MAX_SIGNATURE);
        header.trim_end_matches(['{', ' ']).to_owned()
    }

    /// The first line of the documentation that says something, without the marks of a comment.
    pub(crate) fn doc_line(&self, symbol: &Symbol) -> Option<String> {
        let doc = self.text.slice(symbol.doc?);
        let docs = &self.facts.grammar.docs;
        let said = doc.lines().map(|line| {
            let mut line = line.trim();
            for mark in docs.markers.iter().chain(docs.inner_markers).chain([
                &docs.open,
                &docs.line,
                &docs.close,
            ]) {
                let mark = mark.trim();
                if !mark.is_empty() {
                    line = line.strip_prefix(mark).unwrap_or(line).trim_start();
                    line = line.strip_suffix(mark).unwrap_or(line).trim_end();
                }
            }
            line.trim_matches(['*', '"', '\'', ' '])
        });
        let first = said
            .into_iter()
            .find(|line| line.chars().any(char::is_alphanumeric))?;
        Some(one_line(first, 160))
    }

    /// The line that `offset` is on, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.line_of(offset) + 1
    }

    /// What to say when there is no symbol of that path: which ones are meant, perhaps.
    pub(crate) fn no_such(&self, file: &str, path: &str) -> String {
        if path.starts_with('@') {
            let last = self.text.lines();
            return format!(
                "there are no lines `{path}` in {file}; it has {last}, and lines are named as in `@1-{last}`"
            );
        }
        let name = last_name(path);
        let alike = |symbol: &&Symbol| {
            let other = last_name(&symbol.path);
            other == name
                || other.eq_ignore_ascii_case(name)
                || (name.len() > 2 && other.contains(name))
        };
        let near: Vec<String> = self
            .facts
            .symbols
            .iter()
            .filter(alike)
            .take(8)
            .map(|symbol| format!("`{}`", symbol.path))
            .collect();
        if !near.is_empty() {
            return format!(
                "there is no `{path}` in {file}; did you mean {}?",
                near.join(" or ")
            );
        }
        let quoted = |ids: Vec<SymbolId>| {
            let symbols = ids
                .into_iter()
                .filter_map(|id| self.facts.symbol(id))
                .take(24);
            listed(
                &symbols
                    .map(|symbol| format!("`{}`", symbol.path))
                    .collect::<Vec<_>>(),
                "no symbols",
            )
        };
        let container = path
            .rsplit_once('/')
            .and_then(|(container, _)| Some((container, self.facts.by_path(container)?)));
        if let Some((container, id)) = container {
            let inside = quoted(self.facts.children(id).collect());
            return format!("there is no `{path}` in {file}; inside `{container}` are {inside}");
        }
        let roots = quoted(self.facts.roots().collect());
        format!("there is no `{path}` in {file}; at its top level are {roots}")
    }
}

/// `a, b and c`; `none` for nothing.
pub(crate) fn listed(items: &[String], none: &str) -> String {
    match items.split_last() {
        None => none.to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The file as the model is told of it: from its workspace folder, so that nothing of the machine is said.
pub(crate) fn shown_path(snapshot: &Snapshot, file: &FilePath) -> String {
    match snapshot
        .root_of(file)
        .and_then(|root| file.relative_to(root))
    {
        Some(path) => path.to_owned(),
        None => file.file_name().to_owned(),
    }
}
