//! The directory beside a sync file that holds everything unfinished, and its lock.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit_code::ExitCode;
use crate::private_fs::{self, ForeignAccess, LockOutcome, PrivateDirectory};

/// The name of the lock in a work directory.
const LOCK: &str = "lock";

/// The name of what a run leaves to the next one.
const JOURNAL: &str = "journal";

/// The names that runs give to files here. Nothing else is ever removed.
const NAMES: [&str; 4] = [JOURNAL, "previous.db", "sync.db", "sync.c1z"];

/// What `SQLite` adds to a database's name for files of its own.
const DATABASE_ENDINGS: [&str; 3] = ["-journal", "-shm", "-wal"];

/// How the names of `SQLite`'s temporary files begin. They lose them at once, but for a kill
/// in between.
const TEMPORARY: &str = "etilqs_";

/// How often a directory is made that others remove. On a busy machine five times in a row weren't
/// enough where three runs began and ended all the time.
const MOST_TRIES: usize = 100;

/// Why there is no place to work in. The sync file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another run is writing the same file.
    #[error("another run is writing {}; wait for it to end", .0.display())]
    Busy(PathBuf),
    /// Something else stands where the work directory is to be.
    #[error(
        "{} is where what is unfinished is kept, but {found}; move it away or name another file",
        .path.display()
    )]
    NotOurs {
        path: PathBuf,
        /// Why it is not for this run to use.
        found: String,
    },
    /// There can be no work directory for a file of this name.
    #[error(
        "there can be no {}, where what is unfinished is kept: {source}; name a file with a \
         shorter name",
        .path.display()
    )]
    TooLongName { path: PathBuf, source: io::Error },
    /// The place takes no directory.
    #[error(
        "can't create the directory {}, where what is unfinished is kept: {source}; name a file \
         elsewhere",
        .path.display()
    )]
    NoDirectory { path: PathBuf, source: io::Error },
    /// No lock can be had.
    #[error(
        "can't lock {}: {source}; without a lock two runs could write one file at once: name a \
         file on another file system, such as a local disk, and copy it from there",
        .path.display()
    )]
    NoLock { path: PathBuf, source: io::Error },
    #[error("no space left where {} is written; make room or name a file elsewhere", .0.display())]
    DiskFull(PathBuf),
    /// The place is not ours to write to.
    #[error(
        "no permission to {action} {}; run as a user who may (in a container: \
         --user \"$(id -u):$(id -g)\"), or name a file elsewhere",
        .path.display()
    )]
    Unwritable { action: &'static str, path: PathBuf },
    /// The place is nobody's to write to.
    #[error(
        "can't {action} {}: its file system is read-only; mount it to be written to, or name a \
         file on one that is (in a container: on a volume, -v \"$PWD:/out\" … -f /out/sync.c1z)",
        .path.display()
    )]
    ReadOnly { action: &'static str, path: PathBuf },
    /// The disk fails, or what is mounted in its place.
    #[error(
        "can't {action} {}: {source}; the disk fails, or what is mounted there: see to its health",
        .path.display()
    )]
    Failing { action: &'static str, path: PathBuf, source: io::Error },
    /// The operating system refused.
    #[error("can't {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Unwritable { .. }
            | Self::NotOurs { .. }
            | Self::NoLock { .. }
            | Self::TooLongName { .. }
            | Self::NoDirectory { .. }
            | Self::ReadOnly { .. } => ExitCode::INVALID_ARGUMENT,
            Self::Busy(_) => ExitCode::UNAVAILABLE,
            Self::DiskFull(_) | Self::Failing { .. } | Self::Io { .. } => ExitCode::UNKNOWN,
        }
    }

    /// Turns an I/O error on `path` into one of ours.
    pub(crate) fn io<'path>(
        action: &'static str,
        path: &'path Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'path> {
        move |source| match source.kind() {
            _ if private_fs::is_full(&source) => Self::DiskFull(path.to_owned()),
            io::ErrorKind::PermissionDenied => Self::Unwritable { action, path: path.to_owned() },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { action, path: path.to_owned() },
            _ if private_fs::is_failing(&source) => {
                Self::Failing { action, path: path.to_owned(), source }
            }
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

/// A directory beside a sync file, named after it, that holds everything unfinished.
///
/// It is locked while a run works in it; the lock dies with the process. Dropping it removes
/// it, but for the journal if that is to be kept; what a killed run left behind besides the
/// journal is cleared by the next.
#[derive(Debug)]
pub struct WorkDirectory {
    path: PathBuf,
    keeps_journal: AtomicBool,
    /// Open for its lock, until the directory is removed.
    lock: Option<File>,
}

impl WorkDirectory {
    /// Where the directory for the sync file `target` is: `<target>.work`.
    pub fn beside(target: &Path) -> PathBuf {
        let mut name = target.as_os_str().to_owned();
        name.push(".work");
        name.into()
    }

    /// Makes and locks the directory for the sync file `target`.
    ///
    /// One that stands there already must be a directory of our own user's with no names but
    /// those that runs give: whatever else it is, it is left as it is.
    pub fn create(target: &Path) -> Result<Self, Error> {
        // A run that ends at this moment takes the directory with it.
        let has_gone = |outcome: &Result<Self, Error>| {
            matches!(outcome, Err(Error::Io { source, .. } | Error::NoDirectory { source, .. })
                if source.kind() == io::ErrorKind::NotFound)
        };
        let mut again = (1..MOST_TRIES).map(|_| Self::make(target));
        again.find(|outcome| !has_gone(outcome)).unwrap_or_else(|| Self::make(target))
    }

    fn make(target: &Path) -> Result<Self, Error> {
        let path = Self::beside(target);
        make_private(&path)?;
        let lock_path = path.join(LOCK);
        // Maybe one that it has, of a machine that can lock here.
        let is_anothers = lock_path.exists();
        let lock = match private_fs::lock(&lock_path).map_err(Error::io("lock", &lock_path))? {
            LockOutcome::Held(lock) => Some(lock),
            LockOutcome::Taken => return Err(Error::Busy(target.to_owned())),
            LockOutcome::Refused(source) => {
                if !is_anothers {
                    // What was made for it; a directory that holds more stays.
                    let _ = fs::remove_file(&lock_path).and_then(|()| fs::remove_dir(&path));
                }
                return Err(Error::NoLock { path: lock_path, source });
            }
        };
        let work = Self { path, keeps_journal: AtomicBool::new(false), lock };
        // Again, now that no other run can be making or removing files.
        check_names(&work.path)?;
        work.clear(&[JOURNAL]).map_err(Error::io("clear the directory", &work.path))?;
        Ok(work)
    }

    /// Makes a file in the directory that only its owner may read, whatever the umask: it
    /// holds an organization's access. There must be none of the name.
    pub fn create_file(&self, name: &str) -> Result<File, Error> {
        let path = self.file(name);
        private_fs::private(OpenOptions::new().write(true).create_new(true))
            .open(&path)
            .map_err(Error::io("create", &path))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn journal(&self) -> PathBuf {
        self.file(JOURNAL)
    }

    /// Leaves the journal to the next run.
    pub fn keep_journal(&self) {
        self.keeps_journal.store(true, Ordering::Relaxed);
    }

    /// Removes the journal with everything else, at the end.
    pub fn discard_journal(&self) {
        self.keeps_journal.store(false, Ordering::Relaxed);
    }

    /// Removes our files, but for the lock and those that are `kept`.
    fn clear(&self, kept: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if private_fs::is_remnant(&entry) {
                // Whoever has it open removes it by closing it.
                let _ = fs::remove_file(entry.path());
            } else if name.to_str().is_some_and(|name| is_own(name) && !kept.contains(&name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        if self.keeps_journal.load(Ordering::Relaxed) && self.journal().exists() {
            return self.clear(&[JOURNAL]);
        }
        self.clear(&[])?;
        fs::remove_file(self.path.join(LOCK))?;
        // A client of NFS keeps what is open in the directory, under another name.
        self.unlock();
        fs::remove_dir(&self.path)
    }

    fn unlock(&mut self) {
        // Closing would not do: a process that another thread is starting at this moment has the
        // file open as well until it runs its own program.
        if let Some(Err(error)) = self.lock.take().map(|lock| lock.unlock()) {
            tracing::warn!(path = %self.path.display(), %error, "can't unlock the work directory");
        }
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        // What can't be removed is cleared by the next run; the outcome of this one stands.
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.path.display(), %error, "can't remove the work directory");
        }
        self.unlock();
    }
}

/// Whether a name is one that runs give, the lock's apart.
fn is_own(name: &str) -> bool {
    name.starts_with(TEMPORARY) || NAMES.iter().any(|own| is_database(name, own))
}

fn is_database(name: &str, database: &str) -> bool {
    let ending = name.strip_prefix(database);
    ending.is_some_and(|ending| ending.is_empty() || DATABASE_ENDINGS.contains(&ending))
}

/// Makes the directory, or takes over what stands there if that is ours to use.
fn make_private(path: &Path) -> Result<(), Error> {
    let not_ours = |found: &str| Error::NotOurs { path: path.to_owned(), found: found.to_owned() };
    let made = private_fs::private_directory(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidFilename => {
            Error::TooLongName { path: path.to_owned(), source: error }
        }
        _ => match Error::io("create the directory", path)(error) {
            Error::Io { path, source, .. } => Error::NoDirectory { path, source },
            error => error,
        },
    });
    match made? {
        // What others may only look into holds files that they may not.
        PrivateDirectory::Private | PrivateDirectory::Shared(ForeignAccess::Read, _) => {
            check_names(path)
        }
        PrivateDirectory::Shared(ForeignAccess::Write, _) => {
            Err(not_ours("others may write to it"))
        }
        PrivateDirectory::NotOurs(found) => Err(not_ours(found)),
        PrivateDirectory::Closed(error) => Err(Error::io("write to the directory", path)(error)),
    }
}

/// What holds a name that no run gives is somebody's own.
fn check_names(path: &Path) -> Result<(), Error> {
    let read = || -> io::Result<Option<OsString>> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = private_fs::is_remnant(&entry)
                || name.to_str().is_some_and(|name| name == LOCK || is_own(name));
            // Gone meanwhile: a run beside this one has ended.
            if !is_ours || entry.file_type().is_ok_and(|kind| !kind.is_file()) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    };
    match read().map_err(Error::io("read the directory", path))? {
        None => Ok(()),
        Some(name) => Err(Error::NotOurs {
            path: path.to_owned(),
            found: format!("holds {:?}, which no run has put there", name.display().to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{Error, WorkDirectory};

    fn room() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("sync.c1z");
        let work = directory.path().join("sync.c1z.work");
        (directory, target, work)
    }

    fn refusal(target: &std::path::Path) -> String {
        let error = WorkDirectory::create(target).unwrap_err();
        assert!(matches!(error, Error::NotOurs { .. }), "{error}");
        error.to_string()
    }

    #[test]
    fn runs_that_begin_and_end_at_once_have_the_directory_or_are_told_who_has_it() {
        let (_directory, target, work) = room();
        let outcomes = || -> Vec<_> {
            (0..400).filter_map(|_| WorkDirectory::create(&target).err()).collect()
        };
        let errors = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(outcomes)).collect();
            runs.into_iter().flat_map(|run| run.join().unwrap()).collect::<Vec<_>>()
        });
        for error in errors {
            assert!(matches!(error, Error::Busy(_)), "{error}");
        }
        assert!(!work.exists());
    }

    #[test]
    fn a_directory_with_somebodys_file_in_it_is_left_as_it_is() {
        let (_directory, target, work) = room();
        fs::create_dir(&work).unwrap();
        for name in ["journal", "notes.txt"] {
            fs::write(work.join(name), name).unwrap();
        }
        let error = refusal(&target);
        assert!(error.contains(r#"holds "notes.txt""#), "{error}");
        assert!(error.contains("move it away"), "{error}");
        assert_eq!(fs::read(work.join("notes.txt")).unwrap(), b"notes.txt");
        assert_eq!(fs::read_dir(&work).unwrap().count(), 2);
        // What only begins like one of our names is somebody's, too.
        fs::rename(work.join("notes.txt"), work.join("sync.db.bak")).unwrap();
        refusal(&target);
    }

    #[test]
    fn a_file_that_comes_while_a_run_works_outlives_it() {
        let (_directory, target, work) = room();
        let run = WorkDirectory::create(&target).unwrap();
        drop(run.create_file("sync.db").unwrap());
        fs::write(work.join("notes.txt"), "").unwrap();
        drop(run);
        let left: Vec<_> = fs::read_dir(&work).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.txt"]);
    }

    #[test]
    fn what_a_killed_run_left_is_cleared_but_for_what_it_had_read() {
        let (_directory, target, work) = room();
        fs::create_dir(&work).unwrap();
        for name in [
            "lock",
            "journal",
            "sync.db",
            "sync.db-wal",
            "etilqs_x",
            ".probe-a1B2c3",
            ".tmpa1B2c3",
            ".nfs000000000000a1b200000001",
        ] {
            fs::write(work.join(name), "").unwrap();
        }
        let run = WorkDirectory::create(&target).unwrap();
        run.keep_journal();
        drop(run);
        let mut left: Vec<_> =
            fs::read_dir(&work).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["journal", "lock"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_directory_or_of_a_file_is_not_followed() {
        let (directory, target, work) = room();
        let elsewhere = directory.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("sync.db"), "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &work).unwrap();
        assert!(refusal(&target).contains("a symbolic link"));
        fs::remove_file(&work).unwrap();

        fs::create_dir(&work).unwrap();
        for name in ["lock", "sync.db", "journal"] {
            std::os::unix::fs::symlink(elsewhere.join("sync.db"), work.join(name)).unwrap();
            assert!(refusal(&target).contains(name));
            fs::remove_file(work.join(name)).unwrap();
        }
        assert_eq!(fs::read(elsewhere.join("sync.db")).unwrap(), b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_stood_there_becomes_private_and_so_do_its_files() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        let (_directory, target, work) = room();
        fs::create_dir(&work).unwrap();
        fs::set_permissions(&work, fs::Permissions::from_mode(0o777)).unwrap();
        let run = WorkDirectory::create(&target).unwrap();
        drop(run.create_file("sync.db").unwrap());
        assert_eq!(mode(&work) & 0o7777, 0o700);
        assert_eq!(mode(&work.join("sync.db")) & 0o7777, 0o600);
        assert_eq!(mode(&work.join("lock")) & 0o7777, 0o600);
    }

    #[test]
    fn one_run_at_a_time_works_for_a_target() {
        let (_directory, target, work) = room();
        let run = WorkDirectory::create(&target).unwrap();
        assert!(matches!(WorkDirectory::create(&target), Err(Error::Busy(_))));
        drop(run);
        assert!(!work.exists());
        WorkDirectory::create(&target).unwrap();
    }

    #[test]
    fn a_dropped_directory_is_free_though_a_process_that_is_being_started_has_its_lock_open() {
        let room = tempfile::tempdir().unwrap();
        let target = room.path().join("sync.c1z");
        let work = WorkDirectory::create(&target).unwrap();
        work.keep_journal();
        fs::write(work.journal(), "").unwrap();
        let inherited = work.lock.as_ref().unwrap().try_clone().unwrap();
        drop(work);
        assert!(WorkDirectory::create(&target).is_ok());
        drop(inherited);
    }
}
