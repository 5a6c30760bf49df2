//! Which lines have changed since a revision, as git says.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use index::Facts;
use review::Finding;
use text::{FilePath, Range};

/// Changed lines by file, counted from 0; a file that git does not know has changed as a whole.
pub(super) struct Changed(BTreeMap<FilePath, Vec<std::ops::Range<usize>>>);

/// Asks git, and changes nothing: neither the user's nor the repository's configuration can have it start a program.
pub(super) fn changed_lines(root: &FilePath, revision: &str) -> anyhow::Result<Changed> {
    anyhow::ensure!(!revision.starts_with('-'), "{revision} is no revision");
    let diff = git(
        root,
        &[
            "diff",
            "-U0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--relative",
            "--no-prefix",
            revision,
            "--",
        ],
    )?;
    let untracked = git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let mut changed = parse(root, &diff);
    for name in untracked.split('\0').filter(|name| !name.is_empty()) {
        if let Ok(file) = root.join(name) {
            changed.insert(file, std::iter::once(0..usize::MAX).collect());
        }
    }
    Ok(Changed(changed))
}

/// The history of the last two years, for [`review::History::read`]; at most 5,000 commits.
pub(super) fn log(root: &FilePath) -> anyhow::Result<String> {
    git(
        root,
        &[
            "log",
            "-n",
            "5000",
            "--since=24 months ago",
            "--no-merges",
            "--no-show-signature",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--relative",
            "-M",
            "--name-status",
            "--format=%x00%ae",
            "--",
            ".",
        ],
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user asked for a review, which git alone can tell; it reads and writes nothing"
)]
fn git(root: &FilePath, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.quotePath=false",
            "--no-optional-locks",
        ])
        .args(arguments)
        .current_dir(root.as_path())
        .stdin(Stdio::null())
        .output()
        .context("the history needs the program git")?;
    anyhow::ensure!(
        output.status.success(),
        "git: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn parse(root: &FilePath, diff: &str) -> BTreeMap<FilePath, Vec<std::ops::Range<usize>>> {
    let mut changed: BTreeMap<FilePath, Vec<std::ops::Range<usize>>> = BTreeMap::new();
    let mut file = None;
    let mut body = 0;
    for line in diff.lines() {
        if body > 0 {
            body -= 1;
            continue;
        }
        if let Some(name) = line.strip_prefix("+++ ") {
            let name = name.split('\t').next().unwrap_or(name);
            file = root.join(name).ok().filter(|_| name != "/dev/null");
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            let count = |part: &str| {
                part.split_once(',')
                    .map_or(Some(1), |(_, n)| n.parse().ok())
            };
            let mut parts = hunk.split(' ');
            let (Some(old), Some(new)) = (parts.next(), parts.next()) else {
                continue;
            };
            let (old, new) = (old.trim_start_matches('-'), new.trim_start_matches('+'));
            let (Some(removed), Some(added)) = (count(old), count(new)) else {
                continue;
            };
            body = removed + added;
            let first: usize = new
                .split(',')
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(1);
            if let Some(file) = &file {
                // Where lines are gone, the lines around have changed.
                let start = first.saturating_sub(1);
                let lines = if added == 0 {
                    start..first + 1
                } else {
                    start..start + added
                };
                changed.entry(file.clone()).or_default().push(lines);
            }
        }
    }
    changed
}

impl Changed {
    /// Whether the symbol or the import that a finding is about has changed.
    pub(super) fn touches(&self, finding: &Finding, facts: Option<&Facts>) -> bool {
        let Some(lines) = self.0.get(&finding.file) else {
            return false;
        };
        let Ok(text) = workspace::read(&finding.file) else {
            return false;
        };
        let symbol = facts.and_then(|facts| {
            let id = facts.by_path(&finding.symbol)?;
            facts.symbol(id)
        });
        let Range { start, end } = symbol.map_or(finding.range, |symbol| symbol.range);
        let (first, last) = (text.line_of(start), text.line_of(end));
        lines
            .iter()
            .any(|lines| lines.start <= last && first < lines.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_say_which_lines_are_new() {
        let root = FilePath::new("/w").unwrap();
        let diff = "diff --git a.py a.py\n--- a.py\n+++ a.py\n@@ -1 +1,2 @@\n-x\n+++ y\n+z\n@@ -9,2 +11,0 @@ def f\n-a\n-b\n\
                    --- b.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n";
        let changed = parse(&root, diff);
        let shown: Vec<_> = changed
            .iter()
            .map(|(file, lines)| (file.as_str(), lines.clone()))
            .collect();
        assert_eq!(shown, [("/w/a.py", vec![0..2, 10..12])]);
    }
}
