//! Plots as inline SVG: no script, colours from the page's style sheet, and a tooltip on each mark.

use std::fmt::Write as _;

use super::page::escape;

/// How many series have a colour; the last colour is for what is left over.
pub(super) const COLOURS: usize = 6;

/// Bars side by side, each a stack of series.
pub(super) struct Bars<'a> {
    /// The label of each bar, and the amounts of its series from bottom to top.
    pub(super) stacks: Vec<(String, Vec<f64>)>,
    /// The names of the series, for tooltips.
    pub(super) series: &'a [String],
    /// How an amount is written.
    pub(super) amount: fn(f64) -> String,
    /// The top of the axis; the largest bar decides if it is not given.
    pub(super) top: Option<f64>,
    /// In the units of the drawing, as wide as the page has pixels for it.
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Bars<'_> {
    pub(super) fn svg(&self, title: &str) -> String {
        let (left, right, above, below) = (64.0, 4.0, 10.0, 26.0);
        let sum = |amounts: &[f64]| amounts.iter().sum::<f64>();
        let largest =
            (self.stacks.iter()).fold(0.0_f64, |most, (_, amounts)| most.max(sum(amounts)));
        let ticks = match self.top {
            Some(top) => [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| part * top).to_vec(),
            None => ticks(largest),
        };
        let top = ticks.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
        let bottom = self.height - below;
        let y = |amount: f64| bottom - (bottom - above) * amount / top;
        let whole = self.width;
        let mut svg = open(title, whole, self.height);
        for tick in &ticks {
            let at = y(*tick);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                whole - right,
                left - 8.0,
                at + 4.0,
                escape(&(self.amount)(*tick))
            );
        }
        let step = (whole - left - right) / self.stacks.len().max(1) as f64;
        let width = (step * 0.72).min(46.0);
        let every = self.stacks.len().div_ceil((whole / 80.0) as usize).max(1);
        for (index, (label, amounts)) in self.stacks.iter().enumerate() {
            let middle = left + step * (index as f64 + 0.5);
            let mut under = 0.0;
            for (series, amount) in amounts
                .iter()
                .enumerate()
                .filter(|(_, amount)| **amount > 0.0)
            {
                let (from, to) = (y(under), y(under + amount));
                let name = self.series.get(series).map_or("", String::as_str);
                let _ = write!(
                    svg,
                    "<rect class=\"f{}\" x=\"{:.1}\" y=\"{to:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"1.5\">\
                     <title>{} · {} · {}</title></rect>",
                    series.min(COLOURS - 1),
                    middle - width / 2.0,
                    (from - to).max(0.5),
                    escape(label),
                    escape(name),
                    escape(&(self.amount)(*amount)),
                );
                under += amount;
            }
            if index % every == 0 {
                let _ = write!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    self.height - 6.0,
                    escape(label)
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A run in [`scatter`]: what was expected, between what, and what it did cost.
pub(super) struct Point {
    pub(super) low: f64,
    pub(super) expected: f64,
    pub(super) high: f64,
    pub(super) actual: f64,
    pub(super) held: bool,
    /// What the tooltip says.
    pub(super) says: String,
}

/// Estimates against actual costs, both on logarithmic axes. A run's interval is a line along its actual cost; where that
/// line crosses the dashed one, the estimate held.
pub(super) fn scatter(title: &str, points: &[Point], amount: fn(f64) -> String) -> String {
    let (width, height) = (480.0, 340.0);
    let (left, right, above, below) = (72.0, 10.0, 10.0, 46.0);
    let all = points
        .iter()
        .flat_map(|point| [point.low, point.expected, point.high, point.actual])
        .filter(|value| *value > 0.0);
    let (least, most) = all.fold((f64::MAX, 0.0_f64), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    if most <= 0.0 {
        return String::new();
    }
    let (from, to) = (least.log10() - 0.06, most.log10() + 0.06);
    let range = (to - from).max(0.2);
    let along = |value: f64| ((value.max(least).log10() - from) / range).clamp(0.0, 1.0);
    let x = |value: f64| left + (width - left - right) * along(value);
    let y = |value: f64| (height - below) - (height - below - above) * along(value);
    let mut svg = open(title, width, height);
    for tick in decades(least, most) {
        let (across, up) = (x(tick), y(tick));
        let label = escape(&amount(tick));
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{up:.1}\" y2=\"{up:.1}\"/>\
             <line class=\"grid\" x1=\"{across:.1}\" x2=\"{across:.1}\" y1=\"{above}\" y2=\"{}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\
             <text x=\"{across:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            width - right,
            height - below,
            left - 8.0,
            up + 4.0,
            height - below + 18.0,
        );
    }
    let _ = write!(
        svg,
        "<line class=\"exact\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        x(least),
        y(least),
        x(most),
        y(most)
    );
    for point in points {
        let class = if point.held { "held" } else { "missed" };
        let up = y(point.actual);
        let _ = write!(
            svg,
            "<g class=\"{class}\"><title>{}</title>\
             <line class=\"span\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{up:.1}\" y2=\"{up:.1}\"/>\
             <circle cx=\"{:.1}\" cy=\"{up:.1}\" r=\"3.5\" stroke=\"none\"/></g>",
            escape(&point.says),
            x(point.low),
            x(point.high),
            x(point.expected),
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">estimated</text>\
         <text transform=\"translate(10 {:.1}) rotate(-90)\" text-anchor=\"middle\">actual</text></svg>",
        f64::midpoint(left, width - right),
        height - 10.0,
        f64::midpoint(above, height - below),
    );
    svg
}

fn open(title: &str, width: f64, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        escape(title)
    )
}

/// Some four steps from nothing to at least `largest`, each 1, 2 or 5 times a power of ten.
fn ticks(largest: f64) -> Vec<f64> {
    if largest <= 0.0 {
        return vec![0.0, 1.0];
    }
    let rough = largest / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let count = (largest / step).ceil() as u32;
    (0..=count).map(|number| f64::from(number) * step).collect()
}

/// The powers of ten between two amounts, and twice and five times them where there are few.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let (from, to) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    let factors: &[f64] = if to - from <= 3 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    (from..=to)
        .flat_map(|power| {
            factors
                .iter()
                .map(move |factor| factor * 10_f64.powi(power))
        })
        .filter(|tick| (least..=most).contains(tick))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(ticks(0.0), [0.0, 1.0]);
        assert_eq!(ticks(7.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(100.0), [0.0, 50.0, 100.0]);
        assert_eq!(decades(0.003, 0.04), [0.005, 0.01, 0.02]);
        assert_eq!(decades(0.5, 9_000.0), [1.0, 10.0, 100.0, 1_000.0]);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(scatter("a", &[], |amount| amount.to_string()), "");
        let bars = Bars {
            stacks: Vec::new(),
            series: &[],
            amount: |amount| amount.to_string(),
            top: None,
            width: 400.0,
            height: 200.0,
        };
        assert!(bars.svg("a").ends_with("</svg>"));
    }
}
