#![allow(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::Workspace;

/// Lays out files, long ago.
fn lay_out(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        age(&path, 100);
    }
}

/// Makes a file look as if it had been written so many seconds ago.
fn age(path: &Path, seconds: u64) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(then).unwrap();
}

/// The workspace after a pass, what the pass says, and the folders that it has been in.
fn scanned_with_folders(root: &FilePath) -> (Workspace, Scan, Vec<FilePath>) {
    let workspace = Mutex::new(Workspace::default());
    let folders = Mutex::new(Vec::new());
    let scan = scan(
        std::slice::from_ref(root),
        None,
        None,
        &AtomicBool::new(false),
        &|step| match step {
            Step::Folder(folder) => lock(&folders).push(folder),
            step => lock(&workspace).take_in(step),
        },
    );
    let mut folders = folders.into_inner().unwrap();
    folders.sort_unstable();
    (workspace.into_inner().unwrap(), scan, folders)
}

fn scanned(root: &FilePath, store: Option<&Store>) -> (Workspace, Scan) {
    let workspace = Mutex::new(Workspace::default());
    lock(&workspace).begin_scan();
    let scan = scan(
        std::slice::from_ref(root),
        store,
        Some(&Focus::default),
        &AtomicBool::new(false),
        &|step| lock(&workspace).take_in(step),
    );
    (workspace.into_inner().unwrap(), scan)
}

#[test]
fn ignore_files_are_honoured_with_or_without_git() {
    let folder = tempfile::tempdir().unwrap();
    let root = FilePath::new(folder.path()).unwrap();
    let long_lines = "x = 1; ".repeat(4000);
    let data = "[\n1,\n".repeat(40_000);
    lay_out(
        folder.path(),
        &[
            (".gitignore", b"/out\n"),
            ("src/a.rs", b"fn a() {}"),
            ("out/b.rs", b"fn b() {}"),
            (".git/c.rs", b"fn c() {}"),
            ("notes.xyz", b"no grammar"),
            ("src/latin.rs", b"\xe4"),
            ("src/nul.rs", b"a\0b"),
            ("src/packed.rs", long_lines.as_bytes()),
            ("web/package-lock.json", b"{}"),
            ("web/data.json", data.as_bytes()),
            ("web/page.md", long_lines.as_bytes()),
        ],
    );
    let (workspace, scan, folders) = scanned_with_folders(&root);
    let within = |file: &FilePath| file.relative_to(&root).unwrap().to_owned();
    let snapshot = workspace.snapshot();
    let found: Vec<String> = snapshot.index().paths().map(within).collect();
    assert_eq!(found, ["src/a.rs", "web/page.md"]);
    let left_out: Vec<_> = scan
        .left_out
        .iter()
        .map(|(file, why)| (within(file), *why))
        .collect();
    assert_eq!(
        left_out,
        [
            ("src/latin.rs".to_owned(), SkipReason::NotText),
            ("src/nul.rs".to_owned(), SkipReason::Binary),
            ("src/packed.rs".to_owned(), SkipReason::Minified),
            ("web/data.json".to_owned(), SkipReason::TooLarge),
            ("web/package-lock.json".to_owned(), SkipReason::Kept),
        ]
    );
    let folders: Vec<_> = folders.iter().map(within).collect();
    assert_eq!(folders, ["", "src", "web"]);
    let others: Vec<_> = scan.others.iter().map(within).collect();
    assert_eq!(others, [".gitignore", "notes.xyz"]);
    let why = |path: &str| {
        let why = crate::explain(std::slice::from_ref(&root), &root.join(path).unwrap());
        why.to_string().replace(root.as_str(), "ROOT")
    };
    expect_test::expect![[r#"
        src/a.rs: indexed as Rust: 1 symbols, 0 references, 0 imports, 0 syntax errors
        out/b.rs: not indexed: ROOT/.gitignore leaves it out with `/out`
        .git/c.rs: not indexed: version control keeps it for itself
        notes.xyz: not indexed: no language is known for its name
        src/latin.rs: not indexed: it is not UTF-8 text
        src/nul.rs: not indexed: it is binary
        src/packed.rs: not indexed: its lines are too long for people; it is minified or data
        web/package-lock.json: not indexed: a program keeps it for itself, as lock files
        web/data.json: not indexed: it is larger than what people write in its language, so it is data or made by a program
        /elsewhere.rs: not indexed: it is in no workspace folder
    "#]]
    .assert_eq(
        &[
            "src/a.rs",
            "out/b.rs",
            ".git/c.rs",
            "notes.xyz",
            "src/latin.rs",
            "src/nul.rs",
            "src/packed.rs",
            "web/package-lock.json",
            "web/data.json",
            "/elsewhere.rs",
        ]
        .map(|path| format!("{path}: {}\n", why(path)))
        .concat(),
    );
}

#[test]
fn a_cancelled_scan_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = FilePath::new(folder.path()).unwrap();
    let cancel = AtomicBool::new(true);
    assert!(scan(&[root], None, Some(&Focus::default), &cancel, &|_| {}).cancelled);
}

const FILES: &[(&str, &[u8])] = &[
    ("a.rs", b"use b::sum;\nfn total() -> u32 { sum(1) }\n"),
    (
        "b.rs",
        b"/// Adds.\npub fn sum(a: u32) -> u32 { a + OFFSET }\nconst OFFSET: u32 = 1;\n",
    ),
    (
        "c/d.py",
        b"class Cart:\n    def total(self):\n        return sum(self.items)\n",
    ),
    ("c/bad.py", b"\xff"),
];

#[test]
fn what_has_not_changed_is_not_read_again() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = FilePath::new(folder.path()).unwrap();
    lay_out(folder.path(), FILES);
    let store = Store::of(cache.path(), std::slice::from_ref(&root));
    let (cold, scan) = scanned(&root, Some(&store));
    assert_eq!((scan.files, scan.read), (3, 3));
    let (warm, scan) = scanned(&root, Some(&store));
    assert_eq!((scan.files, scan.read), (3, 0));
    assert_eq!(scan.left_out.len(), 1);
    assert_eq!(warm.snapshot().index(), cold.snapshot().index());
    assert_eq!(warm.snapshot().index().definitions("sum").len(), 1);

    // One file changes, one goes, one comes, one is touched only.
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    write("a.rs", "fn other() {}\n");
    write("e.rs", "fn new() {}\n");
    std::fs::remove_file(folder.path().join("c/d.py")).unwrap();
    age(&folder.path().join("b.rs"), 50);
    let (warm, scan) = scanned(&root, Some(&store));
    assert_eq!((scan.files, scan.read), (3, 3));
    let (cold, _) = scanned(&root, None);
    assert_eq!(warm.snapshot().index(), cold.snapshot().index());
    assert_eq!(
        warm.snapshot().index().files_with("sum"),
        cold.snapshot().index().files_with("sum")
    );
}

#[test]
fn a_file_that_was_just_written_is_read_again() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = FilePath::new(folder.path()).unwrap();
    lay_out(folder.path(), FILES);
    age(&folder.path().join("a.rs"), 0);
    let store = Store::of(cache.path(), std::slice::from_ref(&root));
    scanned(&root, Some(&store));
    let (_, scan) = scanned(&root, Some(&store));
    assert_eq!(scan.read, 1);
}

#[test]
fn what_changes_during_a_scan_stays() {
    let folder = tempfile::tempdir().unwrap();
    let root = FilePath::new(folder.path()).unwrap();
    lay_out(folder.path(), FILES);
    let changed = root.join("a.rs").unwrap();
    let workspace = Mutex::new(Workspace::default());
    lock(&workspace).begin_scan();
    let grammar = grammars::for_path("a.rs").unwrap();
    let facts = Arc::new(Facts::of(grammar, "fn newer() {}"));
    lock(&workspace).index_file(&changed, facts, None);
    lock(&workspace).forget(&root.join("b.rs").unwrap());
    scan(
        std::slice::from_ref(&root),
        None,
        Some(&Focus::default),
        &AtomicBool::new(false),
        &|step| lock(&workspace).take_in(step),
    );
    let snapshot = lock(&workspace).snapshot();
    assert_eq!(snapshot.index().definitions("newer").len(), 1);
    assert_eq!(snapshot.index().definitions("total").len(), 1);
    assert!(snapshot.index().definitions("sum").is_empty());
}

#[test]
fn words_answer_until_facts_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = FilePath::new(folder.path()).unwrap();
    let text = "// the sum\nfn total() { sum() }";
    lay_out(folder.path(), &[("a.rs", text.as_bytes())]);
    let file = root.join("a.rs").unwrap();
    let mut workspace = Workspace::default();
    workspace.begin_scan();
    assert_eq!(workspace.snapshot().reading("sum", 9).left, None);
    assert!(!workspace.snapshot().mentioning("sum").complete);
    let words = words::of_text(text);
    workspace.take_in(Step::Words(Arc::new(Words::of(vec![(
        file.clone(),
        words,
    )]))));
    let mentioning = workspace.snapshot().mentioning("sum");
    assert_eq!(mentioning.files, std::slice::from_ref(&file));
    assert!(mentioning.complete);
    let unread = workspace.snapshot().reading("sum", 0);
    assert_eq!(unread.left, Some(1));
    assert!(unread.snapshot.index().references("sum").is_empty());
    let read = workspace.snapshot().reading("sum", 1);
    assert_eq!(read.left, Some(0));
    assert_eq!(read.snapshot.index().references("sum").len(), 1);
    let facts = Facts::of(
        grammars::for_path("a.rs").unwrap(),
        "// the sum\nfn total() {}",
    );
    workspace.take_in(Step::Facts(file, Arc::new(facts)));
    assert!(workspace.snapshot().mentioning("sum").files.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Whatever happens to a store, the index is the same as without one.
    #[test]
    fn damage_costs_nothing_but_time(at in 0.0..1.0_f64, bit in 0..8_u8, cut in prop::option::of(0.0..1.0_f64)) {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = FilePath::new(folder.path()).unwrap();
        lay_out(folder.path(), FILES);
        let store = Store::of(cache.path(), std::slice::from_ref(&root));
        let (cold, _) = scanned(&root, Some(&store));
        let mut bytes = std::fs::read(store.path()).unwrap();
        if let Some(cut) = cut {
            bytes.truncate((cut * bytes.len() as f64) as usize);
        } else {
            let place = (at * bytes.len() as f64) as usize;
            bytes[place] ^= 1 << bit;
        }
        std::fs::write(store.path(), &bytes).unwrap();
        let (warm, _) = scanned(&root, Some(&store));
        let (warm, cold) = (warm.snapshot(), cold.snapshot());
        prop_assert_eq!(warm.index(), cold.index());
        for name in ["sum", "total", "Cart", "OFFSET", "b"] {
            prop_assert_eq!(
                warm.index().references(name),
                cold.index().references(name)
            );
        }
    }
}
