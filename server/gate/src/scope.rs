use serde::Serialize;
use text::{Bias, EditSet, FilePath, Range, Text};

/// The places that a run may change: symbols of one file, its imports, and room for a few new siblings.
///
/// A scope names symbols by path, so it moves with whatever the user types.
/// Where no symbol can be named (between items, in a macro's body, in code that does not parse) it has regions, which
/// whoever keeps the scope moves with [`Region::moved`].
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
    /// Whole lines that may change as text; where they are in the text that is judged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
}

/// Lines of a file that may change whatever they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// What tools call it, for as long as the run lasts: `@12-40` for the lines it began as, or `@file`.
    pub name: String,
    /// Where it is now.
    pub range: Range,
}

/// The name of the region that is always the whole file.
const WHOLE_FILE: &str = "@file";

impl Region {
    /// Whether a name is that of a region rather than of a symbol.
    pub fn is_name(name: &str) -> bool {
        name.starts_with('@') && Region::lines(name).is_some()
    }

    /// The region of that name in a text that nobody has changed since the name was given: `@file`, `@12` or `@12-40`.
    ///
    /// `None` for a name that is none, and for lines that are not there.
    pub fn named(name: &str, text: &Text) -> Option<Region> {
        let (first, last) = Region::lines(name)?;
        let range = if name == WHOLE_FILE {
            Range::new(0, text.len())
        } else if last <= text.lines() {
            Range::new(text.line_start(first - 1), text.line_start(last))
        } else {
            return None;
        };
        Some(Region {
            name: name.to_owned(),
            range,
        })
    }

    /// The lines of a name, counted from 1, both included; any for the whole file.
    fn lines(name: &str) -> Option<(usize, usize)> {
        if name == WHOLE_FILE {
            return Some((1, 1));
        }
        let lines = name.strip_prefix('@')?;
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<usize>().ok()).flatten()
        };
        let (first, last) = (number(first)?, number(last)?);
        (1 <= first && first <= last).then_some((first, last))
    }

    /// Where it is after a change by somebody else, which leads to `after`.
    ///
    /// What is put in right at its edges does not belong to it; what replaces all of it does.
    #[must_use]
    pub fn moved(mut self, edits: &EditSet, after: usize) -> Region {
        let replaced =
            |edit: &text::Edit| edit.range.contains_range(self.range) && !edit.range.is_empty();
        if self.name == WHOLE_FILE {
            self.range = Range::new(0, after);
        } else if self.range.is_empty() || edits.edits().iter().any(replaced) {
            return self.grown(edits, after);
        } else {
            self.range = edits.map_range(self.range);
        }
        self
    }

    /// Where it is after the run's own change, which leads to `after`: what it put in at the edges belongs to it.
    #[must_use]
    pub fn grown(mut self, edits: &EditSet, after: usize) -> Region {
        self.range = if self.name == WHOLE_FILE {
            Range::new(0, after)
        } else {
            Range::new(
                edits.map_offset(self.range.start, Bias::Before),
                edits.map_offset(self.range.end, Bias::After),
            )
        };
        self
    }
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
            regions: Vec::new(),
        }
    }

    /// The scope of an action on lines that are in no symbol: these lines, and the imports.
    pub fn region(file: FilePath, region: Region) -> Scope {
        Scope {
            file,
            targets: Vec::new(),
            imports: true,
            siblings: 0,
            regions: vec![region],
        }
    }

    /// The scope with one region more, after the user has said yes to it.
    #[must_use]
    pub fn granted_region(mut self, region: Region) -> Scope {
        self.regions.push(region);
        self
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

    /// The scope after a run has proposed as many new items that nobody has decided on yet.
    #[must_use]
    pub fn with_room_used(mut self, added: usize) -> Scope {
        self.siblings = self
            .siblings
            .saturating_sub(u8::try_from(added).unwrap_or(u8::MAX));
        self
    }

    /// Whether a region holds all of `range`.
    pub fn has_lines(&self, range: Range) -> bool {
        self.regions
            .iter()
            .any(|region| region.range.contains_range(range))
    }

    /// The scope after a change that leads to a text of `after` bytes.
    ///
    /// `own` is what the run's own change was addressed to: that region takes in what was put at its edges.
    #[must_use]
    pub fn moved(&self, edits: &EditSet, after: usize, own: Option<&str>) -> Scope {
        let mut scope = self.clone();
        for region in &mut scope.regions {
            let was = region.clone();
            *region = if own == Some(region.name.as_str()) {
                was.grown(edits, after)
            } else {
                was.moved(edits, after)
            };
        }
        scope
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
        parts.extend(
            self.regions
                .iter()
                .map(|region| format!("`{}`", region.name)),
        );
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
