//! Tells from an access log what was asked for, how often, and how slowly.

mod entry;
mod format;
mod report;

use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    let mut entries = Vec::new();
    let mut unreadable = 0;
    for line in io::stdin().lock().lines() {
        match entry::parse(&line?) {
            Some(entry) => entries.push(entry),
            None => unreadable += 1,
        }
    }
    print!("{}", report::summary(&entries));
    if unreadable > 0 {
        eprintln!("{unreadable} lines were not understood");
    }
    Ok(())
}
