//! `baton-northflank diff` agrees with the real `baton diff`, on our files and on those of
//! connectors written in Go.
//!
//! Needs Go; `.ci/run` runs these, and they fail where it is missing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::harness::Room;
use crate::harness::changes::{changed_demo, demo_after_logins};
use crate::harness::reader::{baton, baton_text, writer_of_2025};
use fake_northflank::{FakeNorthflank, Member, Options, Organization, Size};
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

/// Asserts that both say the same of the two newest syncs of `file`, but for users of which only
/// `baton diff` tells; returns how much changed.
fn assert_agreement(room: &Room, file: &Path, logged_in: &BTreeSet<String>) -> usize {
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
                assert!(expected.is_disjoint(logged_in), "{logged_in:?}");
                expected.extend(logged_in.iter().cloned());
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
        let room = Room::new();
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
fn files_of_connectors_in_go_are_compared_as_baton_does() {
    let room = Room::new();
    let file = room.file("go.c1z");
    let written = Command::new(writer_of_2025()).arg(&file).status().unwrap();
    assert!(written.success());
    assert!(assert_agreement(&room, &file, &BTreeSet::new()) >= 10);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn a_c1z3_file_as_baton_makes_it_is_refused_with_a_way_out() {
    let room = Room::new();
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
    run.expect_failure(3, &["C1Z3 file", "into a new file with --storage-engine sqlite"]);
}
