//! `farthing run --apply`: the one way in which the program itself writes a user's file.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Home, Options};
use crate::model::Model;
use crate::steps::{AFTER, BEFORE, FILE, GREET, SHOP, greeted, shop};

/// The model holds its last answer.
const LATE: &str = r#"
[[turn]]
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[turn.tool.input.edits]]
old_text = 'text.push_str("Hello, ");'
new_text = 'text.push_str("Good day, ");'

[[turn]]
text = "Done, I think."
[[turn.fault]]
hold_after = { events = 3 }
"#;

/// The command that simplifies `greet` of the shop and writes the file.
fn command(home: &Home, model: &Model, arguments: &[&str]) -> Command {
    let line = SHOP
        .lines()
        .position(|line| line.contains("fn greet"))
        .unwrap()
        + 1;
    let mut command = home.command();
    command.args(["run", "simplify", &format!("{FILE}:{line}")]);
    command.args(arguments);
    for (name, value) in model.behind(Options::vscode()).environment {
        command.env(name, value);
    }
    command
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs to the end; while the model holds its last answer, `meanwhile` happens.
fn run_while(home: &Home, meanwhile: impl FnOnce()) -> Output {
    let model = Model::start(LATE);
    let mut command = command(home, &model, &["--apply"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    model.until("held answer", |progress| progress.held == 1);
    meanwhile();
    model.handle.release();
    child.wait_with_output().unwrap()
}

/// What is in the folder of the file, besides the file.
fn litter(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path("src")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "lib.rs").collect()
}

#[test]
fn the_difference_is_shown_and_with_apply_it_is_written() {
    let (home, model) = (shop(), Model::start(GREET));
    let output = command(&home, &model, &[]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("+    text.push_str(\"Good day, \");"));
    assert_eq!(home.read(FILE), SHOP);
    let output = command(&home, &model, &["--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!((home.read(FILE), litter(&home)), (greeted(), Vec::new()));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the disk")]
fn no_byte_changes_outside_of_the_edit() {
    for (from, to) in [
        ("\n", "\r\n"),
        ("\n}\n", "\n}"),
        ("//! A", "\u{feff}//! A"),
        ("/// Says", "///  \u{0}  \t\n/// Says"),
    ] {
        let (home, model) = (shop(), Model::start(GREET));
        let before = SHOP.replace(from, to);
        std::fs::write(home.path(FILE), &before).unwrap();
        let output = command(&home, &model, &["--apply"]).output().unwrap();
        let after = std::fs::read(home.path(FILE)).unwrap();
        let want = before.replacen(BEFORE, AFTER, 1);
        // A file that is not read as text is not changed either, and that is said.
        let refused = !output.status.success() && after == before.as_bytes();
        assert!(
            refused || after == want.as_bytes(),
            "{to:?}: {}",
            said(&output)
        );
        assert!(
            !refused || said(&output).contains("lib.rs"),
            "{to:?}: {}",
            said(&output)
        );
    }
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link_and_the_mode_stays_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (home, model) = (shop(), Model::start(GREET));
    let real = home.path("real.rs");
    std::fs::rename(home.path(FILE), &real).unwrap();
    symlink(&real, home.path(FILE)).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o750)).unwrap();
    let output = command(&home, &model, &["--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(std::fs::read_link(home.path(FILE)).unwrap(), real);
    let mode = std::fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(
        (std::fs::read_to_string(&real).unwrap(), mode & 0o777),
        (greeted(), 0o750)
    );
}

#[test]
fn what_is_read_only_is_not_replaced() {
    let (home, model) = (shop(), Model::start(GREET));
    let path = home.path(FILE);
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let output = command(&home, &model, &["--apply"]).output().unwrap();
    assert!(!output.status.success());
    assert!(
        said(&output).contains("is read-only; nothing was written"),
        "{}",
        said(&output)
    );
    assert_eq!(
        (home.read(FILE), litter(&home)),
        (SHOP.to_owned(), Vec::new())
    );
}

#[test]
fn what_another_program_writes_meanwhile_stays() {
    let home = shop();
    let theirs = "// somebody else's\n";
    let output = run_while(&home, || home.write(FILE, theirs));
    assert!(!output.status.success());
    assert!(
        said(&output)
            .contains("was changed by another program during the run; nothing was written"),
        "{}",
        said(&output)
    );
    assert_eq!(
        (home.read(FILE), litter(&home)),
        (theirs.to_owned(), Vec::new())
    );
}

#[test]
fn what_another_program_removes_meanwhile_stays_away() {
    let home = shop();
    let output = run_while(&home, || std::fs::remove_file(home.path(FILE)).unwrap());
    assert!(!output.status.success());
    assert!(said(&output).contains("lib.rs"), "{}", said(&output));
    assert!(!home.path(FILE).exists() && litter(&home).is_empty());
}

#[test]
fn killed_at_any_moment_the_file_is_the_old_one_or_the_new_one() {
    const TRIALS: u32 = 24;
    let run = |kill_after: Option<Duration>| -> Duration {
        let (home, model) = (shop(), Model::start(GREET));
        let mut command = command(&home, &model, &["--apply"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        model.until("last answer", |progress| progress.answered == 2);
        let began = Instant::now();
        match kill_after {
            Some(moment) => {
                // Nothing tells when the file is about to be written, so the clock has to.
                while began.elapsed() < moment {
                    std::hint::spin_loop();
                }
                let _gone = child.kill();
                let _status = child.wait().unwrap();
            }
            None => assert!(child.wait().unwrap().success()),
        }
        let took = began.elapsed();
        let text = home.read(FILE);
        let whole = [SHOP.to_owned(), greeted()].contains(&text);
        assert!(whole, "killed after {kill_after:?}: {text:?}");
        assert!(kill_after.is_some() || text == greeted());
        let litter = litter(&home);
        assert!(
            litter.iter().all(|name| Path::new(name)
                .extension()
                .is_some_and(|end| end == "farthing-draft")),
            "{litter:?}"
        );
        took
    };
    let whole = run(None);
    for trial in 0..TRIALS {
        run(Some(whole * trial / TRIALS));
    }
}
