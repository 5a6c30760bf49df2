//! Which editor to be.

use serde_json::{Value, json};

/// How an editor treats edits whose version is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Like VS Code: any mismatch refuses the whole edit, and the answer says so.
    Strict,
    /// Like Neovim: looks at the first document only, drops what is older than the buffer, applies what is newer or has
    /// version 0, and answers `applied: true` whatever happened.
    Lenient,
}

/// When the server hears of an edit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    BeforeTheReply,
    AfterTheReply,
}

/// Which editor to be.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// A file of `tests/recorded/` without `-capabilities.json`.
    pub(crate) capabilities: &'static str,
    pub(crate) name: &'static str,
    pub(crate) temper: Temper,
    pub(crate) told: Told,
    /// The version of a document when it is opened, and how far each change moves it.
    pub(crate) versions: (i64, i64),
    /// Arguments of the server.
    pub(crate) arguments: Vec<String>,
    /// Added to the server's environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) initialization: Value,
    /// What the server gets when it asks for settings: section by section.
    pub(crate) settings: Value,
}

impl Options {
    pub(crate) fn vscode() -> Options {
        Options {
            capabilities: "vscode-languageclient-11.0.0",
            name: "Visual Studio Code",
            temper: Temper::Strict,
            told: Told::BeforeTheReply,
            versions: (1, 1),
            arguments: vec!["serve".to_owned()],
            environment: Vec::new(),
            initialization: Value::Null,
            settings: json!({}),
        }
    }

    pub(crate) fn neovim() -> Options {
        Options {
            capabilities: "nvim-0.12",
            name: "Neovim",
            temper: Temper::Lenient,
            versions: (0, 3),
            ..Options::vscode()
        }
    }

    pub(crate) fn helix() -> Options {
        Options {
            capabilities: "helix-25.07.1-git20260723",
            name: "helix",
            versions: (0, 1),
            ..Options::vscode()
        }
    }

    pub(crate) fn eglot() -> Options {
        Options {
            capabilities: "eglot-1.17.30",
            name: "Emacs",
            told: Told::AfterTheReply,
            versions: (0, 1),
            ..Options::vscode()
        }
    }

    pub(crate) fn told(self, told: Told) -> Options {
        Options { told, ..self }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Options {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}
