use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;
use tokio::time::timeout;

use super::Broken;
use crate::error::{Billed, ErrorKind, Fault, ProviderError, Report};
use crate::origin::Origin;

/// How much of an error response is read.
const LARGEST_ERROR: usize = 64 << 10;

/// How long an error response may take after its status has come.
const LONGEST_ERROR: Duration = Duration::from_secs(10);

impl Broken {
    /// The connection ended before the response did.
    pub(crate) fn closed() -> Broken {
        Broken::cut("the connection was closed before the end of the answer")
    }

    /// The body could not be read on.
    pub(super) fn unreadable(error: &reqwest::Error) -> Broken {
        let cause = root_cause(error);
        // The client's ways to say that bytes are missing, in the framing or in the body.
        if cause.contains("EOF") || cause.contains("end of file") {
            Broken::closed()
        } else {
            Broken::cut(&cause)
        }
    }

    /// The response ended before its time.
    pub(crate) fn cut(cause: &str) -> Broken {
        Broken {
            kind: ErrorKind::Cut,
            error_type: None,
            cause: cause.to_owned(),
        }
    }
}

/// Whether the response carries an answer. Endpoints that name no type, or a vague one, are believed.
pub(super) fn is_event_stream(response: &Response) -> bool {
    let kind = header(response.headers(), CONTENT_TYPE.as_str());
    response.status().is_success()
        && !kind.starts_with("application/json")
        && !kind.starts_with("text/html")
}

/// The provider's id of the request.
pub(super) fn request_id(response: &Response, origin: &Origin) -> Option<String> {
    let headers = response.headers();
    let id = ["request-id", "x-request-id"]
        .into_iter()
        .map(|name| header(headers, name))
        .find(|id| !id.is_empty())?;
    Some(origin.clean(id))
}

/// There was no response at all.
pub(super) fn no_response(
    mut fault: Fault,
    origin: &Origin,
    error: &reqwest::Error,
) -> ProviderError {
    fault.cause = origin.clean(&root_cause(error));
    if error.is_connect() {
        fault.billed = Billed::Nothing;
        if error.is_timeout() {
            "the connection could not be made in time".clone_into(&mut fault.cause);
        }
    } else if is_unprocessed(error) {
        fault.billed = Billed::Nothing;
        "the server turned the request away before it began on it".clone_into(&mut fault.cause);
    }
    fault.into()
}

/// Whether the server has said that it did nothing with the request (RFC 9113, 8.7): it refused the stream, or it is
/// leaving and the stream comes after the last one that it takes. A stream that it did take ends in another way.
fn is_unprocessed(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (error.is_go_away() || (error.is_reset() && refused));
        }
        cause = error.source();
    }
    false
}

/// There was a response, but no answer in it.
pub(super) async fn refused(
    mut fault: Fault,
    origin: &Origin,
    response: Response,
    idle: Duration,
) -> ProviderError {
    let status = response.status();
    fault.status = Some(status.as_u16());
    fault.retry_after = retry_after(response.headers(), Timestamp::now());
    fault.should_retry = match header(response.headers(), "x-should-retry") {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let kind = header(response.headers(), CONTENT_TYPE.as_str()).to_owned();
    let location = header(response.headers(), LOCATION.as_str()).to_owned();
    let body = beginning(response, idle).await;
    let json: Option<Value> = serde_json::from_str(&body).ok();
    let report = Report::of(json.as_ref().map_or(&Value::Null, |json| &json["error"]));
    let message = match report.message {
        "" if body.trim().is_empty() => status
            .canonical_reason()
            .unwrap_or("no explanation")
            .to_owned(),
        "" if kind.starts_with("text/html") => format!("a web page{}", title(&body)),
        "" => body.clone(),
        message => message.to_owned(),
    };
    if status.is_redirection() {
        fault.cause = origin.clean(&format!(
            "a redirect to {location:?}, which is not followed"
        ));
        fault.billed = Billed::Nothing;
        return fault.into();
    }
    if status.is_success() {
        fault.cause = origin.clean(&format!("expected an event stream, got {kind}: {message}"));
        return fault.into();
    }
    fault.kind = ErrorKind::classify(Some(status.as_u16()), &report, &message);
    fault.cause = origin.clean(&message);
    fault.error_type = Some(origin.clean(report.name())).filter(|kind| !kind.is_empty());
    fault.billed = match status.as_u16() {
        // Something behind the endpoint may have done the work before the answer got lost.
        408 | 500..=502 | 504..=528 | 530.. => Billed::Unknown,
        _ => Billed::Nothing,
    };
    fault.into()
}

/// The deepest cause of a client error. The outer ones say "error sending request" and repeat the URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// As much of the body as comes while it is worth waiting for.
async fn beginning(mut response: Response, idle: Duration) -> String {
    let mut body = Vec::new();
    let _ = timeout(idle.min(LONGEST_ERROR), async {
        while body.len() < LARGEST_ERROR
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend_from_slice(&bytes);
        }
    })
    .await;
    body.truncate(LARGEST_ERROR);
    String::from_utf8_lossy(&body).into_owned()
}

fn title(page: &str) -> String {
    let title = page
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    title
        .map(|(title, _)| format!(" titled {:?}", title.trim()))
        .unwrap_or_default()
}

/// How long the provider asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let milliseconds = header(headers, "retry-after-ms")
        .parse::<f64>()
        .ok()
        .map(|ms| ms / 1000.0);
    let asked = header(headers, RETRY_AFTER.as_str());
    let seconds = milliseconds.or_else(|| asked.parse().ok()).or_else(|| {
        let until = rfc2822::DateTimeParser::new().parse_timestamp(asked).ok()?;
        // The provider's own clock, so that a wrong one here does not matter.
        let now = rfc2822::DateTimeParser::new()
            .parse_timestamp(header(headers, DATE.as_str()))
            .unwrap_or(now);
        Some(until.duration_since(now).as_secs_f64())
    })?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|wait| !wait.is_zero())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reqwest::header::HeaderName;

    use super::*;

    #[track_caller]
    fn check(headers: &[(&'static str, &str)], expected: Option<u64>) {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(
            retry_after(&headers, now).map(|wait| wait.as_millis()),
            expected.map(u128::from)
        );
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        check(&[], None);
        check(&[("retry-after", "3")], Some(3_000));
        check(&[("retry-after", "0.25")], Some(250));
        check(
            &[("retry-after-ms", "1500"), ("retry-after", "9")],
            Some(1_500),
        );
        check(
            &[("retry-after", "Sat, 21 Nov 2026 12:00:30 GMT")],
            Some(30_000),
        );
        let skewed = ("date", "Sat, 21 Nov 2026 12:05:00 GMT");
        check(
            &[("retry-after", "Sat, 21 Nov 2026 12:05:02 GMT"), skewed],
            Some(2_000),
        );
    }

    #[test]
    fn a_useless_retry_after_is_none() {
        for value in [
            "",
            "0",
            "-1",
            "soon",
            "NaN",
            "inf",
            "1e300",
            "Sat, 21 Nov 2026 11:00:00 GMT",
        ] {
            check(&[("retry-after", value)], None);
        }
    }
}
