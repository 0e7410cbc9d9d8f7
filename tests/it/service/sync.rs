//! What ConductorOne wants of a sync, resuming one, and sharing Northflank's rate budget.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::harness::daemon::{
    Daemon, northflank, northflank_with, platform, scratch, slow_northflank, sync_file,
};
use crate::harness::sync_file::SyncFile;
use crate::harness::{Connector, TestDir, assert_takes_at_most, expected, wait_for_requests};
use fake_conductorone::api::task::{SyncFullTask, TaskType};
use fake_conductorone::{Code, FakeConductorOne, Fault, Method, Rule, v2};
use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Size};

fn count(file: &SyncFile, table: &str) -> i64 {
    let sql = format!("select count(*) from v1_{table}");
    file.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn sync_type(file: &SyncFile) -> String {
    file.column("select sync_type from v1_sync_runs").concat()
}

fn types(file: &SyncFile) -> BTreeSet<String> {
    file.column("select distinct resource_type_id from v1_resources").into_iter().collect()
}

#[test]
fn every_option_of_a_sync_is_followed() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let sync = |wanted: SyncFullTask| {
        let task = platform.assign(TaskType::SyncFull(wanted));
        let ending = platform.ending(&task);
        assert_eq!(ending.code, Code::Ok, "{}", ending.message);
        sync_file(&daemon.room, &platform.uploads(&task)[0].data)
    };
    let whole = sync(SyncFullTask::default());
    let all_grants = count(&whole, "grants");

    let file = sync(SyncFullTask { skip_grants: true, ..Default::default() });
    assert_eq!((sync_type(&file).as_str(), count(&file, "grants")), ("full", 0));
    assert_eq!(count(&file, "entitlements"), count(&whole, "entitlements"));

    let file = sync(SyncFullTask { skip_entitlements_and_grants: true, ..Default::default() });
    assert_eq!(sync_type(&file), "resources_only");
    assert_eq!((count(&file, "entitlements"), count(&file, "grants")), (0, 0));
    assert_eq!(file.resource_keys(), expected::resources(&northflank.organization()));

    // Grants through groups are left to ConductorOne to expand.
    let file = sync(SyncFullTask { skip_expand_grants: true, ..Default::default() });
    assert_eq!(sync_type(&file), "full");
    assert!((1..all_grants).contains(&count(&file, "grants")));
    let expandable = file.column("select external_id from v1_grants where expansion is not null");
    assert!(!expandable.is_empty());

    let file = sync(SyncFullTask {
        sync_resource_type_ids: vec!["group".into(), "user".into()],
        ..Default::default()
    });
    assert_eq!(types(&file), BTreeSet::from(["group".into(), "user".into()]));

    let target = |resource_type: &str, resource: &str| v2::Resource {
        id: Some(v2::ResourceId { resource_type: resource_type.into(), resource: resource.into() }),
        ..Default::default()
    };
    let file = sync(SyncFullTask {
        targeted_sync_resources: vec![
            target("role", "owner"),
            target("role", "gone"),
            target("galaxy", "a"),
        ],
        ..Default::default()
    });
    // As in baton-sdk, what isn't there is left out of the file and told in the log.
    daemon.wait_for_log(r#"Northflank lists no role \"gone\""#);
    daemon.wait_for_log(r#"is of the type \"galaxy\", which isn't synced; it is left out"#);
    assert_eq!(sync_type(&file), "partial");
    let entitlements = file.column("select external_id from v1_entitlements");
    assert_eq!(entitlements, ["role:owner:assigned"]);

    // Sqlite is written whatever is asked for.
    let file = sync(SyncFullTask { storage_engine: "pebble".into(), ..Default::default() });
    assert_eq!(count(&file, "grants"), all_grants);
    platform.assert_no_violations();
    northflank.assert_no_violations();
}

#[test]
fn teams_are_synced_where_a_task_names_them_and_tokens_where_the_connector_is_told_to() {
    let size = Size { members: 20, roles: 2, groups: 1, memberships: 30 };
    let organization = Organization::generate(3, size).with_teams(3, 2);
    let (platform, northflank) =
        (platform(), FakeNorthflank::start(organization, Options::default()).unwrap());
    let daemon = Daemon::start(&platform, &northflank);
    let named = |types: &[&str]| SyncFullTask {
        sync_resource_type_ids: types.iter().map(|id| (*id).to_owned()).collect(),
        ..Default::default()
    };
    let ending = |wanted| {
        let task = platform.assign(TaskType::SyncFull(wanted));
        (platform.ending(&task), task)
    };
    let sync = |wanted| {
        let (ending, task) = ending(wanted);
        assert_eq!(ending.code, Code::Ok, "{}", ending.message);
        types(&sync_file(&daemon.room, &platform.uploads(&task)[0].data))
    };
    assert_eq!(
        sync(SyncFullTask::default()),
        BTreeSet::from(["group", "role", "user"].map(str::to_owned))
    );
    let all = named(&["user", "role", "group", "team-role"]);
    assert!(sync(all).is_superset(&BTreeSet::from(["team", "team-role"].map(str::to_owned))));
    let target = v2::ResourceId { resource_type: "team".into(), resource: "team-1".into() };
    let target = v2::Resource { id: Some(target), ..Default::default() };
    let targeted = SyncFullTask { targeted_sync_resources: vec![target], ..Default::default() };
    assert!(sync(targeted).contains("team"));
    let (refused, _) = ending(named(&["user", "api-token"]));
    assert_eq!(refused.code, Code::Unknown);
    assert!(refused.message.contains("--sync-secrets"), "{}", refused.message);
    drop(daemon);
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.arguments(["--sync-secrets", "--sync-teams"])
    });
    let sync = |wanted| {
        let task = platform.assign(TaskType::SyncFull(wanted));
        assert_eq!(platform.ending(&task).code, Code::Ok);
        types(&sync_file(&daemon.room, &platform.uploads(&task)[0].data))
    };
    let local = sync(SyncFullTask::default());
    assert!(local.contains("api-token") && local.contains("team-role"), "{local:?}");
    let of_task = sync(named(&["user"]));
    assert_eq!(of_task, BTreeSet::from(["api-token", "user"].map(str::to_owned)), "a task's win");
    northflank.assert_no_violations();
}

#[test]
fn full_syncs_that_are_switched_off_upload_no_empty_file() {
    let (platform, northflank) = (platform(), northflank());
    let _daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.arguments(["--skip-full-sync"])
    });
    let ending = platform.ending(&platform.assign_sync());
    assert_eq!((ending.code, ending.non_retryable), (Code::FailedPrecondition, true));
    assert_eq!(platform.count(Method::UploadAsset), 0);
    assert_eq!(northflank.requests(), 0);
}

/// Has most of what was asked for answered by the time the next request is made.
fn one_by_one(connector: Connector) -> Connector {
    connector.arguments(["--workers", "1"])
}

/// How many requests a sync that nothing interrupts takes.
fn requests_of_a_sync() -> usize {
    let (platform, northflank) = (platform(), northflank());
    let _daemon = Daemon::start(&platform, &northflank);
    platform.ending(&platform.assign_sync());
    northflank.requests()
}

/// Asserts that a task goes on from pages that were read before.
fn assert_goes_on(
    platform: &FakeConductorOne,
    northflank: &FakeNorthflank,
    daemon: &Daemon,
    task: &str,
) {
    let requests = daemon.requests_to_complete(platform, northflank, task);
    let all = requests_of_a_sync();
    assert!(requests < all, "{requests} requests, as many as from the start");
    daemon.wait_for_log("going on from an interrupted sync");
}

#[test]
fn a_task_that_comes_again_after_a_crash_goes_on_from_the_pages_read() {
    let (platform, northflank) = (platform(), slow_northflank());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), one_by_one);
    let task = platform.assign_sync();
    wait_for_requests(&northflank, 12);
    let room = daemon.kill();
    // Nor does a task that is not even begun take anything from it.
    let heartbeats = platform.count(Method::Heartbeat);
    platform.script(Rule::once(Method::Heartbeat, Fault::Refuse(Code::Internal)));
    let daemon = Daemon::start_with(&platform, &northflank, room, |connector| connector);
    platform.assign_again(&task);
    platform.wait_for_calls(Method::Heartbeat, heartbeats + 1);
    daemon.wait_for_log("the first heartbeat failed");
    platform.assign_again(&task);
    assert_goes_on(&platform, &northflank, &daemon, &task);
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
}

#[test]
fn a_task_that_is_stopped_goes_on_after_a_restart_if_its_directory_lasts() {
    let (platform, northflank) = (platform(), slow_northflank());
    let room = TestDir::new();
    let lasting = room.file("scratch");
    let start = |room| {
        Daemon::start_with(&platform, &northflank, room, |connector| {
            one_by_one(connector).variable("BATON_C1Z_TEMP_DIR", &lasting)
        })
    };
    let daemon = start(room);
    let task = platform.assign_sync();
    wait_for_requests(&northflank, 12);
    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(platform.ending(&task).code, Code::Cancelled);
    assert!(!scratch(&room).is_empty());
    let daemon = start(room);
    let task = platform.assign_sync();
    assert_goes_on(&platform, &northflank, &daemon, &task);
    let (_, _, room) = daemon.stop();
    assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
}

#[test]
fn a_task_that_fails_goes_on_at_its_next_try() {
    let (platform, northflank) = (platform(), northflank());
    let broken = Action::json(400, r#"{"error":{"message":"no"}}"#);
    northflank.script(fake_northflank::Rule::every(Endpoint::GroupMembers, broken).after(2).once());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), one_by_one);
    let failed = platform.assign_sync();
    assert_eq!(platform.ending(&failed).code, Code::Unknown);
    let task = platform.assign_sync();
    assert_goes_on(&platform, &northflank, &daemon, &task);
}

#[test]
fn tasks_at_once_share_one_rate_budget_and_heartbeat_while_they_wait() {
    assert_takes_at_most(Duration::from_secs(3), || {
        let window = Duration::from_secs(4);
        let northflank = northflank_with(fake_northflank::Options {
            rate_limit: Some(20),
            window,
            ..Default::default()
        });
        let platform = platform();
        let daemon = Daemon::start(&platform, &northflank);
        let begun = Instant::now();
        let tasks = [platform.assign_sync(), platform.assign_sync()];
        for task in &tasks {
            assert_eq!(platform.ending(task).code, Code::Ok, "{}", daemon.log());
        }
        let took = begun.elapsed();
        // More requests than a window allows: at least one reset was waited for.
        assert!(northflank.requests() > 20 && took > window / 2, "{took:?}");
        let waits = "waiting for the next window of Northflank's rate limit";
        assert!(daemon.log().contains(waits), "{}", daemon.log());
        let refused = northflank.journal().iter().filter(|request| request.status == 429).count();
        assert!(refused <= 2, "{refused} refused: the tasks know nothing of each other");
        northflank.assert_no_violations();
        platform.assert_no_violations();
        // The longest time without a heartbeat.
        let calls = platform.calls();
        let silences = tasks.iter().flat_map(|task| {
            let of_task = calls.iter().filter(|call| call.task.as_ref() == Some(task));
            let times: Vec<_> = of_task.map(|call| call.at).collect();
            times.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        });
        silences.max().unwrap()
    });
}
