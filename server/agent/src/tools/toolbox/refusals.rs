/// The same refusal again and again, which ends a run.
///
/// Several in one answer count as one: the model had not been told yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    last: Option<(String, String)>,
    turn: u32,
    in_row: u32,
}

impl Refusals {
    /// The refusal that was met `limit` times in a row, if one was.
    pub(super) fn stuck(&self, limit: u32) -> Option<&str> {
        let (_, message) = self.last.as_ref()?;
        (self.in_row >= limit).then_some(message)
    }

    pub(super) fn note(&mut self, turn: u32, key: String, message: &str) {
        let same = self.last.as_ref().is_some_and(|(last, _)| *last == key);
        if !same {
            self.in_row = 1;
        } else if self.turn != turn {
            self.in_row += 1;
        }
        self.turn = turn;
        self.last = Some((key, message.lines().next().unwrap_or_default().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_counts_once_a_turn() {
        let mut refusals = Refusals::default();
        refusals.note(1, "a".to_owned(), "no");
        refusals.note(1, "a".to_owned(), "no");
        assert_eq!(refusals.in_row, 1);
        refusals.note(2, "a".to_owned(), "no");
        assert_eq!(refusals.in_row, 2);
        refusals.note(2, "b".to_owned(), "no");
        assert_eq!(refusals.in_row, 1);
    }
}
