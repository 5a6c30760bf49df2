//! The context pack: what the first message of a run says.
//!
//! It is made from one snapshot alone, so that the same snapshot gives the same bytes, and what the estimate counted is
//! what is sent. Most important first: the task, the target whole, what surrounds it, what is reported about it, what it
//! uses, what uses it, its tests, the team's conventions. Never whole files, never windows of lines: what is in it is
//! found by name, and the rest is a tool call away.

mod parts;

use std::fmt::Write as _;
use std::rc::Rc;

use gate::Region;
use serde::Serialize;
use text::FilePath;
use workspace::{ReadError, Snapshot};

use crate::source::{Source, shown_path};
use crate::{Action, Model, Scope, Task, prompt};

/// The most tokens of a target; a symbol this long is a file in all but name.
const MAX_TARGET: u64 = 32_000;

/// The first message, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The very text that is sent.
    pub text: String,
    /// Its parts in order.
    pub items: Vec<PackItem>,
    /// Tokens of the text, by [`ledger::tokens`].
    pub tokens: u64,
    /// Tokens of the target alone.
    pub target_tokens: u64,
}

/// One part of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackItem {
    /// What it is to the target.
    pub kind: PackKind,
    /// What it shows.
    pub title: String,
    /// Its tokens, by [`ledger::tokens`].
    pub tokens: u64,
}

/// What a part of a pack is to the target. In the order of the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PackKind {
    /// What to do, and what may change.
    Task,
    /// The symbol itself.
    Target,
    /// Where new items go, when that is not the target.
    Room,
    /// Headers of what it is in, and the fields it works on.
    Around,
    /// The imports of its file.
    Imports,
    /// What other tools report inside it.
    Diagnostics,
    /// A type it uses.
    Type,
    /// A function it calls.
    Callee,
    /// A place that calls it.
    Caller,
    /// A test that reaches it.
    Test,
    /// What the team wants to be kept to.
    Convention,
}

impl PackKind {
    /// The element that holds such parts in the text.
    fn tag(self) -> &'static str {
        match self {
            PackKind::Task => "task",
            PackKind::Target => "target",
            PackKind::Room => "room",
            PackKind::Around => "around",
            PackKind::Imports => "imports",
            PackKind::Diagnostics => "diagnostics",
            PackKind::Type => "types",
            PackKind::Callee => "callees",
            PackKind::Caller => "callers",
            PackKind::Test => "tests",
            PackKind::Convention => "conventions",
        }
    }
}

/// How much context a pack may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PackTier {
    /// About 2,000 tokens: the symbol and its closest surroundings.
    Small,
    /// About 6,000.
    Medium,
    /// About 12,000.
    Large,
}

impl PackTier {
    /// The tier an action starts with: what it reads decides, since what is missing can be asked for.
    pub fn of(action: Action) -> PackTier {
        match action {
            Action::Simplify | Action::Extract | Action::Document => PackTier::Small,
            Action::Faster
            | Action::Harden
            | Action::Tests
            | Action::Fix
            | Action::Comment
            | Action::Review => PackTier::Medium,
        }
    }

    /// The most tokens, by [`ledger::tokens`]. Only the task and the target themselves may need more.
    pub fn budget(self) -> u64 {
        match self {
            PackTier::Small => 2_000,
            PackTier::Medium => 6_000,
            PackTier::Large => 12_000,
        }
    }
}

/// Why there is no pack. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing in the file can be addressed.
    #[error("there is no grammar for {0}; see `farthing index` for the languages there are")]
    NoGrammar(String),
    /// The target is gone.
    #[error("there is no `{symbol}` in {file} any more; ask for the menu again")]
    NoSymbol {
        /// The name path that was asked for.
        symbol: String,
        /// The file.
        file: String,
    },
    /// The tests are in a file that is not open.
    #[error("the tests of `{symbol}` are in {file}; open that file and start again")]
    TestsElsewhere {
        /// Its name path.
        symbol: String,
        /// The file with the tests.
        file: String,
    },
    /// The target is too long to be sent whole.
    #[error(
        "`{symbol}` has about {tokens} tokens, the limit is {MAX_TARGET}; choose something inside it"
    )]
    TooLong {
        /// Its name path.
        symbol: String,
        /// Its tokens, by [`ledger::tokens`].
        tokens: u64,
    },
}

/// What a first request consists of, in tokens by [`ledger::tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// System prompt and tools: the same for every request, so usually cached.
    pub prefix_tokens: u64,
    /// The pack.
    pub pack_tokens: u64,
    /// The target alone, which is part of the pack.
    pub target_tokens: u64,
}

/// Puts together what the model is told about the target of `task`, up to the budget of `tier`.
///
/// The task and the target are always in it; whatever no longer fits after them is left out, part by part.
pub fn pack(
    snapshot: &Snapshot,
    task: &Task,
    scope: &Scope,
    tier: PackTier,
) -> Result<Pack, PackError> {
    Packer::of(snapshot, &task.file, &task.symbol, &scope.regions)?.pack(task, scope, tier)
}

/// Packs for tasks about one symbol: a menu asks for several, and what surrounds the symbol is the same in all.
pub struct Packer<'a> {
    snapshot: &'a Snapshot,
    finder: parts::Finder<'a>,
    target: Rc<Part>,
}

impl<'a> Packer<'a> {
    /// Reads the file and finds the symbol with that name path, or the lines of that name.
    pub fn new(
        snapshot: &'a Snapshot,
        file: &FilePath,
        symbol: &str,
    ) -> Result<Packer<'a>, PackError> {
        let region = snapshot
            .open_document(file)
            .and_then(|document| Region::named(symbol, document.text()));
        Packer::of(snapshot, file, symbol, region.as_slice())
    }

    fn of(
        snapshot: &'a Snapshot,
        file: &FilePath,
        symbol: &str,
        regions: &[Region],
    ) -> Result<Packer<'a>, PackError> {
        let source = Source::exact(snapshot, file)?.with_regions(regions);
        let Some(target) = source.symbol(symbol).cloned() else {
            return Err(PackError::NoSymbol {
                symbol: symbol.to_owned(),
                file: shown_path(snapshot, file),
            });
        };
        let shown = source.shown(&target);
        let shown = Part::new(PackKind::Target, target.path.to_string(), shown);
        if shown.tokens > MAX_TARGET {
            return Err(PackError::TooLong {
                symbol: symbol.to_owned(),
                tokens: shown.tokens,
            });
        }
        Ok(Packer {
            snapshot,
            finder: parts::Finder::new(snapshot, source, target),
            target: Rc::new(shown),
        })
    }

    /// The sizes of what starting `task`, which is about this symbol, would send to a model.
    pub fn sizes(&self, task: &Task, scope: &Scope, model: &Model) -> Result<Sizes, PackError> {
        let pack = self.pack(task, scope, PackTier::of(task.action))?;
        Ok(Sizes {
            prefix_tokens: prompt::prefix_tokens(model),
            pack_tokens: pack.tokens,
            target_tokens: pack.target_tokens,
        })
    }

    /// See [`pack`]. `task` is about this symbol.
    pub fn pack(&self, task: &Task, scope: &Scope, tier: PackTier) -> Result<Pack, PackError> {
        let parts::Finder { source, target, .. } = &self.finder;
        let selected = task
            .selection
            .filter(|range| target.range.contains_range(*range) && !range.is_empty());
        let selected = selected
            .filter(|range| *range != target.range)
            .map(|range| source.text.slice(range));
        let elsewhere;
        let home = if scope.file == task.file {
            source
        } else {
            elsewhere = Source::exact(self.snapshot, &scope.file)?;
            &elsewhere
        };
        let told = prompt::task(self.snapshot, task, scope, source, selected.as_deref());
        let mut filling = Filling {
            budget: tier.budget(),
            used: 0,
            parts: Vec::new(),
        };
        filling.put(Rc::new(Part::new(PackKind::Task, task.title(), told)));
        filling.put(self.target.clone());
        let question = parts::Question { task, scope, home };
        for part in self.finder.parts(&question) {
            if filling.is_full() {
                break;
            }
            filling.offer(part);
        }
        Ok(filling.finish(self.target.tokens))
    }
}

/// A part that could go into a pack.
struct Part {
    kind: PackKind,
    title: String,
    text: String,
    /// Its tokens, by [`ledger::tokens`].
    tokens: u64,
}

impl Part {
    fn new(kind: PackKind, title: String, text: String) -> Part {
        let tokens = ledger::tokens(&text);
        Part {
            kind,
            title,
            text,
            tokens,
        }
    }
}

/// A pack that is being filled.
struct Filling {
    budget: u64,
    used: u64,
    parts: Vec<Rc<Part>>,
}

impl Filling {
    /// Takes a part, whatever its size.
    fn put(&mut self, part: Rc<Part>) {
        self.used += part.tokens + self.overhead(part.kind);
        self.parts.push(part);
    }

    /// Takes a part if there is room for it.
    fn offer(&mut self, part: Rc<Part>) {
        if self.used + part.tokens + self.overhead(part.kind) <= self.budget {
            self.put(part);
        }
    }

    /// Whether nothing of any use would fit.
    fn is_full(&self) -> bool {
        self.used + 12 > self.budget
    }

    /// Tokens of the element around the parts of a kind, and of the line breaks.
    fn overhead(&self, kind: PackKind) -> u64 {
        if self.parts.iter().any(|part| part.kind == kind) {
            1
        } else {
            9
        }
    }

    fn finish(self, target_tokens: u64) -> Pack {
        let mut text = String::new();
        let mut open: Option<PackKind> = None;
        for part in &self.parts {
            if open != Some(part.kind) {
                if let Some(kind) = open {
                    let _ = writeln!(text, "</{}>", kind.tag());
                }
                let _ = writeln!(text, "<{}>", part.kind.tag());
                open = Some(part.kind);
            }
            text.push_str(part.text.trim_end_matches(['\n', '\r']));
            text.push('\n');
        }
        if let Some(kind) = open {
            let _ = writeln!(text, "</{}>", kind.tag());
        }
        let items = self.parts.iter().map(|part| PackItem {
            kind: part.kind,
            title: part.title.clone(),
            tokens: part.tokens,
        });
        Pack {
            tokens: ledger::tokens(&text),
            items: items.collect(),
            text,
            target_tokens,
        }
    }
}

#[cfg(test)]
mod tests;
