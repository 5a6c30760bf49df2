//! What earlier runs teach about later ones: how far costs were from their estimates, and how a family of models counts
//! tokens. In memory, a function of the ledger's rows alone; estimates read it without touching the disk.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::{
    Money, Tokenizer, Usage,
    estimate::{Basis, priors::Spread},
};

/// Experience with runs and requests. Cheap to read; [`crate::Ledger::history`] hands out the current one.
#[derive(Clone, Debug, Default)]
pub struct History {
    groups: HashMap<String, Group>,
    ratios: BTreeMap<Tokenizer, Ratio>,
    coverage: Coverage,
}

/// How often actual costs were inside their intervals, out of 80 in 100 that should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Runs that ended on their own and had an interval.
    pub scored: u32,
    /// Those whose cost was inside it.
    pub within: u32,
}

/// A run that has ended, and what was expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind of action.
    pub kind: String,
    /// The model that the estimate was made for.
    pub model: String,
    /// Effort and prompt version.
    pub variant: String,
    /// The estimate's computed cost.
    pub point: Money,
    /// The lower end of the estimate.
    pub low: Money,
    /// The upper end of the estimate.
    pub high: Money,
    /// What the run and all runs under it did cost.
    pub actual: Money,
    /// Whether the run came to its own end. One that was stopped would have cost more: its cost is a lower bound.
    pub complete: bool,
}

/// The ends of an interval and the mean, as multiples of the computed cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors {
    pub(crate) low: f64,
    pub(crate) mean: f64,
    pub(crate) high: f64,
    pub(crate) basis: Basis,
}

/// Runs remembered of each group; older ones say little about today's models and prompts.
pub(crate) const NEWEST: usize = 200;
/// With fewer, the tenth and the ninetieth percentile lie outside the sample.
const ENOUGH: usize = 9;
/// One run in five may fall outside: one in ten at each end.
const MISS: f64 = 0.2;
/// The shipped mean counts as much as so many runs: that of few runs is at the mercy of one that went on for long.
const PRIOR_RUNS: f64 = 9.0;
/// How fast the share of misses that is aimed at answers to the share that is seen.
const ADAPT: f64 = 0.02;
/// Weight of the newest request in a family's ratio.
const NEW_REQUEST: f64 = 0.1;
/// Real tokens for an estimated one. Beyond this the estimate was not of this request.
const RATIO_LIMITS: (f64, f64) = (0.5, 2.5);

impl History {
    /// How many tokens of `tokenizer` a text of `o200k` [`crate::tokens`] has, as far as settled requests tell.
    pub fn scale(&self, tokenizer: Tokenizer, o200k: u64) -> u64 {
        let ratio = self
            .ratios
            .get(&tokenizer)
            .map_or(tokenizer.multiplier(), |ratio| ratio.logarithm.exp());
        (o200k as f64 * ratio).round() as u64
    }

    /// Learns from a settled request, whose text had `o200k` [`crate::tokens`], how the family counts.
    pub fn observe_request(&mut self, tokenizer: Tokenizer, o200k: u64, usage: &Usage) {
        if o200k == 0 || usage.prompt() == 0 {
            return;
        }
        let seen = usage.prompt() as f64 / o200k as f64;
        let seen = seen.clamp(RATIO_LIMITS.0, RATIO_LIMITS.1).ln();
        let ratio = self.ratios.entry(tokenizer).or_insert(Ratio {
            logarithm: tokenizer.multiplier().ln(),
            requests: 1,
        });
        ratio.requests = ratio.requests.saturating_add(1);
        // The first requests weigh more, as if the shipped multiplier had been one request.
        let weight = NEW_REQUEST.max(1.0 / f64::from(ratio.requests));
        ratio.logarithm += weight * (seen - ratio.logarithm);
    }

    /// Learns from a run that has ended.
    pub fn observe_run(&mut self, outcome: &Outcome) {
        let (point, actual) = (
            outcome.point.picodollars() as f64,
            outcome.actual.picodollars() as f64,
        );
        // What was free, or never sent anything, says nothing about cost.
        if point <= 0.0 || actual <= 0.0 {
            return;
        }
        let inside = if outcome.actual > outcome.high {
            Some(false)
        } else if outcome.complete {
            Some(outcome.actual >= outcome.low)
        } else {
            None
        };
        if let Some(inside) = inside {
            self.coverage.scored += 1;
            self.coverage.within += u32::from(inside);
        }
        let residual = Residual {
            logarithm: (actual / point).ln(),
            complete: outcome.complete,
        };
        for key in keys(&outcome.kind, &outcome.model, &outcome.variant) {
            self.groups
                .entry(key)
                .or_default()
                .observe(residual, inside);
        }
    }

    /// How often intervals held so far.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// The interval of the narrowest group with enough runs; else the prior, moved by the runs of the kind.
    pub(crate) fn factors(
        &self,
        kind: &str,
        model: &str,
        variant: &str,
        spread: Spread,
    ) -> Factors {
        let groups = keys(kind, model, variant).map(|key| self.groups.get(&key));
        let [_, _, whole_kind] = groups;
        match groups
            .into_iter()
            .flatten()
            .find(|group| group.len() >= ENOUGH)
        {
            Some(group) => group.interval(spread),
            None => whole_kind.map_or_else(
                || Group::default().blend(spread),
                |group| group.blend(spread),
            ),
        }
    }
}

/// The groups that a run belongs to, narrowest first.
fn keys(kind: &str, model: &str, variant: &str) -> [String; 3] {
    [
        format!("{kind}\0{model}\0{variant}"),
        format!("{kind}\0{model}"),
        kind.to_owned(),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Ratio {
    logarithm: f64,
    requests: u32,
}

/// The logarithm of actual cost over computed cost; a lower bound of it if the run was stopped.
#[derive(Clone, Copy, Debug)]
struct Residual {
    logarithm: f64,
    complete: bool,
}

#[derive(Clone, Debug)]
struct Group {
    /// Oldest first.
    residuals: VecDeque<Residual>,
    /// By value; of equal values the complete ones first. Kept so that an estimate does not sort.
    sorted: Vec<Residual>,
    /// The share of misses that intervals aim at, so that the long-run share comes to [`MISS`].
    aim: f64,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            residuals: VecDeque::new(),
            sorted: Vec::new(),
            aim: MISS,
        }
    }
}

impl Group {
    fn len(&self) -> usize {
        self.residuals.len()
    }

    fn observe(&mut self, residual: Residual, inside: Option<bool>) {
        self.residuals.push_back(residual);
        if self.residuals.len() > NEWEST {
            self.residuals.pop_front();
        }
        self.sorted = self.residuals.iter().copied().collect();
        self.sorted.sort_by(|a, b| {
            let by_value = a.logarithm.total_cmp(&b.logarithm);
            by_value.then(b.complete.cmp(&a.complete))
        });
        if let Some(inside) = inside {
            let missed = if inside { 0.0 } else { 1.0 };
            self.aim = (self.aim + ADAPT * (MISS - missed)).clamp(0.02, 0.5);
        }
    }

    /// The interval of order statistics: split-conformal, one-sided at each end.
    fn interval(&self, spread: Spread) -> Factors {
        let prior = spread.factors();
        let runs = self.len();
        let extended = runs as f64 + 1.0;
        // A hair less, because 10 × 0.9 must not become 9.000000001 and round up.
        let upper_rank = (extended * (1.0 - self.aim / 2.0) - 1e-9).ceil() as usize;
        let lower_rank = (extended * self.aim / 2.0 + 1e-9).floor() as usize;
        let largest = self.sorted.last().map_or(0.0, |last| last.logarithm);
        let smallest = self.sorted.first().map_or(0.0, |first| first.logarithm);
        let beyond = |end: f64| largest.max(end);
        let high = self
            .order_statistic(upper_rank)
            .unwrap_or_else(|| beyond(prior.1.ln()));
        let middle = self
            .order_statistic(runs.div_ceil(2))
            .unwrap_or_else(|| beyond(0.0));
        let low = match lower_rank {
            0 => smallest.min(prior.0.ln()),
            rank => self.order_statistic(rank).unwrap_or(smallest),
        };
        let (low, high) = (low.min(middle).exp(), high.max(middle).exp());
        Factors {
            low,
            mean: self.mean(middle.exp() * spread.mean()).clamp(low, high),
            high,
            basis: Basis::History(u32::try_from(runs).unwrap_or(u32::MAX)),
        }
    }

    /// The prior's interval with its centre moved towards the runs, the more the more there are.
    fn blend(&self, spread: Spread) -> Factors {
        let prior = spread.factors();
        let runs = self.len();
        let weight = (runs as f64 / ENOUGH as f64).min(1.0);
        let largest = self.sorted.last().map_or(0.0, |last| last.logarithm);
        let centre = self
            .order_statistic(runs.div_ceil(2))
            .unwrap_or(largest.max(0.0));
        let middle = (weight * centre).exp();
        Factors {
            low: middle * prior.0,
            mean: middle * spread.mean(),
            high: middle * prior.1,
            basis: match u32::try_from(runs) {
                Ok(0) => Basis::Prior,
                runs => Basis::Blended(runs.unwrap_or(u32::MAX)),
            },
        }
    }

    /// The mean factor of the runs, with `shipped` for some more.
    ///
    /// A stopped run counts as much as those that went on from there did on average (the area under the product-limit
    /// estimate); with nothing seen beyond it, as the shipped mean or what it had cost already.
    fn mean(&self, shipped: f64) -> f64 {
        let runs = self.len() as f64;
        let (mut surviving, mut mean) = (1.0, 0.0);
        for (below, residual) in self.sorted.iter().enumerate() {
            if residual.complete {
                let ended = surviving / (self.sorted.len() - below) as f64;
                surviving -= ended;
                mean += ended * residual.logarithm.exp();
            }
        }
        let largest = self.sorted.last().map_or(0.0, |last| last.logarithm.exp());
        mean += surviving * largest.max(shipped);
        (mean * runs + shipped * PRIOR_RUNS) / (runs + PRIOR_RUNS)
    }

    /// The residual of rank `rank` out of all, counted from 1; `None` if it lies beyond what was seen to the end.
    ///
    /// A stopped run stands for some larger residual, so its rank is handed on to the runs above it (the
    /// product-limit estimate). Without stopped runs this is the plain order statistic.
    fn order_statistic(&self, rank: usize) -> Option<f64> {
        let runs = self.len() as f64;
        let wanted = rank as f64 / runs - 1e-9;
        let mut surviving = 1.0;
        for (below, residual) in self.sorted.iter().enumerate() {
            let at_risk = (self.sorted.len() - below) as f64;
            if residual.complete {
                surviving *= 1.0 - 1.0 / at_risk;
            }
            if residual.complete && 1.0 - surviving >= wanted {
                return Some(residual.logarithm);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
