//! Which files use which name, for many files at once: built in one go, never changed, small.

use std::hash::Hasher;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHasher;

use crate::bytes::{Reader, Writer, shared};
use crate::names::first_bytes;
use crate::pack::Packed;
use crate::posting::Uses;

/// All names, sorted, each with the files that use it and how.
///
/// A name takes what it does not share with the one before, and a byte or two for each file.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    bytes: Box<[u8]>,
    /// Where runs of names start. The first name of a run is whole, so that one can be found by halving.
    runs: Box<[u32]>,
    names: usize,
}

/// Names in a run.
const RUN: usize = 16;

impl Table {
    /// Joins the files by the names they use, on all cores. A file is called by its place in the slice.
    ///
    /// O(k log n) for all k uses of n names.
    pub(crate) fn of(files: &[&Packed]) -> Table {
        let bounds = bounds(files, rayon::current_num_threads());
        let parts: Vec<Part> = (0..=bounds.len())
            .into_par_iter()
            .map(|part| {
                let from = part.checked_sub(1).and_then(|before| bounds.get(before));
                let until = bounds.get(part);
                Gathering::of(files, from.map(Vec::as_slice), until.map(Vec::as_slice)).finish()
            })
            .collect();
        let mut table = Part::default();
        for part in parts {
            let before = table.bytes.0.len() as u32;
            table.runs.extend(part.runs.iter().map(|run| run + before));
            table.bytes.0.extend_from_slice(&part.bytes.0);
            table.names += part.names;
        }
        Table {
            bytes: table.bytes.0.into(),
            runs: table.runs.into(),
            names: table.names,
        }
    }

    /// The files that use a name, ascending, and how. O(log n).
    pub(crate) fn uses(&self, name: &str) -> Uses32<'_> {
        self.find(name).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<Uses32<'_>> {
        let first = |run: &u32| {
            let mut rest = Reader(self.bytes.get(*run as usize..)?);
            rest.number()?;
            rest.text()
        };
        let after = self
            .runs
            .partition_point(|run| first(run).is_some_and(|first| first <= name));
        let mut entries = self.run(after.checked_sub(1)?)?;
        while let Some(uses) = entries.next() {
            if entries.name == name.as_bytes() {
                return Some(uses);
            }
        }
        None
    }

    /// Hands every name to `each`, sorted.
    pub(crate) fn each(&self, mut each: impl FnMut(&str, Uses32<'_>)) {
        for run in 0..self.runs.len() {
            let Some(mut entries) = self.run(run) else {
                return;
            };
            while let Some(uses) = entries.next() {
                if let Ok(name) = std::str::from_utf8(&entries.name) {
                    each(name, uses);
                }
            }
        }
    }

    fn run(&self, run: usize) -> Option<Entries<'_>> {
        let start = *self.runs.get(run)? as usize;
        let end = self
            .runs
            .get(run + 1)
            .map_or(self.bytes.len(), |end| *end as usize);
        Some(Entries {
            rest: Reader(self.bytes.get(start..end)?),
            name: Vec::new(),
        })
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.len() + self.runs.len() * size_of::<u32>()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer(std::mem::take(out));
        writer.number(self.names);
        writer.number(self.runs.len());
        let mut before = 0;
        for run in &self.runs {
            writer.number((run - before) as usize);
            before = *run;
        }
        writer.number(self.bytes.len());
        writer.0.extend_from_slice(&self.bytes);
        *out = writer.0;
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Table> {
        let mut reader = Reader(bytes);
        let names = reader.number()?;
        let count = reader.count()?;
        let mut runs = Vec::with_capacity(count);
        let mut start = 0_u32;
        for _ in 0..count {
            start = start.checked_add(u32::try_from(reader.number()?).ok()?)?;
            runs.push(start);
        }
        let length = reader.number()?;
        let bytes = reader.bytes(length)?;
        (reader.0.is_empty() && start as usize <= bytes.len()).then(|| Table {
            bytes: bytes.into(),
            runs: runs.into(),
            names,
        })
    }
}

struct Entries<'t> {
    rest: Reader<'t>,
    name: Vec<u8>,
}

impl<'t> Entries<'t> {
    /// Goes on to the next name.
    fn next(&mut self) -> Option<Uses32<'t>> {
        let same = self.rest.number()?;
        let count = self.rest.number()?;
        let text = self.rest.bytes(count)?;
        self.name.truncate(same);
        self.name.extend_from_slice(text);
        let length = self.rest.number()?;
        let uses = Reader(self.rest.bytes(length)?);
        Some(Uses32 {
            rest: uses,
            file: 0,
        })
    }
}

/// The files that use one name, ascending, by their numbers.
pub(crate) struct Uses32<'t> {
    rest: Reader<'t>,
    file: u32,
}

impl Default for Uses32<'_> {
    fn default() -> Self {
        Uses32 {
            rest: Reader(&[]),
            file: 0,
        }
    }
}

impl Iterator for Uses32<'_> {
    type Item = (u32, Uses);

    fn next(&mut self) -> Option<(u32, Uses)> {
        let step = self.rest.number()?;
        self.file = self.file.wrapping_add((step >> Uses::BITS) as u32);
        Some((self.file, Uses::from_bits(step as u8)))
    }
}

/// Names between which the work can be cut into `parts` of about the same size.
fn bounds(files: &[&Packed], parts: usize) -> Vec<Vec<u8>> {
    const SAMPLES: usize = 200;
    let mut sample = Vec::new();
    for file in files.iter().step_by(files.len() / SAMPLES + 1) {
        // What cannot be read is left out here as it is when the names are gathered.
        _ = file.each_use(|name, _| {
            sample.push(name.to_vec());
            true
        });
    }
    sample.sort_unstable();
    let mut bounds: Vec<Vec<u8>> = (1..parts)
        .filter_map(|part| sample.get(sample.len() * part / parts).cloned())
        .collect();
    bounds.dedup();
    bounds
}

#[derive(Default)]
struct Part {
    bytes: Writer,
    runs: Vec<u32>,
    names: usize,
}

/// The names of one part: each gets a number when it is first met.
#[derive(Default)]
struct Gathering {
    text: Vec<u8>,
    ends: Vec<u32>,
    /// Numbers of names, one more than they are, at the places that the hash says or the next free ones.
    slots: Vec<u32>,
    /// Name and file, each file with how it uses it in the lowest bits.
    uses: Vec<(u32, u32)>,
}

impl Gathering {
    fn of(files: &[&Packed], from: Option<&[u8]>, until: Option<&[u8]>) -> Gathering {
        let mut gathering = Gathering {
            slots: vec![0; 1 << 12],
            ..Gathering::default()
        };
        for (file, packed) in files.iter().enumerate() {
            _ = packed.each_use(|name, uses| {
                if until.is_some_and(|until| name >= until) {
                    return false;
                }
                if from.is_none_or(|from| name >= from) {
                    let number = gathering.number(name);
                    let entry = (file as u32) << Uses::BITS | u32::from(uses.bits());
                    gathering.uses.push((number, entry));
                }
                true
            });
        }
        gathering
    }

    fn name(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let end = self.ends.get(number).map_or(0, |end| *end as usize);
        let before = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        self.text
            .get(before.map_or(0, |start| *start as usize)..end)
            .unwrap_or(&[])
    }

    fn number(&mut self, name: &[u8]) -> u32 {
        if self.ends.len() * 2 > self.slots.len() {
            let mut slots = vec![0; self.slots.len() * 2];
            for number in 0..self.ends.len() as u32 {
                let slot = self.slot(&slots, self.name(number));
                slots[slot] = number + 1;
            }
            self.slots = slots;
        }
        let slot = self.slot(&self.slots, name);
        if let Some(number) = self.slots[slot].checked_sub(1) {
            return number;
        }
        let number = self.ends.len() as u32;
        self.text.extend_from_slice(name);
        self.ends.push(self.text.len() as u32);
        self.slots[slot] = number + 1;
        number
    }

    /// The slot of a name, or the free one that it may have.
    fn slot(&self, slots: &[u32], name: &[u8]) -> usize {
        let mut hasher = FxHasher::default();
        hasher.write(name);
        let mask = slots.len() - 1;
        let mut slot = hasher.finish() as usize & mask;
        while let Some(number) = slots[slot].checked_sub(1) {
            if self.name(number) == name {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn finish(self) -> Part {
        let mut starts = vec![0_u32; self.ends.len() + 1];
        for (name, _) in &self.uses {
            starts[*name as usize + 1] += 1;
        }
        for name in 1..starts.len() {
            starts[name] += starts[name - 1];
        }
        let mut by_name = vec![0_u32; self.uses.len()];
        let mut next = starts.clone();
        for (name, entry) in &self.uses {
            let place = &mut next[*name as usize];
            by_name[*place as usize] = *entry;
            *place += 1;
        }
        let mut order: Vec<(u64, u32)> = (0..self.ends.len() as u32)
            .map(|number| (first_bytes(self.name(number)), number))
            .collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| self.name(a.1).cmp(self.name(b.1)))
        });
        let mut part = Part {
            names: order.len(),
            ..Part::default()
        };
        let mut before: &[u8] = &[];
        let mut uses = Writer::default();
        for (place, (_, number)) in order.iter().enumerate() {
            let name = self.name(*number);
            if place % RUN == 0 {
                part.runs.push(part.bytes.0.len() as u32);
                before = &[];
            }
            let same = shared(before, name);
            part.bytes.number(same);
            part.bytes.number(name.len() - same);
            part.bytes.0.extend_from_slice(&name[same..]);
            uses.0.clear();
            let mut last = 0;
            let number = *number as usize;
            for entry in &by_name[starts[number] as usize..starts[number + 1] as usize] {
                let file = entry >> Uses::BITS;
                uses.number(((file - last) << Uses::BITS | entry & Uses::MASK) as usize);
                last = file;
            }
            part.bytes.number(uses.0.len());
            part.bytes.0.extend_from_slice(&uses.0);
            before = name;
        }
        part
    }
}
