use serde::{Deserialize, Serialize};

/// A half-open span of bytes, `start <= end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Range {
    /// The first byte inside.
    pub start: usize,
    /// The first byte after.
    pub end: usize,
}

impl Range {
    /// The span between two offsets; given the wrong way round, they are swapped.
    pub fn new(a: usize, b: usize) -> Range {
        Range {
            start: a.min(b),
            end: a.max(b),
        }
    }

    /// The empty span at `offset`.
    pub fn at(offset: usize) -> Range {
        Range {
            start: offset,
            end: offset,
        }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it spans nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the byte at `offset` is inside.
    pub fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    /// Whether a cursor at `offset` is inside or at either edge.
    pub fn touches(self, offset: usize) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Whether all of `other` is inside; an empty range at either edge is.
    pub fn contains_range(self, other: Range) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share a byte.
    pub fn intersects(self, other: Range) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether the two share a byte or an edge.
    pub fn meets(self, other: Range) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The smallest range that contains both.
    pub fn cover(self, other: Range) -> Range {
        Range {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

impl From<std::ops::Range<usize>> for Range {
    fn from(range: std::ops::Range<usize>) -> Range {
        Range::new(range.start, range.end)
    }
}
