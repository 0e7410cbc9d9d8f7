//! CSV by person and by resource, and the recipes that use it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::exit_code;
use crate::harness::{Run, TestDir};
use fake_northflank::{FakeNorthflank, Member, Options, Organization};
use serde_json::Value;

/// The demo's organization with somebody who holds nothing.
fn organization() -> Organization {
    let mut organization = Organization::demo();
    let somebody = organization.members[0].clone();
    let id = "holds-nothing".to_owned();
    organization.members.push(Member { id, emails: Vec::new(), ..somebody });
    organization
}

fn synced() -> TestDir {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
    room.connector_to(&fake).run().expect_success();
    room
}

fn access(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments([&["access"], arguments].concat()).run()
}

/// Rows by column. No cell of the demo's is quoted over several lines.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let header: Vec<_> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let row = |line: &str| {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for char in line.chars() {
            match char {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                char => cells.last_mut().unwrap().push(char),
            }
        }
        assert_eq!(cells.len(), header.len(), "{line}");
        header.iter().cloned().zip(cells).collect()
    };
    lines.map(row).collect()
}

#[test]
fn everybody_has_a_row_with_all_addresses_and_the_number_of_what_is_held() {
    let room = synced();
    let organization = organization();
    let people = access(&room, &["--format", "csv", "--rows", "people"]);
    assert_eq!((people.code(), people.stderr()), (Some(0), ""));
    let people = table(people.stdout());
    let json: Value = serde_json::from_str(access(&room, &["--format", "json"]).stdout()).unwrap();
    let grants = json["grants"].as_array().unwrap();
    let held = |id: &str| {
        grants.iter().filter(|grant| grant["principal"]["resource"] == id).count().to_string()
    };
    let without = json["people_without_access"].as_array().unwrap();
    assert!(!without.is_empty());
    let ids: Vec<_> = people.iter().map(|row| row["principal_id"].as_str()).collect();
    for person in without {
        assert!(ids.contains(&person["resource"].as_str().unwrap()), "{person}");
    }
    for row in &people {
        assert_eq!(row["held"], held(&row["principal_id"]), "{row:?}");
        assert_eq!(row["principal_type"], "user");
        assert_eq!(Some(row["sync_id"].as_str()), json["sync_id"].as_str());
    }
    for member in organization.members.iter().filter(|member| member.listed) {
        let row = people.iter().find(|row| row["principal_id"] == member.id).unwrap();
        for email in &member.emails {
            assert!(row["emails"].split(' ').any(|it| it == email.address), "{row:?}");
        }
        assert_eq!(row["joined_at"].is_empty(), member.joined_at.is_none(), "{row:?}");
    }
    let one = access(&room, &["--format", "csv", "--rows", "people", "--user", "ada-marlow"]);
    assert_eq!(table(one.stdout()).len(), 1);
}

#[test]
fn every_role_and_group_has_a_row_also_those_that_nobody_holds() {
    let room = synced();
    let organization = Organization::demo();
    let rows = access(&room, &["--format", "csv", "--rows", "resources"]);
    let rows = table(rows.stdout());
    assert_eq!(rows.len(), organization.roles.len() + organization.groups.len());
    let json: Value = serde_json::from_str(access(&room, &["--format", "json"]).stdout()).unwrap();
    for row in &rows {
        let held = json["grants"].as_array().unwrap().iter().filter(|grant| {
            let resource = &grant["entitlement"]["resource"];
            resource["resource"] == row["resource_id"].as_str()
                && resource["resource_type"] == row["resource_type"].as_str()
        });
        assert_eq!(row["holders"], held.count().to_string(), "{row:?}");
    }
    let grants = access(&room, &["--format", "csv", "--rows", "grants"]);
    assert_eq!(grants.stdout(), access(&room, &["--format", "csv"]).stdout());
    access(&room, &["--rows", "people"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["--rows is for --format csv"]);
    access(&room, &["--format", "csv", "--rows", "all"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["all"]);
}

/// The shell blocks of a page that say all of this.
fn recipe(page: &str, says: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut blocks = blocks.filter(|block| says.iter().all(|said| block.contains(said)));
    blocks.next().unwrap_or_else(|| panic!("{page} has no recipe with {says:?}")).to_owned()
}

fn shell(room: &TestDir, script: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_baton-northflank")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-euc", script]).env("PATH", path).current_dir(room.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs sqlite3 and jq; .ci/run runs it"]
fn the_recipes_find_leavers_and_strangers_by_address_and_a_database_is_made_twice() {
    let room = synced();
    let everybody = organization();
    let with_address = everybody.members.iter().filter(|it| it.listed && !it.emails.is_empty());
    let members: Vec<_> = with_address.collect();
    let mut leavers = "address\n".to_owned();
    for member in &members[..3] {
        // As people write them, and any of several.
        let address = member.emails.last().unwrap().address.to_uppercase();
        leavers.extend([&*address, " \n"]);
    }
    // No pattern, and nothing: the one is everybody's address, the other that of who has none.
    leavers.extend(["%@%\n", "\n", "____%\n"]);
    fs::write(room.file("leavers.csv"), leavers).unwrap();
    let found = shell(&room, &recipe("docs/access.md", &["leavers.csv"]));
    let ids: Vec<_> = found.lines().map(|line| line.split('|').next().unwrap()).collect();
    let mut expected: Vec<_> = members[..3].iter().map(|member| member.id.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);

    let idle = shell(&room, &recipe("docs/access.md", &["-90 days"]));
    assert!(idle.lines().count() > 0, "the demo's logins are of years ago");

    fs::copy(room.file("sync.c1z"), room.file("one.c1z")).unwrap();
    let mut other = organization();
    other.members.retain(|member| member.id != members[0].id);
    for group in &mut other.groups {
        let gone = fake_northflank::DirectoryUser::Account(members[0].id.clone());
        group.users.retain(|user| *user != gone);
    }
    for role in &mut other.roles {
        role.explicit.retain(|user| *user != members[0].id);
    }
    let fake = FakeNorthflank::start(other, Options::default()).unwrap();
    room.connector_to(&fake).arguments(["-f", "other.c1z"]).run().expect_success();
    let only = shell(&room, &recipe("docs/access.md", &["other.c1z"]));
    assert!(only.starts_with(&members[0].id) && only.lines().count() == 1, "{only}");

    let database = recipe("docs/access.md", &["access.db"]);
    let database = database.split("# Everything into a database\n").nth(1).unwrap();
    shell(&room, database);
    shell(&room, database);
    let count = shell(&room, "sqlite3 access.db 'select count(*) from access'");
    let grants = access(&room, &["--format", "csv"]);
    assert_eq!(count.trim(), (grants.stdout().lines().count() - 1).to_string());
}
