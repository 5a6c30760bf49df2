use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identity of a piece of text: the first 48 bits of its BLAKE3 digest.
///
/// It tells a run whether the text it edits is still the text it read; it is short because models must repeat it.
/// It protects against accidents, not against someone who searches for collisions.
///
/// Shown as twelve hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 6]);

impl Hash {
    /// The hash of `text`.
    pub fn of(text: &str) -> Hash {
        let digest = blake3::hash(text.as_bytes());
        let mut short = [0; 6];
        for (to, from) in short.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Hash(short)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Hash, Self::Err> {
        const FORM: &str = "a hash is twelve hexadecimal digits";
        let digits = s.trim();
        if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let value = u64::from_str_radix(digits, 16).map_err(|_| FORM)?;
        let [_, _, short @ ..] = value.to_be_bytes();
        Ok(Hash(short))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_and_read_back() {
        let hash = Hash::of("fn main() {}");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().len(), 12);
        assert!("+12345678901".parse::<Hash>().is_err());
        assert!("".parse::<Hash>().is_err());
    }
}
