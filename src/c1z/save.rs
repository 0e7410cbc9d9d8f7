//! Saving: a finished database becomes the target, at once and whole.

use std::fs;
use std::path::Path;

use crate::private_fs;
use crate::work_dir::WorkDirectory;

use super::container::{self, LARGEST_DATABASE};
use super::error::Error;
use super::target::Target;

/// What a packed file is called until it takes the target's place.
const PACKED: &str = "sync.c1z";

/// Packs `database` for `target`. Returns the new file's size in bytes.
pub(super) fn pack(work: &WorkDirectory, database: &Path, target: &Target) -> Result<u64, Error> {
    let size = fs::metadata(database).map_err(Error::io("look at", database))?.len();
    check_size(size, target.path())?;
    let file = work.create_file(PACKED)?;
    container::pack(database, file).map_err(Error::io("write", &work.file(PACKED)))
}

/// Puts the packed file in place of the target.
pub(super) fn replace(work: &WorkDirectory, target: &Target) -> Result<(), Error> {
    target.check_unchanged()?;
    let target = target.path();
    #[cfg(unix)]
    if let Err(error) = super::permissions::preserve(&work.file(PACKED), target) {
        tracing::warn!(
            file = %target.display(),
            %error,
            "the mode of the file can't be kept: the new one is its owner's alone"
        );
    }
    fs::rename(work.file(PACKED), target).map_err(Error::io("replace", target))?;
    // It is there, whatever comes now.
    if let Some(Err(error)) = target.parent().map(private_fs::sync_directory) {
        tracing::warn!(
            file = %target.display(),
            %error,
            "the new file is in place, but only the system knows when that is safe on disk"
        );
    }
    Ok(())
}

/// A file that readers would refuse for ever must not take the place of one that they read.
fn check_size(size: u64, target: &Path) -> Result<(), Error> {
    if size <= LARGEST_DATABASE {
        Ok(())
    } else {
        Err(Error::TooLarge { path: target.to_owned(), size })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::{Error, LARGEST_DATABASE, Target, WorkDirectory, pack};
    use crate::c1z::container::MAGIC;

    /// A database of so many bytes, of which the disk stores none.
    fn pack_a_database_of(size: u64) -> (tempfile::TempDir, Result<u64, Error>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sync.c1z");
        fs::write(&path, MAGIC).unwrap();
        let target = Target::inspect(&path).unwrap();
        let work = WorkDirectory::create(&path).unwrap();
        let database = work.file("sync.db");
        File::create(&database).unwrap().set_len(size).unwrap();
        let packed = pack(&work, &database, &target);
        (directory, packed)
    }

    #[test]
    fn a_database_that_no_reader_would_accept_is_not_even_packed() {
        let (directory, packed) = pack_a_database_of(LARGEST_DATABASE + 1);
        let error = packed.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains("BATON_KEEP_SYNC_COUNT=1"), "{error}");
        assert_eq!(fs::read(directory.path().join("sync.c1z")).unwrap(), MAGIC);
        assert!(pack_a_database_of(1 << 20).1.is_ok());
    }
}
