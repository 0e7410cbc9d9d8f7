//! Saving: a finished database becomes the target, at once and whole.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::work::WorkDirectory;

use super::container::{self, LARGEST_DATABASE};
use super::error::Error;
use super::target::Target;

/// Packs `database` and puts it in place of the target, unless that has been changed by
/// somebody else: a reader sees the old file or the new, never a part. Returns the new file's
/// size in bytes.
pub(super) fn save(work: &WorkDirectory, database: &Path, target: &Target) -> Result<u64, Error> {
    let name = "sync.c1z";
    let packed = work.file(name);
    let size = fs::metadata(database).map_err(Error::io("look at", database))?.len();
    check_size(size, target.path())?;
    let file = work.create_file(name)?;
    let size = container::pack(database, file).map_err(Error::io("write", &packed))?;
    target.check_unchanged()?;
    let target = target.path();
    fs::rename(&packed, target).map_err(Error::io("replace", target))?;
    if let Some(directory) = target.parent() {
        sync_directory(directory).map_err(Error::io("write", directory))?;
    }
    Ok(size)
}

/// A file that readers would refuse for ever must not take the place of one that they read.
fn check_size(size: u64, target: &Path) -> Result<(), Error> {
    if size <= LARGEST_DATABASE {
        Ok(())
    } else {
        Err(Error::TooLarge { path: target.to_owned(), size })
    }
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Directories can't be opened for this here; renaming is as durable as the system makes it.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::{Error, LARGEST_DATABASE, Target, WorkDirectory, save};
    use crate::c1z::container::MAGIC;

    /// A database of so many bytes, of which the disk stores none.
    fn save_a_database_of(size: u64) -> (tempfile::TempDir, Result<u64, Error>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sync.c1z");
        fs::write(&path, MAGIC).unwrap();
        let target = Target::inspect(&path).unwrap();
        let work = WorkDirectory::create(&path).unwrap();
        let database = work.file("sync.db");
        File::create(&database).unwrap().set_len(size).unwrap();
        let saved = save(&work, &database, &target);
        (directory, saved)
    }

    #[test]
    fn a_database_that_no_reader_would_accept_is_not_even_packed() {
        let (directory, saved) = save_a_database_of(LARGEST_DATABASE + 1);
        let error = saved.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains("BATON_KEEP_SYNC_COUNT=1"), "{error}");
        assert_eq!(fs::read(directory.path().join("sync.c1z")).unwrap(), MAGIC);
        assert!(save_a_database_of(1 << 20).1.is_ok());
    }
}
