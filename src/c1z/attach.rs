//! A second database on a connection.

use std::path::Path;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension};

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

/// The first of the format's tables in the database `schema` that is none, or none as the format
/// has it: to read a view, a virtual table or a computed column is to run what its writer thought
/// of.
pub(super) fn other_than_table(
    connection: &Connection,
    schema: &str,
) -> rusqlite::Result<Option<String>> {
    // Of tables, only those that hold their rows themselves have a root.
    let sql = format!(
        "select name from {schema}.sqlite_master as it where name like 'v1\\_%' escape '\\'
         and (type not in ('table', 'index') or rootpage = 0
              or exists (select 1 from pragma_table_xinfo(it.name, ?1) where hidden <> 0))
         limit 1"
    );
    connection.query_row(&sql, [schema], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::other_than_table;

    #[test]
    fn only_tables_that_hold_their_rows_are_tables() {
        let found = |sql: &str| {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(sql).unwrap();
            other_than_table(&connection, "main").unwrap()
        };
        let table = "create table v1_grants (id integer primary key, external_id text);
                     create index v1_index on v1_grants (external_id);";
        assert_eq!(found(table), None);
        assert_eq!(found(&format!("{table} create view other as select 1")), None);
        for other in [
            "create view V1_Grants as select 1 as id",
            "create virtual table v1_grants using fts5 (id)",
            "create table v1_grants (id, external_id as (hex(zeroblob(id))) virtual)",
            "create table v1_grants (id, external_id as (hex(zeroblob(id))) stored)",
        ] {
            let found = found(other).map(|name| name.to_lowercase());
            assert_eq!(found.as_deref(), Some("v1_grants"), "{other}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_database_whose_path_is_not_utf_8_is_attached() {
        use std::os::unix::ffi::OsStrExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        Connection::open(&path).unwrap().execute_batch("create table row (id)").unwrap();
        let connection = Connection::open_in_memory().unwrap();
        super::attach(&connection, &path, "other").unwrap();
        assert!(connection.table_exists(Some("other"), "row").unwrap());
    }
}
