//! Documents that only the server has, for clients that open such: what a hunk or a run changes, and what a run did.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use engine::{Engine, Page};
use text::Hash;

use crate::capabilities::DOCUMENT_SCHEME;

/// So many are told when they change. Nobody has more of them open.
const FOLLOWED: usize = 64;

/// The documents that the client has read, and what they said.
#[derive(Debug, Default)]
pub(crate) struct Read(Mutex<BTreeMap<Page, Hash>>);

impl Read {
    /// Notes what the client was told.
    fn note(&self, page: &Page, text: &str) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= FOLLOWED && !read.contains_key(page) {
            read.pop_first();
        }
        read.insert(page.clone(), Hash::of(text));
    }

    /// Those that say something else by now. Each is told once, until it is read again.
    pub(crate) fn changed(&self, engine: &Engine) -> Vec<Page> {
        let read = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut changed = Vec::new();
        for (page, said) in read {
            let now = text_of(engine, &page);
            if Hash::of(&now) != said {
                self.note(&page, &now);
                changed.push(page);
            }
        }
        changed
    }
}

/// The text of a document, which is noted as read.
pub(crate) fn read(engine: &Engine, read: &Read, uri: &str) -> Option<String> {
    let page = page_of(uri)?;
    let text = text_of(engine, &page);
    read.note(&page, &text);
    Some(text)
}

fn text_of(engine: &Engine, page: &Page) -> String {
    engine
        .page(page)
        .unwrap_or_else(|| "Nothing of this waits for a decision any more.\n".to_owned())
}

/// The name of a document. Its last part is what the client shows, and takes the language from.
pub(crate) fn uri_of(page: &Page) -> String {
    let path = match page {
        Page::Hunk(hunk) => format!("hunk/{hunk}/hunk.diff"),
        Page::Changes(run) => format!("run/{run}/changes.diff"),
        Page::Trace(run) => format!("run/{run}/trace.txt"),
    };
    format!("{DOCUMENT_SCHEME}:/{path}")
}

/// The document of that name.
fn page_of(uri: &str) -> Option<Page> {
    let path = uri.strip_prefix(DOCUMENT_SCHEME)?.strip_prefix(':')?;
    let mut parts = path.trim_start_matches('/').split('/');
    let (kind, id, name) = (parts.next()?, parts.next()?, parts.next()?);
    match (kind, name, parts.next()) {
        ("hunk", "hunk.diff", None) => Some(Page::Hunk(id.parse().ok()?)),
        ("run", "changes.diff", None) => Some(Page::Changes(id.parse().ok()?)),
        ("run", "trace.txt", None) => Some(Page::Trace(id.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_document() {
        let run: engine::RunId = "019ab000-0000-7000-8000-000000000001".parse().unwrap();
        for page in [
            Page::Hunk("7".parse().unwrap()),
            Page::Changes(run.clone()),
            Page::Trace(run),
        ] {
            assert_eq!(page_of(&uri_of(&page)), Some(page));
        }
        for other in [
            "file:///hunk/7/hunk.diff",
            "farthing:/hunk/7/hunk.diff/more",
            "farthing:/hunk/../trace.txt",
            "farthing:/run/a.b/trace.txt",
            "farthing:",
        ] {
            assert_eq!(page_of(other), None, "{other}");
        }
    }
}
