//! Two finished syncs side by side, of one file or of two.

use std::path::Path;
use std::rc::Rc;

use rusqlite::{Connection, params};

use super::error::Error;
use super::open_sync::{
    BorrowedRow, FinishedSync, OpenSync, RowKind, blob, finished_syncs, position, row,
};
use super::unpacked::{RowLimit, ScratchDirectory, UnpackedDatabase, connect, damaged};

/// Two syncs to compare.
#[derive(Debug)]
pub struct Comparison {
    connection: Connection,
    old: FinishedSync,
    new: FinishedSync,
    /// The unpacked databases, which may be one.
    databases: [Rc<UnpackedDatabase>; 2],
}

/// Which of the two syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncSide {
    /// The earlier one.
    Old,
    /// The later one.
    New,
}

/// A row that one sync lacks or that the two hold with different bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    pub id: String,
    /// The earlier sync's message, if it has the row.
    pub old: Option<Vec<u8>>,
    /// The later sync's message, if it has the row.
    pub new: Option<Vec<u8>>,
}

impl SyncSide {
    /// The name of the side's database.
    fn schema(self) -> &'static str {
        match self {
            Self::Old => "older",
            Self::New => "newer",
        }
    }
}

impl Comparison {
    /// The newest syncs of two files, unpacked into `scratch`.
    pub fn of_files(old: &Path, new: &Path, scratch: &ScratchDirectory) -> Result<Self, Error> {
        let unpack =
            |path, side: SyncSide| UnpackedDatabase::new(path, scratch, side.schema()).map(Rc::new);
        let (older, newer) = (unpack(old, SyncSide::Old)?, unpack(new, SyncSide::New)?);
        let connection =
            connect(&[(&older, SyncSide::Old.schema()), (&newer, SyncSide::New.schema())])?;
        let newest = |database: &UnpackedDatabase, side: SyncSide| {
            let newest = finished_syncs(&connection, database, side.schema())?.into_iter().next();
            newest.ok_or_else(|| Error::NoSync(database.file.clone()))
        };
        let (old, new) = (newest(&older, SyncSide::Old)?, newest(&newer, SyncSide::New)?);
        Ok(Self { connection, old, new, databases: [older, newer] })
    }

    /// The two newest syncs of one file; `None` if it holds only one.
    pub fn within(file: &Path, scratch: &ScratchDirectory) -> Result<Option<Self>, Error> {
        Self::with_the_one_before(&OpenSync::open(file, None, scratch)?)
    }

    /// Two syncs of one file, each named by its id or by the day on which it ended, of which it is
    /// the last. Without a later one that is the newest; without an earlier one that is the one
    /// before the later, `None` if there is none.
    pub fn between(
        file: &Path,
        from: Option<&str>,
        to: Option<&str>,
        scratch: &ScratchDirectory,
    ) -> Result<Option<Self>, Error> {
        let new = OpenSync::open(file, to, scratch)?;
        let Some(from) = from else { return Self::with_the_one_before(&new) };
        let database = new.database();
        let connection =
            connect(&[SyncSide::Old, SyncSide::New].map(|side| (&**database, side.schema())))?;
        let syncs = finished_syncs(&connection, database, SyncSide::Old.schema())?;
        let (earlier, later) =
            (position(&syncs, file, from)?, position(&syncs, file, &new.sync().sync_id)?);
        // They come the newest first.
        if earlier <= later {
            let [from, to] = [earlier, later].map(|at| syncs[at].sync_id.clone());
            return Err(Error::NotEarlier { path: file.to_owned(), from, to });
        }
        let (old, databases) = (syncs[earlier].clone(), [database.clone(), database.clone()]);
        Ok(Some(Self { connection, old, new: new.sync().clone(), databases }))
    }

    /// A sync and the one before it in its file, if there is one.
    pub fn with_the_one_before(new: &OpenSync) -> Result<Option<Self>, Error> {
        let Some(old) = new.before().cloned() else { return Ok(None) };
        let (new, database) = (new.sync().clone(), new.database());
        let connection =
            connect(&[SyncSide::Old, SyncSide::New].map(|side| (&**database, side.schema())))?;
        let databases = [database.clone(), database.clone()];
        Ok(Some(Self { connection, old, new, databases }))
    }

    pub fn sync(&self, side: SyncSide) -> &FinishedSync {
        match side {
            SyncSide::Old => &self.old,
            SyncSide::New => &self.new,
        }
    }

    /// Hands each row that differs to `take`, by id.
    pub fn differences<E: From<Error>>(
        &self,
        rows: RowKind,
        mut take: impl FnMut(RowDifference) -> Result<(), E>,
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
                (|| Ok(RowDifference { id: row.get(0)?, old: row.get(1)?, new: row.get(2)? }))();
            take(difference.map_err(fail)?)?;
        }
        Ok(())
    }

    /// Hands the message of each row of one of the syncs to `take`, in its file's order.
    pub fn each<E: From<Error>>(
        &self,
        side: SyncSide,
        rows: RowKind,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sync = self.sync(side);
        let fail = damaged(&sync.file);
        let (schema, table) = (side.schema(), rows.table());
        let sql = format!("select data from {schema}.{table} where sync_id = ?1 order by id");
        let mut statement = self.connection.prepare(&sql).map_err(fail)?;
        let mut found = statement.query([&sync.sync_id]).map_err(fail)?;
        let [old, new] = &self.databases;
        let mut limit = RowLimit::of(if side == SyncSide::Old { old } else { new })?;
        while let Some(row) = found.next().map_err(fail)? {
            limit.count(&sync.file)?;
            take(blob(&BorrowedRow { row, file: &sync.file }, 0)?)?;
        }
        Ok(())
    }

    /// The message of one row.
    pub fn row(&self, side: SyncSide, rows: RowKind, id: &str) -> Result<Option<Vec<u8>>, Error> {
        row(&self.connection, side.schema(), self.sync(side), rows, id)
    }
}
