//! What stands above and behind each hunk, for clients that show lenses and hints.

use engine::{MarkerKind, Markers, Pick};
use lsp_types::{CodeLens, InlayHint, Uri};

use crate::commands::command;
use crate::position::{Encoding, to_proto};

/// Keep and Undo above each hunk that waits.
pub(crate) fn lenses(markers: &Markers, encoding: Encoding, uri: &Uri) -> Vec<CodeLens> {
    let mut lenses = Vec::new();
    for marker in &markers.markers {
        let MarkerKind::Hunk(hunk) = &marker.kind else {
            continue;
        };
        let range = to_proto::range(&markers.text, text::Range::at(marker.range.start), encoding);
        for (title, pick) in [
            (format!("Keep · {}", hunk.charge), Pick::Keep(hunk.id)),
            ("Undo".to_owned(), Pick::Undo(hunk.id)),
            ("Undo run".to_owned(), Pick::UndoRun(hunk.run.clone())),
        ] {
            lenses.push(CodeLens {
                range,
                command: Some(command(&title, &pick, uri)),
                data: None,
            });
        }
    }
    lenses
}

/// What each hunk that waits did cost, at the end of its first line.
pub(crate) fn hints(markers: &Markers, encoding: Encoding) -> Vec<InlayHint> {
    let text = &markers.text;
    let of = |marker: &engine::Marker| match &marker.kind {
        MarkerKind::Hunk(hunk) => {
            let end = text.line_range(text.line_of(marker.range.start)).end;
            Some(InlayHint {
                position: to_proto::position(text, end, encoding),
                label: hunk.charge.to_string().into(),
                kind: None,
                text_edits: None,
                tooltip: None,
                padding_left: Some(true),
                padding_right: None,
                data: None,
            })
        }
        MarkerKind::Finding(..) => None,
    };
    markers.markers.iter().filter_map(of).collect()
}
