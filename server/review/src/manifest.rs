//! What manifests say of where code is, how it is deployed, and what belongs where.
//!
//! A manifest that cannot be read says nothing; its own tools will complain about it.

mod catalog;
mod dependencies;
mod deploy;
mod distributions;
mod json;
mod layers;
mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use text::FilePath;

pub(crate) use self::catalog::Component;
pub(crate) use self::dependencies::{Dependencies, is_mentioned};
pub(crate) use self::deploy::Service;
use crate::graph::folder_of;
use crate::team::{Forbidden, Layers, Owner};

/// What the manifests of a workspace say together. A clone costs nothing.
#[derive(Clone, Default)]
pub struct Manifests(Arc<Inner>);

#[derive(Default)]
struct Inner {
    go: Vec<(String, String)>,
    crates: Vec<CrateTree>,
    packages: Vec<Package>,
    ts_configs: BTreeMap<String, TsConfig>,
    dependencies: Vec<Dependencies>,
    container_files: Vec<FilePath>,
    services: Vec<Service>,
    layers: Vec<Layers>,
    forbidden: Vec<Forbidden>,
    /// With the folder that the patterns are read from.
    owners: Vec<(FilePath, Vec<Owner>)>,
    components: Vec<Component>,
}

/// The module tree of one crate.
#[derive(Clone, Debug)]
pub(crate) struct CrateTree {
    /// As code calls it.
    pub(crate) name: String,
    /// The root file, there or not.
    pub(crate) root: FilePath,
    /// The folder of the root file.
    pub(crate) folder: String,
    /// Other root files in that folder.
    pub(crate) mains: BTreeSet<FilePath>,
    /// Names of dependencies in this crate, and what they are called at home.
    pub(crate) renames: BTreeMap<String, String>,
}

/// A package of the node ecosystem.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: String,
    /// Keys of `exports`, and what they may mean in the order of preference.
    pub(crate) exports: Vec<(String, Vec<String>)>,
    pub(crate) imports: Vec<(String, Vec<String>)>,
}

/// The part of a compiler's configuration that says where modules are.
#[derive(Clone, Debug, Default)]
pub(crate) struct TsConfig {
    /// Patterns, and the absolute paths they stand for.
    pub(crate) paths: Vec<(String, Vec<String>)>,
    pub(crate) base_url: Option<String>,
    extends: Vec<String>,
}

/// The names of files that say where code is, how it is deployed, and what belongs where, as patterns; some with the folder
/// that they are in.
pub const MANIFESTS: [&str; 21] = [
    "Cargo.toml",
    "go.mod",
    "package.json",
    "tsconfig*.json",
    "jsconfig*.json",
    "pyproject.toml",
    "setup.cfg",
    "requirements*.txt",
    "*requirements.txt",
    "requirements/*.txt",
    ".importlinter",
    "tach.toml",
    ".dependency-cruiser.json",
    "CODEOWNERS",
    "catalog-info.yaml",
    "catalog-info.yml",
    "Dockerfile*",
    "*.Dockerfile",
    "Containerfile",
    "docker-compose*.y*ml",
    "compose*.y*ml",
];

/// Whether a file is a manifest: its name fits one of [`MANIFESTS`].
pub fn is_manifest(file: &FilePath) -> bool {
    let name = file.file_name();
    matches!(
        name,
        "Cargo.toml"
            | "go.mod"
            | "package.json"
            | "pyproject.toml"
            | "setup.cfg"
            | ".importlinter"
            | "tach.toml"
            | ".dependency-cruiser.json"
            | "CODEOWNERS"
    ) || is_ts_config(name)
        || distributions::is_requirements(file)
        || catalog::is_catalog(name)
        || deploy::is_container_file(name)
        || deploy::is_compose_file(name)
}

/// The compiler's configuration, or one that others take over.
fn is_ts_config(name: &str) -> bool {
    let config = name.strip_suffix(".json");
    config.is_some_and(|name| name.starts_with("tsconfig") || name.starts_with("jsconfig"))
}

impl Manifests {
    /// Reads the texts of manifests.
    pub fn read(texts: impl IntoIterator<Item = (FilePath, String)>) -> Manifests {
        let mut inner = Inner::default();
        for (file, text) in texts {
            inner.take(&file, &text);
        }
        inner.chain_configs();
        inner.crates.sort_by(|a, b| {
            (b.folder.len(), &a.folder, &a.name).cmp(&(a.folder.len(), &b.folder, &b.name))
        });
        Manifests(Arc::new(inner))
    }

    pub(crate) fn go_modules(&self) -> &[(String, String)] {
        &self.0.go
    }

    /// The crate that a file is part of: the one with the deepest folder around it.
    pub(crate) fn crate_of(&self, file: &FilePath) -> Option<&CrateTree> {
        let path = file.as_str();
        let mut around = self.0.crates.iter().filter(|tree| {
            tree.root == *file
                || (path.starts_with(&tree.folder)
                    && path.as_bytes().get(tree.folder.len()) == Some(&b'/'))
        });
        around.next()
    }

    pub(crate) fn crate_named(&self, name: &str) -> Option<&CrateTree> {
        self.0.crates.iter().find(|tree| tree.name == name)
    }

    pub(crate) fn package_named(&self, name: &str) -> Option<&Package> {
        self.0.packages.iter().find(|package| package.name == name)
    }

    pub(crate) fn package_around(&self, file: &FilePath) -> Option<(&str, &Package)> {
        let around = self.0.packages.iter().filter(|package| {
            file.as_str()
                .strip_prefix(package.folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        });
        around
            .max_by_key(|package| package.folder.len())
            .map(|package| (package.folder.as_str(), package))
    }

    /// Who answers for a file, as the nearest file of owners says, or else the nearest catalogue; nobody if none does.
    pub fn owners_of(&self, file: &FilePath) -> &[String] {
        match self.owners_by_path(file) {
            [] => {
                let components = self.0.components.iter();
                let around = components.filter(|one| file.is_inside(&one.folder));
                let nearest = around.max_by_key(|one| one.folder.as_str().len());
                nearest.map_or(&[], |one| &one.owner)
            }
            owners => owners,
        }
    }

    fn owners_by_path(&self, file: &FilePath) -> &[String] {
        let around = self
            .0
            .owners
            .iter()
            .filter(|(base, _)| file.is_inside(base));
        let Some((base, owners)) = around.max_by_key(|(base, _)| base.as_str().len()) else {
            return &[];
        };
        let path = file.relative_to(base).unwrap_or("");
        let mut fitting = owners.iter().rev().filter(|owner| owner.paths.fit(path));
        fitting.next().map_or(&[], |owner| &owner.people)
    }

    /// Layers that files of other tools declare.
    pub(crate) fn layers(&self) -> &[Layers] {
        &self.0.layers
    }

    /// Imports that files of other tools forbid.
    pub(crate) fn forbidden(&self) -> &[Forbidden] {
        &self.0.forbidden
    }

    /// What manifests say that code depends on.
    pub(crate) fn dependencies(&self) -> &[Dependencies] {
        &self.0.dependencies
    }

    /// Files that say how to build a container, by path.
    pub(crate) fn container_files(&self) -> &[FilePath] {
        &self.0.container_files
    }

    /// What catalogues list.
    pub(crate) fn components(&self) -> &[Component] {
        &self.0.components
    }

    /// The services of all compose files.
    pub(crate) fn services(&self) -> &[Service] {
        &self.0.services
    }

    pub(crate) fn ts_config_around(&self, file: &FilePath) -> Option<&TsConfig> {
        let mut folder = file.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            folder = above;
            for name in ["tsconfig.json", "jsconfig.json"] {
                if let Some(config) = self.0.ts_configs.get(&format!("{folder}/{name}")) {
                    return Some(config);
                }
            }
        }
        None
    }
}

impl Inner {
    fn take(&mut self, file: &FilePath, text: &str) {
        match file.file_name() {
            "Cargo.toml" => self.cargo(file, text),
            "go.mod" => self.go_mod(file, text),
            "package.json" => self.package_json(file, text),
            "pyproject.toml" => {
                if let Ok(table) = text.parse::<toml::Table>() {
                    let folder = folder_of(file);
                    let needs = distributions::of_project(file, folder, text, &table);
                    self.dependencies.push(needs);
                    self.declare(layers::pyproject(file, &table));
                }
            }
            ".importlinter" => self.declare(layers::import_linter(file, text)),
            "setup.cfg" => {
                let folder = folder_of(file);
                self.dependencies
                    .extend(distributions::of_setup(file, folder, text));
                self.declare(layers::import_linter(file, text));
            }
            "tach.toml" => self.declare(layers::tach(file, text)),
            ".dependency-cruiser.json" => self.declare(layers::dependency_cruiser(file, text)),
            "CODEOWNERS" => {
                let mut base = folder_of(file);
                // The usual places apart from the root itself; patterns are read from the root all the same.
                if matches!(base.file_name(), ".github" | ".gitlab" | "docs") {
                    base = folder_of(&base);
                }
                self.owners.push((base, owners::owners(text)));
            }
            _ if distributions::is_requirements(file) => {
                let needs = distributions::of_requirements(file, text);
                self.dependencies.extend(needs);
            }
            name if catalog::is_catalog(name) => {
                self.components.extend(catalog::components(file, text));
            }
            name if is_ts_config(name) => self.ts_config(file, text),
            name if deploy::is_container_file(name) => self.container_files.push(file.clone()),
            name if deploy::is_compose_file(name) => {
                self.services.extend(deploy::services(file, text));
            }
            _ => {}
        }
    }

    fn declare(&mut self, declared: layers::Declared) {
        self.layers.extend(declared.layers);
        self.forbidden.extend(declared.forbidden);
    }

    fn cargo(&mut self, file: &FilePath, text: &str) {
        let Ok(table) = text.parse::<toml::Table>() else {
            return;
        };
        let folder = folder_of(file);
        let needs = dependencies::of_crate(file, folder.clone(), text, &table);
        self.dependencies.push(needs);
        let mut renames = BTreeMap::new();
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        let targets = table.get("target").and_then(toml::Value::as_table);
        let targets = targets.into_iter().flat_map(toml::Table::values);
        let places = targets.filter_map(toml::Value::as_table).chain([&table]);
        let places: Vec<&toml::Table> = places.collect();
        for key in tables {
            let of_kind = places.iter().filter_map(|place| place.get(key)?.as_table());
            for (name, value) in of_kind.flatten() {
                let package = value.get("package").and_then(toml::Value::as_str);
                if let Some(package) = package {
                    renames.insert(name.replace('-', "_"), package.replace('-', "_"));
                }
            }
        }
        let Some(package) = table.get("package").and_then(toml::Value::as_table) else {
            return;
        };
        let Some(name) = package.get("name").and_then(toml::Value::as_str) else {
            return;
        };
        let lib = table.get("lib").and_then(toml::Value::as_table);
        let path_of = |table: &toml::Table| {
            let path = table.get("path").and_then(toml::Value::as_str)?;
            folder.join(path).ok()
        };
        let lib_name = lib
            .and_then(|lib| lib.get("name").and_then(toml::Value::as_str))
            .unwrap_or(name)
            .replace('-', "_");
        let root = lib
            .and_then(path_of)
            .or_else(|| folder.join("src/lib.rs").ok());
        let mut mains: BTreeSet<FilePath> = folder.join("src/main.rs").into_iter().collect();
        for kind in ["bin", "test", "example", "bench"] {
            let targets = table.get(kind).and_then(toml::Value::as_array);
            let targets = targets.into_iter().flatten();
            mains.extend(targets.filter_map(|target| path_of(target.as_table()?)));
        }
        if let Some(root) = root {
            let src = folder_of(&root);
            let (own, others): (Vec<FilePath>, Vec<FilePath>) =
                mains.into_iter().partition(|main| folder_of(main) == src);
            self.crates.push(CrateTree {
                name: lib_name,
                folder: src.as_str().to_owned(),
                root,
                mains: own.into_iter().collect(),
                renames: renames.clone(),
            });
            // Programs, tests and examples with a folder of their own each have a tree of their own.
            let kept = ["src/bin", "tests", "examples", "benches"];
            let kept = kept.iter().filter_map(|kept| folder.join(kept).ok());
            for place in kept {
                self.crates.push(CrateTree {
                    name: String::new(),
                    root: place.join("*").unwrap_or_else(|_| place.clone()),
                    folder: place.as_str().to_owned(),
                    mains: BTreeSet::new(),
                    renames: renames.clone(),
                });
            }
            for main in others {
                self.crates.push(CrateTree {
                    name: String::new(),
                    folder: folder_of(&main).as_str().to_owned(),
                    root: main,
                    mains: BTreeSet::new(),
                    renames: renames.clone(),
                });
            }
        }
    }

    fn go_mod(&mut self, file: &FilePath, text: &str) {
        let folder = folder_of(file);
        let needs = dependencies::of_module(file, folder.clone(), text);
        self.dependencies.push(needs);
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or("").trim();
            if let Some(name) = line.strip_prefix("module ") {
                let name = name.trim().trim_matches('"').to_owned();
                self.go.push((name, folder.as_str().to_owned()));
            }
        }
    }

    fn package_json(&mut self, file: &FilePath, text: &str) {
        let Some(Value::Object(package)) = json::parse(text) else {
            return;
        };
        let needs = dependencies::of_package(file, folder_of(file), text, &package);
        self.dependencies.push(needs);
        let name = package.get("name").and_then(Value::as_str).unwrap_or("");
        let mut exports = entries(package.get("exports"));
        for key in ["source", "types", "module", "main"] {
            if let Some(path) = package.get(key).and_then(Value::as_str) {
                exports.push((".".to_owned(), vec![path.to_owned()]));
            }
        }
        self.packages.push(Package {
            name: name.to_owned(),
            folder: folder_of(file).as_str().to_owned(),
            exports,
            imports: entries(package.get("imports")),
        });
    }

    fn ts_config(&mut self, file: &FilePath, text: &str) {
        let Some(value) = json::parse(text) else {
            return;
        };
        let folder = folder_of(file);
        let options = &value["compilerOptions"];
        let base_url = options["baseUrl"]
            .as_str()
            .and_then(|base| folder.join(base).ok())
            .map(|base| base.as_str().to_owned());
        let base = base_url
            .clone()
            .unwrap_or_else(|| folder.as_str().to_owned());
        let paths = options["paths"].as_object().into_iter().flatten();
        let paths = paths.map(|(pattern, targets)| {
            let targets = targets.as_array().into_iter().flatten();
            let targets = targets
                .filter_map(Value::as_str)
                .map(|target| format!("{base}/{target}"));
            (pattern.clone(), targets.collect())
        });
        let extends = match &value["extends"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => several
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        };
        let extends = extends
            .iter()
            .filter(|path| path.starts_with('.'))
            .filter_map(|path| {
                let path = format!("{}.json", path.strip_suffix(".json").unwrap_or(path));
                Some(folder.join(&path).ok()?.as_str().to_owned())
            })
            .collect();
        let config = TsConfig {
            paths: paths.collect(),
            base_url,
            extends,
        };
        self.ts_configs.insert(file.as_str().to_owned(), config);
    }

    /// Gives every configuration what it takes over from others.
    fn chain_configs(&mut self) {
        let names: Vec<String> = self.ts_configs.keys().cloned().collect();
        for name in names {
            let mut seen = BTreeSet::from([name.clone()]);
            let mut waiting: Vec<String> = self
                .ts_configs
                .get(&name)
                .map(|config| config.extends.clone())
                .unwrap_or_default();
            while let Some(base) = waiting.pop() {
                let Some(base) = self
                    .ts_configs
                    .get(&base)
                    .filter(|_| seen.insert(base.clone()))
                    .cloned()
                else {
                    continue;
                };
                waiting.extend(base.extends.iter().cloned());
                if let Some(config) = self.ts_configs.get_mut(&name) {
                    if config.paths.is_empty() {
                        config.paths = base.paths;
                    }
                    config.base_url = config.base_url.take().or(base.base_url);
                }
            }
        }
    }
}

/// `exports` and `imports`, flattened: each key with its targets, sources before types before the rest.
fn entries(value: Option<&Value>) -> Vec<(String, Vec<String>)> {
    match value {
        Some(Value::String(path)) => vec![(".".to_owned(), vec![path.clone()])],
        Some(Value::Object(map)) if map.keys().all(|key| !key.starts_with(['.', '#'])) => {
            vec![(".".to_owned(), targets(value.unwrap_or(&Value::Null)))]
        }
        Some(Value::Object(map)) => map
            .iter()
            .map(|(key, value)| (key.clone(), targets(value)))
            .collect(),
        _ => Vec::new(),
    }
}

fn targets(value: &Value) -> Vec<String> {
    match value {
        Value::String(path) => vec![path.clone()],
        Value::Array(several) => several.iter().flat_map(targets).collect(),
        Value::Object(map) => {
            let first = ["source", "types", "development", "import"];
            let known = first.iter().filter_map(|key| map.get(*key));
            let others = map
                .iter()
                .filter(|(key, _)| !first.contains(&key.as_str()))
                .map(|(_, value)| value);
            known.chain(others).flat_map(targets).collect()
        }
        _ => Vec::new(),
    }
}
