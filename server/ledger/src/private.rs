//! Files and directories that only the user may read.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)
}

pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    options().create(true).append(true).open(path)
}

/// For reading and writing at the place where the last write ended.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    options().open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    options.mode(0o600);
    options
}

/// Takes permissions away from everyone but the user.
#[cfg(unix)]
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    let (mode, own) = (permissions.mode() & 0o777, permissions.mode() & 0o700);
    if mode == own {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(own))
}

#[cfg(not(unix))]
pub(crate) fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn links(metadata: &fs::Metadata) -> u64 {
    metadata.nlink()
}

#[cfg(not(unix))]
pub(crate) fn links(_metadata: &fs::Metadata) -> u64 {
    1
}

/// Makes a rename in `directory` survive a power cut.
#[cfg(unix)]
pub(crate) fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_dir(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// `path` with `suffix` after its whole name.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
