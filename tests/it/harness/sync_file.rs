//! A sync file, unpacked by means of our own choosing and read with plain SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use baton_northflank::baton::v2::{Grant, GrantExpandable, Resource};
use prost::Message;
use rusqlite::Connection;

use super::expected::ExpectedGrant;

/// Rows by table: ids and messages, in the file's order.
pub type Content = BTreeMap<&'static str, Vec<(String, Vec<u8>)>>;

/// An unpacked sync file.
pub struct SyncFile {
    _scratch: tempfile::TempDir,
    pub connection: Connection,
}

impl SyncFile {
    pub fn open(path: &Path) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let database = scratch.path().join("sync.db");
        unpack(path, &database);
        let connection = Connection::open(database).unwrap();
        Self { _scratch: scratch, connection }
    }

    /// One column of a query, as text.
    pub fn column(&self, sql: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The ids of all syncs, the newest last.
    pub fn syncs(&self) -> Vec<String> {
        self.column("select sync_id from v1_sync_runs order by ended_at")
    }

    /// The newest sync's resources by key.
    pub fn resources(&self) -> BTreeMap<String, Resource> {
        let rows = self.newest("select external_id, data from v1_resources");
        rows.into_iter().map(|(id, data)| (id, Resource::decode(&*data).unwrap())).collect()
    }

    /// The keys of the newest sync's resources.
    pub fn resource_keys(&self) -> BTreeSet<String> {
        self.resources().into_keys().collect()
    }

    /// The newest sync's grants by id, with columns and message in agreement.
    pub fn grants(&self) -> BTreeMap<String, ExpectedGrant> {
        let mut expansions: BTreeMap<String, GrantExpandable> = self
            .newest("select external_id, expansion from v1_grants where expansion is not null")
            .into_iter()
            .map(|(id, data)| (id, GrantExpandable::decode(&*data).unwrap()))
            .collect();
        let rows = self.newest("select external_id, data from v1_grants");
        rows.into_iter()
            .map(|(id, data)| {
                let grant = Grant::decode(&*data).unwrap();
                assert_eq!(grant.id, id);
                let expansion = expansions.remove(&id);
                (id, plain(grant, expansion))
            })
            .collect()
    }

    /// All rows of the newest sync, which is finished. Two syncs of one organization have the
    /// same.
    pub fn content(&self) -> Content {
        let finished = "select sync_id from v1_sync_runs where ended_at is not null";
        assert_eq!(self.column(finished).len(), self.syncs().len());
        let rows = |table| {
            let sql = format!("select external_id, data from v1_{table}");
            (table, self.newest(&sql))
        };
        ["resource_types", "resources", "entitlements", "grants"].map(rows).into()
    }

    fn newest(&self, sql: &str) -> Vec<(String, Vec<u8>)> {
        let joint = if sql.contains(" where ") { "and" } else { "where" };
        let sql = format!(
            "{sql} {joint} sync_id =
             (select sync_id from v1_sync_runs order by ended_at desc limit 1) order by id"
        );
        let mut statement = self.connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn plain(grant: Grant, expansion: Option<GrantExpandable>) -> ExpectedGrant {
    let principal = grant.principal.unwrap().id.unwrap();
    let mut annotations: Vec<&'static str> = grant
        .annotations
        .iter()
        .map(|any| match any.type_url.as_str() {
            "type.googleapis.com/c1.connector.v2.GrantImmutable" => "GrantImmutable",
            "type.googleapis.com/c1.connector.v2.GrantMetadata" => "GrantMetadata",
            other => panic!("{other}"),
        })
        .collect();
    annotations.sort_unstable();
    let sources = grant.sources.map(|sources| sources.sources).unwrap_or_default();
    assert!(sources.values().all(|source| source.is_direct));
    ExpectedGrant {
        entitlement: grant.entitlement.unwrap().id,
        principal: (principal.resource_type, principal.resource),
        sources: sources.into_keys().collect(),
        annotations,
        expands: expansion.map(|mut expansion| {
            assert!(expansion.shallow);
            assert_eq!(expansion.resource_type_ids, ["user"]);
            assert_eq!(expansion.entitlement_ids.len(), 1);
            expansion.entitlement_ids.remove(0)
        }),
    }
}

/// Unpacks a sync file.
pub fn unpack(path: &Path, database: &Path) {
    let mut packed = File::open(path).unwrap();
    let mut magic = [0; 5];
    packed.read_exact(&mut magic).unwrap();
    assert_eq!(&magic, b"C1ZF\0");
    let mut decoder = zstd::Decoder::new(packed).unwrap();
    std::io::copy(&mut decoder, &mut File::create(database).unwrap()).unwrap();
}

/// Changes a sync file's database by SQL.
pub fn change(path: &Path, sql: &str) {
    let database = path.with_extension("db");
    unpack(path, &database);
    rusqlite::Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    pack(&database, path);
    std::fs::remove_file(database).unwrap();
}

/// Packs a database into a sync file.
pub fn pack(database: &Path, path: &Path) {
    let mut file = File::create(path).unwrap();
    file.write_all(b"C1ZF\0").unwrap();
    zstd::stream::copy_encode(File::open(database).unwrap(), file, 1).unwrap();
}
