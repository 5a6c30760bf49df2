//! The book under `docs/`, and what stands beside it: links lead somewhere, a line is a sentence, every page can be
//! reached, and nothing tells of one machine.

#![expect(clippy::unwrap_used, reason = "a test states what it expects bluntly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        for (line, target) in page.links() {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() {
                page.path.clone()
            } else {
                page.path.parent().unwrap().join(file)
            };
            if !path.exists() {
                broken.push(format!("{}:{line}: there is no {target}", page.name));
            } else if !anchor.is_empty() && !Page::read(&path).anchors().contains(anchor) {
                broken.push(format!(
                    "{}:{line}: there is no heading for {target}",
                    page.name
                ));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_page_can_be_reached() {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![root().join("docs/README.md")];
    while let Some(path) = waiting.pop() {
        if is_markdown(&path) && path.is_file() && reached.insert(path.clone()) {
            let page = Page::read(&path);
            let targets = page.links().into_iter().map(|(_, target)| target);
            let files = targets.filter_map(|target| Some(target.split('#').next()?.to_owned()));
            waiting.extend(files.map(|file| normal(&path.parent().unwrap().join(file))));
        }
    }
    let lost: Vec<String> = pages()
        .into_iter()
        .filter(|page| page.name.starts_with("docs/") && !reached.contains(&page.path))
        .map(|page| page.name)
        .collect();
    assert!(
        lost.is_empty(),
        "no link from docs/README.md leads to {lost:?}"
    );
}

#[test]
fn a_line_holds_one_sentence() {
    let mut found = Vec::new();
    for page in pages() {
        for (number, line) in page.prose() {
            let text = without_code(line);
            let ends = [". ", "! ", "? "]
                .iter()
                .flat_map(|end| text.match_indices(end));
            let sentences = ends.filter(|(at, end)| {
                let before = text[..*at].rsplit(' ').next().unwrap_or("");
                let after = text[at + end.len()..].chars().next().unwrap_or(' ');
                let short = before.len() <= 1 || before.ends_with(|c: char| c.is_ascii_digit());
                after.is_uppercase() && !short && !["e.g", "i.e", "etc", "vs"].contains(&before)
            });
            if sentences.count() > 0 {
                found.push(format!("{}:{number}: {line}", page.name));
            }
        }
    }
    assert!(
        found.is_empty(),
        "one sentence per line, so that a difference shows a sentence:\n{}",
        found.join("\n")
    );
}

#[test]
fn nothing_tells_of_one_machine() {
    let home = std::env::home_dir().unwrap_or_default();
    let here: Vec<String> = [root(), home]
        .map(|folder| format!("{}/", folder.display()))
        .into();
    let mut found = Vec::new();
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            if here.iter().any(|folder| line.contains(folder)) {
                found.push(format!("{}:{}: {line}", page.name, number + 1));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_rule_is_in_the_list_of_rules() {
    let list = Page::read(&root().join("docs/rules/README.md"));
    for rule in review::all_rules() {
        let file = rule.page().rsplit('/').next().unwrap();
        assert!(
            list.text.contains(&format!("[`{}`]({file})", rule.code())),
            "docs/rules/README.md lists {rule}"
        );
        let figure = match rule.default_threshold() {
            0 if rule.is_on() => "on".to_owned(),
            0 => "off".to_owned(),
            figure => figure.to_string(),
        };
        let row = list.text.lines().find(|line| line.contains(rule.code()));
        assert!(
            row.is_some_and(|row| row.contains(&format!("| {figure}"))),
            "and the threshold of {rule}, or whether it is on"
        );
    }
}

/// A Markdown file of ours.
struct Page {
    path: PathBuf,
    /// Path from the root, with `/`.
    name: String,
    text: String,
}

impl Page {
    fn read(path: &Path) -> Page {
        let path = normal(path);
        let name = path
            .strip_prefix(root())
            .unwrap_or(&path)
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let text = if path.is_file() {
            std::fs::read_to_string(&path).unwrap()
        } else {
            String::new()
        };
        Page { path, name, text }
    }

    /// The lines outside of fenced code, with their numbers.
    fn lines(&self) -> Vec<(usize, &str)> {
        let mut fence = None;
        let mut lines = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            let start = line.trim_start();
            let marks = start.chars().take_while(|c| *c == '`').count();
            match fence {
                None if marks >= 3 => fence = Some(marks),
                None => lines.push((number + 1, line)),
                Some(open) if marks >= open && start.trim_end().len() == marks => fence = None,
                Some(_) => {}
            }
        }
        lines
    }

    /// The lines that are sentences: neither headings nor tables.
    fn prose(&self) -> Vec<(usize, &str)> {
        let lines = self.lines().into_iter();
        lines
            .filter(|(_, line)| !line.starts_with('#') && !line.trim_start().starts_with('|'))
            .collect()
    }

    /// The targets of the links, with their lines.
    fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, line) in self.lines() {
            let text = without_code(line);
            for (at, _) in text.match_indices("](") {
                if let Some((target, _)) = text[at + 2..].split_once(')') {
                    links.push((number, target.to_owned()));
                }
            }
        }
        links
    }

    /// What a link can name after `#`: the headings as GitHub spells them.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self
            .lines()
            .into_iter()
            .filter(|(_, line)| line.starts_with('#'));
        headings
            .map(|(_, line)| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title
                    .chars()
                    .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

/// The line with what stands between backquotes blanked out, of the same length.
fn without_code(line: &str) -> String {
    let mut inside = false;
    line.chars()
        .map(|c| {
            inside ^= c == '`';
            if inside { 'x' } else { c }
        })
        .collect()
}

/// The Markdown files of the book, the readme, and the editors' and the grammars' pages.
fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    for folder in ["docs", "editors", "grammars", "tests"] {
        collect(&root().join(folder), &mut paths);
    }
    paths.extend(Some(root().join("README.md")).filter(|path| path.is_file()));
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let ours = !name.starts_with('.')
            && !["node_modules", "out", "fixtures", "workspace", "hostile"].contains(&name);
        if path.is_dir() && ours {
            collect(&path, paths);
        } else if is_markdown(&path) {
            paths.push(path);
        }
    }
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => _ = normal.pop(),
            part => normal.push(part),
        }
    }
    normal
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}
