//! The sync file that a run is to write.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::container;
use super::error::Error;

/// Links that are followed to a target, as many as the system follows.
const MOST_LINKS: usize = 40;

/// The sync file to write, as it was when it was looked at.
#[derive(Debug, Clone)]
pub struct Target {
    path: PathBuf,
    found: TargetState,
}

/// What stood at the target's path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TargetState {
    Nothing,
    /// An empty file, made by `touch` or `mktemp`: nothing in it could be lost.
    Empty,
    SyncFile(FileVersion),
}

/// Tells a file from another one, and from itself after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileVersion {
    length: u64,
    modified: Option<SystemTime>,
    /// Its device and inode, where the system has such.
    place: Option<(u64, u64)>,
}

impl Target {
    /// Looks at `path` without touching anything: it must be absent, empty, or a sync file.
    ///
    /// A symbolic link is followed, so that saving replaces the file and not the link, and
    /// makes the file that a dangling one points to.
    pub fn inspect(path: &Path) -> Result<Self, Error> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::absent(path);
            }
            Err(error) => return Err(no_target(path, error)),
        };
        let kind = fs::metadata(&path).map_err(Error::io("look at", &path))?;
        if !kind.is_file() {
            let found = if kind.is_dir() { "a directory" } else { "a device or pipe" };
            return Err(Error::NotAFile { path, found });
        }
        if is_mounted(&path) {
            return Err(Error::Mounted(path));
        }
        let mut magic = [0; container::MAGIC.len()];
        let mut file = File::open(&path).map_err(Error::io("read", &path))?;
        let version = FileVersion::of(&file.metadata().map_err(Error::io("look at", &path))?);
        let read = read_up_to(&mut file, &mut magic).map_err(Error::io("read", &path))?;
        match &magic[..read] {
            [] => Ok(Self { path, found: TargetState::Empty }),
            start if start == container::MAGIC => {
                Ok(Self { path, found: TargetState::SyncFile(version) })
            }
            start if start == container::MAGIC_3 => Err(Error::Foreign {
                path,
                found: "it is a C1Z3 file, the Go SDK's newer format, which is not written here",
            }),
            _ => Err(Error::Foreign { path, found: "it does not begin with C1ZF" }),
        }
    }

    fn absent(path: &Path) -> Result<Self, Error> {
        let path = &pointed_to(path).map_err(|error| no_target(path, error))?;
        let is_directory = path
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_some_and(|last| std::path::is_separator(char::from(*last)));
        let Some(name) = path.file_name().filter(|_| !is_directory) else {
            return Err(Error::NotAFile { path: path.to_owned(), found: "a directory" });
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        match fs::canonicalize(parent) {
            Ok(parent) if parent.is_dir() => {
                Ok(Self { path: parent.join(name), found: TargetState::Nothing })
            }
            Ok(parent) => Err(Error::NoDirectory(parent)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NoDirectory(parent.to_owned()))
            }
            Err(error) => Err(no_target(parent, error)),
        }
    }

    /// The file's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file whose syncs are to be kept.
    pub(super) fn exists(&self) -> bool {
        matches!(self.found, TargetState::SyncFile(_))
    }

    /// Fails if something else stands at the path by now: it would be lost if it were
    /// replaced.
    pub(super) fn check_unchanged(&self) -> Result<(), Error> {
        match Self::inspect(&self.path) {
            Ok(now) if now.found == self.found => Ok(()),
            // The system's word: nobody knows whether it was changed.
            Err(error @ Error::Work(_)) => Err(error),
            _ => Err(Error::Changed(self.path.clone())),
        }
    }
}

impl FileVersion {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let place = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let place = None;
        Self { length: metadata.len(), modified: metadata.modified().ok(), place }
    }
}

/// Why nothing can be at a path: because of the path itself, or for the system's reasons.
fn no_target(path: &Path, error: io::Error) -> Error {
    #[cfg(unix)]
    let is_circle = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    #[cfg(not(unix))]
    let is_circle = false;
    let is_path = matches!(
        error.kind(),
        io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput
    );
    if is_circle || is_path {
        return Error::NoPlace { path: path.to_owned(), source: error };
    }
    Error::io("look at", path)(error)
}

/// The path at the end of dangling links, or `path` itself if it is none.
fn pointed_to(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            // Nothing is there, or something that is no link.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("it is a circle of symbolic links"))
}

/// Whether a file is mounted by itself, as containers do with `-v ./sync.c1z:/out/sync.c1z`:
/// it can't be replaced then.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    // A system that doesn't know says no.
    statx(CWD, path, AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Elsewhere files aren't mounted by themselves.
#[cfg(not(target_os = "linux"))]
fn is_mounted(_path: &Path) -> bool {
    false
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Error, Target};

    #[test]
    fn a_file_that_comes_goes_or_changes_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sync.c1z");
        let absent = Target::inspect(&path).unwrap();
        absent.check_unchanged().unwrap();
        fs::write(&path, b"C1ZF\0one").unwrap();
        assert!(matches!(absent.check_unchanged(), Err(Error::Changed(_))));

        let first = Target::inspect(&path).unwrap();
        first.check_unchanged().unwrap();
        fs::write(directory.path().join("other"), b"C1ZF\0two").unwrap();
        fs::rename(directory.path().join("other"), &path).unwrap();
        assert!(matches!(first.check_unchanged(), Err(Error::Changed(_))), "same length");
        fs::write(&path, "a text").unwrap();
        assert!(matches!(first.check_unchanged(), Err(Error::Changed(_))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(first.check_unchanged(), Err(Error::Changed(_))));
        absent.check_unchanged().unwrap();
    }

    #[test]
    fn a_path_that_ends_like_a_directory_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut path = directory.path().join("new").into_os_string();
        path.push("/");
        let error = Target::inspect(path.as_ref()).unwrap_err();
        assert!(matches!(error, Error::NotAFile { found: "a directory", .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_leads_to_the_file_to_make() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("data")).unwrap();
        symlink("second.c1z", at("sync.c1z")).unwrap();
        symlink("data/file.c1z", at("second.c1z")).unwrap();
        let target = Target::inspect(&at("sync.c1z")).unwrap();
        assert_eq!(target.path(), at("data").canonicalize().unwrap().join("file.c1z"));

        symlink("nowhere/file.c1z", at("lost.c1z")).unwrap();
        assert!(matches!(Target::inspect(&at("lost.c1z")), Err(Error::NoDirectory(_))));
        symlink("circle.c1z", at("circle.c1z")).unwrap();
        let long = "x".repeat(300);
        fs::write(at("text"), "").unwrap();
        for nowhere in [&*at("circle.c1z"), &at("text/sync.c1z"), &at(&long)] {
            let error = Target::inspect(nowhere).unwrap_err();
            assert!(matches!(error, Error::NoPlace { .. }), "{error}");
        }
    }
}
