//! Markers as diagnostics: findings and hunks that wait for a decision.

use engine::{MarkerKind, Markers};
use lsp_types::{CodeDescription, Diagnostic, DiagnosticSeverity};
use serde_json::json;

use crate::position::to_proto;
use crate::session::Session;

/// The source that all our diagnostics carry.
pub(crate) const SOURCE: &str = "farthing";
/// The code of a hunk's diagnostic.
pub(crate) const HUNK: &str = "hunk";

/// The diagnostics of one text of a file.
pub(crate) fn diagnostics(markers: &Markers, session: &Session) -> Vec<Diagnostic> {
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
                MarkerKind::Finding(rule) => {
                    (rule.code(), Some(rule.page()), json!({"rule": rule.code()}))
                }
            };
            Diagnostic {
                range: to_proto::range(&markers.text, marker.range, encoding),
                severity: Some(DiagnosticSeverity::Information),
                code: Some(code.into()),
                code_description: page
                    .filter(|_| session.client().code_description)
                    .map(|href| CodeDescription { href: href.into() }),
                source: Some(SOURCE.to_owned()),
                message: marker.message.clone().into(),
                tags: None,
                related_information: None,
                data: Some(data),
            }
        })
        .collect()
}
