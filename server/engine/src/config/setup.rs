use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use url::Url;

use super::Models;
use super::file::{ModelsTable, ProviderTable};
use super::format::{endpoint, is_loopback};
use super::problem::Problem;

/// Where requests go when nothing says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The name a problem gives to the environment, where there is no file.
const ENVIRONMENT: &str = "environment";
const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";

/// A kind of model API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// The Anthropic Messages API, or a gateway that speaks it.
    #[default]
    Anthropic,
    /// OpenAI's chat completions, or any server that speaks them.
    #[serde(rename = "openai")]
    OpenAi,
    /// Ollama, which runs models on machines of your own.
    Ollama,
}

/// What the environment and the usual places say of a kind.
struct Usual {
    keys: &'static [&'static str],
    address_from: &'static str,
    address: &'static str,
    header: KeyHeader,
}

impl ProviderKind {
    fn usual(self) -> Usual {
        match self {
            ProviderKind::Anthropic => Usual {
                keys: &["ANTHROPIC_API_KEY", AUTH_TOKEN],
                address_from: "ANTHROPIC_BASE_URL",
                address: DEFAULT_BASE_URL,
                header: KeyHeader::XApiKey,
            },
            ProviderKind::OpenAi => Usual {
                keys: &["OPENAI_API_KEY"],
                address_from: "OPENAI_BASE_URL",
                address: "https://api.openai.com/v1",
                header: KeyHeader::Bearer,
            },
            ProviderKind::Ollama => Usual {
                keys: &[],
                address_from: "OLLAMA_HOST",
                address: "http://127.0.0.1:11434",
                header: KeyHeader::Bearer,
            },
        }
    }

    /// The kind that the environment speaks of, where the file names none.
    fn found(env: &dyn Fn(&str) -> Option<String>) -> Option<ProviderKind> {
        let kinds = [
            ProviderKind::Anthropic,
            ProviderKind::OpenAi,
            ProviderKind::Ollama,
        ];
        kinds.into_iter().find(|kind| {
            let usual = kind.usual();
            let mut names = usual.keys.iter().chain([&usual.address_from]);
            names.any(|name| env(name).is_some())
        })
    }
}

/// How a key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// In the `x-api-key` header.
    XApiKey,
    /// As `authorization: Bearer`.
    Bearer,
}

/// Whether a model can be asked, and how.
#[derive(Clone, Debug)]
pub enum ProviderSetup {
    /// Everything is known, except that a [`Key::Command`] has yet to be run.
    Ready(Endpoint),
    /// No key is configured. Everything that needs no model still works.
    Missing {
        /// A sentence for the user, without a final dot.
        what_to_do: String,
    },
}

/// Where requests go, and with which key.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The API's kind.
    pub kind: ProviderKind,
    /// The API's address, without a slash at the end.
    pub base_url: String,
    /// Whether the address may be http and another machine.
    pub allow_cleartext: bool,
    /// The key, or where it comes from.
    pub key: Key,
    /// How the key is sent.
    pub header: KeyHeader,
    /// Whether nobody bills what its models do, because they run on machines of the user's own.
    pub free: bool,
}

/// A key, never in a form that can be printed.
#[derive(Clone)]
pub enum Key {
    /// No key: only for a server on this machine.
    None,
    /// The key itself, and the environment variable it comes from.
    Value(SecretString, String),
    /// The program that prints it: absolute path and arguments, without a shell.
    Command(PathBuf, Vec<String>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::None => f.write_str("no key"),
            Key::Value(_, variable) => write!(f, "the key in {variable}"),
            Key::Command(program, _) => write!(f, "the key that {} prints", program.display()),
        }
    }
}

/// Puts together what the machine-level file says and what the environment fills in.
///
/// A key that the file names goes only where the file says, because tools that set variables per folder could
/// otherwise send it to an address of a folder's choosing.
pub(super) fn resolve(
    table: &ProviderTable,
    models: &ModelsTable,
    env: &dyn Fn(&str) -> Option<String>,
) -> (ProviderSetup, Option<Problem>) {
    let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let missing = |what_to_do: String| ProviderSetup::Missing { what_to_do };
    let kind = kind_of(table, &env);
    let (base_url, problem) = match address(table, kind, &env) {
        Ok(found) => found,
        Err((what_to_do, problem)) => return (missing(what_to_do), problem),
    };
    let (key, usual_header) = match key(table, kind, &env) {
        Ok(found) => found,
        Err(what_to_do) => return (missing(what_to_do), problem),
    };
    let usual = kind.usual();
    // Where the file itself names a server that is not the vendor's, it may be one without keys.
    let keyless = match kind {
        ProviderKind::Anthropic => false,
        ProviderKind::OpenAi => table.base_url.is_some() && base_url.as_str() != usual.address,
        ProviderKind::Ollama => true,
    };
    if matches!(key, Key::None) && !is_loopback(&base_url) && !keyless {
        let what_to_do = format!(
            "no key for the model: set {} in the environment that the editor is started from, or say in config.toml \
             where the key is, with provider.key_env or provider.key_command",
            usual.keys.first().unwrap_or(&"the key")
        );
        return (missing(what_to_do), problem);
    }
    let base_url = base_url.as_str().trim_end_matches('/').to_owned();
    if models.default.is_none() && shipped_models(kind, &base_url).is_none() {
        let what_to_do = format!(
            "no model is named for {base_url}: write models.default = \"…\" in config.toml, with the name that the \
             server gives the model; it must be one that can call tools"
        );
        return (missing(what_to_do), problem);
    }
    let ready = Endpoint {
        kind,
        base_url,
        key,
        allow_cleartext: table.allow_cleartext,
        header: table.key_header.unwrap_or(usual_header),
        free: table.free.unwrap_or(kind == ProviderKind::Ollama),
    };
    (ProviderSetup::Ready(ready), problem)
}

/// Which model does which work, for the provider that is set up.
pub(super) fn models(table: &ModelsTable, setup: &ProviderSetup) -> Models {
    let shipped = match setup {
        ProviderSetup::Ready(Endpoint { kind, base_url, .. }) => shipped_models(*kind, base_url),
        ProviderSetup::Missing { .. } => Some(Models::default()),
    };
    let named = table.default.clone();
    let of = |choice: &Option<String>, shipped: Option<String>| {
        let choice = choice.clone().or(shipped).or_else(|| named.clone());
        choice.unwrap_or_default()
    };
    let patches = table
        .patches
        .unwrap_or(shipped.as_ref().is_some_and(|models| models.patches));
    let (default, small, large) = match shipped {
        Some(models) => (Some(models.default), Some(models.small), Some(models.large)),
        None => (None, None, None),
    };
    Models {
        default: of(&table.default, default),
        small: of(&table.small, small),
        large: of(&table.large, large),
        effort: table.effort,
        patches,
        small_first: table.small_first.clone(),
        small_when_short: table.small_when_short,
    }
}

/// The models of a vendor. A server of the user's own has those that the user put there.
fn shipped_models(kind: ProviderKind, base_url: &str) -> Option<Models> {
    match kind {
        ProviderKind::Anthropic => Some(Models::default()),
        ProviderKind::OpenAi if base_url == ProviderKind::OpenAi.usual().address => Some(Models {
            default: "gpt-6.1-terra".to_owned(),
            small: "gpt-6-luna".to_owned(),
            large: "gpt-6.1-sol".to_owned(),
            patches: true,
            ..Models::default()
        }),
        ProviderKind::OpenAi | ProviderKind::Ollama => None,
    }
}

fn kind_of(table: &ProviderTable, env: &dyn Fn(&str) -> Option<String>) -> ProviderKind {
    // An address or a key that the file names without a kind was written for the usual one.
    let named_by_file =
        table.base_url.is_some() || table.key_env.is_some() || table.key_command.is_some();
    let found = || ProviderKind::found(env).filter(|_| !named_by_file);
    table.kind.or_else(found).unwrap_or_default()
}

/// Where requests go, or why nowhere; and what of the environment is passed over.
fn address(
    table: &ProviderTable,
    kind: ProviderKind,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Url, Option<Problem>), (String, Option<Problem>)> {
    let usual = kind.usual();
    let named_by_file = table.key_env.is_some() || table.key_command.is_some();
    let mut problem = None;
    let mut base_url = endpoint(table.base_url.as_deref().unwrap_or(usual.address));
    let mut origin = "provider.base_url in config.toml";
    if let Some(text) = env(usual.address_from).filter(|_| table.base_url.is_none()) {
        let named = match kind {
            ProviderKind::Anthropic | ProviderKind::OpenAi => endpoint(text.trim()),
            ProviderKind::Ollama => ollama_host(text.trim()),
        };
        if named_by_file && named.as_ref().is_ok_and(|url| !is_loopback(url)) {
            problem = Some(Problem {
                file: ENVIRONMENT.to_owned(),
                line: 0,
                column: 0,
                key: usual.address_from.to_owned(),
                message: "ignored, because a key that config.toml names goes only where config.toml says; \
                          set provider.base_url there"
                    .to_owned(),
            });
        } else {
            // Also if it cannot be read: the usual address would not be the one that was meant.
            (base_url, origin) = (named, usual.address_from);
        }
    }
    let base_url = match base_url {
        Ok(url) => url,
        Err(message) => return Err((format!("{origin} {message}"), problem)),
    };
    if kind == ProviderKind::Ollama && table.kind.is_none() && !is_loopback(&base_url) {
        // No key stands in the way here, so a variable that a folder sets would be enough to send code anywhere.
        let what_to_do = format!(
            "{origin} names another machine; write provider.kind = \"ollama\" in config.toml if code may go there"
        );
        return Err((what_to_do, problem));
    }
    if base_url.scheme() != "https" && !is_loopback(&base_url) && !table.allow_cleartext {
        let what_to_do = format!(
            "{origin} must begin with https://, because code and key would travel unencrypted; \
             provider.allow_cleartext = true in config.toml allows it"
        );
        return Err((what_to_do, problem));
    }
    Ok((base_url, problem))
}

/// `OLLAMA_HOST` as Ollama itself reads it: scheme and port may be left out, and the address that a server listens on
/// everywhere is this machine to a client.
fn ollama_host(text: &str) -> Result<Url, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, port)| !before.ends_with(':') && port.parse::<u16>().is_ok())
        && (!host.contains('[') || host.contains("]:"));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if has_port => (name, port),
        _ => (host, if scheme.is_empty() { "11434" } else { "" }),
    };
    let name = match name {
        "" | "0.0.0.0" => "127.0.0.1",
        "[::]" | "::" => "[::1]",
        name => name,
    };
    let scheme = if scheme.is_empty() { "http" } else { scheme };
    let port = if port.is_empty() {
        String::new()
    } else {
        format!(":{port}")
    };
    endpoint(&format!("{scheme}://{name}{port}/{path}"))
        .map_err(|_| "must be a host, such as \"127.0.0.1:11434\"".to_owned())
}

/// The key and how it is usually sent, or why there is none although one is named.
fn key(
    table: &ProviderTable,
    kind: ProviderKind,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Key, KeyHeader), String> {
    let usual = kind.usual();
    let header_of = |variable: &str| {
        if variable == AUTH_TOKEN {
            KeyHeader::Bearer
        } else {
            usual.header
        }
    };
    match (&table.key_env, &table.key_command) {
        (Some(variable), _) => {
            let value = env(variable).ok_or_else(|| {
                format!(
                    "config.toml says that the key is in {variable}, which is not set in the environment that the \
                     editor was started from; set it there, or use provider.key_command"
                )
            })?;
            Ok((secret(&value, variable), header_of(variable)))
        }
        (None, Some(command)) => Ok(match command.split_first() {
            Some((program, arguments)) => (
                Key::Command(PathBuf::from(program), arguments.to_vec()),
                usual.header,
            ),
            None => (Key::None, usual.header),
        }),
        (None, None) => {
            let found = usual.keys.iter().find_map(|name| Some((*name, env(name)?)));
            Ok(match found {
                Some((variable, value)) => (secret(&value, variable), header_of(variable)),
                None => (Key::None, usual.header),
            })
        }
    }
}

fn secret(value: &str, variable: &str) -> Key {
    Key::Value(
        SecretString::from(value.trim().to_owned()),
        variable.to_owned(),
    )
}
