//! The sync file that a run is to write, and the directory beside it that a run works in.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::container;
use super::error::Error;
use super::resume::STORE;

/// The name of the lock in a work directory.
const LOCK: &str = "lock";

/// The sync file to write.
#[derive(Debug, Clone)]
pub struct Target {
    path: PathBuf,
    exists: bool,
}

impl Target {
    /// Looks at `path` without touching anything: it must be absent, empty, or a sync file.
    ///
    /// A symbolic link is followed, so that saving replaces the file and not the link.
    pub fn inspect(path: &Path) -> Result<Self, Error> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::absent(path);
            }
            Err(error) => return Err(Error::io("look at", path)(error)),
        };
        let kind = fs::metadata(&path).map_err(Error::io("look at", &path))?;
        if !kind.is_file() {
            let found = if kind.is_dir() { "a directory" } else { "a device or pipe" };
            return Err(Error::NotAFile { path, found });
        }
        let mut magic = [0; container::MAGIC.len()];
        let mut file = File::open(&path).map_err(Error::io("read", &path))?;
        let read = read_up_to(&mut file, &mut magic).map_err(Error::io("read", &path))?;
        match &magic[..read] {
            // Made by `touch` or `mktemp`: nothing in it could be lost.
            [] => Ok(Self { path, exists: false }),
            start if start == container::MAGIC => Ok(Self { path, exists: true }),
            start if start == container::MAGIC_3 => Err(Error::Foreign {
                path,
                found: "it is a C1Z3 file, the Go SDK's newer format, which is not written here",
            }),
            _ => Err(Error::Foreign { path, found: "it does not begin with C1ZF" }),
        }
    }

    fn absent(path: &Path) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::NotAFile { path: path.to_owned(), found: "a directory" });
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        match fs::canonicalize(parent) {
            Ok(parent) if parent.is_dir() => Ok(Self { path: parent.join(name), exists: false }),
            Ok(parent) => Err(Error::NoDirectory(parent)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NoDirectory(parent.to_owned()))
            }
            Err(error) => Err(Error::io("look at", parent)(error)),
        }
    }

    /// The file's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where everything unfinished is kept: `<target>.work`.
    pub fn work_directory(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".work");
        name.into()
    }

    /// Whether there is a file whose syncs are to be kept.
    pub(super) fn exists(&self) -> bool {
        self.exists
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..])? {
            0 => break,
            count => read += count,
        }
    }
    Ok(read)
}

/// A directory beside the target, named after it, that holds everything unfinished.
///
/// It is locked while a run works in it; the lock dies with the process. Dropping it removes
/// it, but for the resume store if that is to be kept; what a killed run left behind besides
/// the store is cleared by the next.
#[derive(Debug)]
pub struct WorkDirectory {
    target: Target,
    path: PathBuf,
    keeps_store: AtomicBool,
    /// Held open for its lock.
    _lock: File,
}

impl WorkDirectory {
    /// Makes and locks the directory `<target>.work`.
    pub fn create(target: Target) -> Result<Self, Error> {
        let path = target.work_directory();
        make_private_directory(&path).map_err(Error::io("create the directory", &path))?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Busy(target.path)),
            Err(fs::TryLockError::Error(error)) => {
                return Err(Error::io("lock", &lock_path)(error));
            }
        }
        // A run that ended between our opening the lock and locking it has removed it.
        if !lock_path.exists() {
            return Err(Error::Busy(target.path));
        }
        let work = Self { target, path, keeps_store: AtomicBool::new(false), _lock: lock };
        work.clear(is_store).map_err(Error::io("clear the directory", &work.path))?;
        Ok(work)
    }

    /// The sync file to write.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Leaves the resume store to the next run.
    pub fn keep_store(&self) {
        self.keeps_store.store(true, Ordering::Relaxed);
    }

    /// Removes the resume store with everything else.
    pub fn discard_store(&self) {
        self.keeps_store.store(false, Ordering::Relaxed);
    }

    /// The path of a file in the directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes the resume store.
    pub(super) fn remove_store(&self) -> Result<(), Error> {
        self.clear(|name| !is_store(name)).map_err(Error::io("clear the directory", &self.path))
    }

    /// Removes everything but the lock and what `keeps` names.
    fn clear(&self, keeps: impl Fn(&str) -> bool) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != LOCK && !name.to_str().is_some_and(&keeps) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn remove(&self) -> std::io::Result<()> {
        if self.keeps_store.load(Ordering::Relaxed) && self.file(STORE).exists() {
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
    }
}

/// Whether a file belongs to the resume store: its database or what `SQLite` keeps beside it.
fn is_store(name: &str) -> bool {
    name.starts_with(STORE)
}

fn make_private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        outcome => outcome,
    }
}
