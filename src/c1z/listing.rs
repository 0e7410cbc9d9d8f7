//! All syncs of a file, as a list.

use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use super::error::Error;
use super::open_sync::RowKind;
use super::organization::Organization;
use super::sync_run::FULL;
use super::sync_token::SyncToken;
use super::unpacked::{RowLimit, ScratchDirectory, UnpackedDatabase, connect};

/// A sync of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedSync {
    /// Its id, a KSUID.
    pub sync_id: String,
    /// `full`, `partial` or `resources_only`, or whatever its writer calls it.
    pub sync_type: String,
    /// When it began, as the file has it.
    pub started_at: String,
    /// When it ended; `None` if it didn't.
    pub ended_at: Option<String>,
    /// Whether these times are in UTC for certain.
    #[serde(skip)]
    pub is_utc: bool,
    /// What it was reduced to, where it doesn't cover everything.
    pub reduced_to: Option<String>,
    /// Whose access it tells of, where it says so.
    pub organization: Option<Organization>,
    /// The types that it covers besides those that every sync of everything has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// How many resources it has.
    pub resources: u64,
    /// How many entitlements.
    pub entitlements: u64,
    /// How many grants.
    pub grants: u64,
}

/// The name of the database that is read.
const LISTED: &str = "listed";

/// The syncs of `file`, the newest first, as readers order them; unfinished ones last.
pub fn list_syncs(file: &Path, scratch: &ScratchDirectory) -> Result<Vec<ListedSync>, Error> {
    let database = UnpackedDatabase::new(file, scratch, LISTED)?;
    let connection = connect(&[(&database, LISTED)])?;
    let fail = database.failed();
    // Files from before 2024 have no sync types: every sync was full.
    let has_types =
        connection.column_exists(Some(LISTED), "v1_sync_runs", "sync_type").map_err(fail)?;
    let sync_type = if has_types { "sync_type".to_owned() } else { format!("'{FULL}'") };
    let sql = format!(
        "select sync_id, {sync_type}, cast(started_at as text), cast(ended_at as text),
         cast(sync_token as text) from {LISTED}.v1_sync_runs
         order by ended_at desc, started_at desc, sync_id desc"
    );
    let mut statement = connection.prepare(&sql).map_err(fail)?;
    let mut found = statement.query([]).map_err(fail)?;
    let (mut syncs, mut limit) = (Vec::new(), RowLimit::of(&database)?);
    while let Some(row) = found.next().map_err(fail)? {
        limit.count(file)?;
        let read = (|| {
            let token = SyncToken::parse(&row.get::<_, String>(4)?);
            Ok(ListedSync {
                sync_id: row.get(0)?,
                sync_type: row.get(1)?,
                started_at: row.get(2)?,
                ended_at: row.get(3)?,
                is_utc: token.is_ours(),
                reduced_to: token.reduced_to,
                organization: token.organization,
                types: token.types,
                resources: 0,
                entitlements: 0,
                grants: 0,
            })
        })();
        syncs.push(read.map_err(fail)?);
    }
    for sync in &mut syncs {
        let count = |rows| count(&connection, rows, &sync.sync_id).map_err(fail);
        let (resources, entitlements) = (count(RowKind::Resources)?, count(RowKind::Entitlements)?);
        let grants = count(RowKind::Grants)?;
        (sync.resources, sync.entitlements, sync.grants) = (resources, entitlements, grants);
    }
    Ok(syncs)
}

/// How many rows a sync has: what the file says of that itself may be anything.
fn count(connection: &Connection, rows: RowKind, sync_id: &str) -> rusqlite::Result<u64> {
    let sql = format!("select count(*) from {LISTED}.{} where sync_id = ?1", rows.table());
    let count: i64 = connection.prepare_cached(&sql)?.query_row([sync_id], |row| row.get(0))?;
    Ok(count.try_into().unwrap_or_default())
}
