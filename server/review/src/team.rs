//! What a team has said about itself and its code: size, skills, shape, layers, libraries, decisions.
//!
//! Everything here is either checked by a rule or shown to a model as data; nothing of it grants anything.

mod paths;

use std::sync::Arc;

use text::{FilePath, Range};

pub use self::paths::{Paths, path_pattern};
use crate::check::Finding;

/// What a team has said. Nothing by default, and then no rule about it finds anything.
#[derive(Clone, Debug, Default)]
pub struct Team {
    /// What the team knows.
    pub skills: Skills,
    /// How large the system may be.
    pub shape: Shape,
    /// The layers, those that import others first; several lists if a tool of another kind declares them.
    pub layers: Vec<Layers>,
    /// One library for each job.
    pub jobs: Vec<Job>,
    /// Imports that are not wanted.
    pub forbidden: Vec<Forbidden>,
    /// Who answers for what.
    pub owners: Vec<Owner>,
    /// Decisions, each with its document.
    pub decisions: Vec<Decision>,
    /// What is allowed for a while.
    pub exceptions: Vec<Exception>,
}

/// What the team knows, in its own words: technologies and languages.
#[derive(Clone, Debug, Default)]
pub struct Skills {
    /// At home in.
    pub strong: Vec<String>,
    /// Has worked with.
    pub some: Vec<String>,
    /// Nobody knows.
    pub unknown: Vec<String>,
}

/// The largest figures that the team wants; `None` where it has not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Things that are deployed on their own.
    pub deployables: Option<u32>,
    /// Kinds of data store.
    pub datastores: Option<u32>,
    /// Languages with a share of the files worth naming.
    pub languages: Option<u32>,
}

/// Layers in the order in which they may import: each may import those after it.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The file that declares them.
    pub declared_in: Arc<str>,
    /// The folder that their patterns are read from; the root of the workspace if it is not said.
    pub base: Option<FilePath>,
    /// From the top down.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What it is called.
    pub name: String,
    /// Its files.
    pub paths: Paths,
    /// The files that others may import; all of them if the team has not said.
    pub public: Option<Paths>,
}

/// One library for one job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The job, such as `http-client`.
    pub job: String,
    /// The library.
    pub library: String,
    /// What it is used instead of.
    pub instead_of: Vec<String>,
    /// Why.
    pub why: Option<String>,
}

/// An import that is not wanted.
#[derive(Clone, Debug)]
pub struct Forbidden {
    /// The package or module, or a pattern of paths in the workspace.
    pub import: String,
    /// The same as a pattern.
    pub target: Paths,
    /// Where it is not wanted; everywhere if the team has not said.
    pub within: Option<Paths>,
    /// The folder that the patterns are read from; the root of the workspace if it is not said.
    pub base: Option<FilePath>,
    /// Why, or the document that says so.
    pub why: Option<String>,
}

/// Who answers for some files.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The files.
    pub paths: Paths,
    /// Who.
    pub people: Vec<String>,
    /// How many people must have changed the files lately.
    pub least_authors: Option<u32>,
}

/// A decision and its document.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The path of the document from the root.
    pub document: String,
    /// The file that names it.
    pub named_in: FilePath,
    /// Where in it.
    pub range: Range,
}

/// What a rule does not report for a while.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The rule's code.
    pub rule: String,
    /// A path pattern, or the word that tells the finding from others; everything if it is not said.
    pub matching: Option<String>,
    /// The same as a pattern.
    pub paths: Option<Paths>,
    /// The last day, as `2027-03-01`; no end if it is not said.
    pub until: Option<String>,
}

/// Whether a finding is excused.
pub(crate) enum Excuse {
    /// It is not.
    None,
    /// It is.
    Holds,
    /// It was, until that day.
    Ended(String),
}

impl Team {
    /// What can be gone against, each by a key: `layer:domain`, `decision:docs/adr/0003.md`.
    pub fn keys(&self) -> Vec<String> {
        let layers = self.layers.iter().flat_map(|set| &set.layers);
        let layers = layers.map(|layer| format!("layer:{}", layer.name));
        let jobs = (self.jobs.iter()).map(|job| format!("one-of:{}", job.job));
        let forbidden = (self.forbidden.iter()).map(|rule| format!("forbid:{}", rule.import));
        let unknown = (self.skills.unknown.iter()).map(|skill| format!("unknown:{skill}"));
        let decisions =
            (self.decisions.iter()).map(|decision| format!("decision:{}", decision.document));
        let keys = layers.chain(jobs).chain(forbidden).chain(unknown);
        keys.chain(decisions).collect()
    }

    /// Who answers for a file, by its path from the root: those that are named last for it.
    pub fn owners_of(&self, path: &str) -> &[String] {
        let mut naming = self
            .owners
            .iter()
            .rev()
            .filter(|owner| owner.paths.fit(path));
        naming.next().map_or(&[], |owner| &owner.people)
    }

    /// Whether the team has excused the finding at a file with that path from the root.
    ///
    /// Days are written as in `2027-03-01`, so that the order of the texts is that of the days.
    pub(crate) fn excuse(&self, finding: &Finding, path: &str, today: &str) -> Excuse {
        let mut ended = None;
        for exception in &self.exceptions {
            let fits = exception.rule == finding.rule.code()
                && exception.matching.as_ref().is_none_or(|word| {
                    word.as_str() == &*finding.key
                        || exception
                            .paths
                            .as_ref()
                            .is_some_and(|paths| paths.fit(path))
                });
            if !fits {
                continue;
            }
            match &exception.until {
                Some(until) if until.as_str() < today => ended = Some(until.clone()),
                Some(_) | None => return Excuse::Holds,
            }
        }
        ended.map_or(Excuse::None, Excuse::Ended)
    }
}

/// Whether an import path is that of a package or module, or of something in it; `-` and `_` count as the same.
pub(crate) fn is_of(path: &str, package: &str) -> bool {
    let same = |c: char| {
        if c == '-' {
            '_'
        } else {
            c.to_ascii_lowercase()
        }
    };
    let mut path = path.chars().map(same);
    let fits = package.chars().map(same).all(|c| path.next() == Some(c));
    fits && path.next().is_none_or(|c| matches!(c, '.' | '/' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_of_a_package_or_what_is_in_it() {
        let yes = [
            ("celery", "celery"),
            ("celery.app", "celery"),
            ("serde_json::Value", "serde-json"),
            ("@aws-sdk/client-s3/x", "@aws-sdk/client-s3"),
        ];
        for (path, package) in yes {
            assert!(is_of(path, package), "{path} {package}");
        }
        for (path, package) in [
            ("celeryx", "celery"),
            ("cel", "celery"),
            ("a.celery", "celery"),
        ] {
            assert!(!is_of(path, package), "{path} {package}");
        }
    }

    #[test]
    fn who_is_named_last_answers() {
        let owner = |pattern: &str, who: &str| Owner {
            paths: Paths::new([pattern]),
            people: vec![who.to_owned()],
            least_authors: None,
        };
        let team = Team {
            owners: vec![owner("*", "@all"), owner("app/billing/**", "@ana")],
            ..Team::default()
        };
        assert_eq!(team.owners_of("app/billing/tax.py"), ["@ana"]);
        assert_eq!(team.owners_of("app/web.py"), ["@all"]);
        assert!(Team::default().owners_of("a").is_empty());
    }
}
