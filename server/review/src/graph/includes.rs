//! Paths of files, from the folder of the file or from folders that the build knows: `#include "a/b.h"`.

use index::Import;

use super::layout::{normal, parent};
use super::{Origin, Target};

/// A file beside this one, else the nearest of those whose path ends like that.
///
/// Which folders a build searches is not known, so what is found nowhere may well be there: it leads outside.
pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let path = &*import.source;
    let folder = parent(origin.file.as_str());
    let beside = normal(&format!("{folder}/{path}"));
    if let Some(file) = beside.and_then(|path| origin.layout.file(&path)) {
        return vec![Target::Inside(file.clone(), Vec::new())];
    }
    let ending = path.trim_start_matches(['.', '/']);
    let name = ending.rsplit('/').next().unwrap_or(ending);
    let ends = |file: &str| {
        let before = file.strip_suffix(ending);
        before.is_some_and(|before| before.ends_with('/'))
    };
    let shared = |file: &str| {
        let pairs = file.split('/').zip(folder.split('/'));
        pairs.take_while(|(a, b)| a == b).count()
    };
    let fitting = origin.layout.files_named(name).iter();
    let fitting = fitting.filter(|file| ends(file.as_str()));
    let nearest = fitting.max_by_key(|file| {
        let path = file.as_str();
        (
            shared(path),
            std::cmp::Reverse(path.len()),
            std::cmp::Reverse(path),
        )
    });
    match nearest {
        Some(file) => vec![Target::Inside(file.clone(), Vec::new())],
        None => vec![Target::Outside(path.to_owned())],
    }
}
