//! The directory beside a sync file that holds everything unfinished, and its lock.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of the lock in a work directory.
const LOCK: &str = "lock";

/// The name of what a run leaves to the next one; `SQLite` adds files with endings of its own.
const STORE: &str = "resume.db";

/// Why there is no place to work in. The sync file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another run is writing the same file.
    #[error("another run is writing {}; wait for it to end", .0.display())]
    Busy(PathBuf),
    /// The disk is full.
    #[error("no space left where {} is written; make room or name a file elsewhere", .0.display())]
    DiskFull(PathBuf),
    /// The place is not ours to write to.
    #[error(
        "no permission to {action} {}; run as a user who may (in a container: \
         --user \"$(id -u):$(id -g)\"), or name a file elsewhere",
        .path.display()
    )]
    Unwritable {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("can't {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// Turns an I/O error on `path` into one of ours.
    pub(crate) fn io<'path>(
        action: &'static str,
        path: &'path Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'path> {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull(path.to_owned()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Unwritable { action, path: path.to_owned() }
            }
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

/// A directory beside a sync file, named after it, that holds everything unfinished.
///
/// It is locked while a run works in it; the lock dies with the process. Dropping it removes
/// it, but for the resume store if that is to be kept; what a killed run left behind besides
/// the store is cleared by the next.
#[derive(Debug)]
pub struct WorkDirectory {
    path: PathBuf,
    keeps_store: AtomicBool,
    /// Open for its lock.
    lock: File,
}

impl WorkDirectory {
    /// Where the directory for the sync file `target` is: `<target>.work`.
    pub fn beside(target: &Path) -> PathBuf {
        let mut name = target.as_os_str().to_owned();
        name.push(".work");
        name.into()
    }

    /// Makes and locks the directory for the sync file `target`.
    pub fn create(target: &Path) -> Result<Self, Error> {
        let path = Self::beside(target);
        make_private_directory(&path).map_err(Error::io("create the directory", &path))?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Busy(target.to_owned())),
            Err(fs::TryLockError::Error(error)) => {
                return Err(Error::io("lock", &lock_path)(error));
            }
        }
        // A run that ended between our opening the lock and locking it has removed it.
        if !lock_path.exists() {
            return Err(Error::Busy(target.to_owned()));
        }
        let work = Self { path, keeps_store: AtomicBool::new(false), lock };
        work.clear(is_store).map_err(Error::io("clear the directory", &work.path))?;
        Ok(work)
    }

    /// The path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of the resume store.
    pub fn store(&self) -> PathBuf {
        self.file(STORE)
    }

    /// Leaves the resume store to the next run.
    pub fn keep_store(&self) {
        self.keeps_store.store(true, Ordering::Relaxed);
    }

    /// Removes the resume store with everything else, at the end.
    pub fn discard_store(&self) {
        self.keeps_store.store(false, Ordering::Relaxed);
    }

    /// Removes the resume store at once.
    pub fn remove_store(&self) -> Result<(), Error> {
        self.clear(|name| !is_store(name)).map_err(Error::io("clear the directory", &self.path))
    }

    /// Removes everything but the lock and what `keeps` names.
    fn clear(&self, keeps: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != LOCK && !name.to_str().is_some_and(&keeps) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn remove(&self) -> io::Result<()> {
        if self.keeps_store.load(Ordering::Relaxed) && self.store().exists() {
            return self.clear(is_store);
        }
        self.clear(|_| false)?;
        fs::remove_file(self.path.join(LOCK))?;
        fs::remove_dir(&self.path)
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // What can't be removed is cleared by the next run; the outcome of this one stands.
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.path.display(), %error, "can't remove the work directory");
        }
        // Closing would not do: a process that another thread is starting at this moment has the
        // file open as well until it runs its own program.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(path = %self.path.display(), %error, "can't unlock the work directory");
        }
    }
}

/// Whether a file belongs to the resume store: its database or what `SQLite` keeps beside it.
fn is_store(name: &str) -> bool {
    name.starts_with(STORE)
}

fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::WorkDirectory;

    #[test]
    fn a_dropped_directory_is_free_though_a_process_that_is_being_started_has_its_lock_open() {
        let room = tempfile::tempdir().unwrap();
        let target = room.path().join("sync.c1z");
        let work = WorkDirectory::create(&target).unwrap();
        work.keep_store();
        fs::write(work.store(), "").unwrap();
        let inherited = work.lock.try_clone().unwrap();
        drop(work);
        assert!(WorkDirectory::create(&target).is_ok());
        drop(inherited);
    }
}
