//! A sync file, unpacked by means of our own choosing and read with plain SQL.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;

/// Unpacks a sync file into a database in memory-like scratch space.
pub fn open(path: &Path) -> (tempfile::TempDir, Connection) {
    let scratch = tempfile::tempdir().unwrap();
    let database = scratch.path().join("sync.db");
    let mut packed = File::open(path).unwrap();
    let mut magic = [0; 5];
    packed.read_exact(&mut magic).unwrap();
    assert_eq!(&magic, b"C1ZF\0");
    std::io::copy(&mut zstd::Decoder::new(packed).unwrap(), &mut File::create(&database).unwrap())
        .unwrap();
    let connection = Connection::open(database).unwrap();
    (scratch, connection)
}

/// Packs a database into a sync file.
pub fn pack(database: &Path, path: &Path) {
    let mut file = File::create(path).unwrap();
    file.write_all(b"C1ZF\0").unwrap();
    zstd::stream::copy_encode(File::open(database).unwrap(), file, 1).unwrap();
}

/// One column of a query, as text.
pub fn column(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
