//! Texts that were read from disk lately.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rustc_hash::FxHashMap;
use text::{FilePath, Text};

use crate::disk::{ReadError, read};
use crate::store::RACY;
use crate::walk::{Stat, nanoseconds};

/// Texts that were read lately, as long as the system says that the files are the same: what surrounds a symbol is the
/// same from one menu to the next.
#[derive(Default)]
pub(crate) struct Lately(Mutex<Known>);

#[derive(Default)]
struct Known {
    texts: FxHashMap<FilePath, (Stat, Text)>,
    order: VecDeque<(FilePath, usize)>,
    bytes: usize,
}

/// What they may take, in bytes.
const KEPT_BYTES: usize = 8 << 20;

impl Lately {
    /// The text of a file. Reads it if it was not read lately or may have changed.
    pub(crate) fn read(&self, file: &FilePath) -> Result<Text, ReadError> {
        let now = SystemTime::now();
        let stat = std::fs::metadata(file.as_path()).map(|metadata| Stat::of(&metadata));
        // A change right after another may leave the same time behind.
        let settled = stat
            .ok()
            .filter(|stat| stat.modified.saturating_add(RACY.as_nanos() as u64) < nanoseconds(now));
        let Some(stat) = settled else {
            return read(file);
        };
        if let Some((then, text)) = self.lock().texts.get(file)
            && *then == stat
        {
            return Ok(text.clone());
        }
        let text = read(file)?;
        // It may have changed between the look and the reading; then the next look sees another time.
        self.lock().put(file, stat, &text);
        Ok(text)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn put(&mut self, file: &FilePath, stat: Stat, text: &Text) {
        if text.len() > KEPT_BYTES / 8 {
            return;
        }
        if let Some((_, old)) = self.texts.insert(file.clone(), (stat, text.clone())) {
            let entry = self.order.iter_mut().find(|(known, _)| known == file);
            if let Some((_, bytes)) = entry {
                *bytes = text.len();
            }
            self.bytes = self.bytes - old.len() + text.len();
        } else {
            self.order.push_back((file.clone(), text.len()));
            self.bytes += text.len();
        }
        while self.bytes > KEPT_BYTES {
            let Some((oldest, bytes)) = self.order.pop_front() else {
                return;
            };
            self.texts.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_file_that_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rs");
        let file = FilePath::new(&path).unwrap();
        let lately = Lately::default();
        let write = |text: &str, age: u64| {
            std::fs::write(&path, text).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            let open = std::fs::File::options().write(true).open(&path).unwrap();
            open.set_modified(then).unwrap();
        };
        let shown = || lately.read(&file).unwrap().to_string();
        write("one", 100);
        assert_eq!(shown(), "one");
        assert_eq!(lately.lock().texts.len(), 1);
        write("two", 90);
        assert_eq!(shown(), "two");
        // Of this very moment: nothing tells the two apart.
        write("six", 0);
        assert_eq!(shown(), "six");
        write("ten", 0);
        assert_eq!(shown(), "ten");
        std::fs::remove_file(&path).unwrap();
        assert!(lately.read(&file).is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let lately = Lately::default();
        for number in 0..20 {
            let path = folder.path().join(format!("{number}.rs"));
            let bytes = vec![b'a'; (900 << 10) + number];
            std::fs::write(&path, bytes).unwrap();
            let open = std::fs::File::options().write(true).open(&path).unwrap();
            open.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            lately.read(&FilePath::new(&path).unwrap()).unwrap();
        }
        let known = lately.lock();
        let kept: usize = known.texts.values().map(|(_, text)| text.len()).sum();
        assert_eq!((kept, known.texts.len()), (known.bytes, known.order.len()));
        assert!(kept <= KEPT_BYTES && known.texts.len() > 4);
    }
}
