#![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const POINT: i64 = 1_000_000_000_000;

fn outcome(ratio: f64, complete: bool) -> Outcome {
    Outcome {
        kind: "fix".to_owned(),
        model: "m".to_owned(),
        variant: "v".to_owned(),
        point: Money::from_picodollars(POINT),
        low: Money::from_picodollars(POINT / 2),
        high: Money::from_picodollars(POINT * 2),
        actual: Money::from_picodollars((POINT as f64 * ratio) as i64),
        complete,
    }
}

fn history(runs: &[(f64, bool)]) -> History {
    let mut history = History::default();
    for (ratio, complete) in runs {
        history.observe_run(&outcome(*ratio, *complete));
    }
    history
}

fn factors(history: &History, model: &str, variant: &str) -> String {
    let factors = history.factors("fix", model, variant, Spread::Open);
    format!(
        "{:.2} {:.2} {:.2}, {}",
        factors.low, factors.mean, factors.high, factors.basis
    )
}

fn check(runs: &[(f64, bool)], expected: Expect) {
    expected.assert_eq(&factors(&history(runs), "m", "v"));
}

fn complete(ratios: &[f64]) -> Vec<(f64, bool)> {
    ratios.iter().map(|ratio| (*ratio, true)).collect()
}

#[test]
fn without_runs_the_prior_holds() {
    check(&[], expect!["0.40 1.30 2.70, no earlier run"]);
}

#[test]
fn a_few_runs_move_the_centre_of_the_prior() {
    check(
        &complete(&[2.0]),
        expect!["0.43 1.40 2.92, 1 earlier run and the shipped prior"],
    );
    check(
        &complete(&[2.0, 2.0, 2.0, 2.0]),
        expect!["0.54 1.77 3.67, 4 earlier runs and the shipped prior"],
    );
}

#[test]
fn from_nine_runs_on_the_interval_is_made_of_runs() {
    check(
        &complete(&[0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3]),
        expect!["0.50 1.04 1.30, 9 earlier runs"],
    );
}

#[test]
fn a_stopped_run_is_a_lower_bound_and_never_narrows() {
    let mut runs = complete(&[0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3]);
    runs.push((0.4, false));
    runs.push((1.25, false));
    check(&runs, expect!["0.50 1.10 1.30, 11 earlier runs"]);
    // Nothing but stopped runs: the interval is no narrower than the prior.
    check(
        &[(1.0, false); 12],
        expect!["1.00 1.30 2.70, 12 earlier runs"],
    );
}

#[test]
fn a_narrow_group_wins_when_it_has_enough_runs() {
    let mut history = history(&complete(&[1.0; 9]));
    for _ in 0..9 {
        let other = Outcome {
            model: "other".to_owned(),
            ..outcome(3.0, true)
        };
        history.observe_run(&other);
    }
    let lines = [
        factors(&history, "m", "v"),
        factors(&history, "m", "new prompt"),
        factors(&history, "other", "v"),
        factors(&history, "never seen", "v"),
    ];
    expect![[r#"
        1.00 1.00 1.00, 9 earlier runs
        1.00 1.00 1.00, 9 earlier runs
        0.40 3.00 3.00, 9 earlier runs
        0.40 1.77 3.00, 18 earlier runs"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn only_the_newest_runs_count() {
    let mut runs = complete(&[9.0; 200]);
    runs.extend(complete(&[1.0; 200]));
    check(&runs, expect!["1.00 1.00 1.00, 200 earlier runs"]);
}

#[test]
fn runs_that_say_nothing_are_left_out() {
    let mut history = History::default();
    history.observe_run(&outcome(0.0, true));
    history.observe_run(&Outcome {
        point: Money::ZERO,
        ..outcome(1.0, true)
    });
    assert_eq!(
        factors(&history, "m", "v"),
        factors(&History::default(), "m", "v")
    );
    assert_eq!(history.coverage(), Coverage::default());
}

#[test]
fn coverage_is_counted_and_a_stopped_run_counts_only_when_it_was_too_dear() {
    let history = history(&[
        (1.0, true),
        (0.4, true),
        (2.5, true),
        (1.0, false),
        (2.5, false),
    ]);
    assert_eq!(
        history.coverage(),
        Coverage {
            scored: 4,
            within: 1
        }
    );
}

/// A uniform number below 1 from a multiplicative generator.
fn uniform(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// A ratio with the spread of recorded agent runs: the logarithm has a standard deviation of 0.6.
fn lognormal(state: &mut u64) -> f64 {
    let (u, v) = (uniform(state).max(1e-12), uniform(state));
    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    (0.6 * normal).exp()
}

/// Observes one more run that cost `ratio` times its point and was shown the interval of the moment.
fn shown_and_run(history: &mut History, ratio: f64) -> bool {
    let factors = history.factors("fix", "m", "v", Spread::Open);
    let money = |factor: f64| Money::from_picodollars((POINT as f64 * factor) as i64);
    history.observe_run(&Outcome {
        low: money(factors.low),
        high: money(factors.high),
        ..outcome(ratio, true)
    });
    ratio >= factors.low && ratio <= factors.high
}

/// How many of 4,000 runs the interval holds after `runs` earlier ones, in percent.
fn covered(runs: usize, seed: u64) -> f64 {
    let mut state = seed;
    let mut within = 0;
    for _ in 0..100 {
        let mut history = History::default();
        for _ in 0..runs {
            shown_and_run(&mut history, lognormal(&mut state));
        }
        let factors = history.factors("fix", "m", "v", Spread::Open);
        for _ in 0..40 {
            let new = lognormal(&mut state);
            within += u32::from(new >= factors.low && new <= factors.high);
        }
    }
    f64::from(within) / 40.0
}

#[test]
fn four_of_five_runs_are_inside() {
    for (runs, seed) in [(0, 1), (9, 2), (20, 3), (50, 4), (120, 5)] {
        let percent = covered(runs, seed);
        // The shipped prior is meant to be wide; intervals made of runs are meant to be right.
        let meant = if runs == 0 { 80.0..=92.0 } else { 76.0..=86.0 };
        assert!(meant.contains(&percent), "{runs} runs: {percent} %");
    }
}

#[test]
fn the_aim_follows_the_misses() {
    let mut state = 7;
    let mut history = History::default();
    let (mut scored, mut within) = (0, 0);
    for run in 0..600 {
        // Costs drift upwards, which order statistics alone lag behind.
        let ratio = lognormal(&mut state) * (1.0 + f64::from(run) / 300.0);
        let inside = shown_and_run(&mut history, ratio);
        if run >= 100 {
            scored += 1;
            within += u32::from(inside);
        }
    }
    let percent = 100 * within / scored;
    assert!((75..=85).contains(&percent), "{percent} %");
}

#[test]
fn a_family_learns_how_it_counts() {
    let mut history = History::default();
    assert_eq!(history.scale(Tokenizer::Claude5, 1_000), 1_500);
    let settled = |prompt: u64| Usage {
        input: prompt / 2,
        cache_read: prompt - prompt / 2,
        output: 77,
        ..Usage::default()
    };
    let learned: Vec<_> = (0..20)
        .map(|_| {
            history.observe_request(Tokenizer::Claude5, 1_000, &settled(1_300));
            history.scale(Tokenizer::Claude5, 1_000)
        })
        .collect();
    expect!["[1396, 1364, 1347, 1338, 1331, 1327, 1323, 1321, 1319, 1317]"]
        .assert_eq(&format!("{:?}", &learned[..10]));
    assert!(learned.last().unwrap().abs_diff(1_300) <= 13);
    // Another family has learned nothing.
    assert_eq!(history.scale(Tokenizer::O200k, 1_000), 1_000);
}

#[test]
fn a_ratio_out_of_all_reason_is_limited() {
    let mut history = History::default();
    for _ in 0..200 {
        history.observe_request(
            Tokenizer::O200k,
            10,
            &Usage {
                input: 1_000_000,
                ..Usage::default()
            },
        );
    }
    assert_eq!(history.scale(Tokenizer::O200k, 1_000), 2_500);
    history.observe_request(
        Tokenizer::O200k,
        0,
        &Usage {
            input: 5,
            ..Usage::default()
        },
    );
    history.observe_request(Tokenizer::O200k, 5, &Usage::default());
    assert_eq!(history.scale(Tokenizer::O200k, 1_000), 2_500);
}

proptest! {
    /// Without stopped runs the product-limit estimate is the order statistic.
    #[test]
    fn ranks_are_order_statistics(mut ratios in proptest::collection::vec(0.1..10.0_f64, 1..60), rank in 1..60_usize) {
        let group = history(&complete(&ratios)).groups.remove("fix").unwrap();
        ratios.sort_by(f64::total_cmp);
        let expected = ratios.get(rank - 1);
        let found = group.order_statistic(rank).map(f64::exp);
        match (expected, found) {
            (Some(expected), Some(found)) => prop_assert!((expected - found).abs() < 1e-6),
            (expected, found) => prop_assert!(expected.is_none() && found.is_none(), "{expected:?} {found:?}"),
        }
    }

    /// Without stopped runs the mean is the mean, drawn to the shipped one; a stopped run never makes it lower.
    #[test]
    fn means_are_means(ratios in proptest::collection::vec(0.1..10.0_f64, 1..60), stopped in 0.1..10.0_f64) {
        let mean = |runs: &[(f64, bool)], shipped| history(runs).groups["fix"].mean(shipped);
        let plain = ratios.iter().sum::<f64>() / ratios.len() as f64;
        let (count, found) = (ratios.len() as f64, mean(&complete(&ratios), 1.3));
        let drawn = (plain * count + 1.3 * PRIOR_RUNS) / (count + PRIOR_RUNS);
        prop_assert!((found - drawn).abs() < 1e-6, "{found} {drawn}");
        let mut runs = complete(&ratios);
        runs.push((stopped, false));
        let with = |complete| {
            let mut runs = runs.clone();
            runs.last_mut().unwrap().1 = complete;
            mean(&runs, 1.3)
        };
        prop_assert!(with(false) >= with(true) - 1e-9);
    }

    /// A stopped run never makes the upper end lower than leaving it out would.
    #[test]
    fn stopping_never_lowers_the_upper_end(
        ratios in proptest::collection::vec(0.1..10.0_f64, 9..40),
        stopped in 0.1..10.0_f64,
    ) {
        let mut runs = complete(&ratios);
        let group = |runs: &[(f64, bool)]| {
            let mut group = history(runs).groups.remove("fix").unwrap();
            group.aim = MISS;
            group.interval(Spread::Open)
        };
        let without = group(&runs);
        runs.push((stopped, false));
        let with = group(&runs);
        prop_assert!(with.high >= without.high - 1e-9, "{} {}", with.high, without.high);
        prop_assert!(with.low <= with.mean && with.mean <= with.high);
    }
}
