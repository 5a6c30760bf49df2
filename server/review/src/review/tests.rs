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
        ignored: &|_, file| file.as_str().starts_with("/w/lib/"),
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
fn declarations_are_never_loaded_and_examples_may_be_circles() {
    check(
        "\
//- /w/a.pyi
from b import B
//- /w/b.pyi
from a import A
//- /w/examples/shop/__init__.py
from . import views
//- /w/examples/shop/views.py
from . import app
",
        expect![[r#"
            b.pyi cycle/deferred 2 files import each other in a circle that closes after loading, here through a.pyi; removing this import ends it
                a.pyi on the way back: imports b.pyi
        "#]],
    );
}

#[test]
fn what_may_be_missing_or_is_made_by_others_leads_nowhere_without_a_word() {
    check(
        "\
//- /w/a.py
from contextlib import suppress
with suppress(ImportError):
    from .fast import x
with open(path):
    from .gone import y
//- /w/bin/run.js
require(\"../lib/run\");
require(\"../src/run\");
//- /w/app/page.ts
import type { Route } from \"./+types/page\";
//- /w/fast/src/lib.rs
//- /w/b.py
from fast import Fast
//- /w/parser/resources/inline/a.py
from .nothing import x
//- /w/vendor/a.py
from .nothing import x
",
        expect![[r#"
            a.py graph/unresolved `.gone` leads to no file of the workspace
            run.js graph/unresolved `../src/run` leads to no file of the workspace
        "#]],
    );
}

#[test]
fn a_file_that_puts_everything_together_knows_what_is_above_it() {
    let mut fixture = String::new();
    for above in ["billing", "shop", "stock"] {
        for at in 0..21 {
            let file = format!("//- /w/{above}/f{at}.py\nfrom core.base import Base\n");
            fixture.push_str(&file);
        }
        writeln!(fixture, "//- /w/{above}/schema.py").unwrap();
    }
    fixture.push_str("//- /w/core/base.py\n");
    let one = fixture.clone() + "//- /w/core/late.py\nfrom shop.schema import Shop\n";
    check(
        &one,
        expect![[r#"
            late.py layer/inferred-drift imports shop/schema.py, but 21 imports go from `shop` to `core` and only 1 goes this way
        "#]],
    );
    let all = "from shop.schema import Shop\nfrom stock.schema import Stock\nfrom billing.schema import Bill\n";
    check(
        &format!("{fixture}//- /w/core/schema.py\n{all}"),
        expect![[""]],
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
