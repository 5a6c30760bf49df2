//! What a text must look like beyond being a text, by the `format` that a schema names.

use std::net::IpAddr;
use std::path::Path;

use ledger::Money;
use review::path_pattern;
use serde_json::Value;
use url::{Host, Url};

/// A sum of money such as `$0.50`, zero or more.
pub(super) const DOLLARS: &str = "dollars";
/// The address of a model API.
pub(super) const ENDPOINT: &str = "endpoint";
/// The name of an environment variable.
pub(super) const VARIABLE: &str = "environment-variable";
/// A path from the root of the file system.
pub(super) const ABSOLUTE_PATH: &str = "absolute-path";
/// A program by absolute path, and its arguments.
pub(super) const COMMAND: &str = "command";
/// A pattern of paths.
pub(super) const GLOB: &str = "glob";
/// A day such as `2027-03-01`.
pub(super) const DATE: &str = "date";

/// Whether `value` has the format; a format that is not ours says nothing.
pub(super) fn check(format: &str, value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or("");
    match format {
        DOLLARS => match text.parse::<Money>() {
            Ok(amount) if amount < Money::ZERO => Err(
                "an amount cannot be negative; \"$0\" means that nothing may be spent".to_owned(),
            ),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        ENDPOINT => endpoint(text).map(drop),
        VARIABLE => variable(text),
        ABSOLUTE_PATH => absolute(text),
        COMMAND => match value.get(0).and_then(Value::as_str) {
            Some(program) => absolute(program),
            None => Err(
                "must name a program, such as [\"/usr/bin/pass\", \"show\", \"anthropic\"]"
                    .to_owned(),
            ),
        },
        GLOB => path_pattern(text).map(drop),
        DATE => date(text),
        "uint32"
            if value
                .as_u64()
                .is_none_or(|number| number > u64::from(u32::MAX)) =>
        {
            Err(format!("must be at most {}", u32::MAX))
        }
        _ => Ok(()),
    }
}

/// Reads the address of a model API.
pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
        .ok_or("must be an address, such as \"https://api.anthropic.com\"")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the path, without ? or #".to_owned());
    }
    Ok(url)
}

/// Whether the address names this machine by number or as `localhost`; the same rule as the provider's.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

fn date(text: &str) -> Result<(), String> {
    match text.parse::<jiff::civil::Date>() {
        // The order of the texts must be that of the days.
        Ok(date) if date.to_string() == text => Ok(()),
        Ok(_) | Err(_) => Err("must be a day, such as 2027-03-01".to_owned()),
    }
}

fn variable(text: &str) -> Result<(), String> {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err("must be the name of an environment variable, such as \"ANTHROPIC_API_KEY\", and not the key itself".to_owned())
}

fn absolute(text: &str) -> Result<(), String> {
    if Path::new(text).is_absolute() {
        return Ok(());
    }
    Err(
        "must be an absolute path, so that it means the same file wherever the server starts"
            .to_owned(),
    )
}
