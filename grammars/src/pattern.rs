//! Reads the query language of tree-sitter, as far as our queries use it, into patterns.
//!
//! Left out on purpose: groups of siblings at the top, predicates other than comparison with fixed texts, and anchors
//! beside optional nodes. A query that needs one of these is an error here rather than a silent difference.

use std::iter::Peekable;
use std::str::CharIndices;

/// One pattern of a query.
#[derive(Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) root: Element,
    pub(crate) predicates: Vec<Predicate>,
    /// Where it starts, counted from 1.
    pub(crate) line: usize,
}

/// What a node must look like, and what it is called if it does.
#[derive(Debug, PartialEq)]
pub(crate) struct Element {
    pub(crate) shape: Shape,
    pub(crate) slots: Vec<Slot>,
    /// Fields that the node must not have.
    pub(crate) absent: Vec<String>,
    pub(crate) captures: Vec<String>,
    /// `?` or `*`: the pattern also holds without it.
    pub(crate) optional: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Shape {
    /// `(kind)`
    Named(String),
    /// `"token"`
    Token(String),
    /// `(_)`
    AnyNamed,
    /// `_`
    Any,
    /// `[ ... ]`
    OneOf(Vec<Element>),
}

/// What must be found among the children: one element, or several that follow each other directly.
#[derive(Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) chain: Vec<(Option<String>, Element)>,
    /// The chain begins at the first child.
    pub(crate) at_start: bool,
    /// The chain ends at the last child.
    pub(crate) at_end: bool,
}

/// `(#eq? @capture "text")` and its kin: the text of a capture is, or is not, one of these.
#[derive(Debug, PartialEq)]
pub(crate) struct Predicate {
    pub(crate) capture: String,
    pub(crate) texts: Vec<String>,
    pub(crate) negated: bool,
}

/// All patterns of a query, or a sentence that says what is wrong on which line.
pub(crate) fn parse(source: &str) -> Result<Vec<Pattern>, String> {
    let mut reader = Reader {
        chars: source.char_indices().peekable(),
        source,
    };
    let mut patterns = Vec::new();
    while reader.peek().is_some() {
        let line = reader.line();
        let pattern = reader.pattern(line);
        patterns.push(pattern.map_err(|problem| format!("line {}: {problem}", reader.line()))?);
    }
    Ok(patterns)
}

struct Reader<'a> {
    chars: Peekable<CharIndices<'a>>,
    source: &'a str,
}

type Parsed<T> = Result<T, String>;

impl Reader<'_> {
    fn pattern(&mut self, line: usize) -> Parsed<Pattern> {
        let mut predicates = Vec::new();
        let root = self.element(&mut predicates)?;
        if root.optional {
            return Err("a pattern cannot be optional as a whole".to_owned());
        }
        Ok(Pattern {
            root,
            predicates,
            line,
        })
    }

    fn element(&mut self, predicates: &mut Vec<Predicate>) -> Parsed<Element> {
        let mut element = match self.peek() {
            Some('(') => {
                self.chars.next();
                self.parenthesised(predicates)?
            }
            Some('[') => {
                self.chars.next();
                let mut choices = Vec::new();
                while !self.eat(']') {
                    // tree-sitter reads it, and then misses some of what it says.
                    if self.peek() == Some('[') {
                        return Err("choices directly inside choices are not supported".to_owned());
                    }
                    choices.push(self.element(predicates)?);
                }
                Element::of(Shape::OneOf(choices))
            }
            Some('"') => Element::of(Shape::Token(self.string()?)),
            Some('_') => {
                self.word();
                Element::of(Shape::Any)
            }
            Some(other) => return Err(format!("unexpected `{other}`")),
            None => return Err("the query ends inside a pattern".to_owned()),
        };
        element.optional = match self.peek() {
            Some('?' | '*') => {
                self.chars.next();
                true
            }
            Some('+') => {
                self.chars.next();
                false
            }
            _ => element.optional,
        };
        while self.eat('@') {
            element.captures.push(self.word());
        }
        Ok(element)
    }

    /// What follows an opening parenthesis: a node, or a pattern in parentheses with its predicates.
    fn parenthesised(&mut self, predicates: &mut Vec<Predicate>) -> Parsed<Element> {
        if matches!(self.peek(), Some('(' | '[' | '"')) {
            let inner = self.element(predicates)?;
            while !self.eat(')') {
                if !self.predicate(predicates)? {
                    return Err("siblings at the top of a pattern are not supported".to_owned());
                }
            }
            return Ok(inner);
        }
        let kind = self.word();
        let mut element = Element::of(match kind.as_str() {
            "" => return Err("a node needs a kind".to_owned()),
            "_" => Shape::AnyNamed,
            _ => Shape::Named(kind),
        });
        let mut anchored = false;
        loop {
            if self.eat(')') {
                if anchored {
                    let last = element.slots.last_mut();
                    last.ok_or("an anchor needs a node beside it")?.at_end = true;
                }
                break;
            }
            if self.eat('.') {
                anchored = true;
            } else if self.eat('!') {
                element.absent.push(self.word());
            } else if !self.predicate(predicates)? {
                let field = self.field();
                let child = (field, self.element(predicates)?);
                match element.slots.last_mut() {
                    Some(before) if anchored => before.chain.push(child),
                    _ => element.slots.push(Slot {
                        chain: vec![child],
                        at_start: anchored,
                        at_end: false,
                    }),
                }
                anchored = false;
            }
        }
        let anchors_optional = |slot: &Slot| {
            (slot.chain.len() > 1 || slot.at_start || slot.at_end)
                && slot.chain.iter().any(|(_, element)| element.optional)
        };
        if element.slots.iter().any(anchors_optional) {
            return Err("an anchor beside an optional node is not supported".to_owned());
        }
        Ok(element)
    }

    /// Reads a predicate if one comes next.
    fn predicate(&mut self, predicates: &mut Vec<Predicate>) -> Parsed<bool> {
        self.peek();
        let mut ahead = self.chars.clone();
        if !matches!(
            (ahead.next(), ahead.next()),
            (Some((_, '(')), Some((_, '#')))
        ) {
            return Ok(false);
        }
        self.chars = ahead;
        let name = self.word();
        if !self.eat('?') {
            return Err(format!("#{name} is not supported"));
        }
        let negated = match name.as_str() {
            "eq" | "any-of" => false,
            "not-eq" | "not-any-of" => true,
            _ => return Err(format!("#{name}? is not supported")),
        };
        if !self.eat('@') {
            return Err(format!("#{name}? needs a capture first"));
        }
        let capture = self.word();
        let mut texts = Vec::new();
        while !self.eat(')') {
            texts.push(self.string()?);
        }
        predicates.push(Predicate {
            capture,
            texts,
            negated,
        });
        Ok(true)
    }

    /// Reads `name:` if it comes next.
    fn field(&mut self) -> Option<String> {
        self.peek();
        let before = self.chars.clone();
        let name = self.word();
        if !name.is_empty() && self.eat(':') {
            return Some(name);
        }
        self.chars = before;
        None
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        self.peek();
        let of_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.');
        while let Some((_, char)) = self.chars.next_if(|(_, char)| of_word(*char)) {
            word.push(char);
        }
        word
    }

    fn string(&mut self) -> Parsed<String> {
        if !self.eat('"') {
            return Err("a text in quotes is missing".to_owned());
        }
        let mut string = String::new();
        loop {
            match self.chars.next() {
                Some((_, '"')) => return Ok(string),
                Some((_, '\\')) => match self.chars.next() {
                    Some((_, 'n')) => string.push('\n'),
                    Some((_, char)) => string.push(char),
                    None => return Err("a text is not closed".to_owned()),
                },
                Some((_, char)) => string.push(char),
                None => return Err("a text is not closed".to_owned()),
            }
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.peek() == Some(wanted) && self.chars.next().is_some()
    }

    /// The next character after blanks and comments.
    fn peek(&mut self) -> Option<char> {
        loop {
            match self.chars.peek() {
                Some((_, ';')) => while self.chars.next_if(|(_, c)| *c != '\n').is_some() {},
                Some((_, char)) if char.is_whitespace() => {
                    self.chars.next();
                }
                next => return next.map(|(_, char)| *char),
            }
        }
    }

    fn line(&mut self) -> usize {
        let at = self.chars.peek().map_or(self.source.len(), |(at, _)| *at);
        1 + self.source[..at].matches('\n').count()
    }
}

impl Element {
    fn of(shape: Shape) -> Element {
        Element {
            shape,
            slots: Vec::new(),
            absent: Vec::new(),
            captures: Vec::new(),
            optional: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use expect_test::{Expect, expect};

    use super::*;

    fn check(source: &str, expected: Expect) {
        let shown = match parse(source) {
            Ok(patterns) => patterns.iter().map(show_pattern).collect::<String>(),
            Err(problem) => problem,
        };
        expected.assert_eq(&shown);
    }

    fn show_pattern(pattern: &Pattern) -> String {
        let predicates = pattern.predicates.iter().map(|predicate| {
            let not = if predicate.negated { "!" } else { "" };
            format!(
                " where @{} {not}in {:?}",
                predicate.capture, predicate.texts
            )
        });
        let predicates: String = predicates.collect();
        format!("{}: {}{predicates}\n", pattern.line, show(&pattern.root))
    }

    fn show(element: &Element) -> String {
        let mut shown = match &element.shape {
            Shape::Named(kind) => kind.clone(),
            Shape::Token(token) => format!("{token:?}"),
            Shape::AnyNamed => "(_)".to_owned(),
            Shape::Any => "_".to_owned(),
            Shape::OneOf(choices) => {
                let choices: Vec<_> = choices.iter().map(show).collect();
                format!("[{}]", choices.join("|"))
            }
        };
        for slot in &element.slots {
            let links = slot.chain.iter().map(|(field, element)| match field {
                Some(field) => format!("{field}:{}", show(element)),
                None => show(element),
            });
            let links: Vec<_> = links.collect();
            let (start, end) = (
                if slot.at_start { "^" } else { "" },
                if slot.at_end { "$" } else { "" },
            );
            shown.extend(["<", start, links.join(".").as_str(), end, ">"]);
        }
        shown.extend(element.absent.iter().map(|field| format!("!{field}")));
        shown.extend(element.captures.iter().map(|name| format!("@{name}")));
        if element.optional {
            shown.push('?');
        }
        shown
    }

    #[test]
    fn patterns_are_read() {
        check(
            r#"
            ; a comment
            (call function: (identifier) @reference.call (#any-of? @reference.call "a" "b\"")) @x @y
            ((word) @_w (#not-eq? @_w "no"))
            (a . (b)? "if" _ (_) [ (c) "d" ] @one !gone) @z
            "#,
            expect!["line 5: an anchor beside an optional node is not supported"],
        );
        check(
            r#"
            ; a comment
            (call function: (identifier) @reference.call (#any-of? @reference.call "a" "b\"")) @x @y
            ((word) @_w (#not-eq? @_w "no"))
            (a . (b) "if" _? name: (_) [ (c) "d" ] @one !gone) @z
            (list (x) . key: (y) @y .)
            "#,
            expect![[r#"
                3: call<function:identifier@reference.call>@x@y where @reference.call in ["a", "b\""]
                4: word@_w where @_w !in ["no"]
                5: a<^b><"if"><_?><name:(_)><[c|"d"]@one>!gone@z
                6: list<x.key:y@y$>
            "#]],
        );
    }

    #[test]
    fn what_is_not_supported_is_said() {
        check("(a", expect!["line 1: the query ends inside a pattern"]);
        check(
            "((a) (b))",
            expect!["line 1: siblings at the top of a pattern are not supported"],
        );
        check(
            "(a)\n((a) @x (#match? @x \"^t\"))",
            expect!["line 2: #match? is not supported"],
        );
        check("(a) ]", expect!["line 1: unexpected `]`"]);
        check("(a \"b)", expect!["line 1: a text is not closed"]);
        check(
            "(a [[(b)] (c)])",
            expect!["line 1: choices directly inside choices are not supported"],
        );
        check("()", expect!["line 1: a node needs a kind"]);
    }
}
