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

const MADE: &str = "tests/greet.rs";
const TEST: &str = "#[test]\nfn greets() {}\n";
const OLD: &str = "src/misc.rs";
const NEW: &str = "src/prices/all.rs";
const GONE: &str = "src/gone.rs";
const COMMENT: &str = "    // farthing: tidy up the files\n    let mut text";

/// A project with a comment that asks for much.
fn untidy() -> Home {
    let home = shop();
    home.write(FILE, &SHOP.replacen("    let mut text", COMMENT, 1));
    home.write(OLD, "pub const ONE: u64 = 1;\r\n");
    home.write(GONE, "// nobody needs it\n");
    // What makes the folder a project.
    home.write("farthing.toml", "");
    home
}

/// The model does it.
fn tidies() -> String {
    let file = |tool: &str, input: &str| {
        format!("[[turn.tool]]\nname = {tool:?}\ninput = {{ {input}, reason = \"so\" }}\n")
    };
    let files = [
        file(
            "create_file",
            &format!("new_file = {MADE:?}, text = {TEST:?}"),
        ),
        file(
            "rename_file",
            &format!("old_file = {OLD:?}, new_file = {NEW:?}"),
        ),
        file("delete_file", &format!("old_file = {GONE:?}")),
    ];
    GREET.replacen(
        "[[turn.tool]]",
        &format!("{}[[turn.tool]]", files.concat()),
        1,
    )
}

/// The command that does what the comment says.
fn tidy(home: &Home, model: &Model, arguments: &[&str]) -> Command {
    let text = SHOP.replacen("    let mut text", COMMENT, 1);
    let line = text.lines().position(|line| line.contains("farthing:"));
    let mut command = home.command();
    command.args(["run", "comment", &format!("{FILE}:{}", line.unwrap() + 1)]);
    command.args(arguments).stdin(Stdio::null());
    for (name, value) in model.behind(Options::vscode()).environment {
        command.env(name, value);
    }
    command
}

/// What is there of the files that the model changes as a whole, and the text of the one that it works in.
fn files(home: &Home) -> (Vec<&'static str>, String) {
    let there = [MADE, OLD, NEW, GONE].into_iter();
    let there = there.filter(|file| home.path(file).exists()).collect();
    (there, home.read(FILE))
}

fn untouched(home: &Home) {
    let text = SHOP.replacen("    let mut text", COMMENT, 1);
    assert_eq!(files(home), (vec![OLD, GONE], text));
}

#[test]
fn whole_files_come_move_and_go_with_the_users_word() {
    let (home, model) = (untidy(), Model::start(&tidies()));
    let output = tidy(&home, &model, &["--yes"]).output().unwrap();
    let said_so = said(&output);
    assert!(output.status.success(), "{said_so}");
    for part in [
        "+fn greets() {}",
        "rename from ",
        "delete ",
        "asks to delete src/gone.rs, of 19 bytes: so (allowed by --yes)",
    ] {
        assert!(said_so.contains(part), "{part:?} in {said_so}");
    }
    untouched(&home);
    let output = tidy(&home, &model, &["--yes", "--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(&format!("deleted {}", home.path(GONE).display())));
    let text = greeted().replacen("    let mut text", COMMENT, 1);
    assert_eq!(files(&home), (vec![MADE, NEW], text));
    assert_eq!(
        (home.read(MADE), home.read(NEW)),
        (TEST.to_owned(), "pub const ONE: u64 = 1;\r\n".to_owned())
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As the user's mask has it, like any new file.
        let mode = |path: &str| {
            std::fs::metadata(home.path(path))
                .unwrap()
                .permissions()
                .mode()
        };
        home.write("tests/other.rs", "");
        assert_eq!(mode(MADE), mode("tests/other.rs"));
    }
}

#[test]
fn without_the_users_word_no_file_comes_moves_or_goes() {
    let (home, model) = (untidy(), Model::start(&tidies()));
    let output = tidy(&home, &model, &["--apply"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = greeted().replacen("    let mut text", COMMENT, 1);
    assert_eq!(files(&home), (vec![OLD, GONE], text));
}

/// The model asks for more than its scope.
const WISH: &str = r#"
[[turn]]
[[turn.tool]]
name = "request_scope"
input = { symbols = ["Cart/total"], reason = "it is the same" }
"#;

/// It gets it, and uses it.
const GRANTED: &str = r#"
[[turn]]
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "Cart/total"
base = "{{hash:Cart/total}}"
[[turn.tool.input.edits]]
old_text = "sum += item;"
new_text = "sum += *item;"

[[turn]]
text = "Done."
"#;

/// It does not.
const REFUSED: &str = r#"
[[turn]]
expect = { tool_result_contains = "the user did not widen the scope" }
text = "Nothing is to be done."
"#;

#[test]
fn a_wider_scope_needs_the_users_word_as_well() {
    let wider = SHOP.replacen("sum += item;", "sum += *item;", 1);
    for (rest, arguments, after) in [
        (REFUSED, &["--apply"][..], SHOP),
        (GRANTED, &["--apply", "--yes"][..], wider.as_str()),
    ] {
        let (home, model) = (shop(), Model::start(&format!("{WISH}{rest}")));
        let output = command(&home, &model, arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let asked = said(&output).contains("asks to change `Cart/total` too: it is the same");
        assert_eq!(
            (home.read(FILE).as_str(), asked),
            (after, arguments.len() > 1)
        );
    }
}

#[test]
fn a_file_that_another_program_makes_or_changes_meanwhile_stops_all() {
    for (file, text) in [
        (MADE, "// theirs\n"),
        (NEW, "// theirs\n"),
        (GONE, "// theirs\n"),
    ] {
        let (home, model) = (
            untidy(),
            Model::start(&tidies().replacen(
                "text = \"It is politer now.\"",
                "text = \"It is politer now.\"\n[[turn.fault]]\nhold_after = { events = 3 }",
                1,
            )),
        );
        let mut command = tidy(&home, &model, &["--yes", "--apply"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = child.spawn().unwrap();
        model.until("held answer", |progress| progress.held == 1);
        home.write(file, text);
        model.handle.release();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success());
        assert!(
            said(&output).contains("another program"),
            "{}",
            said(&output)
        );
        assert_eq!(home.read(file), text);
        let (there, own) = files(&home);
        assert!(there.contains(&OLD) && there.contains(&GONE), "{there:?}");
        assert_eq!(own, SHOP.replacen("    let mut text", COMMENT, 1));
    }
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

/// Kills commands at moments between the model's last answer and their end. `judge` looks at what each has left, and
/// knows whether it came to its end.
fn killed_at_any_moment(
    make: impl Fn() -> Home,
    script: &str,
    command: impl Fn(&Home, &Model) -> Command,
    judge: impl Fn(&Home, bool),
) {
    const TRIALS: u32 = 24;
    let run = |kill_after: Option<Duration>| -> Duration {
        let (home, model) = (make(), Model::start(script));
        let mut command = command(&home, &model);
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
        judge(&home, kill_after.is_none());
        took
    };
    let whole = run(None);
    for trial in 0..TRIALS {
        run(Some(whole * trial / TRIALS));
    }
}

#[test]
fn killed_at_any_moment_the_file_is_the_old_one_or_the_new_one() {
    let command = |home: &Home, model: &Model| command(home, model, &["--apply"]);
    killed_at_any_moment(shop, GREET, command, |home, is_whole| {
        let text = home.read(FILE);
        assert!([SHOP.to_owned(), greeted()].contains(&text), "{text:?}");
        assert!(!is_whole || text == greeted());
        let litter = litter(home);
        assert!(
            litter.iter().all(|name| Path::new(name)
                .extension()
                .is_some_and(|end| end == "farthing-draft")),
            "{litter:?}"
        );
    });
}

#[test]
fn killed_at_any_moment_each_whole_file_is_the_old_one_the_new_one_or_absent() {
    let command = |home: &Home, model: &Model| tidy(home, model, &["--yes", "--apply"]);
    killed_at_any_moment(untidy, &tidies(), command, |home, is_whole| {
        let own =
            [SHOP.to_owned(), greeted()].map(|text| text.replacen("    let mut text", COMMENT, 1));
        let (there, text) = files(home);
        assert!(own.contains(&text), "{text:?}");
        for file in &there {
            let whole = match *file {
                MADE => TEST,
                GONE => "// nobody needs it\n",
                _ => "pub const ONE: u64 = 1;\r\n",
            };
            assert_eq!(home.read(file), whole, "{file}");
        }
        // A file that is renamed is never without a name.
        assert!(there.contains(&OLD) || there.contains(&NEW), "{there:?}");
        assert!(!is_whole || (there == [MADE, NEW] && text == own[1]));
    });
}
