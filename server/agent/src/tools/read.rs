use gate::Region;
use index::Symbol;
use text::FilePath;
use workspace::Snapshot;

use super::View;
use crate::action::last_name;
use crate::source::{Source, listed, shown_path};

/// The most bytes of a symbol that is shown whole.
pub(super) const MAX_BODY: usize = 24 * 1024;
/// The most bytes of lines that no symbol holds together.
const MAX_LINES: usize = 8 * 1024;
/// The most lines of an outline.
const MAX_OUTLINE: usize = 100;

/// Shows a symbol, or says in a sentence for the model why not.
pub(super) fn read(
    snapshot: &Snapshot,
    home: &FilePath,
    regions: &[Region],
    (path, file): (&str, Option<&str>),
    view: View,
) -> Result<String, String> {
    let source = match file {
        Some(file) => of_file(snapshot, home, file)?,
        None if Region::is_name(path) => {
            Source::exact(snapshot, home).map_err(|error| error.to_string())?
        }
        None => of_symbol(snapshot, home, path)?,
    };
    let shown_file = shown_path(snapshot, &source.file);
    let source = if source.file == *home {
        source.with_regions(regions)
    } else {
        source
    };
    if source.symbol(path).is_none()
        && let Some(lines) = source.named_lines(path)
    {
        return lines_outside(&source, &lines, &shown_file);
    }
    let Some(symbol) = source.symbol(path) else {
        return Err(source.no_such(&shown_file, path));
    };
    let elsewhere = if source.file == *home {
        String::new()
    } else {
        format!("{shown_file}\n")
    };
    let text = match view {
        View::Body => body(&source, symbol),
        View::Signature => signature(&source, symbol),
        View::Outline => outline(&source, symbol),
    };
    Ok(format!("{elsewhere}{text}"))
}

/// A file by the path that the model knows it by. Only what is indexed can be read, so nothing outside the workspace.
fn of_file(snapshot: &Snapshot, home: &FilePath, path: &str) -> Result<Source, String> {
    let roots = snapshot
        .root_of(home)
        .into_iter()
        .chain(snapshot.roots.iter());
    let mut files = roots.filter_map(|root| root.join(path).ok());
    let unknown =
        || format!("there is no file {path} in the index; `find` shows in which files things are");
    let file = files
        .find(|file| file == home || snapshot.index().contains(file))
        .ok_or_else(unknown)?;
    fresh(snapshot, &file).ok_or_else(unknown)
}

/// The file of the run if it has the symbol, or else the one file that does.
fn of_symbol(snapshot: &Snapshot, home: &FilePath, path: &str) -> Result<Source, String> {
    let here = Source::exact(snapshot, home).map_err(|error| error.to_string())?;
    if here.symbol(path).is_some() {
        return Ok(here);
    }
    let index = snapshot.index();
    let mut files: Vec<FilePath> = index
        .definitions(last_name(path))
        .into_iter()
        .filter(|place| {
            index
                .symbol(place)
                .is_some_and(|symbol| *symbol.path == *path)
        })
        .map(|place| place.file)
        .collect();
    files.dedup();
    match files.as_slice() {
        [] => Err(here.no_such(&shown_path(snapshot, home), path)),
        [file] => fresh(snapshot, file)
            .ok_or_else(|| format!("{} cannot be read", shown_path(snapshot, file))),
        many => {
            let names: Vec<String> = many
                .iter()
                .take(12)
                .map(|file| shown_path(snapshot, file))
                .collect();
            Err(format!(
                "`{path}` is in {}; say in `file` which one you mean",
                listed(&names, "no file")
            ))
        }
    }
}

/// The file as it is: with the facts of the index if they still fit, else parsed again.
fn fresh(snapshot: &Snapshot, file: &FilePath) -> Option<Source> {
    Source::indexed(snapshot, file).or_else(|| Source::exact(snapshot, file).ok())
}

/// Lines that the run may look at and not change; without a hash, because no edit could name it.
fn lines_outside(source: &Source, lines: &Symbol, file: &str) -> Result<String, String> {
    if lines.range.len() > MAX_LINES {
        return Err(format!(
            "{} of {file} has {} bytes, at most {MAX_LINES} are shown; read symbols, or fewer lines",
            lines.path,
            lines.range.len()
        ));
    }
    Ok(format!(
        "{} of {file}, outside the scope\n{}",
        lines.path,
        source.text_of(lines)
    ))
}

fn body(source: &Source, symbol: &Symbol) -> String {
    if symbol.range.len() <= MAX_BODY {
        return source.shown(symbol);
    }
    let lines = source.text_of(symbol).lines().count();
    format!(
        "{lines} lines, too long to be shown whole; read the parts you need\n{}",
        outline(source, symbol)
    )
}

fn signature(source: &Source, symbol: &Symbol) -> String {
    let doc = symbol
        .doc
        .map(|doc| source.text.slice(doc))
        .filter(|doc| doc.len() <= MAX_BODY / 4);
    match doc {
        Some(doc) => format!("{}\n{}", source.signature(symbol), doc.trim_end()),
        None => source.signature(symbol),
    }
}

fn outline(source: &Source, symbol: &Symbol) -> String {
    let inside = source
        .id(symbol)
        .into_iter()
        .flat_map(|id| source.facts.descendants(id));
    let mut rows: Vec<String> = vec![source.signature(symbol)];
    let mut left_out = 0;
    for (_, child) in inside {
        if rows.len() > MAX_OUTLINE {
            left_out += 1;
        } else {
            rows.push(format!(
                "{} (line {}): {}",
                child.path,
                source.line(child.item.start),
                source.signature(child)
            ));
        }
    }
    if left_out > 0 {
        rows.push(format!("and {left_out} more"));
    }
    if rows.len() == 1 {
        rows.push("nothing with a name is inside it".to_owned());
    }
    rows.join("\n")
}
