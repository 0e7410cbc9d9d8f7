//! The finished syncs of a file, to be read. Reads what any writer of version 1 files made,
//! also with the fewer columns of former years.

use std::io::Seek;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::error::Error;
use super::organization::Organization;
use super::sync_run::ProfileKeys;
use super::sync_token::SyncToken;
use super::unpacked::{RowLimit, ScratchDirectory, UnpackedDatabase, connect, damaged};
use crate::digest::sha256_of;

/// A finished full sync of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedSync {
    /// The file that holds it.
    pub file: PathBuf,
    /// Its id, a KSUID.
    pub sync_id: String,
    /// When it ended, as the file has it: in UTC, or the local time of whoever wrote it.
    pub ended_at: String,
    /// Whether that is in UTC for certain.
    pub is_utc: bool,
    /// What it was reduced to, where it says so; such a sync doesn't cover everything.
    pub reduced_to: Option<String>,
    /// Whose access it tells of, where it says so.
    pub organization: Option<Organization>,
    /// What its connector knew to tell in profiles, where it says so.
    pub profile_keys: Option<ProfileKeys>,
    /// The types that it covers besides those that every sync of everything has.
    pub types: Vec<String>,
}

impl FinishedSync {
    /// Whether it covers what `other` does.
    pub fn covers_the_same(&self, other: &Self) -> bool {
        self.reduced_to == other.reduced_to && self.types == other.types
    }

    /// Whether they are of two organizations for certain.
    pub fn is_of_another_organization(&self, other: &Self) -> bool {
        let both = self.organization.as_ref().zip(other.organization.as_ref());
        both.is_some_and(|(one, another)| one.is_other_than(another))
    }
}

/// The rows of a sync that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Resource types, by id.
    ResourceTypes,
    /// Resources, by `type:id`.
    Resources,
    /// Entitlements, by id.
    Entitlements,
    /// Grants, by id.
    Grants,
}

impl RowKind {
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
pub enum GrantQuery<'id> {
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
    database: Rc<UnpackedDatabase>,
}

/// The name of the database that is read.
const READ: &str = "read";

impl OpenSync {
    /// The newest sync of `file`, or the one that is named by its id or by a day as 2026-12-01, of
    /// which it is the last, unpacked into `scratch`.
    pub fn open(
        file: &Path,
        sync_id: Option<&str>,
        scratch: &ScratchDirectory,
    ) -> Result<Self, Error> {
        let database = Rc::new(UnpackedDatabase::new(file, scratch, READ)?);
        let connection = connect(&[(&database, READ)])?;
        let syncs = finished_syncs(&connection, &database, READ)?;
        let at = match sync_id {
            Some(sync_id) => position(&syncs, file, sync_id)?,
            None if syncs.is_empty() => return Err(Error::NoSync(file.to_owned())),
            None => 0,
        };
        let (sync, mut from_it) = (syncs[at].clone(), syncs.into_iter().skip(at + 1));
        // What one of them leaves out would look removed or added.
        let before = from_it.find(|earlier| {
            earlier.covers_the_same(&sync) && !earlier.is_of_another_organization(&sync)
        });
        Ok(Self { connection, sync, before, database })
    }

    /// Which sync it is.
    pub fn sync(&self) -> &FinishedSync {
        &self.sync
    }

    /// SHA-256 and size, in bytes, of the file that is read.
    pub fn fingerprint(&self) -> Result<([u8; 32], u64), Error> {
        let mut packed = &self.database.packed;
        packed.rewind().and_then(|()| sha256_of(packed)).map_err(Error::io("read", &self.sync.file))
    }

    /// The file's finished full sync before it that covers the same, if there is one.
    pub fn before(&self) -> Option<&FinishedSync> {
        self.before.as_ref()
    }

    pub(super) fn database(&self) -> &Rc<UnpackedDatabase> {
        &self.database
    }

    /// The message of one row.
    pub fn row(&self, rows: RowKind, id: &str) -> Result<Option<Vec<u8>>, Error> {
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
            .map_err(self.database.failed())
    }

    /// Hands id and message of each row to `take`, in the file's order.
    pub fn each<E: From<Error>>(
        &self,
        rows: RowKind,
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
        which: GrantQuery<'_>,
        mut take: impl FnMut(GrantRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sync_id = self.sync.sync_id.as_str();
        let (condition, parameters) = match which {
            GrantQuery::All => ("", vec![sync_id]),
            GrantQuery::HeldBy(resource_type, id) => (
                "and principal_resource_type_id = ?2 and principal_resource_id = ?3",
                vec![sync_id, resource_type, id],
            ),
            GrantQuery::Of(resource_type, id) => {
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
        mut take: impl FnMut(&BorrowedRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = self.database.failed();
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut found = statement.query(params_from_iter(parameters)).map_err(fail)?;
        let mut limit = RowLimit::of(&self.database)?;
        while let Some(row) = found.next().map_err(fail)? {
            limit.count(&self.sync.file)?;
            take(&BorrowedRow { row, file: &self.sync.file })?;
        }
        Ok(())
    }
}

/// So many syncs an error lists.
const LISTED_IN_ERRORS: usize = 5;

/// Which of the syncs, which come the newest first, is named by its id, or is the last of a day.
pub(super) fn position(syncs: &[FinishedSync], file: &Path, named: &str) -> Result<usize, Error> {
    let day = |sync: &FinishedSync| sync.ended_at.get(..DAY).unwrap_or_default().to_owned();
    let is_meant = |sync: &FinishedSync| sync.sync_id == named || day(sync) == named;
    syncs.iter().position(is_meant).ok_or_else(|| {
        if syncs.is_empty() {
            return Error::NoSync(file.to_owned());
        }
        let listed = syncs.iter().take(LISTED_IN_ERRORS);
        let listed = listed.map(|sync| format!("{} of {}", sync.sync_id, day(sync)));
        let mut found = listed.collect::<Vec<_>>().join(", ");
        if let Some(more) = syncs.len().checked_sub(LISTED_IN_ERRORS).filter(|more| *more > 0) {
            found = format!("{found} and {more} older ones, which the command `syncs` lists");
        }
        Error::OtherSyncs { path: file.to_owned(), sync_id: named.to_owned(), found }
    })
}

/// The length of a day's name, 2026-12-01.
const DAY: usize = 10;

/// A row whose columns are lent, not copied.
pub(super) struct BorrowedRow<'row> {
    pub(super) row: &'row rusqlite::Row<'row>,
    pub(super) file: &'row Path,
}

fn text<'row>(row: &'row BorrowedRow<'_>, column: usize) -> Result<&'row str, Error> {
    let value = row.row.get_ref(column).map_err(damaged(row.file))?;
    value.as_str().map_err(|error| damaged(row.file)(error.into()))
}

pub(super) fn blob<'row>(row: &'row BorrowedRow<'_>, column: usize) -> Result<&'row [u8], Error> {
    match row.row.get_ref(column).map_err(damaged(row.file))? {
        // SQLite tells an empty message from none, protobuf doesn't.
        ValueRef::Null => Ok(&[]),
        value => value.as_blob().map_err(|error| damaged(row.file)(error.into())),
    }
}

/// The finished full syncs, the newest first, as readers of sync files order them.
pub(super) fn finished_syncs(
    connection: &Connection,
    database: &UnpackedDatabase,
    schema: &str,
) -> Result<Vec<FinishedSync>, Error> {
    let (path, fail) = (&database.file, database.failed());
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
                    let token = SyncToken::parse(&row.get::<_, String>(2)?);
                    let is_utc = token.is_ours();
                    let SyncToken { reduced_to, organization, profile_keys, types, .. } = token;
                    let (sync_id, ended_at) = (row.get(0)?, row.get(1)?);
                    let file = path.clone();
                    Ok(FinishedSync {
                        file,
                        sync_id,
                        ended_at,
                        is_utc,
                        reduced_to,
                        organization,
                        profile_keys,
                        types,
                    })
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
    rows: RowKind,
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
