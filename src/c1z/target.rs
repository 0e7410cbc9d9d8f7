//! The sync file that a run is to write, and the directory beside it that a run works in.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::container;
use super::error::Error;

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
/// it; what a killed run left behind is cleared by the next.
#[derive(Debug)]
pub struct WorkDirectory {
    target: Target,
    path: PathBuf,
    /// Held open for its lock.
    _lock: File,
}

impl WorkDirectory {
    /// Makes and locks the directory `<target>.work`.
    pub fn create(target: Target) -> Result<Self, Error> {
        let mut name = target.path.as_os_str().to_owned();
        name.push(".work");
        let path = PathBuf::from(name);
        make_private_directory(&path).map_err(Error::io("create the directory", &path))?;
        let lock_path = path.join("lock");
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
        let work = Self { target, path, _lock: lock };
        work.clear().map_err(Error::io("clear the directory", &work.path))?;
        Ok(work)
    }

    /// The sync file to write.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The path of a file in the directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes everything but the lock.
    fn clear(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name() != "lock" {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // What can't be removed is cleared by the next run; the outcome of this one stands.
        let removed = self
            .clear()
            .and_then(|()| fs::remove_file(self.path.join("lock")))
            .and_then(|()| fs::remove_dir(&self.path));
        if let Err(error) = removed {
            tracing::warn!(path = %self.path.display(), %error, "can't remove the work directory");
        }
    }
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
