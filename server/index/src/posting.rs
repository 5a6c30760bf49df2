//! Which files have to do with a name.

/// What a file does with a name; several at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Uses(u32);

impl Uses {
    /// It defines a symbol of that name.
    pub(crate) const DEFINES: Uses = Uses(1);
    /// It has a reference to the name.
    pub(crate) const REFERS: Uses = Uses(2);
    /// The name is part of the path of a module it imports.
    pub(crate) const IMPORTS: Uses = Uses(4);
    /// It has a function of the shape that the name is the code of; nobody refers to such a name.
    pub(crate) const LOOKS: Uses = Uses::REFERS;
    /// One of the references is in a test case.
    pub(crate) const TESTS: Uses = Uses(8);

    /// How many bits they take.
    pub(crate) const BITS: u32 = 4;
    /// Those bits.
    pub(crate) const MASK: u32 = (1 << Uses::BITS) - 1;

    pub(crate) fn bits(self) -> u8 {
        self.0 as u8
    }

    /// Other bits than those of uses are left out.
    pub(crate) fn from_bits(bits: u8) -> Uses {
        Uses(u32::from(bits) & Uses::MASK)
    }

    pub(crate) fn and(self, other: Uses) -> Uses {
        Uses(self.0 | other.0)
    }

    pub(crate) fn includes(self, other: Uses) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The files that use one name, by number, four bytes each.
///
/// A change copies the list if a snapshot shares it. That is the one cost that grows with the workspace, and it grows
/// slowly: a name in every one of 100,000 files takes 400 kB.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Posting(Vec<u32>);

/// The highest number that a file can have.
pub(crate) const MAX_FILES: u32 = u32::MAX >> Uses::BITS;

impl Posting {
    /// Says what a file does with the name from now on.
    pub(crate) fn set(&mut self, file: u32, uses: Uses) {
        let place = self.0.partition_point(|entry| entry >> Uses::BITS < file);
        let known = self
            .0
            .get(place)
            .is_some_and(|entry| entry >> Uses::BITS == file);
        let entry = file << Uses::BITS | uses.0;
        match (known, uses == Uses::default()) {
            (true, true) => {
                self.0.remove(place);
            }
            (true, false) => self.0[place] = entry,
            (false, true) => {}
            (false, false) => self.0.insert(place, entry),
        }
    }

    /// The files that use the name in this way.
    pub(crate) fn files(&self, uses: Uses) -> impl Iterator<Item = u32> {
        let fitting = move |entry: &&u32| Uses(**entry & Uses::MASK).includes(uses);
        self.0
            .iter()
            .filter(fitting)
            .map(|entry| entry >> Uses::BITS)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
