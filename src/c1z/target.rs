//! The sync file that a run is to write.

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
