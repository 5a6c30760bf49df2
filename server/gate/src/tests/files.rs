//! Which whole files may come, get another name or go.

use super::*;

const RENAMED: &str = "src/old.rs";

fn at(path: &str) -> FilePath {
    FilePath::new("/w").unwrap().join(path).unwrap()
}

fn ordinary() -> Standing {
    Standing {
        kind: FileKind::Ordinary,
        size: 10,
        ..Standing::default()
    }
}

fn check(from: &str, standing: Standing, to: &str, is_there: bool, expected: Expect) {
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    let (old, new) = (at(from), at(to));
    let old = Named {
        file: &old,
        name: from,
    };
    let new = Named {
        file: &new,
        name: to,
    };
    let judged = rename(&policy, (old, &standing), (new, is_there), "why");
    expected.assert_eq(&match judged {
        Ok(question) => {
            let warning = question.warning.clone();
            let moved = question.approve();
            let moved = format!("{} to {} {warning}", moved.from(), moved.to());
            moved.trim_end().to_owned()
        }
        Err(refusal) => refusal.message,
    });
}

#[test]
fn a_free_file_gets_a_free_name() {
    let free = |to, expected| check(RENAMED, ordinary(), to, false, expected);
    free("src/new.rs", expect!["/w/src/old.rs to /w/src/new.rs"]);
    // A name that differs in nothing but its case is another name.
    free("src/Old.rs", expect!["/w/src/old.rs to /w/src/Old.rs"]);
    free(
        "src/build.rs",
        expect!["/w/src/old.rs to /w/src/build.rs Builds execute or pin such a file."],
    );
    free(RENAMED, expect!["src/old.rs has that name already"]);
    free(
        "src/old.rs/new.rs",
        expect!["src/old.rs/new.rs would be inside src/old.rs, which is no folder"],
    );
    free(
        "../new.rs",
        expect!["../new.rs is outside the workspace; its files stay in it"],
    );
    free(
        ".git/hooks/pre-commit",
        expect![".git/hooks/pre-commit is protected and never made by a run"],
    );
    check(
        RENAMED,
        ordinary(),
        "src/new.rs",
        true,
        expect!["src/new.rs is there already; a file takes no other's place"],
    );
    check(
        "farthing.toml",
        ordinary(),
        "a.toml",
        false,
        expect!["farthing.toml is protected and never renamed by a run"],
    );
}

#[test]
fn what_others_need_stays() {
    let stays = |standing, expected| check(RENAMED, standing, "src/new.rs", false, expected);
    stays(Standing::default(), expect!["there is no src/old.rs"]);
    let of = |kind| Standing { kind, ..ordinary() };
    stays(
        of(FileKind::Link),
        expect!["src/old.rs is a link, and runs leave links as they are"],
    );
    stays(
        of(FileKind::Other),
        expect!["src/old.rs is not an ordinary file"],
    );
    stays(
        Standing {
            leads_out: true,
            ..ordinary()
        },
        expect!["src/old.rs leads out of the workspace by a link"],
    );
    let in_work = |run: &str| Standing {
        worked_in: Some(run.to_owned()),
        ..ordinary()
    };
    stays(
        in_work(""),
        expect!["src/old.rs is the file you work in; it can be renamed by the user afterwards"],
    );
    stays(
        in_work("Simplify `f`"),
        expect!["another run, “Simplify `f`”, works in src/old.rs; it stays as it is"],
    );
    stays(
        Standing {
            undecided: true,
            ..ordinary()
        },
        expect![
            "the user has not decided yet on what was changed of src/old.rs; it stays as it is"
        ],
    );
    stays(
        Standing {
            unsaved: true,
            ..ordinary()
        },
        expect!["src/old.rs has changes that the user has not saved; it stays as it is"],
    );
    stays(
        Standing {
            read_only: true,
            ..ordinary()
        },
        expect!["src/old.rs is read-only; it stays as it is"],
    );
}

#[test]
fn what_cannot_be_kept_is_not_deleted() {
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    let file = at(RENAMED);
    let named = Named {
        file: &file,
        name: RENAMED,
    };
    let judged = |most| delete(&policy, (named, &ordinary()), most, "why");
    assert_eq!(judged(10).unwrap().approve().file(), &file);
    expect!["src/old.rs has 10 bytes, and a run deletes files of at most 9; it stays"]
        .assert_eq(&judged(9).unwrap_err().message);
}

#[test]
fn nothing_comes_back_over_something_else() {
    let (from, to) = (at("kept"), at(RENAMED));
    assert!(bring_back(&from, &to, true).is_none());
    assert_eq!(bring_back(&from, &to, false).unwrap().to(), &to);
    assert!(write_again(&to, &Text::from("a"), true).is_none());
}
