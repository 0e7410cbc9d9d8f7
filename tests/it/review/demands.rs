//! What each demand means, of files that hold it and that break it.

use baton_northflank::baton::v2::UserTrait;
use baton_northflank::baton::v2::resource_type::Trait;
use baton_northflank::baton::v2::user_trait;
use fake_northflank::Organization;
use prost_types::Timestamp;

use super::{broken, found, of_rules, open, review, synced};
use crate::harness::TestDir;
use crate::harness::exit_code;
use crate::harness::foreign_file::ForeignFile;

const ENGINEERS: &str = "directory_group_01HZX3M9Q2T7V5W8Y0ENGINEER";

#[test]
fn who_else_holds_it_than_those_who_may_is_found_whichever_way() {
    let room = synced(&Organization::demo());
    let only = |ids: &str| broken(&room, &format!("role: owner, only: [{ids}]"));
    assert_eq!(only(""), ["only ada-marlow", "only ben-okafor"]);
    assert_eq!(only("user:ada-marlow"), ["only ben-okafor"]);
    assert_eq!(only("ada.marlow@marlow.example"), ["only ben-okafor"]);
    assert_eq!(only("user:ada-marlow, ben-okafor"), [""; 0]);
    // A group stands for its members, of whom Ben is one.
    assert_eq!(only(&format!("group:{ENGINEERS}")), ["only ada-marlow"]);
    // Through groups, and through none.
    let found = broken(&room, &format!("role: platform-eng, only: [group:{ENGINEERS}]"));
    assert_eq!(found, ["only soren-eriksen"]);
    let found = broken(&room, &format!("group: {ENGINEERS}, only: [role:owner]"));
    assert_eq!(found.len(), 9, "{found:?}");
}

#[test]
fn how_many_hold_it_counts_people_and_not_ways() {
    let room = synced(&Organization::demo());
    let holders = |bounds: &str| broken(&room, &format!("role: platform-eng, holders: {bounds}"));
    // Ten people, of whom one holds it twice over, and the group itself.
    assert_eq!(holders("{max: 10, min: 10}"), [""; 0]);
    assert_eq!(holders("{max: 9}"), ["holders.max platform-eng"]);
    assert_eq!(holders("{min: 11}"), ["holders.min platform-eng"]);
    assert_eq!(broken(&room, "role: auditor, holders: {min: 1}"), ["holders.min auditor"]);
    // A union is one set, and of no single role.
    let found = broken(&room, "role: [platform-eng, owner], holders: {max: 10}");
    assert_eq!(found, ["holders.max nobody"]);
    assert_eq!(broken(&room, "role: [platform-eng, owner], holders: {max: 11}"), [""; 0]);
    let found = broken(&room, "any-role: true, holders: {min: 3}");
    assert_eq!(found, ["holders.min auditor", "holders.min owner"]);
}

#[test]
fn what_is_held_in_another_way_than_it_may_be_is_found() {
    let mut organization = Organization::demo();
    let role = organization.roles.iter_mut().find(|role| role.id == "platform-eng").unwrap();
    role.unexplained.push("vera-jansen".into());
    let room = synced(&organization);
    // Daniel holds it directly and through the group, Vera in a way that nothing explains.
    let found = broken(&room, "role: platform-eng, held: through-group");
    assert_eq!(found, ["held daniel-weiss", "held soren-eriksen", "held vera-jansen"]);
    let found = broken(&room, "role: platform-eng, held: directly");
    assert_eq!(found.len(), 10, "{found:?}");
    assert!(!found.contains(&"held soren-eriksen".to_owned()));
    assert!(found.contains(&"held vera-jansen".to_owned()));
    assert_eq!(broken(&room, "role: platform-eng, held: any, holders: {min: 1}"), [""; 0]);
}

#[test]
fn what_is_required_of_accounts_counts_also_where_it_is_not_known() {
    let user = |status, login| UserTrait {
        status: Some(user_trait::Status { status, details: String::new() }),
        last_login: (login > 0).then_some(Timestamp { seconds: login, nanos: 0 }),
        ..UserTrait::default()
    };
    let file = ForeignFile::new();
    file.kind("account", Some(Trait::User));
    file.kind("permission_set", Some(Trait::Role));
    file.kind("app", None);
    // The sync ended at 2026-11-24 08:00:00, which is 1795507200.
    file.resource("account", "fresh", Some(&user(1, 1_795_507_200 - 86_400)));
    file.resource("account", "idle", Some(&user(1, 1_795_507_200 - 86_401)));
    file.resource("account", "never", Some(&user(2, 0)));
    file.resource("permission_set", "admin", None);
    for principal in [("account", "fresh"), ("account", "idle"), ("account", "never")] {
        file.grant(("permission_set", "admin", "assigned"), principal, &[]);
    }
    file.grant(("permission_set", "admin", "assigned"), ("account", "ghost"), &[]);
    file.grant(("permission_set", "admin", "assigned"), ("app", "bot"), &[]);
    let room = TestDir::new();
    file.save(&room.file("sync.c1z"));
    let require = |what: &str| broken(&room, &format!("role: admin, require: {{{what}}}"));
    assert_eq!(require("status: enabled"), ["require.status ghost", "require.status never"]);
    assert_eq!(require("status: disabled").len(), 3);
    // Nobody knows of any address, and an app has none to verify.
    assert_eq!(require("email-verified: true").len(), 4);
    let unknown = |word: &str| {
        let rule = format!("id: a, role: admin, require: {{login-within: 1d}}{word}");
        let told = found(&room, &of_rules(&[&rule]), &[]);
        let severities = told["findings"].as_array().unwrap().iter();
        let severities = severities.map(|it| it["severity"].as_str().unwrap().to_owned());
        open(&told).into_iter().map(|(_, of)| of).zip(severities).collect::<Vec<_>>()
    };
    let is = |of: &str, severity: &str| (of.to_owned(), severity.to_owned());
    let (ghost, never) = (|word| is("ghost", word), |word| is("never", word));
    let idle = || is("idle", "error");
    assert_eq!(unknown(""), [ghost("warning"), idle(), never("warning")]);
    assert_eq!(unknown(", unknown-login: warn"), unknown(""));
    assert_eq!(unknown(", unknown-login: fail"), [ghost("error"), idle(), never("error")]);
    assert_eq!(unknown(", unknown-login: ignore"), [idle()]);
    // To the second, as a login is required.
    assert_eq!(broken(&room, "finding: idle, days: 1"), ["finding.idle idle"]);
    // Everybody who is no group counts, apps and those without a row as well.
    assert_eq!(broken(&room, "role: admin, holders: {max: 4}"), ["holders.max admin"]);
    assert_eq!(broken(&room, "role: admin, holders: {max: 5}"), [""; 0]);
    let found = broken(&room, "role: permission_set:admin, only: [app:bot, account:ghost, idle]");
    assert_eq!(found, ["only fresh", "only never"]);
}

#[test]
fn who_holds_all_of_what_may_not_be_held_together_is_found() {
    let room = synced(&Organization::demo());
    let rule = "not-together: [role:billing-ops, incident-response]";
    let people = ["carla-rossi", "goran-petrov", "priya-raman"];
    assert_eq!(broken(&room, rule), people.map(|id| format!("not-together {id}")));
    let told = found(&room, &of_rules(&[&format!("id: a, {rule}")]), &[]);
    assert!(told["findings"][0]["entitlement"].is_null(), "{told}");
    assert_eq!(broken(&room, "not-together: [billing-ops, owner]"), [""; 0]);
    // A group may stand there as well as a role, and all of them have to be held.
    let rule = format!("not-together: [platform-eng, 'group:{ENGINEERS}', billing-ops]");
    assert_eq!(broken(&room, &rule), people.map(|id| format!("not-together {id}")));
    let twice = of_rules(&["id: a, not-together: [owner, 'role:owner']"]);
    review(&room, &twice, &[])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["rules.yaml:3:", "the same as another id"]);
}

#[test]
fn what_a_page_finds_is_found_by_its_id() {
    let mut organization = Organization::demo();
    for role in &mut organization.roles {
        if role.id == "auditor" {
            role.directory_groups.extend(["gone-1".into(), "gone-2".into()]);
        }
    }
    let pending = organization.members.iter_mut().find(|it| it.id == "quinn-abara").unwrap();
    pending.listed = false;
    let room = synced(&organization);
    let finding = |id: &str| broken(&room, &format!("finding: {id}"));
    for (id, expected) in [
        ("unusable-accounts", &["pending-7f3a"][..]),
        ("outside-member-list", &["quinn-abara"]),
        ("people-without-row", &[]),
        ("status-unknown", &[]),
        ("unverified-addresses", &["pending-7f3a"]),
        ("unexplained-memberships", &[]),
        ("direct-beside-group", &["daniel-weiss"]),
        ("roles-without-holders", &["auditor"]),
        ("missing-groups", &["auditor", "auditor"]),
    ] {
        let expected: Vec<_> = expected.iter().map(|of| format!("finding.{id} {of}")).collect();
        assert_eq!(finding(id), expected, "{id}");
    }
    let idle = |days: u16| broken(&room, &format!("finding: idle, days: {days}")).len();
    assert!(idle(1) > idle(200) && idle(200) > 0 && idle(60_000) == 0);
    assert_eq!(finding("idle").len(), idle(90));
    assert!(!finding("login-unknown").is_empty());
    // Two groups that one role lacks are two findings, each with its own fingerprint.
    let told = found(&room, &of_rules(&["id: a, finding: missing-groups"]), &[]);
    let prints = [0, 1].map(|place| told["findings"][place]["fingerprint"].as_str().unwrap());
    assert_ne!(prints[0], prints[1]);
}

#[test]
fn json_keeps_what_the_manual_promises() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&[
        "id: owners, role: owner, only: [ada-marlow], holders: {max: 1}, severity: warning",
        "id: fine, role: owner, holders: {min: 2}",
    ]);
    let run = review(&room, &rules, &["--output", "json=out.json"]);
    // Nothing but warnings.
    assert_eq!((run.code(), run.stdout(), run.stderr()), (Some(0), "", ""));
    let run = review(&room, &rules, &["--output", "json=out.json", "--fail-on", "warning"]);
    run.expect_failure(exit_code::VIOLATED, &["1 of 2 rules broken: 0 errors, 2 warnings"]);
    let told = std::fs::read_to_string(room.file("out.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["file"], "sync.c1z");
    assert!(told["sync_id"].is_string() && told["ended_at"].is_string());
    assert_eq!(
        told["rules"],
        serde_json::json!([
            {"id": "owners", "severity": "warning", "violations": 2},
            {"id": "fine", "severity": "error", "violations": 0},
        ])
    );
    let finding = &told["findings"][0];
    assert_eq!(finding["rule"], "owners");
    assert_eq!(finding["principal"]["email"], "ben.okafor@marlow.example");
    assert_eq!(finding["entitlement"]["id"], "role:owner:assigned");
    assert_eq!(finding["entitlement"]["resource"]["description"], "Everything");
    assert!(finding["resource"].is_null() && finding["suppressed"].is_null());
    assert_eq!(
        finding["message"],
        "Ben Okafor (ben-okafor) holds role Owner (direct), which only others may"
    );
    let finding = &told["findings"][1];
    assert!(finding["principal"].is_null() && finding["entitlement"].is_null());
    assert_eq!(finding["resource"]["resource"], "owner");
}
