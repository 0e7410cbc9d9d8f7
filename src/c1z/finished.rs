//! The finished syncs of a file, to be read. Reads what any writer of version 1 files made,
//! also with the fewer columns of former years.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::error::Error;
use super::token::Token;
use super::{attach, container};

/// A finished full sync of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedSync {
    /// The file that holds it.
    pub file: PathBuf,
    /// Its id, a KSUID.
    pub sync_id: String,
    /// When it ended, as the file has it: in UTC, or the local time of whoever wrote it.
    pub ended_at: String,
    /// What it was reduced to, where it says so; such a sync doesn't cover everything.
    pub reduced_to: Option<String>,
}

/// The rows of a sync that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Resource types, by id.
    ResourceTypes,
    /// Resources, by `type:id`.
    Resources,
    /// Entitlements, by id.
    Entitlements,
    /// Grants, by id.
    Grants,
}

impl Rows {
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::ResourceTypes => "v1_resource_types",
            Self::Resources => "v1_resources",
            Self::Entitlements => "v1_entitlements",
            Self::Grants => "v1_grants",
        }
    }
}

/// Which grants of a sync are read.
#[derive(Debug, Clone, Copy)]
pub enum Grants<'id> {
    /// All of them.
    All,
    /// What the principal of this type and id holds.
    HeldBy(&'id str, &'id str),
    /// Who holds what the resource of this type and id gives.
    Of(&'id str, &'id str),
}

/// A row of a grant. What the columns say needs no look into the message.
#[derive(Debug, Clone, Copy)]
pub struct GrantRow<'row> {
    /// The grant's id.
    pub id: &'row str,
    /// The entitlement's id.
    pub entitlement: &'row str,
    /// Type and id of the resource whose entitlement it is.
    pub resource: (&'row str, &'row str),
    /// Type and id of who holds it.
    pub principal: (&'row str, &'row str),
    /// The message.
    pub data: &'row [u8],
}

/// A finished full sync, opened for reading.
#[derive(Debug)]
pub struct OpenSync {
    connection: Connection,
    sync: FinishedSync,
    before: Option<FinishedSync>,
    database: Rc<Unpacked>,
}

/// The database of a file, unpacked for as long as somebody reads it.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) path: PathBuf,
    /// The file that it was unpacked from: one that has taken its place since is another.
    packed: File,
    _scratch: TempDir,
}

/// The name of the database that is read.
const READ: &str = "read";

impl OpenSync {
    /// The newest sync of `file`, or the one that is named.
    pub fn open(file: &Path, sync_id: Option<&str>) -> Result<Self, Error> {
        let database = Rc::new(Unpacked::new(file)?);
        let connection = connect().map_err(Error::database(file))?;
        attach(&connection, &database, READ, file)?;
        let syncs = finished_syncs(&connection, file, READ)?;
        let is_meant = |sync: &&FinishedSync| sync_id.is_none_or(|sync_id| sync.sync_id == sync_id);
        let mut from_it = syncs.iter().skip_while(|sync| !is_meant(sync)).cloned();
        let Some(sync) = from_it.next() else {
            return Err(match sync_id {
                Some(sync_id) if !syncs.is_empty() => {
                    let found: Vec<_> = syncs.iter().map(|sync| sync.sync_id.as_str()).collect();
                    Error::OtherSyncs {
                        path: file.to_owned(),
                        sync_id: sync_id.to_owned(),
                        found: found.join(", "),
                    }
                }
                _ => Error::NoSync(file.to_owned()),
            });
        };
        // What one of them leaves out would look removed or added.
        let before = from_it.find(|earlier| earlier.reduced_to == sync.reduced_to);
        Ok(Self { connection, sync, before, database })
    }

    /// Which sync it is.
    pub fn sync(&self) -> &FinishedSync {
        &self.sync
    }

    /// Size and SHA-256 of the file that is read.
    pub fn fingerprint(&self) -> Result<(u64, [u8; 32]), Error> {
        let mut packed = &self.database.packed;
        let mut hasher = Sha256::new();
        packed
            .rewind()
            .and_then(|()| io::copy(&mut packed, &mut hasher))
            .map(|size| (size, hasher.finalize().into()))
            .map_err(Error::io("read", &self.sync.file))
    }

    /// The file's finished full sync before it that covers the same, if there is one.
    pub fn before(&self) -> Option<&FinishedSync> {
        self.before.as_ref()
    }

    pub(super) fn database(&self) -> &Rc<Unpacked> {
        &self.database
    }

    /// The message of one row.
    pub fn row(&self, rows: Rows, id: &str) -> Result<Option<Vec<u8>>, Error> {
        row(&self.connection, READ, &self.sync, rows, id)
    }

    /// Whether a grant names a resource: as who holds it, or as whose entitlement is held.
    pub fn is_named_by_a_grant(&self, resource_type: &str, id: &str) -> Result<bool, Error> {
        let sql = format!(
            "select exists (select 1 from {READ}.v1_grants where sync_id = ?1
                 and principal_resource_type_id = ?2 and principal_resource_id = ?3)
             or exists (select 1 from {READ}.v1_grants where sync_id = ?1
                 and resource_type_id = ?2 and resource_id = ?3)"
        );
        self.connection
            .query_row(&sql, params![self.sync.sync_id, resource_type, id], |row| row.get(0))
            .map_err(damaged(&self.sync.file))
    }

    /// Hands id and message of each row to `take`, in the file's order.
    pub fn each<E: From<Error>>(
        &self,
        rows: Rows,
        mut take: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "select external_id, data from {READ}.{} where sync_id = ?1 order by id",
            rows.table()
        );
        self.rows(&sql, &[&self.sync.sync_id], |row| take(text(row, 0)?, blob(row, 1)?))
    }

    /// Hands each of the grants to `take`, in the file's order.
    pub fn grants<E: From<Error>>(
        &self,
        which: Grants<'_>,
        mut take: impl FnMut(GrantRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sync_id = self.sync.sync_id.as_str();
        let (condition, parameters) = match which {
            Grants::All => ("", vec![sync_id]),
            Grants::HeldBy(resource_type, id) => (
                "and principal_resource_type_id = ?2 and principal_resource_id = ?3",
                vec![sync_id, resource_type, id],
            ),
            Grants::Of(resource_type, id) => {
                ("and resource_type_id = ?2 and resource_id = ?3", vec![sync_id, resource_type, id])
            }
        };
        let sql = format!(
            "select external_id, entitlement_id, resource_type_id, resource_id,
             principal_resource_type_id, principal_resource_id, data
             from {READ}.v1_grants where sync_id = ?1 {condition} order by id"
        );
        self.rows(&sql, &parameters, |row| {
            take(GrantRow {
                id: text(row, 0)?,
                entitlement: text(row, 1)?,
                resource: (text(row, 2)?, text(row, 3)?),
                principal: (text(row, 4)?, text(row, 5)?),
                data: blob(row, 6)?,
            })
        })
    }

    fn rows<E: From<Error>>(
        &self,
        sql: &str,
        parameters: &[&str],
        mut take: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = damaged(&self.sync.file);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut found = statement.query(params_from_iter(parameters)).map_err(fail)?;
        while let Some(row) = found.next().map_err(fail)? {
            take(&Row { row, file: &self.sync.file })?;
        }
        Ok(())
    }
}

/// A row whose columns are lent, not copied.
struct Row<'row> {
    row: &'row rusqlite::Row<'row>,
    file: &'row Path,
}

fn text<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row str, Error> {
    let value = row.row.get_ref(column).map_err(damaged(row.file))?;
    value.as_str().map_err(|error| damaged(row.file)(error.into()))
}

fn blob<'row>(row: &'row Row<'_>, column: usize) -> Result<&'row [u8], Error> {
    match row.row.get_ref(column).map_err(damaged(row.file))? {
        // SQLite tells an empty message from none, protobuf doesn't.
        ValueRef::Null => Ok(&[]),
        value => value.as_blob().map_err(|error| damaged(row.file)(error.into())),
    }
}

impl Unpacked {
    /// Unpacks a sync file that may be anybody's.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
            io::ErrorKind::IsADirectory => {
                Error::NotAFile { path: path.to_owned(), found: "a directory" }
            }
            _ => Error::io("read", path)(error),
        };
        let mut packed = File::open(path).map_err(failed)?;
        let mut magic = Vec::new();
        let begin = (&packed).take(container::MAGIC.len() as u64).read_to_end(&mut magic);
        begin.and_then(|_| packed.rewind()).map_err(failed)?;
        let found = match magic.as_slice() {
            start if start == container::MAGIC => {
                let directory = std::env::temp_dir();
                let scratch = TempDir::with_prefix("baton-northflank-")
                    .map_err(Error::io("work in", &directory))?;
                let database = scratch.path().join("sync.db");
                container::unpack_opened(&packed, path, &database)?;
                return Ok(Self { path: database, packed, _scratch: scratch });
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

/// A connection to which unpacked databases can be attached.
pub(super) fn connect() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    // The databases come from somewhere else: nothing in their schemas is to be run.
    connection.pragma_update(None, "trusted_schema", "off")?;
    Ok(connection)
}

/// Attaches the database of `file` under a name.
pub(super) fn attach(
    connection: &Connection,
    database: &Unpacked,
    name: &str,
    file: &Path,
) -> Result<(), Error> {
    let fail = damaged(file);
    attach::attach(connection, &database.path, name).map_err(fail)?;
    // Reading a view would run whatever its writer thought of.
    let sql = format!(
        "select name from {name}.sqlite_master where name like 'v1\\_%' escape '\\'
         and type not in ('table', 'index') limit 1"
    );
    let other: Option<String> =
        connection.query_row(&sql, [], |row| row.get(0)).optional().map_err(fail)?;
    match other {
        None => Ok(()),
        Some(other) => Err(Error::Damaged {
            path: file.to_owned(),
            problem: format!("{other} in its database is no table"),
        }),
    }
}

/// The finished full syncs, the newest first, as readers of sync files order them.
pub(super) fn finished_syncs(
    connection: &Connection,
    path: &Path,
    schema: &str,
) -> Result<Vec<FinishedSync>, Error> {
    let fail = damaged(path);
    // Files from before 2024 have no sync types: every sync was full.
    let has_types =
        connection.column_exists(Some(schema), "v1_sync_runs", "sync_type").map_err(fail)?;
    let full = if has_types { "and sync_type = 'full'" } else { "" };
    let sql = format!(
        "select sync_id, cast(ended_at as text), cast(sync_token as text) from {schema}.v1_sync_runs
         where ended_at is not null {full} order by ended_at desc, sync_id desc"
    );
    connection
        .prepare(&sql)
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    let Token { reduced_to, .. } = Token::parse(&row.get::<_, String>(2)?);
                    let (sync_id, ended_at) = (row.get(0)?, row.get(1)?);
                    Ok(FinishedSync { file: path.to_owned(), sync_id, ended_at, reduced_to })
                })?
                .collect()
        })
        .map_err(fail)
}

/// The message of one row.
pub(super) fn row(
    connection: &Connection,
    schema: &str,
    sync: &FinishedSync,
    rows: Rows,
    id: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let sql = format!(
        "select data from {schema}.{} where external_id = ?1 and sync_id = ?2",
        rows.table()
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut statement| {
            statement.query_row(params![id, sync.sync_id], |row| row.get(0)).optional()
        })
        .map_err(damaged(&sync.file))
}

pub(super) fn damaged(path: &Path) -> impl Fn(rusqlite::Error) -> Error + Copy + use<'_> {
    move |error| Error::Damaged {
        path: path.to_owned(),
        problem: format!("its database is broken: {error}"),
    }
}
