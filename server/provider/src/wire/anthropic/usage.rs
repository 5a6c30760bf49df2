use serde_json::Value;

use crate::error::Billed;
use crate::usage::Usage;

/// Keeps the usage of one attempt while the stream reports it.
///
/// Every report is cumulative: a field that is present overwrites, a field that is absent or `null` keeps. The split of
/// cache writes by lifetime comes only with the first report.
#[derive(Debug)]
pub(super) struct Meter {
    usage: Usage,
    /// The sum of the attempts behind this answer, when the provider lists them. The other numbers cover only the
    /// attempt that produced the message.
    iterations: Option<Usage>,
    /// The lifetime to assume for cache writes whose split is not told.
    hour_asked: bool,
    input_known: bool,
    output_final: bool,
}

impl Meter {
    pub(super) fn new(hour_asked: bool) -> Meter {
        Meter {
            usage: Usage::default(),
            iterations: None,
            hour_asked,
            input_known: false,
            output_final: false,
        }
    }

    /// The usage of `message_start`, whose output count is a seed.
    pub(super) fn start(&mut self, report: &Value) {
        self.overwrite(report);
    }

    /// The usage of a `message_delta`.
    pub(super) fn delta(&mut self, report: &Value) {
        self.overwrite(report);
        self.output_final |= tokens(report, "output_tokens").is_some();
    }

    pub(super) fn usage(&self) -> Usage {
        self.iterations.unwrap_or(self.usage)
    }

    /// What the attempt costs if the answer is complete.
    pub(super) fn complete(&self) -> Billed {
        if self.input_known && self.output_final {
            Billed::Exactly(self.usage())
        } else {
            self.so_far()
        }
    }

    /// What the attempt costs if nothing more is heard of it.
    pub(super) fn so_far(&self) -> Billed {
        if self.input_known || self.output_final {
            Billed::AtLeast(self.usage())
        } else {
            Billed::Unknown
        }
    }

    fn overwrite(&mut self, report: &Value) {
        self.input_known |= tokens(report, "input_tokens").is_some();
        overwrite(&mut self.usage, report, self.hour_asked);
        if let Some(iterations) = report
            .get("iterations")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
        {
            let mut sum = Usage::default();
            for iteration in iterations {
                let mut usage = Usage::default();
                overwrite(&mut usage, iteration, self.hour_asked);
                sum += usage;
            }
            self.iterations = Some(sum);
        }
    }
}

fn overwrite(usage: &mut Usage, report: &Value, hour_asked: bool) {
    if let Some(input) = tokens(report, "input_tokens") {
        usage.input = input;
    }
    if let Some(read) = tokens(report, "cache_read_input_tokens") {
        usage.cache_read = read;
    }
    if let Some(output) = tokens(report, "output_tokens") {
        usage.output = output;
    }
    if let Some(split) = report.get("cache_creation") {
        if let Some(written) = tokens(split, "ephemeral_5m_input_tokens") {
            usage.cache_write_5m = written;
        }
        if let Some(written) = tokens(split, "ephemeral_1h_input_tokens") {
            usage.cache_write_1h = written;
        }
    }
    if let Some(written) = tokens(report, "cache_creation_input_tokens") {
        set_written(usage, written, hour_asked);
    }
}

/// Makes both classes of cache writes add up to `written`, and keeps the known split as far as that allows.
fn set_written(usage: &mut Usage, written: u64, hour_asked: bool) {
    if hour_asked {
        usage.cache_write_5m = usage.cache_write_5m.min(written);
        usage.cache_write_1h = written - usage.cache_write_5m;
    } else {
        usage.cache_write_1h = usage.cache_write_1h.min(written);
        usage.cache_write_5m = written - usage.cache_write_1h;
    }
}

fn tokens(report: &Value, field: &str) -> Option<u64> {
    report.get(field)?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(hour_asked: bool, start: Value, deltas: &[Value], expected: Billed) {
        let mut meter = Meter::new(hour_asked);
        meter.start(&start);
        for delta in deltas {
            meter.delta(delta);
        }
        assert_eq!(meter.complete(), expected);
    }

    const NONE: Usage = Usage {
        input: 0,
        cache_write_5m: 0,
        cache_write_1h: 0,
        cache_read: 0,
        output: 0,
    };

    #[test]
    fn a_later_report_overwrites_what_it_names() {
        check(
            false,
            json!({"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}),
            &[
                json!({"output_tokens": 20, "input_tokens": null}),
                json!({"output_tokens": 30, "input_tokens": 12}),
            ],
            Billed::Exactly(Usage {
                input: 12,
                cache_read: 5,
                output: 30,
                ..NONE
            }),
        );
    }

    #[test]
    fn the_split_of_cache_writes_survives_the_delta() {
        let start = json!({"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}});
        let split = Usage {
            input: 1,
            cache_write_5m: 100,
            cache_write_1h: 200,
            output: 9,
            ..NONE
        };
        check(
            false,
            start.clone(),
            &[json!({"output_tokens": 9, "cache_creation_input_tokens": 300})],
            Billed::Exactly(split),
        );
        check(
            true,
            start.clone(),
            &[json!({"output_tokens": 9, "cache_creation_input_tokens": 350})],
            Billed::Exactly(Usage {
                cache_write_1h: 250,
                ..split
            }),
        );
        check(
            false,
            start,
            &[json!({"output_tokens": 9, "cache_creation_input_tokens": 50})],
            Billed::Exactly(Usage {
                cache_write_5m: 0,
                cache_write_1h: 50,
                ..split
            }),
        );
    }

    #[test]
    fn writes_without_a_split_take_the_lifetime_that_was_asked_for() {
        let start = json!({"input_tokens": 1, "cache_creation_input_tokens": 7});
        let end = [json!({"output_tokens": 2})];
        check(
            false,
            start.clone(),
            &end,
            Billed::Exactly(Usage {
                input: 1,
                cache_write_5m: 7,
                output: 2,
                ..NONE
            }),
        );
        check(
            true,
            start,
            &end,
            Billed::Exactly(Usage {
                input: 1,
                cache_write_1h: 7,
                output: 2,
                ..NONE
            }),
        );
    }

    #[test]
    fn absent_numbers_are_unknown_and_absurd_ones_are_ignored() {
        check(false, json!({}), &[json!({})], Billed::Unknown);
        check(
            false,
            json!({"input_tokens": 4, "output_tokens": 1}),
            &[],
            Billed::AtLeast(Usage {
                input: 4,
                output: 1,
                ..NONE
            }),
        );
        check(
            false,
            json!({}),
            &[json!({"output_tokens": 3})],
            Billed::AtLeast(Usage { output: 3, ..NONE }),
        );
        check(
            false,
            json!({"input_tokens": -4}),
            &[json!({"output_tokens": "9"})],
            Billed::Unknown,
        );
        let most = u64::MAX;
        check(
            false,
            json!({"input_tokens": most}),
            &[json!({"output_tokens": 1, "iterations": [
                {"input_tokens": most, "output_tokens": most},
                {"input_tokens": 1, "output_tokens": 1},
            ]})],
            Billed::Exactly(Usage {
                input: most,
                output: most,
                ..NONE
            }),
        );
    }
}
