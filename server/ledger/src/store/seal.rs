//! Seals: a checksum in each row of money, because SQLite has none for its pages.
//!
//! They find a flipped bit, not a forger.

/// Collects the fields of a row. Each field is closed by its length, so that `ab, c` differs from `a, bc`.
pub(super) struct Seal(u64);

impl Seal {
    /// The seal of an empty row of `table`.
    pub(super) fn of(table: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).text(table)
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).bytes(&text.len().to_le_bytes())
    }

    pub(super) fn integer(self, integer: i64) -> Self {
        self.bytes(&integer.to_le_bytes())
    }

    /// An absent value differs from every present one.
    pub(super) fn optional(self, integer: Option<i64>) -> Self {
        match integer {
            Some(integer) => self.bytes(&[1]).integer(integer),
            None => self.bytes(&[0]),
        }
    }

    pub(super) fn optional_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.bytes(&[1]).text(text),
            None => self.bytes(&[0]),
        }
    }

    pub(super) fn value(self) -> i64 {
        i64::from_le_bytes(self.0.to_le_bytes())
    }

    /// FNV-1a.
    fn bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }
}
