//! Who works on a SQLite database: every process that may write to it holds a shared lock on a file
//! beside it, and a copy wants it alone. The system lets go of a lock when its process dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Held until dropped.
#[derive(Debug)]
pub struct InUse(#[allow(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Beside the file itself, by whichever name or link it was reached.
fn path(database: &Path) -> PathBuf {
    let mut name = real(database).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// The file's one name. Of a file that is not made yet, its folder's, behind a link that waits for it.
fn real(database: &Path) -> PathBuf {
    if let Ok(real) = database.canonicalize() {
        return real;
    }
    let folder = |of: &Path| of.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let file = fs::read_link(database).map_or(database.to_owned(), |linked| folder(database).join(linked));
    match (folder(&file).canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file,
    }
}

fn open(database: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path(database))
}

/// Says that this process works on the database.
pub fn share(database: &Path) -> anyhow::Result<InUse> {
    let file = open(database).with_context(|| format!("cannot make a lock file beside {}", database.display()))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(InUse(file)),
        Err(TryLockError::WouldBlock) => bail!("{} is being copied; wait until that is done", database.display()),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the database"),
    }
}

/// Makes sure that nobody else works on the database. Somebody who may not write there can still see
/// whether others do: a file is locked through any handle. Where there is no file, nobody does.
pub fn alone(database: &Path) -> anyhow::Result<Option<InUse>> {
    let file = match open(database) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            match File::open(path(database)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                opened => opened.context("cannot read the lock file beside the source")?,
            }
        }
        Err(error) => return Err(error).context("cannot make a lock file beside the source"),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(InUse(file))),
        Err(TryLockError::WouldBlock) => bail!(
            "{} is in use by a running process; stop it, or start it with API_POOL_READ_ONLY=true",
            database.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the source"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_to_the_same_lock() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("data")).unwrap();
        symlink("data", at("elsewhere")).unwrap();
        symlink("data/pool.db", at("link.db")).unwrap();
        let names = ["data/pool.db", "data/../data/pool.db", "elsewhere/pool.db", "link.db"];
        let expected = at("data").canonicalize().unwrap().join("pool.db.lock");
        for name in names {
            assert_eq!(path(&at(name)), expected, "{name}, before the file is made");
        }
        fs::write(at("data/pool.db"), "").unwrap();
        for name in names {
            assert_eq!(path(&at(name)), expected, "{name}");
        }
        let held = share(&at("link.db")).unwrap();
        assert!(alone(&at("elsewhere/pool.db")).is_err());
        drop(held);
        assert!(alone(&at("elsewhere/pool.db")).unwrap().is_some());
    }
}
