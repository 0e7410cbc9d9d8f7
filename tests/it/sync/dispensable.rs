//! What a sync can do without never ends it, whatever it is: it is left out, and warned of once.
//! What can't be done without still does.

use crate::harness::TestDir;
use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::trial::organization;
use crate::harness::{Run, expected};
use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Rule};
use serde_json::{Value, json};

const LISTS: [Endpoint; 5] = [
    Endpoint::Members,
    Endpoint::Roles,
    Endpoint::Groups,
    Endpoint::RoleMembers,
    Endpoint::GroupMembers,
];

/// A run in which every row of every list is altered, and the file that it leaves.
fn synced(alter: impl Fn(&mut Value) + Clone + Send + 'static) -> (Run, SyncFile) {
    let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
    for list in LISTS {
        fake.script(Rule::every(list, every_row(alter.clone())));
    }
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.resource_keys(), expected::resources(&organization()));
    (run, file)
}

fn every_row(alter: impl Fn(&mut Value) + Send + 'static) -> Action {
    Action::alter_json(move |body| {
        for rows in body["data"].as_object_mut().unwrap().values_mut() {
            rows.as_array_mut().unwrap().iter_mut().for_each(&alter);
        }
    })
}

/// The answer's text with other words in it.
fn replaced(from: &'static str, to: &'static str) -> Action {
    Action::alter(move |answer| {
        let text = String::from_utf8(std::mem::take(&mut answer.body)).unwrap();
        answer.body = text.replace(from, to).into_bytes();
    })
}

/// The id of a member whose profile is full.
fn somebody() -> String {
    let members = organization().members;
    members.into_iter().find(|member| member.finalized && member.name.is_some()).unwrap().id
}

#[test]
fn fields_of_another_type_are_left_out_and_warned_of_once_each() {
    const FIELDS: [&str; 8] = [
        "createdAt",
        "description",
        "emails",
        "idpId",
        "joinedAt",
        "lastLoginTime",
        "name",
        "updatedAt",
    ];
    let key = format!("user:{}", somebody());
    for odd in [json!(7), json!(-0.5), json!({"a": [1]}), json!([[1]]), json!(true)] {
        let value = odd.clone();
        let (run, file) = synced(move |row| {
            for field in FIELDS {
                row[field] = value.clone();
            }
        });
        run.assert_warned_of(&FIELDS);
        assert_eq!(file.grants(), expected::grants(&organization()), "{odd}");
        let user = &file.resources()[&key];
        assert_eq!((user.display_name.as_str(), user.created_at), (&key["user:".len()..], None));
        assert_eq!(user.status.as_ref().unwrap().status, 1, "{odd}");
    }
    let (run, file) = synced(|row| row["restrictions"] = json!("all"));
    run.assert_warned_of(&["restrictions"]);
    assert_eq!(file.grants(), expected::grants(&organization()));
    // What nobody says is of no membership.
    let (run, file) = synced(|row| row["type"] = json!(1));
    run.assert_warned_of(&["type"]);
    let pairs =
        |grants: &std::collections::BTreeMap<String, _>| grants.keys().cloned().collect::<Vec<_>>();
    assert_eq!(pairs(&file.grants()), pairs(&expected::grants(&organization())));
}

#[test]
fn nobody_is_enabled_or_disabled_by_a_word_that_can_not_be_read() {
    for odd in [json!("true"), json!(1), json!([true]), json!({})] {
        let (run, file) = synced(move |row| row["finalized"] = odd.clone());
        run.assert_warned_of(&["finalized"]);
        for (key, user) in file.resources().iter().filter(|(key, _)| key.starts_with("user:")) {
            let status = user.status.as_ref().unwrap();
            assert_eq!(status.status, 0, "{key}");
            assert!(status.details.contains("can't be read"), "{key}: {}", status.details);
        }
    }
}

#[test]
fn one_address_that_can_not_be_read_costs_no_other() {
    let key = format!("user:{}", somebody());
    for odd in [json!(7), json!([]), json!({"address": 7}), json!({"address": ["a@b.test"]})] {
        let (run, file) = synced(move |row| {
            row["emails"] = json!([odd, {"address": "kept@acme.test", "verified": true}]);
        });
        run.assert_warned_of(&["emails"]);
        let profile = file.resources()[&key].profile.clone().unwrap();
        let email = profile.fields["email"].kind.clone().unwrap();
        assert_eq!(email, prost_types::value::Kind::StringValue("kept@acme.test".into()));
    }
    let (run, _) = synced(|row| {
        row["emails"] = json!([{"address": "kept@acme.test", "verified": "yes"}]);
    });
    run.assert_warned_of(&["verified"]);
    // Half a surrogate pair: the address is nobody's.
    let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
    for list in [Endpoint::Members, Endpoint::RoleMembers, Endpoint::GroupMembers] {
        fake.script(Rule::every(list, replaced("@", r"\ud83d@")));
    }
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    run.assert_warned_of(&["emails"]);
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&organization()));
    assert!(!file.resources()[&key].profile.clone().unwrap().fields.contains_key("email"));
}

#[test]
fn what_a_sync_can_not_do_without_ends_it_whatever_else_it_is() {
    for (list, field, odd) in [
        (Endpoint::Members, "id", json!(7)),
        (Endpoint::Roles, "id", json!({})),
        (Endpoint::Roles, "directoryGroups", json!("group")),
        (Endpoint::Roles, "directoryGroups", json!([7])),
        (Endpoint::Groups, "id", json!([])),
        (Endpoint::RoleMembers, "id", json!(true)),
        (Endpoint::GroupMembers, "id", json!(7)),
    ] {
        let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
        fake.script(Rule::every(list, every_row(move |row| row[field] = odd.clone())));
        let room = TestDir::new();
        room.connector_to(&fake)
            .run()
            .expect_failure(exit_code::UNKNOWN, &["not the JSON that the API documents"]);
        assert!(!room.file("sync.c1z").exists());
    }
    for pagination in [json!([]), json!({"hasNextPage": "true"}), json!({"cursor": 7})] {
        let action = Action::alter_json(move |body| body["pagination"] = pagination.clone());
        let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
        fake.script(Rule::every(Endpoint::RoleMembers, action));
        TestDir::new()
            .connector_to(&fake)
            .run()
            .expect_failure(exit_code::UNKNOWN, &["not the JSON"]);
    }
}

#[test]
fn a_key_that_stands_twice_ends_a_sync_only_where_it_is_read() {
    let unread = [
        (r#"{"data":{"#, r#"{"meta":{"a":1,"a":2},"meta":3,"data":{"x":1,"x":2,"#),
        (r#""id":"#, r#""trace":1,"trace":{"b":2,"b":2},"id":"#),
        (r#""pagination":{"#, r#""pagination":{"total":1,"total":2,"#),
    ];
    for (from, to) in unread {
        let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
        for list in LISTS {
            fake.script(Rule::every(list, replaced(from, to)));
        }
        let room = TestDir::new();
        let run = room.connector_to(&fake).run().expect_success();
        assert!(!run.stderr().contains("WARN"), "{}", run.stderr());
        let file = SyncFile::open(&room.file("sync.c1z"));
        assert_eq!(file.grants(), expected::grants(&organization()));
    }
    for (list, from, to) in [
        (Endpoint::Members, r#"{"data":{"#, r#"{"data":{"members":[],"#),
        (Endpoint::Groups, r#"{"data":{"#, r#"{"data":{},"data":{"#),
        (Endpoint::RoleMembers, r#""id":"#, r#""id":"ada","id":"#),
        (Endpoint::Roles, r#""id":"#, r#""directoryGroups":[],"directoryGroups":[],"id":"#),
        (Endpoint::GroupMembers, r#""id":"#, r#""name":"a","name":"b","id":"#),
        (Endpoint::Members, r#""pagination":{"#, r#""pagination":{"hasNextPage":false,"#),
    ] {
        let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
        fake.script(Rule::every(list, replaced(from, to)));
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &["not the JSON"]);
        assert!(!room.file("sync.c1z").exists(), "{to}");
    }
}
