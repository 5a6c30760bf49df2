use serde_json::Value;

use crate::error::Billed;
use crate::usage::Usage;

/// Keeps the usage of one attempt. Every report is the whole so far, and the last one, which comes with the reason to
/// stop or after it, is the bill. A server that sends none leaves the bill unknown, which is not zero.
#[derive(Debug, Default)]
pub(super) struct Meter {
    usage: Option<Usage>,
    /// Whether both sides of a report were there.
    whole: bool,
    /// Whether the last report came when the answer was complete.
    last: bool,
}

impl Meter {
    /// Takes a report in; `stopped` says whether the answer is complete. Returns the usage so far.
    pub(super) fn report(&mut self, report: &Value, stopped: bool) -> Option<Usage> {
        let (usage, whole) = disjoint(report)?;
        self.usage = Some(usage);
        self.whole = whole;
        self.last = stopped;
        self.usage
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage.unwrap_or_default()
    }

    /// What the attempt costs if the answer is complete.
    pub(super) fn complete(&self) -> Billed {
        match self.usage {
            Some(usage) if self.whole && self.last => Billed::Exactly(usage),
            _ => self.so_far(),
        }
    }

    /// What the attempt costs if nothing more is heard of it.
    pub(super) fn so_far(&self) -> Billed {
        self.usage.map_or(Billed::Unknown, Billed::AtLeast)
    }
}

/// A report in disjoint classes, and whether it has both prompt and answer. `None` if it says nothing.
fn disjoint(report: &Value) -> Option<(Usage, bool)> {
    let prompt = tokens(report, "prompt_tokens");
    let completion = tokens(report, "completion_tokens");
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let details = &report["prompt_tokens_details"];
    let first = |places: &[(&Value, &str)]| {
        places
            .iter()
            .find_map(|(table, field)| tokens(table, field))
            .unwrap_or(0)
    };
    // The vendor's own names first, then DeepSeek's, then those that gateways pass through from Anthropic.
    let read = first(&[
        (details, "cached_tokens"),
        (report, "prompt_cache_hit_tokens"),
        (report, "cache_read_input_tokens"),
    ]);
    let written = first(&[
        (details, "cache_write_tokens"),
        (details, "cache_creation_tokens"),
        (report, "cache_creation_input_tokens"),
    ]);
    let (prompt_tokens, completion_tokens) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    // Some servers leave reasoning out of `completion_tokens` and count it in the total alone; it is billed.
    let unnamed = tokens(report, "total_tokens")
        .map_or(0, |total| total.saturating_sub(prompt_tokens))
        .saturating_sub(completion_tokens);
    let usage = Usage {
        // What was read and what was written are parts of the prompt here. A server that counts them apart cannot be
        // told from one that counts wrong, and nothing is left out of the bill either way.
        input: prompt_tokens.saturating_sub(read.saturating_add(written)),
        cache_write_5m: written,
        cache_write_1h: 0,
        cache_read: read,
        output: completion_tokens.saturating_add(if prompt.is_some() { unnamed } else { 0 }),
    };
    Some((usage, prompt.is_some() && completion.is_some()))
}

fn tokens(report: &Value, field: &str) -> Option<u64> {
    report.get(field)?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usage(input: u64, written: u64, read: u64, output: u64) -> Usage {
        Usage {
            input,
            cache_write_5m: written,
            cache_write_1h: 0,
            cache_read: read,
            output,
        }
    }

    #[track_caller]
    fn check(report: &Value, expected: Billed) {
        let mut meter = Meter::default();
        meter.report(report, true);
        assert_eq!(meter.complete(), expected);
    }

    #[test]
    fn cached_and_written_tokens_are_parts_of_the_prompt() {
        check(
            &json!({"prompt_tokens": 5000, "completion_tokens": 70, "total_tokens": 5070,
                "prompt_tokens_details": {"cached_tokens": 3000, "cache_write_tokens": 1500},
                "completion_tokens_details": {"reasoning_tokens": 50}}),
            Billed::Exactly(usage(500, 1500, 3000, 70)),
        );
        // As a gateway words it that stands before Anthropic's API.
        check(
            &json!({"prompt_tokens": 5000, "completion_tokens": 70,
                "cache_read_input_tokens": 3000, "cache_creation_input_tokens": 1500}),
            Billed::Exactly(usage(500, 1500, 3000, 70)),
        );
        // DeepSeek.
        check(
            &json!({"prompt_tokens": 5000, "completion_tokens": 70,
                "prompt_cache_hit_tokens": 4096, "prompt_cache_miss_tokens": 904}),
            Billed::Exactly(usage(904, 0, 4096, 70)),
        );
    }

    #[test]
    fn reasoning_that_only_the_total_counts_is_billed() {
        check(
            &json!({"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 400,
                "completion_tokens_details": {"reasoning_tokens": 291}}),
            Billed::Exactly(usage(100, 0, 0, 300)),
        );
    }

    #[test]
    fn absent_numbers_are_unknown_and_absurd_ones_are_ignored() {
        check(&json!({}), Billed::Unknown);
        check(
            &json!({"prompt_tokens": null, "total_tokens": 7}),
            Billed::Unknown,
        );
        check(
            &json!({"prompt_tokens": -4, "completion_tokens": "9"}),
            Billed::Unknown,
        );
        check(
            &json!({"prompt_tokens": 4}),
            Billed::AtLeast(usage(4, 0, 0, 0)),
        );
        check(
            &json!({"prompt_tokens": 10, "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 90}}),
            Billed::Exactly(usage(0, 0, 90, 1)),
        );
        let most = u64::MAX;
        check(
            &json!({"prompt_tokens": most, "completion_tokens": most, "total_tokens": most}),
            Billed::Exactly(usage(most, 0, 0, most)),
        );
    }

    #[test]
    fn a_running_total_is_the_bill_only_at_the_end() {
        let mut meter = Meter::default();
        meter.report(&json!({"prompt_tokens": 5, "completion_tokens": 1}), false);
        assert_eq!(meter.complete(), Billed::AtLeast(usage(5, 0, 0, 1)));
        meter.report(&json!({"prompt_tokens": 5, "completion_tokens": 8}), true);
        assert_eq!(meter.complete(), Billed::Exactly(usage(5, 0, 0, 8)));
        assert_eq!(meter.so_far(), Billed::AtLeast(usage(5, 0, 0, 8)));
    }
}
