//! What the team has said, held against the imports, the manifests and the files.
//!
//! Every rule here is silent until the team declares something, so what it finds is against the team's own word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use text::{FilePath, Range};

use crate::check::{Finding, MOST_RELATED, Related, Severity};
use crate::graph::{Edge, External, Graph, Links, Project, is_test_file, name_of};
use crate::rule::{RuleId, Thresholds};
use crate::team::{Layers, is_of};

/// A language counts from this share of the files on, in percent: fewer are scripts beside the code.
const LEAST_SHARE: usize = 5;

/// Technologies and what their packages, images and files are called, where the name is not enough.
const ALSO_CALLED: [(&str, &[&str]); 9] = [
    ("kubernetes", &["k8s", "kubectl", "helm", "kustomization"]),
    (
        "postgres",
        &[
            "postgresql",
            "psycopg",
            "psycopg2",
            "asyncpg",
            "pg",
            "pgx",
            "pq",
        ],
    ),
    (
        "mysql",
        &["mariadb", "pymysql", "mysqldb", "mysqlclient", "mysql2"],
    ),
    ("mongodb", &["mongo", "pymongo", "mongoose", "motor"]),
    ("redis", &["valkey", "ioredis", "aioredis"]),
    (
        "kafka",
        &["rdkafka", "kafkajs", "aiokafka", "sarama", "redpanda"],
    ),
    ("rabbitmq", &["amqp", "amqplib", "pika", "lapin"]),
    ("elasticsearch", &["opensearch", "opensearchpy"]),
    ("cassandra", &["scylla", "gocql"]),
];

/// Those of them that keep data, and others that do.
const DATASTORES: [&str; 9] = [
    "postgres",
    "mysql",
    "mongodb",
    "redis",
    "elasticsearch",
    "cassandra",
    "neo4j",
    "clickhouse",
    "dynamodb",
];

/// Applies the rules about what the team has said to the whole workspace.
pub(crate) fn check(
    graph: &Graph,
    project: &Project<'_>,
    thresholds: &Thresholds,
    found: &mut Vec<Finding>,
) {
    let mut context = Context {
        graph,
        project,
        found,
    };
    let on = |rule| thresholds.get(rule).is_some();
    for set in context.layers() {
        if on(RuleId::LayerViolation) {
            context.against_layers(set);
        }
        if on(RuleId::Bypass) {
            context.past_the_public(set);
        }
    }
    if on(RuleId::ForbiddenImport) {
        context.forbidden_imports();
    }
    if on(RuleId::SecondLibrary) {
        context.second_libraries();
    }
    if on(RuleId::UnknownTechnology) {
        context.unknown_technologies();
    }
    if on(RuleId::Deployables) {
        context.deployables();
    }
    if on(RuleId::Datastores) {
        context.datastores();
    }
    if on(RuleId::Languages) {
        context.languages();
    }
    if on(RuleId::StaleDecision) {
        context.stale_decisions();
    }
}

struct Context<'a> {
    graph: &'a Graph,
    project: &'a Project<'a>,
    found: &'a mut Vec<Finding>,
}

/// A place that speaks for something.
type Place = (FilePath, Range, String);

impl<'a> Context<'a> {
    /// The team's own layers; those of other tools if it has none.
    fn layers(&self) -> &'a [Layers] {
        match &*self.project.team.layers {
            [] => self.project.manifests.layers(),
            declared => declared,
        }
    }

    fn against_layers(&mut self, set: &Layers) {
        let placed = Placed::new(set, self.graph, self.project);
        let order: Vec<&str> = set.layers.iter().map(|layer| &*layer.name).collect();
        let order = order.join(", ");
        for (from, edge) in ordinary_edges(self.graph) {
            let (Some(at), Some(to)) = (placed.layer(from), placed.layer(&edge.to)) else {
                continue;
            };
            if to >= at {
                continue;
            }
            let target = name_of(self.project, &edge.to);
            let (upper, lower) = (&set.layers[to].name, &set.layers[at].name);
            let message = format!(
                "`{target}` is in the layer {upper}, which lies above {lower}; imports go down only: {order} ({})",
                set.declared_in
            );
            self.report(RuleId::LayerViolation, from, edge.range, message, &target);
        }
    }

    fn past_the_public(&mut self, set: &Layers) {
        if set.layers.iter().all(|layer| layer.public.is_none()) {
            return;
        }
        let placed = Placed::new(set, self.graph, self.project);
        for (from, edge) in ordinary_edges(self.graph) {
            let Some(to) = placed.layer(&edge.to) else {
                continue;
            };
            let layer = &set.layers[to];
            let Some(public) = &layer.public else {
                continue;
            };
            let inside = placed.layer(from) == Some(to);
            let target = name_of(self.project, &edge.to);
            if inside || public.fit(&target) || public.fit_inside(&target) {
                continue;
            }
            let offered = public.patterns().join(", ");
            let message = format!(
                "`{target}` is private to the layer {}; others import {offered} ({})",
                layer.name, set.declared_in
            );
            self.report(RuleId::Bypass, from, edge.range, message, &target);
        }
    }

    fn forbidden_imports(&mut self) {
        let all = self.project.team.forbidden.iter();
        for rule in all.chain(self.project.manifests.forbidden()) {
            let path_of = |file: &FilePath| match &rule.base {
                Some(base) => file.relative_to(base).map(str::to_owned),
                None => Some(name_of(self.project, file)),
            };
            let why = rule.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            for (file, links) in self.graph.files() {
                let path = path_of(file);
                let here = path.is_some_and(|path| {
                    rule.within.as_ref().is_none_or(|within| within.fit(&path))
                });
                if !here {
                    continue;
                }
                for external in ordinary(links) {
                    if is_of(&external.path, &rule.import) || *external.package == *rule.import {
                        let message = format!("`{}` is not imported here{why}", external.path);
                        self.report(
                            RuleId::ForbiddenImport,
                            file,
                            external.range,
                            message,
                            &external.package,
                        );
                    }
                }
                for edge in links.edges.iter().filter(|edge| !edge.test) {
                    let fits = path_of(&edge.to).is_some_and(|path| {
                        rule.target.fit(&path) || rule.target.fit_inside(&path)
                    });
                    if fits {
                        let target = name_of(self.project, &edge.to);
                        let message = format!("`{target}` is not imported here{why}");
                        self.report(RuleId::ForbiddenImport, file, edge.range, message, &target);
                    }
                }
            }
        }
    }

    fn second_libraries(&mut self) {
        for job in &self.project.team.jobs {
            let why = job.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            for (file, links) in self.graph.files() {
                for external in ordinary(links) {
                    let other = job
                        .instead_of
                        .iter()
                        .find(|other| is_of(&external.path, other) || *external.package == **other);
                    let Some(other) = other else {
                        continue;
                    };
                    let message = format!(
                        "the team uses `{}` for {} and not `{other}`{why}",
                        job.library, job.job
                    );
                    self.report(
                        RuleId::SecondLibrary,
                        file,
                        external.range,
                        message,
                        &external.package,
                    );
                }
            }
        }
    }

    fn unknown_technologies(&mut self) {
        for technology in &self.project.team.skills.unknown {
            let mut places = self.imports_of(technology);
            places.extend(self.services_of(technology));
            places.extend(self.files_in(technology));
            let message = |first: &str| {
                format!("{first}; nobody on the team knows {technology} (`skills.unknown`)")
            };
            self.report_all(RuleId::UnknownTechnology, technology, places, &message);
        }
    }

    fn deployables(&mut self) {
        let Some(most) = self.project.team.shape.deployables else {
            return;
        };
        let manifests = self.project.manifests;
        // A service that is built has a container file somewhere: whichever list is longer counts all of them.
        let built = manifests.services().iter().filter(|service| service.built);
        let mut names = BTreeSet::new();
        let built: Vec<Place> = built
            .filter(|service| names.insert(&service.name))
            .map(|service| {
                let says = format!("the service `{}` is deployed", service.name);
                (service.file.clone(), service.range, says)
            })
            .collect();
        let files = manifests.container_files().iter().map(|file| {
            let says = format!("`{}` is deployed", name_of(self.project, file));
            (file.clone(), Range::new(0, 0), says)
        });
        let files: Vec<Place> = files.collect();
        let listed = manifests.components().iter().filter(|one| one.runs);
        let listed = listed.map(|one| {
            let says = format!("the catalogue lists the component `{}`", one.name);
            (one.file.clone(), one.range, says)
        });
        // The same things may be in several lists.
        let lists = [listed.collect(), built, files];
        let places = lists.into_iter().max_by_key(Vec::len).unwrap_or_default();
        self.too_many(
            RuleId::Deployables,
            "max_deployables",
            "things to deploy",
            most,
            places,
        );
    }

    fn datastores(&mut self) {
        let Some(most) = self.project.team.shape.datastores else {
            return;
        };
        let places = DATASTORES.iter().filter_map(|store| {
            let mut places = self.services_of(store);
            places.extend(self.imports_of(store));
            places.into_iter().next()
        });
        let places: Vec<Place> = places.collect();
        self.too_many(
            RuleId::Datastores,
            "max_datastores",
            "kinds of data store",
            most,
            places,
        );
    }

    fn languages(&mut self) {
        let Some(most) = self.project.team.shape.languages else {
            return;
        };
        let mut files: BTreeMap<&str, (usize, &str, &FilePath)> = BTreeMap::new();
        let mut all = 0;
        for file in self.project.index.paths() {
            if let Some(grammar) = grammars::for_path(file.file_name()) {
                all += 1;
                let entry = files
                    .entry(grammar.ecosystem)
                    .or_insert((0, grammar.title, file));
                entry.0 += 1;
            }
        }
        let mut counted: Vec<(usize, &str, &FilePath)> = files.into_values().collect();
        counted.retain(|(count, _, _)| count * 100 >= all * LEAST_SHARE);
        counted.sort_by_key(|(count, title, _)| (std::cmp::Reverse(*count), *title));
        let places = counted.into_iter().map(|(count, title, file)| {
            let verb = if count == 1 { "is" } else { "are" };
            let says = format!("{count} of the files {verb} in {title}");
            (file.clone(), Range::new(0, 0), says)
        });
        let places: Vec<Place> = places.collect();
        self.too_many(
            RuleId::Languages,
            "max_languages",
            "languages",
            most,
            places,
        );
    }

    fn stale_decisions(&mut self) {
        let Some(root) = self.project.roots.first() else {
            return;
        };
        for decision in &self.project.team.decisions {
            let document = root.join(&decision.document);
            if document.is_ok_and(|document| (self.project.exists)(&document)) {
                continue;
            }
            let message = format!("there is no `{}`", decision.document);
            self.report(
                RuleId::StaleDecision,
                &decision.named_in,
                decision.range,
                message,
                &decision.document,
            );
        }
    }

    /// Where code other than tests imports a package of a technology, one place a file.
    fn imports_of(&self, technology: &str) -> Vec<Place> {
        let words = Words::of(technology);
        let files = self.graph.files().filter_map(|(file, links)| {
            let external = ordinary(links).find(|external| words.name(&external.path))?;
            let says = format!("`{}` is imported", external.path);
            Some((file.clone(), external.range, says))
        });
        files.collect()
    }

    fn services_of(&self, technology: &str) -> Vec<Place> {
        let words = Words::of(technology);
        let services = self.project.manifests.services().iter();
        let named = services.filter_map(|service| {
            let image = service.image.as_ref().filter(|image| words.name(image))?;
            let says = format!("the service `{}` runs `{image}`", service.name);
            Some((service.file.clone(), service.range, says))
        });
        named.collect()
    }

    /// The files in a language.
    fn files_in(&self, language: &str) -> Vec<Place> {
        let is_it = |file: &&FilePath| {
            grammars::for_path(file.file_name()).is_some_and(|grammar| {
                grammar.name.eq_ignore_ascii_case(language)
                    || grammar.title.eq_ignore_ascii_case(language)
            })
        };
        let files = self.project.index.paths().filter(is_it);
        let places = files.map(|file| {
            let says = format!("`{}` is in {language}", name_of(self.project, file));
            (file.clone(), Range::new(0, 0), says)
        });
        places.collect()
    }

    fn too_many(&mut self, rule: RuleId, key: &str, what: &str, most: u32, places: Vec<Place>) {
        let most = most as usize;
        if places.len() <= most {
            return;
        }
        let count = places.len();
        let mut places = places;
        // The first one beyond what was agreed carries the finding.
        places.rotate_left(most);
        let message = |first: &str| {
            format!("{first}, which makes {count} {what}; agreed are {most} (`shape.{key}`)")
        };
        self.report_all(rule, key, places, &message);
    }

    /// One finding at the first place, the others related to it.
    fn report_all(
        &mut self,
        rule: RuleId,
        key: &str,
        places: Vec<Place>,
        message: &dyn Fn(&str) -> String,
    ) {
        let mut places = places.into_iter();
        let Some((file, range, says)) = places.next() else {
            return;
        };
        self.report(rule, &file, range, message(&says), key);
        let related = places.map(|(file, range, message)| Related {
            file,
            range,
            message,
        });
        if let Some(finding) = self.found.last_mut() {
            finding.related = related.take(MOST_RELATED).collect();
        }
    }

    fn report(&mut self, rule: RuleId, file: &FilePath, range: Range, message: String, key: &str) {
        self.found.push(Finding {
            rule,
            severity: Severity::Warning,
            file: file.clone(),
            symbol: "".into(),
            range,
            message,
            key: Arc::from(key),
            related: Vec::new(),
        });
    }
}

/// Which layer each file is in.
struct Placed<'g> {
    files: BTreeMap<&'g FilePath, usize>,
}

impl<'g> Placed<'g> {
    fn new(set: &Layers, graph: &'g Graph, project: &Project<'_>) -> Placed<'g> {
        let targets = graph.edges().map(|(_, edge)| &edge.to);
        let all: BTreeSet<&FilePath> = graph.files().map(|(file, _)| file).chain(targets).collect();
        let files = all.into_iter().filter_map(|file| {
            let path = match &set.base {
                Some(base) => file.relative_to(base)?.to_owned(),
                None => name_of(project, file),
            };
            let folder = !graph.is_file(file);
            let layer = set.layers.iter().position(|layer| {
                layer.paths.fit(&path) || (folder && layer.paths.fit_inside(&path))
            })?;
            // What only tests hold may import anything.
            let facts = (!folder).then(|| project.index.file(file)).flatten();
            let test = facts.is_some_and(|facts| is_test_file(project, file, &facts));
            (!test).then_some((file, layer))
        });
        Placed {
            files: files.collect(),
        }
    }

    fn layer(&self, file: &FilePath) -> Option<usize> {
        self.files.get(file).copied()
    }
}

/// The words that name a technology.
struct Words<'t> {
    name: String,
    also: &'t [&'t str],
}

impl Words<'_> {
    fn of(technology: &str) -> Words<'_> {
        let name = technology.to_ascii_lowercase();
        let also = ALSO_CALLED
            .iter()
            .find(|(known, also)| *known == name || also.contains(&name.as_str()));
        Words {
            name,
            also: also.map_or(&[], |(_, also)| also),
        }
    }

    /// Whether the path of an import or an image names it: as one of its words, or inside of one if it is long enough
    /// not to be there by chance.
    fn name(&self, path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        let mut words = path.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| {
            word == self.name
                || self.also.contains(&word)
                || (self.name.len() >= 5 && word.contains(&self.name))
        })
    }
}

fn ordinary(links: &Links) -> impl Iterator<Item = &External> {
    links.externals.iter().filter(|external| !external.test)
}

fn ordinary_edges(graph: &Graph) -> impl Iterator<Item = (&FilePath, &Edge)> {
    graph.edges().filter(|(_, edge)| !edge.test)
}

#[cfg(test)]
mod tests;
