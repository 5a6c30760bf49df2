//! What many entries say together.

use crate::entry::Entry;
use crate::format::{bytes, millis};

/// The paths by how often they were asked for, then totals.
pub fn summary(entries: &[Entry]) -> String {
    let mut text = String::new();
    for (path, hits) in by_path(entries) {
        let slow = slowest(entries, path);
        text.push_str(&format!("{hits:>6}  {path}  {}\n", millis(slow)));
    }
    let total: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let failed = entries.iter().filter(|entry| !entry.is_ok()).count();
    text.push_str(&format!("{} in all, {failed} failed\n", bytes(total)));
    text
}

/// Each path once, the most wanted first.
fn by_path(entries: &[Entry]) -> Vec<(&str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for entry in entries {
        match counts.iter_mut().find(|(path, _)| *path == entry.path) {
            Some((_, count)) => *count += 1,
            None => counts.push((&entry.path, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts
}

fn slowest(entries: &[Entry], path: &str) -> u64 {
    entries.iter().filter(|entry| entry.path == path).map(|entry| entry.millis).max().unwrap_or(0)
}
