use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// An absolute, lexically normalised, UTF-8 path: the one key of a file everywhere above the disk.
///
/// There is no `.` or `..` in it, so a path inside a folder cannot climb out of it by spelling.
/// Symbolic links are not followed here: that takes a disk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Arc<str>);

/// Why something is not a [`FilePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is relative.
    #[error("{0} is not an absolute path")]
    Relative(PathBuf),
    /// Its bytes are not UTF-8, so that no editor could name it back to us.
    #[error("{0:?} is not UTF-8")]
    NotUtf8(PathBuf),
    /// It climbs above the root.
    #[error("{0} climbs above the root")]
    AboveRoot(PathBuf),
}

impl FilePath {
    /// Normalises an absolute path.
    pub fn new(path: impl AsRef<Path>) -> Result<FilePath, PathError> {
        let path = path.as_ref();
        if !path.is_absolute() {
            return Err(PathError::Relative(path.to_owned()));
        }
        if let Some(text) = path.to_str().filter(|text| is_normal(text)) {
            return Ok(FilePath(text.into()));
        }
        let mut normal = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                    normal.push(component);
                }
                Component::CurDir => {}
                Component::ParentDir => {
                    if !normal.pop() {
                        return Err(PathError::AboveRoot(path.to_owned()));
                    }
                }
            }
        }
        match normal.to_str() {
            Some(text) => Ok(FilePath(text.into())),
            None => Err(PathError::NotUtf8(path.to_owned())),
        }
    }

    /// This path with a relative one added.
    pub fn join(&self, relative: &str) -> Result<FilePath, PathError> {
        FilePath::new(self.as_path().join(relative))
    }

    /// The path as the standard library wants it.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &str {
        self.as_path()
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("")
    }

    /// What follows the last dot of the file name.
    pub fn extension(&self) -> Option<&str> {
        self.as_path()
            .extension()
            .and_then(|extension| extension.to_str())
    }

    /// The folder it is in.
    pub fn parent(&self) -> Option<FilePath> {
        let parent = self.as_path().parent()?.to_str()?;
        Some(FilePath(parent.into()))
    }

    /// This path as seen from `folder`, if it is inside.
    pub fn relative_to(&self, folder: &FilePath) -> Option<&str> {
        self.as_path().strip_prefix(folder.as_path()).ok()?.to_str()
    }

    /// Whether it is `folder` or inside it.
    pub fn is_inside(&self, folder: &FilePath) -> bool {
        self.as_path().starts_with(folder.as_path())
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether an absolute path is written the one way that we write it, which almost all are.
#[cfg(unix)]
fn is_normal(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    path.len() > 1 && parts.all(|part| !matches!(part, "" | "." | ".."))
}

/// Elsewhere drives, shares and two separators make that hard to tell.
#[cfg(not(unix))]
fn is_normal(_: &str) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn normalised_without_a_disk() {
        let path = |text: &str| {
            FilePath::new(text)
                .map(|path| path.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(path("/a/./b//c/../d.rs"), Ok("/a/b/d.rs".to_owned()));
        assert_eq!(path("/a/b.c/...d/"), Ok("/a/b.c/...d".to_owned()));
        assert_eq!(path("/a/.b/c..d"), Ok("/a/.b/c..d".to_owned()));
        assert_eq!(path("/"), Ok("/".to_owned()));
        assert_eq!(path("a.rs"), Err("a.rs is not an absolute path".to_owned()));
        assert_eq!(path("/.."), Err("/.. climbs above the root".to_owned()));
    }

    #[test]
    fn joining_cannot_hide_a_climb() {
        let root = FilePath::new("/work/project").unwrap();
        let outside = root.join("../other/x.rs").unwrap();
        assert!(!outside.is_inside(&root));
        assert_eq!(
            root.join("src/x.rs").unwrap().relative_to(&root),
            Some("src/x.rs")
        );
    }
}
