use std::collections::BTreeMap;

use gate::Operation;
use text::Hash;

/// What this run has made of the symbols it edits.
///
/// A model often sends several edits of one symbol in one answer, all for the text it was shown. The second would be
/// refused as stale although nobody but the run itself has touched the symbol. So a hash that only the run's own edits
/// lie behind is read as the hash of what they led to. Where anyone else changed the symbol, nothing is forgiven.
#[derive(Debug, Default)]
pub(crate) struct Own(BTreeMap<String, Chain>);

#[derive(Debug)]
struct Chain {
    /// Hashes the symbol had before each of the run's own edits, since anyone else touched it.
    before: Vec<Hash>,
    /// The hash after the last.
    now: Hash,
}

impl Own {
    /// The run's edit led from `before` to `now`, and nothing else did.
    pub(crate) fn record(&mut self, symbol: &str, before: Hash, now: Hash) {
        match self.0.get_mut(symbol) {
            Some(chain) if chain.now == before => {
                chain.before.push(before);
                chain.now = now;
            }
            _ => {
                self.0.insert(
                    symbol.to_owned(),
                    Chain {
                        before: vec![before],
                        now,
                    },
                );
            }
        }
    }

    /// Someone else has changed the symbol.
    pub(crate) fn forget(&mut self, symbol: &str) {
        self.0.remove(symbol);
    }

    /// The operation with a hash that is out of date only through the run's own edits brought up to date.
    pub(crate) fn catch_up(&self, mut operation: Operation) -> Operation {
        if let Operation::EditSymbol { symbol, base, .. }
        | Operation::ReplaceSymbol { symbol, base, .. } = &mut operation
            && let Some(chain) = self.0.get(symbol)
            && chain.before.contains(base)
        {
            *base = chain.now;
        }
        operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_after(own: &Own, base: &str) -> Hash {
        let operation = Operation::ReplaceSymbol {
            symbol: "f".to_owned(),
            base: Hash::of(base),
            text: String::new(),
        };
        match own.catch_up(operation) {
            Operation::ReplaceSymbol { base, .. } => base,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_chain_of_own_edits_is_followed() {
        let mut own = Own::default();
        assert_eq!(base_after(&own, "a"), Hash::of("a"));
        own.record("f", Hash::of("a"), Hash::of("b"));
        own.record("f", Hash::of("b"), Hash::of("c"));
        assert_eq!(base_after(&own, "a"), Hash::of("c"));
        assert_eq!(base_after(&own, "b"), Hash::of("c"));
        assert_eq!(base_after(&own, "z"), Hash::of("z"));
        // Between c and d somebody typed: what was read before that is out of date for good.
        own.record("f", Hash::of("d"), Hash::of("e"));
        assert_eq!(base_after(&own, "a"), Hash::of("a"));
        assert_eq!(base_after(&own, "d"), Hash::of("e"));
        own.forget("f");
        assert_eq!(base_after(&own, "d"), Hash::of("d"));
    }
}
