//! `CODEOWNERS`: who answers for which files.

use crate::team::{Owner, Paths};

/// The owners of a file's lines; of two that fit a path, the later one counts.
pub(super) fn owners(text: &str) -> Vec<Owner> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    lines
        .filter(|line| !line.trim_start().starts_with('['))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let pattern = words.next()?;
            Some(Owner {
                paths: Paths::new([pattern]),
                people: words.map(str::to_owned).collect(),
                least_authors: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_pattern_and_its_people() {
        let found = owners("# all\n* @all\n[Section]\n/app/billing/ @ana @ben # money\n\n");
        let shown: Vec<_> = found
            .iter()
            .map(|owner| (owner.paths.patterns(), owner.people.join(" ")))
            .collect();
        assert_eq!(
            shown,
            [
                (&["*".to_owned()][..], "@all".to_owned()),
                (&["/app/billing/".to_owned()][..], "@ana @ben".to_owned()),
            ]
        );
    }
}
