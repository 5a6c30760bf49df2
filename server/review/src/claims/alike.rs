//! How much two pieces of code say the same.

use std::collections::BTreeMap;

/// Shorter pieces are alike by chance.
const LEAST_WORDS: usize = 30;

/// What comparing two pieces shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Perhaps,
    Different,
}

/// Compares by the runs of three words that both have, and by runs of seven where names and literals do not count.
pub(super) fn likeness(one: &str, other: &str) -> Likeness {
    let (one, other) = (words(one), words(other));
    let short = one.len().min(other.len()) < LEAST_WORDS;
    let as_written = common(&runs(&one, 3), &runs(&other, 3));
    let shape = common(&runs(&shapes(&one), 7), &runs(&shapes(&other), 7));
    match (as_written, shape) {
        _ if short && as_written < 0.9 => Likeness::Different,
        (written, shape) if written >= 0.7 || shape >= 0.85 => Likeness::Same,
        (written, shape) if written >= 0.4 || shape >= 0.6 => Likeness::Perhaps,
        _ => Likeness::Different,
    }
}

/// Names, numbers, and every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_part(first) {
            rest.find(|c| !is_part(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// The words with one for all names and numbers.
fn shapes<'t>(words: &[&'t str]) -> Vec<&'t str> {
    let shape = |word: &&'t str| {
        let named = word.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if named { "_" } else { *word }
    };
    words.iter().map(shape).collect()
}

fn runs<'w, 't>(words: &'w [&'t str], length: usize) -> BTreeMap<&'w [&'t str], usize> {
    let mut runs = BTreeMap::new();
    for run in words.windows(length) {
        *runs.entry(run).or_default() += 1;
    }
    runs
}

/// The part of the runs of both that both have, from 0 to 1.
fn common(one: &BTreeMap<&[&str], usize>, other: &BTreeMap<&[&str], usize>) -> f64 {
    let count = |runs: &BTreeMap<&[&str], usize>| runs.values().sum::<usize>();
    let both: usize = one
        .iter()
        .map(|(run, times)| *times.min(other.get(run).unwrap_or(&0)))
        .sum();
    let all = count(one) + count(other);
    if all == 0 {
        return 0.0;
    }
    (2 * both) as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: &str = "fn total(items: &[Item]) -> u64 { let mut sum = 0; for item in items { if item.paid { sum += item.price * item.count; } } sum }";

    #[test]
    fn other_names_do_not_hide_a_copy() {
        let copy = TOTAL.replace("item", "row").replace("sum", "all");
        assert_eq!(likeness(TOTAL, TOTAL), Likeness::Same);
        assert_eq!(likeness(TOTAL, &copy), Likeness::Same);
    }

    #[test]
    fn code_that_does_something_else_is_different() {
        let other = "fn name(user: &User) -> String { match &user.nick { Some(nick) => nick.clone(), None => format!(\"{} {}\", user.first, user.last) } }";
        assert_eq!(likeness(TOTAL, other), Likeness::Different);
        assert_eq!(likeness("a()", "b()"), Likeness::Different);
        assert_eq!(likeness("", ""), Likeness::Different);
    }
}
