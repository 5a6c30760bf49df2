//! Code inside of a text of another language, as a query tells it: scripts and styles in a page.

use std::ops::Range;

use tree_sitter::{Language, Node, Query, QueryCursor, StreamingIterator};

use crate::Grammar;

/// Where code of other languages stands in the texts of one.
pub(crate) struct Embedded {
    query: Query,
    /// By capture: the language of the code, none for what is no code.
    languages: Vec<Option<&'static Grammar>>,
    /// The captures that mark code or say that there is none.
    marks: Vec<bool>,
}

impl Embedded {
    /// Reads a query; captures are `@embedded.<language>`, or `@embedded` for what is left alone.
    /// The error is a sentence that says what is wrong with it.
    pub(crate) fn new(language: &Language, source: &str) -> Result<Embedded, String> {
        let query = Query::new(language, source).map_err(|error| error.to_string())?;
        let names = query.capture_names();
        let mut languages = Vec::new();
        for name in names {
            languages.push(match name.strip_prefix("embedded.") {
                Some(language) => Some(
                    crate::by_name(language)
                        .ok_or_else(|| format!("@{name}: there is no such language"))?,
                ),
                None => None,
            });
        }
        let marks = names.iter().map(|name| name.starts_with("embedded"));
        Ok(Embedded {
            marks: marks.collect(),
            languages,
            query,
        })
    }

    /// The pieces of code below a node, by place. Of several patterns that fit one piece, the first counts.
    pub(crate) fn regions(
        &self,
        source: &str,
        root: Node<'_>,
    ) -> Vec<(Range<usize>, &'static Grammar)> {
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(&self.query, root, source.as_bytes());
        let mut found = Vec::new();
        while let Some(matched) = matches.next() {
            for capture in matched.captures() {
                let index = capture.index as usize;
                if self.marks.get(index).copied().unwrap_or(false) {
                    let language = self.languages.get(index).copied().flatten();
                    let range = capture.node.byte_range();
                    found.push((range.start, range.end, matched.pattern_index, language));
                }
            }
        }
        found.sort_by_key(|(start, end, pattern, _)| (*start, *end, *pattern));
        found.dedup_by_key(|(start, end, ..)| (*start, *end));
        let code = found
            .into_iter()
            .filter_map(|(start, end, _, language)| Some((start..end, language?)));
        code.collect()
    }
}
