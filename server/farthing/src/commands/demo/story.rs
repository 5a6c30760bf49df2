//! The story: a copy of a small project, a real server, a run, its hunks, a decision on each, the bill.
//!
//! Nothing of the server's work is done here: this is what an editor sees, printed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use provider::scripted::{Script, Scripted, ScriptedHandle};
use serde_json::{Value, json};

use super::client::{Applied, Client, uri};
use crate::ui::{self, BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint};

/// The project, file by file.
const PROJECT: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        include_str!("../../../demo/project/Cargo.toml"),
    ),
    ("README.md", include_str!("../../../demo/project/README.md")),
    (
        "src/main.rs",
        include_str!("../../../demo/project/src/main.rs"),
    ),
    (
        "src/entry.rs",
        include_str!("../../../demo/project/src/entry.rs"),
    ),
    (
        "src/report.rs",
        include_str!("../../../demo/project/src/report.rs"),
    ),
    (
        "src/format.rs",
        include_str!("../../../demo/project/src/format.rs"),
    ),
];
const SCRIPT: &str = include_str!("../../../demo/script.toml");

/// Where the story happens.
const FILE: &str = "src/entry.rs";
const FUNCTION: &str = "parse";
/// What the user types while the run goes on, and before which line.
const TYPED: (usize, &str) = (1, "//! Fields are separated by blanks.\n");

/// Tells the story once.
pub(crate) fn tell(runtime: &tokio::runtime::Runtime, live: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let project = folder.path().join("tally");
    for (name, text) in PROJECT {
        let path = project.join(name);
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&project))?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(&path)?;
    }
    let scripted = if live {
        None
    } else {
        Some(runtime.block_on(Scripted::start(Script::parse(SCRIPT)?))?)
    };
    let environment = environment(folder.path(), scripted.as_ref());

    ui::line(format!(
        "{}\n",
        paint(
            BOLD,
            "Farthing: scoped subagents in any editor, with the price on the label"
        )
    ))?;
    ui::line(paint(
        DIM,
        "A copy of `tally`, a small Rust project, is opened by an editor that speaks LSP to `farthing serve`.",
    ))?;
    match &scripted {
        Some(_) => ui::line(paint(
            DIM,
            "The model is a script on this machine: no key, no network, the real HTTP path.\n",
        ))?,
        None => ui::line(paint(
            DIM,
            "The model is the one that you have configured. This costs money.\n",
        ))?,
    }
    let mut story = Story {
        client: Client::start(&environment)?,
        chapter: 0,
        published: None,
    };
    story.index(&project, &environment)?;
    story.findings(&project)?;
    let action = story.menu()?;
    story.run(&action)?;
    story.review()?;
    story.finding_gone()?;
    let Story { client, .. } = story;
    client.shut_down()?;
    ledger(&environment)?;
    if let Some(scripted) = scripted
        && let [failure, ..] = scripted.failures().as_slice()
    {
        bail!("the server did not send what the script expects: {failure}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The server's configuration, ledger and journals live in the temporary folder; with the script, so do its requests.
fn environment(folder: &Path, scripted: Option<&ScriptedHandle>) -> Vec<(&'static str, String)> {
    let inside = |name: &str| folder.join(name).display().to_string();
    let mut environment = vec![
        ("XDG_STATE_HOME", inside("state")),
        ("XDG_CACHE_HOME", inside("cache")),
    ];
    if let Some(scripted) = scripted {
        environment.extend([
            ("XDG_CONFIG_HOME", inside("config")),
            ("ANTHROPIC_BASE_URL", scripted.base_url()),
            ("ANTHROPIC_API_KEY", "demo-key".to_owned()),
            ("ANTHROPIC_AUTH_TOKEN", String::new()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ]);
    }
    environment
}

struct Story {
    client: Client,
    chapter: usize,
    /// What was last published for the document, and for which version.
    published: Option<(i64, Vec<Value>)>,
}

/// A hunk as its diagnostic tells of it.
struct Hunk {
    id: String,
    run: String,
    line: u64,
    message: String,
}

impl Story {
    fn chapter(&mut self, title: &str) -> anyhow::Result<()> {
        self.chapter += 1;
        ui::line(format!(
            "{} {}",
            paint(CYAN.bold(), format!("{}.", self.chapter)),
            paint(BOLD, title)
        ))?;
        Ok(())
    }

    fn index(&mut self, project: &Path, environment: &[(&str, String)]) -> anyhow::Result<()> {
        self.chapter("The workspace is indexed")?;
        let capabilities = json!({
            "general": {"positionEncodings": ["utf-8"]},
            "window": {"workDoneProgress": true},
            "workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true}},
            "textDocument": {"publishDiagnostics": {"dataSupport": true, "versionSupport": true}},
        });
        let folders = json!([{"uri": uri(project), "name": "tally"}]);
        let params = json!({"processId": std::process::id(), "capabilities": capabilities, "workspaceFolders": folders});
        self.client.request("initialize", params)?;
        self.client.notify("initialized", json!({}))?;
        let program = std::env::current_exe()?;
        let path = project.display().to_string();
        let counts = own_output(&program, &["index", "--json", &path], environment)?;
        let counts: Value = serde_json::from_str(&counts)?;
        ui::line(format!(
            "   {} files, {} symbols, {} references\n",
            counts["files"], counts["symbols"], counts["references"]
        ))?;
        Ok(())
    }

    fn findings(&mut self, project: &Path) -> anyhow::Result<()> {
        self.chapter("Findings appear as diagnostics")?;
        self.client.open(&project.join(FILE), "rust")?;
        let found = self.diagnostics(|found| !found.is_empty())?;
        for finding in &found {
            let line = finding["range"]["start"]["line"].as_u64().unwrap_or(0) + 1;
            let place = paint(CYAN, format!("{FILE}:{line}"));
            ui::line(format!(
                "   {place}  {}  {}",
                text(&finding["message"]),
                paint(DIM, text(&finding["code"]))
            ))?;
        }
        ui::line("")?;
        Ok(())
    }

    /// Asks for the menu at the function's name and prints it; answers with the action to pick.
    fn menu(&mut self) -> anyhow::Result<Value> {
        self.chapter(&format!(
            "The light bulb on `{FUNCTION}` names each action's price"
        ))?;
        let (line, character) = self.place_of(&format!("fn {FUNCTION}"), 3)?;
        let at = json!({"line": line, "character": character});
        let params = json!({
            "textDocument": {"uri": self.client.document().uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": []},
        });
        let actions = self.client.request("textDocument/codeAction", params)?;
        let wanted = format!("Simplify `{FUNCTION}`");
        let mut picked = None;
        for action in actions.as_array().into_iter().flatten() {
            let title = text(&action["title"]);
            let shown = title
                .split_once(" · ")
                .map_or(title.to_owned(), |(name, price)| {
                    format!("{name} · {}", paint(YELLOW, price))
                });
            let is_wanted = title.starts_with(&wanted)
                && picked.is_none()
                && text(&action["kind"]) != "quickfix";
            ui::line(format!(
                "   {} {shown}",
                if is_wanted {
                    paint(GREEN.bold(), "›")
                } else {
                    " ".to_owned()
                }
            ))?;
            if is_wanted {
                picked = Some(action.clone());
            }
        }
        ui::line("")?;
        picked.with_context(|| format!("the menu does not offer {wanted}"))
    }

    /// Runs the action; prints each hunk as it lands, and types in between as a user would.
    fn run(&mut self, action: &Value) -> anyhow::Result<()> {
        self.chapter(text(&action["title"]))?;
        let command = &action["command"];
        let params = json!({"command": command["command"], "arguments": command["arguments"]});
        let answer = self.client.request("workspace/executeCommand", params)?;
        if answer["run"].is_null() {
            bail!("the run did not start: {}", text(&answer["reason"]));
        }
        let mut landed = 0;
        loop {
            let message = self.client.next()?;
            match text(&message["method"]) {
                "workspace/applyEdit" => {
                    if let Some(applied) = self.client.apply(&message)? {
                        landed += 1;
                        show(&applied, landed)?;
                        if landed == 1 {
                            let (line, typed) = TYPED;
                            self.client.type_at_line(line, typed)?;
                            ui::line(format!(
                                "   {} {}\n",
                                paint(BOLD, "you type:"),
                                typed.trim_end()
                            ))?;
                        }
                    }
                }
                "$/progress" if message["params"]["value"]["kind"] == "end" && is_run(&message) => {
                    ui::line(format!(
                        "   {}\n",
                        paint(GREEN, text(&message["params"]["value"]["message"]))
                    ))?;
                    return Ok(());
                }
                "textDocument/publishDiagnostics" => self.publish(&message),
                "window/showMessage" => {
                    ui::line(format!("   {}", text(&message["params"]["message"])))?;
                }
                _ => self.answer(&message)?,
            }
        }
    }

    fn review(&mut self) -> anyhow::Result<()> {
        self.chapter("Each hunk is yours to keep or undo")?;
        let mut hunks = self.hunks(|hunks| !hunks.is_empty())?;
        for hunk in &hunks {
            ui::line(format!(
                "   {}  {}",
                paint(CYAN, format!("{FILE}:{}", hunk.line)),
                hunk.message
            ))?;
        }
        // The import that nothing uses goes; what is left stays.
        let unwanted = hunks
            .iter()
            .position(|hunk| hunk.message.contains("trait"))
            .unwrap_or(0);
        let undone = hunks.remove(unwanted);
        ui::line(format!(
            "\n   {} {FILE}:{}, which nothing uses",
            paint(BOLD, "undo"),
            undone.line
        ))?;
        self.command(
            "farthing.hunk.undo",
            json!({"hunk": undone.id, "run": undone.run}),
        )?;
        let left = hunks.len();
        hunks = self.hunks(|hunks| hunks.len() == left)?;
        for hunk in hunks {
            ui::line(format!("   {} {FILE}:{}", paint(BOLD, "keep"), hunk.line))?;
            self.command("farthing.hunk.keep", json!({"hunk": hunk.id}))?;
        }
        self.hunks(<[Hunk]>::is_empty)?;
        let original = PROJECT
            .iter()
            .find(|(name, _)| *name == FILE)
            .map_or("", |(_, text)| text);
        let diff = similar::TextDiff::from_lines(original, &self.client.document().text);
        let count = |tag| {
            diff.iter_all_changes()
                .filter(|change| change.tag() == tag)
                .count()
        };
        ui::line(format!(
            "\n   {} {} and {}, with the line that you typed\n",
            paint(BOLD, "what stays:"),
            paint(GREEN, format!("+{}", count(similar::ChangeTag::Insert))),
            paint(RED, format!("-{}", count(similar::ChangeTag::Delete))),
        ))?;
        Ok(())
    }

    fn finding_gone(&mut self) -> anyhow::Result<()> {
        self.chapter("The finding is gone")?;
        let params = json!({"textDocument": {"uri": self.client.document().uri}});
        self.client.notify("textDocument/didSave", params)?;
        let left = self.diagnostics(<[Value]>::is_empty)?;
        ui::line(format!("   {} diagnostics in {FILE}\n", left.len()))?;
        Ok(())
    }

    fn command(&mut self, command: &str, arguments: Value) -> anyhow::Result<()> {
        self.client.request(
            "workspace/executeCommand",
            json!({"command": command, "arguments": [arguments]}),
        )?;
        Ok(())
    }

    /// The hunks of the file, as soon as they are as expected.
    fn hunks(&mut self, expected: impl Fn(&[Hunk]) -> bool) -> anyhow::Result<Vec<Hunk>> {
        let of = |found: &[Value]| -> Vec<Hunk> {
            let hunks = found
                .iter()
                .filter(|diagnostic| diagnostic["code"] == "hunk");
            hunks
                .map(|diagnostic| Hunk {
                    id: text(&diagnostic["data"]["hunk"]).to_owned(),
                    run: text(&diagnostic["data"]["run"]).to_owned(),
                    line: diagnostic["range"]["start"]["line"].as_u64().unwrap_or(0) + 1,
                    message: text(&diagnostic["message"]).to_owned(),
                })
                .collect()
        };
        let found = self.diagnostics(|found| expected(&of(found)))?;
        Ok(of(&found))
    }

    /// The diagnostics of the file's current version, as soon as they are as expected; edits that come are made.
    fn diagnostics(&mut self, expected: impl Fn(&[Value]) -> bool) -> anyhow::Result<Vec<Value>> {
        loop {
            if let Some((version, found)) = &self.published
                && *version == self.client.document().version
                && expected(found)
            {
                return Ok(found.clone());
            }
            let message = self.client.next()?;
            match text(&message["method"]) {
                "textDocument/publishDiagnostics" => self.publish(&message),
                "workspace/applyEdit" => {
                    self.client.apply(&message)?;
                }
                "window/showMessage" => {
                    ui::line(format!("   {}", text(&message["params"]["message"])))?;
                }
                _ => self.answer(&message)?,
            }
        }
    }

    fn publish(&mut self, message: &Value) {
        let params = &message["params"];
        if params["uri"] == self.client.document().uri
            && let Some(version) = params["version"].as_i64()
        {
            self.published = Some((
                version,
                params["diagnostics"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default(),
            ));
        }
    }

    /// Requests that this editor has nothing to say to are answered with null.
    fn answer(&mut self, message: &Value) -> anyhow::Result<()> {
        if message["method"].is_string() && !message["id"].is_null() {
            self.client.reply(message, Value::Null)?;
        }
        Ok(())
    }

    /// Line and character of the first mention of `needle`, moved on by `skip`.
    fn place_of(&self, needle: &str, skip: usize) -> anyhow::Result<(usize, usize)> {
        let text = &self.client.document().text;
        let at = text
            .find(needle)
            .with_context(|| format!("there is no {needle}"))?
            + skip;
        let line = text[..at].matches('\n').count();
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        Ok((line, at - start))
    }
}

fn show(applied: &Applied, number: usize) -> anyhow::Result<()> {
    ui::line(format!(
        "   {}  {}",
        paint(BOLD, format!("hunk {number}")),
        paint(DIM, &applied.label)
    ))?;
    let diff = similar::TextDiff::from_lines(&applied.before, &applied.after)
        .unified_diff()
        .context_radius(1)
        .to_string();
    ui::line(indented(&ui::diff(&diff)))?;
    Ok(())
}

/// The ledger, as `farthing cost` prints it.
fn ledger(environment: &[(&str, String)]) -> anyhow::Result<()> {
    ui::line(format!(
        "{} {}",
        paint(CYAN.bold(), "7."),
        paint(
            BOLD,
            "The ledger has every request: farthing cost --by symbol"
        )
    ))?;
    let program = std::env::current_exe()?;
    let report = own_output(&program, &["cost", "--by", "symbol"], environment)?;
    ui::line(indented(report.trim_end()))?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "our own binary, as a user would start it"
)]
fn own_output(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, String)],
) -> anyhow::Result<String> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "farthing {} ended with {}",
        arguments.join(" "),
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_run(message: &Value) -> bool {
    text(&message["params"]["token"]).starts_with("farthing/run/")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["   ", line, "\n"]).collect()
}
