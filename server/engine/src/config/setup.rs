use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::file::ProviderTable;
use super::format::{endpoint, is_loopback};
use super::problem::Problem;

/// Where requests go when nothing says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The name a problem gives to the environment, where there is no file.
const ENVIRONMENT: &str = "environment";
const API_KEY: &str = "ANTHROPIC_API_KEY";
const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
const BASE_URL: &str = "ANTHROPIC_BASE_URL";

/// A kind of model API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// The Anthropic Messages API, or a gateway that speaks it.
    #[default]
    Anthropic,
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
    env: &dyn Fn(&str) -> Option<String>,
) -> (ProviderSetup, Option<Problem>) {
    let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let notice = |message: &str| {
        let (file, key, message) = (
            ENVIRONMENT.to_owned(),
            BASE_URL.to_owned(),
            message.to_owned(),
        );
        Problem {
            file,
            line: 0,
            column: 0,
            key,
            message,
        }
    };
    let named_by_file = table.key_env.is_some() || table.key_command.is_some();

    let missing = |what_to_do: String| ProviderSetup::Missing { what_to_do };

    let mut problem = None;
    let mut base_url = endpoint(table.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL));
    let mut origin = "provider.base_url in config.toml";
    if let Some(text) = env(BASE_URL).filter(|_| table.base_url.is_none()) {
        let named = endpoint(text.trim());
        if named_by_file && named.as_ref().is_ok_and(|url| !is_loopback(url)) {
            problem = Some(notice(
                "ignored, because a key that config.toml names goes only where config.toml says; \
                 set provider.base_url there",
            ));
        } else {
            // Also if it cannot be read: the usual address would not be the one that was meant.
            (base_url, origin) = (named, BASE_URL);
        }
    }
    let base_url = match base_url {
        Ok(url) => url,
        Err(message) => return (missing(format!("{origin} {message}")), problem),
    };
    if base_url.scheme() != "https" && !is_loopback(&base_url) && !table.allow_cleartext {
        let what_to_do = format!(
            "{origin} must begin with https://, because code and key would travel unencrypted; \
             provider.allow_cleartext = true in config.toml allows it"
        );
        return (missing(what_to_do), problem);
    }

    let (key, usual_header) = match (&table.key_env, &table.key_command) {
        (Some(variable), _) => {
            let Some(value) = env(variable) else {
                let what_to_do = format!(
                    "config.toml says that the key is in {variable}, which is not set in the environment that the \
                     editor was started from; set it there, or use provider.key_command"
                );
                return (missing(what_to_do), problem);
            };
            (secret(&value, variable), header_of(variable))
        }
        (None, Some(command)) => match command.split_first() {
            Some((program, arguments)) => (
                Key::Command(PathBuf::from(program), arguments.to_vec()),
                KeyHeader::XApiKey,
            ),
            None => (Key::None, KeyHeader::XApiKey),
        },
        (None, None) => match [API_KEY, AUTH_TOKEN]
            .into_iter()
            .find_map(|name| Some((name, env(name)?)))
        {
            Some((variable, value)) => (secret(&value, variable), header_of(variable)),
            None => (Key::None, KeyHeader::XApiKey),
        },
    };
    if matches!(key, Key::None) && !is_loopback(&base_url) {
        let what_to_do = format!(
            "no key for the model: set {API_KEY} in the environment that the editor is started from, or say in \
             config.toml where the key is, with provider.key_env or provider.key_command"
        );
        return (missing(what_to_do), problem);
    }
    let ready = Endpoint {
        kind: table.kind,
        base_url: base_url.as_str().trim_end_matches('/').to_owned(),
        key,
        allow_cleartext: table.allow_cleartext,
        header: table.key_header.unwrap_or(usual_header),
    };
    (ProviderSetup::Ready(ready), problem)
}

fn secret(value: &str, variable: &str) -> Key {
    Key::Value(
        SecretString::from(value.trim().to_owned()),
        variable.to_owned(),
    )
}

/// How the key of a variable is usually sent.
fn header_of(variable: &str) -> KeyHeader {
    if variable == AUTH_TOKEN {
        KeyHeader::Bearer
    } else {
        KeyHeader::XApiKey
    }
}
