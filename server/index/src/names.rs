use rustc_hash::FxHashMap;

/// The different names that a file mentions, sorted.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Names {
    text: Box<str>,
    ends: Box<[u32]>,
}

/// The place of a name in [`Names`]: names and their identifiers have the same order.
///
/// Kept as one more than the place, so that an optional one takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct NameId(std::num::NonZeroU32);

impl NameId {
    pub(crate) fn new(index: usize) -> NameId {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        NameId(std::num::NonZeroU32::new(number).unwrap_or(std::num::NonZeroU32::MIN))
    }

    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Names {
    /// Sorted names, one after the other, and where each ends.
    pub(crate) fn of(text: String, ends: Vec<u32>) -> Names {
        Names {
            text: text.into(),
            ends: ends.into(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, id: NameId) -> &str {
        let index = id.index();
        let end = self.ends.get(index).map_or(0, |end| *end as usize);
        let start = match index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
        {
            Some(end) => *end as usize,
            None => 0,
        };
        self.text.get(start..end).unwrap_or("")
    }

    pub(crate) fn find(&self, name: &str) -> Option<NameId> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.get(NameId::new(middle)).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(NameId::new(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<u32>()
    }
}

/// Gives names numbers while a file is read.
#[derive(Default)]
pub(crate) struct Interner<'s> {
    numbers: FxHashMap<&'s str, u32>,
    names: Vec<&'s str>,
}

impl<'s> Interner<'s> {
    pub(crate) fn number(&mut self, name: &'s str) -> u32 {
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() as u32 - 1
        })
    }

    /// How many different names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    fn get(&self, number: u32) -> &'s str {
        self.names.get(number as usize).copied().unwrap_or("")
    }

    /// The numbered names that `keep` holds for, sorted, and what has become of each number.
    pub(crate) fn finish(&self, keep: &[bool]) -> (Names, Vec<Option<NameId>>) {
        let kept = |number: &usize| keep.get(*number).copied().unwrap_or(false);
        let mut order: Vec<usize> = (0..self.names.len()).filter(kept).collect();
        order.sort_unstable_by_key(|number| self.get(*number as u32));
        let mut text = String::new();
        let mut ends = Vec::with_capacity(order.len());
        let mut places = vec![None; self.names.len()];
        for (place, number) in order.into_iter().enumerate() {
            text.push_str(self.get(number as u32));
            ends.push(text.len() as u32);
            if let Some(slot) = places.get_mut(number) {
                *slot = Some(NameId::new(place));
            }
        }
        let names = Names {
            text: text.into(),
            ends: ends.into(),
        };
        (names, places)
    }
}
