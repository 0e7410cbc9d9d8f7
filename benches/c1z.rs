//! What the sync file costs beyond its rows: encoding, inserting, indexing and compressing
//! through [`NewFile`], as a ratio to the same rows, already encoded, going through plain
//! prepared `SQLite` inserts into the same tables and indexes, and zstd at the same level.
//!
//! `cargo bench --bench c1z [-- GRANTS]`; a million grants unless told otherwise. Both sides
//! run in turns in one process, and the medians are compared.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use baton_northflank::baton::v2::{Grant, Resource, ResourceId};
use baton_northflank::c1z::{
    NewFile, PreviousFile, ProfileKeys, Retention, SyncRun, SyncType, Target,
};
use baton_northflank::connector::{
    GROUP, GROUP_MEMBER, GrantBuilder, HeldThrough, ROLE, ROLE_ASSIGNED, USER, entitlement,
    resource_types, unlisted_user,
};
use baton_northflank::work_dir::WorkDirectory;
use prost::Message;
use rusqlite::{Connection, params};
use time::OffsetDateTime;

type Failure = Box<dyn std::error::Error>;

const ROUNDS: usize = 3;
const CONTAINERS: usize = 1_000;

/// The organization's rows as messages.
struct Rows {
    users: Vec<Resource>,
    containers: Vec<Resource>,
    grants: Vec<Grant>,
}

fn main() -> Result<(), Failure> {
    // `cargo bench` adds flags of its own.
    let grants = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(1_000_000);
    let rows = Rows::new(grants);
    let directory = tempfile::tempdir()?;
    let mut ours = Vec::new();
    let mut plain = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let path = directory.path().join("ours.c1z");
        ours.push(timed(|| write(&rows, &path))?);
        let schema = Schema::of(&path, directory.path())?;
        let encoded = Encoded::new(&rows);
        for (order, times) in [IndexesBefore, IndexesAfter].into_iter().zip(&mut plain) {
            let database = directory.path().join("plain.db");
            times.push(timed(|| insert(&schema, &encoded, order, &database))?);
            std::fs::remove_file(&database)?;
        }
        std::fs::remove_file(&path)?;
    }
    let [before, after] = plain.map(median);
    let ours = median(ours);
    println!(
        "{} users, {CONTAINERS} roles and groups, {grants} grants; {ROUNDS} rounds",
        rows.users.len()
    );
    println!("encode, insert, index, compress:        {:>6.2} s", ours.as_secs_f64());
    for (name, plain) in [("before", before), ("after", after)] {
        println!(
            "plain inserts, indexes {name:<7}, and zstd: {:>6.2} s   ratio {:.2}",
            plain.as_secs_f64(),
            ours.as_secs_f64() / plain.as_secs_f64()
        );
    }
    Ok(())
}

impl Rows {
    fn new(grants: usize) -> Self {
        let users = (0..grants / 10)
            .map(|number| unlisted_user(&format!("user-{number:07}"), None, &[], None))
            .collect::<Vec<_>>();
        let containers = (0..CONTAINERS).map(|number| {
            let resource_type = if number < CONTAINERS / 2 { GROUP } else { ROLE };
            Resource {
                id: Some(ResourceId {
                    resource_type: resource_type.to_owned(),
                    resource: format!("container-{number:05}"),
                }),
                display_name: format!("Container {number}"),
                ..Resource::default()
            }
        });
        let each = grants / CONTAINERS;
        let grants = (0..grants).map(|number| {
            let (container, holder) = (number / each, number % each);
            // Holders of one container stand in order, as in a sync, but far apart.
            let user = format!("user-{:07}", holder * users.len() / each + container % 7);
            if container < CONTAINERS / 2 {
                let group = format!("container-{container:05}");
                GrantBuilder::new(&GROUP_MEMBER, &group).user_grant(
                    &user,
                    HeldThrough::Assignment,
                    &[],
                )
            } else {
                let role = GrantBuilder::new(&ROLE_ASSIGNED, &format!("container-{container:05}"));
                let group =
                    GrantBuilder::new(&GROUP_MEMBER, &format!("container-{:05}", container % 500));
                role.user_grant(&user, HeldThrough::Groups, &[&group])
            }
        });
        Self { containers: containers.collect(), grants: grants.collect(), users }
    }
}

fn write(rows: &Rows, path: &Path) -> Result<(), Failure> {
    let target = Target::inspect(path)?;
    let work = WorkDirectory::create(target.path())?;
    let previous = PreviousFile::open(&target, &work, &[GROUP, ROLE, USER])?;
    let run = SyncRun {
        sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP".to_owned(),
        sync_type: SyncType::Full,
        started_at: OffsetDateTime::now_utc(),
        reduced_to: None,
        organization: None,
        profile_keys: ProfileKeys::new(),
        types: Vec::new(),
    };
    let mut file = NewFile::create(&target, &work, &previous, Retention::DEFAULT, run)?;
    let mut inserts = file.inserts()?;
    for resource_type in &resource_types() {
        inserts.resource_type(resource_type)?;
    }
    for resource in rows.containers.iter().chain(&rows.users) {
        inserts.resource(resource)?;
    }
    for container in &rows.containers {
        let is_group = container.id.as_ref().is_some_and(|id| id.resource_type == GROUP);
        let spec = if is_group { &GROUP_MEMBER } else { &ROLE_ASSIGNED };
        inserts.entitlement(&entitlement(spec, container))?;
    }
    for grant in &rows.grants {
        inserts.grant(grant, None)?;
    }
    drop(inserts);
    file.pack()?.replace()?;
    Ok(())
}

/// The statements that make the tables and indexes, read from a finished file.
struct Schema {
    tables: Vec<String>,
    indexes: Vec<String>,
}

impl Schema {
    fn of(path: &Path, directory: &Path) -> Result<Self, Failure> {
        let database = directory.join("schema.db");
        let mut packed = File::open(path)?;
        packed.read_exact(&mut [0; 5])?;
        io::copy(&mut zstd::Decoder::new(packed)?, &mut File::create(&database)?)?;
        let connection = Connection::open(&database)?;
        let statements = |kind: &str| -> rusqlite::Result<Vec<String>> {
            connection
                .prepare("select sql from sqlite_master where type = ?1 and sql is not null")?
                .query_map([kind], |row| row.get(0))?
                .collect()
        };
        Ok(Self { tables: statements("table")?, indexes: statements("index")? })
    }
}

/// The rows of the large tables, ready to be bound.
struct Encoded {
    resources: Vec<(String, String, Vec<u8>)>,
    grants: Vec<EncodedGrant>,
}

struct EncodedGrant {
    resource: ResourceId,
    entitlement: String,
    principal: ResourceId,
    id: String,
    data: Vec<u8>,
}

impl Encoded {
    fn new(rows: &Rows) -> Self {
        let resources = rows.containers.iter().chain(&rows.users).filter_map(|resource| {
            let ResourceId { resource_type, resource: id } = resource.id.clone()?;
            let key = format!("{resource_type}:{id}");
            Some((resource_type, key, resource.encode_to_vec()))
        });
        let grants = rows.grants.iter().filter_map(|grant| {
            let entitlement = grant.entitlement.as_ref()?;
            Some(EncodedGrant {
                resource: entitlement.resource.clone()?.id?,
                entitlement: entitlement.id.clone(),
                principal: grant.principal.clone()?.id?,
                id: grant.id.clone(),
                data: grant.encode_to_vec(),
            })
        });
        Self { resources: resources.collect(), grants: grants.collect() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IndexOrder {
    IndexesBefore,
    IndexesAfter,
}
use IndexOrder::{IndexesAfter, IndexesBefore};

fn insert(
    schema: &Schema,
    rows: &Encoded,
    order: IndexOrder,
    database: &Path,
) -> Result<(), Failure> {
    let connection = Connection::open(database)?;
    for (pragma, value) in
        [("journal_mode", "off"), ("synchronous", "off"), ("cache_size", "-65536")]
    {
        connection.pragma_update(None, pragma, value)?;
    }
    for sql in &schema.tables {
        connection.execute_batch(sql)?;
    }
    let build = || schema.indexes.iter().try_for_each(|sql| connection.execute_batch(sql));
    if order == IndexesBefore {
        build()?;
    }
    connection.execute_batch("begin")?;
    let (sync_id, now) = ("3GAbcdefghijklmnopqrstuvwxy", "2026-11-24 02:03:04.123456789");
    let mut statement = connection.prepare(
        "insert into v1_resources (resource_type_id, external_id, data, sync_id, discovered_at)
         values (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (resource_type, key, data) in &rows.resources {
        statement.execute(params![resource_type, key, data, sync_id, now])?;
    }
    let mut statement = connection.prepare(
        "insert into v1_grants
         (resource_type_id, resource_id, entitlement_id, principal_resource_type_id,
          principal_resource_id, external_id, data, sync_id, discovered_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for grant in &rows.grants {
        statement.execute(params![
            grant.resource.resource_type,
            grant.resource.resource,
            grant.entitlement,
            grant.principal.resource_type,
            grant.principal.resource,
            grant.id,
            grant.data,
            sync_id,
            now
        ])?;
    }
    if order == IndexesAfter {
        build()?;
    }
    connection.execute_batch("commit")?;
    let packed = File::create(database.with_extension("zst"))?;
    zstd::stream::copy_encode(BufReader::new(File::open(database)?), &packed, 1)?;
    packed.sync_all()?;
    Ok(())
}

fn timed(run: impl FnOnce() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
