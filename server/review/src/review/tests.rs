use std::fmt::Write as _;

use expect_test::{Expect, expect};
use index::{Facts, Index};

use super::*;
use crate::manifest::Manifests;
use crate::team::Team;

fn index(fixture: &str) -> Index {
    let files = fixture.split("//- ").skip(1).map(|part| {
        let (path, source) = part.split_once('\n').unwrap();
        let facts = Facts::of(grammars::for_path(path).unwrap(), source);
        (FilePath::new(path).unwrap(), Arc::new(facts))
    });
    files.collect()
}

fn everything() -> Thresholds {
    let mut thresholds = Thresholds::default();
    thresholds.set(RuleId::DeferredCycle, Some(0));
    thresholds
}

fn with_project<T>(index: &Index, act: impl FnOnce(&Project<'_>) -> T) -> T {
    let root = FilePath::new("/w").unwrap();
    act(&Project {
        roots: std::slice::from_ref(&root),
        index,
        manifests: &Manifests::default(),
        exists: &|file| file.as_str().starts_with("/w/built"),
        team: &Team::default(),
    })
}

fn show(review: &Review) -> String {
    let mut out = String::new();
    for finding in review.findings() {
        let file = finding.file.file_name();
        writeln!(out, "{file} {} {}", finding.rule, finding.message).unwrap();
        for related in &finding.related {
            writeln!(out, "    {} {}", related.file.file_name(), related.message).unwrap();
        }
    }
    out
}

fn check(fixture: &str, expected: Expect) {
    let index = index(fixture);
    let review = with_project(&index, |project| Review::of(project, &everything()));
    expected.assert_eq(&show(&review));
}

const CIRCLE: &str = "\
//- /w/a.py
from b import one, two
//- /w/b.py
import c
//- /w/c.py
from a import three
";

#[test]
fn a_circle_is_one_finding_at_the_cheapest_import() {
    check(
        CIRCLE,
        expect![[r#"
            c.py cycle/load-time 3 files import each other while they are loaded, here through a.py; removing this import ends it
                a.py on the way back: imports b.py
                b.py on the way back: imports c.py
        "#]],
    );
}

#[test]
fn what_is_imported_later_or_for_types_closes_no_circle_at_load_time() {
    check(
        "\
//- /w/a.py
def late():
    from b import one
//- /w/b.py
import a
//- /w/c.ts
import { D } from \"./d\";
export const c = 1;
let d: D;
//- /w/d.ts
import { c } from \"./c\";
export interface D { d: typeof c }
",
        expect![[r#"
            a.py cycle/deferred 2 files import each other in a circle that closes after loading, here through b.py; removing this import ends it
                b.py on the way back: imports a.py
            d.ts cycle/deferred 2 files import each other in a circle that closes after loading, here through c.ts; removing this import ends it
                c.ts on the way back: imports d.ts
        "#]],
    );
}

#[test]
fn a_comment_above_or_behind_the_import_silences_it() {
    let index = index(
        "\
//- /w/a.py
# farthing: ignore[graph/unresolved] made by the build
from .one import x
from .two import y  # farthing: ignore[graph/unresolved] made by the build
from .built import z
from .four import w
from .five import v
//- /w/b.ts
import { p } from \"./built/p\";
",
    );
    let review = with_project(&index, |project| Review::of(project, &everything()));
    let file = FilePath::new("/w/a.py").unwrap();
    let bar = crate::Bar {
        thresholds: &everything(),
        team: &Team::default(),
        today: "2026-01-01",
        history: &crate::History::default(),
        index: &index,
        customs: &crate::Customs::default(),
        fresh: None,
    };
    let facts = index.file(&file).unwrap();
    let left = crate::judge(
        &bar,
        &file,
        "a.py",
        &crate::Seen {
            facts: &facts,
            smells: &[],
            others: Some(review.file(&file)),
        },
    );
    let left: Vec<_> = left.iter().map(|finding| &*finding.key).collect();
    assert_eq!(left, [".four", ".five"]);
}

#[test]
fn an_edit_says_whose_findings_it_changed() {
    let before = index(CIRCLE);
    let mut review = with_project(&before, |project| Review::of(project, &everything()));
    let mut after = before.clone();
    let b = FilePath::new("/w/b.py").unwrap();
    let grammar = grammars::for_path("b.py").unwrap();
    let mut edit = |source: &str| {
        after.insert(b.clone(), Arc::new(Facts::of(grammar, source)));
        let changed = BTreeSet::from([b.clone()]);
        let files = with_project(&after, |project| {
            review.update(project, &everything(), &changed)
        });
        let fresh = with_project(&after, |project| Review::of(project, &everything()));
        assert_eq!(show(&review), show(&fresh));
        files
            .iter()
            .map(|file| file.file_name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        edit("import c\nx = 1\n"),
        [""; 0],
        "no import leads elsewhere"
    );
    assert_eq!(edit("x = 1\n"), ["c.py"], "the circle is open");
    assert_eq!(edit("import c\n"), ["c.py"], "and closed again");
}
