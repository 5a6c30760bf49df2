use std::hash::Hasher as _;

use rustc_hash::FxHasher;

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
///
/// Numbers stay what they are, so that the next reading of the same file can go on with them.
#[derive(Clone, Default, Debug)]
pub(crate) struct Interner {
    text: String,
    ends: Vec<u32>,
    /// A table with open addressing: the upper half of the hash, and one more than the number.
    slots: Vec<u64>,
    /// The numbers in the order of their names, as far as [`Interner::order`] was asked.
    order: Vec<u32>,
}

impl Interner {
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if (self.ends.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hash = hash(name);
        let (slot, found) = self.slot(hash, name);
        if let Some(number) = found {
            return number;
        }
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
        let number = self.ends.len() as u32;
        self.slots[slot] = hash & HIGH | u64::from(number);
        number - 1
    }

    /// How many different names there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        let before = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        self.text
            .get(before.map_or(0, |end| *end as usize)..end)
            .unwrap_or("")
    }

    /// The numbered names that `keep` holds for, sorted, and what has become of each number.
    ///
    /// Whoever goes on with the numbers says so, and gets the next order for what has changed.
    pub(crate) fn finish(&mut self, keep: &[bool], goes_on: bool) -> (Names, Vec<Option<NameId>>) {
        let kept = |number: &u32| keep.get(*number as usize).copied().unwrap_or(false);
        let order: Vec<u32> = if goes_on {
            self.sort();
            self.order.iter().copied().filter(kept).collect()
        } else {
            let kept = (0..self.len() as u32).filter(kept);
            let mut order: Vec<(u64, u32)> = kept
                .map(|number| (first_bytes(self.get(number).as_bytes()), number))
                .collect();
            order.sort_unstable_by(|a, b| {
                let names = || self.get(a.1).cmp(self.get(b.1));
                a.0.cmp(&b.0).then_with(names)
            });
            order.into_iter().map(|(_, number)| number).collect()
        };
        let mut text = String::new();
        let mut ends = Vec::with_capacity(order.len());
        let mut places = vec![None; self.len()];
        for (place, number) in order.into_iter().enumerate() {
            text.push_str(self.get(number));
            ends.push(text.len() as u32);
            if let Some(slot) = places.get_mut(number as usize) {
                *slot = Some(NameId::new(place));
            }
        }
        (Names::of(text, ends), places)
    }

    /// Brings the order up to date.
    fn sort(&mut self) {
        let known = self.order.len() as u32;
        let mut fresh: Vec<u32> = (known..self.len() as u32).collect();
        if fresh.is_empty() {
            return;
        }
        fresh.sort_unstable_by_key(|number| self.get(*number));
        let before = std::mem::take(&mut self.order);
        let mut order = Vec::with_capacity(self.len());
        let mut rest = before.as_slice();
        for number in fresh {
            let name = self.get(number);
            let (smaller, greater) =
                rest.split_at(rest.partition_point(|other| self.get(*other) < name));
            order.extend_from_slice(smaller);
            order.push(number);
            rest = greater;
        }
        order.extend_from_slice(rest);
        self.order = order;
    }

    /// Where a name is in the table, or where it would be.
    fn slot(&self, hash: u64, name: &str) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return (slot, None);
            }
            let number = entry as u32 - 1;
            if entry & HIGH == hash & HIGH && self.get(number) == name {
                return (slot, Some(number));
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(256);
        let mask = size - 1;
        let mut slots = vec![0; size];
        for number in 0..self.ends.len() as u32 {
            let hash = hash(self.get(number));
            let mut slot = hash as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = hash & HIGH | u64::from(number + 1);
        }
        self.slots = slots;
    }
}

const HIGH: u64 = !(u32::MAX as u64);

fn hash(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// The first bytes of a name as a number: decides most comparisons without a look at the text.
pub(crate) fn first_bytes(name: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(name) {
        *to = *from;
    }
    u64::from_be_bytes(first)
}
