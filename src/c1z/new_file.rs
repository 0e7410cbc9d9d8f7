//! Writing a sync file: the previous syncs that are kept, one new sync, indexes, and then
//! all of it in place of the old file at once.
//!
//! Each run writes a fresh database and copies kept syncs over, instead of deleting old rows
//! and vacuuming: no row is written twice, and indexes are built over sorted rows.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::work_dir::WorkDirectory;

use super::database::{self, with_temporary_files_in};
use super::error::Error;
use super::insert::Inserts;
use super::previous_file::{CopiedSyncs, PreviousFile, SyncEnds};
use super::save;
use super::schema::TABLES;
use super::sync_run::{Retention, RowCounts, SavedFile, SyncRun, SyncType};
use super::sync_token::SyncToken;
use super::target::Target;
use super::timestamp;

/// The database's pages in bytes. Rows are only appended, and read again from first to last by
/// each index that is built: large pages take an eighth of the reads and writes of the usual
/// ones, and half of the processor's time.
const PAGE_SIZE: i64 = 32 * 1024;

/// The page cache in KiB. No page is needed twice before all others. Index builds sort through
/// temporary files in runs of 250 pages, on this thread alone: a second one makes them hardly
/// faster and takes a third more memory.
const CACHE_KIB: i64 = 4 * 1024;

/// A file that is being written. Rows go in by type and id.
pub struct NewFile<'work> {
    target: Target,
    work: &'work WorkDirectory,
    database: PathBuf,
    connection: Connection,
    run: SyncRun,
    /// When rows were discovered: one time for all, so that they compress and compare well.
    discovered_at: String,
    ends: SyncEnds,
    stats: RowCounts,
    /// How many earlier finished syncs were not kept.
    removed: usize,
}

/// A file that is ready to take the target's place.
pub struct Packed<'work> {
    target: Target,
    work: &'work WorkDirectory,
    saved: SavedFile,
}

impl<'work> NewFile<'work> {
    /// A new database with the syncs of `previous` that `retention` keeps, and a new sync.
    pub fn create(
        target: &Target,
        work: &'work WorkDirectory,
        previous: &PreviousFile,
        retention: Retention,
        run: SyncRun,
    ) -> Result<Self, Error> {
        let fail = Error::database(target.path());
        let name = "sync.db";
        drop(work.create_file(name)?);
        let path = work.file(name);
        let connection = database::open(&path).map_err(fail)?;
        prepare(&connection).map_err(fail)?;
        let CopiedSyncs { ends, newest_full, removed } =
            previous.copy_to(&connection, retention, &run).map_err(fail)?;
        let parent = newest_full.filter(|_| run.sync_type == SyncType::Partial);
        let started_at = timestamp::format(run.started_at);
        connection
            .execute(
                "insert into v1_sync_runs
                 (sync_id, started_at, sync_token, sync_type, parent_sync_id, grants_backfilled)
                 values (?1, ?2, '', ?3, ?4, 1)",
                params![
                    run.sync_id,
                    started_at,
                    run.sync_type.as_str(),
                    parent.unwrap_or_default()
                ],
            )
            .map_err(fail)?;
        connection.execute_batch("begin").map_err(fail)?;
        Ok(Self {
            target: target.clone(),
            work,
            database: path,
            connection,
            run,
            discovered_at: started_at,
            ends,
            stats: RowCounts::default(),
            removed,
        })
    }

    /// Takes the sync's rows.
    pub fn inserts(&mut self) -> Result<Inserts<'_>, Error> {
        let Self { target, connection, run, discovered_at, stats, .. } = self;
        Inserts::new(connection, target.path(), &run.sync_id, discovered_at, stats)
    }

    /// Ends the sync, builds the indexes, and packs the file.
    pub fn pack(self) -> Result<Packed<'work>, Error> {
        let Self { target, work, database, connection, run, stats, ends, removed, .. } = self;
        let fail = Error::database(target.path());
        // They are sorted through temporary files.
        with_temporary_files_in(work.path(), &connection, || build_indexes(&connection))
            .map_err(fail)?;
        let ended_at = ends.next(OffsetDateTime::now_utc().max(run.started_at));
        let ended_at = ended_at.map_err(|hidden| hidden.in_file(target.path()))?;
        end(&connection, &run, &ended_at, &stats).map_err(fail)?;
        connection.close().map_err(|(_, error)| fail(error))?;
        let size = save::pack(work, &database, &target)?;
        let saved = SavedFile { sync_id: run.sync_id, stats, removed, size };
        Ok(Packed { target, work, saved })
    }
}

impl Packed<'_> {
    /// Puts the file in place of the target, unless somebody else has changed that: a reader
    /// sees the old file or the new, never a part.
    pub fn replace(self) -> Result<SavedFile, Error> {
        save::replace(self.work, &self.target)?;
        Ok(self.saved)
    }
}

fn build_indexes(connection: &Connection) -> rusqlite::Result<()> {
    let mut indexes = TABLES.iter().flat_map(|table| table.indexes);
    indexes.try_for_each(|index| connection.execute_batch(index))
}

/// Ends the sync.
fn end(
    connection: &Connection,
    run: &SyncRun,
    ended_at: &str,
    stats: &RowCounts,
) -> rusqlite::Result<()> {
    let token = serde_json::to_string(&SyncToken::new(run));
    let token = token.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let stats = serde_json::to_string(stats)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute(
        "update v1_sync_runs
         set ended_at = ?2, sync_token = ?3, stats = ?4, supports_diff = 1
         where sync_id = ?1",
        params![run.sync_id, ended_at, token, stats],
    )?;
    connection.execute_batch("commit")
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // The database is a draft until it is packed and renamed: a crash throws it away, so
    // that a journal or waiting for the disk would protect nothing.
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    for table in TABLES {
        connection.execute_batch(table.create)?;
        // Filled as rows come, without a look at all the rows that they don't hold.
        table.partial_indexes.iter().try_for_each(|index| connection.execute_batch(index))?;
    }
    Ok(())
}
