//! The count of tokens without a vocabulary, held against the vocabulary itself, file by file.
//!
//! By default over this repository. `FARTHING_CORPUS=/a:/b cargo test -p ledger --test vocabulary -- --nocapture` takes
//! the folders named, and wants at least 1,000 files of each of six languages in them.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    collections::BTreeMap,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use ledger::tokens;

/// At most so many files of a language are counted; which ones depends on their paths alone.
const SAMPLE: usize = 2_000;
const SIX: [&str; 6] = ["c", "go", "js", "py", "rs", "ts"];

/// The files under `folder`, by extension. Nothing that a tool has put together.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<PathBuf>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !matches!(&*name, "target" | ".git" | "dist") {
            files(&path, found);
        }
        let made = [".min.", ".d.ts", ".pb.go", "zz_generated", "bundle"];
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        if kind.is_file()
            && (1_000..200_000).contains(&size)
            && !made.iter().any(|part| name.contains(part))
        {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            found
                .entry(extension.into_owned())
                .or_default()
                .push(path.clone());
        }
    }
}

fn sample(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort_by_cached_key(|path| {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        hasher.finish()
    });
    paths.truncate(SAMPLE);
    paths
}

#[test]
fn a_file_is_counted_within_five_percent_on_average() {
    let corpus = env::var("FARTHING_CORPUS").ok();
    let mut found = BTreeMap::new();
    match &corpus {
        Some(folders) => {
            for folder in env::split_paths(folders) {
                files(&folder, &mut found);
            }
        }
        None => files(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
            &mut found,
        ),
    }
    let vocabulary = tiktoken_rs::o200k_base().unwrap();
    let mut counted = 0;
    for language in SIX {
        let mut errors: Vec<f64> = Vec::new();
        for path in sample(found.remove(language).unwrap_or_default()) {
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let truth = vocabulary.encode_ordinary(&text).len() as f64;
            errors.push((tokens(&text) as f64 / truth - 1.0).abs());
        }
        if errors.len() < 20 && corpus.is_none() {
            continue;
        }
        errors.sort_by(f64::total_cmp);
        let mean = 100.0 * errors.iter().sum::<f64>() / errors.len() as f64;
        let ninetieth = 100.0 * errors.get(errors.len() * 9 / 10).unwrap();
        println!(
            "{language:4} {:5} files, {mean:.1} % on average, {ninetieth:.1} % for nine of ten",
            errors.len()
        );
        assert!(mean <= 5.0, "{language}: {mean}");
        assert!(
            corpus.is_none() || errors.len() >= 1_000,
            "{language}: {} files",
            errors.len()
        );
        counted += 1;
    }
    assert!(counted >= 1);
}
