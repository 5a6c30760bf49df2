//! Lines that a new text has in common with the old one keep their bytes: their line break, and blanks at their end.

/// More pairs of lines than this are not compared.
const MAX_PAIRS: usize = 4_000_000;

/// `new` with each line that `stood` has as well, as far as `seen` can tell, written as it stands there.
///
/// Texts of models know one kind of line break and seldom repeat blanks at the end of a line. Where a file mixes them,
/// lines that an edit only passes over would change with it.
pub(crate) fn with_lines_of(stood: &str, new: &str, seen: fn(&str) -> &str) -> String {
    let (old, new) = (split(stood), split(new));
    let same = |a: &Line<'_>, b: &Line<'_>| seen(a.text) == seen(b.text);
    let partners = partners(&old, &new, same);
    // For each line, the first old one that belongs to a later line.
    let mut limits: Vec<usize> = Vec::with_capacity(new.len());
    let mut limit = old.len();
    for partner in partners.iter().rev() {
        limit = partner.unwrap_or(limit);
        limits.push(limit);
    }
    let mut made = String::new();
    let mut next = 0;
    for ((line, partner), limit) in new.iter().zip(&partners).zip(limits.iter().rev()) {
        // A line that changes, as against one that comes, keeps its break as well.
        let stood = partner.unwrap_or(next);
        let changes = partner.is_some() || stood < *limit;
        let stood = old.get(stood).filter(|_| changes);
        if changes {
            next = partner.unwrap_or(next) + 1;
        }
        made.push_str(match stood {
            Some(old) if partner.is_some() => old.text,
            _ => line.text,
        });
        made.push_str(match stood {
            Some(old) if !old.end.is_empty() && !line.end.is_empty() => old.end,
            _ => line.end,
        });
    }
    made
}

struct Line<'t> {
    text: &'t str,
    /// Its line break; empty for the last line of a text that ends without one.
    end: &'t str,
}

fn split(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let length = if after.starts_with("\r\n") {
            2
        } else {
            usize::from(!after.is_empty())
        };
        let (end, after) = after.split_at(length);
        lines.push(Line { text: line, end });
        rest = after;
    }
    lines
}

/// For each line of `new`, the line of `old` that it is: a longest common subsequence.
fn partners<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Option<usize>> {
    let mut partners = vec![None; new.len()];
    let alike = |(a, b): &(&T, &T)| same(a, b);
    let top = old.iter().zip(new).take_while(alike).count();
    let (old_rest, new_rest) = (&old[top..], &new[top..]);
    let reversed = old_rest.iter().rev().zip(new_rest.iter().rev());
    let bottom = reversed.take_while(alike).count();
    for (at, partner) in partners.iter_mut().enumerate() {
        if at < top {
            *partner = Some(at);
        } else if at >= new.len() - bottom {
            *partner = Some(at + old.len() - new.len());
        }
    }
    let old_middle = &old_rest[..old_rest.len() - bottom];
    let new_middle = &new_rest[..new_rest.len() - bottom];
    let (rows, columns) = (old_middle.len() + 1, new_middle.len() + 1);
    if rows.saturating_mul(columns) > MAX_PAIRS {
        return partners;
    }
    // How many lines the rests from here on have in common.
    let mut common = vec![0_u32; rows * columns];
    for (row, a) in old_middle.iter().enumerate().rev() {
        for (column, b) in new_middle.iter().enumerate().rev() {
            let at = row * columns + column;
            common[at] = if same(a, b) {
                common[at + columns + 1] + 1
            } else {
                common[at + columns].max(common[at + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while let (Some(a), Some(b)) = (old_middle.get(row), new_middle.get(column)) {
        let at = row * columns + column;
        if same(a, b) {
            partners[top + column] = Some(top + row);
            (row, column) = (row + 1, column + 1);
        } else if common[at + columns] >= common[at + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    partners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_keep_their_bytes() {
        let exactly = |stood, new| with_lines_of(stood, new, |line| line);
        assert_eq!(exactly("a\r\nb\nc\r", "a\nx\nc\n"), "a\r\nx\nc\r");
        assert_eq!(exactly("a\rb\r\nc\r", "a\rx\rc\r"), "a\rx\r\nc\r");
        assert_eq!(exactly("a\rb\r\nc\r", "a\rx\ry\rc\r"), "a\rx\r\ny\rc\r");
        assert_eq!(exactly("a\r\nb", "b\na\nb"), "b\na\r\nb");
        assert_eq!(exactly("a", "a\nb"), "a\nb");
        assert_eq!(exactly("a\r\nb\r\n", "a"), "a");
        assert_eq!(exactly("", "a\n"), "a\n");
        assert_eq!(exactly("a\n", ""), "");
        assert_eq!(
            with_lines_of("a  \nb\t\n", "a\nc\nb\n", str::trim_end),
            "a  \nc\nb\t\n"
        );
        assert_eq!(exactly("a  \n", "a\n"), "a\n");
    }
}
