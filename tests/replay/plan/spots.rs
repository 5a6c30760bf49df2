//! Where the hunks are: in which symbol, or on which lines.

use index::Symbol;
use text::Range;

use super::Planner;
use super::hunks::Hunk;

/// A place with hunks in it, each to be changed by one way.
pub(super) struct Spot {
    /// The symbol that holds all of the hunks, if one does.
    pub(super) symbol: Option<String>,
    /// Whole lines around the hunks.
    pub(super) lines: Range,
    pub(super) hunks: Vec<Hunk>,
}

impl Planner<'_> {
    /// Hunks by the symbol they lie in, or by their lines; no place inside another.
    pub(super) fn spots(&self, hunks: &[Hunk]) -> Vec<Spot> {
        self.spots_by(hunks, |hunk| self.holder(hunk))
    }

    /// Hunks by their lines.
    pub(super) fn lines(&self, hunks: &[Hunk]) -> Vec<Spot> {
        self.spots_by(hunks, |_| None)
    }

    fn spots_by<'a>(
        &'a self,
        hunks: &[Hunk],
        holder: impl Fn(&Hunk) -> Option<&'a Symbol>,
    ) -> Vec<Spot> {
        let mut spots: Vec<Spot> = Vec::new();
        for hunk in hunks {
            let holder = holder(hunk);
            let lines = match holder {
                Some(symbol) => self.before.full_lines(symbol.range),
                None => self.lines_around(hunk),
            };
            let mut spot = Spot {
                symbol: holder.map(|symbol| symbol.path.to_string()),
                lines,
                hunks: vec![hunk.clone()],
            };
            while let Some(last) = spots.pop_if(|last| last.lines.intersects(spot.lines)) {
                let same = last.symbol == spot.symbol && last.symbol.is_some();
                let outer = if last.lines.contains_range(spot.lines) && last.symbol.is_some() {
                    last.symbol.clone()
                } else if spot.lines.contains_range(last.lines) {
                    spot.symbol.clone()
                } else {
                    None
                };
                let mut hunks = last.hunks;
                hunks.append(&mut spot.hunks);
                spot = Spot {
                    symbol: if same { last.symbol } else { outer },
                    lines: last.lines.cover(spot.lines),
                    hunks,
                };
            }
            spots.push(spot);
        }
        spots
    }

    /// The innermost symbol that has all the lines of a hunk to itself.
    fn holder(&self, hunk: &Hunk) -> Option<&Symbol> {
        let facts = self.old.facts();
        facts
            .symbols
            .iter()
            .filter(|symbol| {
                let lines = self.before.full_lines(symbol.range);
                let inside = if hunk.old.is_empty() {
                    lines.start < hunk.old.start && hunk.old.start < lines.end
                } else {
                    lines.contains_range(hunk.old)
                };
                inside && hunk.old != lines && self.is_alone(symbol.range, lines)
            })
            .min_by_key(|symbol| symbol.range.len())
    }

    fn is_alone(&self, range: Range, lines: Range) -> bool {
        let blank = |range: Range| self.before.slice(range).trim().is_empty();
        blank(Range::new(lines.start, range.start)) && blank(Range::new(range.end, lines.end))
    }

    /// The lines of a hunk; of one that only adds, the line before it.
    fn lines_around(&self, hunk: &Hunk) -> Range {
        let text = &self.before;
        if !hunk.old.is_empty() {
            return text.full_lines(Range::new(hunk.old.start, hunk.old.end.saturating_sub(1)));
        }
        let line = text.line_of(hunk.old.start);
        let line = if text.line_start(line) == hunk.old.start {
            line.saturating_sub(1)
        } else {
            line
        };
        Range::new(text.line_start(line), text.line_start(line + 1))
    }
}
