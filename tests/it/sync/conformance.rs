//! Readers that we did not write read our files, and show what the fake API served: every
//! id, every field, every grant with its sources.
//!
//! Needs Go; `.ci/run` runs these, and they fail where it is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::reader::{baton, baton_json, baton_text, read_with_sdk_of_2025};
use crate::harness::{TestDir, WAIT, expected, free_port, shown, wait_until};
use fake_northflank::{FakeNorthflank, Options, Organization, Size};
use serde_json::{Value, json};

fn generated() -> Organization {
    let size = Size { members: 430, roles: 14, groups: 9, memberships: 2_000 };
    Organization::generate(3, size)
}

/// A file with what `organization` holds.
fn synced(organization: &Organization) -> (TestDir, PathBuf) {
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    let file = room.file("sync.c1z");
    (room, file)
}

/// Part `part` of each of `rows`, by what `key` says of it, each once.
fn by_id(rows: &Value, part: &str, key: impl Fn(&Value) -> String) -> BTreeMap<String, Value> {
    let rows = rows.as_array().unwrap();
    let map: BTreeMap<_, _> = rows.iter().map(|row| (key(&row[part]), row[part].clone())).collect();
    assert_eq!(map.len(), rows.len(), "no row twice");
    map
}

fn resource_key(resource: &Value) -> String {
    let text = |key: &str| resource["id"][key].as_str().unwrap().to_owned();
    format!("{}:{}", text("resourceType"), text("resource"))
}

fn id(message: &Value) -> String {
    message["id"].as_str().unwrap().to_owned()
}

fn keys(map: &BTreeMap<String, Value>) -> BTreeSet<String> {
    map.keys().cloned().collect()
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_shows_every_row_with_every_field() {
    for organization in [Organization::demo(), generated()] {
        let (_room, file) = synced(&organization);
        let types = baton_json(&file, &["resource-types"]);
        assert_eq!(by_id(&types["resourceTypes"], "resourceType", id), shown::resource_types());

        let resources = baton_json(&file, &["resources"]);
        let resources = by_id(&resources["resources"], "resource", resource_key);
        assert_same(&resources, &shown::resources(&organization));
        for resource_type in ["user", "role", "group"] {
            let some = baton_json(&file, &["resources", "-t", resource_type]);
            let some = keys(&by_id(&some["resources"], "resource", resource_key));
            let prefix = format!("{resource_type}:");
            let expected: BTreeSet<_> =
                resources.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
            assert_eq!(some, expected);
        }

        let entitlements = baton_json(&file, &["entitlements"]);
        let entitlements = by_id(&entitlements["entitlements"], "entitlement", id);
        assert_same(&entitlements, &shown::entitlements(&organization));

        let rows = baton_json(&file, &["grants"]);
        let grants = by_id(&rows["grants"], "grant", id);
        assert_same(&grants, &shown::grants(&organization));
        // Nothing dangles: baton finds what every grant names.
        for row in rows["grants"].as_array().unwrap() {
            assert_eq!(id(&row["entitlement"]), id(&row["grant"]["entitlement"]));
            assert!(row["entitlement"]["slug"].is_string(), "{row}");
            assert_eq!(row["principal"]["id"], row["grant"]["principal"]["id"]);
            assert!(row["principal"]["displayName"].is_string(), "{row}");
        }
    }
}

/// The demo's organization with its teams and tokens, and a directory with a sync of it.
fn demo_with_teams() -> (TestDir, Organization) {
    let organization = Organization::demo().with_teams_of_the_demo();
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    let room = TestDir::new();
    let all = ["--sync-teams", "--sync-secrets"];
    room.connector_to(&fake).arguments(all).run().expect_success();
    (room, organization)
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_shows_teams_their_roles_and_tokens() {
    let (room, organization) = demo_with_teams();
    let file = room.file("sync.c1z");
    let types = baton_json(&file, &["resource-types"]);
    let types = by_id(&types["resourceTypes"], "resourceType", id);
    let traits = ["team", "team-role", "api-token"].map(|it| types[it]["traits"].clone());
    assert_eq!(traits, ["TRAIT_GROUP", "TRAIT_ROLE", "TRAIT_SECRET"].map(|it| json!([it])));
    let resources = baton_json(&file, &["resources"]);
    let resources = by_id(&resources["resources"], "resource", resource_key);
    let mut expected = expected::resources_with_teams(&organization);
    expected.extend(expected::tokens(&organization));
    assert_eq!(keys(&resources), expected);
    let parent = &resources["team-role:core-infra/admin"]["parentResourceId"];
    assert_eq!(*parent, json!({"resourceType": "team", "resource": "core-infra"}));
    let token = &resources["api-token:core-infra/ci"]["annotations"][0];
    assert_eq!(token["createdById"], json!({"resourceType": "user", "resource": "daniel-weiss"}));
    let grants = baton_json(&file, &["grants"]);
    let grants = by_id(&grants["grants"], "grant", id);
    let held = expected::grants_with_teams(&organization).into_keys();
    assert_eq!(keys(&grants), held.collect());
}

/// `baton explorer`, which answers what its page asks.
struct Explorer {
    process: Child,
    port: u16,
}

impl Explorer {
    fn of(file: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new(baton());
        command.args(["explorer", "--port", &port.to_string(), "-f"]).arg(file);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let explorer = Self { process: command.spawn().unwrap(), port };
        wait_until("the explorer", WAIT, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        explorer
    }

    /// Status and body of an answer.
    fn ask(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET /api/{path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    }

    /// What a successful answer holds.
    fn data(&self, path: &str) -> Value {
        let (status, body) = self.ask(path);
        assert_eq!(status, "200", "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["data"].take()
    }
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn the_explorer_shows_teams_and_tokens_and_who_is_in_a_team() {
    let (room, organization) = demo_with_teams();
    let explorer = Explorer::of(&room.file("sync.c1z"));
    let key = |resource: &Value| {
        let text = |key: &str| resource["id"][key].as_str().unwrap().to_owned();
        format!("{}:{}", text("resource_type"), text("resource"))
    };
    let mut expected = expected::resources_with_teams(&organization);
    expected.extend(expected::tokens(&organization));
    for resource_type in ["team", "team-role", "api-token", "user"] {
        let listed = explorer.data(&format!("resources?resource_type_id={resource_type}"));
        let listed = listed["resources"].as_array().unwrap();
        let listed: BTreeSet<_> = listed.iter().map(|row| key(&row["resource"])).collect();
        let prefix = format!("{resource_type}:");
        let expected = expected.iter().filter(|key| key.starts_with(&prefix));
        assert_eq!(listed, expected.cloned().collect());
    }
    let grants = expected::grants_with_teams(&organization);
    let team = explorer.data("grants/team/core-infra");
    let in_it: BTreeSet<_> =
        team["access"].as_array().unwrap().iter().map(|row| key(&row["resource"])).collect();
    let held = grants.values().filter(|grant| grant.entitlement == "team:core-infra:member");
    assert_eq!(in_it, held.map(|grant| format!("user:{}", grant.principal.1)).collect());
    let access = explorer.data("access/user/daniel-weiss");
    let held: BTreeSet<_> = access["access"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row["entitlements"].as_array().unwrap())
        .map(id)
        .collect();
    let expected = grants.values().filter(|grant| grant.principal.1 == "daniel-weiss");
    assert_eq!(held, expected.map(|grant| grant.entitlement.clone()).collect());
    assert!(held.contains("team-role:core-infra/admin:assigned"), "{held:?}");
    // What has a slash in its id it shows among others only, as docs/sync.md says.
    assert_eq!(explorer.ask("team/core-infra").0, "200");
    assert_eq!(explorer.ask("team-role/core-infra%2Fadmin").0, "301");
}

/// Compares row by row, so that a difference is readable.
fn assert_same(shown: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>) {
    assert_eq!(keys(shown), keys(expected));
    for (key, value) in shown {
        assert_eq!(value, &expected[key], "{key}");
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_tells_who_has_what_and_what_somebody_has() {
    let organization = Organization::demo();
    let (_room, file) = synced(&organization);
    let user = shown::busiest_user(&organization);
    let access = baton_json(&file, &["access", "-t", "user", "-r", &user]);
    assert_eq!(resource_key(&access["principal"]), format!("user:{user}"));
    let held: BTreeSet<String> = access["access"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row["entitlements"].as_array().unwrap())
        .map(id)
        .collect();
    assert_eq!(held, shown::held_by(&organization, &user));

    let grants = expected::grants(&organization);
    for entitlement in grants.values().map(|grant| &grant.entitlement).collect::<BTreeSet<_>>() {
        let principals = baton_json(&file, &["principals", "-e", entitlement]);
        let principals = by_id(&principals["resources"], "resource", resource_key);
        let holders = grants.values().filter(|grant| grant.entitlement == *entitlement);
        let expected: BTreeSet<_> =
            holders.map(|grant| format!("{}:{}", grant.principal.0, grant.principal.1)).collect();
        assert_eq!(keys(&principals), expected, "{entitlement}");
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_counts_what_the_file_says_it_holds() {
    let organization = generated();
    let (_room, file) = synced(&organization);
    let count = |prefix: &str, keys: BTreeSet<String>| {
        keys.iter().filter(|key| key.starts_with(prefix)).count().to_string()
    };
    let resources = keys(&shown::resources(&organization));
    let grants = keys(&shown::grants(&organization));
    let expected = json!({
        "resourceTypes": "3",
        "resources": resources.len().to_string(),
        "entitlements": (organization.roles.len() + organization.groups.len()).to_string(),
        "grants": grants.len().to_string(),
        "resourcesByResourceType": {
            "group": count("group:", resources.clone()),
            "role": count("role:", resources.clone()),
            "user": count("user:", resources),
        },
        "entitlementsByResourceType": {
            "group": organization.groups.len().to_string(),
            "role": organization.roles.len().to_string(),
        },
        "grantsByResourceType": {
            "group": count("group:", grants.clone()),
            "role": count("role:", grants),
        },
    });
    let stats = baton_json(&file, &["stats"]);
    assert_eq!(stats["stats"], expected);
    assert_eq!(stats["syncType"], "full");
    // Counted anew, by a reader that doesn't take our word for it.
    baton_text(&file, &["recalculate-stats"]);
    assert_eq!(baton_json(&file, &["stats"])["stats"], expected);
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_sees_both_syncs_and_what_changed_between_them() {
    let mut organization = Organization::demo();
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    let room = TestDir::new();
    let file = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    room.connector_to(&fake).run().expect_success();
    let unchanged = baton_json(&file, &["diff"]);
    assert_eq!(unchanged, json!({"resources": {}, "entitlements": {}, "grants": {}}));

    let before = organization.clone();
    organization.roles.remove(0);
    organization.members[1].name = Some("Somebody Else".into());
    let newcomer = organization.members[2].id.clone();
    let role = organization.roles.iter_mut().find(|role| !role.explicit.contains(&newcomer));
    role.expect("a role without the newcomer").explicit.push(newcomer);
    let now = organization.clone();
    fake.mutate(move |served| *served = now.clone());
    room.connector_to(&fake).run().expect_success();

    let syncs = baton_json(&file, &["syncs"]);
    assert_eq!(syncs["syncs"].as_array().unwrap().len(), 2, "older syncs go");
    let diff = baton_json(&file, &["diff"]);
    check_diff(&diff["resources"], &shown::resources(&before), &shown::resources(&organization));
    check_diff(
        &diff["entitlements"],
        &shown::entitlements(&before),
        &shown::entitlements(&organization),
    );
    check_diff(&diff["grants"], &shown::grants(&before), &shown::grants(&organization));
}

/// `diff` must hold exactly what differs between the two sets of rows.
fn check_diff(diff: &Value, before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    let rows = |part: &str| -> BTreeSet<String> {
        let rows = diff[part].as_array().map_or(&[][..], Vec::as_slice);
        let key = |row: &Value| if row["id"].is_object() { resource_key(row) } else { id(row) };
        rows.iter().map(key).collect()
    };
    let (old, new) = (keys(before), keys(after));
    assert_eq!(rows("created"), new.difference(&old).cloned().collect());
    assert_eq!(rows("deleted"), old.difference(&new).cloned().collect());
    let modified = old.intersection(&new).filter(|key| before[*key] != after[*key]);
    assert_eq!(rows("modified"), modified.cloned().collect());
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn baton_exports_the_newest_sync_and_tables_of_it() {
    let organization = Organization::demo();
    let (room, file) = synced(&organization);
    let exported = room.file("latest.c1z");
    baton_text(&file, &["export", "c1z", "--out", text(&exported)]);
    let grants = baton_json(&exported, &["grants"]);
    assert_same(&by_id(&grants["grants"], "grant", id), &shown::grants(&organization));
    let table = room.file("sync.csv");
    baton_text(&file, &["export", "csv", "--out", text(&table)]);
    let table = std::fs::read_to_string(table).unwrap();
    for member in organization.members.iter().filter(|member| member.listed) {
        let primary = member.emails.iter().find(|email| email.verified);
        let address = &primary.or(member.emails.first()).unwrap().address;
        assert!(table.contains(address.as_str()), "{address}");
    }
    for role in &organization.roles {
        assert!(table.contains(&role.name), "{}", role.name);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn an_sdk_of_2025_reads_the_same() {
    let organization = generated();
    let (_room, file) = synced(&organization);
    let mut read: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (kind, message) in read_with_sdk_of_2025(&file) {
        let key = if kind == "resource" { resource_key(&message) } else { id(&message) };
        let twice = read.entry(kind).or_default().insert(key, message);
        assert_eq!(twice, None);
    }
    assert_eq!(read["resource_type"], shown::resource_types());
    // It knows the traits, not the same facts on the resource, which came in 2026.
    let mut resources = shown::resources(&organization);
    for resource in resources.values_mut().filter_map(Value::as_object_mut) {
        for newer in ["profile", "status", "createdAt"] {
            resource.remove(newer);
        }
    }
    assert_same(&read["resource"], &resources);
    assert_same(&read["entitlement"], &shown::entitlements(&organization));
    // It knows a grant's sources, not the word of 2026 on whether each is direct.
    let mut grants = shown::grants(&organization);
    for sources in grants.values_mut().filter_map(|it| it.pointer_mut("/sources/sources")) {
        for source in sources.as_object_mut().unwrap().values_mut() {
            *source = json!({});
        }
    }
    assert_same(&read["grant"], &grants);
}
