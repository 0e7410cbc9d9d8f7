//! Rules that are wrong, or that the file has nothing of.

use std::fs;
use std::time::{Duration, Instant};

use fake_northflank::{FakeNorthflank, Options, Organization, Size};

use super::{found, in_a_month, of_rules, open, review, synced};
use crate::harness::TestDir;
use crate::harness::assert_takes_at_most;
use crate::harness::exit_code;

#[test]
fn a_misspelt_id_never_passes() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&[
        "id: a, role: ownr, only: []",
        "id: b, group: role:owner, holders: {max: 1}",
        "id: c, not-together: [owner, billing-op]",
    ]);
    let parts =
        ["rules.yaml:3:19: ", "no role \"ownr\"", "did you mean owner?", "4:20", "billing-ops"];
    review(&room, &rules, &["--output", "json=out.json"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &parts);
    assert!(!room.names().contains(&"out.json".to_owned()));
}

#[test]
fn the_nearest_ids_are_named_whatever_form_a_misspelt_one_has() {
    let size = Size { members: 20, roles: 3, groups: 1, memberships: 30 };
    let organization = Organization::generate(3, size).with_teams(3, 2);
    let room = TestDir::new();
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    room.connector_to(&fake).arguments(["--sync-teams", "--sync-secrets"]).run().expect_success();
    for (rule, parts) in [
        ("role: 'team-role:team-0/admn', only: []", &["no role", "did you mean team-0/admin"][..]),
        ("role: admin, only: []", &["team-0/admin or team-1/admin"]),
        ("group: 'team:tem-0', only: []", &["no group", "did you mean team-0"]),
        ("not-together: ['team:tem-0', x]", &["no role or group", "did you mean team-0"]),
        // What is there and is no role helps nobody.
        ("role: 'team:tem-0', only: []", &["no role \"team:tem-0\"; nothing in it"]),
    ] {
        review(&room, &of_rules(&[&format!("id: a, {rule}")]), &[])
            .expect_failure(exit_code::INVALID_ARGUMENT, parts);
    }
    let rules = of_rules(&["id: a, finding: token-of-owner, severity: warning"])
        + "exceptions: [{rule: a, resource: 'api-token:@organization/forevr', reason: r, until: "
        + &in_a_month()
        + "}]\n";
    let run = review(&room, &rules, &["--output", "json=-"]);
    let part =
        "no api-token \"api-token:@organization/forevr\"; did you mean @organization/forever";
    assert!(run.stderr().contains(part), "{}", run.stderr());
}

#[test]
fn somebody_unknown_who_may_or_is_excepted_only_makes_it_stricter() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, role: owner, only: [ada-marlow, ben-okafr]"])
        + "exceptions: [{rule: a, principal: nobody-like-that, reason: r, until: "
        + &in_a_month()
        + "}]\n";
    let run = review(&room, &rules, &["--output", "json=-"]);
    assert_eq!(run.code(), Some(exit_code::VIOLATED), "{}", run.stderr());
    let lines: Vec<_> = run.stderr().lines().collect();
    assert!(lines[0].contains("warning: only of a, line 3: ") && lines[0].contains("ben-okafor"));
    assert!(lines[1].contains("warning: exception of a, line 4: "), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(open(&found(&room, &rules, &[])), [("only".to_owned(), "ben-okafor".to_owned())]);
}

#[test]
fn a_role_among_those_who_may_stands_for_nobody_and_that_is_said() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, role: owner, only: [ada-marlow, 'role:owner']"]);
    let run = review(&room, &rules, &["--output", "json=-"]);
    let part = "warning: only of a, line 3: \"role:owner\" is a role: it doesn't stand for";
    assert!(run.stderr().contains(part), "{}", run.stderr());
    assert_eq!(open(&found(&room, &rules, &[])), [("only".to_owned(), "ben-okafor".to_owned())]);
}

#[test]
fn everything_wrong_is_told_at_once_with_line_and_column() {
    let room = synced(&Organization::demo());
    let rules =
        "version: 3\nrules:\n  - {id: a, rol: owner, only: []}\n  - {id: a, finding: idle}\n";
    let parts = ["rules.yaml:1:10: version", "3:5: ", "3:13: unknown key \"rol\"", "4:10: another"];
    review(&room, rules, &[]).expect_failure(exit_code::INVALID_ARGUMENT, &parts);
}

#[test]
fn hostile_rules_are_refused_in_time() {
    let room = synced(&Organization::demo());
    let rule = of_rules(&["id: a, finding: idle"]);
    for (rules, part) in [
        (format!("{rule}# {}", "x".repeat(1 << 20)), "larger than 1 MiB"),
        ("[".repeat(1_000), "nested"),
        (format!("a: {}", "- ".repeat(1_000)), "rules.yaml:1:"),
        ("a: ".to_owned() + &"{a: ".repeat(200_000), "nested"),
        (format!("a: &a [x]\nb: {}", "[*a, ".repeat(50)), "alias"),
        (format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(100_000)), "alias"),
        ("a: 'b".to_owned(), "rules.yaml:1:"),
        ("\u{0}".to_owned(), "rules.yaml:1:"),
    ] {
        assert_takes_at_most(Duration::from_secs(5), || {
            let started = Instant::now();
            review(&room, &rules, &[]).expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
            started.elapsed()
        });
    }
    // Ids by the thousand that nothing has are refused, or told, in time as well.
    let ids =
        |name: &str| (0..20_000).map(|id| format!("{name}-{id}")).collect::<Vec<_>>().join(", ");
    let subjects = format!("version: 1\nrules: [{{id: a, role: [{}], only: []}}]", ids("r"));
    let allowed = format!("version: 1\nrules: [{{id: a, role: owner, only: [{}]}}]", ids("u"));
    for (rules, code) in [(subjects, 3), (allowed, 21)] {
        assert_takes_at_most(Duration::from_secs(30), || {
            let started = Instant::now();
            let run = review(&room, &rules, &[]);
            assert_eq!(run.code(), Some(code), "{}", run.stderr());
            started.elapsed()
        });
    }
    fs::write(room.file("latin.yaml"), b"version: \xff").unwrap();
    let latin = ["review", "--rules", "latin.yaml"];
    room.connector()
        .arguments(latin)
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["latin.yaml", "not valid UTF-8"]);
    let none = ["review", "--rules", "none.yaml"];
    room.connector()
        .arguments(none)
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["can't read none.yaml"]);
}

#[test]
fn a_call_that_writes_where_it_reads_or_twice_is_refused() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, finding: idle"]);
    for (arguments, part) in [
        (&["--output", "json=sync.c1z"][..], "is the sync file itself"),
        (&["--output", "json=rules.yaml"], "is a file that is read"),
        (&["--output", "json=a", "--output", "table=a"], "where something else does"),
        (&["--output", "json=-", "--output", "table=-"], "where something else does"),
        (&["--output", "json=a", "--write-baseline", "a"], "where something else does"),
        (&["--output", "json=a", "--output", "table=./a"], "where something else does"),
        (&["--output", "json=a", "--write-baseline", "./a"], "where something else does"),
        (&["--write-baseline", "./rules.yaml"], "--write-baseline ./rules.yaml is a file that is"),
        (&["--write-baseline", "sync.c1z"], "--write-baseline sync.c1z is the sync file itself"),
        (&["--output", "xml=a"], "no format \"xml\""),
        (&["--output", "json"], "FORMAT=FILE"),
        (&["--output", "json=none/a", "--output", "table=b"], "can't write none/a"),
        (&["--baseline", "a", "--write-baseline", "b"], "cannot be used with"),
        (&["--fail-on", "info"], "invalid value 'info'"),
        (&["--sync", "x"], "x"),
    ] {
        review(&room, &rules, arguments).expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
        assert_eq!(room.names(), ["rules.yaml", "sync.c1z"], "{arguments:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_leaves_none_of_the_others() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, role: owner, only: []"]);
    fs::write(room.file("before"), "as it was").unwrap();
    for place in ["none/there", "sync.c1z/below", "/dev/full", "."] {
        for last in [&["--output"][..], &["--write-baseline"]] {
            let place = if last[0] == "--output" { format!("table={place}") } else { place.into() };
            let outputs = ["--output", "json=before", "--output", "junit=new", last[0], &place];
            review(&room, &rules, &outputs)
                .expect_failure(exit_code::INVALID_ARGUMENT, &["can't write", "where you may"]);
            assert_eq!(room.names(), ["before", "rules.yaml", "sync.c1z"], "{place}");
            assert_eq!(fs::read_to_string(room.file("before")).unwrap(), "as it was");
        }
    }
}

#[test]
fn standard_output_and_a_file_of_its_sign_are_two_places() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, role: owner, holders: {max: 9}"]);
    let run = review(&room, &rules, &["--output", "json=-", "--output", "table=./-"]);
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    assert!(run.stdout().starts_with('{') && room.file("-").exists());
}

#[cfg(unix)]
#[test]
fn what_is_written_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, finding: login-unknown"]);
    let outputs = ["--output", "json=a", "--output", "table=b", "--write-baseline", "c"];
    let run = review(&room, &rules, &outputs);
    assert_eq!((run.code(), run.stdout(), run.stderr()), (Some(0), "", ""));
    for name in ["a", "b", "c"] {
        let mode = fs::metadata(room.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
