/// The words of a language that nobody can call anything by.
pub(crate) struct Keywords {
    /// Sorted.
    words: Box<[Box<str>]>,
    /// For each first byte a bit for each length that there is: hardly any other word gets past that.
    lengths: [u32; 256],
}

impl Keywords {
    pub(crate) fn of<'w>(words: impl Iterator<Item = &'w str>) -> Keywords {
        let mut words: Vec<Box<str>> = words.map(Box::from).collect();
        words.sort_unstable();
        words.dedup();
        let mut lengths = [0; 256];
        for word in &words {
            if let Some(first) = word.bytes().next() {
                lengths[usize::from(first)] |= length_bit(word);
            }
        }
        Keywords {
            words: words.into(),
            lengths,
        }
    }

    pub(crate) fn contains(&self, word: &str) -> bool {
        let Some(first) = word.bytes().next() else {
            return false;
        };
        self.lengths[usize::from(first)] & length_bit(word) != 0
            && self
                .words
                .binary_search_by(|known| (**known).cmp(word))
                .is_ok()
    }
}

fn length_bit(word: &str) -> u32 {
    1 << word.len().min(31)
}
