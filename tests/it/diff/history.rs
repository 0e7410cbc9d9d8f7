//! A file that keeps a history: which syncs it holds, what changed between any two, and what
//! protects it.

use std::fs;

use crate::harness::changes::changed_demo;
use crate::harness::exit_code;
use crate::harness::sync_file::{SyncFile, change};
use crate::harness::{Connector, Run, TestDir};
use fake_northflank::{FakeNorthflank, Options, Organization};
use serde_json::Value;

/// A file with these many syncs, of the first of December on and each a day later. The last one is
/// of the changed organization.
fn history(count: usize) -> TestDir {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    for number in 1..=count {
        if number == count {
            fake.mutate(|organization| *organization = changed_demo());
        }
        keeping_all(room.connector_to(&fake)).run().expect_success();
    }
    for (day, sync) in (1..).zip(SyncFile::open(&room.file("sync.c1z")).syncs()) {
        let ended = format!("2026-12-{day:02} 03:00:01.5");
        let began = format!("2026-12-{day:02} 03:00:00");
        let sql = format!(
            "update v1_sync_runs set ended_at = '{ended}', started_at = '{began}'
             where sync_id = '{sync}'"
        );
        change(&room.file("sync.c1z"), &sql);
    }
    room
}

fn keeping_all(connector: Connector) -> Connector {
    connector.variable("BATON_SKIP_CLEANUP", "true")
}

fn run(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments(arguments).run()
}

fn ids(room: &TestDir) -> Vec<String> {
    SyncFile::open(&room.file("sync.c1z")).syncs()
}

#[test]
fn a_history_survives_a_run_that_was_not_told_of_it_and_what_is_asked_for_is_told() {
    let room = history(6);
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let before = ids(&room);
    let run = room.connector_to(&fake).run().expect_success();
    let after = ids(&room);
    assert_eq!((after.len(), &after[..5]), (6, &before[1..]), "as many as there were");
    assert!(!run.stderr().contains("were removed"), "{}", run.stderr());
    let keep = |count: &str| {
        let connector = room.connector_to(&fake).variable("BATON_KEEP_SYNC_COUNT", count);
        connector.run().expect_success()
    };
    // One makes room for the new one, as ever.
    assert!(!keep("6").stderr().contains("were removed"));
    let run = keep("3");
    assert_eq!(ids(&room).len(), 3);
    let told = run.stderr().lines().find(|line| line.contains("earlier syncs were removed"));
    assert!(told.unwrap().contains("\"removed\":4"), "{}", run.stderr());
    assert!(told.unwrap().contains("BATON_KEEP_SYNC_COUNT"), "{}", run.stderr());
}

#[test]
fn the_syncs_of_a_file_are_listed_the_newest_first() {
    let room = history(3);
    let mut ids = ids(&room);
    ids.reverse();
    let listed = run(&room, &["syncs"]);
    assert_eq!((listed.code(), listed.stderr()), (Some(0), ""));
    let lines: Vec<_> = listed.stdout().lines().collect();
    assert_eq!(lines.len(), 4, "{}", listed.stdout());
    assert!(lines[0].starts_with("Sync ") && lines[0].contains("Grants"), "{}", lines[0]);
    for (line, id) in lines[1..].iter().zip(&ids) {
        assert!(line.starts_with(&format!("{id}  full ")), "{line}");
    }
    assert!(lines[1].contains("2026-12-03 03:00:00 UTC  2026-12-03 03:00:01 UTC"), "{}", lines[1]);

    let json = run(&room, &["syncs", "sync.c1z", "--format", "json"]);
    let json: Value = serde_json::from_str(json.stdout()).unwrap();
    assert_eq!(json["file"], "sync.c1z");
    let syncs = json["syncs"].as_array().unwrap();
    let listed: Vec<_> = syncs.iter().map(|sync| sync["sync_id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids);
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(syncs[0]["sync_type"], "full");
    assert_eq!(syncs[0]["grants"], file.grants().len());
    assert_eq!(syncs[0]["resources"], file.resource_keys().len());
    assert_eq!(syncs[0]["ended_at"], "2026-12-03 03:00:01.5");
    assert!(syncs[0]["reduced_to"].is_null());
    assert_eq!(syncs[0]["organization"]["slug"], "acme");
    run(&room, &["syncs", "none.c1z"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["none.c1z does not exist"]);
    fs::write(room.file("text.c1z"), "hello").unwrap();
    run(&room, &["syncs", "text.c1z"]).expect_failure(exit_code::INVALID_ARGUMENT, &["text.c1z"]);
}

#[test]
fn a_list_of_syncs_says_what_each_covers() {
    let room = TestDir::new();
    let organization = Organization::demo().with_teams_of_the_demo();
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    for arguments in [&["--sync-teams"][..], &["--sync-resource-types", "user"], &[]] {
        room.connector_to(&fake).arguments(arguments).run().expect_success();
    }
    let listed = run(&room, &["syncs"]);
    let lines: Vec<_> = listed.stdout().lines().collect();
    for (line, end) in
        lines.iter().zip(["Organization", "acme", "only the types user", "team-role"])
    {
        assert!(line.ends_with(end), "{line:?}");
    }
    assert!(lines[2].contains("acme          only the types user"), "{}", lines[2]);
    assert!(lines[3].contains("acme          with team, team-role"), "{}", lines[3]);
    // The newest is of everything, and no other is.
    let parts = ["no earlier sync that covers the same as its newest"];
    run(&room, &["diff"]).expect_failure(exit_code::INVALID_ARGUMENT, &parts);
    let part = run(&room, &["diff", "--from", lines[2].split(' ').next().unwrap()]);
    assert!(part.stderr().contains("covers only the types user,"), "{}", part.stderr());
}

#[test]
fn an_output_of_a_hyphen_is_standard_output() {
    let room = history(2);
    for command in ["access", "diff"] {
        let printed = run(&room, &[command, "--format", "json", "--output", "-"]);
        assert_eq!(printed.stdout(), run(&room, &[command, "--format", "json"]).stdout());
    }
    assert!(!room.file("-").exists());
}

#[test]
fn any_two_syncs_of_a_file_are_compared_by_id_or_day() {
    let room = history(4);
    let ids = ids(&room);
    let json = |arguments: &[&str]| -> Value {
        let run = run(&room, &[&["diff", "sync.c1z", "--format", "json"], arguments].concat());
        assert_eq!((run.code(), run.stderr()), (Some(0), ""));
        serde_json::from_str(run.stdout()).unwrap()
    };
    let compared = |arguments: &[&str]| {
        let diff = json(arguments);
        let side = |side: &str| diff[side]["sync_id"].as_str().unwrap().to_owned();
        (side("old"), side("new"))
    };
    let pair = |old: usize, new: usize| (ids[old].clone(), ids[new].clone());
    assert_eq!(compared(&["--from", "2026-12-01", "--to", "2026-12-03"]), pair(0, 2));
    assert_eq!(compared(&["--from", &ids[1]]), pair(1, 3));
    assert_eq!(compared(&["--to", "2026-12-02"]), pair(0, 1));
    assert_eq!(compared(&["--from", &ids[0], "--to", "2026-12-04"]), pair(0, 3));
    assert_eq!(compared(&[]), pair(2, 3));
    let quarter = json(&["--from", "2026-12-01"]);
    assert!(!quarter["resources"]["created"].as_array().unwrap().is_empty());

    // As `access` takes them.
    let access = |sync: &str| -> Value {
        let run = run(&room, &["access", "--format", "json", "--sync", sync]);
        assert_eq!(run.code(), Some(0), "{}", run.stderr());
        serde_json::from_str(run.stdout()).unwrap()
    };
    assert_eq!(access("2026-12-01")["sync_id"].as_str(), Some(&*ids[0]));
    assert_eq!(access(&ids[2])["sync_id"].as_str(), Some(&*ids[2]));
}

#[test]
fn of_a_day_with_several_syncs_the_last_one_counts() {
    let room = history(3);
    let ids = ids(&room);
    let sql = format!(
        "update v1_sync_runs set ended_at = '2026-12-01 20:00:00' where sync_id = '{}'",
        ids[1]
    );
    change(&room.file("sync.c1z"), &sql);
    let run = run(&room, &["access", "--format", "json", "--sync", "2026-12-01"]);
    assert!(run.stdout().contains(&ids[1]), "{}", run.stderr());
}

#[test]
fn syncs_that_can_not_be_meant_are_one_line_and_3() {
    let room = history(3);
    let ids = ids(&room);
    for (arguments, said) in [
        (&["diff", "sync.c1z", "--from", ""][..], "--from is empty"),
        (&["diff", "sync.c1z", "--to", " "], "--to is empty"),
        (&["access", "--sync", ""], "--sync is empty"),
        (&["review", "--rules", "r.yaml", "--sync", ""], "--sync is empty"),
        (&["diff", "--from", "2026-11-30"], "no finished full sync 2026-11-30; it has"),
        (&["diff", "--from", "2026-02-31"], "no finished full sync 2026-02-31"),
        (&["access", "--sync", "2026-12-31"], "no finished full sync 2026-12-31"),
        (&["diff", "--from", "2026-12-03", "--to", "2026-12-01"], "did not end before"),
        (&["diff", "--from", "2026-12-02", "--to", "2026-12-02"], "did not end before"),
        (&["diff", "--from", "2026-12-03"], "did not end before"),
        (&["diff", "--to", "2026-12-01"], "holds no earlier sync than"),
        (&["diff", "sync.c1z", "sync.c1z", "--from", "2026-12-01"], "two syncs of one file"),
    ] {
        let run = run(&room, arguments).expect_failure(exit_code::INVALID_ARGUMENT, &[said]);
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
    }
    let unknown = run(&room, &["access", "--sync", "x"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &[&ids[0], "of 2026-12-01"]);
    assert_eq!(unknown.stderr().lines().count(), 1);
}
