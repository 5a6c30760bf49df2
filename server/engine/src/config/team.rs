//! What a team says in `farthing.toml` about itself and its code, as tables, and what becomes of them: rules that are
//! checked, and lines that a model is shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use review::{
    Decision, Exception, Forbidden, Job, Layer, Layers, Owner, Paths, Shape, Skills, Team,
    all_rules,
};
use schemars::JsonSchema;
use serde::Deserialize;
use text::{FilePath, Range};

use super::file::PathPattern;
use super::{Source, format};

/// The most that a model is shown of all this, in bytes: it is part of every request.
const MOST_BYTES: usize = 8_000;

/// The team and what it stands for. A model is shown it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OrgTable {
    /// What the team or the company is called.
    #[schemars(with = "String", extend("maxLength" = 100))]
    name: Option<String>,
    /// How many people can be called when this code breaks.
    #[schemars(with = "u32")]
    maintainers: Option<u32>,
    /// How far the code is.
    #[schemars(with = "String", extend("enum" = ["prototype", "production", "legacy"]))]
    stage: Option<String>,
    /// What kind of team it is.
    #[schemars(with = "String", extend("enum" = ["stream-aligned", "platform", "enabling", "complicated-subsystem"]))]
    topology: Option<String>,
}

/// Technologies and languages, each in one word. What nobody knows is reported where it is used.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SkillsTable {
    /// What the team is at home in.
    strong: Vec<String>,
    /// What somebody has worked with.
    some: Vec<String>,
    /// What nobody knows.
    unknown: Vec<String>,
}

/// How large the system may be. What goes beyond is reported.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ShapeTable {
    /// The style of the whole. A model is shown it.
    #[schemars(with = "String", extend("enum" = ["modular-monolith", "layered", "hexagonal", "services", "library"]))]
    style: Option<String>,
    /// The most things that are deployed on their own.
    #[schemars(with = "u32")]
    max_deployables: Option<u32>,
    /// The most kinds of data store.
    #[schemars(with = "u32")]
    max_datastores: Option<u32>,
    /// The most languages.
    #[schemars(with = "u32")]
    max_languages: Option<u32>,
}

/// What the system has to bear. A model is shown it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LoadTable {
    /// Requests in the busiest second.
    #[schemars(with = "u32")]
    peak_rps: Option<u32>,
    /// Rows of the large tables, by name.
    rows: BTreeMap<String, u64>,
    /// Milliseconds within which 95 of 100 requests are answered.
    #[schemars(with = "u32")]
    p95_ms: Option<u32>,
    /// What running it may cost in a month, in US dollars.
    #[schemars(with = "u32")]
    monthly_usd: Option<u32>,
}

/// One layer. Each may import those below it in this file, never those above.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name", "paths"]))]
pub(super) struct LayerTable {
    /// What it is called.
    name: String,
    /// Path patterns of its files.
    #[schemars(with = "Vec<PathPattern>")]
    paths: Vec<String>,
    /// Path patterns of those of its files that others may import; all of them if it is not said.
    #[schemars(with = "Vec<PathPattern>")]
    public: Option<Vec<String>>,
}

/// One library for one job.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["job", "use", "instead_of"]))]
pub(super) struct OneOfTable {
    /// The job, such as "http-client".
    job: String,
    /// The library, as imports call it.
    #[serde(rename = "use")]
    library: String,
    /// Libraries that are not used for it.
    instead_of: Vec<String>,
    /// Why; the finding says it.
    #[schemars(with = "String", extend("maxLength" = 200))]
    why: Option<String>,
}

/// An import that is not wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["import"]))]
pub(super) struct ForbidTable {
    /// A package or a module, as imports call it, or a path pattern of files in the workspace.
    import: String,
    /// Path patterns of the files that must not import it; all files if it is not said.
    #[serde(rename = "in")]
    #[schemars(with = "Vec<PathPattern>")]
    within: Option<Vec<String>>,
    /// Why; the finding says it.
    #[schemars(with = "String", extend("maxLength" = 200))]
    why: Option<String>,
    /// The document that says so, by its path from the root.
    #[schemars(with = "String")]
    adr: Option<String>,
}

/// Who answers for some files.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["paths", "people"]))]
pub(super) struct OwnerTable {
    /// Path patterns of the files. Of two tables that fit a file, the later one counts.
    #[schemars(with = "Vec<PathPattern>")]
    paths: Vec<String>,
    /// Who.
    people: Vec<String>,
}

/// A decision and its document.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["adr"]))]
pub(super) struct DecisionTable {
    /// The document, by its path from the root.
    adr: String,
    /// Where the decision stands.
    #[schemars(with = "String", extend("enum" = ["proposed", "accepted", "superseded", "rejected"]))]
    status: Option<String>,
}

/// What a rule lets pass, for a while.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["rule"]))]
pub(super) struct ExceptionTable {
    /// The rule.
    #[schemars(with = "String", extend("enum" = all_rules()))]
    rule: String,
    /// What it is about: a package, a technology, or a path pattern; everything that the rule finds if it is not said.
    #[serde(rename = "match")]
    #[schemars(with = "String")]
    matching: Option<String>,
    /// The last day, such as 2027-03-01; no end if it is not said.
    #[schemars(with = "String", extend("format" = format::DATE))]
    until: Option<String>,
    /// Why.
    #[schemars(with = "String", extend("maxLength" = 200))]
    why: Option<String>,
}

/// What a review is asked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReviewTable {
    /// What to look for.
    ask: Vec<String>,
    /// What never to report.
    never: Vec<String>,
    /// Whether findings about code that has not changed since the work of now began are mere hints.
    #[schemars(with = "bool", extend("default" = true))]
    pub(super) new_code: Option<bool>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) text: Option<String>,
    pub(super) org: OrgTable,
    pub(super) skills: SkillsTable,
    pub(super) shape: ShapeTable,
    pub(super) load: LoadTable,
    pub(super) layer: Vec<LayerTable>,
    pub(super) one_of: Vec<OneOfTable>,
    pub(super) forbid: Vec<ForbidTable>,
    pub(super) owner: Vec<OwnerTable>,
    pub(super) decision: Vec<DecisionTable>,
    pub(super) exception: Vec<ExceptionTable>,
    pub(super) review: ReviewTable,
}

impl Tables {
    /// What a model is shown: the team's own text, then what the tables say, one line each. Nothing if nothing is said.
    pub(super) fn quoted(&self) -> Option<String> {
        let mut lines = String::new();
        if let Some(text) = self.text.as_ref().filter(|text| !text.trim().is_empty()) {
            lines.push_str(text.trim_end());
            lines.push('\n');
        }
        let mut say = |what: &str, words: Vec<String>| {
            if !words.is_empty() {
                // Writing to a string cannot fail.
                _ = writeln!(lines, "{what}: {}", words.join(", "));
            }
        };
        let text = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let number = |value: Option<u32>, unit: &str| {
            let words = value.map(|number| format!("{number} {unit}"));
            words.into_iter().collect::<Vec<_>>()
        };
        let org = &self.org;
        let team = [
            text(&org.name),
            number(org.maintainers, "maintainers"),
            text(&org.topology),
        ];
        say("Team", team.concat());
        say("Stage of the code", text(&org.stage));
        say("Style", text(&self.shape.style));
        say("The team is at home in", self.skills.strong.clone());
        say("Some have worked with", self.skills.some.clone());
        say("Nobody knows", self.skills.unknown.clone());
        let most = [
            number(self.shape.max_deployables, "deployables"),
            number(self.shape.max_datastores, "kinds of data store"),
            number(self.shape.max_languages, "languages"),
        ];
        say("At most", most.concat());
        let load = &self.load;
        let rows = load
            .rows
            .iter()
            .map(|(table, rows)| format!("{rows} rows in {table}"));
        let load = [
            number(load.peak_rps, "requests in the busiest second"),
            rows.collect(),
            number(load.p95_ms, "ms for 95 of 100 requests"),
            number(load.monthly_usd, "US dollars a month"),
        ];
        say("Load", load.concat());
        let layers = self.layer.iter().map(|layer| layer.name.clone());
        say("Layers, which import downwards only", layers.collect());
        for job in &self.one_of {
            say(&format!("For {}", job.job), vec![job.library.clone()]);
        }
        let forbidden = self.forbid.iter().map(|rule| match &rule.within {
            Some(within) => format!("{} in {}", rule.import, within.join(" and ")),
            None => rule.import.clone(),
        });
        say("Never import", forbidden.collect());
        let accepted = self.decision.iter().filter(|decision| {
            let status = decision.status.as_deref();
            status.is_none_or(|status| status == "accepted")
        });
        say("Decided in", accepted.map(|one| one.adr.clone()).collect());
        say("A review looks for", self.review.ask.clone());
        say("A review never reports", self.review.never.clone());
        let lines = lines.trim_end();
        let end = lines.floor_char_boundary(MOST_BYTES);
        (!lines.is_empty()).then(|| lines[..end].to_owned())
    }

    /// What rules check. `source` is the file that says it, if it has a place.
    pub(super) fn team(self, source: Option<Source<'_>>) -> Team {
        let file = source.and_then(|source| FilePath::new(source.name).ok());
        let name = source.map_or("farthing.toml", |source| {
            source.name.rsplit('/').next().unwrap_or(source.name)
        });
        let layers = self.layer.into_iter().map(|layer| Layer {
            name: layer.name,
            paths: Paths::new(layer.paths),
            public: layer.public.map(Paths::new),
        });
        let layers: Vec<Layer> = layers.collect();
        let set = (!layers.is_empty()).then(|| Layers {
            declared_in: name.into(),
            base: None,
            layers,
        });
        let documents = self.decision.into_iter().map(|decision| decision.adr);
        let documents = documents.chain(self.forbid.iter().filter_map(|rule| rule.adr.clone()));
        let decisions = documents.filter_map(|document| {
            let text = source.map_or("", |source| source.text);
            let start = text.find(&document).unwrap_or(0);
            let end = text.len().min(start + document.len());
            Some(Decision {
                named_in: file.clone()?,
                range: Range::new(start, end),
                document,
            })
        });
        Team {
            skills: Skills {
                strong: self.skills.strong,
                some: self.skills.some,
                unknown: self.skills.unknown,
            },
            shape: Shape {
                deployables: self.shape.max_deployables,
                datastores: self.shape.max_datastores,
                languages: self.shape.max_languages,
            },
            layers: set.into_iter().collect(),
            decisions: decisions.collect(),
            jobs: (self.one_of.into_iter())
                .map(|job| Job {
                    job: job.job,
                    library: job.library,
                    instead_of: job.instead_of,
                    why: job.why,
                })
                .collect(),
            forbidden: (self.forbid.into_iter())
                .map(|rule| Forbidden {
                    target: Paths::new([&rule.import]),
                    import: rule.import,
                    within: rule.within.map(Paths::new),
                    base: None,
                    why: rule.why.or(rule.adr),
                })
                .collect(),
            owners: (self.owner.into_iter())
                .map(|owner| Owner {
                    paths: Paths::new(owner.paths),
                    people: owner.people,
                    least_authors: None,
                })
                .collect(),
            exceptions: (self.exception.into_iter())
                .map(|exception| Exception {
                    rule: exception.rule,
                    paths: exception.matching.as_ref().map(|one| Paths::new([one])),
                    matching: exception.matching,
                    until: exception.until,
                })
                .collect(),
        }
    }
}
