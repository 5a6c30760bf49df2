//! Markers as diagnostics: findings and hunks that wait for a decision.

use engine::{Engine, Marker, MarkerKind, Markers};
use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location,
};
use review::Severity;
use serde_json::json;

use crate::position::to_proto;
use crate::session::Session;

/// The source that all our diagnostics carry.
pub(crate) const SOURCE: &str = "farthing";
/// The code of a hunk's diagnostic.
pub(crate) const HUNK: &str = "hunk";

/// The diagnostics of one text of a file.
pub(crate) fn diagnostics(
    markers: &Markers,
    engine: &Engine,
    session: &Session,
) -> Vec<Diagnostic> {
    let encoding = session.client().encoding;
    markers
        .markers
        .iter()
        .map(|marker| {
            let (code, page, data) = match &marker.kind {
                MarkerKind::Hunk(hunk) => (
                    HUNK,
                    None,
                    json!({"run": hunk.run, "hunk": hunk.id.to_string(), "symbol": hunk.symbol}),
                ),
                MarkerKind::Finding(rule, _) => {
                    (rule.code(), Some(rule.page()), json!({"rule": rule.code()}))
                }
            };
            Diagnostic {
                range: to_proto::range(&markers.text, marker.range, encoding),
                severity: Some(severity(marker)),
                code: Some(code.into()),
                code_description: page
                    .filter(|_| session.client().code_description)
                    .map(|href| CodeDescription { href: href.into() }),
                source: Some(SOURCE.to_owned()),
                message: marker.message.clone().into(),
                tags: None,
                related_information: related(marker, engine, session),
                data: Some(data),
            }
        })
        .collect()
}

fn severity(marker: &Marker) -> DiagnosticSeverity {
    match marker.kind {
        MarkerKind::Finding(_, Severity::Hint) => DiagnosticSeverity::Hint,
        MarkerKind::Finding(_, Severity::Warning) => DiagnosticSeverity::Warning,
        MarkerKind::Finding(_, Severity::Information) | MarkerKind::Hunk(_) => {
            DiagnosticSeverity::Information
        }
    }
}

/// The other places of a marker, for a client that shows them.
fn related(
    marker: &Marker,
    engine: &Engine,
    session: &Session,
) -> Option<Vec<DiagnosticRelatedInformation>> {
    if marker.related.is_empty() || !session.client().related_information {
        return None;
    }
    let places = engine.related_places(marker).into_iter().map(|place| {
        let range = to_proto::range(&place.text, place.range, session.client().encoding);
        DiagnosticRelatedInformation {
            location: Location {
                uri: session.uri_of(&place.file),
                range,
            },
            message: place.message,
        }
    });
    Some(places.collect())
}
