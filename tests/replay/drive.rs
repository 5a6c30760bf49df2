//! One run through everything that is real: the provider's wire, the agent, the gate, landing, and an editor that only
//! takes edits for the version it has.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent::{Action, End};
use async_trait::async_trait;
use engine::config::{Config, Source, Sources};
use engine::{Editor, Engine, Event, Launch, Purse, Reply, RunId, Setup, Timing};
use futures::stream::BoxStream;
use gate::ApprovedEdit;
use provider::scripted::{Script, Scripted, ScriptedHandle};
use provider::{
    Anthropic, AnthropicConfig, CompletionRequest, Provider, ProviderError, StreamEvent,
};
use serde::Serialize;
use text::{FilePath, Text};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::plan::Plan;

/// No limit of money or turns stands in the way of a script that may be long.
const CONFIG: &str = "
[budget]
per_run = \"$90000\"
per_session = \"$90000\"
per_day = \"$90000\"
per_month = \"$90000\"
[limits]
turns = 40
tool_calls = 400
output_tokens = 64000
seconds = 120
";

/// The longest answer of a script, in bytes of its calls: well below what the limit of tokens has room for.
const MAX_ANSWER: usize = 128 * 1024;

/// An engine with its editor and its line to the scripted provider.
pub(crate) struct Bench {
    engine: Engine,
    editor: Arc<Desk>,
    line: Arc<Line>,
    address: Option<SocketAddr>,
    ended: UnboundedReceiver<RunId>,
}

impl Bench {
    /// A bench for files under `root`.
    pub(crate) fn new(root: &FilePath, journals: &std::path::Path) -> Bench {
        let line = Arc::new(Line::default());
        let (sender, ended) = unbounded_channel();
        let editor = Arc::new(Desk {
            engine: Mutex::new(None),
            document: Mutex::new(None),
            ended: sender,
        });
        let resolve = Arc::new(|settings: Option<&serde_json::Value>, _: &[FilePath]| {
            Config::resolve(&Sources {
                machine: Some(Source {
                    name: "replay",
                    text: CONFIG,
                }),
                workspace: None,
                settings,
                env: &|name| (name == "ANTHROPIC_API_KEY").then(|| "unused".to_owned()),
            })
        });
        let engine = Engine::new(Setup {
            resolve,
            provider: Ok(line.clone()),
            purse: Purse::in_memory(),
            editor: editor.clone(),
            timing: Timing {
                quiet: Duration::ZERO,
                patience: Duration::ZERO,
                ..Timing::default()
            },
            journals: journals.to_owned(),
            hunks: None,
            reviews: None,
            cache: None,
        });
        engine.set_roots(vec![root.clone()], false);
        *editor.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine.clone());
        Bench {
            engine,
            editor,
            line,
            address: None,
            ended,
        }
    }

    /// Plays a plan in the file and answers with the text that the editor then has.
    pub(crate) async fn play(
        &mut self,
        file: &FilePath,
        before: &str,
        plan: &Plan,
    ) -> Result<String, String> {
        let script =
            Script::parse(&script(plan)?).map_err(|error| format!("the script: {error}"))?;
        let server = self.serve(script).await?;
        self.editor.open(&self.engine, file, before);
        let launch = Launch {
            instruction: Some("the commit".to_owned()),
            ..Launch::new(Action::Comment, &plan.launch)
        };
        let played = self.run(file, launch).await;
        let text = self.editor.close(&self.engine, file);
        let failures = server.failures();
        server.shutdown().await;
        played?;
        match failures.first() {
            Some(failure) => Err(format!("the script: {failure}")),
            None => Ok(text),
        }
    }

    /// Serves the script where the one before was served, if no other program took that port meanwhile: making a client
    /// takes longer than a run.
    async fn serve(&mut self, script: Script) -> Result<ScriptedHandle, String> {
        if let Some(address) = self.address
            && let Ok(server) = Scripted::start_at(script.clone(), address).await
        {
            return Ok(server);
        }
        let server = Scripted::start(script)
            .await
            .map_err(|error| error.to_string())?;
        let base_url = server.base_url();
        let address = base_url.trim_start_matches("http://").parse();
        self.address = Some(address.map_err(|_| format!("{base_url} is no address"))?);
        let anthropic = Anthropic::new(AnthropicConfig {
            base_url,
            ..AnthropicConfig::default()
        });
        self.line.set(anthropic.map_err(|error| error.to_string())?);
        Ok(server)
    }

    async fn run(&mut self, file: &FilePath, launch: Launch) -> Result<(), String> {
        let run = self
            .engine
            .launch(file, launch)
            .map_err(|error| error.to_string())?;
        while let Some(id) = self.ended.recv().await {
            if id == run {
                break;
            }
        }
        match self.engine.run(&run).and_then(|summary| summary.end) {
            Some(End::Completed { summary, .. }) if summary == "Done." => Ok(()),
            Some(end) => Err(format!("the run ended {}: {}", end.state(), end.message())),
            None => Err("the run has no end".to_owned()),
        }
    }

    /// Ends the engine.
    pub(crate) async fn shutdown(&self) {
        self.engine.shutdown().await;
    }
}

#[derive(Serialize)]
struct ScriptFile {
    turn: Vec<Turn>,
}

#[derive(Serialize, Default)]
struct Turn {
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<Expect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    tool: Vec<Tool>,
}

#[derive(Serialize)]
struct Expect {
    lacks: Vec<String>,
}

#[derive(Serialize)]
struct Tool {
    name: String,
    input_json: String,
}

/// Asks for what is needed, makes every call, and ends; a refusal on the way ends it otherwise.
fn script(plan: &Plan) -> Result<String, String> {
    let mut turns = Vec::new();
    let asks: Vec<Tool> = plan
        .grants
        .chunks(8)
        .map(|symbols| Tool {
            name: "request_scope".to_owned(),
            input_json: serde_json::json!({"symbols": symbols, "reason": "the commit"}).to_string(),
        })
        .collect();
    if !asks.is_empty() {
        turns.push(Turn {
            tool: asks,
            ..Turn::default()
        });
    }
    // Hashes are those of the text at the time of the answer; calls on one place need one answer each.
    let mut rounds: Vec<Vec<Tool>> = Vec::new();
    let repeated = plan.calls.iter().filter(|call| call.way == "@file").count() > 1;
    let mut written = 0;
    for call in &plan.calls {
        let (name, input_json) = call.arguments();
        let tool = Tool {
            name: name.to_owned(),
            input_json,
        };
        written += tool.input_json.len();
        match rounds.last_mut() {
            Some(round) if !repeated && written <= MAX_ANSWER => round.push(tool),
            _ => {
                written = tool.input_json.len();
                rounds.push(vec![tool]);
            }
        }
    }
    turns.extend(rounds.into_iter().map(|tool| Turn {
        tool,
        ..Turn::default()
    }));
    turns.push(Turn {
        expect: Some(Expect {
            lacks: vec!["\"refused: ".to_owned()],
        }),
        text: Some("Done.".to_owned()),
        ..Turn::default()
    });
    toml::to_string(&ScriptFile { turn: turns }).map_err(|error| error.to_string())
}

/// The provider of an engine that outlives many scripted servers.
#[derive(Default)]
struct Line(Mutex<Option<Arc<Anthropic>>>);

impl Line {
    fn set(&self, anthropic: Anthropic) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(anthropic));
    }

    fn current(&self) -> Option<Arc<Anthropic>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Provider for Line {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn body_bytes(&self, request: &CompletionRequest) -> usize {
        self.current()
            .map_or(0, |anthropic| anthropic.body_bytes(request))
    }

    fn stream(
        &self,
        request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        match self.current() {
            Some(anthropic) => anthropic.stream(request, cancel),
            None => Box::pin(futures::stream::empty()),
        }
    }
}

/// An editor with one document. It keeps the text as bytes, counts versions, and refuses an edit for any other.
struct Desk {
    engine: Mutex<Option<Engine>>,
    document: Mutex<Option<(FilePath, i32, String)>>,
    ended: UnboundedSender<RunId>,
}

impl Desk {
    fn open(&self, engine: &Engine, file: &FilePath, text: &str) {
        engine.open(file, "", 0, Text::from(text));
        *self.document.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((file.clone(), 0, text.to_owned()));
    }

    fn close(&self, engine: &Engine, file: &FilePath) -> String {
        engine.keep_file(file);
        engine.close(file);
        let document = self
            .document
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        document.map(|(_, _, text)| text).unwrap_or_default()
    }
}

#[async_trait]
impl Editor for Desk {
    async fn apply(&self, edit: &ApprovedEdit, _label: &str) -> Reply {
        let changed = {
            let mut document = self.document.lock().unwrap_or_else(PoisonError::into_inner);
            match document.as_mut() {
                Some((file, version, text))
                    if file == edit.file() && edit.version() == Some(*version) =>
                {
                    for piece in edit.edits().edits().iter().rev() {
                        text.replace_range(piece.range.start..piece.range.end, &piece.insert);
                    }
                    *version += 1;
                    Some((*version, text.clone()))
                }
                _ => None,
            }
        };
        let engine = self
            .engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match (changed, engine) {
            (Some((version, text)), Some(engine)) => {
                let text = Text::from(text.as_str());
                engine.change(edit.file(), version, vec![edit.edits().clone()], text);
                Reply::Applied
            }
            _ => Reply::Refused("the document has changed".to_owned()),
        }
    }

    async fn ask(&self, _question: &str) -> bool {
        true
    }

    fn show(&self, event: Event) {
        if let Event::RunEnded { run, .. } = event {
            // Nobody listens once the bench is gone.
            let _gone = self.ended.send(run);
        }
    }
}
