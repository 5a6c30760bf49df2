//! How tangled functions are, counted during the walk.

use grammars::Metric;
use text::Range;

use crate::facts::Metrics;

/// Counts for every function that the walk is in.
///
/// What lies in a nested function counts for the outer one too, one level deeper.
#[derive(Default)]
pub(crate) struct Complexity {
    functions: Vec<Function>,
    /// How deep the walk is in what makes code harder to follow.
    level: u32,
    /// The same without functions that lie in functions.
    control: u32,
    chains: Vec<Chain>,
}

struct Function {
    level: u32,
    control: u32,
    parameters: Option<Range>,
    body: Option<Range>,
    metrics: Metrics,
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
            metrics: Metrics::default(),
        });
    }

    pub(crate) fn close_function(&mut self) -> Metrics {
        self.level = self.level.saturating_sub(1);
        self.functions
            .pop()
            .map(|function| function.metrics)
            .unwrap_or_default()
    }

    /// Takes in what a node does; `at` is the node the pattern starts at. Says what it opens.
    pub(crate) fn count(&mut self, metric: Metric, node: Range, at: Range) -> Option<Nest> {
        match metric {
            Metric::Branch => {
                let (level, control) = (self.level, self.control);
                for function in &mut self.functions {
                    let metrics = &mut function.metrics;
                    metrics.branches += 1;
                    metrics.cognitive += 1 + (level - function.level);
                    metrics.nesting = metrics.nesting.max(1 + control - function.control);
                }
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
                self.each(|metrics| {
                    metrics.branches += 1;
                    metrics.cognitive += 1;
                });
                None
            }
            Metric::Else | Metric::Jump => {
                self.each(|metrics| metrics.cognitive += 1);
                None
            }
            Metric::Case => {
                self.each(|metrics| metrics.branches += 1);
                None
            }
            Metric::Parameter => {
                if let Some(function) = self.functions.last_mut()
                    && (function.parameters == Some(at) || function.parameters == Some(node))
                {
                    function.metrics.parameters += 1;
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
        let runs = chain.operators.len() as u32;
        self.each(|metrics| metrics.cognitive += runs);
    }

    fn each(&mut self, change: impl Fn(&mut Metrics)) {
        self.functions
            .iter_mut()
            .for_each(|function| change(&mut function.metrics));
    }
}
