//! The forms that a model answers in.

use serde_json::{Value, json};

fn object(required: &[&str], properties: &Value) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

/// The form of an answer with claims: what [`super::read_claims`] reads.
pub fn report_schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let at = object(
        &["file"],
        &json!({
            "file": text("Path from the root."),
            "symbol": text("Path of the symbol; leave it out for the file."),
        }),
    );
    let anchor = object(
        &["file", "quote"],
        &json!({
            "file": text("Path from the root."),
            "symbol": text("Path of the symbol; leave it out for code outside of symbols."),
            "quote": text("One to three lines, copied to the letter."),
        }),
    );
    let predicate = object(
        &["is"],
        &json!({
            "is": {"type": "string", "enum": [
                "imports", "cycle", "calls", "calls_in_loop", "no_caller", "only_caller", "single_impl", "duplicates",
                "same_job", "violates", "exceeds", "no_test", "missing", "judgement",
            ]},
            "at": at, "callee": at, "caller": at, "twin": at,
            "file": text("For imports and missing: a file or folder."),
            "target": text("For imports: a file, a folder or a package."),
            "files": {"type": "array", "items": {"type": "string"}, "description": "For cycle, in the order of the imports."},
            "one": text("For same_job: a package."),
            "other": text("For same_job: the other package."),
            "key": text("For violates: a key from <context>."),
            "metric": {"type": "string", "enum": [
                "lines", "nesting", "complexity", "parameters", "symbols", "fan_in", "fan_out",
            ]},
            "least": {"type": "integer", "description": "For exceeds."},
            "text": text("For missing."),
        }),
    );
    let claim = object(
        &["anchors", "predicates", "why", "fix"],
        &json!({
            "anchors": {"type": "array", "items": anchor, "description": "One to four; the user sees the first."},
            "predicates": {"type": "array", "items": predicate, "description": "One to four; all must be so."},
            "facts": {"type": "array", "items": {"type": "string"}, "description": "Numbers of the facts you go by, such as F7."},
            "why": text("The problem and what it will cost the team, in one sentence of at most 200 characters."),
            "fix": text("What to do, in one sentence."),
            "fault": {"type": "boolean", "description": "true for a fault, false for an observation."},
        }),
    );
    object(
        &["claims"],
        &json!({"claims": {"type": "array", "items": claim, "description": "The most important first; none if there is nothing."}}),
    )
}

/// The form of an answer of somebody who was asked to refute: what [`super::read_verdicts`] reads.
pub fn verdicts_schema() -> Value {
    let verdict = object(
        &["claim", "because", "refuted"],
        &json!({
            "claim": {"type": "integer", "description": "Its number."},
            "because": {"type": "string", "description": "The strongest reason against it, in one sentence."},
            "refuted": {"type": "boolean", "description": "Whether that reason stands."},
        }),
    );
    object(
        &["verdicts"],
        &json!({"verdicts": {"type": "array", "items": verdict}}),
    )
}
