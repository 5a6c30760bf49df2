use serde::Serialize;
use text::FilePath;

/// The places that a run may change: symbols of one file, its imports, and room for a few new siblings.
///
/// A scope names symbols by path, so it moves with whatever the user types.
/// It can be narrowed by anyone and widened only by [`Scope::granted`], which the user's word stands behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// The one file.
    pub file: FilePath,
    /// The symbols whose text may change.
    pub targets: Vec<Target>,
    /// Whether the file's imports may change.
    pub imports: bool,
    /// How many new items may still be added beside or inside the targets.
    pub siblings: u8,
}

/// One symbol of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its name path.
    pub symbol: String,
    /// Whether its own text may change; else it only anchors new items.
    pub edit: bool,
}

impl Scope {
    /// The scope of an ordinary action: one symbol, the imports, two new siblings.
    pub fn symbol(file: FilePath, symbol: impl Into<String>) -> Scope {
        Scope {
            file,
            targets: vec![Target {
                symbol: symbol.into(),
                edit: true,
            }],
            imports: true,
            siblings: 2,
        }
    }

    /// The same without the power to change `symbol` itself: it is there to be read and to anchor new items.
    #[must_use]
    pub fn beside(mut self) -> Scope {
        for target in &mut self.targets {
            target.edit = false;
        }
        self
    }

    /// The scope with one symbol more, after the user has said yes to it.
    #[must_use]
    pub fn granted(mut self, symbol: impl Into<String>) -> Scope {
        self.targets.push(Target {
            symbol: symbol.into(),
            edit: true,
        });
        self
    }

    /// The scope after a run has put new items into the room it had: they are its own to edit, and the room is used up.
    #[must_use]
    pub fn with_added(mut self, added: Vec<String>) -> Scope {
        self.siblings = self
            .siblings
            .saturating_sub(u8::try_from(added.len()).unwrap_or(u8::MAX));
        self.targets.extend(
            added
                .into_iter()
                .map(|symbol| Target { symbol, edit: true }),
        );
        self
    }

    /// The scope in a few words, for a refusal or a prompt.
    pub fn describe(&self) -> String {
        let edit: Vec<_> = self
            .targets
            .iter()
            .filter(|t| t.edit)
            .map(|t| format!("`{}`", t.symbol))
            .collect();
        let mut parts = edit;
        if self.imports {
            parts.push("the imports of the file".to_owned());
        }
        match self.siblings {
            0 => {}
            1 => parts.push("1 new item".to_owned()),
            n => parts.push(format!("up to {n} new items")),
        }
        match parts.split_last() {
            None => "nothing".to_owned(),
            Some((only, [])) => only.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        }
    }
}
