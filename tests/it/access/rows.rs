//! Every format tells of every grant that the fake served, and of no other.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use fake_northflank::{FakeNorthflank, Options, Organization, Size};
use serde_json::Value;

use super::{access, grants, how, json, printed, puzzling, served, synced, through};
use crate::harness::TestDir;
use crate::harness::exit_code;

fn organizations() -> [Organization; 2] {
    let size = Size { members: 230, roles: 14, groups: 9, memberships: 1_500 };
    [puzzling(), Organization::generate(5, size)]
}

#[test]
fn json_tells_of_every_grant_that_was_served_with_its_way() {
    for organization in organizations() {
        let told = json(&synced(&organization), &[]);
        let served = served(&organization);
        assert_eq!(grants(&told), served.keys().cloned().collect::<Vec<_>>());
        for grant in told["grants"].as_array().unwrap() {
            let expected = &served[grant["id"].as_str().unwrap()];
            assert_eq!(grant["how"], how(expected), "{grant}");
            assert_eq!(grant["entitlement"]["id"], expected.entitlement.as_str());
            assert_eq!(grant["principal"]["resource_type"], expected.principal.0.as_str());
            assert_eq!(grant["principal"]["resource"], expected.principal.1.as_str());
            let sources = grant["through"].as_array().unwrap().iter();
            let sources: Vec<_> = sources.map(|it| it["id"].as_str().unwrap()).collect();
            assert_eq!(sources.join(" "), through(expected));
        }
    }
}

#[test]
fn who_holds_nothing_and_what_nobody_holds_is_told_too() {
    let told = json(&synced(&Organization::demo()), &[]);
    let names = |list: &str| -> Vec<String> {
        let list = told[list].as_array().unwrap().iter();
        list.map(|it| it["resource"].as_str().unwrap().to_owned()).collect()
    };
    let mut idle = names("people_without_access");
    idle.sort();
    let held: Vec<_> =
        served(&Organization::demo()).into_values().map(|it| it.principal.1).collect();
    let members = Organization::demo().members.into_iter().map(|member| member.id);
    let mut expected: Vec<_> = members.filter(|id| !held.contains(id)).collect();
    expected.sort();
    assert_eq!(idle, expected);
    let contractors = "directory_group_01HZX3M9Q2T7V5W8Y0EXTERNAL";
    let mut empty = names("resources_without_holders");
    empty.sort();
    assert_eq!(empty, ["auditor", contractors], "a group that holds a role, and has no members");
}

#[test]
fn whoever_holds_something_else_is_not_said_to_hold_nothing() {
    let room = synced(&Organization::demo());
    let group = "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0";
    for (arguments, words, summary) in [
        (
            &["--user", "ada-marlow", "--role", "viewer"][..],
            "holds nothing of role Viewer",
            "1 person holds nothing of role Viewer",
        ),
        (
            &["--user", "ada-marlow", "--role", "viewer", "--role", "auditor"],
            "holds nothing of role Viewer or role Auditor",
            "1 person holds nothing of role Viewer or role Auditor",
        ),
        (
            &["--user", "ada-marlow", "--group", group],
            "holds nothing of or through group On call",
            "1 person holds nothing of or through group On call",
        ),
        (
            &["--user", "ada-marlow", "--role", "owner", "--group", group],
            "holds nothing of role Owner through group On call",
            "1 person holds nothing of role Owner through group On call",
        ),
        (
            &["--role", "viewer", "--group", group],
            "nobody holds it through group On call",
            "1 held by nobody through group On call",
        ),
    ] {
        let table = printed(&room, arguments);
        assert!(table.contains(&format!("\n  {words}\n")), "{table}");
        assert!(table.contains(&format!("; {summary}\n")), "{table}");
        let markdown = printed(&room, &[arguments, &["--format", "markdown"]].concat());
        assert!(markdown.contains(&format!("; {summary}\n")), "{markdown}");
        let page = printed(&room, &[arguments, &["--format", "html"]].concat());
        assert!(!page.contains("Holds nothing.") && !page.contains("Held by nobody."), "{page}");
    }
    // The group has members, and was asked for only as a way to the role.
    let told = json(&room, &["--role", "owner", "--group", group]);
    assert_eq!(told["resources_without_holders"].as_array().unwrap().len(), 1);
    assert!(printed(&room, &["--role", "auditor"]).contains("\n  nobody holds it\n"));
}

#[test]
fn what_has_the_name_of_another_has_its_id_beside_it_in_every_form_for_people() {
    let mut organization = Organization::demo();
    organization.roles[0].name = "Helpdesk".into();
    organization.roles[4].name = "Help\u{200b}desk".into();
    organization.groups[0].name = "Desk".into();
    organization.groups[3].name = "Desk".into();
    organization.members[1].name = organization.members[0].name.clone();
    let [engineering, support] = [0, 3].map(|group| organization.groups[group].id.clone());
    let room = synced(&organization);
    let table = printed(&room, &[]);
    for part in [
        "role Helpdesk (owner)".to_owned(),
        "role Help\u{200b}desk (viewer)".to_owned(),
        format!("through group Desk ({engineering})"),
        format!("through group Desk ({support})"),
        format!("group Desk ({engineering})  member"),
        "role Billing Operations".to_owned(),
    ] {
        assert!(table.contains(&part), "{part}: {table}");
    }
    assert!(!table.contains("Billing Operations ("), "{table}");
    let markdown = printed(&room, &["--format", "markdown"]);
    assert!(markdown.contains("| role Helpdesk (owner) |"), "{markdown}");
    assert!(markdown.contains("group Desk (directory\\_group"), "{markdown}");
    let page = printed(&room, &["--format", "html"]);
    for part in [
        // A column, a choice, a bar, a stop, what somebody holds, who holds it.
        ">Helpdesk (owner)</a></th>".to_owned(),
        ">Helpdesk (owner)</option>".to_owned(),
        format!(">Desk ({support})</option>"),
        "<title>Helpdesk (owner): ".to_owned(),
        format!("<title>Desk ({engineering}): "),
        ">Ada Marlow (ben-okafor)</a>".to_owned(),
        format!("through group Desk ({engineering})"),
    ] {
        assert!(page.contains(&part), "{part}");
    }
    let page = printed(&room, &["--role", "owner", "--format", "html"]);
    assert!(page.contains("<bdi>role Helpdesk (owner)</bdi>"), "{page}");
    let none = printed(&room, &["--user", "ben-okafor", "--role", "viewer"]);
    assert!(none.contains("holds nothing of role Help\u{200b}desk (viewer)"), "{none}");
    // Names stay what they are where programs read them.
    let csv = printed(&room, &["--format", "csv"]);
    assert!(csv.contains(",role,owner,Helpdesk,assigned,"), "{csv}");
    assert!(!printed(&room, &["--format", "json"]).contains("Helpdesk ("));
}

#[test]
fn grants_stand_in_the_files_order_however_ids_are_given() {
    let room = synced(&Organization::demo());
    let order = |arguments: &[&str]| -> Vec<String> {
        let told = json(&room, arguments);
        let ids = told["grants"].as_array().unwrap().iter();
        ids.map(|grant| grant["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = order(&[]);
    for (flag, ids) in [
        ("--role", ["viewer", "owner", "billing-ops"]),
        ("--user", ["vera-jansen", "ada-marlow", "priya-raman"]),
    ] {
        let arguments: Vec<_> = ids.iter().flat_map(|id| [flag, *id]).collect();
        let backwards: Vec<_> = ids.iter().rev().flat_map(|id| [flag, *id]).collect();
        let told = order(&arguments);
        assert!(told.len() > 2);
        assert_eq!(told, order(&backwards));
        let expected: Vec<_> = all.iter().filter(|id| told.contains(id)).cloned().collect();
        assert_eq!(told, expected);
        let csv = printed(&room, &[&arguments[..], &["--format", "csv"]].concat());
        let rows: Vec<_> = csv.split("\r\n").skip(1).filter(|row| !row.is_empty()).collect();
        for (row, id) in rows.iter().zip(&told) {
            assert!(row.contains(id.as_str()), "{row}");
        }
    }
}

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What Python's own reader makes of CSV: a list of rows, each a map by the header.
fn read_by_python(csv: &str) -> Vec<BTreeMap<String, String>> {
    const PROGRAM: &str = "import csv, io, json, sys\n\
        text = sys.stdin.buffer.read().decode('utf-8')\n\
        rows = csv.DictReader(io.StringIO(text, newline=''), strict=True)\n\
        json.dump(list(rows), sys.stdout)";
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python is needed; see .ci/run");
    python.stdin.take().unwrap().write_all(csv.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs Python; .ci/run has it"]
fn pythons_csv_reads_row_by_row_what_was_served() {
    for mut organization in organizations() {
        // Names that a careless writer would spoil.
        for (member, name) in organization.members.iter_mut().zip([
            "=HYPERLINK(\"http://x.test\")",
            "Quote \" and, comma",
            "two\r\nlines",
            "@all",
            " leads with a blank",
            "'=1",
            "\u{ff1d}1+1",
            "one;=1+1",
            "one\t=1+1",
        ]) {
            member.name = Some(name.into());
        }
        let room = synced(&organization);
        let csv = printed(&room, &["--format", "csv"]);
        assert!(csv.starts_with(
            "principal_type,principal_id,principal_name,email,status,last_login,resource_type,\
             resource_id,resource_name,entitlement,how,through,grant_id,sync_id,email_verified,\
             joined_at\r\n"
        ));
        let sync_id = json(&room, &[])["sync_id"].clone();
        let rows = read_by_python(&csv);
        let served = served(&organization);
        assert_eq!(rows.len(), served.len());
        for row in rows {
            let expected = &served[&row["grant_id"]];
            let parts: Vec<_> = expected.entitlement.split(':').collect();
            let (principal_type, principal) = &expected.principal;
            let member = organization.members.iter().find(|it| it.id == *principal);
            let member = member.filter(|_| principal_type == "user");
            let group = |id: &str| organization.groups.iter().find(|it| it.id == id);
            let role = |id: &str| organization.roles.iter().find(|it| it.id == id);
            let name = member.and_then(|it| it.name.clone());
            let address = |it: &fake_northflank::Member| {
                let verified = it.emails.iter().find(|email| email.verified);
                verified.or(it.emails.first()).map(|email| email.address.clone())
            };
            let first = member.and_then(|it| Some(it.emails.first()?.address.clone()));
            let name = match principal_type.as_str() {
                "group" => group(principal).unwrap().name.clone(),
                _ => name.or(first).unwrap_or_else(|| principal.clone()),
            };
            // The guard is taken off as somebody who knows of it would.
            let plain = |cell: &str| match cell.strip_prefix('\'') {
                Some(rest) if rest.starts_with(FORMULA) => rest.to_owned(),
                _ => cell.to_owned(),
            };
            let guarded_name = if name == "'=1" { "=1".to_owned() } else { name.clone() };
            assert_eq!(plain(&row["principal_name"]), guarded_name);
            assert!(!row["principal_name"].starts_with(FORMULA));
            assert_eq!(row["principal_type"], *principal_type);
            assert_eq!(row["principal_id"], *principal);
            assert_eq!(row["email"], member.and_then(address).unwrap_or_default());
            assert_eq!(row["resource_type"], parts[0]);
            assert_eq!(row["resource_id"], parts[1]);
            let resource = match parts[0] {
                "group" => group(parts[1]).unwrap().name.clone(),
                _ => role(parts[1]).unwrap().name.clone(),
            };
            assert_eq!(row["resource_name"], resource);
            assert_eq!(row["entitlement"], parts[2]);
            assert_eq!(row["how"], how(expected));
            assert_eq!(row["through"], through(expected));
            assert_eq!(Value::from(row["sync_id"].as_str()), sync_id);
            let verified = |it: &fake_northflank::Member| {
                let primary = it.emails.iter().find(|email| email.verified).or(it.emails.first());
                primary.map(|email| email.verified.to_string())
            };
            assert_eq!(row["email_verified"], member.and_then(verified).unwrap_or_default());
            let joined = member.and_then(|it| it.joined_at.clone());
            assert_eq!(row["joined_at"], joined.unwrap_or_default());
        }
    }
}

#[test]
fn no_cell_is_a_formula_or_two_to_any_spreadsheet() {
    let mut organization = Organization::demo();
    let names = ["\u{ff1d}1+1", "\n=1+1", "one;=1+1", "one\t=1+1", "\u{ff20}SUM(A1)", "a\u{ff1d}1"];
    for (member, name) in organization.members.iter_mut().zip(names) {
        member.name = Some(name.into());
    }
    let room = synced(&organization);
    let csv = printed(&room, &["--format", "csv"]);
    for cell in [
        ",'\u{ff1d}1+1,",
        ",\"'\n=1+1\",",
        ",\"one;=1+1\",",
        ",\"one\t=1+1\",",
        ",'\u{ff20}SUM(A1),",
        ",a\u{ff1d}1,",
    ] {
        assert!(csv.contains(cell), "{cell:?}: {csv}");
    }
    assert!(csv.starts_with("principal_type,"));
    let marked = printed(&room, &["--format", "csv", "--csv-bom"]);
    assert_eq!(marked, format!("\u{feff}{csv}"));
    access(&room, &["--format", "csv", "--csv-bom", "-o", "told.csv"]).expect_success();
    assert_eq!(std::fs::read_to_string(room.file("told.csv")).unwrap(), marked);
    access(&room, &["--csv-bom"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["--csv-bom is for --format csv"]);
}

#[test]
fn an_unverified_holder_is_found_in_json_and_csv() {
    let room = synced(&Organization::demo());
    let told = json(&room, &[]);
    let unverified: Vec<_> = told["grants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|grant| grant["principal"]["email_verified"] == false)
        .map(|grant| grant["principal"]["resource"].as_str().unwrap())
        .collect();
    assert_eq!(unverified, ["pending-7f3a"]);
    let ada = json(&room, &["--user", "ada-marlow"])["grants"][0]["principal"].clone();
    assert_eq!(ada["email_verified"], true);
    assert_eq!(ada["joined_at"], "2025-01-01T09:12:07.018Z");
    let csv = printed(&room, &["--format", "csv", "--user", "ada-marlow"]);
    assert!(csv.ends_with(",true,2025-01-01T09:12:07.018Z\r\n"), "{csv}");
    let csv = printed(&room, &["--format", "csv", "--user", "pending-7f3a"]);
    assert!(csv.ends_with(",false,\r\n"), "{csv}");
}

#[test]
fn what_a_role_is_for_and_where_it_applies_is_told_in_every_format() {
    let room = synced(&Organization::demo());
    let words =
        "applies only in team core-infra (all projects but billing-db), team web (all projects)";
    let purpose = "Builds and deploys everything but billing";
    let table = printed(&room, &["--role", "platform-eng"]);
    assert!(table.contains(words) && table.contains(purpose), "{table}");
    assert!(printed(&room, &["--role", "owner"]).contains("Everything · applies everywhere"));
    let markdown = printed(&room, &["--role", "platform-eng", "--format", "markdown"]);
    assert!(markdown.contains(&format!("(platform-eng): {purpose} · {words}\n")), "{markdown}");
    let page = printed(&room, &["--format", "html"]);
    assert!(page.contains(words) && !page.contains("project_mode"));
    let told = json(&room, &["--role", "platform-eng"]);
    let resource = &told["grants"][0]["entitlement"]["resource"];
    assert_eq!(resource["description"], purpose);
    assert_eq!(
        resource["restrictions"],
        serde_json::json!({"restricted": true, "teams": [
            {"id": "core-infra", "project_mode": "notIn", "projects": ["billing-db"]},
            {"id": "web", "project_mode": null, "projects": []},
        ]})
    );
    let told = json(&room, &["--role", "auditor"]);
    let auditor = &told["resources_without_holders"][0];
    assert_eq!(auditor["restrictions"], serde_json::json!({"restricted": false, "teams": []}));
}

#[test]
fn a_time_says_its_zone() {
    let room = synced(&Organization::demo());
    for format in ["table", "markdown", "html"] {
        let told = printed(&room, &["--format", format]);
        let time = told.split("20").find(|part| part.contains(" UTC"));
        assert!(time.is_some(), "{told}");
    }
    assert!(printed(&room, &[]).lines().next().unwrap().ends_with(" UTC)"));
}

#[test]
fn anything_can_be_named_by_a_name_that_only_it_has() {
    let mut organization = Organization::demo();
    organization.roles[2].name = "Viewer".into();
    let room = synced(&organization);
    for (flag, name, id) in [
        ("--user", "Ada Marlow", "ada-marlow"),
        ("--user", "priya RAMAN", "priya-raman"),
        ("--role", "Platform Engineering", "platform-eng"),
        ("--group", "On call", "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0"),
    ] {
        let by_name = left(&room, &[flag, name]);
        assert!(!by_name.is_empty());
        assert_eq!(by_name, left(&room, &[flag, id]));
    }
    // An id goes before a name.
    assert_eq!(left(&room, &["--role", "viewer"]), left(&room, &["--role", "role:viewer"]));
    let run = access(&room, &["--role", "Viewer"]);
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["2 roles", "billing-ops, viewer"]);
    access(&room, &["--role", "On call"]).expect_failure(exit_code::INVALID_ARGUMENT, &["no role"]);
}

#[test]
fn table_markdown_and_page_have_a_row_for_every_grant() {
    for organization in organizations() {
        let room = synced(&organization);
        let served = served(&organization);
        let table = printed(&room, &[]);
        // A person's rows are set in, and so is nothing else.
        let rows =
            table.lines().filter(|line| line.starts_with("  ") && !line.contains("holds nothing"));
        assert_eq!(rows.count(), served.len(), "{table}");
        let markdown = printed(&room, &["--format", "markdown"]);
        let rows =
            markdown.lines().filter(|line| line.starts_with("| ") && !line.contains("| nothing |"));
        assert_eq!(rows.count(), served.len() + 1, "{markdown}");
        let page = printed(&room, &["--format", "html"]);
        let lines = page.matches("<ul class=\"ways\">").count();
        assert!(lines > 0);
        let ways = page
            .split("<ul class=\"ways\">")
            .skip(1)
            .map(|list| list.split("</ul>").next().unwrap().matches("<li>").count());
        assert_eq!(ways.sum::<usize>(), served.len());
    }
}

/// The ids of what a filter leaves.
fn left(room: &TestDir, arguments: &[&str]) -> Vec<String> {
    grants(&json(room, arguments))
}

#[test]
fn filters_of_one_kind_add_up_and_of_different_kinds_narrow_down() {
    let room = synced(&Organization::demo());
    let served = served(&Organization::demo());
    let of = |is_meant: &dyn Fn(&str, &super::ExpectedGrant) -> bool| -> Vec<String> {
        let meant = served.iter().filter(|(id, grant)| is_meant(id, grant));
        meant.map(|(id, _)| id.clone()).collect()
    };
    let on_call = "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0";
    let (ada, ben, owner) = ("ada-marlow", "ben-okafor", "role:owner:assigned");
    assert_eq!(left(&room, &["--user", ada]), of(&|_, it| it.principal.1 == ada));
    assert_eq!(
        left(&room, &["--user", ada, "--user", ben]),
        of(&|_, it| it.principal.1 == ada || it.principal.1 == ben)
    );
    assert_eq!(left(&room, &["--role", "owner"]), of(&|_, it| it.entitlement == owner));
    assert_eq!(
        left(&room, &["--user", ben, "--role", "owner"]),
        ["role:owner:assigned:user:ben-okafor"]
    );
    let member = format!("group:{on_call}:member");
    let by_group = of(&|_, it| {
        it.entitlement == member || it.principal.1 == on_call || it.sources.contains(&member)
    });
    assert_eq!(by_group.len(), 3 + 2 + 6);
    assert_eq!(left(&room, &["--group", on_call]), by_group);
    assert_eq!(
        left(&room, &["--group", on_call, "--user", "carla-rossi", "--role", "billing-ops"]),
        ["role:billing-ops:assigned:user:carla-rossi"]
    );
    // Whoever doesn't hold it is told so.
    let told = json(&room, &["--user", ada, "--role", "auditor"]);
    assert_eq!(told["grants"], serde_json::json!([]));
    assert_eq!(told["people_without_access"][0]["resource"], ada);
    let table = printed(&room, &["--user", ada, "--role", "auditor"]);
    assert!(table.contains("Ada Marlow") && table.contains("  holds nothing"), "{table}");
}

#[test]
fn a_user_can_be_named_by_address_and_anything_by_type_and_id() {
    let room = synced(&Organization::demo());
    let by_id = left(&room, &["--user", "ada-marlow"]);
    for name in [
        "Ada.Marlow@marlow.example",
        "ada@marlow-old.example",
        "user:ada-marlow",
        "user/ada-marlow",
    ] {
        assert_eq!(left(&room, &["--user", name]), by_id, "{name}");
    }
    let mut organization = Organization::demo();
    let address = organization.members[0].emails[0].clone();
    organization.members[1].emails.push(address);
    let room = synced(&organization);
    access(&room, &["--user", "ada@marlow-old.example"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["2 people", "ada-marlow, ben-okafor"]);
}

#[test]
fn an_earlier_sync_can_be_told_of() {
    let room = synced(&Organization::demo());
    let first = json(&room, &[]);
    super::sync(&room, &crate::harness::changes::changed_demo());
    let second = json(&room, &[]);
    assert_ne!(first["sync_id"], second["sync_id"]);
    let again = json(&room, &["--sync", first["sync_id"].as_str().unwrap()]);
    // The file is another.
    let without_digest = |mut told: Value| {
        assert!(told.as_object_mut().unwrap().remove("sha256").is_some());
        told
    };
    assert_eq!(without_digest(again), without_digest(first.clone()));
    access(&room, &["--sync", "nope"]).expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["nope", first["sync_id"].as_str().unwrap(), second["sync_id"].as_str().unwrap()],
    );
}

#[test]
fn a_sync_of_a_part_is_never_told_as_the_whole() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let connector = room.connector_to(&fake).arguments(["--sync-resource-types", "user,role"]);
    connector.run().expect_success();
    let part = json(&room, &[])["reduced_to"].as_str().unwrap().to_owned();
    assert!(part.contains("role"), "{part}");
    let table = printed(&room, &[]);
    assert!(table.contains(&format!("\nThe sync doesn't cover everything: {part}\n")), "{table}");
    for format in ["markdown", "html"] {
        let told = printed(&room, &["--format", format]);
        assert!(told.contains("The sync doesn't cover everything: "), "{told}");
    }
    assert_eq!(json(&synced(&Organization::demo()), &[])["reduced_to"], Value::Null);
}

#[test]
fn no_name_begins_a_line_that_a_workflow_takes_for_a_command() {
    let mut organization = Organization::demo();
    for member in &mut organization.members {
        member.name = Some("::add-mask::a".into());
    }
    organization.roles.iter_mut().for_each(|role| role.name = "::error::b".into());
    organization.groups.iter_mut().for_each(|group| group.name = "::group::c".into());
    let room = synced(&organization);
    for arguments in [&[][..], &["--role", "owner"], &["--format", "markdown"]] {
        let told = printed(&room, arguments);
        assert!(!told.lines().any(|line| line.trim_start().starts_with("::")), "{told}");
        assert!(told.contains("add-mask"), "{told}");
    }
}
