//! A second database on a connection.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ToSqlOutput;

/// Attaches `database` to `connection` under the name `schema`.
///
/// Paths are bytes to `SQLite` where they are to the system: they need not be UTF-8.
pub(super) fn attach(
    connection: &Connection,
    database: &Path,
    schema: &str,
) -> rusqlite::Result<()> {
    #[cfg(unix)]
    let path = {
        use std::os::unix::ffi::OsStrExt;
        ToSqlOutput::Borrowed(rusqlite::types::ValueRef::Text(database.as_os_str().as_bytes()))
    };
    #[cfg(not(unix))]
    let path =
        ToSqlOutput::Owned(rusqlite::types::Value::Text(database.to_string_lossy().into_owned()));
    connection.execute(&format!("attach database ?1 as {schema}"), [path]).map(drop)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use rusqlite::Connection;

    use super::attach;

    #[test]
    fn a_database_whose_path_is_not_utf_8_is_attached() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(OsStr::from_bytes(b"caf\xe9"));
        Connection::open(&path).unwrap().execute_batch("create table row (id)").unwrap();
        let connection = Connection::open_in_memory().unwrap();
        attach(&connection, &path, "other").unwrap();
        assert!(connection.table_exists(Some("other"), "row").unwrap());
    }
}
