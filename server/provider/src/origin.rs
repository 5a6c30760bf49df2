use secrecy::{ExposeSecret, SecretString};

/// Where an attempt goes, for error messages, and what must never stand in one.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The vendor's name as people write it.
    pub(crate) provider: &'static str,
    /// Host and, if it is unusual, port of the endpoint.
    pub(crate) host: String,
    /// Where the key came from, when there is one.
    pub(crate) key_source: Option<String>,
    pub(crate) key: Option<SecretString>,
}

/// The most characters of foreign text in an error message.
const LONGEST_QUOTE: usize = 400;

impl Origin {
    /// Makes text that a server or a library wrote fit to show: without the key, on one line, without control or
    /// direction characters, and short.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) if !key.expose_secret().is_empty() => {
                text.replace(key.expose_secret(), "[key]")
            }
            _ => text.to_owned(),
        };
        let mut clean = String::new();
        let mut length = 0;
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
            let word = word.chars().filter(|c| !is_invisible(*c));
            let mut first = true;
            for c in word {
                if first && length > 0 {
                    clean.push(' ');
                    length += 1;
                }
                first = false;
                if length >= LONGEST_QUOTE {
                    clean.push('…');
                    return clean;
                }
                clean.push(c);
                length += 1;
            }
        }
        clean
    }
}

/// Characters that change how text around them looks without being seen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}'
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(text: &str, expected: &str) {
        let origin = Origin {
            provider: "Anthropic",
            host: "localhost".to_owned(),
            key_source: None,
            key: Some("sk-canary".to_owned().into()),
        };
        assert_eq!(origin.clean(text), expected);
    }

    #[test]
    fn foreign_text_becomes_one_clean_line() {
        check(
            "  bad\r\n\tkey:  sk-canary!\u{1b}[31m ",
            "bad key: [key]! [31m",
        );
        check("a\u{202E}b\u{200B}c \u{FEFF} d", "abc d");
        check(
            &"x".repeat(1000),
            &format!("{}…", "x".repeat(LONGEST_QUOTE)),
        );
        check("", "");
    }
}
