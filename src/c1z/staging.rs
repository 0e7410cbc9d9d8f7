//! Staging: what has been read so far, on disk, in the order in which the file needs it.
//!
//! Lists arrive page by page and side by side; rows of the file stand by type and id, and
//! grants are expanded over whole groups. Both need everything at hand, which a large
//! organization's memberships would not be in memory. It is also what an interrupted run
//! leaves to the next one.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};
use time::OffsetDateTime;

use crate::baton::v2::ResourceId;

use super::error::Error;

/// The page cache in KiB. Memberships arrive group by group and page by page in key order,
/// so that few pages are in use at once.
const CACHE_KIB: i64 = 24 * 1024;

/// Pages of 4 KiB that the write-ahead log may hold before they are moved to where they
/// belong. Many, because the same few are written over and over.
const CHECKPOINT_PAGES: i64 = 8 * 1024;

/// What has been read so far.
pub struct Staging {
    connection: Connection,
    target: PathBuf,
    sync_id: String,
    started_at: OffsetDateTime,
}

/// Where a resource's data comes from. The least wins, so that the order of reading doesn't
/// matter: a list of its own before the mention in another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(String);

impl Source {
    /// The list of all resources of the type.
    pub const LIST: Self = Self(String::new());

    /// The members of another resource.
    pub fn members_of(resource_type: &str, resource: &str) -> Self {
        Self(crate::baton::resource_key(resource_type, resource))
    }
}

/// A staged role or group, as [`Staging`] knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container(i64);

/// A resource whose entitlement is held by others, with its encoded message.
#[derive(Debug)]
pub struct StagedResource {
    /// Its number here.
    pub container: Container,
    /// Its id.
    pub id: String,
    /// The encoded `Resource`.
    pub data: Vec<u8>,
}

/// How somebody holds what a role or group gives, as its list says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    /// Added by hand.
    pub direct: bool,
    /// Another word of the list's for it.
    pub reported: Option<String>,
}

impl Staging {
    pub(super) fn new(
        connection: Connection,
        target: &Path,
        sync_id: String,
        started_at: OffsetDateTime,
    ) -> Self {
        Self { connection, target: target.to_owned(), sync_id, started_at }
    }

    /// The id of the sync that this becomes, a KSUID.
    pub fn sync_id(&self) -> &str {
        &self.sync_id
    }

    /// When the first page was asked for, maybe by an earlier run.
    pub fn started_at(&self) -> OffsetDateTime {
        self.started_at
    }

    /// The lists that were begun or found but not read to their ends, each with the cursor of
    /// its next page (`None` for the first).
    pub fn unread(&self) -> Result<Vec<(String, Option<String>)>, Error> {
        let mut lists = Vec::new();
        self.each(
            "select name, next from list where state = ?1 order by rowid",
            [ListState::Unread as i64],
            |row| -> Result<(), Stop<Error>> {
                lists.push((row.get(0)?, row.get(1)?));
                Ok(())
            },
        )?;
        Ok(lists)
    }

    /// Where a list that was begun or found is to be gone on with: the cursor of its next
    /// page, `Some(None)` for the first or after the last. `None` for a list never heard of.
    pub fn next_page(&self, list: &str) -> Result<Option<Option<String>>, Error> {
        self.connection
            .query_row("select next from list where name = ?1", [list], |row| row.get(0))
            .optional()
            .map_err(Error::database(&self.target))
    }

    /// How many resources of a type there are.
    pub fn count(&self, resource_type: &str) -> Result<u64, Error> {
        let sql = "select count(*) from resource where type = ?1";
        count(&self.connection, sql, [resource_type]).map_err(Error::database(&self.target))
    }

    /// How many memberships there are.
    pub fn memberships(&self) -> Result<u64, Error> {
        let sql = "select count(*) from membership";
        count(&self.connection, sql, []).map_err(Error::database(&self.target))
    }

    /// Runs `changes` as one transaction.
    pub fn change<T>(
        &mut self,
        changes: impl FnOnce(&Changes<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let fail = Error::database(&self.target);
        let transaction = self.connection.transaction().map_err(fail)?;
        let outcome = changes(&Changes(&transaction)).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(outcome)
    }

    /// Calls `each` with the encoded message of every resource of `resource_type` by id:
    /// those listed, and those that a role or group still mentions.
    pub fn each_resource<E: From<Error>>(
        &self,
        resource_type: &str,
        mut each: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(
            "select id, data from resource
             where type = ?1 and (source = '' or id in (select principal from membership))
             order by id",
            params![resource_type],
            |row| each(text(row, 0)?, blob(row, 1)?).map_err(Stop::Caller),
        )
    }

    /// The resources of `resource_type` that others hold something of, in the order of the
    /// ids of their entitlements.
    pub fn containers(&self, resource_type: &str) -> Result<Vec<Container>, Error> {
        let mut containers = Vec::new();
        self.each(
            // Entitlement ids go on with a colon after the resource's id.
            "select number from resource where type = ?1 order by id || ':'",
            params![resource_type],
            |row| -> Result<(), Stop<Error>> {
                containers.push(Container(row.get(0)?));
                Ok(())
            },
        )?;
        Ok(containers)
    }

    /// A staged role or group.
    pub fn resource(&self, container: Container) -> Result<StagedResource, Error> {
        self.connection
            .prepare_cached("select id, data from resource where number = ?1")
            .and_then(|mut statement| {
                statement.query_row([container.0], |row| {
                    Ok(StagedResource { container, id: row.get(0)?, data: row.get(1)? })
                })
            })
            .map_err(Error::database(&self.target))
    }

    /// Calls `each` with everybody who holds what `container` gives, by id.
    pub fn each_holder<E: From<Error>>(
        &self,
        container: Container,
        mut each: impl FnMut(&str, Holding) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(
            "select principal, direct, reported from membership
             where container = ?1 order by principal",
            [container.0],
            |row| {
                let holding = Holding { direct: row.get(1)?, reported: row.get(2)? };
                each(text(row, 0)?, holding).map_err(Stop::Caller)
            },
        )
    }

    /// Whether `principal` holds what `container` gives.
    pub fn holds(&self, container: Container, principal: &str) -> Result<bool, Error> {
        self.connection
            .prepare_cached("select 1 from membership where container = ?1 and principal = ?2")
            .and_then(|mut statement| statement.exists(params![container.0, principal]))
            .map_err(Error::database(&self.target))
    }

    /// How many holders of `part` don't hold `whole`.
    pub fn missing_holders(&self, part: Container, whole: Container) -> Result<u64, Error> {
        let sql = "select count(*) from membership as inner where container = ?1 and not exists (
                       select 1 from membership
                       where container = ?2 and principal = inner.principal)";
        count(&self.connection, sql, [part.0, whole.0]).map_err(Error::database(&self.target))
    }

    /// The ids of the groups linked to `container`, by id, with the staged group where there
    /// is one of that type.
    pub fn linked(
        &self,
        container: Container,
        group_type: &str,
    ) -> Result<Vec<(String, Option<Container>)>, Error> {
        let mut linked = Vec::new();
        self.each(
            "select link.linked, resource.number from link
             left join resource on resource.type = ?2 and resource.id = link.linked
             where link.container = ?1 order by link.linked",
            params![container.0, group_type],
            |row| -> Result<(), Stop<Error>> {
                linked.push((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Container)));
                Ok(())
            },
        )?;
        Ok(linked)
    }

    fn each<E: From<Error>>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        mut each: impl FnMut(&Row<'_>) -> Result<(), Stop<E>>,
    ) -> Result<(), E> {
        let run = || -> Result<(), Stop<E>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            Ok(())
        };
        run().map_err(|stop| match stop {
            Stop::Caller(error) => error,
            Stop::Database(error) => Error::database(&self.target)(error).into(),
        })
    }
}

/// Why a walk over rows ended early.
enum Stop<E> {
    Caller(E),
    Database(rusqlite::Error),
}

impl<E> From<rusqlite::Error> for Stop<E> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// How far a list has been read.
#[derive(Debug, Clone, Copy)]
enum ListState {
    Unread = 0,
    Read = 1,
}

/// Changes of one transaction. Repeating any of them changes nothing.
pub struct Changes<'staging>(&'staging Connection);

impl Changes<'_> {
    /// A list that is to be read, unless it has been already.
    pub fn list(&self, name: &str) -> rusqlite::Result<()> {
        self.0.prepare_cached("insert or ignore into list (name) values (?1)")?.execute([name])?;
        Ok(())
    }

    /// A page of a list has been read; `next` is the cursor of the one after it, if there is
    /// one.
    pub fn page(&self, list: &str, next: Option<&str>) -> rusqlite::Result<()> {
        let state = if next.is_some() { ListState::Unread } else { ListState::Read };
        self.0
            .prepare_cached(
                "insert into list (name, next, state, pages) values (?1, ?2, ?3, 1)
                 on conflict (name) do update set next = ?2, state = ?3, pages = pages + 1",
            )?
            .execute(params![list, next, state as i64])?;
        Ok(())
    }

    /// Stages a resource with the message that `data` encodes, unless a better source has told
    /// of it or it was dropped. Of one source the last word counts: lists can shift between
    /// pages and repeat rows.
    pub fn resource(
        &self,
        id: &ResourceId,
        source: &Source,
        data: impl FnOnce() -> Vec<u8>,
    ) -> rusqlite::Result<()> {
        let id = [&id.resource_type, &id.resource];
        let (known, is_dropped): (Option<String>, bool) = self
            .0
            .prepare_cached(
                "select (select source from resource where type = ?1 and id = ?2),
                        exists (select 1 from dropped where type = ?1 and id = ?2)",
            )?
            .query_row(id, |row| Ok((row.get(0)?, row.get(1)?)))?;
        if is_dropped || known.is_some_and(|known| *known < *source.0) {
            return Ok(());
        }
        // Without a query in it: SQLite guards a statement that writes what it queries by a
        // journal of its own.
        self.0
            .prepare_cached(
                "insert into resource (type, id, source, data) values (?1, ?2, ?3, ?4)
                 on conflict (type, id) do update set source = ?3, data = ?4",
            )?
            .execute(params![id[0], id[1], source.0, data()])?;
        Ok(())
    }

    /// The staged role or group `id`, if there is one.
    pub fn container(&self, id: &ResourceId) -> rusqlite::Result<Option<Container>> {
        self.0
            .prepare_cached("select number from resource where type = ?1 and id = ?2")?
            .query_row([&id.resource_type, &id.resource], |row| row.get(0).map(Container))
            .optional()
    }

    /// Stages that `principal` holds what `container` gives. What several rows say of the
    /// same holder adds up.
    pub fn holder(
        &self,
        container: Container,
        principal: &str,
        holding: &Holding,
    ) -> rusqlite::Result<()> {
        self.0
            .prepare_cached(
                "insert into membership (container, principal, direct, reported)
                 values (?1, ?2, ?3, ?4)
                 on conflict (container, principal) do update set
                 direct = max(direct, excluded.direct),
                 reported = min(coalesce(reported, excluded.reported),
                                coalesce(excluded.reported, reported))",
            )?
            .execute(params![container.0, principal, holding.direct, holding.reported])?;
        Ok(())
    }

    /// Stages that the members of the group `linked` hold what `container` gives.
    pub fn link(&self, container: Container, linked: &str) -> rusqlite::Result<()> {
        self.0
            .prepare_cached("insert or ignore into link (container, linked) values (?1, ?2)")?
            .execute(params![container.0, linked])?;
        Ok(())
    }

    /// Forgets the links of `container`, before a newer row's are staged.
    pub fn unlink(&self, container: Container) -> rusqlite::Result<()> {
        self.0.prepare_cached("delete from link where container = ?1")?.execute([container.0])?;
        Ok(())
    }

    /// Drops a role or group and everything that it gives, for good: a list that shifts between
    /// pages can name it again.
    pub fn drop_resource(&self, id: &ResourceId) -> rusqlite::Result<()> {
        self.0.execute(
            "insert or ignore into dropped (type, id) values (?1, ?2)",
            [&id.resource_type, &id.resource],
        )?;
        let Some(container) = self.container(id)? else {
            return Ok(());
        };
        for sql in [
            "delete from membership where container = ?1",
            "delete from link where container = ?1",
            "delete from resource where number = ?1",
        ] {
            self.0.execute(sql, [container.0])?;
        }
        Ok(())
    }
}

/// Sets a connection up so that what is committed survives the loss of power.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Without other connections a write-ahead log needs no shared memory.
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

pub(super) fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "create table resource (
             number integer primary key,
             type text not null,
             id text not null,
             source text not null,
             data blob not null,
             unique (type, id)
         );
         create table membership (
             container integer not null,
             principal text not null,
             direct integer not null,
             reported text,
             primary key (container, principal)
         ) without rowid;
         create table link (
             container integer not null,
             linked text not null,
             primary key (container, linked)
         ) without rowid;
         create table dropped (
             type text not null,
             id text not null,
             primary key (type, id)
         ) without rowid;
         create table list (
             name text not null primary key,
             next text,
             state integer not null default 0,
             pages integer not null default 0
         );",
    )
}

/// The number that a query counts, which is never negative.
pub(super) fn count(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<u64> {
    let count: i64 = connection.query_row(sql, parameters, |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn text<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn blob<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row [u8]> {
    Ok(row.get_ref(column)?.as_blob()?)
}

#[cfg(test)]
mod tests {
    use super::{Error, Holding, Source, Staging};
    use crate::baton::v2::ResourceId;
    use crate::c1z::file::Previous;
    use crate::c1z::resume::Identity;
    use crate::c1z::target::Target;
    use crate::work::WorkDirectory;
    use time::OffsetDateTime;

    fn id(resource_type: &str, resource: &str) -> ResourceId {
        ResourceId { resource_type: resource_type.into(), resource: resource.into() }
    }

    fn staging() -> (tempfile::TempDir, WorkDirectory, Staging) {
        let directory = tempfile::tempdir().unwrap();
        let target = Target::inspect(&directory.path().join("sync.c1z")).unwrap();
        let work = WorkDirectory::create(target.path()).unwrap();
        let identity =
            Identity { settings: "", token_digest: &|_| [0; 32], now: OffsetDateTime::UNIX_EPOCH };
        let previous = Previous::open(&target, &work, &[]).unwrap();
        let (staging, _) = Staging::open(&target, &work, &previous, &identity, true).unwrap();
        (directory, work, staging)
    }

    fn users(staging: &Staging) -> Vec<(String, Vec<u8>)> {
        let mut users = Vec::new();
        staging
            .each_resource("user", |id, data| {
                users.push((id.to_owned(), data.to_vec()));
                Ok::<_, Error>(())
            })
            .unwrap();
        users
    }

    #[test]
    fn the_better_source_wins_whichever_comes_first() {
        let sources =
            [Source::members_of("role", "b"), Source::LIST, Source::members_of("role", "a")];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let (_directory, _work, mut staging) = staging();
            staging
                .change(|changes| {
                    for index in order {
                        let data = vec![u8::try_from(index).unwrap()];
                        changes.resource(&id("user", "ada"), &sources[index], || data)?;
                    }
                    // What is not wanted is not even made.
                    changes.resource(&id("user", "ada"), &sources[2], || unreachable!())
                })
                .unwrap();
            assert_eq!(users(&staging), [("ada".to_owned(), vec![1])]);
        }
    }

    #[test]
    fn somebody_whom_only_a_dropped_role_mentioned_is_gone_with_it() {
        let (_directory, _work, mut staging) = staging();
        staging
            .change(|changes| {
                changes.resource(&id("user", "ada"), &Source::LIST, Vec::new)?;
                for (role, user) in [("kept", "bob"), ("gone", "bob"), ("gone", "cyd")] {
                    changes.resource(&id("role", role), &Source::LIST, Vec::new)?;
                    let source = Source::members_of("role", role);
                    changes.resource(&id("user", user), &source, Vec::new)?;
                    let container = changes.container(&id("role", role))?.unwrap();
                    changes.holder(container, user, &Holding::default())?;
                }
                changes.drop_resource(&id("role", "gone"))?;
                changes.drop_resource(&id("role", "never-there"))
            })
            .unwrap();
        let ids: Vec<_> = users(&staging).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["ada", "bob"]);
        assert_eq!(staging.containers("role").unwrap().len(), 1);
    }

    #[test]
    fn two_rows_of_one_holder_add_up() {
        let (_directory, _work, mut staging) = staging();
        let container = staging
            .change(|changes| {
                changes.resource(&id("role", "r"), &Source::LIST, Vec::new)?;
                let container = changes.container(&id("role", "r"))?.unwrap();
                let reported = |text: &str| Some(text.to_owned());
                for holding in [
                    Holding { direct: false, reported: reported("implicit") },
                    Holding { direct: true, reported: None },
                    Holding { direct: false, reported: reported("other") },
                ] {
                    changes.holder(container, "ada", &holding)?;
                }
                Ok(container)
            })
            .unwrap();
        let mut holders = Vec::new();
        staging
            .each_holder(container, |id, holding| {
                holders.push((id.to_owned(), holding));
                Ok::<_, Error>(())
            })
            .unwrap();
        let both = Holding { direct: true, reported: Some("implicit".to_owned()) };
        assert_eq!(holders, [("ada".to_owned(), both)]);
    }

    #[test]
    fn lists_are_unread_until_their_last_page() {
        let (_directory, _work, mut staging) = staging();
        staging
            .change(|changes| {
                changes.page("roles", None)?;
                for name in ["role:a", "role:b", "role:c"] {
                    changes.list(name)?;
                }
                changes.page("role:b", Some("cursor"))?;
                changes.page("role:c", None)?;
                // Found again, because the list of roles shifted.
                ["role:b", "role:c"].into_iter().try_for_each(|name| changes.list(name))
            })
            .unwrap();
        let unread = staging.unread().unwrap();
        let cursor = Some("cursor".to_owned());
        assert_eq!(unread, [("role:a".to_owned(), None), ("role:b".to_owned(), cursor)]);
        assert_eq!(staging.next_page("roles").unwrap(), Some(None));
        assert_eq!(staging.next_page("members").unwrap(), None);
    }

    #[test]
    fn a_dropped_role_stays_dropped_when_a_page_names_it_again() {
        let (_directory, _work, mut staging) = staging();
        staging
            .change(|changes| {
                changes.drop_resource(&id("role", "gone"))?;
                changes.resource(&id("role", "gone"), &Source::LIST, Vec::new)?;
                changes.resource(&id("role", "kept"), &Source::LIST, Vec::new)
            })
            .unwrap();
        let roles = staging.containers("role").unwrap().into_iter();
        let roles: Vec<_> = roles.map(|role| staging.resource(role).unwrap().id).collect();
        assert_eq!(roles, ["kept"]);
    }

    #[test]
    fn containers_stand_in_the_order_of_their_entitlements_ids() {
        let (_directory, _work, mut staging) = staging();
        staging
            .change(|changes| {
                for role in ["a", "a-b", "a.b", "aa"] {
                    changes.resource(&id("role", role), &Source::LIST, Vec::new)?;
                }
                Ok(())
            })
            .unwrap();
        let ids = staging.containers("role").unwrap().into_iter();
        let ids: Vec<_> = ids.map(|role| staging.resource(role).unwrap().id).collect();
        let mut sorted = ids.clone();
        sorted.sort_by_key(|id| format!("role:{id}:assigned"));
        assert_eq!(ids, sorted);
        assert_eq!(ids, ["a-b", "a.b", "a", "aa"]);
    }
}
