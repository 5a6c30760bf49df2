//! Turns the language folders into the registry: one `Grammar` value each.
//!
//! A folder with a `language.toml` is a language; one with queries alone is a base that languages inherit from.
//! An unknown or missing key stops the build with the file and the key.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

const QUERIES: [&str; 4] = ["tags", "locals", "imports", "metrics"];
/// Asked only where the review looks.
const SMELLS: [&str; 1] = ["smells"];

#[expect(
    clippy::disallowed_methods,
    reason = "a build script writes where Cargo tells it to"
)]
fn main() -> Result<(), String> {
    let root = PathBuf::from(env("CARGO_MANIFEST_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Cargo.toml");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .map_err(|error| format!("{}: {error}", root.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("language.toml").is_file())
        .collect();
    folders.sort();
    let mut code = format!("static REGISTRY: [Grammar; {}] = [\n", folders.len());
    for folder in &folders {
        grammar(&root, folder, &mut code)?;
    }
    code.push_str("];\n");
    let target = Path::new(&env("OUT_DIR")?).join("registry.rs");
    fs::write(&target, code).map_err(|error| format!("{}: {error}", target.display()))
}

fn grammar(root: &Path, folder: &Path, code: &mut String) -> Result<(), String> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or("a language folder needs a UTF-8 name")?;
    let file = folder.join("language.toml");
    let language: Language =
        toml::from_str(&read(&file)?).map_err(|error| format!("{}: {error}", file.display()))?;
    let Language {
        title,
        parser,
        ecosystem,
        extensions,
        file_names,
        protocol_ids,
        inherits,
        self_names,
        sigils,
        name_separator,
        implicit_self,
        builtins,
        protected,
        data_actions,
        reading,
        comments,
        docs,
        indent,
        visibility,
        locals,
        modules,
        tests,
        prompt,
        smells,
        customs,
        quotes,
    } = language;
    let embedding = folder.join("embedded.scm");
    let embedding = if embedding.is_file() {
        Some(read(&embedding)?)
    } else {
        None
    };
    write!(
        code,
        "Grammar {{ name: {name:?}, title: {title:?}, ecosystem: {ecosystem:?}, extensions: &{extensions:?}, \
         file_names: &{file_names:?}, language_ids: &{protocol_ids:?}, self_names: &{self_names:?}, sigils: &{sigils:?}, name_separator: {name_separator:?}, \
         implicit_self: {implicit_self:?}, builtins: &{builtins:?}, protected: &{protected:?}, data_actions: &{data_actions:?}, \
         reading: Reading {{ never: &{:?}, max_bytes: {}, long_lines: {:?}, max_indent: {}, ambiguous: {:?}, filled: &{:?} }}, line_comment: {:?}, block_comment: {:?}, indent: {indent:?}, \
         docs: Docs {{ inside: {:?}, markers: &{:?}, inner_markers: &{:?}, open: {:?}, line: {:?}, close: {:?}, hint: {:?} }}, \
         visibility: Visibility {{ items: Visible::{}, members: Visible::{} }}, lower_case_locals: {:?}, \
         modules: Modules {{ separator: {:?}, unit_is_folder: {:?}, relative: &{:?}, \
         index_files: &{:?}, endings: &{:?}, roots: &{:?}, standard: &{:?}, built: &[{}], resolution: Resolution::{}, run_on_import: {:?}, drop_type_imports: {:?} }}, \
         tests: Tests {{ functions: &{:?}, types: &{:?}, paths: &{:?}, hint: {:?} }}, fence: {:?}, \
         parser: {}::{}, embedding: {embedding:?}, language: OnceLock::new(), embedded: OnceLock::new(), rules: OnceLock::new(), \
         smells: OnceLock::new(), keywords: OnceLock::new(), quotes: {quotes:?}, batched: &{:?}, \
         customs: Customs {{ logs: &{:?}, prints: &{:?}, errors: &{:?}, bare_errors: &{:?} }}, ",
        reading.never,
        reading
            .max_kilobytes
            .map_or("usize::MAX".to_owned(), |most| format!("{most} * 1024")),
        reading.long_lines,
        reading
            .max_indent
            .map_or("usize::MAX".to_owned(), |most| most.to_string()),
        reading.ambiguous,
        reading.filled,
        comments.line,
        comments.block,
        docs.place == DocPlace::Inside,
        docs.markers,
        docs.inner_markers,
        docs.open,
        docs.line,
        docs.close,
        docs.hint,
        visibility.items.variant(),
        visibility.members.variant(),
        locals.lower_case,
        modules.separator,
        modules.unit == ModuleUnit::Folder,
        modules.relative,
        modules.index_files,
        modules.endings,
        modules.roots,
        modules.standard,
        slices(&modules.built),
        modules.resolution.variant(),
        modules.run_on_import,
        modules.drop_type_imports,
        tests.functions,
        tests.types,
        tests.paths,
        tests.hint,
        prompt.fence,
        parser.package,
        parser.constant,
        smells.batched,
        customs.logs,
        customs.prints,
        customs.errors,
        customs.bare_errors,
    )
    .map_err(|error| error.to_string())?;
    for (key, names) in [("queries", &QUERIES[..]), ("smell_queries", &SMELLS)] {
        write!(code, "{key}: &[").map_err(|error| error.to_string())?;
        for base in inherits.iter().map(String::as_str).chain([name]) {
            // The folder and not the files in it: one that does not exist would have everything built again every time.
            println!("cargo:rerun-if-changed={}", root.join(base).display());
            if !root.join(base).is_dir() {
                let file = file.display();
                return Err(format!("{file}: inherits {base:?}, which is no folder"));
            }
            for query in names {
                let path = root.join(base).join(format!("{query}.scm"));
                if path.is_file() {
                    let source = read(&path)?;
                    write!(code, "({:?}, {source:?}),", format!("{base}/{query}.scm"))
                        .map_err(|error| error.to_string())?;
                }
            }
        }
        code.push_str("], ");
    }
    code.push_str("},\n");
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn env(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| format!("{name}: {error}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Language {
    title: String,
    parser: Parser,
    ecosystem: String,
    extensions: Vec<String>,
    #[serde(default)]
    file_names: Vec<String>,
    #[serde(default, rename = "language-ids")]
    protocol_ids: Vec<String>,
    #[serde(default)]
    inherits: Vec<String>,
    #[serde(default)]
    self_names: Vec<String>,
    #[serde(default)]
    sigils: Vec<String>,
    #[serde(default)]
    name_separator: Option<String>,
    #[serde(default)]
    implicit_self: bool,
    #[serde(default)]
    builtins: Vec<String>,
    #[serde(default)]
    protected: Vec<String>,
    #[serde(default = "repairs")]
    data_actions: Vec<String>,
    #[serde(default)]
    reading: Reading,
    comments: Comments,
    docs: Docs,
    indent: String,
    visibility: Visibility,
    #[serde(default)]
    locals: Locals,
    modules: Modules,
    tests: Tests,
    prompt: Prompt,
    #[serde(default)]
    smells: Smells,
    #[serde(default)]
    customs: Customs,
    #[serde(default = "quotes")]
    quotes: String,
}

/// What most languages put around texts.
fn quotes() -> String {
    "\"'`".to_owned()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Smells {
    batched: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Customs {
    logs: Vec<String>,
    prints: Vec<String>,
    errors: Vec<String>,
    bare_errors: Vec<String>,
}

/// What can be asked for on any part of data: nothing but to act on what somebody says about it.
fn repairs() -> Vec<String> {
    vec!["fix".to_owned(), "comment".to_owned()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parser {
    #[serde(rename = "crate")]
    package: String,
    constant: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Reading {
    never: Vec<String>,
    max_kilobytes: Option<usize>,
    long_lines: bool,
    max_indent: Option<usize>,
    ambiguous: bool,
    filled: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comments {
    line: String,
    block: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Docs {
    place: DocPlace,
    #[serde(default)]
    markers: Vec<String>,
    #[serde(default)]
    inner_markers: Vec<String>,
    #[serde(default)]
    open: String,
    line: String,
    #[serde(default)]
    close: String,
    hint: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DocPlace {
    Before,
    Inside,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Visibility {
    items: Visible,
    members: Visible,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Visible {
    Marked,
    Open,
    Capital,
    Underscore,
}

impl Visible {
    fn variant(&self) -> &'static str {
        match self {
            Visible::Marked => "Marked",
            Visible::Open => "Open",
            Visible::Capital => "Capital",
            Visible::Underscore => "Underscore",
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Locals {
    lower_case: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Modules {
    separator: String,
    unit: ModuleUnit,
    #[serde(default)]
    relative: Vec<String>,
    #[serde(default)]
    index_files: Vec<String>,
    #[serde(default)]
    endings: Vec<String>,
    #[serde(default)]
    roots: Vec<String>,
    #[serde(default)]
    built: Vec<(String, Vec<String>)>,
    #[serde(default)]
    standard: Vec<String>,
    #[serde(default)]
    resolution: Resolution,
    #[serde(default)]
    run_on_import: bool,
    #[serde(default)]
    drop_type_imports: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum Resolution {
    #[default]
    None,
    DottedName,
    Specifier,
    ModuleTree,
    PackagePath,
    IncludePath,
    TypePath,
    Path,
    DeclaredPackage,
}

impl Resolution {
    fn variant(&self) -> &'static str {
        match self {
            Resolution::None => "None",
            Resolution::DottedName => "DottedName",
            Resolution::Specifier => "Specifier",
            Resolution::ModuleTree => "ModuleTree",
            Resolution::PackagePath => "PackagePath",
            Resolution::IncludePath => "IncludePath",
            Resolution::TypePath => "TypePath",
            Resolution::Path => "Path",
            Resolution::DeclaredPackage => "DeclaredPackage",
        }
    }
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum ModuleUnit {
    File,
    Folder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tests {
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
    paths: Vec<String>,
    hint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    fence: String,
}

/// Pairs with slices instead of vectors.
fn slices(pairs: &[(String, Vec<String>)]) -> String {
    let pair = |(name, list): &(String, Vec<String>)| format!("({name:?}, &{list:?})");
    pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
}
