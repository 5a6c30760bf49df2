use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::http::SetupError;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The header the key goes into. APIs reject a request that has both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `x-api-key`, as for `ANTHROPIC_API_KEY`.
    ApiKey,
    /// `Authorization: Bearer`, as for `ANTHROPIC_AUTH_TOKEN`, `OPENAI_API_KEY` and most gateways.
    Bearer,
}

/// The key without the blanks around it, put into its header.
pub(crate) fn put(
    headers: &mut HeaderMap,
    key: Option<SecretString>,
    key_source: &str,
    auth: Auth,
) -> Result<Option<SecretString>, SetupError> {
    let Some(key) = key else { return Ok(None) };
    let key = SecretString::from(key.expose_secret().trim());
    if key.expose_secret().is_empty() {
        return Err(SetupError::EmptyKey {
            key_source: key_source.to_owned(),
        });
    }
    let (name, value) = match auth {
        Auth::ApiKey => (API_KEY, HeaderValue::from_str(key.expose_secret())),
        Auth::Bearer => (
            AUTHORIZATION,
            HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())),
        ),
    };
    let Ok(mut value) = value else {
        return Err(SetupError::MalformedKey {
            key_source: key_source.to_owned(),
        });
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(Some(key))
}
