//! What distributions code depends on: `pyproject.toml`, `setup.cfg` and requirement files, and what imports call them.

use std::collections::BTreeSet;

use grammars::Resolution;
use text::{FilePath, Range};

use super::dependencies::{Dependencies, Dependency, place};
use crate::graph::folder_of;

/// What imports call some distributions, where their own name does not tell.
const ALSO_CALLED: [(&str, &str); 23] = [
    ("attrs", "attr"),
    ("beautifulsoup4", "bs4"),
    ("djangorestframework", "rest_framework"),
    ("django-filter", "django_filters"),
    ("dnspython", "dns"),
    ("faiss-cpu", "faiss"),
    ("gitpython", "git"),
    ("google-cloud-storage", "google"),
    ("grpcio", "grpc"),
    ("mysqlclient", "mysqldb"),
    ("opencv-python", "cv2"),
    ("opencv-python-headless", "cv2"),
    ("pillow", "pil"),
    ("protobuf", "google"),
    ("psycopg2-binary", "psycopg2"),
    ("pycryptodome", "crypto"),
    ("pyjwt", "jwt"),
    ("pymupdf", "fitz"),
    ("pyopenssl", "openssl"),
    ("pyserial", "serial"),
    ("python-dateutil", "dateutil"),
    ("scikit-image", "skimage"),
    ("scikit-learn", "sklearn"),
];

/// Of a `pyproject.toml`.
pub(super) fn of_project(
    manifest: &FilePath,
    folder: FilePath,
    text: &str,
    table: &toml::Table,
) -> Dependencies {
    let project = table.get("project");
    let tool = |name: &str| table.get("tool")?.get(name);
    let strings = |value: Option<&toml::Value>| -> Vec<String> {
        let listed = value.and_then(toml::Value::as_array).into_iter().flatten();
        let texts = listed.filter_map(toml::Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let listed = strings(project.and_then(|project| project.get("dependencies")));
    let poetry = tool("poetry").and_then(|poetry| poetry.get("dependencies")?.as_table());
    let poetry: Vec<(&String, &toml::Value)> = poetry
        .into_iter()
        .flatten()
        // The language itself stands in the list.
        .filter(|(name, _)| grammars::by_name(name).is_none())
        .collect();
    let needed_there = poetry.iter().filter(|(_, value)| {
        let optional = value.get("optional").and_then(toml::Value::as_bool);
        optional != Some(true)
    });
    let names = listed
        .iter()
        .map(|text| requirement(text))
        .chain(needed_there.map(|(name, _)| name.as_str()));
    let needed = names
        .filter(|name| !name.is_empty())
        .map(|name| of_name(name, place(text, "dependencies", name)));
    // Whatever a table of this kind lists may be installed.
    let tables = [
        project.and_then(|project| project.get("optional-dependencies")),
        table.get("dependency-groups"),
        tool("pdm").and_then(|pdm| pdm.get("dev-dependencies")),
    ];
    let groups = tables.into_iter().flatten();
    let groups = groups.filter_map(toml::Value::as_table).flatten();
    let mut all: Vec<String> = groups.flat_map(|(_, list)| strings(Some(list))).collect();
    all.extend(strings(
        tool("uv").and_then(|uv| uv.get("dev-dependencies")),
    ));
    all.extend(strings(
        table
            .get("build-system")
            .and_then(|build| build.get("requires")),
    ));
    all.extend(listed.iter().cloned());
    let groups = tool("poetry").and_then(|poetry| poetry.get("group")?.as_table());
    let groups = groups.into_iter().flatten();
    let grouped = groups.filter_map(|(_, group)| group.get("dependencies")?.as_table());
    let old = tool("poetry").and_then(|poetry| poetry.get("dev-dependencies")?.as_table());
    let grouped = grouped.chain(old).flatten().map(|(name, _)| name.clone());
    all.extend(grouped);
    all.extend(poetry.iter().map(|(name, _)| (*name).clone()));
    let own = project.and_then(|project| project.get("name"));
    all.extend(own.and_then(toml::Value::as_str).map(str::to_owned));
    let lists_all =
        project.is_some_and(|project| project.get("dependencies").is_some()) || !poetry.is_empty();
    Dependencies {
        needed: needed.collect(),
        manifest: manifest.clone(),
        folder,
        also: Vec::new(),
        declared: spelled(all.iter().map(|text| requirement(text))),
        loose: lists_all.then_some(Resolution::DottedName),
        adds: false,
    }
}

/// A folder of files that list what code needs, and those of them that are about the code itself: the others are for work on
/// it.
const REQUIREMENTS: &str = "requirements";
const OF_CODE: [&str; 8] = [
    "base",
    "common",
    "core",
    "default",
    "main",
    "prod",
    "production",
    "requirements",
];

/// Whether a file lists what code needs, a line each.
pub(super) fn is_requirements(file: &FilePath) -> bool {
    let stem = file.file_name().strip_suffix(".txt");
    stem.is_some_and(|stem| {
        stem.starts_with(REQUIREMENTS)
            || stem.ends_with(REQUIREMENTS)
            || folder_of(file).file_name() == REQUIREMENTS
    })
}

/// Of a `requirements.txt`, or one in a folder of that name. Nothing if it is a text about something else.
pub(super) fn of_requirements(manifest: &FilePath, text: &str) -> Option<Dependencies> {
    let name = manifest.file_name();
    let around = folder_of(manifest);
    let in_folder = around.file_name() == REQUIREMENTS;
    if in_folder && !text.lines().all(is_requirement) {
        return None;
    }
    // One that a program has put together lists what others need as well, and one for work on the code what no code
    // imports.
    let of_code = in_folder && OF_CODE.contains(&name.trim_end_matches(".txt"));
    let plain = of_code || matches!(name, "requirements.txt" | "requirements-prod.txt");
    let own = plain && !text.contains("# via") && !text.contains("--hash");
    let mut entries = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let name = requirement(line.trim_start());
        let begin = start + (line.len() - line.trim_start().len());
        if !name.is_empty() && !line.trim_start().starts_with('-') {
            entries.push((name, Range::new(begin, begin + name.len())));
        }
    }
    let needed = entries.iter().filter(|_| own);
    Some(Dependencies {
        needed: needed.map(|(name, range)| of_name(name, *range)).collect(),
        manifest: manifest.clone(),
        folder: if in_folder {
            folder_of(&around)
        } else {
            around
        },
        also: Vec::new(),
        declared: spelled(entries.iter().map(|(name, _)| *name)),
        loose: (!entries.is_empty()).then_some(Resolution::DottedName),
        adds: in_folder && !of_code,
    })
}

/// Whether a line of a list of requirements may be one.
fn is_requirement(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or("").trim();
    let name = line.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
    let rest = name.map_or("", |end| line.get(end..).unwrap_or("").trim_start());
    // Two words are prose, unless the first is an option.
    line.starts_with('-') || !rest.starts_with(char::is_alphanumeric)
}

/// Of a `setup.cfg`; nothing if it lists no dependencies.
pub(super) fn of_setup(manifest: &FilePath, folder: FilePath, text: &str) -> Option<Dependencies> {
    let mut entries: Vec<(&str, Range, bool)> = Vec::new();
    let (mut section, mut inside, mut lists_all, mut at) = ("", None, false, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let said = line.trim();
        if let Some(name) = said
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            (section, inside) = (name, None);
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        let listed = if indented {
            said
        } else {
            let (key, value) = said.split_once('=').unwrap_or((said, ""));
            let needed = section == "options" && key.trim() == "install_requires";
            let other = section == "options.extras_require" || key.trim() == "setup_requires";
            lists_all |= needed;
            inside = (needed || other).then_some(needed);
            value.trim()
        };
        let name = requirement(listed);
        if let Some(needed) = inside.filter(|_| !name.is_empty()) {
            let begin = start + line.find(name).unwrap_or(0);
            entries.push((name, Range::new(begin, begin + name.len()), needed));
        }
    }
    let needed = entries.iter().filter(|(_, _, needed)| *needed);
    lists_all.then(|| Dependencies {
        needed: needed
            .map(|(name, range, _)| of_name(name, *range))
            .collect(),
        manifest: manifest.clone(),
        folder,
        also: Vec::new(),
        declared: spelled(entries.iter().map(|(name, _, _)| *name)),
        loose: Some(Resolution::DottedName),
        adds: false,
    })
}

/// A distribution by its name, and what imports may call it.
fn of_name(name: &str, range: Range) -> Dependency {
    Dependency {
        range,
        name: name.to_owned(),
        spellings: spellings(name),
    }
}

/// What imports may call any of these distributions.
fn spelled<'n>(names: impl Iterator<Item = &'n str>) -> BTreeSet<String> {
    let named = names.filter(|name| !name.is_empty());
    named.flat_map(spellings).collect()
}

fn spellings(name: &str) -> Vec<String> {
    let plain = name.to_lowercase().replace(['-', '.'], "_");
    let also = ALSO_CALLED
        .iter()
        .filter(|(known, _)| known.replace('-', "_") == plain);
    let mut spellings: Vec<String> = also.map(|(_, called)| (*called).to_owned()).collect();
    for short in [
        plain.trim_start_matches("python_"),
        plain.trim_end_matches("_python"),
        plain.trim_start_matches("py"),
    ] {
        spellings.push(short.to_owned());
    }
    // `django-taggit` is imported as `taggit`.
    let parts = [
        plain.split_once('_').map(|(_, rest)| rest),
        plain.rsplit_once('_').map(|(rest, _)| rest),
    ];
    spellings.extend(
        parts
            .into_iter()
            .flatten()
            .filter(|part| part.len() > 3)
            .map(str::to_owned),
    );
    // `django-cors-headers` is imported as `corsheaders`.
    let rest = plain.split_once('_').map(|(_, rest)| rest.replace('_', ""));
    spellings.extend(rest.filter(|rest| rest.len() > 5));
    spellings.extend(shortened(&plain));
    spellings.push(plain.replace('_', ""));
    spellings.push(plain);
    spellings
}

/// A name of three or four words without one or two of its words: `social-auth-app-django` is imported as
/// `social_django`.
fn shortened(plain: &str) -> Vec<String> {
    let words: Vec<&str> = plain.split('_').filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    if !matches!(words.len(), 3 | 4) {
        return found;
    }
    for (at, first) in words.iter().enumerate() {
        for (place, second) in words.iter().enumerate().skip(at + 1) {
            found.push(format!("{first}_{second}"));
            let thirds = words.iter().skip(place + 1).filter(|_| words.len() == 4);
            found.extend(thirds.map(|third| format!("{first}_{second}_{third}")));
        }
    }
    found
}

/// The name that a requirement starts with: `name[extra]>=1; marker`.
fn requirement(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
    let name = text.get(..end.unwrap_or(text.len())).unwrap_or("");
    // A path or an address is no name.
    let rest = text.get(name.len()..).unwrap_or("");
    if rest.starts_with([':', '/', '+']) {
        ""
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_requirements_is_told_from_one_about_them() {
        for line in [
            "",
            "# ours",
            "a",
            "a[b]>=1,<2  # why",
            "a ; python_version < '3'",
            "-r base.txt",
            "a @ https://x.org/a.zip",
        ] {
            assert!(is_requirement(line), "{line:?}");
        }
        assert!(!is_requirement("The user logs in."));
    }

    #[test]
    fn imports_leave_words_of_a_name_out() {
        for (name, called) in [
            ("social-auth-app-django", "social_django"),
            ("social-auth-core", "social_core"),
            ("strawberry-graphql-django", "strawberry_django"),
            ("django-cors-headers", "corsheaders"),
        ] {
            assert!(spellings(name).contains(&called.to_owned()), "{name}");
        }
        let spelled = spellings("prometheus-client-extra-tools");
        assert!(!spelled.contains(&"prometheus".to_owned()));
    }

    #[test]
    fn requirements_have_names() {
        for (text, name) in [("a>=1", "a"), ("a-b[c]; x", "a-b"), ("a", "a"), ("", "")] {
            assert_eq!(requirement(text), name);
        }
    }
}
