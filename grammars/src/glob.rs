/// Whether a path fits a pattern.
///
/// Both are split at `/`. `*` stands for any part of a component, `**` for any number of components.
/// A pattern without `/` is about the last component alone.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    if !pattern.contains('/') {
        return fits_component(pattern, path.rsplit('/').next().unwrap_or(path));
    }
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    fits_components(&pattern, &path)
}

fn fits_components(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|skip| {
            let left = path.get(skip..).unwrap_or(&[]);
            fits_components(rest, left)
        }),
        [first, rest @ ..] => match path {
            [component, left @ ..] => {
                fits_component(first, component) && fits_components(rest, left)
            }
            [] => false,
        },
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(crate) fn fits_component(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let mut pieces: Vec<&str> = tail.split('*').collect();
    let last = pieces.pop().unwrap_or("");
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_and_stars() {
        let yes = [
            ("*_test.go", "a/b/x_test.go"),
            ("**/tests/**", "tests/x.py"),
            ("**/tests/**", "a/tests/b/x.py"),
            ("src/*/x.rs", "src/a/x.rs"),
            ("Cargo.lock", "deep/Cargo.lock"),
            ("*.test.*", "a.test.ts"),
        ];
        for (pattern, path) in yes {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        let no = [
            ("*_test.go", "test.go"),
            ("**/tests/**", "a/tests.py"),
            ("src/*/x.rs", "src/a/b/x.rs"),
            ("*.test.*", "test.ts"),
            ("src/**", "lib/src/x"),
        ];
        for (pattern, path) in no {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
