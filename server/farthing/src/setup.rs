//! From files and environment to what an engine is made of. The one place that reads configuration from disk.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use engine::config::{
    Config, Endpoint, Key, KeyHeader, Problem, ProviderKind, ProviderSetup, Source, Sources,
};
use engine::{Editor, Engine, Purse, Setup, Timing};
use provider::{Anthropic, AnthropicConfig, Auth, OpenAi, OpenAiConfig, OpenAiServer, Provider};
use secrecy::SecretString;
use serde_json::Value;
use text::FilePath;

/// Where things are kept.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The machine-level configuration.
    pub(crate) config: PathBuf,
    /// Ledger and journals.
    pub(crate) state: PathBuf,
    /// What can be made again.
    pub(crate) cache: PathBuf,
}

impl Places {
    /// `$XDG_CONFIG_HOME/farthing`, `$XDG_STATE_HOME/farthing`, `$XDG_CACHE_HOME/farthing`, or what the platform has instead.
    pub(crate) fn find() -> anyhow::Result<Places> {
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy()
            .context("cannot tell where your home folder is; set HOME")?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Places {
            config: base.config_dir().join("farthing/config.toml"),
            state: state.join("farthing"),
            cache: base.cache_dir().join("farthing"),
        })
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.state.join("ledger.db")
    }

    /// The journals of runs.
    pub(crate) fn journals(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// The hunks that wait for a decision.
    pub(crate) fn hunks(&self) -> PathBuf {
        self.state.join("hunks")
    }

    /// What reviews by a model have come to.
    pub(crate) fn reviews(&self) -> PathBuf {
        self.state.join("reviews")
    }
}

/// The configuration for a workspace, and what is wrong with it.
pub(crate) fn configuration(
    places: &Places,
    settings: Option<&Value>,
    roots: &[FilePath],
) -> (Config, Vec<Problem>) {
    let machine = read(&places.config);
    let files: Vec<(String, String)> = roots
        .iter()
        .map(|root| root.as_path().join("farthing.toml"))
        .filter_map(|file| Some((file.display().to_string(), read(&file)?)))
        .collect();
    let machine_name = places.config.display().to_string();
    let mut workspaces = files.iter().map(|(name, text)| Source { name, text });
    // What the team says is that of the first folder that has such a file; all of them can narrow.
    let workspace = workspaces.next();
    let others: Vec<Source<'_>> = workspaces.collect();
    let sources = Sources {
        machine: machine.as_deref().map(|text| Source {
            name: &machine_name,
            text,
        }),
        workspace,
        settings,
        env: &|name| std::env::var(name).ok(),
    };
    Config::resolve_all(&sources, &others)
}

/// A file's text; a file that is not there is no text, one that cannot be read is a text that does not parse, so that
/// limits in it are not taken for absent.
fn read(path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}

/// Makes an engine for `editor` with the configuration of this machine. With `hunks`, that is where those that wait for a
/// decision are kept for the next start.
pub(crate) fn engine(
    places: &Places,
    editor: Arc<dyn Editor>,
    hunks: Option<PathBuf>,
) -> anyhow::Result<Engine> {
    let (config, _) = configuration(places, None, &[]);
    let provider = provider(&config.provider);
    let purse = Purse::open(&places.ledger(), config.prices.as_deref()).free(config.is_free());
    let journals = places.journals();
    std::fs::create_dir_all(&journals)
        .with_context(|| format!("cannot create {}", journals.display()))?;
    let reviews = places.reviews();
    let (cache, places) = (places.cache.clone(), places.clone());
    Ok(Engine::new(Setup {
        resolve: Arc::new(move |settings, roots| configuration(&places, settings, roots)),
        provider,
        purse,
        editor,
        timing: Timing::default(),
        journals,
        hunks,
        reviews: Some(reviews),
        cache: Some(cache),
    }))
}

/// The model API that the configuration names, or what to do to have one.
fn provider(setup: &ProviderSetup) -> Result<Arc<dyn Provider>, String> {
    let endpoint = match setup {
        ProviderSetup::Ready(endpoint) => endpoint,
        ProviderSetup::Missing { what_to_do } => return Err(what_to_do.clone()),
    };
    let Endpoint {
        kind,
        base_url,
        key,
        header,
        allow_cleartext,
        free: _,
    } = endpoint;
    let (key, key_source) = match key {
        Key::None => (None, String::new()),
        Key::Value(key, variable) => (Some(key.clone()), variable.clone()),
        Key::Command(program, arguments) => {
            let key = key_from(program, arguments).map_err(|error| format!("{error:#}"))?;
            (Some(key), program.display().to_string())
        }
    };
    let auth = match header {
        KeyHeader::XApiKey => Auth::ApiKey,
        KeyHeader::Bearer => Auth::Bearer,
    };
    let server = match kind {
        ProviderKind::Anthropic => {
            let config = AnthropicConfig {
                base_url: base_url.clone(),
                key,
                key_source,
                auth,
                allow_cleartext: *allow_cleartext,
                ..AnthropicConfig::default()
            };
            return match Anthropic::new(config) {
                Ok(anthropic) => Ok(Arc::new(anthropic)),
                Err(error) => Err(error.to_string()),
            };
        }
        ProviderKind::OpenAi => OpenAiServer::OpenAi,
        ProviderKind::Ollama => OpenAiServer::Ollama,
    };
    let config = OpenAiConfig {
        server,
        base_url: base_url.clone(),
        key,
        key_source,
        auth,
        allow_cleartext: *allow_cleartext,
        ..OpenAiConfig::default()
    };
    match OpenAi::new(config) {
        Ok(openai) => Ok(Arc::new(openai)),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs the program that prints the key. No shell, no input, nothing of its output is kept but the key.
#[expect(
    clippy::disallowed_methods,
    reason = "the one program that the machine-level configuration may name"
)]
fn key_from(program: &Path, arguments: &[String]) -> anyhow::Result<SecretString> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("provider.key_command: cannot run {}", program.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "provider.key_command: {} ended with {}; run it by hand to see why",
        program.display(),
        output.status
    );
    let key = String::from_utf8(output.stdout)
        .ok()
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty());
    key.map(SecretString::from)
        .with_context(|| format!("provider.key_command: {} printed no key", program.display()))
}
