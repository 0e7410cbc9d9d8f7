//! The connector in Go that benchmarks measure ours against (`benches/peer`) writes what ours
//! does, so that the comparison is one of equals, and so that our files are what a connector
//! on baton-sdk would write.

use std::path::PathBuf;
use std::process::Command;

use fake_northflank::{FakeNorthflank, Options, Organization, Size};

use crate::harness::TestDir;
use crate::harness::reader::{peer, rows};
use crate::harness::sync_file::SyncFile;

fn organization() -> Organization {
    let size = Size { members: 430, roles: 26, groups: 9, memberships: 2_500 };
    Organization::generate(3, size)
}

/// What the Go connector writes with `arguments`.
fn written_in_go(room: &TestDir, fake: &FakeNorthflank, name: &str, arguments: &[&str]) -> PathBuf {
    let file = room.file(name);
    let output = Command::new(peer())
        .env_clear()
        .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
        .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
        .env("TMPDIR", room.path())
        .arg("--file")
        .arg(&file)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn the_go_connector_writes_the_same_rows_with_every_engine_and_number_of_workers() {
    let fake = FakeNorthflank::start(organization(), unlimited()).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let ours = rows(&room.file("sync.c1z"));
    for engine in ["sqlite", "pebble"] {
        for workers in ["0", "8"] {
            let arguments = ["--storage-engine", engine, "--workers", workers];
            let name = format!("{engine}-{workers}.c1z");
            let theirs = rows(&written_in_go(&room, &fake, &name, &arguments));
            for (id, row) in &ours {
                assert_eq!(theirs.get(id), Some(row), "{engine}, {workers} workers: {id}");
            }
            assert_eq!(theirs.len(), ours.len());
        }
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn the_go_connector_writes_the_same_rows_of_teams_their_roles_and_tokens() {
    let fake = FakeNorthflank::start(organization().with_teams(3, 3), unlimited()).unwrap();
    for besides in [&["--sync-teams"][..], &["--sync-secrets"], &["--sync-teams", "--sync-secrets"]]
    {
        let room = TestDir::new();
        room.connector_to(&fake).arguments(besides).run().expect_success();
        let ours = rows(&room.file("sync.c1z"));
        let arguments = [&["--storage-engine", "sqlite"], besides].concat();
        let theirs = written_in_go(&room, &fake, "go.c1z", &arguments);
        let written = rows(&theirs);
        for (id, row) in &ours {
            assert_eq!(written.get(id), Some(row), "{besides:?}: {id}");
        }
        assert_eq!(written.len(), ours.len(), "{besides:?}");
        let (ours, theirs) = (SyncFile::open(&room.file("sync.c1z")), SyncFile::open(&theirs));
        assert_eq!(ours.column(RESOURCES), theirs.column(RESOURCES), "{besides:?}");
        assert_eq!(ours.column(TYPES), theirs.column(TYPES), "{besides:?}");
    }
}

/// What differs nevertheless, and why, is told in `docs/sync-file.md`.
#[test]
#[ignore = "needs Go; .ci/run has it"]
fn tables_and_columns_are_those_of_baton_sdk() {
    let fake = FakeNorthflank::start(organization(), unlimited()).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let ours = SyncFile::open(&room.file("sync.c1z"));
    let theirs = written_in_go(&room, &fake, "go.c1z", &["--storage-engine", "sqlite"]);
    let theirs = SyncFile::open(&theirs);
    for (what, sql) in [
        ("schema", SCHEMA),
        ("resource types", TYPES),
        ("resources", RESOURCES),
        ("entitlements", ENTITLEMENTS),
        ("grants", GRANTS),
        ("run", RUN),
        ("assets", "select external_id from v1_assets"),
        ("sessions", "select key from v1_connector_sessions"),
    ] {
        assert_eq!(ours.column(sql), theirs.column(sql), "{what}");
    }
}

/// Each table's columns and each index's, with all that is said of them.
const SCHEMA: &str = "
    select t.name || ': ' || c.name || ' ' || lower(c.type) || ' ' || c.[notnull] || ' '
        || coalesce(c.dflt_value, '') || ' ' || c.pk
    from sqlite_schema t join pragma_table_info(t.name) c where t.type = 'table'
    union all
    select i.name || ' on ' || i.tbl_name || ': ' || group_concat(c.name)
        || iif(i.sql like '%unique%', ' unique', '') || iif(i.sql like '%where%', ' partial', '')
    from sqlite_schema i join pragma_index_info(i.name) c where i.type = 'index' group by i.name
    order by 1";

const TYPES: &str = "select external_id || hex(data) from v1_resource_types order by 1";

const RESOURCES: &str = "
    select external_id || ' ' || resource_type_id || ' ' || coalesce(parent_resource_type_id, '-')
        || ' ' || coalesce(parent_resource_id, '-') || ' ' || length(data)
    from v1_resources order by 1";

const ENTITLEMENTS: &str = "
    select external_id || ' ' || resource_type_id || ' ' || resource_id || ' ' || hex(data)
    from v1_entitlements order by 1";

const GRANTS: &str = "
    select external_id || ' ' || resource_type_id || ' ' || resource_id || ' ' || entitlement_id
        || ' ' || principal_resource_type_id || ' ' || principal_resource_id || ' '
        || coalesce(hex(expansion), '-') || ' ' || needs_expansion
    from v1_grants order by 1";

const RUN: &str = "
    select sync_type || ' ' || parent_sync_id || ' ' || linked_sync_id || ' ' || supports_diff || ' '
        || grants_backfilled || ' ' || (ended_at > started_at) || ' ' || length(sync_id) || ' '
        || json_extract(stats, '$.resources') || ' ' || json_extract(stats, '$.grants')
        || ' ' || json_extract(stats, '$.resources_by_resource_type')
        || ' ' || json_extract(stats, '$.entitlements_by_resource_type')
        || ' ' || json_extract(stats, '$.grants_by_resource_type')
    from v1_sync_runs";

fn unlimited() -> Options {
    Options { rate_limit: None, ..Options::default() }
}
