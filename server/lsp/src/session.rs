//! What is known of the client: what it can do, and how it spells the files it named.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use engine::HunkId;
use lsp_types::Uri;
use text::FilePath;

use crate::capabilities::Client;
use crate::pages::Read;
use crate::uri::Spellings;

/// Shared by everything that talks to the client. Cloning gives the same session.
#[derive(Clone, Default)]
pub(crate) struct Session(Arc<Inner>);

/// What the client shows beyond LSP.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shows {
    /// What is spent, as `farthing/spending` tells it.
    pub(crate) spending: bool,
    /// Reports that a command returns.
    pub(crate) reports: bool,
}

#[derive(Default)]
struct Inner {
    client: OnceLock<Client>,
    spellings: Spellings,
    shows: OnceLock<Shows>,
    last_shown: Mutex<Option<HunkId>>,
    pages: Read,
}

impl Session {
    /// What the client can do. Before `initialize`, nothing.
    pub(crate) fn client(&self) -> &Client {
        self.0
            .client
            .get_or_init(|| Client::from_capabilities(&serde_json::Value::Null))
    }

    /// Notes what the client can do; the first call counts.
    pub(crate) fn set_client(&self, client: Client) {
        let _already_known = self.0.client.set(client);
    }

    /// Whether the client wants to be told what is spent.
    pub(crate) fn wants_spending(&self) -> bool {
        self.0.shows.get().is_some_and(|shows| shows.spending)
    }

    /// Whether the client shows a report that a command returns.
    pub(crate) fn shows_reports(&self) -> bool {
        self.0.shows.get().is_some_and(|shows| shows.reports)
    }

    /// Notes what the client shows beyond LSP; the first call counts.
    pub(crate) fn set_shows(&self, shows: Shows) {
        let _already_known = self.0.shows.set(shows);
    }

    /// The documents of the server's own that the client has read.
    pub(crate) fn pages(&self) -> &Read {
        &self.0.pages
    }

    /// The hunk that the client was asked to show last.
    pub(crate) fn last_shown(&self) -> Option<HunkId> {
        let last = self.0.last_shown.lock();
        *last.unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the hunk that the client is asked to show.
    pub(crate) fn set_last_shown(&self, hunk: HunkId) {
        let last = self.0.last_shown.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(hunk);
    }

    /// The file that the client names, if it is one. Remembers the spelling.
    pub(crate) fn file(&self, uri: &Uri) -> Option<FilePath> {
        self.0.spellings.learn(uri).ok()
    }

    /// The file's name as the client spells it.
    pub(crate) fn uri_of(&self, file: &FilePath) -> Uri {
        self.0.spellings.uri(file)
    }
}
