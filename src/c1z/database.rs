//! Databases of this process alone, in a directory that is locked or its own: how they are opened,
//! and where their temporary files go.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

/// Opens a database that nobody else looks at, so that it needs none of `SQLite`'s locks, which
/// not every file system has.
pub(super) fn open(path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[cfg(unix)]
    let connection = Connection::open_with_flags_and_vfs(path, flags, "unix-none")?;
    #[cfg(not(unix))]
    let connection = Connection::open_with_flags(path, flags)?;
    // Without it, one whose last writer kept a write-ahead log would ask for shared memory.
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(connection)
}

/// Why the system can't read a database, if it can't: `SQLite` calls that broken, too.
pub(super) fn failure_to_read(path: &Path) -> Option<io::Error> {
    let read = || io::copy(&mut File::open(path)?, &mut io::sink());
    read().err()
}

/// Keeps the temporary files of what `work` does in `directory`, where they are found and cleared
/// if the process is killed between making one and taking its name away. `SQLite` looks for a
/// place in the system's directories otherwise, of which a container may have none that can be
/// written to; and it has one place for the whole process, so that nobody else works meanwhile.
///
/// The system's directories are left where that one can't be named, as a statement's text is
/// UTF-8.
pub(super) fn with_temporary_files_in<T>(
    directory: &Path,
    connection: &Connection,
    work: impl FnOnce() -> T,
) -> T {
    static PLACE: Mutex<()> = Mutex::new(());
    let _alone = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    let set = |directory| {
        if let Err(error) = connection.pragma_update(None, "temp_store_directory", directory) {
            tracing::debug!(%error, "temporary files go to the system's directories");
        }
    };
    set(directory.to_str().unwrap_or_default());
    let done = work();
    set("");
    done
}
