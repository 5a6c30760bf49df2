//! Findings that are known: one identity a line, sorted, so that a difference shows what came and went.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use review::Finding;
use text::FilePath;

/// What the first line says.
const HEAD: &str = "# Known findings of `farthing review`, one a line. The file only shrinks: --update-baseline drops what is gone.";

/// The known findings.
pub(super) struct Baseline {
    file: PathBuf,
    exists: bool,
    known: BTreeSet<String>,
}

/// What a finding is told by, whatever line it is on: rule, file, symbol, and what tells it from others there.
pub(super) fn identity(root: &FilePath, finding: &Finding) -> String {
    let file = finding
        .file
        .relative_to(root)
        .unwrap_or(finding.file.as_str());
    let parts = [file, &finding.symbol, &finding.key];
    let mut identity = finding.rule.code().to_owned();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        identity.push(' ');
        identity.push_str(&part.replace(['\n', '\r'], " "));
    }
    identity
}

impl Baseline {
    /// Reads a baseline; one that is not there is empty.
    pub(super) fn read(file: &Path) -> anyhow::Result<Baseline> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        Ok(Baseline {
            file: file.to_owned(),
            exists: text.is_some(),
            known: entries(text.as_deref().unwrap_or("")),
        })
    }

    /// Drops what is no longer found, or takes in everything if there is no baseline, and writes the file.
    #[expect(
        clippy::disallowed_methods,
        reason = "the user named this file to be written, and it is replaced as a whole"
    )]
    pub(super) fn update(&mut self, root: &FilePath, findings: &[Finding]) -> anyhow::Result<()> {
        let found = findings.iter().map(|finding| identity(root, finding));
        let found: BTreeSet<String> = found.collect();
        self.known = if self.exists {
            self.known.intersection(&found).cloned().collect()
        } else {
            found
        };
        let mut text = format!("{HEAD}\n");
        for entry in &self.known {
            text.push_str(entry);
            text.push('\n');
        }
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &self.file))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// Leaves out what is known. Answers how many entries are no longer found.
    pub(super) fn apply(&self, root: &FilePath, findings: &mut Vec<Finding>) -> usize {
        let mut stale = self.known.clone();
        findings.retain(|finding| {
            let identity = identity(root, finding);
            stale.remove(&identity);
            !self.known.contains(&identity)
        });
        stale.len()
    }
}

fn entries(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}
