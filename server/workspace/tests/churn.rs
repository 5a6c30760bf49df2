//! However files change, on disk and in the editor, the index is the same as one that is made from what is there.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test states what it expects bluntly, and makes the files that it reads"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use text::{Edit, EditSet, FilePath, Range, Text};
use workspace::{Change, Coverage, Focus, Store, Workspace};

/// Ten thousand changes take minutes unoptimised; `FARTHING_LAWS=10000` makes them.
const CHANGES: usize = 200;
/// How often the two are compared.
const COMPARED: usize = 8;

/// Pieces that make, break and move syntax.
const PIECES: &[&str] = &[
    "",
    "x",
    "\n",
    " ",
    "(",
    ")",
    "{",
    "}",
    "\"",
    "/*",
    "*/",
    "#",
    ";",
    "ä",
    "fn f() {}\n",
    "def f(): pass\n",
    "class A {}\n",
    "import a\n",
    "use a::b;\n",
    "// farthing: do it\n",
    "\u{0}",
];

#[test]
fn a_changed_index_is_as_good_as_a_new_one() {
    let changes = std::env::var("FARTHING_LAWS").ok();
    let changes = changes
        .and_then(|changes| changes.parse().ok())
        .unwrap_or(CHANGES);
    let mut desk = Desk::new();
    for number in 1..=changes {
        desk.change();
        if number % (changes / COMPARED).max(1) == 0 || number == changes {
            desk.compare(number);
        }
    }
}

/// A folder, a workspace that follows it, and who changes both.
struct Desk {
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
    root: FilePath,
    sources: Vec<(String, String)>,
    workspace: Workspace,
    /// The text and the version of each open document.
    open: BTreeMap<FilePath, (Text, i32)>,
    random: Random,
}

impl Desk {
    fn new() -> Desk {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = FilePath::new(folder.path()).unwrap();
        let mut workspace = Workspace::default();
        workspace.set_roots(vec![root.clone()]);
        Desk {
            folder,
            cache,
            root,
            sources: sources(),
            workspace,
            open: BTreeMap::new(),
            random: Random(0x5eed),
        }
    }

    fn change(&mut self) {
        match self.random.below(100) {
            0..20 => self.write(),
            20..40 => self.edit_on_disk(),
            40..48 => self.remove(),
            48..56 => self.rename(),
            56..58 => self.rename_folder(),
            58..59 => self.remove_folder(),
            59..65 => self.open_document(),
            65..94 => self.type_something(),
            94..99 => self.close_document(),
            _ => self.look_at_everything(),
        }
    }

    fn path(&mut self) -> (PathBuf, String) {
        let (name, text) = self.sources[self.random.below(self.sources.len())].clone();
        let folder = ["", "a", "b", "a/c", "a/c/d"][self.random.below(5)];
        let number = self.random.below(3);
        (
            self.folder
                .path()
                .join(folder)
                .join(format!("{number}{name}")),
            text,
        )
    }

    fn write(&mut self) {
        let (path, text) = self.path();
        let end = text.floor_char_boundary(self.random.below(text.len() * 2).min(text.len()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text[..end]).unwrap();
        self.notice(&[path]);
    }

    fn edit_on_disk(&mut self) {
        let Some(path) = self.pick() else { return };
        let text = Text::from(fs::read_to_string(&path).unwrap().as_str());
        let text = self.edit(&text).apply(&text).unwrap();
        fs::write(&path, text.to_string()).unwrap();
        self.notice(&[path]);
    }

    fn remove(&mut self) {
        let Some(path) = self.pick() else { return };
        fs::remove_file(&path).unwrap();
        self.notice(&[path]);
    }

    fn rename(&mut self) {
        let Some(from) = self.pick() else { return };
        let (to, _) = self.path();
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(&from, &to).unwrap();
        self.notice(&[from, to]);
    }

    fn rename_folder(&mut self) {
        let (from, to) = (
            self.folder.path().join("a"),
            self.folder.path().join("moved"),
        );
        if !from.is_dir() {
            return;
        }
        _ = fs::remove_dir_all(&to);
        self.notice(std::slice::from_ref(&to));
        fs::rename(&from, &to).unwrap();
        let mut changed = files_in(&to);
        changed.push(from);
        self.notice(&changed);
    }

    fn remove_folder(&mut self) {
        let path = self
            .folder
            .path()
            .join(["b", "a/c", "moved"][self.random.below(3)]);
        _ = fs::remove_dir_all(&path);
        self.notice(&[path]);
    }

    fn open_document(&mut self) {
        let Some(path) = self.pick() else { return };
        let file = FilePath::new(&path).unwrap();
        let text = Text::from(fs::read_to_string(&path).unwrap().as_str());
        self.open.insert(file.clone(), (text.clone(), 0));
        self.workspace.open(&file, "", 0, text);
        self.take_in_document(&file);
    }

    fn type_something(&mut self) {
        let Some(file) = self.pick_open() else { return };
        let (text, version) = self.open[&file].clone();
        let edit = self.edit(&text);
        let text = edit.apply(&text).unwrap();
        self.open.insert(file.clone(), (text.clone(), version + 1));
        self.workspace.change(&file, version + 1, vec![edit], text);
        // As in the server, some keystrokes are over before anybody has looked at them.
        if self.random.below(3) > 0 {
            self.take_in_document(&file);
        }
    }

    fn close_document(&mut self) {
        let Some(file) = self.pick_open() else { return };
        self.open.remove(&file);
        self.workspace.close(&file);
        self.notice(&[file.as_path().to_owned()]);
    }

    /// A pass over the disk, as at a start: with what the last one has put away.
    fn look_at_everything(&mut self) {
        let store = Store::of(self.cache.path(), std::slice::from_ref(&self.root));
        let workspace = Mutex::new(std::mem::take(&mut self.workspace));
        workspace.lock().unwrap().begin_scan();
        scan(&workspace, &self.root, Some(&store));
        self.workspace = workspace.into_inner().unwrap();
    }

    /// What the server does when it hears of a change.
    fn notice(&mut self, paths: &[PathBuf]) {
        let change = Change::of(paths.iter().map(|path| FilePath::new(path).unwrap()));
        for path in &change.gone {
            self.workspace.forget_all(path);
        }
        for file in &change.files {
            match workspace::facts_on_disk(std::slice::from_ref(&self.root), file) {
                Some(facts) => self.workspace.index_file(file, facts, None),
                None => self.workspace.forget(file),
            };
        }
    }

    fn take_in_document(&mut self, file: &FilePath) {
        let snapshot = self.workspace.snapshot();
        let document = snapshot.open_document(file).unwrap();
        if let Some(parsed) = document.parsed() {
            let facts = parsed.facts().clone();
            assert!(
                self.workspace
                    .index_file(file, facts, Some(document.serial()))
            );
        }
    }

    /// What the server does when nobody types.
    fn come_to_rest(&mut self, file: &FilePath) {
        let snapshot = self.workspace.snapshot();
        let document = snapshot.open_document(file).unwrap();
        if let Some(parsed) = document.settle(&|| false) {
            let facts = parsed.facts().clone();
            assert!(
                self.workspace
                    .index_file(file, facts, Some(document.serial()))
            );
        }
    }

    fn edit(&mut self, text: &Text) -> EditSet {
        let start = text.floor(self.random.below(text.len() + 1));
        // Mostly a few bytes, sometimes much of the file.
        let length = 1 << self.random.below(12);
        let end = text.floor((start + self.random.below(length)).min(text.len()));
        let piece = PIECES[self.random.below(PIECES.len())];
        EditSet::one(Edit::new(Range::new(start, end.max(start)), piece))
    }

    fn pick(&mut self) -> Option<PathBuf> {
        let files = files_in(self.folder.path());
        (!files.is_empty()).then(|| files[self.random.below(files.len())].clone())
    }

    fn pick_open(&mut self) -> Option<FilePath> {
        let number = self.random.below(self.open.len().max(1));
        self.open.keys().nth(number).cloned()
    }

    /// Makes an index of what is there and compares the two, fact by fact and answer by answer.
    fn compare(&mut self, number: usize) {
        let files: Vec<FilePath> = self.open.keys().cloned().collect();
        for file in &files {
            self.come_to_rest(file);
        }
        let mut workspace = Workspace::default();
        workspace.set_roots(vec![self.root.clone()]);
        for (file, (text, version)) in &self.open {
            workspace.open(file, "", *version, text.clone());
            let snapshot = workspace.snapshot();
            let document = snapshot.open_document(file).unwrap();
            if let Some(parsed) = document.parsed() {
                let facts = parsed.facts().clone();
                assert!(workspace.index_file(file, facts, Some(document.serial())));
            }
        }
        let workspace = Mutex::new(workspace);
        scan(&workspace, &self.root, None);
        let fresh = workspace.into_inner().unwrap().snapshot();
        let live = self.workspace.snapshot();
        let (live, fresh) = (live.index(), fresh.index());
        let [mine, other] = [live, fresh].map(|index| index.paths().cloned().collect::<Vec<_>>());
        assert_eq!(mine, other, "after {number} changes");
        let mut names = vec!["no such name".to_owned()];
        for (file, facts) in live.files() {
            let same = facts.pack() == fresh.file(file).unwrap().pack();
            assert!(same, "{file} after {number} changes");
            names.extend(facts.symbols.iter().map(|symbol| symbol.name.to_string()));
            names.extend(
                facts
                    .references()
                    .map(|reference| reference.name.to_owned()),
            );
            assert_eq!(live.importers(file), fresh.importers(file));
        }
        names.sort();
        names.dedup();
        for name in names {
            assert_eq!(live.definitions(&name), fresh.definitions(&name), "{name}");
            assert_eq!(live.references(&name), fresh.references(&name), "{name}");
            assert_eq!(live.files_with(&name), fresh.files_with(&name), "{name}");
        }
        let [mine, other] = [live, fresh].map(|index| {
            let mut stats = index.stats();
            // That of packed facts and that of facts differ.
            stats.memory = 0;
            stats
        });
        assert_eq!(mine, other, "after {number} changes");
    }
}

fn scan(workspace: &Mutex<Workspace>, root: &FilePath, store: Option<&Store>) {
    let focus = || Focus::of(&workspace.lock().unwrap().snapshot());
    let roots = std::slice::from_ref(root);
    let scan = workspace::scan(
        roots,
        store,
        Some(&focus),
        &AtomicBool::new(false),
        &|step| {
            workspace.lock().unwrap().take_in(step);
        },
    );
    workspace.lock().unwrap().set_coverage(Coverage {
        done: scan.files,
        found: scan.files,
        complete: true,
    });
}

/// The fixtures of all languages, by name.
fn sources() -> Vec<(String, String)> {
    let grammars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammars");
    let mut sources = Vec::new();
    for grammar in grammars::all() {
        let mut files = files_in(&grammars.join(grammar.name).join("fixtures"));
        files.retain(|file| grammars::for_path(file.to_str().unwrap()) == Some(grammar));
        for file in files.into_iter().take(2) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            sources.push((name, fs::read_to_string(file).unwrap()));
        }
    }
    sources
}

/// All files in a folder, by path.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
