use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use grammars::Grammar;
use index::Parsed;
use text::{EditSet, FilePath, Text};

/// How many changes a document remembers, for edits that must be rebased over them.
const REMEMBERED: usize = 512;

/// How many parses in a row may be put off; a longer row starts afresh instead.
const PUT_OFF: u32 = 16;

/// One file's text at one moment, and its parse, made when first asked for. Cloning is cheap.
#[derive(Clone)]
pub struct Document {
    file: FilePath,
    version: Option<i32>,
    text: Text,
    serial: u64,
    /// The changes that led here, the oldest first; the last one leads to `serial`.
    log: Arc<Vec<Arc<EditSet>>>,
    parse: Option<Arc<Parse>>,
}

/// A parse that is made at most once, by whoever needs it first.
struct Parse {
    grammar: &'static Grammar,
    text: Text,
    done: OnceLock<Parsed>,
    /// The same read from nothing, where that may say something else.
    settled: OnceLock<Parsed>,
    /// The parse before the edits, to reuse; dropped once this one is made.
    before: Mutex<Option<(Arc<Parse>, EditSet)>>,
    put_off: u32,
}

impl Document {
    /// A document as it is opened, `serial` being greater than any that it had before.
    pub(crate) fn open(
        file: FilePath,
        language: &str,
        version: i32,
        text: Text,
        serial: u64,
    ) -> Document {
        let grammar = grammars::for_path(file.file_name()).or_else(|| grammars::by_name(language));
        Document {
            version: Some(version),
            serial,
            ..Document::new(file, grammar, text)
        }
    }

    pub(crate) fn on_disk(file: FilePath, text: Text) -> Document {
        let grammar = grammars::for_path(file.file_name());
        Document::new(file, grammar, text)
    }

    fn new(file: FilePath, grammar: Option<&'static Grammar>, text: Text) -> Document {
        let parse = grammar.map(|grammar| Arc::new(Parse::afresh(grammar, text.clone())));
        Document {
            file,
            version: None,
            text,
            serial: 0,
            log: Arc::default(),
            parse,
        }
    }

    pub(crate) fn changed(&self, version: i32, edits: Vec<EditSet>, text: Text) -> Document {
        let mut log = self.log.clone();
        let entries = Arc::make_mut(&mut log);
        entries.extend(edits.iter().cloned().map(Arc::new));
        let surplus = entries.len().saturating_sub(REMEMBERED);
        entries.drain(..surplus);
        let serial = self.serial + edits.len() as u64;
        let parse = self
            .parse
            .as_ref()
            .map(|parse| Arc::new(Parse::after(parse, edits, text.clone())));
        Document {
            file: self.file.clone(),
            version: Some(version),
            text,
            serial,
            log,
            parse,
        }
    }

    /// The file.
    pub fn file(&self) -> &FilePath {
        &self.file
    }

    /// The editor's version; `None` for text from disk.
    pub fn version(&self) -> Option<i32> {
        self.version
    }

    /// The text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Counts the changes. A document that is closed and opened again goes on far beyond where it was: no changes lead from
    /// the one to the other.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The changes that led from an earlier `serial` here, in order, or `None` if that is too long ago.
    pub fn changes_since(&self, serial: u64) -> Option<&[Arc<EditSet>]> {
        let count = usize::try_from(self.serial.checked_sub(serial)?).ok()?;
        self.log.get(self.log.len().checked_sub(count)?..)
    }

    /// The grammar, if there is one for this file.
    pub fn grammar(&self) -> Option<&'static Grammar> {
        self.parse.as_ref().map(|parse| parse.grammar)
    }

    /// The parse of exactly this text, `None` without a grammar. Takes milliseconds when nobody has asked before.
    ///
    /// While the text has syntax errors it may be provisional: see [`Document::settle`].
    pub fn parsed(&self) -> Option<&Parsed> {
        self.parse.as_ref().map(|parse| parse.get())
    }

    /// The parse that anybody gets who reads this text alone; from then on [`Document::parsed`] is that one.
    ///
    /// None without a grammar, or if `stop` said so. Takes as long as the first parse where the one at hand is
    /// provisional.
    pub fn settle(&self, stop: &dyn Fn() -> bool) -> Option<&Parsed> {
        self.parse.as_ref()?.settle(stop)
    }
}

impl Parse {
    fn afresh(grammar: &'static Grammar, text: Text) -> Parse {
        Parse {
            grammar,
            text,
            done: OnceLock::new(),
            settled: OnceLock::new(),
            before: Mutex::new(None),
            put_off: 0,
        }
    }

    fn after(before: &Arc<Parse>, edits: Vec<EditSet>, text: Text) -> Parse {
        let put_off = if before.done.get().is_some() {
            0
        } else {
            before.put_off + 1
        };
        let fresh = Parse::afresh(before.grammar, text);
        match <[EditSet; 1]>::try_from(edits) {
            Ok([edit]) if put_off <= PUT_OFF => Parse {
                before: Mutex::new(Some((before.clone(), edit))),
                put_off,
                ..fresh
            },
            // Several changes in one message have texts in between that nobody kept.
            _ => fresh,
        }
    }

    fn settle(&self, stop: &dyn Fn() -> bool) -> Option<&Parsed> {
        let parsed = self.get();
        if parsed.is_provisional()
            && let Some(settled) = parsed.settled_unless(stop)
        {
            // Somebody else may have been faster, with the same result.
            _ = self.settled.set(settled);
        }
        let parsed = self.get();
        (!parsed.is_provisional()).then_some(parsed)
    }

    fn get(&self) -> &Parsed {
        if let Some(settled) = self.settled.get() {
            return settled;
        }
        self.done.get_or_init(|| {
            let before = self
                .before
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match before {
                Some((before, edits)) => {
                    let parsed = before.get().reparse(&edits, &self.text);
                    // Whoever asked need not wait until what was known before is taken down.
                    rayon::spawn(move || drop(before));
                    parsed
                }
                None => Parsed::parse(self.grammar, &self.text),
            }
        })
    }
}
