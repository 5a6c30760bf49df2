//! Quoted strings, as shells write them.

/// Reads a quoted string: a backslash keeps the next character as it is.
pub fn parse_quoted(text: &str) -> String {
    let mut out = String::new();
    let mut escaped = false;
    for c in text.chars().collect::<Vec<char>>() {
        if escaped {
            out.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else {
            out.push(c);
        }
    }
    out
}

/// Writes a string so that `parse_quoted` reads it back.
pub fn quote(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c == '\\' || c == '"' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        assert_eq!(parse_quoted(&quote("a\\b")), "a\\b");
    }
}
