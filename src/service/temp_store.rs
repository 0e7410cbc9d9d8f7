//! Scratch space: where sync files are made before they are uploaded.
//!
//! Each kind of sync has a path of its own, the same after a restart, so that a sync that was
//! interrupted goes on from the pages that it has read.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::digest::{hex, sha256};
use crate::private_fs::{self, LockOutcome, PrivateDirectory};

use super::credentials::ClientId;
use super::error::Error;

/// Daemons with the same client id that may share a directory.
const MOST_DAEMONS: usize = 16;

/// The endings of what a task leaves: its file, its debug log and that one's copy, and what a
/// sync keeps beside its file while it is unfinished.
const ENDINGS: [&str; 4] = [".c1z", ".log", ".log.copy", UNFINISHED];

/// How the names of kinds of syncs begin.
pub(super) const KIND: &str = "sync-";

/// The ending of what a sync goes on from.
const UNFINISHED: &str = ".c1z.work";

/// Older than this, what is unfinished is not gone on from. With the time between two looks at
/// it that makes a day.
const LONGEST_AGE: Duration = Duration::from_hours(23);

/// Time between two looks at what failed tasks have left.
const CLEAR_EVERY: Duration = Duration::from_hours(1);

/// The name of the lock.
const LOCK: &str = "lock";

/// A directory that belongs to this process, as long as it lives.
pub(super) struct TempStore {
    parent: PathBuf,
    /// Tells the daemons of other clients apart.
    digest: String,
    /// Whether somebody said that it lasts.
    lasts: bool,
    held: Mutex<LockedDir>,
    taken: PathsInUse,
}

/// The places that tasks work in.
type PathsInUse = Arc<Mutex<BTreeSet<PathBuf>>>;

/// The directory, and the open file whose lock says whose it is, until the use ends.
struct LockedDir {
    path: PathBuf,
    lock: Option<File>,
}

impl TempStore {
    /// Opens the directory for `id` below `parent`, or below the system's temporary directory.
    /// What a killed daemon left there is cleared, but for what an unfinished sync goes on from.
    pub(super) fn open(parent: Option<&Path>, id: &ClientId) -> Result<Self, Error> {
        let lasts = parent.is_some();
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let digest = hex(&sha256([id.as_str().as_bytes()])[..8]);
        let held = hold(&parent, &digest)?;
        let scratch = Self { parent, digest, lasts, held: Mutex::new(held), taken: Arc::default() };
        scratch.clear(is_worth_keeping).map_err(|source| scratch.error(source))?;
        Ok(scratch)
    }

    /// A path for a sync of a certain kind that no other task uses now. Makes the directory
    /// anew if somebody has cleaned it away.
    pub(super) fn task_file(&self, kind: &str) -> Result<TaskFile, Error> {
        let directory = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if !held.is_still_there() {
                tracing::warn!(path = %held.path.display(), "the scratch directory was removed; making it anew");
                *held = hold(&self.parent, &self.digest)?;
            }
            held.path.clone()
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut number = 0;
        loop {
            let path = directory.join(format!("{kind}-{number}.c1z"));
            if taken.insert(path.clone()) {
                return Ok(TaskFile { path, is_wanted: true, taken: Arc::clone(&self.taken) });
            }
            number += 1;
        }
    }

    /// Clears what failed tasks have left for too long, now and then, for ever.
    pub(super) async fn clear_old(self: &Arc<Self>) -> Infallible {
        loop {
            tokio::time::sleep(CLEAR_EVERY).await;
            let scratch = Arc::clone(self);
            let clearing = tokio::task::spawn_blocking(move || scratch.clear(is_worth_keeping));
            if let Err(error) = clearing.await.map_err(io::Error::other).flatten() {
                tracing::warn!(%error, "can't clear what failed tasks have left");
            }
        }
    }

    /// Ends the use: what an unfinished sync could go on from stays if the directory lasts.
    pub(super) fn close(&self) {
        let lasts = self.lasts;
        // Whoever works on has been told to stop.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // Whatever can't be removed is cleared at the next start.
        let _ = self.clear(|path| lasts && is_worth_keeping(path));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = fs::remove_file(held.path.join(LOCK));
        // A client of NFS keeps what is open in the directory, under another name.
        held.lock = None;
        let _ = fs::remove_dir(&held.path);
    }

    fn directory(&self) -> PathBuf {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).path.clone()
    }

    /// Removes what tasks have left, but for what tasks work on and what is to be kept.
    fn clear(&self, keep: impl Fn(&Path) -> bool) -> io::Result<()> {
        let entries = match fs::read_dir(self.directory()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if private_fs::is_remnant(&entry) {
                // Whoever has it open removes it by closing it.
                let _ = fs::remove_file(&path);
            }
            let Some(place) = place_of(&path).filter(|_| !keep(&path)) else {
                continue;
            };
            let taken = || self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            // No task begins to work on it meanwhile.
            if taken().insert(place.clone()) {
                let removed = remove(&path);
                taken().remove(&place);
                if let Err(error) = removed {
                    // Nobody needs it; tasks can do without its room.
                    tracing::warn!(path = %path.display(), %error, "can't clear what a task has left");
                }
            }
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Scratch { path: self.parent.clone(), source }
    }
}

impl LockedDir {
    /// Whether the lock is that of the directory that stands there. One who cleans up may have
    /// removed it, and another daemon may have made it anew.
    fn is_still_there(&self) -> bool {
        let lock = self.lock.as_ref();
        lock.is_some_and(|lock| private_fs::is_at(lock, &self.path.join(LOCK)))
    }
}

/// Makes or takes over a directory below `parent` that is this user's alone and that no other
/// daemon uses.
fn hold(parent: &Path, digest: &str) -> Result<LockedDir, Error> {
    let fail = |source| Error::Scratch { path: parent.to_owned(), source };
    for number in 0..MOST_DAEMONS {
        let name = match number {
            0 => format!("baton-northflank-{digest}"),
            _ => format!("baton-northflank-{digest}-{number}"),
        };
        let path = parent.join(name);
        // Where all may write, anybody may have put something else there.
        if !make_private(&path).map_err(fail)? {
            tracing::warn!(path = %path.display(), "this is another user's, or no directory; it is left alone");
            continue;
        }
        match private_fs::lock(&path.join(LOCK)).map_err(fail)? {
            LockOutcome::Held(lock) => return Ok(LockedDir { path, lock: Some(lock) }),
            LockOutcome::Taken => {}
            LockOutcome::Refused(error) => return Err(fail(error)),
        }
    }
    Err(fail(io::Error::other("other daemons with this client id, or other users, have taken it")))
}

/// The sync file of the place that a task's leavings are of; `None` for what no task has left.
fn place_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    // The longest: one ending ends with another.
    let stem =
        ENDINGS.iter().filter_map(|ending| name.strip_suffix(ending)).min_by_key(|it| it.len())?;
    let (kind, number) = stem.rsplit_once('-')?;
    let is_own = kind.starts_with(KIND) && number.parse::<u32>().is_ok();
    is_own.then(|| path.with_file_name(format!("{stem}.c1z")))
}

/// Whether an unfinished sync goes on from this.
fn is_worth_keeping(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(UNFINISHED))
        && newest(path).is_none_or(|age| age < LONGEST_AGE)
}

/// The time since something was last written in a directory.
fn newest(path: &Path) -> Option<Duration> {
    let age = |path: &Path| fs::symlink_metadata(path).ok()?.modified().ok()?.elapsed().ok();
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    entries.map(|entry| entry.path()).chain([path.to_owned()]).filter_map(|path| age(&path)).min()
}

/// The path of one task's sync file. Dropping it removes the file, but not what the task's
/// next try goes on from, here or after a restart.
pub(super) struct TaskFile {
    path: PathBuf,
    is_wanted: bool,
    taken: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl TaskFile {
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

impl Drop for TaskFile {
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

/// Makes a directory that its owner alone may look into, or sees to one that stands there.
/// Whether it is our own; the parent must exist.
fn make_private(path: &Path) -> io::Result<bool> {
    match private_fs::private_directory(path)? {
        PrivateDirectory::Private => Ok(true),
        PrivateDirectory::NotOurs(_) | PrivateDirectory::Closed(_) => Ok(false),
        PrivateDirectory::Shared(_, error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{LOCK, LONGEST_AGE, TempStore, is_worth_keeping, make_private};
    use std::fs;
    use std::path::Path;
    use std::time::SystemTime;

    fn open(parent: &Path) -> TempStore {
        TempStore::open(Some(parent), &"x@host.example/pcc".parse().unwrap()).unwrap()
    }

    #[test]
    fn tasks_of_one_kind_have_paths_of_their_own_and_free_them() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let first = scratch.task_file("sync-1").unwrap();
        let second = scratch.task_file("sync-1").unwrap();
        assert_ne!(first.path(), second.path());
        let path = first.path().to_owned();
        fs::write(&path, "rows").unwrap();
        drop(first);
        assert!(!path.exists());
        assert_eq!(scratch.task_file("sync-1").unwrap().path(), path);
    }

    #[test]
    fn only_what_a_sync_goes_on_from_survives_a_restart() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let place = scratch.task_file("sync-1").unwrap();
        let work = place.unfinished();
        fs::create_dir(&work).unwrap();
        fs::write(place.path(), "rows").unwrap();
        drop(place);
        scratch.close();
        assert!(work.exists());
        let (junk, somebodys) = (work.with_file_name("sync-2-0.log"), work.with_file_name("mine"));
        let hidden = work.with_file_name(".nfs000000000000a1b200000001");
        for path in [&junk, &hidden, &work.with_file_name(".probe-a1B2c3")] {
            fs::write(path, "junk").unwrap();
        }
        fs::write(&somebodys, "mine").unwrap();
        let scratch = open(parent.path());
        assert!(work.exists() && !junk.exists() && !hidden.exists() && somebodys.exists());
        fs::remove_file(&somebodys).unwrap();
        scratch.task_file("sync-1").unwrap().forget_unfinished();
        scratch.close();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_failed_task_left_is_cleared_while_the_daemon_runs() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let work = |kind: &str| {
            let work = scratch.task_file(kind).unwrap().unfinished();
            fs::create_dir(&work).unwrap();
            fs::write(work.join("pages"), "pages").unwrap();
            work
        };
        let [old, used, young, still_written] = ["sync-1", "sync-2", "sync-3", "sync-4"].map(work);
        let long_ago = SystemTime::now() - LONGEST_AGE;
        let age = |path: &Path| fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        for work in [&old, &used] {
            age(&work.join("pages"));
            age(work);
        }
        age(&still_written);
        let _working = scratch.task_file("sync-2").unwrap();
        scratch.clear(is_worth_keeping).unwrap();
        assert!(!old.exists() && used.exists() && young.exists() && still_written.exists());
        assert_ne!(scratch.task_file("sync-2").unwrap().unfinished(), used);
        assert_eq!(scratch.task_file("sync-1").unwrap().unfinished(), old, "to be used again");
    }

    #[test]
    fn a_directory_that_was_cleaned_away_is_made_anew() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = open(parent.path());
        let directory = scratch.directory();
        fs::remove_dir_all(&directory).unwrap();
        let place = scratch.task_file("sync-1").unwrap();
        assert!(place.path().starts_with(&directory) && directory.join(LOCK).exists());
        // A cleaner may take the lock only; then another daemon takes the directory.
        fs::remove_file(directory.join(LOCK)).unwrap();
        let other = open(parent.path());
        assert_eq!(other.directory(), directory);
        assert_ne!(scratch.task_file("sync-1").unwrap().path().parent(), Some(&*directory));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_another_users_or_no_directory_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let first = open(parent.path()).directory();
        let elsewhere = parent.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("sync-1-0.log"), "mine").unwrap();
        fs::remove_dir_all(&first).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &first).unwrap();
        let second = open(parent.path()).directory();
        assert!(second != first && second.is_dir());
        assert!(elsewhere.join("sync-1-0.log").exists() && !elsewhere.join(LOCK).exists());

        // Only root can give a directory away; others know one that is not theirs.
        let others = parent.path().join("others");
        fs::create_dir(&others).unwrap();
        let is_given = std::os::unix::fs::chown(&others, Some(12_345), None).is_ok();
        let others = if is_given { others } else { Path::new("/").to_owned() };
        assert!(!make_private(&others).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_into_what_stood_there_already() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let parent = tempfile::tempdir().unwrap();
        let directory = open(parent.path()).directory();
        fs::create_dir_all(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        let scratch = open(parent.path());
        assert_eq!(scratch.directory(), directory);
        assert_eq!((mode(&directory), mode(&directory.join(LOCK))), (0o700, 0o600));
    }

    #[test]
    fn two_daemons_with_one_client_id_keep_apart() {
        let parent = tempfile::tempdir().unwrap();
        let (first, second) = (open(parent.path()), open(parent.path()));
        let path = |scratch: &TempStore| scratch.task_file("sync-1").unwrap().path().to_owned();
        assert_ne!(path(&first), path(&second));
    }

    #[test]
    fn a_directory_that_does_not_exist_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let missing = parent.path().join("missing");
        let id = "x@host.example/pcc".parse().unwrap();
        let error = TempStore::open(Some(&missing), &id).err().unwrap().to_string();
        assert!(error.contains("missing"), "{error}");
    }
}
