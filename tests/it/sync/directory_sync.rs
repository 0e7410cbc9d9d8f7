//! Organizations without Directory Sync: what Northflank answers there to the question for
//! groups is documented nowhere.

use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Rule, Size};

use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::{Run, TestDir, expected};

const REFUSED: &str = "GET /v1/directory-groups: Northflank answered 404 Not Found";

fn served(organization: &Organization, status: u16) -> FakeNorthflank {
    let without_directory_sync = Some(status);
    let options = Options { without_directory_sync, rate_limit: None, ..Options::default() };
    FakeNorthflank::start(organization.clone(), options).unwrap()
}

fn run(fake: &FakeNorthflank, room: &TestDir, arguments: &[&str]) -> Run {
    room.connector_to(fake).arguments(arguments).run()
}

/// With more roles than two pages hold.
fn many_roles() -> Organization {
    let size = Size { members: 30, roles: 205, groups: 0, memberships: 400 };
    Organization::generate(3, size)
}

#[test]
fn a_refusal_that_no_link_contradicts_means_that_there_are_no_groups() {
    for organization in [Organization::demo().without_directory_sync(), many_roles()] {
        for status in [200, 400, 404, 409, 422] {
            let (fake, room) = (served(&organization, status), TestDir::new());
            let run = run(&fake, &room, &[]).expect_success();
            let said = run.stderr().matches("has no Directory Sync").count();
            assert_eq!(said, usize::from(status != 200), "{}", run.stderr());
            assert!(!run.stderr().contains("WARN"), "{}", run.stderr());
            let file = SyncFile::open(&room.file("sync.c1z"));
            assert_eq!(file.resource_keys(), expected::resources(&organization));
            assert_eq!(file.grants(), expected::grants(&organization));
            assert_eq!(fake.requests(), organization.requests());
            fake.assert_no_violations();
        }
    }
}

#[test]
fn a_refusal_with_another_reason_is_an_error() {
    let organization = Organization::demo().without_directory_sync();
    for (status, code, part) in [
        (401, 7, "directory groups (needs Organisation > Admin > Roles > Read)"),
        (403, 7, "directory groups (needs Organisation > Admin > Roles > Read)"),
        (408, 4, "408 Request Timeout"),
        (500, 14, "500 Internal Server Error"),
    ] {
        let (fake, room) = (served(&organization, status), TestDir::new());
        run(&fake, &room, &[]).expect_failure(code, &[part]);
        assert!(room.names().is_empty());
    }
}

#[test]
fn a_refusal_that_is_not_northflanks_own_is_an_error() {
    // No role is linked to its groups.
    let mut organization = Organization::demo();
    organization.roles.iter_mut().for_each(|role| role.directory_groups.clear());
    for status in [400, 404, 409, 410, 422] {
        for body in ["<html>no</html>", r#"{"message":"no Route matched"}"#, ""] {
            let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
            let answer = Action::Respond { status, headers: Vec::new(), body: body.into() };
            fake.script(Rule::every(Endpoint::Groups, answer).once());
            let room = TestDir::new();
            let part = format!("GET /v1/directory-groups: Northflank answered {status}");
            run(&fake, &room, &[]).expect_failure(exit_code::UNKNOWN, &[&part]);
            assert!(room.names().is_empty());
        }
    }
}

#[test]
fn where_a_role_is_linked_to_a_group_the_refusal_is_an_error() {
    let (fake, room) = (served(&Organization::demo(), 404), TestDir::new());
    run(&fake, &room, &[]).expect_failure(exit_code::UNKNOWN, &[REFUSED]);
    assert!(room.names().is_empty());
    // The link stands on the last page of the roles.
    let mut organization = many_roles();
    organization.roles[204].directory_groups = vec!["directory_group_1".into()];
    for arguments in [&[][..], &["--sync-resource-types", "user"], &["--sync-resource-types=role"]]
    {
        let (fake, room) = (served(&organization, 404), TestDir::new());
        run(&fake, &room, arguments).expect_failure(exit_code::UNKNOWN, &[REFUSED]);
        assert!(!room.file("sync.c1z").exists());
    }
}

#[test]
fn roles_that_a_selection_leaves_out_are_read_for_this_question_alone() {
    let organization = many_roles();
    let (fake, room) = (served(&organization, 404), TestDir::new());
    let run = run(&fake, &room, &["--sync-resource-types", "user,group"]).expect_success();
    assert!(run.stderr().contains("has no Directory Sync"), "{}", run.stderr());
    let asked = fake.requests_per_endpoint();
    assert_eq!((asked[&Endpoint::Roles], asked.get(&Endpoint::RoleMembers)), (3, None));
    let users = SyncFile::open(&room.file("sync.c1z")).resource_keys();
    assert!(users.iter().all(|key| key.starts_with("user:")), "{users:?}");
}

#[test]
fn an_interrupted_sync_asks_the_question_again() {
    let organization = many_roles();
    let mut linked = organization.clone();
    linked.roles[204].directory_groups = vec!["directory_group_1".into()];
    for after in [organization.clone(), linked] {
        let (fake, room) = (served(&organization, 404), TestDir::new());
        let error = Action::json(418, r#"{"error":{"status":418}}"#);
        fake.script(Rule::every(Endpoint::RoleMembers, error).after(20));
        run(&fake, &room, &["--workers", "0"]).expect_failure(exit_code::UNKNOWN, &["418"]);
        fake.unscript();
        fake.mutate(|organization| *organization = after.clone());
        let run = run(&fake, &room, &[]);
        if after == organization {
            run.expect_success();
            let file = SyncFile::open(&room.file("sync.c1z"));
            assert_eq!(file.grants(), expected::grants(&organization));
        } else {
            // Somebody has enabled it meanwhile.
            run.expect_failure(exit_code::UNKNOWN, &[REFUSED]);
        }
    }
}

#[test]
fn directory_users_without_an_account_who_have_a_members_address_are_counted() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    // One of each group's members comes without an id.
    let without_id = Action::alter_json(|body| {
        let rows = body["data"]["members"].as_array_mut().unwrap();
        if let Some(row) = rows.iter_mut().find(|row| row["id"].is_string()) {
            row.as_object_mut().unwrap().remove("id");
        }
    });
    fake.script(Rule::every(Endpoint::GroupMembers, without_id));
    let room = TestDir::new();
    let run = run(&fake, &room, &[]).expect_success();
    let lines: Vec<serde_json::Value> = run
        .stderr()
        .lines()
        .filter(|line| line.contains("directory users without a Northflank account"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 2, "{}", run.stderr());
    assert!(lines.iter().all(|line| line["with_address_of_a_member"] == 1), "{lines:?}");
    // One group has somebody who is no member either.
    let counts: Vec<_> = lines.iter().filter_map(|line| line["count"].as_u64()).collect();
    assert_eq!(counts.iter().filter(|count| **count == 2).count(), 1, "{counts:?}");
}
