//! What is deployed, and where data is kept, as container files and compose files say.

use text::{FilePath, Range};

use super::place_of;

/// Something that is deployed on its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deployable {
    /// What the file calls it.
    pub name: String,
    /// The file that says so.
    pub file: FilePath,
    /// Where in it.
    pub range: Range,
}

/// A place where data is kept, or through which it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// The technology.
    pub technology: String,
    /// Whether it keeps data for good, rather than passing it on.
    pub keeps_data: bool,
    /// The file that says so.
    pub file: FilePath,
    /// Where in it.
    pub range: Range,
}

/// Images by the technology that runs in them, and whether it keeps data.
const IMAGES: [(&str, &str, bool); 16] = [
    ("postgres", "postgres", true),
    ("mysql", "mysql", true),
    ("mariadb", "mysql", true),
    ("mongo", "mongodb", true),
    ("redis", "redis", true),
    ("valkey", "redis", true),
    ("memcached", "memcached", false),
    ("elasticsearch", "elasticsearch", true),
    ("opensearch", "elasticsearch", true),
    ("cassandra", "cassandra", true),
    ("clickhouse", "clickhouse", true),
    ("neo4j", "neo4j", true),
    ("kafka", "kafka", false),
    ("redpanda", "kafka", false),
    ("rabbitmq", "rabbitmq", false),
    ("nats", "nats", false),
];

/// Whether a file of that name, in small letters, says what is deployed.
pub(super) fn is_deployment(lower: &str) -> bool {
    lower == "dockerfile"
        || lower.starts_with("dockerfile.")
        || lower.ends_with(".dockerfile")
        || is_compose(lower)
}

fn is_compose(lower: &str) -> bool {
    let yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
    yaml && (lower.starts_with("docker-compose") || lower.starts_with("compose"))
}

pub(super) fn deployables(file: &FilePath, text: &str) -> Vec<Deployable> {
    if !is_compose(&file.file_name().to_ascii_lowercase()) {
        let folder = file.parent();
        let name = folder.as_ref().map_or("", FilePath::file_name);
        return vec![Deployable {
            name: name.to_owned(),
            file: file.clone(),
            range: Range::new(0, text.lines().next().map_or(0, str::len)),
        }];
    }
    services(text)
        .into_iter()
        .filter(|service| service.builds)
        .map(|service| Deployable {
            range: place_of(text, service.name),
            name: service.name.to_owned(),
            file: file.clone(),
        })
        .collect()
}

pub(super) fn stores(file: &FilePath, text: &str) -> Vec<Store> {
    if !is_compose(&file.file_name().to_ascii_lowercase()) {
        return Vec::new();
    }
    let services = services(text).into_iter();
    services
        .filter_map(|service| {
            let image = service.image?;
            let image = image.rsplit('/').next().unwrap_or(image);
            let image = image.split([':', '@']).next().unwrap_or(image);
            let (_, technology, keeps_data) = IMAGES
                .iter()
                .find(|(part, _, _)| image.contains(part))?;
            Some(Store {
                technology: (*technology).to_owned(),
                keeps_data: *keeps_data,
                file: file.clone(),
                range: place_of(text, service.name),
            })
        })
        .collect()
}

struct Service<'t> {
    name: &'t str,
    image: Option<&'t str>,
    builds: bool,
}

/// The services of a compose file. Reads the layout that everybody writes: one key a line, indented by blanks.
fn services(text: &str) -> Vec<Service<'_>> {
    let mut found: Vec<Service<'_>> = Vec::new();
    let mut inside = false;
    let mut level = None;
    for line in text.lines() {
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - content.len();
        if indent == 0 {
            inside = content.trim_end() == "services:";
            continue;
        }
        if !inside {
            continue;
        }
        let service_level = *level.get_or_insert(indent);
        let (key, value) = content.split_once(':').unwrap_or((content, ""));
        if indent == service_level {
            found.push(Service {
                name: key.trim().trim_matches(['"', '\'']),
                image: None,
                builds: false,
            });
        } else if let Some(service) = found.last_mut() {
            match key.trim() {
                "image" => service.image = Some(value.trim().trim_matches(['"', '\''])),
                "build" => service.builds = true,
                _ => {}
            }
        }
    }
    found
}
