//! What is taken over from the file that a run replaces.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use time::{Duration, OffsetDateTime};

use crate::baton::shorten;
use crate::work_dir::WorkDirectory;

use super::attach::{attach, other_than_table};
use super::container;
use super::database;
use super::error::Error;
use super::organization::Organization;
use super::schema::TABLES;
use super::sync_run::{FULL, Retention, SyncRun, SyncType};
use super::sync_token::SyncToken;
use super::target::Target;
use super::timestamp;

/// Unfinished syncs may be resumed by whoever began them for this long.
const RESUMABLE: Duration = Duration::WEEK;

/// The previous sync file, unpacked and found sound; or none.
#[derive(Debug)]
pub struct PreviousFile(Option<PreviousDatabase>);

#[derive(Debug)]
struct PreviousDatabase {
    /// The file.
    path: PathBuf,
    database: PathBuf,
    /// Its syncs, as [`runs`] has them.
    runs: Vec<PreviousRun>,
}

impl PreviousFile {
    /// Unpacks and checks `target`, if it exists. `own_types` are the resource types of
    /// this connector: a file with others is another connector's.
    pub fn open(target: &Target, work: &WorkDirectory, own_types: &[&str]) -> Result<Self, Error> {
        if !target.exists() {
            return Ok(Self(None));
        }
        let database = work.file("previous.db");
        container::unpack(target.path(), &database)?;
        let runs = check(target.path(), &database, own_types)?;
        Ok(Self(Some(PreviousDatabase { path: target.path().to_owned(), database, runs })))
    }

    /// Fails where a sync of it is of another organization than a new one of `organization`. To
    /// be asked before anything is read for that.
    pub fn check_organization(&self, organization: &Organization) -> Result<(), Error> {
        let Some(PreviousDatabase { path, runs, .. }) = &self.0 else {
            return Ok(());
        };
        let ours = runs.iter().filter(|run| run.token.is_ours());
        let mut theirs = ours.filter_map(|run| run.token.organization.as_ref());
        match theirs.find(|it| it.is_other_than(organization)) {
            None => Ok(()),
            Some(other) => Err(Error::OtherOrganization {
                path: path.clone(),
                theirs: shorten(&other.to_string(), LONGEST_QUOTE),
                ours: organization.to_string(),
            }),
        }
    }

    /// Fails where readers would go on showing a sync that is kept instead of a new one like
    /// this. To be asked before anything is read for it.
    pub fn check_can_be_followed(&self, retention: Retention, new: &SyncRun) -> Result<(), Error> {
        let Some(PreviousDatabase { path, runs, .. }) = &self.0 else {
            return Ok(());
        };
        let ends = SyncEnds::of(&retained(runs, retention, new));
        ends.next(OffsetDateTime::now_utc()).map(drop).map_err(|hidden| hidden.in_file(path))
    }

    /// Whether the file has a sync of this id.
    pub fn has_sync(&self, sync_id: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|unpacked| unpacked.runs.iter().any(|run| run.sync_id == sync_id))
    }

    /// Copies the syncs that are kept beside the new sync `run`.
    pub(super) fn copy_to(
        &self,
        connection: &Connection,
        retention: Retention,
        run: &SyncRun,
    ) -> rusqlite::Result<CopiedSyncs> {
        match &self.0 {
            Some(PreviousDatabase { database, .. }) => copy(connection, database, retention, run),
            None => Ok(CopiedSyncs::default()),
        }
    }
}

/// What there is to know of the syncs that were copied.
#[derive(Debug, Default)]
pub(super) struct CopiedSyncs {
    /// When they ended.
    pub(super) ends: SyncEnds,
    /// The id of the newest finished full one.
    pub(super) newest_full: Option<String>,
    /// How many finished ones were left behind.
    pub(super) removed: usize,
}

/// When some syncs ended.
#[derive(Debug, Default)]
pub(super) struct SyncEnds {
    /// The newest, among those that are times.
    newest: Option<OffsetDateTime>,
    /// The one that readers take for the newest.
    shown: Option<PreviousRun>,
}

/// A sync that readers would go on showing, whatever comes after it.
#[derive(Debug)]
pub(super) struct HidingSync<'ends>(&'ends PreviousRun);

impl SyncEnds {
    /// Of these, which come as readers sort them.
    fn of(runs: &[&PreviousRun]) -> Self {
        let times =
            runs.iter().filter_map(|run| run.ended_at.as_deref().and_then(timestamp::parse));
        let shown = runs.iter().rfind(|run| run.ended_at.is_some());
        Self { newest: times.max(), shown: shown.map(|run| (*run).clone()) }
    }

    /// The end of a sync that ends now. Readers show the one that ended last, so a clock that
    /// was set back must not hide the new one.
    pub(super) fn next(&self, now: OffsetDateTime) -> Result<String, HidingSync<'_>> {
        let after = self.newest.and_then(|newest| newest.checked_add(Duration::NANOSECOND));
        let end = timestamp::format(after.map_or(now, |after| now.max(after)));
        match &self.shown {
            Some(shown) if shown.is_shown_rather_than(&end) => Err(HidingSync(shown)),
            _ => Ok(end),
        }
    }
}

impl HidingSync<'_> {
    /// As an error of the file that holds it.
    pub(super) fn in_file(&self, path: &Path) -> Error {
        let PreviousRun { sync_id, ended_at, .. } = self.0;
        Error::Unfollowable {
            path: path.to_owned(),
            sync_id: shorten(sync_id, LONGEST_QUOTE),
            ended_at: shorten(ended_at.as_deref().unwrap_or_default(), LONGEST_QUOTE),
        }
    }
}

/// The longest that is quoted of a file, in bytes.
const LONGEST_QUOTE: usize = 80;

/// Checks that the database at `path`, unpacked from `target`, is sound and this connector's.
/// Returns its syncs.
fn check(target: &Path, path: &Path, own_types: &[&str]) -> Result<Vec<PreviousRun>, Error> {
    let damaged = |problem: String| Error::Damaged { path: target.to_owned(), problem };
    let system = || database::failure_to_read(path).map(Error::io("read", path));
    let unreadable = |error| system().unwrap_or_else(|| Error::reading(target)(error));
    let connection = database::open(path).map_err(unreadable)?;
    connection.pragma_update(None, "trusted_schema", "off").map_err(unreadable)?;
    if let Some(other) = other_than_table(&connection, "main").map_err(unreadable)? {
        return Err(Error::no_table(target, &other));
    }
    let verdict: String =
        connection.query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(unreadable)?;
    if verdict != "ok" {
        let broken = || damaged(format!("its database is broken: {verdict}"));
        return Err(system().unwrap_or_else(broken));
    }
    for table in ["v1_sync_runs", "v1_resource_types"] {
        if !connection.table_exists(None, table).map_err(unreadable)? {
            return Err(damaged(format!("its database has no table {table}")));
        }
    }
    let column = |sql: &str| -> rusqlite::Result<BTreeSet<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let types = column("select distinct external_id from v1_resource_types").map_err(unreadable)?;
    let foreign: Vec<_> =
        types.iter().map(String::as_str).filter(|id| !own_types.contains(id)).collect();
    if !foreign.is_empty() {
        return Err(Error::OtherConnector { path: target.to_owned(), types: foreign.join(", ") });
    }
    // Found out now, not when everything has been read that is to stand beside them.
    runs(&connection, "main").map_err(unreadable)
}

/// Copies the syncs of the unpacked `previous` that are kept beside the new sync `run`.
fn copy(
    connection: &Connection,
    previous: &Path,
    retention: Retention,
    run: &SyncRun,
) -> rusqlite::Result<CopiedSyncs> {
    attach(connection, previous, "previous")?;
    let runs = runs(connection, "previous")?;
    let kept = retained(&runs, retention, run);
    for table in TABLES {
        let columns = shared_columns(connection, table.name)?;
        if columns.is_empty() {
            continue;
        }
        let sql = format!(
            "insert into main.{name} ({columns}) select {columns} from previous.{name}
             where sync_id = ?1 order by id",
            name = table.name,
        );
        for run in &kept {
            connection.execute(&sql, params![run.sync_id])?;
        }
    }
    connection.execute_batch("detach database previous")?;
    let newest_full = kept.iter().rfind(|run| run.is_finished_full());
    let newest_full = newest_full.map(|run| run.sync_id.clone());
    let finished = |run: &&PreviousRun| run.ended_at.is_some();
    let removed =
        runs.iter().filter(finished).count() - kept.iter().filter(|run| finished(run)).count();
    Ok(CopiedSyncs { ends: SyncEnds::of(&kept), newest_full, removed })
}

/// A sync of the previous file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PreviousRun {
    sync_id: String,
    sync_type: String,
    started_at: String,
    ended_at: Option<String>,
    /// How the end is stored, which readers sort by first.
    end_is: SqlValue,
    token: SyncToken,
}

/// What a value is in a database: numbers come before texts, and those before bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SqlValue {
    NullOrNumber,
    Text,
    Bytes,
}

impl PreviousRun {
    /// Whether readers take it for newer than a sync with this end.
    fn is_shown_rather_than(&self, end: &str) -> bool {
        (self.end_is, self.ended_at.as_deref()) >= (SqlValue::Text, Some(end))
    }

    fn is_finished_full(&self) -> bool {
        self.ended_at.is_some() && self.sync_type == FULL
    }
}

/// All syncs of a database, oldest first by their end, as readers sort them.
fn runs(connection: &Connection, schema: &str) -> rusqlite::Result<Vec<PreviousRun>> {
    // Files from before 2024 have no sync types: every sync was full.
    let sync_type = if connection.column_exists(Some(schema), "v1_sync_runs", "sync_type")? {
        "sync_type"
    } else {
        "'full'"
    };
    connection
        .prepare(&format!(
            "select sync_id, {sync_type}, cast(started_at as text), cast(ended_at as text),
             cast(sync_token as text), typeof(ended_at)
             from {schema}.v1_sync_runs order by ended_at, sync_id"
        ))?
        .query_map([], |row| {
            Ok(PreviousRun {
                sync_id: row.get(0)?,
                sync_type: row.get(1)?,
                started_at: row.get(2)?,
                ended_at: row.get(3)?,
                end_is: match row.get_ref(5)?.as_str()? {
                    "text" => SqlValue::Text,
                    "blob" => SqlValue::Bytes,
                    _ => SqlValue::NullOrNumber,
                },
                token: SyncToken::parse(&row.get::<_, String>(4)?),
            })
        })?
        .collect()
}

/// So many finished full syncs a file keeps at least, where nobody says how many.
const LEAST: usize = 2;

/// Which syncs stay, by the rules of the Go SDK: so many finished full syncs, the
/// partial ones that aren't older than those, and unfinished ones that can be resumed.
///
/// Syncs that were reduced to the same are counted by themselves, so that none takes the
/// place of one that covers more; and what isn't provably this connector's stays.
fn retained<'runs>(
    runs: &'runs [PreviousRun],
    retention: Retention,
    new: &SyncRun,
) -> Vec<&'runs PreviousRun> {
    let is_ours = |run: &&PreviousRun| run.is_finished_full() && run.token.is_ours();
    let covers_the_same = |token: &SyncToken, other: &PreviousRun| {
        token.covers_the_same(other.token.reduced_to.as_deref(), &other.token.types)
    };
    let limit = |run: &PreviousRun| match retention {
        Retention::All => usize::MAX,
        Retention::Newest(limit) => limit,
        Retention::AsMany => {
            let alike = runs.iter().filter(is_ours);
            alike.filter(|other| covers_the_same(&run.token, other)).count().max(LEAST)
        }
    };
    if retention == Retention::All {
        return runs.iter().collect();
    }
    // How many finished full syncs follow that cover the same as `run`.
    let newer = |run: &PreviousRun| {
        let from_it = runs.iter().filter(is_ours).skip_while(|other| *other != run).skip(1);
        let alike = from_it.filter(|other| covers_the_same(&run.token, other));
        // One place is for the sync that is being written, if it is a full one.
        let is_like_new = new.sync_type == SyncType::Full
            && run.token.covers_the_same(new.reduced_to.as_deref(), &new.types);
        alike.count() + usize::from(is_like_new)
    };
    let is_dropped = |run: &PreviousRun| is_ours(&run) && newer(run) >= limit(run);
    let oldest_full = runs.iter().find(|run| is_ours(run) && !is_dropped(run));
    let drops = runs.iter().any(is_dropped);
    let oldest_resumable = timestamp::format(new.started_at - RESUMABLE);
    runs.iter()
        .filter(|run| match &run.ended_at {
            None => run.started_at >= oldest_resumable,
            Some(_) if run.is_finished_full() => !is_dropped(run),
            Some(ended_at) => {
                !drops || oldest_full.is_some_and(|oldest| *ended_at >= oldest.started_at)
            }
        })
        .collect()
}

/// The columns of a table that both databases have; older files lack some, which then take
/// their defaults.
fn shared_columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns: Vec<String> = connection
        .prepare(
            "select name from pragma_table_info(?1, 'main') where name in
             (select name from pragma_table_info(?1, 'previous')) order by cid",
        )?
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{PreviousRun, Retention, SqlValue, SyncRun, SyncToken, SyncType, retained};
    use time::macros::datetime;

    fn run(
        sync_id: &str,
        sync_type: &str,
        started_at: &str,
        ended_at: Option<&str>,
    ) -> PreviousRun {
        PreviousRun {
            sync_id: sync_id.into(),
            sync_type: sync_type.into(),
            started_at: started_at.into(),
            ended_at: ended_at.map(Into::into),
            end_is: SqlValue::Text,
            token: SyncToken::parse(r#"{"connector":"baton-northflank"}"#),
        }
    }

    fn reduced(mut run: PreviousRun, reduced_to: &str) -> PreviousRun {
        run.token.reduced_to = Some(reduced_to.into());
        run
    }

    fn kept_ids(runs: &[PreviousRun], retention: Retention) -> Vec<&str> {
        kept_beside(SyncType::Full, runs, retention)
    }

    fn kept_beside(sync_type: SyncType, runs: &[PreviousRun], retention: Retention) -> Vec<&str> {
        let started_at = datetime!(2026-11-24 00:00 UTC);
        let (sync_id, reduced_to, organization, profile_keys, types) = Default::default();
        let new = SyncRun {
            sync_id,
            sync_type,
            started_at,
            reduced_to,
            organization,
            profile_keys,
            types,
        };
        retained(runs, retention, &new).into_iter().map(|run| run.sync_id.as_str()).collect()
    }

    #[test]
    fn the_new_sync_takes_one_of_the_places_for_finished_full_syncs() {
        let runs = [
            run("1", "full", "2026-11-20 00:00:00", Some("2026-11-20 01:00:00")),
            run("2", "full", "2026-11-21 00:00:00", Some("2026-11-21 01:00:00")),
            run("3", "full", "2026-11-22 00:00:00", Some("2026-11-22 01:00:00")),
        ];
        assert_eq!(kept_ids(&runs, Retention::Newest(2)), ["3"]);
        assert_eq!(kept_ids(&runs, Retention::Newest(3)), ["2", "3"]);
        assert_eq!(kept_ids(&runs, Retention::Newest(1)), [""; 0]);
        assert_eq!(kept_ids(&runs, Retention::All), ["1", "2", "3"]);
        let beside = kept_beside(SyncType::Partial, &runs, Retention::Newest(2));
        assert_eq!(beside, ["2", "3"], "a partial sync takes no full one's place");
    }

    #[test]
    fn unfinished_syncs_stay_for_a_week_and_partial_ones_with_the_full_ones_they_follow() {
        let runs = [
            run("abandoned", "full", "2026-11-16 00:00:00", None),
            run("running", "full", "2026-11-18 00:00:00", None),
            run("1", "full", "2026-11-20 00:00:00", Some("2026-11-20 01:00:00")),
            run("old-part", "partial", "2026-11-20 02:00:00", Some("2026-11-20 03:00:00")),
            run("2", "full", "2026-11-21 00:00:00", Some("2026-11-21 01:00:00")),
            run("new-part", "partial", "2026-11-21 02:00:00", Some("2026-11-21 03:00:00")),
        ];
        assert_eq!(kept_ids(&runs, Retention::Newest(2)), ["running", "2", "new-part"]);
    }

    #[test]
    fn a_reduced_sync_takes_no_place_of_one_that_covers_more_nor_loses_its_own_to_it() {
        let runs = [
            run("whole", "full", "2026-11-20 00:00:00", Some("2026-11-20 01:00:00")),
            reduced(run("1", "full", "2026-11-21 00:00:00", Some("2026-11-21 01:00:00")), "user"),
            reduced(run("2", "full", "2026-11-22 00:00:00", Some("2026-11-22 01:00:00")), "user"),
            reduced(run("3", "full", "2026-11-23 00:00:00", Some("2026-11-23 01:00:00")), "user"),
            reduced(run("4", "full", "2026-11-23 02:00:00", Some("2026-11-23 03:00:00")), "role"),
        ];
        assert_eq!(kept_ids(&runs, Retention::Newest(2)), ["whole", "2", "3", "4"]);
        assert_eq!(kept_ids(&runs, Retention::Newest(1)), ["3", "4"]);
    }

    #[test]
    fn what_is_not_provably_ours_stays() {
        let day = |day: u8| {
            let (start, end) =
                (format!("2026-11-{day} 00:00:00"), format!("2026-11-{day} 01:00:00"));
            run(&day.to_string(), "full", &start, Some(&end))
        };
        let theirs = (20..23)
            .map(|it| PreviousRun { token: SyncToken::parse(r#"{"version":1}"#), ..day(it) });
        let runs: Vec<_> = theirs.chain([day(23), day(24)]).collect();
        assert_eq!(kept_ids(&runs, Retention::Newest(2)), ["20", "21", "22", "24"]);
    }

    #[test]
    fn a_history_is_kept_as_long_as_it_is_unless_somebody_says_how_long() {
        let day = |day: u8| {
            let (start, end) =
                (format!("2026-11-{day} 00:00:00"), format!("2026-11-{day} 01:00:00"));
            run(&day.to_string(), "full", &start, Some(&end))
        };
        let kept_of = |days: std::ops::Range<u8>| {
            let runs: Vec<_> = days.map(day).collect();
            kept_ids(&runs, Retention::DEFAULT).len()
        };
        // Beside the new one.
        assert_eq!((kept_of(10..10), kept_of(10..11), kept_of(10..12)), (0, 1, 1));
        assert_eq!((kept_of(10..13), kept_of(10..20)), (2, 9));
        // Of those that cover less by themselves.
        let less = (10..14).map(|it| reduced(day(it), "user"));
        let runs: Vec<_> = less.chain([day(20), day(21)]).collect();
        assert_eq!(kept_ids(&runs, Retention::DEFAULT), ["10", "11", "12", "13", "21"]);
    }
}
