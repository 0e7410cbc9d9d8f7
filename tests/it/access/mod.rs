//! Who has access to what, as the binary tells it.

mod browser;
mod conformance;
mod csv_rows;
mod file;
mod foreign;
mod mistakes;
mod page;
mod rows;
mod tokens;

use fake_northflank::{FakeNorthflank, Options, Organization};
use serde_json::Value;

use crate::harness::expected::{self, ExpectedGrant};
use crate::harness::{Run, TestDir};

/// A room with a file `sync.c1z` of the organization.
fn synced(organization: &Organization) -> TestDir {
    let room = TestDir::new();
    sync(&room, organization);
    room
}

/// Adds a sync of the organization to the room's file.
fn sync(room: &TestDir, organization: &Organization) {
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    room.connector_to(&fake).run().expect_success();
}

/// What `access` says with `arguments`.
fn access(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments([&["access"], arguments].concat()).run()
}

/// What it prints.
fn printed(room: &TestDir, arguments: &[&str]) -> String {
    let run = access(room, arguments);
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    run.stdout().to_owned()
}

fn json(room: &TestDir, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(room, &[arguments, &["--format", "json"]].concat())).unwrap()
}

/// The ids of the grants that it tells of, sorted.
fn grants(told: &Value) -> Vec<String> {
    let grants = told["grants"].as_array().unwrap().iter();
    let mut ids: Vec<_> = grants.map(|grant| grant["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// The word for how a grant is held, worked out from what the fake served.
fn how(grant: &ExpectedGrant) -> &'static str {
    let is_direct = grant.sources.contains(&grant.entitlement);
    match (is_direct, grant.sources.len()) {
        (false, 1..) => "through",
        (true, 2..) => "direct+through",
        _ if grant.annotations.contains(&"GrantMetadata") => "implicit",
        _ if grant.principal.0 == "group" => "linked",
        _ if grant.entitlement.starts_with("group:") => "member",
        _ => "direct",
    }
}

/// The entitlements through which it is held, separated by blanks.
fn through(grant: &ExpectedGrant) -> String {
    let through = grant.sources.iter().filter(|source| **source != grant.entitlement);
    through.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The demo's organization with two roles that nothing explains and a link that leads nowhere.
fn puzzling() -> Organization {
    let mut organization = Organization::demo();
    for role in &mut organization.roles {
        if role.id == "auditor" {
            role.unexplained.push("vera-jansen".into());
            role.directory_groups.push("directory_group_0GONE".into());
        }
    }
    organization
}

/// All expected grants.
fn served(organization: &Organization) -> std::collections::BTreeMap<String, ExpectedGrant> {
    expected::grants(organization)
}
