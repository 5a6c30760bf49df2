use std::io::Read;

use text::{FilePath, Text};

/// Files over this many bytes are not read: no symbol-sized action needs them, and an editor with one open has
/// other troubles.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a file cannot be worked on. Each message names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error(
        "{file} has {bytes} bytes, the limit is {MAX_FILE_BYTES}; split it or work on a smaller file"
    )]
    TooLarge {
        /// The file.
        file: FilePath,
        /// Its size.
        bytes: u64,
    },
    /// Its bytes are not UTF-8, so that it could not be written back unchanged.
    #[error("{file} is not UTF-8 (byte {at} is not); convert it first, Farthing leaves it alone")]
    NotUtf8 {
        /// The file.
        file: FilePath,
        /// Offset of the first byte that is not UTF-8.
        at: usize,
    },
    /// It holds a NUL byte.
    #[error("{file} is a binary file")]
    Binary {
        /// The file.
        file: FilePath,
    },
    /// It is a folder, a device or the like.
    #[error("{file} is not an ordinary file")]
    NotAFile {
        /// The file.
        file: FilePath,
    },
    /// The user keeps runs out of it.
    #[error("{file} is closed to runs by `[scope] deny`")]
    Closed {
        /// The file.
        file: FilePath,
    },
    /// The system refused.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The file.
        file: FilePath,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Reads a text file as it is, byte for byte.
pub fn read(file: &FilePath) -> Result<Text, ReadError> {
    Ok(Text::from(read_text(file)?.as_str()))
}

/// Whether a file that is still to be made would be in a folder, whatever links lead there.
pub fn is_within(folder: &FilePath, file: &FilePath) -> bool {
    let Ok(folder) = std::fs::canonicalize(folder.as_path()) else {
        return false;
    };
    // A link that leads nowhere is there too.
    let mut around = file.as_path().ancestors().skip(1);
    let nearest = around.find(|path| std::fs::symlink_metadata(path).is_ok());
    let nearest = nearest.and_then(|path| std::fs::canonicalize(path).ok());
    nearest.is_some_and(|nearest| nearest.starts_with(folder))
}

/// Reads a text file as one piece.
pub(crate) fn read_text(file: &FilePath) -> Result<String, ReadError> {
    let io = |source| ReadError::Io {
        file: file.clone(),
        source,
    };
    // A look before opening: opening a named pipe would wait for its other end.
    let metadata = std::fs::metadata(file.as_path()).map_err(io)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile { file: file.clone() });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge {
            file: file.clone(),
            bytes: metadata.len(),
        });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let open = std::fs::File::open(file.as_path()).map_err(io)?;
    // It may have grown since: the limit holds for what is read, not for what was promised.
    open.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge {
            file: file.clone(),
            bytes: bytes.len() as u64,
        });
    }
    if bytes.contains(&0) {
        return Err(ReadError::Binary { file: file.clone() });
    }
    String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 {
        file: file.clone(),
        at: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]
mod tests {
    use super::*;

    #[test]
    fn refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, bytes: &[u8], expect: Result<&str, &str>| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let file = FilePath::new(&path).unwrap();
            let short = |message: String| message.replace(file.as_str(), name);
            let read = read(&file)
                .map(|text| text.to_string())
                .map_err(|error| short(error.to_string()));
            assert_eq!(read, expect.map(str::to_owned).map_err(str::to_owned));
        };
        check("bom.rs", "\u{feff}a\r\n".as_bytes(), Ok("\u{feff}a\r\n"));
        check(
            "latin.rs",
            b"ab\xe4",
            Err(
                "latin.rs is not UTF-8 (byte 2 is not); convert it first, Farthing leaves it alone",
            ),
        );
        check("nul.rs", b"a\0b", Err("nul.rs is a binary file"));
        let big = vec![b'a'; MAX_FILE_BYTES as usize + 1];
        check(
            "big.rs",
            &big,
            Err(
                "big.rs has 4194305 bytes, the limit is 4194304; split it or work on a smaller file",
            ),
        );
        assert!(matches!(
            read(&FilePath::new(folder.path()).unwrap()),
            Err(ReadError::NotAFile { .. })
        ));
    }
}
