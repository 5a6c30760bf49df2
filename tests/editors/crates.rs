//! Real crates to work in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Copies the sources of `clap_builder`, as the lock file pins it, and answers how many files it has.
pub(crate) fn copy_clap_builder(to: &Path) -> usize {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value =
        serde_json::from_slice(&metadata.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "clap_builder")
        .expect("a dependency on clap_builder");
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    copy(manifest.parent().unwrap(), to)
}

fn copy(from: &Path, to: &Path) -> usize {
    fs::create_dir_all(to).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files += copy(&entry.path(), &target);
        } else {
            // Written and not copied, because a registry may have its files read-only.
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
            files += 1;
        }
    }
    files
}
