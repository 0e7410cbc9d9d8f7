//! Scratch space: where sync files are made before they are uploaded.
//!
//! Each kind of sync has a path of its own, the same after a restart, so that a sync that was
//! interrupted goes on from the pages that it has read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::credentials::ClientId;
use super::error::Error;
use super::hex::hex;

/// Daemons with the same client id that may share a directory.
const MOST_DAEMONS: usize = 16;

/// The extension of what a sync leaves beside its file while it is unfinished.
const UNFINISHED: &str = "work";

/// Older than this, what is unfinished is not gone on from.
const LONGEST_AGE: Duration = Duration::from_hours(24);

/// The name of the lock.
const LOCK: &str = "lock";

/// A directory that belongs to this process, as long as it lives.
pub(super) struct Scratch {
    path: PathBuf,
    /// Whether somebody said that it lasts.
    lasts: bool,
    taken: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// Held open for its lock.
    _lock: File,
}

impl Scratch {
    /// Opens the directory for `id` below `parent`, or below the system's temporary directory.
    /// What a killed daemon left there is cleared, but for what an unfinished sync goes on from.
    pub(super) fn open(parent: Option<&Path>, id: &ClientId) -> Result<Self, Error> {
        let lasts = parent.is_some();
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let fail = |source| Error::Scratch { path: parent.clone(), source };
        let digest = ring::digest::digest(&ring::digest::SHA256, id.as_str().as_bytes());
        let digest = hex(&digest.as_ref()[..8]);
        for number in 0..MOST_DAEMONS {
            let name = match number {
                0 => format!("baton-northflank-{digest}"),
                _ => format!("baton-northflank-{digest}-{number}"),
            };
            let path = parent.join(name);
            make_private(&path).map_err(fail)?;
            let lock = File::create(path.join(LOCK)).map_err(fail)?;
            match lock.try_lock() {
                Ok(()) => {
                    let scratch = Self { path, lasts, taken: Arc::default(), _lock: lock };
                    scratch.clear(is_worth_keeping).map_err(fail)?;
                    return Ok(scratch);
                }
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Err(fail(io::Error::other("too many other daemons with this client id use it")))
    }

    /// A path for a sync of a certain kind that no other task uses now.
    pub(super) fn place(&self, kind: &str) -> Place {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut number = 0;
        loop {
            let path = self.path.join(format!("{kind}-{number}.c1z"));
            if taken.insert(path.clone()) {
                return Place { path, is_wanted: true, taken: Arc::clone(&self.taken) };
            }
            number += 1;
        }
    }

    /// Ends the use: what an unfinished sync could go on from stays if the directory lasts.
    pub(super) fn close(&self) {
        let lasts = self.lasts;
        // Whatever can't be removed is cleared at the next start.
        let _ = self.clear(|path| lasts && is_worth_keeping(path));
        let _ = fs::remove_file(self.path.join(LOCK));
        let _ = fs::remove_dir(&self.path);
    }

    fn clear(&self, keep: impl Fn(&Path) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if !path.ends_with(LOCK) && !keep(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Whether an unfinished sync goes on from this.
fn is_worth_keeping(path: &Path) -> bool {
    let age = || fs::metadata(path).ok()?.modified().ok()?.elapsed().ok();
    path.extension().is_some_and(|extension| extension == UNFINISHED)
        && age().is_none_or(|age| age < LONGEST_AGE)
}

/// The path of one task's sync file. Dropping it removes the file, but not what the task's
/// next try goes on from, here or after a restart.
pub(super) struct Place {
    path: PathBuf,
    is_wanted: bool,
    taken: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Place {
    /// The sync file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file for the task's debug log.
    pub(super) fn debug_log(&self) -> PathBuf {
        self.path.with_extension("log")
    }

    /// The file for a copy of the debug log.
    pub(super) fn debug_log_copy(&self) -> PathBuf {
        self.path.with_extension("log.copy")
    }

    /// Where the sync keeps what is unfinished.
    fn unfinished(&self) -> PathBuf {
        self.path.with_extension("c1z.work")
    }

    /// Forgets what an unfinished sync would go on from: nobody wants it any more.
    pub(super) fn forget_unfinished(&mut self) {
        self.is_wanted = false;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let files = [self.path.clone(), self.debug_log(), self.debug_log_copy()];
        let unfinished = (!self.is_wanted).then(|| self.unfinished());
        for path in files.into_iter().chain(unfinished) {
            if let Err(error) = remove(&path) {
                tracing::warn!(path = %path.display(), %error, "can't remove a temporary file");
            }
        }
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a directory that its owner alone may look into. The parent must exist.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::other(format!("{} is no directory", path.display())));
    }
    // Somebody else could have made it, in a directory that all can write to.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Scratch;
    use std::fs;

    fn open(parent: &std::path::Path) -> Scratch {
        Scratch::open(Some(parent), &"x@host.example/pcc".parse().unwrap()).unwrap()
    }

    #[test]
    fn tasks_of_one_kind_have_paths_of_their_own_and_free_them() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let first = scratch.place("full");
        let second = scratch.place("full");
        assert_ne!(first.path(), second.path());
        let path = first.path().to_owned();
        fs::write(&path, "rows").unwrap();
        drop(first);
        assert!(!path.exists());
        assert_eq!(scratch.place("full").path(), path);
    }

    #[test]
    fn only_what_a_sync_goes_on_from_survives_a_restart() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let place = scratch.place("full");
        let work = place.unfinished();
        fs::create_dir(&work).unwrap();
        fs::write(place.path(), "rows").unwrap();
        drop(place);
        scratch.close();
        assert!(work.exists());
        let junk = work.with_extension("junk");
        fs::write(&junk, "junk").unwrap();
        let scratch = open(parent.path());
        assert!(work.exists() && !junk.exists());
        scratch.place("full").forget_unfinished();
        scratch.close();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_daemons_with_one_client_id_keep_apart() {
        let parent = tempfile::tempdir().unwrap();
        let (first, second) = (open(parent.path()), open(parent.path()));
        assert_ne!(first.place("full").path(), second.place("full").path());
    }

    #[test]
    fn a_directory_that_does_not_exist_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let missing = parent.path().join("missing");
        let id = "x@host.example/pcc".parse().unwrap();
        let error = Scratch::open(Some(&missing), &id).err().unwrap().to_string();
        assert!(error.contains("missing"), "{error}");
    }
}
