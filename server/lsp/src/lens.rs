//! What stands above and behind hunks and symbols, for clients that show lenses and hints.

use engine::{Launch, MarkerKind, Markers, Pick, Tag};
use lsp_types::{CodeLens, InlayHint, Uri};
use serde::{Deserialize, Serialize};
use text::{Range, Text};

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
        ]
        .into_iter()
        .skip(usize::from(hunk.is_stuck()))
        {
            lenses.push(CodeLens {
                range,
                command: Some(command(&title, &pick, uri)),
                data: None,
            });
        }
    }
    lenses
}

/// What a client hands back of a lens that has no price yet. Checked again like everything from there.
#[derive(Serialize, Deserialize)]
pub(crate) struct Unpriced {
    pub(crate) uri: String,
    pub(crate) launch: Launch,
}

/// An action above its symbol, to be priced when it is looked at.
pub(crate) fn unpriced(
    text: &Text,
    name: Range,
    launch: Launch,
    encoding: Encoding,
    uri: &Uri,
) -> CodeLens {
    let unpriced = Unpriced {
        uri: uri.0.clone(),
        launch,
    };
    CodeLens {
        range: to_proto::range(text, name, encoding),
        command: None,
        data: serde_json::to_value(unpriced).ok(),
    }
}

/// The lens with its price.
pub(crate) fn priced(lens: CodeLens, title: &str, unpriced: Unpriced) -> CodeLens {
    let pick = Pick::Launch(unpriced.launch);
    CodeLens {
        command: Some(command(title, &pick, &Uri(unpriced.uri))),
        ..lens
    }
}

/// The size and the prices of a symbol, at the end of the line of its name.
pub(crate) fn tag(text: &Text, tag: &Tag, encoding: Encoding) -> InlayHint {
    let end = text.line_range(text.line_of(tag.range.start)).end;
    hint(
        to_proto::position(text, end, encoding),
        tag.text.clone().into(),
    )
}

fn hint(position: lsp_types::Position, label: lsp_types::Label) -> InlayHint {
    InlayHint {
        position,
        label,
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}

/// What each hunk that waits did cost, at the end of its first line.
pub(crate) fn hints(markers: &Markers, encoding: Encoding) -> Vec<InlayHint> {
    let text = &markers.text;
    let of = |marker: &engine::Marker| match &marker.kind {
        MarkerKind::Hunk(hunk) => {
            let end = text.line_range(text.line_of(marker.range.start)).end;
            Some(hint(
                to_proto::position(text, end, encoding),
                hunk.charge.to_string().into(),
            ))
        }
        MarkerKind::Finding(..) => None,
    };
    markers.markers.iter().filter_map(of).collect()
}
