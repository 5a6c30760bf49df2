//! What stands directly above an item and belongs to it: documentation, attributes, comments.

use grammars::Grammar;
use text::Range;

/// The run of comments and attributes that was passed last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lead {
    /// Where all of it starts.
    start: usize,
    /// Where the part starts that belongs to the next item even across a blank line.
    bound: Option<usize>,
    end: usize,
    /// The documentation in it.
    pub(crate) doc: Option<Range>,
    /// Whether an attribute in it marks a test.
    pub(crate) test: bool,
    depth: u32,
}

/// Follows comments and attributes during the walk.
pub(crate) struct Leads<'s> {
    grammar: &'static Grammar,
    source: &'s str,
    pub(crate) current: Option<Lead>,
}

impl<'s> Leads<'s> {
    pub(crate) fn new(grammar: &'static Grammar, source: &'s str) -> Leads<'s> {
        Leads {
            grammar,
            source,
            current: None,
        }
    }

    /// Whether a node at `depth` ends the run.
    pub(crate) fn is_open_at(&self, depth: u32) -> bool {
        self.current
            .as_ref()
            .is_some_and(|lead| depth <= lead.depth)
    }

    /// Takes in a comment; one that asks for something belongs to what follows, but does not document it.
    pub(crate) fn comment(&mut self, range: Range, depth: u32, asks: bool) {
        let text = self.source.get(range.start..range.end).unwrap_or("");
        let starts_with = |markers: &[&str]| markers.iter().any(|marker| is_marked(text, marker));
        if starts_with(self.grammar.docs.inner_markers) {
            self.current = None;
            return;
        }
        let is_doc = starts_with(self.grammar.docs.markers) && !asks;
        // Where any comment may be documentation, a blank line is what tells whether this one is.
        // Behind something else on its line, it is about that.
        let bound = is_doc
            && !self.grammar.docs.markers.contains(&"")
            && starts_its_line(self.source, range.start);
        let range = Range::new(range.start, range.start + text.trim_end().len());
        self.add(range, depth, bound);
        if let Some(lead) = self.current.as_mut().filter(|_| is_doc) {
            lead.doc = Some(lead.doc.map_or(range, |doc| doc.cover(range)));
        }
    }

    pub(crate) fn attribute(&mut self, range: Range, depth: u32) {
        self.add(range, depth, true);
    }

    /// Takes in documentation that an attribute in the run holds.
    pub(crate) fn document(&mut self, range: Range) {
        if let Some(lead) = &mut self.current {
            lead.doc = Some(range);
        }
    }

    /// Marks the run as that of a test.
    pub(crate) fn mark_test(&mut self) {
        if let Some(lead) = &mut self.current {
            lead.test = true;
        }
    }

    /// Ends the run before a node that starts at `start`, and hands it over if it belongs to that node.
    pub(crate) fn take(&mut self, start: usize, depth: u32) -> Option<Lead> {
        let mut lead = self.current.take().filter(|lead| lead.depth == depth)?;
        if self.blank_line_between(lead.end, start) {
            lead.start = lead.bound?;
        }
        Some(lead)
    }

    /// Goes on with a run that was handed over.
    pub(crate) fn resume(&mut self, lead: Lead) {
        self.current = Some(lead);
    }

    fn add(&mut self, range: Range, depth: u32, bound: bool) {
        let follows = self.current.as_ref().filter(|lead| {
            lead.depth == depth
                && (lead.bound.is_some() || !self.blank_line_between(lead.end, range.start))
        });
        if follows.is_none() && !starts_its_line(self.source, range.start) {
            // It is about what stands before it on the line; an attribute on the line of its item is not.
            if !bound {
                return;
            }
            self.current = None;
        } else if follows.is_none() {
            self.current = None;
        }
        let lead = self.current.get_or_insert(Lead {
            start: range.start,
            bound: None,
            end: range.end,
            doc: None,
            test: false,
            depth,
        });
        lead.end = range.end;
        if bound && lead.bound.is_none() {
            lead.bound = Some(lead.start);
        }
    }

    fn blank_line_between(&self, end: usize, start: usize) -> bool {
        let between = self.source.get(end..start).unwrap_or("");
        between
            .bytes()
            .filter(|byte| *byte == b'\n')
            .nth(1)
            .is_some()
    }
}

impl Lead {
    /// Where what belongs to the item starts.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// The same after a move. None if a place in it is gone.
    pub(crate) fn moved(&self, place: impl Fn(usize) -> Option<usize>) -> Option<Lead> {
        let bound = match self.bound {
            Some(bound) => Some(place(bound)?),
            None => None,
        };
        let doc = match self.doc {
            Some(doc) => Some(Range::new(place(doc.start)?, place(doc.end)?)),
            None => None,
        };
        Some(Lead {
            start: place(self.start)?,
            bound,
            end: place(self.end)?,
            doc,
            ..*self
        })
    }

    /// Where it starts if comments that are no documentation do not count.
    pub(crate) fn bound_start(&self) -> Option<usize> {
        self.bound
    }
}

/// Whether a comment starts with a marker and not with a longer row of its characters, as in `//////`.
fn is_marked(comment: &str, marker: &str) -> bool {
    let Some(rest) = comment.strip_prefix(marker) else {
        return false;
    };
    let (last, next) = (marker.chars().last(), rest.chars().next());
    last.is_none() || next.is_none() || (next != last && next != Some('/'))
}

/// Whether nothing but blanks stands before `start` on its line.
pub(crate) fn starts_its_line(source: &str, start: usize) -> bool {
    let before = source.get(..start).unwrap_or("");
    let before = before.trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with(['\n', '\r'])
}
