//! `baton-northflank diff` agrees with the real `baton diff`, on our files and on those of
//! connectors written in Go.
//!
//! Needs Go; `.ci/run` runs these, and they fail where it is missing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::harness::TestDir;
use crate::harness::changes::{changed_demo, demo_after_logins};
use crate::harness::exit_code;
use crate::harness::reader::{baton, baton_text, writer_of_2025};
use crate::harness::sync_file::{SyncFile, change};
use fake_northflank::{FakeNorthflank, Member, Options, Organization, Size};
use prost::Message;
use prost_types::value::Kind;
use serde_json::Value;

/// The ids in one bucket of a diff.
fn ids(diff: &Value, kind: &str, bucket: &str) -> BTreeSet<String> {
    // protobuf's JSON leaves empty lists out.
    let rows = diff[kind][bucket].as_array().cloned().unwrap_or_default();
    let id = |row: &Value| match (&row["id"], &row["resource_type"]) {
        (Value::String(id), _) => id.clone(),
        (Value::Object(id), _) => format!("{}:{}", id["resourceType"], id["resource"]),
        (_, resource_type) => format!("{resource_type}:{}", row["resource"]),
    };
    let found: BTreeSet<_> = rows.iter().map(id).collect();
    assert_eq!(found.len(), rows.len(), "no row twice");
    found
}

/// The members of both organizations that have only logged in: `baton diff` tells of them.
fn only_logged_in(before: &Organization, after: &Organization) -> BTreeSet<String> {
    let with_login_of_before = |member: &Member, login: &Option<String>| Member {
        last_login: login.clone(),
        ..member.clone()
    };
    let logged_in = after.members.iter().filter(|member| {
        before
            .members
            .iter()
            .any(|it| *it != **member && *it == with_login_of_before(member, &it.last_login))
    });
    logged_in.map(|member| format!("\"user\":\"{}\"", member.id)).collect()
}

/// Asserts that both say the same of the two newest syncs of `file`, but for resources that only
/// `baton diff` tells of; returns how much changed.
fn assert_agreement(room: &TestDir, file: &Path, only_theirs: &BTreeSet<String>) -> usize {
    let ours = room.connector().arguments(["diff", "--format", "json"]).arguments([file]).run();
    assert_eq!(ours.code(), Some(0), "{}", ours.stderr());
    let ours: Value = serde_json::from_str(ours.stdout()).unwrap();
    let theirs: Value = serde_json::from_str(&baton_text(file, &["diff"])).unwrap();
    let mut changes = 0;
    for kind in ["resources", "entitlements", "grants"] {
        for bucket in ["created", "modified", "deleted"] {
            let found = ids(&ours, kind, bucket);
            changes += found.len();
            let mut expected = found;
            if (kind, bucket) == ("resources", "modified") {
                assert!(expected.is_disjoint(only_theirs), "{only_theirs:?}");
                expected.extend(only_theirs.iter().cloned());
            }
            assert_eq!(expected, ids(&theirs, kind, bucket), "{kind} {bucket}");
        }
    }
    changes
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn our_files_are_compared_as_baton_does() {
    let size = |members, memberships| Size { members, roles: 14, groups: 9, memberships };
    for (before, after) in [
        (Organization::demo(), changed_demo()),
        (Organization::generate(3, size(430, 2_000)), Organization::generate(4, size(415, 1_900))),
        (Organization::demo(), Organization::demo()),
        (Organization::demo(), demo_after_logins()),
    ] {
        let room = TestDir::new();
        let logged_in = only_logged_in(&before, &after);
        let is_same = before == after || after == demo_after_logins();
        assert_eq!(after == demo_after_logins(), logged_in.len() > 10, "{logged_in:?}");
        for organization in [before, after] {
            let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
            room.connector_to(&fake).run().expect_success();
        }
        let changes = assert_agreement(&room, &room.file("sync.c1z"), &logged_in);
        assert_eq!(changes == 0, is_same, "{changes}");
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_tells_of_another_order_where_we_do_not() {
    let room = TestDir::new();
    let mut organization = Organization::demo();
    for turn in 0..2 {
        if turn == 1 {
            organization.members[0].emails.reverse();
            for role in &mut organization.roles {
                role.directory_groups.reverse();
                role.restrictions.teams.reverse();
            }
        }
        let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
        room.connector_to(&fake).run().expect_success();
    }
    // Sets are written in order: of these nobody tells.
    let file = room.file("sync.c1z");
    let address = "\"user\":\"ada-marlow\"".to_owned();
    assert_eq!(assert_agreement(&room, &file, &[address.clone()].into()), 0);
    // As this connector's former versions wrote them, they stand in Northflank's order.
    let mut role = SyncFile::open(&file).resources().remove("role:platform-eng").unwrap();
    let teams = role.profile.as_mut().and_then(|profile| profile.fields.get_mut("teams"));
    let Some(Kind::ListValue(teams)) = teams.and_then(|teams| teams.kind.as_mut()) else {
        panic!("no teams");
    };
    teams.values.reverse();
    let bytes: Vec<_> = role.encode_to_vec().iter().map(|it| format!("{it:02x}")).collect();
    let bytes = bytes.concat();
    change(
        &file,
        &format!(
            "update v1_resources set data = x'{bytes}' where external_id = 'role:platform-eng'
             and sync_id = (select sync_id from v1_sync_runs order by ended_at limit 1)"
        ),
    );
    let role = "\"role\":\"platform-eng\"".to_owned();
    assert_eq!(assert_agreement(&room, &file, &[address, role].into()), 0);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn files_of_connectors_in_go_are_compared_as_baton_does() {
    let room = TestDir::new();
    let file = room.file("go.c1z");
    let written = Command::new(writer_of_2025()).arg(&file).status().unwrap();
    assert!(written.success());
    assert!(assert_agreement(&room, &file, &BTreeSet::new()) >= 10);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn a_c1z3_file_as_baton_makes_it_is_refused_with_a_way_out() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    room.connector_to(&fake).run().expect_success();
    let output = Command::new(baton())
        .args(["to-pebble", "-f"])
        .arg(room.file("sync.c1z"))
        .arg("--out")
        .arg(room.file("pebble.c1z"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = room.connector().arguments(["diff", "sync.c1z", "pebble.c1z"]).run();
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["C1Z3 file", "into a new file with --storage-engine sqlite"],
    );
}
