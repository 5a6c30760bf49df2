//! What a run without an editor has come to, on disk.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use engine::FileStep;
use tempfile::NamedTempFile;
use text::{FilePath, Text};

/// Writes what a run has come to: whole files in the order in which the run changed them, then the text of its own file.
///
/// Nothing is written if another program was there first. Killed in between, each file is whole: the old one, the new one,
/// or not there.
pub(super) fn all(
    steps: &[FileStep],
    (file, before, after): (&FilePath, &Text, &Text),
) -> anyhow::Result<()> {
    unchanged(file, before)?;
    for step in steps {
        free(step)?;
    }
    for step in steps {
        match step {
            FileStep::Create(file, text) => make(file, text)?,
            FileStep::Rename(from, to) => rename(from, to)?,
            FileStep::Delete(file, bytes) => {
                as_it_was(file, bytes)?;
                fs::remove_file(file.as_path()).with_context(|| format!("cannot delete {file}"))?;
            }
        }
    }
    if before != after {
        replace(file, before, after)?;
    }
    Ok(())
}

fn unchanged(file: &FilePath, before: &Text) -> anyhow::Result<()> {
    let current = workspace::read(file)?;
    anyhow::ensure!(
        current == *before,
        "{file} was changed by another program during the run; nothing was written"
    );
    Ok(())
}

/// Whether nobody has come in the way of a step that was allowed before.
fn free(step: &FileStep) -> anyhow::Result<()> {
    let nothing_at = |file: &FilePath| {
        anyhow::ensure!(
            fs::symlink_metadata(file.as_path()).is_err(),
            "{file} came from another program during the run; nothing was written"
        );
        Ok(())
    };
    match step {
        FileStep::Create(file, _) => nothing_at(file),
        // One file may have two names that differ in nothing but their case.
        FileStep::Rename(from, to) if is_one(from, to) => Ok(()),
        FileStep::Rename(from, to) => {
            fs::symlink_metadata(from.as_path()).with_context(|| format!("cannot find {from}"))?;
            nothing_at(to)
        }
        FileStep::Delete(file, bytes) => as_it_was(file, bytes),
    }
}

fn as_it_was(file: &FilePath, bytes: &[u8]) -> anyhow::Result<()> {
    let current = fs::read(file.as_path()).with_context(|| format!("cannot read {file}"))?;
    anyhow::ensure!(
        current == bytes,
        "{file} was changed by another program during the run; it was not deleted"
    );
    Ok(())
}

fn is_one(from: &FilePath, to: &FilePath) -> bool {
    let (one, other) = (
        fs::canonicalize(from.as_path()),
        fs::canonicalize(to.as_path()),
    );
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

/// Makes a file, never in place of another.
fn make(file: &FilePath, text: &Text) -> anyhow::Result<()> {
    let making = || format!("cannot make {file}");
    let folder = file.as_path().parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(making)?;
    remove_old_drafts(folder, file.file_name());
    // What others may do with it is for the user's mask to say, as with every new file.
    #[cfg(unix)]
    let permissions = Some(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    let permissions = None;
    let mut draft = draft_of(file, folder, permissions).with_context(making)?;
    for chunk in text.chunks() {
        draft.write_all(chunk.as_bytes()).with_context(making)?;
    }
    draft.as_file().sync_all().with_context(making)?;
    draft
        .persist_noclobber(file.as_path())
        .with_context(making)?;
    Ok(())
}

/// Renames a file, never over another. Killed in between, it has both names.
fn rename(from: &FilePath, to: &FilePath) -> anyhow::Result<()> {
    let renaming = || format!("cannot rename {from} to {to}");
    if let Some(folder) = to.as_path().parent() {
        fs::create_dir_all(folder).with_context(renaming)?;
    }
    let one = is_one(from, to);
    match fs::hard_link(from.as_path(), to.as_path()) {
        Ok(()) => fs::remove_file(from.as_path()).with_context(renaming),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !one => {
            Err(error).with_context(renaming)
        }
        // Not every file system knows second names.
        Err(_) => fs::rename(from.as_path(), to.as_path()).with_context(renaming),
    }
}

/// Writes `after` in place of `before`, unless somebody else has written meanwhile.
///
/// A link stays a link: what it leads to is replaced.
fn replace(file: &FilePath, before: &Text, after: &Text) -> anyhow::Result<()> {
    unchanged(file, before)?;
    let path = fs::canonicalize(file.as_path()).with_context(|| format!("cannot find {file}"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let writing = || format!("cannot write {file}");
    let permissions = fs::metadata(&path).with_context(writing)?.permissions();
    anyhow::ensure!(
        !permissions.readonly(),
        "{file} is read-only; nothing was written"
    );
    remove_old_drafts(folder, file.file_name());
    let mut draft = draft_of(file, folder, None).with_context(writing)?;
    for chunk in after.chunks() {
        draft.write_all(chunk.as_bytes()).with_context(writing)?;
    }
    draft
        .as_file()
        .set_permissions(permissions)
        .with_context(writing)?;
    draft.as_file().sync_all().with_context(writing)?;
    draft.persist(&path).with_context(writing)?;
    Ok(())
}

/// How the names of files end that are written beside the one they are to replace.
const DRAFT: &str = ".farthing-draft";

/// A draft this old was left by a process that was killed.
const DRAFT_AGE: Duration = Duration::from_mins(10);

/// A file beside another, to take its place once it is whole.
fn draft_of(
    file: &FilePath,
    folder: &Path,
    permissions: Option<Permissions>,
) -> io::Result<NamedTempFile> {
    let prefix = format!(".{}.", file.file_name());
    let mut draft = tempfile::Builder::new();
    draft.prefix(&prefix).suffix(DRAFT);
    if let Some(permissions) = permissions {
        draft.permissions(permissions);
    }
    draft.tempfile_in(folder)
}

/// Removes the drafts of a file that processes left which were killed.
fn remove_old_drafts(folder: &Path, name: &str) {
    let prefix = format!(".{name}.");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let is_draft = (entry.file_name().to_str())
            .is_some_and(|name| name.starts_with(&prefix) && name.ends_with(DRAFT));
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = || written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > DRAFT_AGE));
        if is_draft && is_old() {
            // What cannot be removed disturbs nobody.
            _ = fs::remove_file(entry.path());
        }
    }
}
