//! What changed between two syncs, as the binary tells it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::changes::{changed_demo, demo_after_logins};
use crate::harness::exit_code;
use crate::harness::sync_file::{change, pack};
use crate::harness::{Run, TestDir, signal, wait_until};
use baton_northflank::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use fake_northflank::{DirectoryUser, FakeNorthflank, Options, Organization, Size};
use prost::Message;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

fn sync(room: &TestDir, organization: &Organization, arguments: &[&str]) -> Run {
    let options = Options { rate_limit: None, ..Options::default() };
    let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
    room.connector_to(&fake).arguments(arguments).run()
}

fn diff(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments([&["diff"], arguments].concat()).run()
}

fn diff_json(room: &TestDir, arguments: &[&str]) -> Value {
    let run = diff(room, &[arguments, &["--format", "json"]].concat());
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    serde_json::from_str(run.stdout()).unwrap()
}

/// A room with one file before and one after the changes, and one file with both syncs.
fn before_and_after() -> TestDir {
    let room = TestDir::new();
    for (file, organization) in [
        ("old.c1z", Organization::demo()),
        ("new.c1z", changed_demo()),
        ("both.c1z", Organization::demo()),
        ("both.c1z", changed_demo()),
    ] {
        sync(&room, &organization, &["-f", file]).expect_success();
    }
    room
}

#[test]
fn a_login_alone_is_no_change() {
    let room = TestDir::new();
    sync(&room, &Organization::demo(), &[]).expect_success();
    let run = sync(&room, &demo_after_logins(), &["--diff", "--exit-code"]);
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    assert!(run.stdout().contains("No changes."), "{}", run.stdout());
    // Whoever has changed besides is told of.
    let mut renamed = demo_after_logins();
    let ada = renamed.members.iter_mut().find(|member| member.id == "ada-marlow").unwrap();
    ada.name = Some("Ada Lane".into());
    ada.last_login = None;
    assert_eq!(sync(&room, &renamed, &["--diff", "--exit-code"]).code(), Some(exit_code::CHANGED));
    let diff = diff_json(&room, &["sync.c1z"]);
    assert_eq!(ids(&diff["resources"]["modified"]), ["ada-marlow"].into());
}

/// What is unpacked tells who has access to what.
#[cfg(unix)]
#[test]
fn whoever_is_stopped_leaves_nothing_unpacked() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::ExitStatusExt;
    let room = TestDir::new();
    let size = |memberships| Size { members: 900, roles: 20, groups: 20, memberships };
    for (seed, memberships) in [(1, 4_000), (2, 4_500)] {
        let organization = Organization::generate(seed, size(memberships));
        sync(&room, &organization, &[]).expect_success();
    }
    let scratch = room.file("scratch");
    fs::create_dir(&scratch).unwrap();
    let is_empty = || fs::read_dir(&scratch).unwrap().count() == 0;
    for (arguments, name, number) in [
        (["diff", "sync.c1z", "--format=json"], "TERM", 15),
        (["diff", "sync.c1z", "--format=markdown"], "INT", 2),
        (["access", "sync.c1z", "--format=json"], "TERM", 15),
        (["access", "sync.c1z", "--format=csv"], "HUP", 1),
    ] {
        // Whatever others may do with what a user makes otherwise.
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(room.connector().0.get_program());
        command.args(arguments).env_clear().env("TMPDIR", &scratch).current_dir(room.path());
        // Nobody reads what it says: it waits, with all that it has unpacked.
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("something unpacked", Duration::from_secs(30), || !is_empty());
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "{arguments:?} said too little");
        for unpacked in fs::read_dir(&scratch).unwrap() {
            let mode = unpacked.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{arguments:?}");
        }
        // It takes time to remove all of it. Meanwhile the command comes to its end.
        let unpacked = fs::read_dir(&scratch).unwrap().next().unwrap().unwrap().path();
        for number in 0..20_000 {
            fs::write(unpacked.join(number.to_string()), "").unwrap();
        }
        signal(child.id(), name);
        std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(number), "{arguments:?}");
        assert!(is_empty(), "{arguments:?} left something");
    }
}

fn ids(rows: &Value) -> BTreeSet<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().or(row["resource"].as_str()).unwrap()).collect()
}

#[test]
fn everything_that_came_went_or_changed_is_told() {
    let room = before_and_after();
    let diff = diff_json(&room, &["old.c1z", "new.c1z"]);
    assert_eq!(ids(&diff["resources"]["created"]), ["zoe-quill"].into());
    assert_eq!(ids(&diff["resources"]["deleted"]), ["auditor", "uma-vargas"].into());
    assert_eq!(ids(&diff["resources"]["modified"]), ["owner", "pending-7f3a"].into());
    assert_eq!(ids(&diff["entitlements"]["deleted"]), ["role:auditor:assigned"].into());
    assert_eq!(ids(&diff["entitlements"]["modified"]), ["role:owner:assigned"].into());

    let support = "directory_group_01HZX3M9Q2T7V5W8Y0SUPPORT0";
    let member = |user: &str| format!("group:{support}:member:user:{user}");
    let (came, went) = (member("zoe-quill"), member("uma-vargas"));
    assert_eq!(
        ids(&diff["grants"]["created"]),
        [came.as_str(), "role:viewer:assigned:user:zoe-quill"].into()
    );
    assert_eq!(
        ids(&diff["grants"]["deleted"]),
        [
            went.as_str(),
            "role:owner:assigned:user:ben-okafor",
            "role:viewer:assigned:user:uma-vargas"
        ]
        .into()
    );
    assert_eq!(
        ids(&diff["grants"]["modified"]),
        ["role:platform-eng:assigned:user:daniel-weiss"].into()
    );
    assert!(diff["old"]["file"].as_str().unwrap().ends_with("old.c1z"));
}

#[test]
fn a_grant_says_through_which_group_it_is_held() {
    let room = before_and_after();
    let diff = diff_json(&room, &["old.c1z", "new.c1z"]);
    let created = diff["grants"]["created"].as_array().unwrap();
    let viewer = created.iter().find(|row| row["entitlement"]["id"] == "role:viewer:assigned");
    let viewer = viewer.unwrap();
    assert_eq!(viewer["direct"], false);
    assert_eq!(viewer["principal"]["display_name"], "Zoë Quill");
    assert_eq!(viewer["entitlement"]["resource"]["display_name"], "Viewer");
    assert_eq!(viewer["through"][0]["resource"]["display_name"], "Customer Support");
    assert_eq!(
        diff["grants"]["modified"][0]["changes"],
        json!([
            {
                "fact": "held",
                "old": "direct and through group Engineering ✈",
                "new": "through group Engineering ✈"
            },
            {"fact": "immutable", "old": "no", "new": "yes"},
        ])
    );
    let pending = &diff["resources"]["modified"][1];
    assert_eq!(
        pending["changes"][0],
        json!({"fact": "name", "old": "new.hire@marlow.example", "new": "New Hire"})
    );
}

#[test]
fn one_file_with_two_syncs_says_the_same_as_two_files() {
    let room = before_and_after();
    let mut both = diff_json(&room, &["both.c1z"]);
    let mut two = diff_json(&room, &["old.c1z", "new.c1z"]);
    for diff in [&mut both, &mut two] {
        diff["old"].take();
        diff["new"].take();
    }
    assert_eq!(both, two);
}

/// What `diff` says of the demo with two changes made to it, one after the other.
fn between(
    before: impl FnOnce(&mut Organization),
    after: impl FnOnce(&mut Organization),
    format: &str,
) -> Run {
    let room = TestDir::new();
    let mut organization = Organization::demo();
    before(&mut organization);
    sync(&room, &organization, &[]).expect_success();
    after(&mut organization);
    sync(&room, &organization, &[]).expect_success();
    diff(&room, &["sync.c1z", "--exit-code", "--format", format])
}

#[test]
fn resources_of_one_name_are_told_apart_by_their_ids() {
    let [ada, owner, viewer] = ["ada-marlow", "owner", "viewer"].map(str::to_owned);
    // Somebody moves between two roles of one name.
    let helpdesk = |organization: &mut Organization, name: &str| {
        for role in &mut organization.roles {
            if [&owner, &viewer].contains(&&role.id) {
                role.name = if role.id == owner { name.into() } else { "Helpdesk".into() };
            }
        }
    };
    let moves = |organization: &mut Organization| {
        for role in &mut organization.roles {
            role.explicit.retain(|id| *id != ada);
            if role.id == viewer {
                role.explicit.push(ada.clone());
            }
        }
    };
    // The same letters, or such that look the same.
    for name in ["Helpdesk", "H\u{435}lpd\u{435}sk", "Helpdesk\u{200b}", " Helpdesk"] {
        for format in ["table", "markdown"] {
            let run = between(|it| helpdesk(it, name), moves, format);
            let said = run.stdout();
            assert_eq!(run.code(), Some(exit_code::CHANGED), "{said}");
            assert!(said.contains("sk (viewer): assigned"), "{name:?}: {said}");
            assert!(said.contains("(owner): assigned"), "{name:?}: {said}");
        }
    }
    // A name that one had and the other has now.
    let run = between(
        |it| helpdesk(it, "Operations"),
        |it| {
            moves(it);
            let owner = it.roles.iter_mut().find(|role| role.id == "owner").unwrap();
            owner.name = "Helpdesk".into();
        },
        "table",
    );
    assert!(run.stdout().contains("role Helpdesk (viewer): assigned"), "{}", run.stdout());
    // Through one group, and then through another of its name.
    let [finance, support] =
        ["FINANCE0", "SUPPORT0"].map(|id| format!("directory_group_01HZX3M9Q2T7V5W8Y0{id}"));
    let both = |organization: &mut Organization| {
        for group in &mut organization.groups {
            if [&finance, &support].contains(&&group.id) {
                group.name = "Desk".into();
                group.users = vec![DirectoryUser::Account("ben-okafor".into())];
            }
        }
    };
    let linked = |organization: &mut Organization, group: &str| {
        for role in &mut organization.roles {
            role.directory_groups.clear();
            if role.id == "auditor" {
                role.directory_groups.push(group.to_owned());
            }
        }
    };
    let run = between(
        |it| {
            both(it);
            linked(it, &finance);
        },
        |it| linked(it, &support),
        "json",
    );
    let said: Value = serde_json::from_str(run.stdout()).unwrap();
    assert_eq!(
        said["grants"]["modified"][0]["changes"][0],
        json!({
            "fact": "held",
            "old": format!("through group Desk ({finance})"),
            "new": format!("through group Desk ({support})"),
        })
    );
    // Names stay what they are.
    let through = &said["grants"]["modified"][0]["through"][0]["resource"];
    assert_eq!(through["display_name"], "Desk");
    // Where everybody has a name of their own, nothing stands beside it.
    let run = between(|_| {}, moves, "table");
    assert!(run.stdout().contains("role Viewer: assigned"), "{}", run.stdout());
}

#[test]
fn the_order_of_what_is_a_set_is_no_change() {
    let sets = |organization: &mut Organization| {
        for role in &mut organization.roles {
            role.directory_groups.reverse();
            role.restrictions.teams.reverse();
            for team in &mut role.restrictions.teams {
                if let Some(projects) = &mut team.projects {
                    projects.ids.reverse();
                }
            }
        }
        for member in &mut organization.members {
            let verified = member.emails.iter().filter(|email| email.verified).count();
            if member.name.is_some() && verified == 1 {
                member.emails.reverse();
            }
        }
    };
    let more = |organization: &mut Organization| {
        let team = organization.roles[1].restrictions.teams[0].projects.as_mut().unwrap();
        team.ids.extend(["mail".to_owned(), "docs".to_owned()]);
        organization.roles[1].directory_groups.push(organization.groups[2].id.clone());
    };
    let run = between(more, sets, "table");
    assert_eq!(run.code(), Some(0), "{}", run.stdout());
    let run = between(
        more,
        |it| it.roles[1].restrictions.teams[0].projects.as_mut().unwrap().ids.truncate(1),
        "table",
    );
    assert_eq!(run.code(), Some(exit_code::CHANGED), "{}", run.stdout());
}

#[test]
fn a_change_that_nobody_could_see_is_told_by_code_points() {
    let rename = |name: &'static str| {
        move |organization: &mut Organization| organization.members[0].name = Some(name.into())
    };
    for (before, after, told) in [
        ("Zo\u{eb}", "Zoe\u{308}", r#"name: "Zo\u{eb}" → "Zoe\u{308}""#),
        ("Zoe Q", "Zoe\u{a0}Q", r#"name: "Zoe Q" → "Zoe\u{a0}Q""#),
        ("Zoe  Q", "Zoe Q", r#"name: "Zoe\u{20}\u{20}Q" → "Zoe Q""#),
        ("Zoe", "Z\u{43e}e", r#"name: "Zoe" → "Z\u{43e}e""#),
        ("Zoe", "Zoe\u{200b}", r#"name: "Zoe" → "Zoe\u{200b}""#),
        ("Zoe", "zoe", "name: Zoe → zoe"),
    ] {
        let run = between(rename(before), rename(after), "table");
        assert_eq!(run.code(), Some(exit_code::CHANGED));
        assert!(run.stdout().contains(told), "{told}: {}", run.stdout());
        let run = between(rename(before), rename(after), "json");
        let said: Value = serde_json::from_str(run.stdout()).unwrap();
        let change = &said["resources"]["modified"][0]["changes"][0];
        assert_eq!(*change, json!({"fact": "name", "old": before, "new": after}));
    }
    let address = |address: &'static str| {
        move |it: &mut Organization| it.members[1].emails[0].address = address.into()
    };
    let run = between(address("ben@x.example"), address("Ben@x.example"), "table");
    assert!(run.stdout().contains("emails: ben@x.example → Ben@x.example"), "{}", run.stdout());
}

#[test]
fn the_exit_code_tells_of_changes_only_where_it_is_asked_to() {
    let room = before_and_after();
    assert_eq!(diff(&room, &["old.c1z", "new.c1z"]).code(), Some(0));
    let run = diff(&room, &["old.c1z", "new.c1z", "--exit-code"]);
    assert_eq!((run.code(), run.stderr()), (Some(exit_code::CHANGED), ""));
    let run = diff(&room, &["old.c1z", "old.c1z", "--exit-code"]);
    assert_eq!(run.code(), Some(0));
    assert!(run.stdout().ends_with("\nNo changes.\n"), "{}", run.stdout());
}

#[test]
fn a_sync_can_end_with_what_it_changed() {
    let room = TestDir::new();
    let run = sync(&room, &Organization::demo(), &["--diff", "--exit-code"]).expect_success();
    assert!(run.stderr().contains("no earlier sync"), "{}", run.stderr());
    let run = sync(&room, &changed_demo(), &["--diff=markdown", "--exit-code"]);
    assert_eq!(run.code(), Some(exit_code::CHANGED));
    assert!(run.stdout().contains(" UTC)"), "{}", run.stdout());
    assert!(run.stdout().contains("| added | user Zoë Quill (zoe-quill) | "), "{}", run.stdout());
    let run = sync(&room, &changed_demo(), &["--diff", "--exit-code"]);
    assert_eq!(run.code(), Some(0));
    assert!(run.stdout().contains("No changes."), "{}", run.stdout());
    let keep = |count| {
        let fake = FakeNorthflank::start(changed_demo(), Options::default()).unwrap();
        let connector = room.connector_to(&fake).arguments(["--diff"]);
        connector.variable("BATON_KEEP_SYNC_COUNT", count).run()
    };
    keep("1").expect_failure(exit_code::INVALID_ARGUMENT, &["BATON_KEEP_SYNC_COUNT is 1"]);
}

#[test]
fn a_first_sync_says_that_there_is_nothing_to_compare_with() {
    let room = TestDir::new();
    let first = |arguments: &[&str]| {
        let _ = fs::remove_file(room.file("sync.c1z"));
        sync(&room, &Organization::demo(), &[arguments, &["--exit-code"]].concat())
    };
    let run = first(&["--diff=json"]);
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    let told: Value = serde_json::from_str(run.stdout()).unwrap();
    let none = json!({"created": [], "modified": [], "deleted": []});
    assert_eq!(told["old"], Value::Null);
    assert_eq!(told["new"]["reduced_to"], Value::Null);
    assert!(told["new"]["sync_id"].is_string());
    for kind in ["resources", "entitlements", "grants"] {
        assert_eq!(told[kind], none);
    }
    let run = first(&["--diff=markdown"]);
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    assert!(run.stdout().contains("There is no earlier sync to compare"), "{}", run.stdout());
    // At a terminal the log has said so.
    let run = first(&["--diff"]).expect_success();
    assert!(run.stderr().contains("no earlier sync"), "{}", run.stderr());
    // Whoever has to have one is told that there was none, and has one afterwards.
    let run = first(&["--diff=json", "--require-baseline"]);
    assert_eq!(run.code(), Some(exit_code::INVALID_ARGUMENT));
    assert!(run.stderr().contains("--require-baseline"), "{}", run.stderr());
    let run = sync(&room, &changed_demo(), &["--diff=json", "--exit-code", "--require-baseline"]);
    assert_eq!(run.code(), Some(exit_code::CHANGED), "{}", run.stderr());
    // Without --diff it does nothing, and says so.
    let run = sync(&room, &changed_demo(), &["--require-baseline"]).expect_success();
    assert!(run.stderr().contains("--require-baseline has no effect"), "{}", run.stderr());
}

#[test]
fn what_another_version_of_the_connector_tells_besides_is_no_change() {
    let room = TestDir::new();
    let mut organization = Organization::demo();
    sync(&room, &organization, &["-f", "old.c1z"]).expect_success();
    let email = &mut organization.members[1].emails[0];
    email.verified = !email.verified;
    sync(&room, &organization, &["-f", "new.c1z"]).expect_success();
    let arguments = ["diff", "old.c1z", "new.c1z", "--exit-code", "--format", "json"];
    let compared = || room.connector().arguments(arguments).run();
    assert_eq!(compared().code(), Some(exit_code::CHANGED));
    // As if the version that wrote the earlier one hadn't known of it, or had known nothing.
    let keys = |sql: &str| {
        let sql = format!("update v1_sync_runs set sync_token = {sql}");
        change(&room.file("old.c1z"), &sql);
    };
    keys(
        r#"json_set(sync_token, '$.profile_keys.user',
            json('["email","finalized","id","joined_at","last_login_at","name"]'))"#,
    );
    let run = compared();
    assert_eq!(run.code(), Some(0), "{}", run.stdout());
    keys("json_remove(sync_token, '$.profile_keys')");
    assert_eq!(compared().code(), Some(exit_code::CHANGED), "it may have known all");
}

#[test]
fn syncs_of_two_organizations_are_not_compared_without_a_word() {
    let room = TestDir::new();
    sync(&room, &Organization::demo(), &["-f", "one.c1z"]).expect_success();
    fs::copy(room.file("one.c1z"), room.file("two.c1z")).unwrap();
    let others = r#"json_set(sync_token, '$.organization', json('{"slug":"other","uid":"2"}'))"#;
    change(&room.file("two.c1z"), &format!("update v1_sync_runs set sync_token = {others}"));
    let run = diff(&room, &["one.c1z", "two.c1z", "--exit-code"]);
    assert_eq!(run.code(), Some(0), "nothing else differs");
    assert_eq!(run.stderr().lines().count(), 1);
    let parts =
        ["one.c1z is of the organization acme (", "two.c1z is of the organization other (2)"];
    for part in parts {
        assert!(run.stderr().contains(part), "{}", run.stderr());
    }
    assert!(run.stdout().contains("one.c1z (acme, "), "{}", run.stdout());
    assert!(run.stdout().contains("two.c1z (other, "), "{}", run.stdout());
    let strict = diff(&room, &["one.c1z", "two.c1z", "--require-baseline"]);
    strict.expect_failure(exit_code::INVALID_ARGUMENT, &["--require-baseline", parts[1]]);
}

#[test]
fn a_whole_and_a_reduced_sync_are_not_compared_without_a_word() {
    let room = TestDir::new();
    let types = ["--sync-resource-types", "user,role"];
    for file in ["whole.c1z", "both.c1z"] {
        sync(&room, &Organization::demo(), &["-f", file]).expect_success();
    }
    for file in ["part.c1z", "other.c1z", "both.c1z"] {
        sync(&room, &Organization::demo(), &[&["-f", file], &types[..]].concat()).expect_success();
    }
    let arguments = ["whole.c1z", "part.c1z", "--exit-code", "--format"];
    for format in ["json", "table", "markdown"] {
        let run = diff(&room, &[&arguments[..], &[format]].concat());
        assert_eq!(run.code(), Some(exit_code::CHANGED));
        assert_eq!(run.stderr().lines().count(), 1);
        for part in ["warning", "whole.c1z covers everything", "part.c1z covers only"] {
            assert!(run.stderr().contains(part), "{}", run.stderr());
        }
        if format == "json" {
            let told: Value = serde_json::from_str(run.stdout()).unwrap();
            assert_eq!(told["old"]["reduced_to"], Value::Null);
            assert!(told["new"]["reduced_to"].as_str().unwrap().contains("role"), "{told}");
        } else {
            let part = "The later sync doesn't cover everything: ";
            assert!(run.stdout().contains(part), "{}", run.stdout());
        }
        let strict = diff(&room, &[&arguments[..], &[format, "--require-baseline"]].concat());
        strict.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["--require-baseline", "whole.c1z", "part.c1z"],
        );
    }
    let run = diff(&room, &["part.c1z", "other.c1z", "--require-baseline", "--exit-code"]);
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    // Of one file only such as cover the same are compared.
    diff(&room, &["both.c1z"]).expect_failure(exit_code::INVALID_ARGUMENT, &["both.c1z"]);
}

#[test]
fn without_arguments_the_newest_syncs_of_the_usual_file_are_compared() {
    let room = TestDir::new();
    for organization in [Organization::demo(), changed_demo()] {
        sync(&room, &organization, &[]).expect_success();
    }
    let run = diff(&room, &["--exit-code"]);
    assert_eq!((run.code(), run.stderr()), (Some(exit_code::CHANGED), ""));
    assert_eq!(run.stdout(), diff(&room, &["sync.c1z"]).stdout());
}

#[test]
fn where_a_role_applies_is_told_in_words() {
    let run = between(|_| {}, |it| it.roles[1].restrictions.teams[0].projects = None, "table");
    let words = "restrictions: applies only in team core-infra (all projects but billing-db), team web \
                 (all projects) → applies only in team core-infra (all projects), team web (all projects)";
    assert!(run.stdout().contains(words), "{}", run.stdout());
    assert!(!run.stdout().contains("profile."), "{}", run.stdout());
}

#[test]
fn names_can_neither_steer_a_terminal_nor_become_markup() {
    let room = TestDir::new();
    sync(&room, &Organization::demo(), &["-f", "old.c1z"]).expect_success();
    let mut organization = changed_demo();
    let new = organization.members.last_mut().unwrap();
    new.name = Some("\u{1b}[2Jx \u{202e}| <img src=y> @all".into());
    sync(&room, &organization, &["-f", "new.c1z"]).expect_success();
    let table = diff(&room, &["old.c1z", "new.c1z"]);
    assert!(!table.stdout().contains(['\u{1b}', '\u{202e}']), "{}", table.stdout());
    let json = diff(&room, &["old.c1z", "new.c1z", "--format", "json"]);
    let name = r"\u001b[2Jx \u202e| <img src=y> @all";
    assert!(json.stdout().contains(name), "{}", json.stdout());
    let page = diff(&room, &["old.c1z", "new.c1z", "--format", "markdown"]);
    let row = r"| added | user �\[2Jx �\| &lt;img src=y&gt; <span>@</span>all (zoe-quill) |  |";
    assert!(page.stdout().contains(row), "{}", page.stdout());
}

#[test]
fn what_is_no_sqlite_sync_file_is_refused() {
    let room = before_and_after();
    fs::write(room.file("pebble.c1z"), b"C1Z3\0rest").unwrap();
    fs::write(room.file("text.c1z"), b"hello").unwrap();
    fs::write(room.file("broken.c1z"), b"C1ZF\0rest").unwrap();
    for (file, part) in [
        ("pebble.c1z", "C1Z3 file"),
        ("text.c1z", "no sync file"),
        ("broken.c1z", "is damaged"),
        ("none.c1z", "does not exist"),
    ] {
        diff(&room, &["old.c1z", file]).expect_failure(exit_code::INVALID_ARGUMENT, &[file, part]);
    }
    diff(&room, &["old.c1z"]).expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["no earlier sync that covers the same", "second file"],
    );
}

/// A file as connectors of 2023 made them: no sync types, no expansion column, no indexes,
/// facts in traits only.
fn file_of_2023(path: &Path, people: &[(&str, &str)]) {
    let scratch = tempfile::tempdir().unwrap();
    let database = scratch.path().join("old.db");
    let connection = Connection::open(&database).unwrap();
    let common = "id integer primary key, external_id text not null, data blob not null,
                  sync_id text not null, discovered_at datetime not null";
    connection
        .execute_batch(&format!(
            "create table v1_resource_types ({common});
             create table v1_resources ({common}, resource_type_id text not null,
                 parent_resource_type_id text, parent_resource_id text);
             create table v1_entitlements ({common}, resource_type_id text not null,
                 resource_id text not null);
             create table v1_grants ({common}, resource_type_id text not null,
                 resource_id text not null, entitlement_id text not null,
                 principal_resource_type_id text not null,
                 principal_resource_id text not null);
             create table v1_sync_runs (id integer primary key, sync_id text not null,
                 started_at datetime not null, ended_at datetime, sync_token text not null);
             insert into v1_sync_runs (sync_id, started_at, ended_at, sync_token) values
                 ('older', '2023-01-01 00:00:00', '2023-01-01 01:00:00', ''),
                 ('s', '2023-01-02 00:00:00', '2023-01-02 01:00:00', ''),
                 ('unfinished', '2023-01-03 00:00:00', null, '');"
        ))
        .unwrap();
    let resource = |resource_type: &str, id: &str, name: &str| Resource {
        id: Some(ResourceId { resource_type: resource_type.into(), resource: id.into() }),
        display_name: name.into(),
        ..Resource::default()
    };
    let insert = |resource: &Resource| {
        let id = resource.id.as_ref().unwrap();
        let key = format!("{}:{}", id.resource_type, id.resource);
        connection
            .execute(
                "insert into v1_resources (external_id, data, sync_id, discovered_at,
                 resource_type_id) values (?1, ?2, 's', '2023-01-02', ?3)",
                params![key, resource.encode_to_vec(), id.resource_type],
            )
            .unwrap();
    };
    let team = resource("team", "t", "Team");
    insert(&team);
    let entitlement = Entitlement {
        id: "team:t:member".into(),
        display_name: "Team member".into(),
        resource: Some(team),
        ..Entitlement::default()
    };
    connection
        .execute(
            "insert into v1_entitlements (external_id, data, sync_id, discovered_at,
             resource_type_id, resource_id) values (?1, ?2, 's', '2023-01-02', 'team', 't')",
            params![entitlement.id, entitlement.encode_to_vec()],
        )
        .unwrap();
    for (id, name) in people {
        let user = resource("user", id, name);
        insert(&user);
        let grant = Grant {
            id: format!("team:t:member:user:{id}"),
            entitlement: Some(entitlement.clone()),
            principal: Some(user),
            ..Grant::default()
        };
        connection
            .execute(
                "insert into v1_grants (external_id, data, sync_id, discovered_at,
                 resource_type_id, resource_id, entitlement_id, principal_resource_type_id,
                 principal_resource_id)
                 values (?1, ?2, 's', '2023-01-02', 'team', 't', 'team:t:member', 'user', ?3)",
                params![grant.id, grant.encode_to_vec(), id],
            )
            .unwrap();
    }
    connection.close().unwrap();
    pack(&database, path);
}

#[test]
fn files_of_other_connectors_and_former_years_are_read() {
    let room = TestDir::new();
    file_of_2023(&room.file("old.c1z"), &[("a", "Ann"), ("b", "Bob")]);
    file_of_2023(&room.file("new.c1z"), &[("b", "Bob"), ("c", "Cy")]);
    let run = diff(&room, &["old.c1z", "new.c1z"]);
    assert_eq!(
        run.stdout(),
        "\
From old.c1z (2023-01-02 01:00:00, local time where it was written)
to   new.c1z (2023-01-02 01:00:00, local time where it was written)

Resources
  + user Cy (c)
  - user Ann (a)

Access
  + user Cy (c)   team Team: Team member
  - user Ann (a)  team Team: Team member

Resources: 1 added, 1 removed; access: 1 added, 1 removed
"
    );
}
