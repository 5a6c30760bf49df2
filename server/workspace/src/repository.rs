//! Repositories for tests, made as their users would make them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use text::FilePath;

use crate::past::{git, question};

/// A folder with a repository, gone with its drop.
pub(crate) struct Repository {
    _folder: tempfile::TempDir,
    pub(crate) root: FilePath,
}

const SOMEBODY: [&str; 6] = [
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@example.com",
    "-c",
    "commit.gpgsign=false",
];

impl Repository {
    pub(crate) fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let root = FilePath::new(folder.path().canonicalize().unwrap()).unwrap();
        let repository = Repository {
            _folder: folder,
            root,
        };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&str> = SOMEBODY.iter().chain(arguments).copied().collect();
        git(&self.root, &arguments, "").unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> FilePath {
        let file = self.root.join(name).unwrap();
        std::fs::write(file.as_path(), text).unwrap();
        file
    }

    /// Commits everything.
    pub(crate) fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    /// The same on another day than today.
    pub(crate) fn commit_on(&self, day: &str) {
        self.git(&["add", "."]);
        let arguments = ["commit", "-q", "-m", "x"];
        let arguments: Vec<&str> = SOMEBODY.into_iter().chain(arguments).collect();
        let mut commit = question(&self.root, &arguments);
        let commit = commit.env("GIT_COMMITTER_DATE", format!("{day}T12:00:00Z"));
        assert!(commit.output().unwrap().status.success());
    }
}
