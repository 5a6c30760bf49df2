use std::fmt;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// A set of path patterns.
#[derive(Clone, Default)]
pub struct Paths {
    patterns: Vec<String>,
    globs: GlobSet,
}

impl Paths {
    /// Compiles patterns, see [`path_pattern`]. One that is no pattern fits nothing.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Paths {
        let patterns = patterns.into_iter();
        let patterns: Vec<String> = patterns.map(|one| one.as_ref().to_owned()).collect();
        let mut globs = GlobSetBuilder::new();
        for glob in patterns.iter().filter_map(|one| path_pattern(one).ok()) {
            globs.add(glob);
        }
        Paths {
            globs: globs.build().unwrap_or_default(),
            patterns,
        }
    }

    /// Whether a pattern fits the path or a folder it is in. The path is relative to the workspace folder, with `/`.
    pub fn fit(&self, path: &str) -> bool {
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        folders.chain([path]).any(|path| self.globs.is_match(path))
    }

    /// The same for a folder: whether what is in it fits.
    pub(crate) fn fit_inside(&self, folder: &str) -> bool {
        self.fit(&format!("{folder}/_"))
    }

    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}

/// Compiles a path pattern, read from the root of the workspace. The error says what is valid.
///
/// `*` stays inside one name and `**` crosses folders; a pattern without `/` fits a name at any depth. Case is
/// ignored, because on a file system that ignores it two spellings are one file.
pub fn path_pattern(pattern: &str) -> Result<Glob, String> {
    let anywhere = if pattern.contains('/') {
        pattern.to_owned()
    } else {
        format!("**/{pattern}")
    };
    let relative = anywhere
        .strip_prefix('/')
        .unwrap_or(&anywhere)
        .trim_end_matches('/');
    if relative.is_empty() || pattern.is_empty() {
        return Err("must be a path pattern, such as \"secrets/**\" or \"*.pem\"".to_owned());
    }
    GlobBuilder::new(relative)
        .literal_separator(true)
        .case_insensitive(true)
        .build()
        .map_err(|error| format!("is no path pattern: {}", error.kind()))
}
