//! Databases of files that may be anybody's, unpacked and opened for reading.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, ffi};

use crate::private_fs;
use crate::work_dir;

use super::attach::{attach, other_than_table};
use super::container;
use super::database;
use super::error::Error;

/// So many of `SQLite`'s steps are counted at once.
const STEPS: u32 = 1 << 16;

/// How many steps all reading of a database may take: about a second's worth, and for each of its
/// bytes many more than reading it again and again does. Where pages lead to the same pages over
/// and over, it would never end.
const MOST_STEPS: u64 = 1 << 22;
const MOST_STEPS_FOR_A_BYTE: u64 = 64;

/// The database of a file, unpacked for as long as somebody reads it.
#[derive(Debug)]
pub(super) struct UnpackedDatabase {
    pub(super) path: PathBuf,
    /// The file that it was unpacked from: one that has taken its place since is another.
    pub(super) packed: File,
    /// Where that is.
    pub(super) file: PathBuf,
}

/// A directory for unpacked databases, which tell who has access to what: this user's alone, and
/// gone when it is dropped.
#[derive(Debug)]
pub struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    /// A new one among the system's temporary files.
    pub fn new() -> Result<Self, Error> {
        let directory = std::env::temp_dir();
        let mut builder = tempfile::Builder::new();
        let made = builder
            .prefix(concat!(env!("CARGO_PKG_NAME"), "-"))
            .make_in(&directory, private_fs::new_directory);
        let kept = made.and_then(|made| Ok(made.into_temp_path().keep()?));
        Ok(Self(kept.map_err(Error::scratch(&directory))?))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Removes it at once, whoever may still have something of it open.
    pub fn remove(&self) {
        // What can't be removed now can't be removed later either.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        self.remove();
    }
}

impl UnpackedDatabase {
    /// Unpacks a sync file that may be anybody's into `scratch`, which has to last as long, under
    /// this name.
    pub(super) fn new(path: &Path, scratch: &ScratchDirectory, name: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
            _ => Error::io("read", path)(error),
        };
        let found = fs::metadata(path).map_err(failed)?;
        if !found.is_file() {
            let found = if found.is_dir() { "a directory" } else { "a device or pipe" };
            return Err(Error::NotAFile { path: path.to_owned(), found });
        }
        let mut packed =
            private_fs::open_regular(path, OpenOptions::new().read(true)).map_err(failed)?;
        let mut magic = Vec::new();
        let begin = (&packed).take(container::MAGIC.len() as u64).read_to_end(&mut magic);
        begin.and_then(|_| packed.rewind()).map_err(failed)?;
        let found = match magic.as_slice() {
            start if start == container::MAGIC => {
                let database = scratch.path().join(name).with_extension("db");
                let no_room = Error::scratch(scratch.path().parent().unwrap_or(scratch.path()));
                container::unpack_opened(&packed, path, &database, no_room)?;
                return Ok(Self { path: database, packed, file: path.to_owned() });
            }
            start if start == container::MAGIC_3 => {
                "it is a C1Z3 file, the Go SDK's newer format; let its connector write into a \
                 new file with --storage-engine sqlite"
            }
            _ => "it is no sync file, which begins with C1ZF",
        };
        Err(Error::Unreadable { path: path.to_owned(), found })
    }
}

impl UnpackedDatabase {
    /// What an error in reading the database says of the file, if that is to blame.
    pub(super) fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + Copy + use<'_> {
        |error| match database::failure_to_read(&self.path) {
            Some(failure) => Error::scratch(&std::env::temp_dir())(failure),
            None => damaged(&self.file)(error),
        }
    }
}

/// A connection that reads these databases, each by a name. Nothing in them is run, and none is
/// read without end.
pub(super) fn connect(databases: &[(&UnpackedDatabase, &str)]) -> Result<Connection, Error> {
    let path = databases.first().map_or(Path::new(""), |(database, _)| &database.file);
    let fail = Error::database(path);
    let mut connection = database::open(":memory:").map_err(fail)?;
    // The databases come from somewhere else: nothing in their schemas is to be run.
    connection.pragma_update(None, "trusted_schema", "off").map_err(fail)?;
    let mut steps = MOST_STEPS;
    for (database, name) in databases {
        let (file, fail) = (&database.file, database.failed());
        attach(&connection, &database.path, name).map_err(fail)?;
        if let Some(other) = other_than_table(&connection, name).map_err(fail)? {
            return Err(Error::no_table(file, &other));
        }
        let size = fs::metadata(&database.path).map_err(Error::io("read", &database.path))?.len();
        steps += size * MOST_STEPS_FOR_A_BYTE;
    }
    limit(&mut connection, steps).map_err(fail)?;
    Ok(connection)
}

/// Interrupts all that is done on a connection after so many steps.
fn limit(connection: &mut Connection, steps: u64) -> rusqlite::Result<()> {
    let mut left = steps / u64::from(STEPS);
    let is_too_much = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    connection.progress_handler(STEPS.cast_signed(), Some(is_too_much))
}

/// Counts the rows of one table: each takes some bytes of its database.
pub(super) struct RowLimit(u64);

/// No row of the format's is as small.
const SMALLEST_ROW: u64 = 16;

impl RowLimit {
    /// Of a query on the database.
    pub(super) fn of(database: &UnpackedDatabase) -> Result<Self, Error> {
        let found = fs::metadata(&database.path);
        let size = found.map_err(Error::io("read", &database.path))?.len();
        Ok(Self(size / SMALLEST_ROW))
    }

    /// One more.
    pub(super) fn count(&mut self, file: &Path) -> Result<(), Error> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Error::Damaged {
                path: file.to_owned(),
                problem: "its database has more rows than it has room for".to_owned(),
            }),
        }
    }
}

/// What an error in reading the database of `path` says of the file.
pub(super) fn damaged(path: &Path) -> impl Fn(rusqlite::Error) -> Error + Copy + use<'_> {
    move |error| match error.sqlite_error_code() {
        // No fault of the file's, but of where it is unpacked and sorted.
        Some(ErrorCode::DiskFull) => Error::ScratchFull(std::env::temp_dir()),
        Some(code @ (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)) => {
            let directory = std::env::temp_dir();
            let extended = error.sqlite_error().map(|error| error.extended_code);
            let source = io::Error::other(error);
            if code == ErrorCode::CannotOpen || extended == Some(ffi::SQLITE_IOERR_GETTEMPPATH) {
                return Error::Scratch { directory, source };
            }
            work_dir::Error::Failing { action: "work in", path: directory, source }.into()
        }
        Some(ErrorCode::OperationInterrupted) => Error::Damaged {
            path: path.to_owned(),
            problem: "to read its database takes more steps than it has bytes for".to_owned(),
        },
        _ => Error::reading(path)(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Error;
    use super::{Connection, Path, damaged, ffi, limit};

    #[test]
    fn what_never_ends_is_interrupted_and_what_ends_is_not() {
        let mut connection = Connection::open_in_memory().unwrap();
        limit(&mut connection, 1 << 22).unwrap();
        let count = |most: &str| {
            let sql = format!(
                "with recursive number(n) as (select 1 union all select n + 1 from number {most})
                 select count(*) from number"
            );
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(count("where n < 1000").unwrap(), 1000);
        let error = damaged(Path::new("it"))(count("").unwrap_err()).to_string();
        assert!(error.starts_with("it is damaged (") && error.contains("more steps"), "{error}");
    }

    #[test]
    fn a_file_is_not_called_damaged_where_there_is_no_room_to_sort_it() {
        let error = |code| {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            damaged(Path::new("sync.c1z"))(failure)
        };
        let is_damage = |code| matches!(error(code), Error::Damaged { .. });
        assert!(is_damage(ffi::SQLITE_CORRUPT) && is_damage(ffi::SQLITE_NOTADB));
        assert!(error(ffi::SQLITE_FULL).to_string().starts_with("no space left"));
        for code in [ffi::SQLITE_IOERR_GETTEMPPATH, ffi::SQLITE_CANTOPEN] {
            let error = error(code).to_string();
            assert!(error.starts_with("can't unpack sync files in "), "{error}");
        }
        for code in [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_WRITE] {
            let error = error(code).to_string();
            assert!(error.contains("the disk fails, or what is mounted there"), "{error}");
        }
    }
}
