//! `catalog-info.yaml`: what a service catalogue says of the folder that the file is in.

use text::{FilePath, Range};

use crate::graph::folder_of;

/// An entry of a catalogue that is about code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    /// The catalogue's file.
    pub(crate) file: FilePath,
    /// The folder that the file is in.
    pub(crate) folder: FilePath,
    /// Where it is named.
    pub(crate) range: Range,
    pub(crate) name: String,
    /// Who answers for it.
    pub(crate) owner: Vec<String>,
    /// Whether it is something that runs on its own, and not a library.
    pub(crate) runs: bool,
}

/// Whether a file of that name is a catalogue's.
pub(super) fn is_catalog(name: &str) -> bool {
    matches!(name, "catalog-info.yaml" | "catalog-info.yml")
}

/// The components of a file, which may hold several documents.
///
/// Only block style is read, which is how these files are written.
pub(super) fn components(file: &FilePath, text: &str) -> Vec<Component> {
    let mut found = Vec::new();
    let mut entry = Entry::default();
    let (mut section, mut step, mut at) = ("", None, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if line.starts_with("---") {
            found.extend(std::mem::take(&mut entry).component(file));
            section = "";
            continue;
        }
        let content = line.split(" #").next().unwrap_or("").trim_end();
        let trimmed = content.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = content.len() - trimmed.len();
        let (key, rest) = trimmed.split_once(':').unwrap_or((trimmed, ""));
        let value = rest.trim().trim_matches(['"', '\'']);
        if indent == 0 {
            (section, step) = (key, None);
            if key == "kind" {
                entry.is_component = value == "Component";
            }
        } else if indent == *step.get_or_insert(indent) {
            match (section, key) {
                ("metadata", "name") => {
                    let begin = start + line.find(value).unwrap_or(0);
                    entry.name = Some((value.to_owned(), Range::new(begin, begin + value.len())));
                }
                ("spec", "owner") => value.clone_into(&mut entry.owner),
                ("spec", "type") => entry.runs = matches!(value, "service" | "website"),
                _ => {}
            }
        }
    }
    found.extend(entry.component(file));
    found
}

#[derive(Default)]
struct Entry {
    is_component: bool,
    name: Option<(String, Range)>,
    owner: String,
    runs: bool,
}

impl Entry {
    fn component(self, file: &FilePath) -> Option<Component> {
        let (name, range) = self.name.filter(|_| self.is_component)?;
        // `group:default/shop` is the group `shop`.
        let owner = self.owner.rsplit(['/', ':']).next().unwrap_or("");
        Some(Component {
            file: file.clone(),
            folder: folder_of(file),
            range,
            name,
            owner: (!owner.is_empty())
                .then(|| owner.to_owned())
                .into_iter()
                .collect(),
            runs: self.runs,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_document_is_an_entry() {
        let text = "\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: billing   # the money
  annotations:
    name: no
spec:
  type: service
  owner: group:default/shop
---
kind: Component
metadata:
  name: \"maths\"
spec:
  type: library
  owner: ana
---
kind: System
metadata:
  name: shop
spec:
  owner: ben
";
        let file = FilePath::new("/w/billing/catalog-info.yaml").unwrap();
        let shown: Vec<_> = components(&file, text)
            .into_iter()
            .map(|one| {
                let name = text[one.range.start..one.range.end].to_owned();
                (name, one.owner.join(" "), one.runs)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("billing".to_owned(), "shop".to_owned(), true),
                ("maths".to_owned(), "ana".to_owned(), false),
            ]
        );
    }
}
