use tree_sitter::Language;

/// Stands for "any field or none" in a pattern, for "none" at a child.
pub(crate) const NO_FIELD: u16 = 0;

/// What patterns ask of the children of a node: to look at more of them, and at more about them, takes time.
#[derive(Default, Clone)]
pub(crate) struct Asks {
    /// Whether those without a name matter.
    pub(crate) signs: bool,
    /// The kinds of which the field matters.
    fields_of: Kinds,
    /// Whether the field matters of any kind.
    pub(crate) fields_of_any: bool,
    names: Vec<(Box<str>, u16)>,
}

impl Asks {
    /// Whether the field of a child of that kind matters.
    pub(crate) fn field_of(&self, kind: u16) -> bool {
        self.fields_of_any || self.fields_of.contains(kind)
    }

    /// The field of that name, if somebody asks for it.
    pub(crate) fn field(&self, name: Option<&str>) -> u16 {
        let Some(name) = name else {
            return NO_FIELD;
        };
        let known = self.names.iter().find(|(known, _)| **known == *name);
        known.map_or(NO_FIELD, |(_, field)| *field)
    }

    pub(crate) fn add_field(&mut self, language: &Language, field: u16) {
        if let Some(name) = language.field_name_for_id(field)
            && self.names.iter().all(|(_, known)| *known != field)
        {
            self.names.push((name.into(), field));
        }
    }

    pub(crate) fn add_field_of(&mut self, kinds: &Kinds) {
        self.fields_of.join(kinds);
    }
}

/// A set of kinds of nodes.
#[derive(Default, Clone)]
pub(crate) struct Kinds {
    /// A bit for each.
    bits: Vec<u64>,
    errors: bool,
}

/// The kind of a part of a syntax error; that of the error itself is above it.
const ERROR: u16 = u16::MAX - 1;

impl Kinds {
    /// Those that have a name.
    pub(crate) fn named(language: &Language) -> Kinds {
        let mut named = Kinds::default();
        let kinds = 0..language.node_kind_count() as u16;
        kinds
            .filter(|kind| language.node_kind_is_named(*kind))
            .for_each(|kind| named.add(kind));
        named.add(ERROR);
        named
    }

    pub(crate) fn contains(&self, kind: u16) -> bool {
        match self.bits.get(usize::from(kind) / 64) {
            Some(bits) => bits >> (kind % 64) & 1 == 1,
            None => kind >= ERROR && self.errors,
        }
    }

    pub(crate) fn add(&mut self, kind: u16) {
        if kind >= ERROR {
            self.errors = true;
            return;
        }
        let at = usize::from(kind) / 64;
        if self.bits.len() <= at {
            self.bits.resize(at + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(at) {
            *bits |= 1 << (kind % 64);
        }
    }

    /// Whether all of these are among others.
    pub(crate) fn is_in(&self, others: &Kinds) -> bool {
        let others = others.bits.iter().copied().chain(std::iter::repeat(0));
        self.bits
            .iter()
            .zip(others)
            .all(|(bits, others)| bits & !others == 0)
    }

    pub(crate) fn join(&mut self, other: &Kinds) {
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        for (bits, more) in self.bits.iter_mut().zip(&other.bits) {
            *bits |= more;
        }
        self.errors |= other.errors;
    }
}
