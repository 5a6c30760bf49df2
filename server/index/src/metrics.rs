//! How tangled functions are, counted during the walk.

use grammars::Metric;
use text::Range;

use crate::facts::Metrics;

/// Counts for every function that the walk is in.
///
/// What lies in a nested function counts for the outer one too, one level deeper.
#[derive(Default)]
pub(crate) struct Complexity {
    pub(crate) functions: Vec<Function>,
    /// How deep the walk is in what makes code harder to follow.
    pub(crate) level: u32,
    /// The same without functions that lie in functions.
    pub(crate) control: u32,
    chains: Vec<Chain>,
    /// What was met so far, for the functions to add up.
    pub(crate) points: Vec<Point>,
}

/// A function that the walk is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function {
    pub(crate) level: u32,
    pub(crate) control: u32,
    pub(crate) parameters: Option<Range>,
    pub(crate) body: Option<Range>,
    pub(crate) counted: u32,
    /// How many points there were before it.
    pub(crate) first: usize,
}

impl Function {
    /// Whether two are the same to what comes next.
    pub(crate) fn is_like(&self, other: &Function) -> bool {
        (self.level, self.control, self.counted) == (other.level, other.control, other.counted)
            && (self.parameters, self.body) == (other.parameters, other.body)
    }
}

/// What a node adds to the metrics of the functions it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    /// A break in the flow, so deep.
    Branch { level: u32, control: u32 },
    /// The condition of an `else`.
    ElseIf,
    /// One of many ways.
    Case,
    /// So many points of complexity, however deep.
    Plain(u32),
}

/// Logical operators of one expression: where, and which.
struct Chain {
    operators: Vec<(usize, u16)>,
}

/// What must be undone when the walk leaves a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nest {
    /// One level of control.
    Control,
    /// One level of function.
    Function,
}

impl Complexity {
    pub(crate) fn open_function(&mut self, parameters: Option<Range>, body: Option<Range>) {
        self.level += 1;
        self.functions.push(Function {
            level: self.level,
            control: self.control,
            parameters,
            body,
            counted: 0,
            first: self.points.len(),
        });
    }

    pub(crate) fn close_function(&mut self) -> Metrics {
        self.level = self.level.saturating_sub(1);
        let Some(function) = self.functions.pop() else {
            return Metrics::default();
        };
        let mut metrics = Metrics {
            parameters: function.counted,
            ..Metrics::default()
        };
        for point in self.points.get(function.first..).unwrap_or(&[]) {
            match *point {
                Point::Branch { level, control } => {
                    metrics.branches += 1;
                    metrics.cognitive += 1 + level.saturating_sub(function.level);
                    let nesting = 1 + control.saturating_sub(function.control);
                    metrics.nesting = metrics.nesting.max(nesting);
                }
                Point::ElseIf => {
                    metrics.branches += 1;
                    metrics.cognitive += 1;
                }
                Point::Case => metrics.branches += 1,
                Point::Plain(points) => metrics.cognitive += points,
            }
        }
        metrics
    }

    /// Whether the walk is in an expression of logical operators.
    pub(crate) fn in_chain(&self) -> bool {
        !self.chains.is_empty()
    }

    /// Takes in what a node does; `at` is the node the pattern starts at. Says what it opens.
    pub(crate) fn count(&mut self, metric: Metric, node: Range, at: Range) -> Option<Nest> {
        match metric {
            Metric::Branch => {
                let (level, control) = (self.level, self.control);
                self.points.push(Point::Branch { level, control });
                self.level += 1;
                self.control += 1;
                Some(Nest::Control)
            }
            Metric::Nesting => {
                // The function itself is a node inside the definition that binds it to a name.
                let is_function = self.functions.last().is_some_and(|function| {
                    function.body.is_some_and(|body| node.contains_range(body))
                });
                if is_function || self.functions.is_empty() {
                    return None;
                }
                self.level += 1;
                Some(Nest::Function)
            }
            Metric::ElseIf => {
                self.points.push(Point::ElseIf);
                None
            }
            Metric::Else | Metric::Jump => {
                self.points.push(Point::Plain(1));
                None
            }
            Metric::Case => {
                self.points.push(Point::Case);
                None
            }
            Metric::Parameter => {
                if let Some(function) = self.functions.last_mut()
                    && (function.parameters == Some(at) || function.parameters == Some(node))
                {
                    function.counted += 1;
                }
                None
            }
            // Opened by `open_chain`.
            Metric::Boolean => None,
        }
    }

    pub(crate) fn close(&mut self, nest: Nest) {
        self.level = self.level.saturating_sub(1);
        if nest == Nest::Control {
            self.control = self.control.saturating_sub(1);
        }
    }

    /// Starts an expression of logical operators that is not part of a larger one.
    pub(crate) fn open_chain(&mut self) {
        self.chains.push(Chain {
            operators: Vec::new(),
        });
    }

    pub(crate) fn operator(&mut self, at: usize, kind: u16) {
        if let Some(chain) = self.chains.last_mut() {
            chain.operators.push((at, kind));
        }
    }

    /// Counts the runs of like operators.
    pub(crate) fn close_chain(&mut self) {
        let Some(mut chain) = self.chains.pop() else {
            return;
        };
        chain.operators.sort_unstable();
        chain.operators.dedup_by_key(|(_, kind)| *kind);
        self.points.push(Point::Plain(chain.operators.len() as u32));
    }
}
