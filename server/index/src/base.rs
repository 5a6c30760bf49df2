//! Many files taken in at once: what does not change while the workspace is open.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use text::FilePath;

use crate::bytes::{Reader, Writer};
use crate::facts::Facts;
use crate::join::Stats;
use crate::pack::Packed;
use crate::recent::{Recent, Weigh};
use crate::skim::Skimmed;
use crate::table::Table;

/// Facts of many files, packed, and joined by names. Built in one go by [`Base::of`].
pub struct Base {
    pub(crate) id: u64,
    /// By path.
    pub(crate) files: Box<[BaseFile]>,
    pub(crate) table: Table,
    pub(crate) stats: Stats,
    shelf: Option<Arc<dyn Shelf>>,
}

/// Where packed facts are kept that are not in memory.
pub trait Shelf: Send + Sync {
    /// The facts of one file, from where they were put. None if they are not there any more, or not whole.
    fn read(&self, at: u64, len: u32) -> Option<Packed>;
    /// The facts of a file that cannot be had otherwise: from its text.
    fn read_again(&self, file: &FilePath) -> Option<Facts>;
}

/// Where the packed facts of a file are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// In memory.
    Here(Packed),
    /// On the shelf.
    There {
        /// Where on it.
        at: u64,
        /// How many bytes.
        len: u32,
    },
}

pub(crate) struct BaseFile {
    pub(crate) path: FilePath,
    pub(crate) title: &'static str,
    pub(crate) counts: Counts,
    kept: Kept,
}

/// How much is known about one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Symbols.
    pub symbols: usize,
    /// References.
    pub references: usize,
    /// Import statements, one for each module.
    pub imports: usize,
    /// Syntax errors.
    pub errors: usize,
    /// One if the facts are incomplete.
    pub incomplete: usize,
    /// Text, in bytes.
    pub bytes: usize,
    /// What the facts take, roughly, in bytes.
    pub memory: usize,
}

impl Base {
    /// Takes in files with their facts. What cannot be read of them is left out; of two with one path, one is.
    ///
    /// On all cores; O(k log n) for all k uses of n names.
    pub fn of(mut files: Vec<(FilePath, Packed)>) -> Base {
        files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        files.dedup_by(|later, first| later.0 == first.0);
        files.retain(|(_, packed)| packed.counts().is_some());
        let packed: Vec<&Packed> = files.iter().map(|(_, packed)| packed).collect();
        let table = Table::of(&packed);
        let files = files.into_iter().filter_map(|(path, packed)| {
            let (title, counts) = packed.counts()?;
            Some(BaseFile {
                path,
                title,
                counts,
                kept: Kept::Here(packed),
            })
        });
        Base::new(files.collect(), table, None)
    }

    fn new(files: Box<[BaseFile]>, table: Table, shelf: Option<Arc<dyn Shelf>>) -> Base {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut stats = Stats::default();
        for file in &files {
            stats.count(file.title, file.counts, 1);
        }
        stats.memory += table.heap_bytes();
        Base {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            files,
            table,
            stats,
            shelf,
        }
    }

    /// The files, by path, and where their packed facts are.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&FilePath, &Kept)> {
        self.files.iter().map(|file| (&file.path, &file.kept))
    }

    /// The packed facts of the file at a place among [`Base::files`].
    pub fn packed(&self, place: usize) -> Option<Packed> {
        match &self.files.get(place)?.kept {
            Kept::Here(packed) => Some(packed.clone()),
            Kept::There { at, len } => self.shelf.as_ref()?.read(*at, *len),
        }
    }

    /// All but the packed facts themselves, as bytes: what must be in memory to answer anything.
    ///
    /// `places` says where on a shelf the facts of each file are, in the order of [`Base::files`].
    pub fn to_bytes(&self, places: &[(u64, u32)]) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(self.files.len());
        let mut before = "";
        for (file, (at, len)) in self.files.iter().zip(places) {
            let path = file.path.as_str();
            let same = crate::bytes::shared(before.as_bytes(), path.as_bytes());
            let same = path.floor_char_boundary(same);
            out.number(same);
            out.text(&path[same..]);
            before = path;
            let titles = grammars::all().iter().map(|grammar| grammar.title);
            let title = titles.enumerate().find(|(_, title)| *title == file.title);
            out.number(title.map_or(0, |(place, _)| place));
            let counts = file.counts;
            for count in [
                counts.symbols,
                counts.references,
                counts.imports,
                counts.errors,
                counts.incomplete,
                counts.bytes,
                *at as usize,
                *len as usize,
            ] {
                out.number(count);
            }
        }
        let mut out = out.0;
        self.table.write(&mut out);
        out
    }

    /// What [`Base::to_bytes`] wrote, with the facts on a shelf. None if the bytes are something else.
    pub fn from_bytes(bytes: &[u8], shelf: Arc<dyn Shelf>) -> Option<Base> {
        let mut reader = Reader(bytes);
        let count = reader.count()?;
        let mut files = Vec::with_capacity(count);
        let mut path = String::new();
        for _ in 0..count {
            let same = reader.number()?;
            if !path.is_char_boundary(same) {
                return None;
            }
            path.truncate(same);
            path.push_str(reader.text()?);
            let title = grammars::all().get(reader.number()?)?.title;
            let mut numbers = [0; 8];
            for number in &mut numbers {
                *number = reader.number()?;
            }
            let [
                symbols,
                references,
                imports,
                errors,
                incomplete,
                bytes,
                at,
                len,
            ] = numbers;
            files.push(BaseFile {
                path: FilePath::new(&path).ok()?,
                title,
                counts: Counts {
                    symbols,
                    references,
                    imports,
                    errors,
                    incomplete,
                    bytes,
                    // On the shelf, not in memory.
                    memory: 0,
                },
                kept: Kept::There {
                    at: at as u64,
                    len: u32::try_from(len).ok()?,
                },
            });
        }
        let sorted = files.is_sorted_by(|a, b| a.path < b.path);
        let table = Table::read(reader.0).filter(|_| sorted)?;
        Some(Base::new(files.into(), table, Some(shelf)))
    }

    /// The same with the packed facts on a shelf instead of in memory.
    pub fn put_away(&self, places: &[(u64, u32)], shelf: Arc<dyn Shelf>) -> Option<Base> {
        Base::from_bytes(&self.to_bytes(places), shelf)
    }

    pub(crate) fn place_of(&self, file: &FilePath) -> Option<usize> {
        self.files
            .binary_search_by(|known| known.path.cmp(file))
            .ok()
    }

    pub(crate) fn facts(&self, place: usize, unpacked: &Unpacked) -> Option<Arc<Facts>> {
        let key = (self.id, place as u32);
        if let Some(facts) = unpacked.0.get(&key) {
            return Some(facts);
        }
        let facts = if let Some(facts) = self.packed(place).and_then(|packed| packed.unpack()) {
            facts
        } else {
            let file = self.files.get(place)?;
            self.shelf.as_ref()?.read_again(&file.path)?
        };
        let facts = Arc::new(facts);
        unpacked.0.put(key, facts.clone());
        Some(facts)
    }

    /// The symbols of one name in the file at a place.
    pub(crate) fn skim(&self, place: usize, name: &str, unpacked: &Unpacked) -> Option<Skimmed> {
        if let Some(facts) = unpacked.0.get(&(self.id, place as u32)) {
            return Some(Skimmed::of(&facts, name));
        }
        let skimmed = self.packed(place).and_then(|packed| packed.skim(name));
        skimmed.or_else(|| Some(Skimmed::of(&*self.facts(place, unpacked)?, name)))
    }
}

impl Default for Base {
    fn default() -> Base {
        Base::new(Box::default(), Table::default(), None)
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base({} files)", self.files.len())
    }
}

/// Facts that were unpacked lately, by base and place.
pub(crate) struct Unpacked(Recent<(u64, u32), Arc<Facts>>);

/// What they may take, in bytes.
const UNPACKED_BYTES: usize = 48 << 20;

impl Default for Unpacked {
    fn default() -> Unpacked {
        Unpacked(Recent::new(UNPACKED_BYTES))
    }
}

impl Weigh for Arc<Facts> {
    fn weight(&self) -> usize {
        self.heap_bytes()
    }
}
