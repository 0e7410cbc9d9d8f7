//! Two finished syncs side by side, of one file or of two. Reads what any writer of version 1
//! files made, also with the fewer columns of former years.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use tempfile::TempDir;

use super::container;
use super::error::Error;

/// A sync that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedSync {
    /// The file that holds it.
    pub file: PathBuf,
    /// Its id, a KSUID.
    pub sync_id: String,
    /// When it ended, as the file has it: in UTC, or the local time of whoever wrote it.
    pub ended_at: String,
}

/// Two syncs to compare.
#[derive(Debug)]
pub struct Comparison {
    connection: Connection,
    old: ComparedSync,
    new: ComparedSync,
    /// The unpacked databases.
    _scratch: TempDir,
}

/// Which of the two syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The earlier one.
    Old,
    /// The later one.
    New,
}

/// What is compared row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Resources, by `type:id`.
    Resources,
    /// Entitlements, by id.
    Entitlements,
    /// Grants, by id.
    Grants,
}

/// A row that one sync lacks or that the two hold with different bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// The earlier sync's message, if it has the row.
    pub old: Option<Vec<u8>>,
    /// The later sync's message, if it has the row.
    pub new: Option<Vec<u8>>,
}

impl Side {
    /// The name of the side's database.
    fn schema(self) -> &'static str {
        match self {
            Self::Old => "older",
            Self::New => "newer",
        }
    }
}

impl Rows {
    fn table(self) -> &'static str {
        match self {
            Self::Resources => "v1_resources",
            Self::Entitlements => "v1_entitlements",
            Self::Grants => "v1_grants",
        }
    }
}

impl Comparison {
    /// The newest syncs of two files.
    pub fn of_files(old: &Path, new: &Path) -> Result<Self, Error> {
        let scratch = scratch()?;
        let connection = connect().map_err(Error::database(old))?;
        let newest = |path: &Path, side: Side| {
            let database = scratch.path().join(side.schema());
            unpack(path, &database)?;
            attach(&connection, &database, side).map_err(damaged(path))?;
            let syncs = finished_syncs(&connection, path, side)?;
            syncs.into_iter().next().ok_or_else(|| Error::NoSync(path.to_owned()))
        };
        let (old, new) = (newest(old, Side::Old)?, newest(new, Side::New)?);
        Ok(Self { connection, old, new, _scratch: scratch })
    }

    /// The two newest syncs of one file; `None` if it holds only one.
    pub fn within(file: &Path) -> Result<Option<Self>, Error> {
        let scratch = scratch()?;
        let connection = connect().map_err(Error::database(file))?;
        let database = scratch.path().join("both");
        unpack(file, &database)?;
        for side in [Side::Old, Side::New] {
            attach(&connection, &database, side).map_err(damaged(file))?;
        }
        let mut syncs = finished_syncs(&connection, file, Side::New)?.into_iter();
        let Some(new) = syncs.next() else { return Err(Error::NoSync(file.to_owned())) };
        Ok(syncs.next().map(|old| Self { connection, old, new, _scratch: scratch }))
    }

    /// One of the syncs.
    pub fn sync(&self, side: Side) -> &ComparedSync {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    /// Hands each row that differs to `take`, by id.
    pub fn differences<E: From<Error>>(
        &self,
        rows: Rows,
        mut take: impl FnMut(Difference) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = damaged(&self.new.file);
        let sql = format!(
            "select newer.external_id, older.data, newer.data
             from newer.{table} as newer left join older.{table} as older
             on older.external_id = newer.external_id and older.sync_id = ?1
             where newer.sync_id = ?2 and (older.data is null or older.data <> newer.data)
             union all
             select older.external_id, older.data, null
             from older.{table} as older left join newer.{table} as newer
             on newer.external_id = older.external_id and newer.sync_id = ?2
             where older.sync_id = ?1 and newer.data is null
             order by 1",
            table = rows.table()
        );
        let mut statement = self.connection.prepare(&sql).map_err(fail)?;
        let mut found =
            statement.query(params![self.old.sync_id, self.new.sync_id]).map_err(fail)?;
        while let Some(row) = found.next().map_err(fail)? {
            let difference =
                (|| Ok(Difference { id: row.get(0)?, old: row.get(1)?, new: row.get(2)? }))();
            take(difference.map_err(fail)?)?;
        }
        Ok(())
    }

    /// The message of one row.
    pub fn row(&self, side: Side, rows: Rows, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let sql = format!(
            "select data from {}.{} where external_id = ?1 and sync_id = ?2",
            side.schema(),
            rows.table()
        );
        let sync = self.sync(side);
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement.query_row(params![id, sync.sync_id], |row| row.get(0)).optional()
            })
            .map_err(damaged(&sync.file))
    }
}

fn scratch() -> Result<TempDir, Error> {
    let directory = std::env::temp_dir();
    TempDir::with_prefix("baton-northflank-").map_err(Error::io("work in", &directory))
}

fn connect() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    // The databases come from somewhere else: nothing in their schemas is to be run.
    connection.pragma_update(None, "trusted_schema", "off")?;
    Ok(connection)
}

fn attach(connection: &Connection, database: &Path, side: Side) -> rusqlite::Result<()> {
    let sql = format!("attach database ?1 as {}", side.schema());
    connection.execute(&sql, [database.to_string_lossy()]).map(drop)
}

/// Unpacks a sync file that may be anybody's.
fn unpack(path: &Path, database: &Path) -> Result<(), Error> {
    let mut magic = Vec::new();
    File::open(path)
        .and_then(|file| file.take(container::MAGIC.len() as u64).read_to_end(&mut magic))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
            _ => Error::io("read", path)(error),
        })?;
    let found = match magic.as_slice() {
        start if start == container::MAGIC => return container::unpack(path, database),
        start if start == container::MAGIC_3 => {
            "it is a C1Z3 file, the Go SDK's newer format; let its connector write into a new \
             file with --storage-engine sqlite"
        }
        _ => "it is no sync file, which begins with C1ZF",
    };
    Err(Error::Unreadable { path: path.to_owned(), found })
}

/// The finished full syncs, the newest first, as readers of sync files order them.
fn finished_syncs(
    connection: &Connection,
    path: &Path,
    side: Side,
) -> Result<Vec<ComparedSync>, Error> {
    let schema = side.schema();
    let fail = damaged(path);
    // Files from before 2024 have no sync types: every sync was full.
    let has_types =
        connection.column_exists(Some(schema), "v1_sync_runs", "sync_type").map_err(fail)?;
    let full = if has_types { "and sync_type = 'full'" } else { "" };
    let sql = format!(
        "select sync_id, cast(ended_at as text) from {schema}.v1_sync_runs
         where ended_at is not null {full} order by ended_at desc, sync_id desc"
    );
    connection
        .prepare(&sql)
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let (sync_id, ended_at) = (row.get(0)?, row.get(1)?);
                    Ok(ComparedSync { file: path.to_owned(), sync_id, ended_at })
                })?
                .collect()
        })
        .map_err(fail)
}

fn damaged(path: &Path) -> impl Fn(rusqlite::Error) -> Error + Copy + use<'_> {
    move |error| Error::Damaged {
        path: path.to_owned(),
        problem: format!("its database is broken: {error}"),
    }
}
