use std::sync::Arc;

use index::{Facts, Place, Symbol};
use text::{FilePath, Text};

use super::At;
use crate::graph::{Edge, Graph, Project, name_of};

/// The workspace as it is: what claims are held against.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The files and what the team has said.
    pub project: &'a Project<'a>,
    /// Which file imports which.
    pub graph: &'a Graph,
    /// The text of a file, with what is typed and not saved; nothing for one that a model must not see.
    pub text: &'a dyn Fn(&FilePath) -> Option<Text>,
    /// Whether a model must not hear of a file.
    pub closed: &'a dyn Fn(&FilePath) -> bool,
}

/// What a review is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its path from the root; empty for the whole workspace folder.
    pub path: String,
    /// Its files, by path; one if it is a file.
    pub files: Vec<FilePath>,
    /// Whether it is a folder.
    pub folder: bool,
}

/// A symbol that was found.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) symbol: Symbol,
}

impl Evidence<'_> {
    /// The file or folder of that path from the root; none if the index has nothing of it that a model may see.
    pub fn subject(&self, path: &str) -> Option<Subject> {
        let path = path.trim_end_matches('/');
        let path = if path == "." { "" } else { path };
        if let Some(file) = self.file(path) {
            return Some(Subject {
                path: path.to_owned(),
                files: vec![file],
                folder: false,
            });
        }
        let files = self.files(path);
        (!files.is_empty()).then(|| Subject {
            path: path.to_owned(),
            files,
            folder: true,
        })
    }

    pub(super) fn file(&self, path: &str) -> Option<FilePath> {
        let known = |file: &FilePath| self.project.index.contains(file) && !(self.closed)(file);
        self.places(path).find(known)
    }

    /// The file of that path, or those in the folder.
    pub(super) fn files(&self, path: &str) -> Vec<FilePath> {
        let path = path.trim_end_matches('/');
        let folders = self.places(path);
        let mut found = folders.map(|place| {
            let mut files = self.project.index.inside(&place);
            files.retain(|file| !(self.closed)(file));
            files
        });
        found.find(|files| !files.is_empty()).unwrap_or_default()
    }

    fn places(&self, path: &str) -> impl Iterator<Item = FilePath> {
        let roots = self.project.roots.iter();
        roots.filter_map(move |root| {
            let place = if path.is_empty() {
                root.clone()
            } else {
                root.join(path).ok()?
            };
            (place == *root || place.is_inside(root)).then_some(place)
        })
    }

    pub(super) fn name(&self, file: &FilePath) -> String {
        name_of(self.project, file)
    }

    /// The facts of a file and the very text that they are of.
    pub(super) fn read(&self, file: &FilePath) -> Option<(Arc<Facts>, Text)> {
        let facts = self.project.index.file(file)?;
        let text = (self.text)(file)?;
        (facts.bytes == text.len()).then_some((facts, text))
    }

    pub(super) fn symbol(&self, at: &At) -> Option<Found> {
        let file = self.file(&at.file)?;
        let facts = self.project.index.file(&file)?;
        let id = facts.by_path(&at.symbol)?;
        let symbol = facts.symbol(id)?.clone();
        let place = Place { file, symbol: id };
        Some(Found { place, symbol })
    }

    /// The text of a symbol without what stands above it.
    pub(super) fn text_of(&self, found: &Found) -> Option<String> {
        let (_, text) = self.read(&found.place.file)?;
        Some(text.slice(found.symbol.item))
    }

    /// The edges that leave a file, those of tests apart.
    pub(super) fn edges(&self, file: &FilePath) -> impl Iterator<Item = &Edge> {
        let links = self.graph.links(file);
        let edges = links.into_iter().flat_map(|links| &links.edges);
        edges.filter(|edge| !edge.test)
    }

    /// The files that import a file, or the folder it stands for, tests apart.
    pub(super) fn importers(&self, file: &FilePath) -> Vec<FilePath> {
        let folder = file.parent();
        let leads = |to: &FilePath| to == file || Some(to) == folder.as_ref();
        let mut found: Vec<FilePath> = Vec::new();
        for importer in self.graph.files().map(|(importer, _)| importer) {
            if importer != file && self.edges(importer).any(|edge| leads(&edge.to)) {
                found.push(importer.clone());
            }
        }
        found
    }

    /// The files that a file imports, tests apart.
    pub(super) fn imported(&self, file: &FilePath) -> Vec<FilePath> {
        let mut found: Vec<FilePath> = self.edges(file).map(|edge| edge.to.clone()).collect();
        found.sort();
        found.dedup();
        found
    }
}
