//! What a file carries in its margin: findings, and hunks that wait for a decision.

use review::{Finding, Related, RuleId, Severity};
use text::{FilePath, Range};
use workspace::Snapshot;

use crate::Engine;
use crate::files::Whole;
use crate::hunks::{Hunk, HunkState, Waits};

/// The markers of one text of a file.
#[derive(Clone, Debug)]
pub struct Markers {
    /// The version of the open document that the ranges are in.
    pub version: Option<i32>,
    /// The text that the ranges are in.
    pub text: text::Text,
    /// The markers, by position.
    pub markers: Vec<Marker>,
}

/// One marker.
#[derive(Clone, Debug)]
pub struct Marker {
    /// Where.
    pub range: Range,
    /// What it says, standing alone.
    pub message: String,
    /// What it is.
    pub kind: MarkerKind,
    /// The other places that belong to it.
    pub related: Vec<Related>,
}

/// Another place that belongs to a marker, with the text that its range is in.
#[derive(Clone, Debug)]
pub struct RelatedPlace {
    /// The file.
    pub file: FilePath,
    /// The text that the range is in.
    pub text: text::Text,
    /// Where.
    pub range: Range,
    /// What it has to do with the marker.
    pub message: String,
}

/// What a marker is.
#[derive(Clone, Debug)]
pub enum MarkerKind {
    /// A hunk that waits for a decision.
    Hunk(Box<Hunk>),
    /// An architecture finding.
    Finding(RuleId, Severity),
}

impl Engine {
    /// The markers of an open file; none where there is nothing to say, or the file is not open.
    ///
    /// Linear in the symbols of the file.
    pub fn markers(&self, file: &FilePath) -> Option<Markers> {
        self.marked(file, self.config().surfaces.diagnostics)
    }

    /// Those markers of an open file that are hunks. Linear in the hunks.
    pub fn hunk_markers(&self, file: &FilePath) -> Option<Markers> {
        self.marked(file, false)
    }

    /// The other places of a marker. Reads those files that are not open.
    pub fn related_places(&self, marker: &Marker) -> Vec<RelatedPlace> {
        let snapshot = self.snapshot();
        let places = marker.related.iter().filter_map(|related| {
            let document = snapshot.document(&related.file).ok()?;
            Some(RelatedPlace {
                text: document.text().clone(),
                file: related.file.clone(),
                range: related.range,
                message: related.message.clone(),
            })
        });
        places.collect()
    }

    fn marked(&self, file: &FilePath, findings: bool) -> Option<Markers> {
        let (snapshot, hunks) =
            self.with(|state| (state.workspace.snapshot(), state.hunks.of(file)));
        let document = snapshot.open_document(file)?;
        let mut markers: Vec<Marker> = hunks
            .iter()
            .map(|hunk| hunk_marker(hunk, document.text(), &snapshot))
            .collect();
        if findings {
            let findings = self.findings_in(&snapshot, document).into_iter();
            markers.extend(findings.map(finding_marker));
        }
        markers.sort_by_key(|marker| (marker.range.start, marker.range.end));
        Some(Markers {
            version: document.version(),
            text: document.text().clone(),
            markers,
        })
    }

    /// The findings that `range` touches.
    pub(crate) fn findings_at(
        &self,
        snapshot: &workspace::Snapshot,
        document: &workspace::Document,
        range: Range,
    ) -> Vec<Finding> {
        let findings = self.findings_in(snapshot, document).into_iter();
        let here = |finding: &Finding| {
            finding.range.touches(range.start) || finding.range.intersects(range)
        };
        findings.filter(here).collect()
    }
}

fn hunk_marker(hunk: &Hunk, text: &text::Text, snapshot: &Snapshot) -> Marker {
    // A deletion has no text of its own to mark; the line it was on stands in for it.
    let range = match hunk.range() {
        _ if hunk.whole == Some(Whole::Made) => text.line_range(0),
        range if range.is_empty() => text.line_range(text.line_of(range.start)),
        range => range,
    };
    let why = if hunk.reason.is_empty() {
        hunk.title.as_str()
    } else {
        hunk.reason.as_str()
    };
    let why = match &hunk.whole {
        Some(whole) => format!("{}: {why}", whole.shown(snapshot)),
        None => why.to_owned(),
    };
    let message = match &hunk.state {
        // While its request is under way, nothing is settled yet.
        HunkState::Landed(_) if hunk.charge.is_nothing() => format!("{} · {why}", hunk.title),
        HunkState::Landed(_) => format!("{} · {why} · {}", hunk.title, hunk.charge),
        HunkState::Pending {
            why: Waits::Staged, ..
        } if hunk.charge.is_nothing() => format!("{} · proposed: {why}", hunk.title),
        HunkState::Pending {
            why: Waits::Staged, ..
        } => format!("{} · proposed: {why} · {}", hunk.title, hunk.charge),
        HunkState::Pending {
            why: Waits::Trouble(trouble),
            ..
        } => {
            format!("{} · not applied: {trouble}", hunk.title)
        }
    };
    Marker {
        range,
        message,
        kind: MarkerKind::Hunk(Box::new(hunk.clone())),
        related: Vec::new(),
    }
}

impl Whole {
    /// What was done, for people.
    pub(crate) fn shown(&self, snapshot: &Snapshot) -> String {
        let name = |path: &str| match FilePath::new(path) {
            Ok(file) => snapshot.display(&file).to_owned(),
            Err(_) => path.to_owned(),
        };
        match self {
            Whole::Made => "new file".to_owned(),
            Whole::Renamed { from, to } => format!("renamed {} to {}", name(from), name(to)),
            Whole::Deleted { file, .. } => format!("deleted {}", name(file)),
        }
    }
}

fn finding_marker(finding: Finding) -> Marker {
    Marker {
        range: finding.range,
        message: finding.message,
        kind: MarkerKind::Finding(finding.rule, finding.severity),
        related: finding.related,
    }
}
