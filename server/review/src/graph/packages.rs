//! Paths of packages below the path of a module file: `import "example.org/module/folder"`.

use index::Import;
use text::FilePath;

use super::{Origin, Target};

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let path = &*import.source;
    let modules = origin.layout.manifests().go_modules();
    let inside = modules
        .iter()
        .filter_map(|(name, folder)| {
            let rest = path.strip_prefix(name.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((name.len(), folder, rest))
        })
        .max_by_key(|(len, _, _)| *len);
    let Some((_, folder, rest)) = inside else {
        return vec![Target::Outside(path.to_owned())];
    };
    let target = format!("{folder}{rest}");
    let Ok(to) = FilePath::new(&target) else {
        return Vec::new();
    };
    if origin.layout.is_folder(&target) {
        return vec![Target::Inside(to, Vec::new())];
    }
    vec![Target::Nowhere(vec![to])]
}
