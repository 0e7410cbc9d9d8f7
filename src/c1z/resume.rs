//! The resume store: what an interrupted run had read by then, found again by the next run
//! into the same target.
//!
//! It is the staging database itself, kept durable: a page and how far its list has come are
//! one transaction, on disk before the list's next page is asked for.

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use prost::Message;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use svix_ksuid::{Ksuid, KsuidLike};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::baton::v2::{Resource, ResourceId};

use crate::work::WorkDirectory;

use super::error::Error;
use super::file::Previous;
use super::staging::{self, Staging};
use super::target::Target;
use super::timestamp;

/// Raised whenever tables or their meaning change.
const LAYOUT: i32 = 1;

/// Older than this, a store tells of an organization that may have changed too much.
const LONGEST_AGE: Duration = Duration::DAY;

/// What a run must have in common with the one that it goes on from.
#[derive(Clone, Copy)]
pub struct Identity<'run> {
    /// What was to be read and from where, in any words.
    pub settings: &'run str,
    /// A digest of a salt and of whatever opens the organization.
    pub token_digest: &'run dyn Fn(&[u8]) -> [u8; 32],
    /// When this run began.
    pub now: OffsetDateTime,
}

/// What was found of an earlier run.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing that was worth keeping.
    Nothing,
    /// So many pages, which needn't be read again.
    Pages(u64),
    /// Something that can't be gone on from, and was removed.
    Discarded(Reason),
}

/// Why a store was discarded.
#[derive(Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller wants to begin anew.
    Unwanted,
    /// It can't be read.
    Damaged(String),
    /// Another version of the connector made it.
    OtherVersion,
    /// It was made for other settings.
    OtherSettings,
    /// It was made with another token.
    OtherToken,
    /// It is older than a day, or from the future.
    Old(OffsetDateTime),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwanted => formatter.write_str("starting over was asked for"),
            Self::Damaged(problem) => write!(formatter, "it is damaged ({problem})"),
            Self::OtherVersion => {
                formatter.write_str("it was made by another version of the connector")
            }
            Self::OtherSettings => formatter.write_str("it was made with other settings"),
            Self::OtherToken => formatter.write_str("it was made with another API token"),
            Self::Old(began) => {
                let began = timestamp::format(*began);
                write!(formatter, "it was begun at {began} UTC, which is not within the last day")
            }
        }
    }
}

impl Staging {
    /// Goes on from what an earlier run left in `work`, if `resume` is true and it was a run
    /// of the same kind whose sync `previous` hasn't got; begins anew otherwise.
    pub fn open(
        target: &Target,
        work: &WorkDirectory,
        previous: &Previous,
        identity: &Identity<'_>,
        resume: bool,
    ) -> Result<(Self, Found), Error> {
        let path = work.store();
        let target = target.path();
        let fail = Error::database(target);
        let mut found = Found::Nothing;
        if path.exists() {
            match Earlier::open(&path, identity, resume).map_err(fail)? {
                // Killed after saving: nothing is left to do with it.
                Earlier::Usable { sync_id, .. } if previous.has_sync(&sync_id) => {}
                Earlier::Usable { connection, sync_id, started_at, pages } => {
                    let staging = Self::new(connection, target, sync_id, started_at);
                    return Ok((staging, Found::Pages(pages)));
                }
                Earlier::Empty => {}
                Earlier::Unusable(reason) => found = Found::Discarded(reason),
            }
            work.remove_store()?;
        }
        let connection = Connection::open(&path).map_err(fail)?;
        let sync_id = Ksuid::new(Some(SystemTime::from(identity.now)), None).to_string();
        begin(&connection, identity, &sync_id).map_err(fail)?;
        Ok((Self::new(connection, target, sync_id, identity.now), found))
    }
}

/// The store of an earlier run.
enum Earlier {
    Usable { connection: Connection, sync_id: String, started_at: OffsetDateTime, pages: u64 },
    Empty,
    Unusable(Reason),
}

impl Earlier {
    /// Errors are the system's (a full disk, say), after which the store is to be kept.
    fn open(path: &Path, identity: &Identity<'_>, resume: bool) -> rusqlite::Result<Self> {
        if !resume {
            return Ok(Self::Unusable(Reason::Unwanted));
        }
        match Self::read(path, identity) {
            Err(error) if is_damage(&error) => {
                Ok(Self::Unusable(Reason::Damaged(error.to_string())))
            }
            outcome => outcome,
        }
    }

    fn read(path: &Path, identity: &Identity<'_>) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        staging::configure(&connection)?;
        let layout: i32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
        if layout == 0 {
            // A run that was stopped before it had even made the tables.
            return Ok(Self::Empty);
        }
        if layout != LAYOUT {
            return Ok(Self::Unusable(Reason::OtherVersion));
        }
        let verdict: String =
            connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Self::Unusable(Reason::Damaged(verdict)));
        }
        if let Some(contradiction) = contradiction(&connection)? {
            return Ok(Self::Unusable(Reason::Damaged(contradiction.to_owned())));
        }
        let run = connection
            .query_row(
                "select version, settings, salt, token, sync_id, started_at from run",
                [],
                |row| {
                    Ok(Run {
                        version: row.get(0)?,
                        settings: row.get(1)?,
                        salt: row.get(2)?,
                        token: row.get(3)?,
                        sync_id: row.get(4)?,
                        started_at: row.get(5)?,
                    })
                },
            )
            .optional()?;
        let pages = staging::count(&connection, "select coalesce(sum(pages), 0) from list", [])?;
        Ok(match run.map(|run| Ok((run.started_at_if_like(identity)?, run.sync_id))) {
            None => Self::Unusable(Reason::Damaged("it doesn't say what it is".to_owned())),
            Some(Err(reason)) => Self::Unusable(reason),
            Some(Ok(_)) if pages == 0 => Self::Empty,
            Some(Ok((started_at, sync_id))) => {
                Self::Usable { connection, sync_id, started_at, pages }
            }
        })
    }
}

/// What no run can have stored, if there is something. A database can be sound and its rows
/// not: nobody but the disk vouches for them.
fn contradiction(connection: &Connection) -> rusqlite::Result<Option<&'static str>> {
    for (sql, contradiction) in [
        (
            "select 1 from list where state not in (0, 1) or pages < 0",
            "a list is neither read nor unread",
        ),
        (
            "select 1 from membership where container not in (select number from resource)
             union all select 1 from link where container not in (select number from resource)",
            "something is held of nothing",
        ),
        (
            "select 1 from membership where principal not in (select id from resource)",
            "nobody holds something",
        ),
    ] {
        if connection.prepare(sql)?.exists([])? {
            return Ok(Some(contradiction));
        }
    }
    let mut statement = connection.prepare("select type, id, data from resource")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = ResourceId { resource_type: row.get(0)?, resource: row.get(1)? };
        let resource = Resource::decode(row.get_ref(2)?.as_blob()?).unwrap_or_default();
        if resource.id != Some(id) {
            return Ok(Some("a resource is not the one that it is stored as"));
        }
    }
    Ok(None)
}

/// What a store says of the run that made it.
struct Run {
    version: String,
    settings: String,
    salt: Vec<u8>,
    token: [u8; 32],
    sync_id: String,
    started_at: String,
}

impl Run {
    /// When it began, if a run of `identity` may go on from it.
    fn started_at_if_like(&self, identity: &Identity<'_>) -> Result<OffsetDateTime, Reason> {
        if self.version != env!("CARGO_PKG_VERSION") {
            return Err(Reason::OtherVersion);
        }
        if self.settings != identity.settings {
            return Err(Reason::OtherSettings);
        }
        if self.token != (identity.token_digest)(&self.salt) {
            return Err(Reason::OtherToken);
        }
        let started_at = OffsetDateTime::parse(&self.started_at, &Rfc3339)
            .map_err(|error| Reason::Damaged(error.to_string()))?;
        let age = identity.now - started_at;
        // A clock that runs a little behind is no reason to read everything again.
        if age > LONGEST_AGE || age < -Duration::HOUR {
            return Err(Reason::Old(started_at));
        }
        Ok(started_at)
    }
}

/// Whether an error tells of the file's content and not of the system around it.
fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown
        ),
        // A value of another type than the column's.
        None => true,
    }
}

fn begin(connection: &Connection, identity: &Identity<'_>, sync_id: &str) -> rusqlite::Result<()> {
    staging::configure(connection)?;
    let salt: [u8; 16] = connection.query_row("select randomblob(16)", [], |row| row.get(0))?;
    let started_at = identity
        .now
        .format(&Rfc3339)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let transaction = connection.unchecked_transaction()?;
    staging::create_tables(&transaction)?;
    transaction.execute_batch(
        "create table run (
             version text not null,
             settings text not null,
             salt blob not null,
             token blob not null,
             sync_id text not null,
             started_at text not null
         )",
    )?;
    transaction.execute(
        "insert into run (version, settings, salt, token, sync_id, started_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            env!("CARGO_PKG_VERSION"),
            identity.settings,
            salt,
            (identity.token_digest)(&salt),
            sync_id,
            started_at
        ],
    )?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::{Found, Identity, LAYOUT, Previous, Reason, Staging};
    use crate::c1z::file::{NewFile, Retention, SyncRun, SyncType};
    use crate::c1z::target::Target;
    use crate::work::WorkDirectory;
    use rusqlite::Connection;
    use std::path::PathBuf;
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        /// A place where a run of token 1 has read a page at [`NOW`].
        fn with_a_page() -> Self {
            let place = Self { directory: tempfile::tempdir().unwrap() };
            let (mut staging, found) = place.open("s", 1, NOW, true);
            assert_eq!(found, Found::Nothing);
            staging.change(|changes| changes.page("members", Some("next"))).unwrap();
            place
        }

        fn open(
            &self,
            settings: &str,
            token: u8,
            now: OffsetDateTime,
            resume: bool,
        ) -> (Staging, Found) {
            let digest = |salt: &[u8]| {
                let mut digest = [token; 32];
                digest[..salt.len()].copy_from_slice(salt);
                digest
            };
            let (target, work) = self.work();
            work.keep_store();
            let identity = Identity { settings, token_digest: &digest, now };
            let previous = Previous::open(&target, &work, &[]).unwrap();
            Staging::open(&target, &work, &previous, &identity, resume).unwrap()
        }

        fn work(&self) -> (Target, WorkDirectory) {
            let target = Target::inspect(&self.directory.path().join("sync.c1z")).unwrap();
            let work = WorkDirectory::create(target.path()).unwrap();
            (target, work)
        }

        fn store(&self) -> PathBuf {
            self.directory.path().join("sync.c1z.work/resume.db")
        }

        fn change(&self, sql: &str) {
            Connection::open(self.store()).unwrap().execute_batch(sql).unwrap();
        }

        fn reason(&self) -> Option<Reason> {
            match self.open("s", 1, NOW, true).1 {
                Found::Discarded(reason) => Some(reason),
                Found::Nothing | Found::Pages(_) => None,
            }
        }
    }

    #[test]
    fn a_run_of_the_same_kind_goes_on_where_the_one_before_ended() {
        let place = Place::with_a_page();
        let (staging, found) = place.open("s", 1, NOW + Duration::hours(5), true);
        assert_eq!(found, Found::Pages(1));
        assert_eq!(staging.started_at(), NOW);
        assert_eq!(staging.sync_id().len(), 27);
        assert_eq!(staging.next_page("members").unwrap(), Some(Some("next".to_owned())));
    }

    #[test]
    fn a_run_of_another_kind_begins_anew() {
        for (settings, token, now, resume, reason) in [
            ("s", 1, NOW, false, Reason::Unwanted),
            ("other", 1, NOW, true, Reason::OtherSettings),
            ("s", 2, NOW, true, Reason::OtherToken),
            ("s", 1, NOW + Duration::hours(25), true, Reason::Old(NOW)),
            ("s", 1, NOW - Duration::hours(2), true, Reason::Old(NOW)),
        ] {
            let place = Place::with_a_page();
            let (staging, found) = place.open(settings, token, now, resume);
            assert_eq!(found, Found::Discarded(reason));
            assert_eq!(staging.next_page("members").unwrap(), None);
        }
    }

    #[test]
    fn a_store_whose_sync_has_been_saved_is_spent() {
        let place = Place::with_a_page();
        let sync_id = place.open("s", 1, NOW, true).0.sync_id().to_owned();
        let (target, work) = place.work();
        work.keep_store();
        let run = SyncRun { sync_id, sync_type: SyncType::Full, started_at: NOW };
        let previous = Previous::open(&target, &work, &[]).unwrap();
        NewFile::create(&target, &work, &previous, Retention::DEFAULT, run)
            .unwrap()
            .save()
            .unwrap();
        drop(work);
        let (staging, found) = place.open("s", 1, NOW, true);
        assert_eq!(found, Found::Nothing);
        assert_eq!(staging.next_page("members").unwrap(), None);
    }

    #[test]
    fn a_store_of_another_version_is_discarded() {
        let place = Place::with_a_page();
        place.change("update run set version = '0.0.1'");
        assert_eq!(place.reason(), Some(Reason::OtherVersion));
        let place = Place::with_a_page();
        place.change(&format!("pragma user_version = {}", LAYOUT + 1));
        assert_eq!(place.reason(), Some(Reason::OtherVersion));
    }

    #[test]
    fn a_damaged_store_is_discarded() {
        for sql in [
            "delete from run",
            "drop table list",
            "update run set started_at = 'x'",
            "update list set state = 2",
            "insert into membership (container, principal, direct) values (7, 'ada', 1)",
            "insert into link values (7, 'eng')",
            "insert into resource (type, id, source, data) values ('role', 'r', '', x'ff')",
            "insert into resource (type, id, source, data) values ('role', 'r', '', x'')",
        ] {
            let place = Place::with_a_page();
            place.change(sql);
            assert!(matches!(place.reason(), Some(Reason::Damaged(_))), "{sql}");
        }
        let place = Place::with_a_page();
        std::fs::write(place.store(), b"this is no database at all, and long enough to tell")
            .unwrap();
        assert!(matches!(place.reason(), Some(Reason::Damaged(_))));
    }

    #[test]
    fn a_store_without_pages_is_nothing_to_speak_of() {
        let place = Place { directory: tempfile::tempdir().unwrap() };
        assert_eq!(place.open("s", 1, NOW, true).1, Found::Nothing);
        assert_eq!(place.open("s", 1, NOW, true).1, Found::Nothing);
        drop(place.open("s", 1, NOW, true));
        std::fs::write(place.store(), b"").unwrap();
        assert_eq!(place.reason(), None);
    }
}
