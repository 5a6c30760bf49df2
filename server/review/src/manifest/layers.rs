//! Layers and forbidden imports as other tools' files declare them: tach, import-linter, dependency-cruiser.
//!
//! What such a file says in a way that is not read here is left to its own tool.

use std::collections::BTreeMap;

use serde_json::Value;
use text::FilePath;
use toml::{Table, Value as Toml};

use crate::graph::folder_of;
use crate::team::{Forbidden, Layer, Layers, Paths};

/// What one file declares.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) layers: Vec<Layers>,
    pub(super) forbidden: Vec<Forbidden>,
}

/// `tach.toml`: a list of layers, and modules that say which they are in.
pub(super) fn tach(file: &FilePath, text: &str) -> Declared {
    let Ok(table) = text.parse::<Table>() else {
        return Declared::default();
    };
    let roots = texts(table.get("source_roots"));
    let roots = if roots.is_empty() {
        vec![".".to_owned()]
    } else {
        roots
    };
    let named = table.get("layers").and_then(Toml::as_array);
    let named = named.into_iter().flatten().filter_map(|layer| {
        let name = layer.as_str().or_else(|| layer.get("name")?.as_str());
        name.map(str::to_owned)
    });
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let modules = table.get("modules").and_then(Toml::as_array);
    for module in modules.into_iter().flatten() {
        let Some(layer) = module.get("layer").and_then(Toml::as_str) else {
            continue;
        };
        let mut paths = texts(module.get("paths"));
        paths.extend(module.get("path").and_then(Toml::as_str).map(str::to_owned));
        let patterns = paths.iter().flat_map(|path| module_patterns(path, &roots));
        members
            .entry(layer.to_owned())
            .or_default()
            .extend(patterns);
    }
    let layers = named.map(|name| Layer {
        paths: Paths::new(members.remove(&name).unwrap_or_default()),
        name,
        public: None,
    });
    declared(file, layers.collect(), Vec::new())
}

/// The contracts of import-linter in `pyproject.toml`.
pub(super) fn pyproject(file: &FilePath, table: &Table) -> Declared {
    let contracts = table
        .get("tool")
        .and_then(|tool| tool.get("importlinter")?.get("contracts")?.as_array());
    let mut all = Declared::default();
    for contract in contracts.into_iter().flatten() {
        let word = |key: &str| contract.get(key).and_then(Toml::as_str).map(str::to_owned);
        all.take(contract_of(file, word("type"), word("name"), &|key| {
            texts(contract.get(key))
        }));
    }
    all
}

/// The contracts of import-linter in `.importlinter` or `setup.cfg`.
pub(super) fn import_linter(file: &FilePath, text: &str) -> Declared {
    let mut all = Declared::default();
    for section in sections(text) {
        let (name, keys) = section;
        if !name.starts_with("importlinter:contract:") {
            continue;
        }
        let word = |key: &str| keys.get(key).and_then(|values| values.first()).cloned();
        all.take(contract_of(file, word("type"), word("name"), &|key| {
            keys.get(key).cloned().unwrap_or_default()
        }));
    }
    all
}

/// `.dependency-cruiser.json`: rules that forbid imports between places which both begin with a fixed path.
pub(super) fn dependency_cruiser(file: &FilePath, text: &str) -> Declared {
    let Some(value) = super::json::parse(text) else {
        return Declared::default();
    };
    let rules = value["forbidden"].as_array().into_iter().flatten();
    let forbidden = rules.filter_map(|rule| {
        let place = |side: &str| prefixes(&rule[side]["path"]);
        let exact = |side: &str, keys: &[&str]| {
            let side = rule[side].as_object();
            side.is_some_and(|side| side.keys().all(|key| keys.contains(&key.as_str())))
        };
        // A condition that is not read here would make the rule say more than it does.
        if !exact("from", &["path"]) || !exact("to", &["path"]) {
            return None;
        }
        let name = rule["name"].as_str().unwrap_or("a rule");
        let why = rule["comment"].as_str().unwrap_or(name);
        Some(Forbidden {
            import: name.to_owned(),
            target: Paths::new(place("to")?),
            within: Some(Paths::new(place("from")?)),
            base: Some(folder_of(file)),
            why: Some(why.to_owned()),
        })
    });
    declared(file, Vec::new(), forbidden.collect())
}

impl Declared {
    fn take(&mut self, other: Declared) {
        self.layers.extend(other.layers);
        self.forbidden.extend(other.forbidden);
    }
}

fn declared(file: &FilePath, layers: Vec<Layer>, forbidden: Vec<Forbidden>) -> Declared {
    let named = (layers.len() > 1).then(|| Layers {
        declared_in: file.file_name().into(),
        base: Some(folder_of(file)),
        layers,
    });
    Declared {
        layers: named.into_iter().collect(),
        forbidden,
    }
}

fn contract_of(
    file: &FilePath,
    kind: Option<String>,
    name: Option<String>,
    list: &dyn Fn(&str) -> Vec<String>,
) -> Declared {
    let roots = [".".to_owned(), "src".to_owned()];
    match kind.as_deref() {
        Some("layers") => {
            let containers = list("containers");
            let mut all = Declared::default();
            let containers = if containers.is_empty() {
                vec![String::new()]
            } else {
                containers
            };
            for container in containers {
                let layers = list("layers").into_iter().map(|entry| {
                    let modules: Vec<String> = entry
                        .split(['|', ':'])
                        .map(|module| module.trim().trim_matches(['(', ')']).to_owned())
                        .filter(|module| !module.is_empty())
                        .collect();
                    let patterns = modules.iter().flat_map(|module| {
                        let whole = format!("{container}.{module}");
                        module_patterns(whole.trim_start_matches('.'), &roots)
                    });
                    Layer {
                        paths: Paths::new(patterns),
                        name: modules.join(" | "),
                        public: None,
                    }
                });
                all.take(declared(file, layers.collect(), Vec::new()));
            }
            all
        }
        Some("forbidden") => {
            let patterns = |key: &str| {
                let modules = list(key);
                let patterns = modules
                    .iter()
                    .flat_map(|module| module_patterns(module, &roots));
                Paths::new(patterns)
            };
            let within = patterns("source_modules");
            let forbidden = list("forbidden_modules")
                .into_iter()
                .map(|import| Forbidden {
                    target: Paths::new(module_patterns(&import, &roots)),
                    import,
                    within: Some(within.clone()),
                    base: Some(folder_of(file)),
                    why: name.clone(),
                });
            declared(file, Vec::new(), forbidden.collect())
        }
        _ => Declared::default(),
    }
}

/// Where a module with a dotted name may be: a folder, or a file with any ending.
fn module_patterns(module: &str, roots: &[String]) -> Vec<String> {
    let path = module.replace('.', "/");
    let places = roots.iter().flat_map(|root| {
        let root = root.trim_matches(['.', '/']);
        let place = format!("{root}/{path}");
        [place.clone(), format!("{place}.*")]
    });
    places.collect()
}

/// Patterns for regular expressions that are no more than how a path begins; `None` for any other.
fn prefixes(value: &Value) -> Option<Vec<String>> {
    let all = match value {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let one = |expression: &str| {
        let path = expression.strip_prefix('^')?.replace("\\.", "\u{0}");
        let plain = !path.contains(['.', '*', '+', '?', '(', '[', '{', '|', '\\', '$', '^']);
        let path = path.replace('\u{0}', ".");
        plain.then(|| match path.strip_suffix('/') {
            Some(folder) => format!("/{folder}"),
            None => format!("/{path}*"),
        })
    };
    all.into_iter().map(one).collect()
}

/// The sections of an INI file with their keys; a value goes on over lines that are indented.
fn sections(text: &str) -> Vec<(String, BTreeMap<String, Vec<String>>)> {
    let mut found: Vec<(String, BTreeMap<String, Vec<String>>)> = Vec::new();
    let mut key = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            found.push((name.to_owned(), BTreeMap::new()));
            continue;
        }
        let Some((_, keys)) = found.last_mut() else {
            continue;
        };
        let value = if line.starts_with([' ', '\t']) {
            trimmed
        } else {
            let (name, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
            name.trim().clone_into(&mut key);
            value.trim()
        };
        let values = keys.entry(key.clone()).or_default();
        if !value.is_empty() {
            values.push(value.to_owned());
        }
    }
    found
}

fn texts(value: Option<&Toml>) -> Vec<String> {
    let list = value.and_then(Toml::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use expect_test::{Expect, expect};

    use super::*;

    fn check(read: fn(&FilePath, &str) -> Declared, name: &str, text: &str, expected: Expect) {
        let file = FilePath::new("/w").unwrap().join(name).unwrap();
        let declared = read(&file, text);
        let mut shown = String::new();
        for layer in declared.layers.iter().flat_map(|layers| &layers.layers) {
            writeln!(shown, "{} {:?}", layer.name, layer.paths).unwrap();
        }
        for rule in &declared.forbidden {
            let within = rule.within.as_ref().unwrap();
            writeln!(shown, "{} {within:?} -> {:?}", rule.import, rule.target).unwrap();
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn tach_names_layers_and_their_modules() {
        let text = "\
source_roots = [\"src\"]
layers = [\"ui\", { name = \"core\", closed = true }]
[[modules]]
path = \"app.web\"
layer = \"ui\"
[[modules]]
paths = [\"app.model\", \"app.rules\"]
layer = \"core\"
[[modules]]
path = \"app.free\"
";
        check(
            tach,
            "tach.toml",
            text,
            expect![[r#"
            ui ["src/app/web", "src/app/web.*"]
            core ["src/app/model", "src/app/model.*", "src/app/rules", "src/app/rules.*"]
        "#]],
        );
    }

    #[test]
    fn import_linter_names_layers_and_forbidden_modules() {
        let text = "\
[importlinter]
root_package = app

[importlinter:contract:1]
name = Layers
type = layers
containers = app
layers =
    web
    (jobs) | model

[importlinter:contract:2]
name = No jobs in the model
type = forbidden
source_modules =
    app.model
forbidden_modules =
    celery
";
        check(
            import_linter,
            ".importlinter",
            text,
            expect![[r#"
            web ["/app/web", "/app/web.*", "src/app/web", "src/app/web.*"]
            jobs | model ["/app/jobs", "/app/jobs.*", "src/app/jobs", "src/app/jobs.*", "/app/model", "/app/model.*", "src/app/model", "src/app/model.*"]
            celery ["/app/model", "/app/model.*", "src/app/model", "src/app/model.*"] -> ["/celery", "/celery.*", "src/celery", "src/celery.*"]
        "#]],
        );
    }

    #[test]
    fn dependency_cruiser_forbids_between_fixed_places() {
        let text = r#"{ "forbidden": [
            { "name": "no-ui", "from": { "path": "^src/model/" }, "to": { "path": ["^src/ui"] } },
            { "name": "cycles", "from": {}, "to": { "circular": true } },
            { "name": "odd", "from": { "path": "^src/(a|b)" }, "to": { "path": "^src/c" } }
        ] }"#;
        check(
            dependency_cruiser,
            ".dependency-cruiser.json",
            text,
            expect![[r#"
            no-ui ["/src/model"] -> ["/src/ui*"]
        "#]],
        );
    }
}
