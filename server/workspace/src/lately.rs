//! Texts that were read from disk lately.

use std::time::SystemTime;

use index::{Recent, Weigh};
use text::{FilePath, Text};

use crate::disk::{ReadError, read};
use crate::store::RACY;
use crate::walk::{Stat, nanoseconds};

/// Texts that were read lately, as long as the system says that the files are the same: what surrounds a symbol is the
/// same from one menu to the next.
pub(crate) struct Lately(Recent<FilePath, Read>);

#[derive(Clone)]
struct Read {
    stat: Stat,
    text: Text,
}

impl Weigh for Read {
    fn weight(&self) -> usize {
        self.text.len()
    }
}

/// What they may take, in bytes.
const KEPT_BYTES: usize = 8 << 20;

impl Default for Lately {
    fn default() -> Lately {
        Lately(Recent::new(KEPT_BYTES))
    }
}

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
        if let Some(known) = self.0.get(file)
            && known.stat == stat
        {
            return Ok(known.text);
        }
        let text = read(file)?;
        // It may have changed between the look and the reading; then the next look sees another time.
        let known = Read {
            stat,
            text: text.clone(),
        };
        self.0.put(file.clone(), known);
        Ok(text)
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
        assert!(lately.0.get(&file).is_some());
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
}
