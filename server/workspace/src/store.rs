//! Facts on disk, for the next start.
//!
//! One file for each set of workspace folders, below the user's cache folder: a head that must be in memory, then the
//! packed facts of each file, read when somebody asks. The file is written beside its place and then renamed, so that it
//! is whole or not there; whoever has the old one open goes on reading that. Nothing in it is trusted: head and facts
//! carry a digest, and what does not fit is read from the sources again. Its name has the form of the facts, the
//! grammars and the program in it, so that another version never sees it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use index::{Base, Facts, Packed, Shelf};
use text::FilePath;

use crate::SkipReason;
use crate::walk::{Stat, nanoseconds};

/// What all stores together may take on disk.
const MAX_BYTES: u64 = 2 << 30;
/// A store that nobody has opened for so long is removed.
const MAX_AGE: Duration = Duration::from_hours(24 * 30);
/// A file that was written so short before the store may have been written again without a trace.
pub(crate) const RACY: Duration = Duration::from_secs(2);

const MAGIC: &[u8; 8] = b"farthing";
const DIGEST: usize = 32;
const SHORT_DIGEST: usize = 8;
const ENDING: &str = "facts";

/// What was known when the store was written.
pub(crate) struct Stored {
    pub(crate) base: Base,
    /// Of each file of the base, in its order.
    pub(crate) stats: Vec<Stat>,
    pub(crate) left_out: BTreeMap<FilePath, (Stat, SkipReason)>,
    /// When the look at the disk began of which it tells, in nanoseconds since 1970.
    began: u64,
}

impl Stored {
    /// Whether a file that was like `then` and is like `now` is the same for sure.
    pub(crate) fn is_same(&self, then: Stat, now: Stat) -> bool {
        then == now && now.modified.saturating_add(RACY.as_nanos() as u64) < self.began
    }
}

/// Where the facts of a set of workspace folders are kept.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    path: PathBuf,
}

impl Store {
    /// The store of these workspace folders below the user's cache folder. Touches no disk but to look at this program.
    pub fn of(cache: &Path, roots: &[FilePath]) -> Store {
        let mut roots: Vec<&str> = roots.iter().map(FilePath::as_str).collect();
        roots.sort_unstable();
        let mut key = blake3::Hasher::new();
        for part in roots.into_iter().chain([index::form().as_str()]) {
            key.update(part.as_bytes()).update(&[0]);
        }
        // A program that was built anew may know more about a language.
        let program = std::env::current_exe().and_then(std::fs::metadata);
        if let Ok(program) = program {
            let stat = Stat::of(&program);
            key.update(&stat.bytes.to_le_bytes())
                .update(&stat.modified.to_le_bytes());
        }
        let key = key.finalize().to_hex();
        let folder = cache.join("index");
        Store {
            path: folder.join(format!("{}.{ENDING}", &key[..32])),
            folder,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is there, if anything is and it is whole.
    pub(crate) fn load(&self) -> Option<Stored> {
        let mut file = File::open(&self.path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut start = [0; MAGIC.len() + 16 + DIGEST];
        file.read_exact(&mut start).ok()?;
        let mut start = Cut(&start);
        if start.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let (head_length, facts_length) = (start.number()?, start.number()?);
        let facts_at = (MAGIC.len() + 16 + DIGEST) as u64 + head_length;
        if facts_at.checked_add(facts_length)? != length {
            return None;
        }
        let mut head = vec![0; usize::try_from(head_length).ok()?];
        file.read_exact(&mut head).ok()?;
        if head_digest(&head, facts_length) != start.0 {
            return None;
        }
        let file = Mutex::new(file);
        let stored = read_head(&head, Arc::new(OnDisk { file, facts_at }))?;
        // Says that it is in use, so that it is not the first to go.
        if let Ok(file) = File::options().append(true).open(&self.path) {
            _ = file.set_modified(SystemTime::now());
        }
        Some(stored)
    }

    /// Writes what is known, and answers it with the facts on disk instead of in memory.
    ///
    /// `stats` are those of the files of `base`, in its order, as they were after `began`.
    pub(crate) fn save(
        &self,
        base: &Base,
        stats: &[Stat],
        left_out: &BTreeMap<FilePath, (Stat, SkipReason)>,
        began: SystemTime,
    ) -> std::io::Result<Option<Base>> {
        std::fs::create_dir_all(&self.folder)?;
        let gone = || std::io::Error::other("facts cannot be read back");
        let mut places = Vec::with_capacity(stats.len());
        let mut at = 0;
        let packed = |place| base.packed(place).ok_or_else(gone);
        for place in 0..base.files().len() {
            let length = packed(place)?.as_bytes().len();
            places.push((at, length as u32));
            at += (length + SHORT_DIGEST) as u64;
        }
        if at > MAX_BYTES / 2 {
            return Ok(None);
        }
        let mut head = Vec::new();
        head.extend_from_slice(&nanoseconds(began).to_le_bytes());
        head.extend_from_slice(&(stats.len() as u64).to_le_bytes());
        for stat in stats {
            write_stat(&mut head, *stat);
        }
        head.extend_from_slice(&(left_out.len() as u64).to_le_bytes());
        for (file, (stat, reason)) in left_out {
            write_stat(&mut head, *stat);
            head.push(*reason as u8);
            head.extend_from_slice(&(file.as_str().len() as u64).to_le_bytes());
            head.extend_from_slice(file.as_str().as_bytes());
        }
        head.extend_from_slice(&base.to_bytes(&places));
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut out = BufWriter::with_capacity(1 << 20, file.as_file_mut());
        out.write_all(MAGIC)?;
        out.write_all(&(head.len() as u64).to_le_bytes())?;
        out.write_all(&at.to_le_bytes())?;
        out.write_all(&head_digest(&head, at))?;
        out.write_all(&head)?;
        for place in 0..base.files().len() {
            let packed = packed(place)?;
            out.write_all(packed.as_bytes())?;
            out.write_all(&short_digest(packed.as_bytes()))?;
        }
        out.flush()?;
        drop(out);
        let facts_at = (MAGIC.len() + 16 + DIGEST + head.len()) as u64;
        let file = file.persist(&self.path)?;
        self.clean_up();
        let file = Mutex::new(File::open(&self.path).unwrap_or(file));
        Ok(base.put_away(&places, Arc::new(OnDisk { file, facts_at })))
    }

    /// Removes stores that nobody uses, and the oldest until the others take no more than they may.
    fn clean_up(&self) {
        let entries = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten();
        let mut stores: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|ending| ending == ENDING)
            })
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        stores.sort_unstable_by(|a, b| b.cmp(a));
        let mut sum = 0;
        for (used, bytes, path) in stores {
            sum += bytes;
            let old = used.elapsed().is_ok_and(|age| age > MAX_AGE);
            if (old || sum > MAX_BYTES) && path != self.path {
                _ = std::fs::remove_file(path);
            }
        }
    }
}

fn head_digest(head: &[u8], facts_length: u64) -> [u8; DIGEST] {
    let mut digest = blake3::Hasher::new();
    digest.update(&facts_length.to_le_bytes()).update(head);
    *digest.finalize().as_bytes()
}

fn short_digest(packed: &[u8]) -> [u8; SHORT_DIGEST] {
    let mut short = [0; SHORT_DIGEST];
    short.copy_from_slice(&blake3::hash(packed).as_bytes()[..SHORT_DIGEST]);
    short
}

fn write_stat(out: &mut Vec<u8>, stat: Stat) {
    for number in [stat.bytes, stat.modified, stat.inode] {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn read_head(head: &[u8], shelf: Arc<dyn Shelf>) -> Option<Stored> {
    let mut head = Cut(head);
    let began = head.number()?;
    let count = head.number()?;
    let mut stats = Vec::new();
    for _ in 0..count {
        stats.push(head.stat()?);
    }
    let mut left_out = BTreeMap::new();
    for _ in 0..head.number()? {
        let stat = head.stat()?;
        let reason = SkipReason::ALL.get(usize::from(*head.take(1)?.first()?))?;
        let length = head.number()?;
        let path = std::str::from_utf8(head.take(usize::try_from(length).ok()?)?).ok()?;
        left_out.insert(FilePath::new(path).ok()?, (stat, *reason));
    }
    let base = Base::from_bytes(head.0, shelf)?;
    let fits = base.files().len() == stats.len();
    fits.then_some(Stored {
        base,
        stats,
        left_out,
        began,
    })
}

/// Bytes that are still to be read.
struct Cut<'b>(&'b [u8]);

impl<'b> Cut<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn stat(&mut self) -> Option<Stat> {
        Some(Stat {
            bytes: self.number()?,
            modified: self.number()?,
            inode: self.number()?,
        })
    }
}

/// The part of a store that stays on disk.
struct OnDisk {
    file: Mutex<File>,
    facts_at: u64,
}

impl Shelf for OnDisk {
    fn read(&self, at: u64, len: u32) -> Option<Packed> {
        let mut bytes = vec![0; len as usize + SHORT_DIGEST];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.facts_at.checked_add(at)?))
                .ok()?;
            file.read_exact(&mut bytes).ok()?;
        }
        let (packed, digest) = bytes.split_at_checked(len as usize)?;
        (short_digest(packed) == digest).then(|| Packed::from_bytes(packed))
    }

    fn read_again(&self, file: &FilePath) -> Option<Facts> {
        let grammar = grammars::for_path(file.file_name())?;
        let text = crate::disk::read_text(file).ok()?;
        Some(Facts::of(grammar, &text))
    }
}
