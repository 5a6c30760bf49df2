//! What is deployed, as container files and compose files say.

use text::{FilePath, Range};

/// A service of a compose file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// The compose file.
    pub(crate) file: FilePath,
    /// Where it names the service.
    pub(crate) range: Range,
    pub(crate) name: String,
    /// The image it runs, if it names one.
    pub(crate) image: Option<String>,
    /// Whether it is built from code.
    pub(crate) built: bool,
}

/// Whether a file of that name says how to build a container.
pub(super) fn is_container_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "dockerfile"
        || name == "containerfile"
        || name.starts_with("dockerfile.")
        || name.ends_with(".dockerfile")
}

/// Whether a file of that name lists services.
pub(super) fn is_compose_file(name: &str) -> bool {
    let known = name.starts_with("docker-compose") || name.starts_with("compose");
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    known && stem.is_some_and(|stem| !stem.contains('/'))
}

/// The services of a compose file: the keys one step below `services:`.
///
/// Only block style is read, which is how these files are written.
pub(super) fn services(file: &FilePath, text: &str) -> Vec<Service> {
    let mut found: Vec<Service> = Vec::new();
    let (mut inside, mut step, mut inner, mut at) = (false, None, None, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.split(" #").next().unwrap_or("").trim_end();
        let trimmed = content.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = content.len() - trimmed.len();
        if indent == 0 {
            inside = trimmed == "services:";
            step = None;
            continue;
        }
        if !inside {
            continue;
        }
        let (key, value) = trimmed.split_once(':').unwrap_or((trimmed, ""));
        let value = value.trim().trim_matches(['"', '\'']);
        if indent == *step.get_or_insert(indent) {
            let begin = start + indent;
            inner = None;
            found.push(Service {
                file: file.clone(),
                range: Range::new(begin, begin + key.len()),
                name: key.trim_matches(['"', '\'']).to_owned(),
                image: None,
                built: false,
            });
        } else if let Some(service) = found.last_mut()
            && indent == *inner.get_or_insert(indent)
        {
            match key {
                "image" => service.image = Some(value.to_owned()),
                "build" => service.built = true,
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn services_are_the_keys_below_services() {
        let text = "\
version: '3'
services:
  web:   # the site
    build: .
    environment:
      image: no
  db:
    image: \"postgres:16\"
volumes:
  data:
";
        let file = FilePath::new("/w/compose.yml").unwrap();
        let found = services(&file, text);
        let shown: Vec<_> = found
            .iter()
            .map(|one| {
                let name = &text[one.range.start..one.range.end];
                (name, one.image.as_deref(), one.built)
            })
            .collect();
        assert_eq!(
            shown,
            [("web", None, true), ("db", Some("postgres:16"), false)]
        );
    }

    #[test]
    fn names_say_what_a_file_is() {
        for name in [
            "Dockerfile",
            "Dockerfile.web",
            "api.Dockerfile",
            "Containerfile",
        ] {
            assert!(is_container_file(name), "{name}");
        }
        for name in ["compose.yml", "docker-compose.prod.yaml"] {
            assert!(is_compose_file(name), "{name}");
        }
        for name in ["compose.json", "values.yaml", "dockerfiles.md"] {
            assert!(!is_compose_file(name) && !is_container_file(name), "{name}");
        }
    }
}
