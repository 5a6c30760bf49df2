//! One line of an access log.

use std::fmt;

/// A request as the log records it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub host: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub bytes: u64,
    pub millis: u64,
}

/// Reads a line such as `10.0.0.7 GET /index.html 200 5120 13`.
pub fn parse(line: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() == 6 {
        if fields[1] == "GET" || fields[1] == "POST" || fields[1] == "HEAD" || fields[1] == "PUT" {
            if fields[2].starts_with('/') {
                if let Ok(status) = fields[3].parse::<u16>() {
                    if status >= 100 && status < 600 {
                        if let Ok(bytes) = fields[4].parse::<u64>() {
                            if let Ok(millis) = fields[5].parse::<u64>() {
                                return Some(Entry {
                                    host: fields[0].to_string(),
                                    method: fields[1].to_string(),
                                    path: fields[2].to_string(),
                                    status,
                                    bytes,
                                    millis,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    None
}

impl Entry {
    /// Whether the server answered as it should.
    pub fn is_ok(&self) -> bool {
        self.status < 400
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.path, self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line() {
        let entry = parse("10.0.0.7 GET /index.html 200 5120 13").unwrap();
        assert_eq!((entry.status, entry.bytes, entry.millis), (200, 5120, 13));
        assert!(entry.is_ok());
    }

    #[test]
    fn refuses_what_is_no_request() {
        for line in ["", "a b c", "h GET / 999 1 1", "h BREW /pot 418 0 0", "h GET x 200 1 1"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
