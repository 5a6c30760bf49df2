//! File URIs and file paths.
//!
//! Inside the server a file is a [`FilePath`]. One file has many spellings as a URI (VS Code writes `file:///c%3A/x`,
//! others `file:///C:/x`), and a client need not know its own file under another one, so what is sent back is what the
//! client wrote: see [`Spellings`].

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use lsp_types::Uri;
use text::{FilePath, PathError};

/// Why a URI names no file that we can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFile {
    /// A document of another kind: `untitled` for a buffer without a file, `git` for an old revision, and so on.
    #[error("{0}: documents are not files on this machine")]
    Scheme(String),
    /// A file on another machine.
    #[error("the file is on {0}, not on this machine")]
    Host(String),
    /// Not a URI at all.
    #[error("{0:?} is not a URI")]
    Malformed(String),
    /// A file URI whose path cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// The file that a URI names.
pub fn to_path(uri: &Uri) -> Result<FilePath, NotAFile> {
    Ok(FilePath::new(path_text(&uri.0, Platform::HERE)?)?)
}

/// A URI of a file, for files that the client has not named itself.
pub fn from_path(path: &FilePath) -> Uri {
    Uri(uri_text(path.as_str(), Platform::HERE))
}

/// How the client spells its documents.
#[derive(Debug, Default)]
pub struct Spellings(Mutex<HashMap<FilePath, Uri>>);

impl Spellings {
    /// The file that a URI from the client names. From now on the file goes by this URI.
    pub fn learn(&self, uri: &Uri) -> Result<FilePath, NotAFile> {
        let path = to_path(uri)?;
        self.with(|known| match known.get_mut(&path) {
            Some(spelling) if spelling == uri => {}
            Some(spelling) => spelling.clone_from(uri),
            None => {
                known.insert(path.clone(), uri.clone());
            }
        });
        Ok(path)
    }

    /// The URI under which the client knows a file.
    pub fn uri(&self, path: &FilePath) -> Uri {
        self.with(|known| known.get(path).cloned())
            .unwrap_or_else(|| from_path(path))
    }

    /// Forgets the spelling of a file that was closed.
    pub fn forget(&self, path: &FilePath) {
        self.with(|known| known.remove(path));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<FilePath, Uri>) -> T) -> T {
        // No operation on the map can leave it half done.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whose paths are meant. A parameter, so that every machine tests both.
#[derive(Clone, Copy)]
enum Platform {
    #[cfg_attr(windows, expect(dead_code, reason = "used by the tests there"))]
    Unix,
    #[cfg_attr(
        not(any(windows, test)),
        expect(dead_code, reason = "used by the tests here")
    )]
    Windows,
}

impl Platform {
    #[cfg(windows)]
    const HERE: Platform = Platform::Windows;
    #[cfg(not(windows))]
    const HERE: Platform = Platform::Unix;
}

fn path_text(uri: &str, platform: Platform) -> Result<String, NotAFile> {
    let malformed = || NotAFile::Malformed(uri.to_owned());
    let (scheme, rest) = uri.split_once(':').ok_or_else(malformed)?;
    if !is_scheme(scheme) {
        return Err(malformed());
    }
    if !scheme.eq_ignore_ascii_case("file") {
        return Err(NotAFile::Scheme(scheme.to_ascii_lowercase()));
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let path = decode(path)
        .filter(|path| !path.contains('\0'))
        .ok_or_else(malformed)?;
    let host = if host.eq_ignore_ascii_case("localhost") {
        ""
    } else {
        host
    };
    match platform {
        Platform::Unix if host.is_empty() => Ok(path),
        Platform::Unix => Err(NotAFile::Host(host.to_owned())),
        Platform::Windows if host.is_empty() => Ok(match drive(&path) {
            // One drive has two letters; inside the server it has one.
            Some((letter, rest)) => {
                format!("{}:{rest}", letter.to_ascii_uppercase()).replace('/', "\\")
            }
            None => path.replace('/', "\\"),
        }),
        Platform::Windows => Ok(format!("//{host}{path}").replace('/', "\\")),
    }
}

fn uri_text(path: &str, platform: Platform) -> String {
    match platform {
        Platform::Unix => format!("file://{}", encode(path)),
        Platform::Windows => {
            let path = path.replace('\\', "/");
            let path = path.strip_prefix("//?/").unwrap_or(&path);
            if let Some(path) = path
                .strip_prefix("//")
                .or_else(|| path.strip_prefix("UNC/"))
            {
                format!("file://{}", encode(path))
            } else {
                format!("file:///{}", encode(path.trim_start_matches('/')))
            }
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
}

/// Splits `/c:/x` into the drive letter and what follows the colon.
fn drive(path: &str) -> Option<(char, &str)> {
    let mut rest = path.trim_start_matches('/').chars();
    let letter = rest.next().filter(char::is_ascii_alphabetic)?;
    let colon = rest.next()?;
    let rest = rest.as_str();
    let ends = rest.is_empty() || rest.starts_with('/');
    (matches!(colon, ':' | '|') && ends).then_some((letter, rest))
}

/// Resolves `%xx`. A `%` that starts no escape stands for itself, as clients that forget to write it mean it.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            bytes.push(high << 4 | low);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Writes `%xx` for whatever may not stand in the path of a URI (RFC 3986, `pchar` and `/`).
fn encode(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _infallible = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(uris: &[&str], platform: Platform, expected: Expect) {
        let lines: Vec<String> = uris
            .iter()
            .map(|uri| match path_text(uri, platform) {
                Ok(path) => format!("{uri} -> {path} -> {}\n", uri_text(&path, platform)),
                Err(error) => format!("{uri} : {error}\n"),
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn uris_on_unix() {
        check(
            &[
                "file:///work/a%20b/%C3%A9%F0%9F%98%80.rs",
                "file:///work/é b.rs",
                "FILE:/work/x",
                "file://localhost/x",
                "file:///100%/x%zz%4",
                "file:///a%23b%3Fc#d?e",
                "file:///c%3A/x",
                "file://server/share/x",
                "file:///bad%ff",
                "file:///nul%00",
                "file:",
                "untitled:Untitled-1",
                "vscode-remote://ssh-remote+host/x",
                "/work/x",
                "C:\\x",
                "",
            ],
            Platform::Unix,
            expect![[r#"
                file:///work/a%20b/%C3%A9%F0%9F%98%80.rs -> /work/a b/é😀.rs -> file:///work/a%20b/%C3%A9%F0%9F%98%80.rs
                file:///work/é b.rs -> /work/é b.rs -> file:///work/%C3%A9%20b.rs
                FILE:/work/x -> /work/x -> file:///work/x
                file://localhost/x -> /x -> file:///x
                file:///100%/x%zz%4 -> /100%/x%zz%4 -> file:///100%25/x%25zz%254
                file:///a%23b%3Fc#d?e -> /a#b?c -> file:///a%23b%3Fc
                file:///c%3A/x -> /c:/x -> file:///c:/x
                file://server/share/x : the file is on server, not on this machine
                file:///bad%ff : "file:///bad%ff" is not a URI
                file:///nul%00 : "file:///nul%00" is not a URI
                file: ->  -> file://
                untitled:Untitled-1 : untitled: documents are not files on this machine
                vscode-remote://ssh-remote+host/x : vscode-remote: documents are not files on this machine
                /work/x : "/work/x" is not a URI
                C:\x : c: documents are not files on this machine
                 : "" is not a URI
            "#]],
        );
    }

    #[test]
    fn uris_on_windows() {
        check(
            &[
                "file:///c%3A/Users/a%20b/x.rs",
                "file:///C:/x",
                "file:///d|/x",
                "file://server/share/%C3%A9",
                "file:///c:",
                "file:///no-drive/x",
                "x",
            ],
            Platform::Windows,
            expect![[r#"
                file:///c%3A/Users/a%20b/x.rs -> C:\Users\a b\x.rs -> file:///C:/Users/a%20b/x.rs
                file:///C:/x -> C:\x -> file:///C:/x
                file:///d|/x -> D:\x -> file:///D:/x
                file://server/share/%C3%A9 -> \\server\share\é -> file://server/share/%C3%A9
                file:///c: -> C: -> file:///C:
                file:///no-drive/x -> \no-drive\x -> file:///no-drive/x
                x : "x" is not a URI
            "#]],
        );
        assert_eq!(uri_text(r"\\?\C:\x", Platform::Windows), "file:///C:/x");
        assert_eq!(
            uri_text(r"\\?\UNC\server\share\x", Platform::Windows),
            "file://server/share/x"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_client_hears_its_own_spelling() {
        let spellings = Spellings::default();
        let theirs = Uri::from("file:///work/a%2Db.rs");
        let path = spellings.learn(&theirs).unwrap();
        assert_eq!(path.as_str(), "/work/a-b.rs");
        assert_eq!(spellings.uri(&path), theirs);
        spellings.forget(&path);
        assert_eq!(spellings.uri(&path), Uri::from("file:///work/a-b.rs"));
        assert_eq!(
            spellings.learn(&Uri::from("untitled:x")),
            Err(NotAFile::Scheme("untitled".to_owned()))
        );
        assert!(matches!(
            spellings.learn(&Uri::from("file:x")),
            Err(NotAFile::Path(_))
        ));
    }

    proptest! {
        #[test]
        fn paths_survive_the_round_trip(path in "(/[^/\0]{1,8}){1,4}") {
            prop_assert_eq!(path_text(&uri_text(&path, Platform::Unix), Platform::Unix), Ok(path));
        }

        #[test]
        fn drives_survive_the_round_trip(path in r"[A-Z]:(\\[^/\\\x00]{1,8}){1,4}") {
            prop_assert_eq!(path_text(&uri_text(&path, Platform::Windows), Platform::Windows), Ok(path));
        }

        #[test]
        fn nothing_is_a_panic(uri in "(file:)?\\PC{0,30}") {
            for platform in [Platform::Unix, Platform::Windows] {
                let _either = path_text(&uri, platform);
            }
        }
    }
}
