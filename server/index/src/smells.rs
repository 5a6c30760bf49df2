//! Places that are worth a second look whatever the types are, as a language's `smells.scm` describes them.
//!
//! A pattern finds the place; what it takes besides is here: whether it is repeated, whether it depends on what changes
//! in each round, whether the function around it is asynchronous.

use std::sync::Arc;

use grammars::{Capture, Child, Grammar, Scent, Scratch, Smell};
use rustc_hash::FxHashMap;
use serde::Serialize;
use text::Range;
use tree_sitter::{Node, Tree};

use crate::facts::Facts;
use crate::parse::{Parsed, read_whole};

/// A place with a smell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Whiff {
    /// What it smells of.
    pub smell: Smell,
    /// The place.
    pub range: Range,
    /// The path of the function around it, or else of the innermost symbol; empty outside of all.
    pub symbol: Arc<str>,
    /// The first line of its text.
    pub text: String,
}

impl Parsed {
    /// The places with a smell, in the order of the text. Linear in the tree the first time, if the text has the words
    /// that a smell needs.
    pub fn smells(&self) -> Vec<Whiff> {
        let whiffs = self.whiffs(|tree| {
            let source = self.text().to_string();
            if !may_smell(self.grammar(), &source, &|_| true) {
                return Vec::new();
            }
            whiffs(self.grammar(), &source, tree, self.facts())
        });
        whiffs.to_vec()
    }
}

impl Facts {
    /// The places with a smell in the text that these are the facts of, in its order. Reads the text again, unless it
    /// lacks words that any wanted smell needs.
    pub fn smells_in(&self, source: &str, wanted: &dyn Fn(Smell) -> bool) -> Vec<Whiff> {
        if !may_smell(self.grammar, source, wanted) {
            return Vec::new();
        }
        match read_whole(self.grammar, source) {
            Ok(tree) => whiffs(self.grammar, source, &tree, self),
            Err(_) => Vec::new(),
        }
    }
}

/// Whether a text has the words of at least one smell that is wanted.
fn may_smell(grammar: &Grammar, source: &str, wanted: &dyn Fn(Smell) -> bool) -> bool {
    let patterns = grammar.smells().needed_texts();
    let mut patterns = patterns.filter(|(smell, _)| wanted(*smell));
    patterns.any(|(_, groups)| {
        groups
            .iter()
            .all(|group| group.iter().any(|text| source.contains(text.as_str())))
    })
}

/// What the walk is inside of.
enum Frame<'s> {
    Body {
        variables: Vec<&'s str>,
        /// Names that have got another value in this round.
        assigned: Vec<&'s str>,
    },
    Function {
        is_async: bool,
        lists: Vec<&'s str>,
    },
}

/// A lock that is held.
struct Guard<'s> {
    name: &'s str,
    /// Where it is let go at the latest.
    until: usize,
    /// How many functions the walk was in.
    functions: usize,
}

struct Walk<'s> {
    grammar: &'static Grammar,
    source: &'s str,
    frames: Vec<(u32, Frame<'s>)>,
    /// Bodies of loops that the walk has not come to, with what changes in each round, and what counts the rounds.
    bodies: FxHashMap<(usize, usize), [Vec<&'s str>; 2]>,
    /// Lists that no function has made.
    lists: Vec<&'s str>,
    guards: Vec<Guard<'s>>,
    found: Vec<(Smell, Range)>,
}

fn whiffs(grammar: &'static Grammar, source: &str, tree: &Tree, facts: &Facts) -> Vec<Whiff> {
    let rules = grammar.smells();
    let root = tree.root_node();
    let mut walk = Walk {
        grammar,
        source,
        frames: Vec::new(),
        bodies: FxHashMap::default(),
        lists: Vec::new(),
        guards: Vec::new(),
        found: Vec::new(),
    };
    let mut scratch = Scratch::new(root);
    let mut stack = vec![(Child::root(root), 0_u32)];
    let mut children = Vec::new();
    while let Some((child, depth)) = stack.pop() {
        while walk.frames.pop_if(|(at, _)| *at >= depth).is_some() {}
        let entry = rules.entry(child.kind);
        children.clear();
        if child.node.child_count() > 0 {
            scratch.read_children(entry, child.node, true, &mut children);
        }
        let node = child.node;
        if let Some([variables, assigned]) = walk.bodies.remove(&(node.id(), node.start_byte())) {
            let body = Frame::Body {
                variables,
                assigned,
            };
            walk.frames.push((depth, body));
        }
        if let Some(entry) = entry {
            for capture in &entry.always {
                walk.take(depth, &[(*capture, node)]);
            }
            if entry.has_patterns() {
                rules.matches(entry, child, &children, source, &mut scratch, |captures| {
                    walk.take(depth, captures);
                });
            }
        }
        stack.extend(children.iter().rev().map(|child| (*child, depth + 1)));
    }
    walk.found.sort_unstable();
    walk.found.sort_by_key(|(_, range)| range.start);
    walk.found.dedup();
    let found = walk.found.into_iter().map(|(smell, range)| {
        let around = facts
            .function_at(range.start)
            .or_else(|| facts.symbol_at(range.start));
        let symbol = around.and_then(|id| facts.symbol(id));
        let text = source.get(range.start..range.end).unwrap_or("");
        Whiff {
            smell,
            range,
            symbol: symbol.map_or_else(|| "".into(), |symbol| symbol.path.clone()),
            text: text.lines().next().unwrap_or("").to_owned(),
        }
    });
    found.collect()
}

impl<'s> Walk<'s> {
    fn take(&mut self, depth: u32, captures: &[(Capture, Node<'_>)]) {
        let scents = || {
            captures.iter().filter_map(|(capture, node)| match capture {
                Capture::Smell(scent) => Some((*scent, *node)),
                _ => None,
            })
        };
        let all = |wanted: Scent| scents().filter(move |(scent, _)| *scent == wanted);
        for (scent, node) in scents() {
            match scent {
                Scent::Loop => {
                    let names = |scent| -> Vec<&str> {
                        all(scent)
                            .flat_map(|(_, node)| words(self.text(node)))
                            .collect()
                    };
                    let (variables, counters) = (names(Scent::Variable), names(Scent::Assigned));
                    for (_, body) in all(Scent::Body) {
                        let known = self.bodies.entry((body.id(), body.start_byte()));
                        let [changing, counting] = known.or_default();
                        changing.extend(&variables);
                        counting.extend(&counters);
                    }
                }
                Scent::Function => self.enter_function(depth, false),
                Scent::Async => self.enter_function(depth, true),
                Scent::Place(smell) => {
                    let texts = |scent| all(scent).map(|(_, node)| self.text(node)).collect();
                    let argument: Vec<&str> = texts(Scent::Argument);
                    let same = || passes_on(&texts(Scent::Variable), &argument.join(","));
                    if (smell != Smell::PassThrough || same())
                        && self.holds(smell, node.start_byte(), &argument.join(" "))
                    {
                        self.found.push((smell, node.byte_range().into()));
                    }
                }
                Scent::Assigned => {
                    let name = self.text(node);
                    if let Some((_, Frame::Body { assigned, .. })) = self.frames.last_mut() {
                        assigned.push(name);
                    }
                    self.forget(name);
                }
                Scent::List => {
                    let name = self.text(node);
                    self.lists().push(name);
                }
                Scent::Guard => {
                    let block = node.parent().and_then(|statement| statement.parent());
                    self.guards.push(Guard {
                        name: self.text(node),
                        until: block.map_or(0, |block| block.end_byte()),
                        functions: self.functions(),
                    });
                }
                Scent::Release => {
                    let name = self.text(node);
                    self.guards.retain(|guard| guard.name != name);
                }
                Scent::Variable | Scent::Body | Scent::Argument => {}
            }
        }
    }

    fn enter_function(&mut self, depth: u32, now_async: bool) {
        match self.frames.last_mut() {
            Some((at, Frame::Function { is_async, .. })) if *at == depth => *is_async |= now_async,
            _ => {
                let function = Frame::Function {
                    is_async: now_async,
                    lists: Vec::new(),
                };
                self.frames.push((depth, function));
            }
        }
    }

    /// The lists of the function that the walk is in.
    fn lists(&mut self) -> &mut Vec<&'s str> {
        let frames = self.frames.iter_mut().rev();
        let mut functions = frames.filter_map(|(_, frame)| match frame {
            Frame::Function { lists, .. } => Some(lists),
            Frame::Body { .. } => None,
        });
        match functions.next() {
            Some(lists) => lists,
            None => &mut self.lists,
        }
    }

    /// A name may be something else from here on.
    fn forget(&mut self, name: &str) {
        self.lists().retain(|list| *list != name);
    }

    fn functions(&self) -> usize {
        let frames = self.frames.iter();
        let functions = frames.filter(|(_, frame)| matches!(frame, Frame::Function { .. }));
        functions.count()
    }

    /// Whether a place that looks like a smell is one.
    fn holds(&self, smell: Smell, at: usize, argument: &str) -> bool {
        let inside = self.frames.iter().rev().map(|(_, frame)| frame);
        let here = inside
            .clone()
            .take_while(|frame| matches!(frame, Frame::Body { .. }));
        let repeated = here.clone().next().is_some();
        let changes = here.clone().any(|frame| match frame {
            Frame::Body { variables, .. } => words(argument).any(|word| variables.contains(&word)),
            Frame::Function { .. } => false,
        });
        // The innermost loop starts with a value of its own.
        let fresh = here.clone().next().is_some_and(|frame| match frame {
            Frame::Body { assigned, .. } => assigned.contains(&argument),
            Frame::Function { .. } => false,
        });
        match smell {
            Smell::AwaitInLoop => changes,
            Smell::ConcatInLoop => repeated && !changes && !fresh,
            Smell::SearchInLoop => {
                let around = inside.filter_map(|frame| match frame {
                    Frame::Function { lists, .. } => Some(lists),
                    Frame::Body { .. } => None,
                });
                let lists = around.take(1).chain([&self.lists]);
                repeated && !changes && !fresh && lists.flatten().any(|list| *list == argument)
            }
            Smell::LockAcrossAwait => {
                let functions = self.functions();
                let mut guards = self.guards.iter();
                guards.any(|guard| at < guard.until && guard.functions == functions)
            }
            Smell::RegexInLoop => repeated && !changes,
            Smell::QueryInLoop => {
                let mut batched = self.grammar.batched.iter();
                changes && !batched.any(|text| argument.contains(text))
            }
            Smell::BlockingInAsync => {
                let mut functions = inside.filter_map(|frame| match frame {
                    Frame::Function { is_async, .. } => Some(*is_async),
                    Frame::Body { .. } => None,
                });
                functions.next() == Some(true)
            }
            Smell::SqlFormat => starts_like_sql(argument),
            Smell::AllocInLoop => {
                let made = here.clone().filter_map(|frame| match frame {
                    Frame::Body { assigned, .. } => Some(assigned),
                    Frame::Function { .. } => None,
                });
                let is_made = |word| {
                    made.clone()
                        .any(|names| names.iter().any(|name| words(name).any(|one| one == word)))
                };
                let calls = argument.get(1..).is_some_and(|rest| rest.contains('('));
                repeated && !changes && !calls && !words(argument).any(is_made)
            }
            Smell::UnboundedQuery => argument.is_empty() || asks_for_all(argument),
            Smell::DynamicShell
            | Smell::UnsafeDeserialise
            | Smell::DynamicEval
            | Smell::TlsOff
            | Smell::PassThrough => true,
        }
    }

    fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or("")
    }
}

/// The words of a text, as names are words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// Whether a call is given a function's parameters as they are, in their order; none is nothing to pass on.
fn passes_on(parameters: &[&str], arguments: &str) -> bool {
    let inner = arguments
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let given = inner.unwrap_or(arguments).split(',').map(str::trim);
    let mut given: Vec<&str> = given.collect();
    given.retain(|one| !one.is_empty());
    // Without its type.
    let names = parameters.iter().map(|one| {
        let name = one.split(':').next().unwrap_or("");
        name.trim().trim_end_matches('?')
    });
    !parameters.is_empty() && names.eq(given)
}

/// Whether a literal asks a database for every row of a table of somebody's own.
fn asks_for_all(literal: &str) -> bool {
    let text = literal.to_ascii_uppercase();
    let words: Vec<&str> = words(&text).collect();
    let bounds = [
        "WHERE", "LIMIT", "TOP", "FETCH", "COUNT", "MAX", "MIN", "SUM", "AVG", "EXISTS", "ROWNUM",
        "JOIN", "GROUP", "DUAL",
    ];
    let of_the_system = ["INFORMATION_SCHEMA", "SYS", "SYSTEM"];
    // What a function answers is not somebody's table.
    let of_function = text
        .split("FROM ")
        .skip(1)
        .any(|rest| behind_name(rest).starts_with('('));
    starts_like_sql(literal)
        && !of_function
        && words.contains(&"SELECT")
        && words.contains(&"FROM")
        && !words.iter().any(|word| {
            bounds.contains(word)
                || of_the_system.contains(word)
                || word.starts_with("PG_")
                || word.starts_with("SQLITE_")
        })
}

/// What follows the first name of a text.
fn behind_name(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

/// Whether a literal starts with a statement for a database.
fn starts_like_sql(literal: &str) -> bool {
    let start = literal.find(['"', '\'', '`']).unwrap_or(0);
    let text = literal.get(start..).unwrap_or("");
    let text = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let first = words(text).next().unwrap_or("").to_ascii_uppercase();
    matches!(
        first.as_str(),
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "CREATE" | "DROP" | "ALTER" | "WITH"
    )
}

#[cfg(test)]
mod tests;
