//! Files by which rules can't be judged: an error, and no output.

use baton_northflank::baton::v2::resource_type::Trait;
use fake_northflank::{FakeNorthflank, Options, Organization};

use super::{broken, of_rules, review, synced};
use crate::harness::TestDir;
use crate::harness::exit_code;
use crate::harness::foreign_file::ForeignFile;
use crate::harness::sync_file::change;

/// Asserts that the room's file can't be judged by a rule, and that nothing is written.
fn assert_unfit(room: &TestDir, rules: &str, parts: &[&str]) {
    let outputs = ["--output", "json=out.json", "--write-baseline", "b.json"];
    review(room, rules, &outputs).expect_failure(exit_code::INVALID_ARGUMENT, parts);
    assert_eq!(room.names(), ["rules.yaml", "sync.c1z"]);
}

#[test]
fn a_reduced_sync_is_not_judged() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let reduced = ["--sync-resource-types", "user,role"];
    room.connector_to(&fake).arguments(reduced).run().expect_success();
    let rules = of_rules(&["id: a, role: owner, holders: {min: 1}"]);
    assert_unfit(&room, &rules, &["doesn't cover everything: only the types role, user"]);
}

#[test]
fn a_sync_that_is_too_old_or_of_the_future_is_not_judged() {
    let room = synced(&Organization::demo());
    let rule = of_rules(&["id: a, role: owner, holders: {min: 1}"]);
    let set = |end: &str| {
        let sql = format!("update v1_sync_runs set ended_at = datetime('now', '{end}')");
        change(&room.file("sync.c1z"), &sql);
    };
    let with_age = rule.clone() + "max-age: 26h\n";
    set("-25 hours");
    assert_eq!(review(&room, &with_age, &[]).code(), Some(0));
    set("-27 hours");
    assert_eq!(review(&room, &rule, &[]).code(), Some(0));
    assert_unfit(&room, &with_age, &["max-age is 26h"]);
    set("+1 hours");
    assert_unfit(&room, &rule, &["in the future"]);
    change(&room.file("sync.c1z"), "update v1_sync_runs set ended_at = 'soon'");
    assert_unfit(&room, &rule, &["\"soon\" is no time"]);
}

#[test]
fn groups_whose_grants_are_not_expanded_are_not_judged() {
    let file = |expanded: bool| {
        let file = ForeignFile::new();
        file.kind("account", Some(Trait::User));
        file.kind("team", Some(Trait::Group));
        file.kind("permission_set", Some(Trait::Role));
        for (kind, id) in [("account", "ann"), ("team", "red"), ("team", "all")] {
            file.resource(kind, id, None);
        }
        for role in ["admin", "viewer"] {
            file.resource("permission_set", role, None);
        }
        // Ann is in a team that is in another, which holds a role.
        file.grant(("team", "red", "member"), ("account", "ann"), &[]);
        file.grant(("team", "all", "member"), ("team", "red"), &[]);
        file.grant(("permission_set", "admin", "assigned"), ("team", "all"), &[]);
        if expanded {
            let through = &["team:all:member"][..];
            file.grant(("permission_set", "admin", "assigned"), ("account", "ann"), through);
            file.grant(("team", "all", "member"), ("account", "ann"), &["team:red:member"]);
        }
        file.grant(("permission_set", "viewer", "assigned"), ("account", "ann"), &[]);
        let room = TestDir::new();
        file.save(&room.file("sync.c1z"));
        room
    };
    let plain = file(false);
    let parts = ["permission_set admin is held by team ALL (all)", "aren't expanded"];
    for rule in [
        "id: a, role: admin, only: []",
        "id: a, any-role: true, holders: {max: 9}",
        "id: a, not-together: [admin, viewer]",
    ] {
        assert_unfit(&plain, &of_rules(&[rule]), &parts);
    }
    let parts = ["team all is held by team RED (red)"];
    assert_unfit(&plain, &of_rules(&["id: a, group: all, only: []"]), &parts);
    assert_unfit(&plain, &of_rules(&["id: a, role: viewer, only: ['team:all']"]), &parts);
    for finding in ["direct-beside-group", "roles-without-holders"] {
        let rules = of_rules(&[&format!("id: a, finding: {finding}")]);
        assert_unfit(&plain, &rules, &["aren't expanded"]);
    }
    assert_eq!(broken(&plain, "finding: unexplained-memberships"), [""; 0]);
    // What no group holds is known.
    assert_eq!(broken(&plain, "role: viewer, only: []"), ["only ann"]);
    let expanded = file(true);
    assert_eq!(broken(&expanded, "role: admin, only: []"), ["only ann"]);
    assert_eq!(broken(&expanded, "role: admin, only: ['team:all']"), [""; 0]);
    assert_eq!(broken(&expanded, "not-together: [admin, viewer]"), ["not-together ann"]);
}

#[test]
fn a_member_who_holds_it_by_hand_makes_no_group_look_expanded() {
    let file = |grants: &[(&str, &[&str])]| {
        let file = ForeignFile::new();
        file.kind("account", Some(Trait::User));
        file.kind("team", Some(Trait::Group));
        file.kind("permission_set", Some(Trait::Role));
        for (kind, id) in [("account", "ann"), ("account", "bob"), ("team", "red")] {
            file.resource(kind, id, None);
        }
        file.resource("permission_set", "admin", None);
        for member in ["ann", "bob"] {
            file.grant(("team", "red", "member"), ("account", member), &[]);
        }
        let admin = ("permission_set", "admin", "assigned");
        file.grant(admin, ("team", "red"), &[]);
        for (holder, through) in grants {
            file.grant(admin, ("account", holder), through);
        }
        let room = TestDir::new();
        file.save(&room.file("sync.c1z"));
        room
    };
    let red = &["team:red:member"][..];
    let rule = "role: admin, only: [ann]";
    let by_hand = file(&[("ann", &[])]);
    assert_unfit(&by_hand, &of_rules(&[&format!("id: a, {rule}")]), &["aren't expanded"]);
    // A connector may expand for itself, or say of some members only that they hold it.
    for grants in [&[("ann", &[][..]), ("bob", &[])][..], &[("ann", &[]), ("bob", red)]] {
        assert_eq!(broken(&file(grants), rule), ["only bob"]);
    }
}

#[test]
fn logins_are_not_judged_where_the_file_knows_of_none() {
    let mut organization = Organization::demo();
    for member in &mut organization.members {
        member.last_login = None;
    }
    let room = synced(&organization);
    for finding in ["idle", "login-unknown"] {
        let rules = of_rules(&[&format!("id: a, finding: {finding}")]);
        assert_unfit(&room, &rules, &["tells of no login", finding]);
    }
}
