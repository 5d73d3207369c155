//! Copies the file while others write to it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::file;
use crate::error::{Error, Result};

/// Copies the file at `path` to `to`, and returns the size of the copy.
pub(in crate::store) async fn backup(path: &str, to: &Path) -> Result<u64> {
    let (path, to) = (path.to_owned(), to.to_owned());
    tokio::task::spawn_blocking(move || backup_now(&path, &to))
        .await
        .map_err(|error| Error::Unavailable(error.into()))?
}

/// Copies by `VACUUM INTO`: it reads one snapshot, which holds no writer up.
///
/// SQLite's backup API would begin again after each write of another process, and so never end under load.
/// Besides, what was deleted is not in the copy.
fn backup_now(path: &str, to: &Path) -> Result<u64> {
    let db = file::open_as_it_is(path)?;
    file::check(path, &db)?;
    let refuse = |error: std::io::Error| Error::Backup(format!("{}: {error}", to.display()).into());
    // It would be refused at the end as well; who waits for a large copy wants to know at once.
    if to.symlink_metadata().is_ok() {
        return Err(Error::Backup(
            format!("{} is there already: name a new file", to.display()).into(),
        ));
    }
    let folder = folder(to);
    // SQLite does not care whether its copy reaches the disk, or is whole if the process dies: it gets its name later.
    let part = tempfile::Builder::new()
        .prefix(".")
        .suffix(".part")
        .tempfile_in(&folder)
        .map_err(refuse)?;
    db.execute("VACUUM INTO ?", (part.path().to_string_lossy(),)).map_err(file::meaning)?;
    part.as_file()
        .set_permissions(fs::metadata(path).map_err(refuse)?.permissions())
        .map_err(refuse)?;
    part.as_file().sync_all().map_err(refuse)?;
    let size = part.as_file().metadata().map_err(refuse)?.len();
    part.persist_noclobber(to).map_err(|error| refuse(error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(refuse)?;
    Ok(size)
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
