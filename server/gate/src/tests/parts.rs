//! A decision by the part of a text around a change is the decision by the whole.

use std::fs;
use std::path::Path;

use index::Grammar;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::decide::decide_by_parts;

/// What takes the place of a piece of a symbol, or stands beside one.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "x",
    "{}",
    "}",
    "()",
    "\n}\n\nfn more() {\n",
    "\ndef more():\n    pass\n",
    "fn f() {}",
    "def f(): pass",
    "function f() {}",
    "class A {}",
    "x = 1",
    "#",
    "/*",
    "\"",
    "import a",
    "use a::b;",
];

fn texts() -> Vec<(&'static Grammar, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammars");
    let mut texts = Vec::new();
    for grammar in grammars::all() {
        for entry in fs::read_dir(root.join(grammar.name).join("fixtures")).unwrap() {
            let path = entry.unwrap().path();
            if grammars::for_path(path.to_str().unwrap()) == Some(grammar) {
                texts.push((grammar, fs::read_to_string(path).unwrap()));
            }
        }
    }
    texts
}

/// Judges a proposal both ways; answers what was said.
fn both(parsed: &Parsed, scope: &Scope, operation: &Operation) -> String {
    let view = View {
        file: &scope.file,
        text: parsed.text(),
        version: None,
        parsed,
    };
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    let proposal = Proposal {
        file: scope.file.clone(),
        operation: operation.clone(),
        reason: String::new(),
    };
    let by_parts = |longest| {
        let verdict = decide_by_parts(&view, scope, &policy, &proposal, longest);
        format!("{verdict:?}")
    };
    let said = by_parts(usize::MAX);
    let language = parsed.grammar().name;
    assert_eq!(
        said,
        by_parts(0),
        "{language}: {operation:?} in\n{}",
        parsed.text()
    );
    said
}

/// What can be done to a symbol with a piece of text, each in the scope of that symbol.
fn operations(
    symbol: &index::Symbol,
    stands: &str,
    cut: (f64, f64),
    piece: &str,
) -> Vec<Operation> {
    let base = Hash::of(stands);
    let name = symbol.path.to_string();
    let place = |share: f64| stands.floor_char_boundary((share * stands.len() as f64) as usize);
    let start = place(cut.0);
    let end = place(cut.0 + cut.1.powi(3)).max(start);
    let text = format!("{}{piece}{}", &stands[..start], &stands[end..]);
    let mut operations = vec![
        Operation::ReplaceSymbol {
            symbol: name.clone(),
            base,
            text,
        },
        Operation::EditSymbol {
            symbol: name.clone(),
            base,
            edits: vec![Replacement {
                old: stands[start..end].to_owned(),
                new: piece.to_owned(),
            }],
        },
        Operation::EditImports {
            add: vec![piece.to_owned()],
            remove: Vec::new(),
        },
    ];
    let renamed = stands.replace(&*symbol.name, &format!("{}New", symbol.name));
    for text in [piece, stands, &renamed] {
        for place in [Place::Before, Place::After, Place::Inside] {
            operations.push(Operation::AddSymbol {
                anchor: name.clone(),
                place,
                text: text.to_owned(),
            });
        }
    }
    operations
}

/// A case goes through every language; `FARTHING_LAWS=1000` looks for longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("FARTHING_LAWS").ok();
    ProptestConfig {
        failure_persistence: None,
        rng_seed: if cases.is_some() {
            RngSeed::Random
        } else {
            RngSeed::Fixed(7)
        },
        ..ProptestConfig::with_cases(cases.and_then(|cases| cases.parse().ok()).unwrap_or(1))
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn parts_and_the_whole_agree(
        pick in 0.0..1.0_f64,
        cut in (0.0..1.0_f64, 0.0..1.0_f64),
        piece in prop::sample::select(PIECES),
    ) {
        for (grammar, source) in texts() {
            let text = Text::from(source.as_str());
            let parsed = Parsed::parse(grammar, &text);
            let facts = parsed.facts();
            let Some(symbol) = facts.symbols.get((pick * facts.symbols.len() as f64) as usize) else {
                continue;
            };
            let scope = Scope::symbol(FilePath::new("/w/file").unwrap(), &*symbol.path);
            for operation in operations(symbol, &text.slice(symbol.range), cut, piece) {
                both(&parsed, &scope, &operation);
            }
        }
    }
}

/// Names that something far away has as well, and items that are gone, are known by reading all.
#[test]
fn what_is_far_away_is_seen() {
    let rust = grammars::by_name("rust").unwrap();
    let far = |number| format!("fn f{number}() {{}}\n\n");
    let far: Vec<String> = (0..20).map(far).collect();
    let far = far.concat();
    let source = format!("fn a() {{}}\n\nfn b() {{}}\n\n{far}fn last() {{}}\n");
    let add = |text: &str| Operation::AddSymbol {
        anchor: "a".into(),
        place: Place::After,
        text: text.into(),
    };
    let parsed = Parsed::parse(rust, &Text::from(source.as_str()));
    let say = |operation| both(&parsed, &scope("a"), &operation);
    assert!(say(add("fn last() {}")).contains(r#"added: ["last"]"#));
    assert!(say(add("fn new() {}")).contains(r#"added: ["new"]"#));
    assert!(say(add("fn new() {}\nfn b() {}\nfn c() {}")).contains("3 new items"));
    assert!(say(replace(&source, "a", "")).starts_with("Approved"));
    assert!(say(replace(&source, "a", "fn a() {}\nfn f7() {}\nfn a() {}")).starts_with("Approved"));
}
