//! Service mode through the real binary, driven by a fake ConductorOne: what a session looks
//! like when nothing goes wrong, and every kind of task.

use std::time::{Duration, Instant};

use crate::harness::daemon::{
    Daemon, bulky, connector, northflank, northflank_with, platform, scratch, sync_file,
};
use crate::harness::exit_code;
use crate::harness::{TestDir, expected};
use fake_conductorone::api::Task;
use fake_conductorone::api::task::{
    ActionGetSchemaTask, ActionListSchemasTask, CompactSyncs, CreateAccountTask, EventFeedTask,
    GrantTask, IssueCredentialTask, ListEventFeedsTask, ListEventsTask, ListTicketSchemasTask,
    RotateCredentialsTask, SyncFullTask, TaskType,
};
use fake_conductorone::{Code, FakeConductorOne, Method, Options};
use fake_northflank::FakeNorthflank;

#[test]
fn a_session_says_hello_syncs_uploads_and_stops() {
    let (platform, northflank) = (platform(), northflank());
    let started = Instant::now();
    let daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::Hello, 1);
    println!("Hello came {} ms after the start", started.elapsed().as_millis());
    let task = platform.assign_sync();
    let ending = platform.ending(&task);
    assert_eq!((ending.code, ending.message.as_str()), (Code::Ok, ""));

    let file = daemon.assert_complete(&platform, &northflank, &task);
    assert_eq!(file.syncs().len(), 1);
    assert_eq!(file.column("select sync_type from v1_sync_runs"), ["full"]);

    let hello = &platform.hellos()[0];
    let build = hello.build_info.as_ref().unwrap();
    assert!(build.lang_version.starts_with("rustc 1."), "{build:?}");
    assert_eq!(build.package_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(hello.os_info.as_ref().unwrap().os, std::env::consts::OS);
    assert_eq!(hello.connector_metadata.as_ref().unwrap().display_name, "Northflank");
    let agent = platform.user_agent().unwrap();
    assert!(agent.starts_with("tidy-otter-7 baton-northflank/"), "{agent}");

    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(scratch(&room).is_empty());
    for secret in ["c1-token-", platform.client_secret(), northflank.token()] {
        assert!(!log.contains(secret), "{log}");
    }
    assert_eq!(platform.count(Method::Token), 1, "one token serves all calls");
    // One for the token, one for all calls.
    assert_eq!(platform.connections().0, 2);
    platform.assert_no_violations();
    northflank.assert_no_violations();
}

#[test]
fn a_large_file_comes_in_chunks_of_half_a_mebibyte() {
    let options = fake_northflank::Options { rate_limit: None, ..Default::default() };
    let northflank = FakeNorthflank::start(bulky(), options).unwrap();
    let platform = platform();
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    let upload = &platform.uploads(&task)[0];
    let (last, others) = upload.chunks.split_last().unwrap();
    assert!(!others.is_empty() && others.iter().all(|size| *size == 512 * 1024));
    assert!((1..=512 * 1024).contains(last));
    platform.assert_no_violations();
}

#[test]
fn a_hello_task_is_answered_by_hello_alone() {
    let (platform, northflank) = (platform(), northflank());
    let _daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_hello();
    platform.wait_for_calls(Method::Hello, 2);
    let sync = platform.assign_sync();
    platform.ending(&sync);
    assert_eq!(platform.hellos()[1].task_id, task);
    assert_eq!(platform.hellos()[1].connector_metadata, platform.hellos()[0].connector_metadata);
    assert_eq!(platform.count(Method::FinishTask), 1, "for the sync alone");
    platform.assert_no_violations();
}

#[test]
fn what_is_not_done_here_is_answered_and_the_loop_goes_on() {
    let (platform, northflank) = (platform(), northflank());
    let _daemon = Daemon::start(&platform, &northflank);
    for (task, code, non_retryable) in [
        (TaskType::Grant(GrantTask {}), Code::Unimplemented, true),
        (TaskType::CreateAccount(CreateAccountTask {}), Code::Unimplemented, true),
        (TaskType::RotateCredentials(RotateCredentialsTask {}), Code::Unimplemented, true),
        (TaskType::IssueCredential(IssueCredentialTask {}), Code::Unimplemented, true),
        (TaskType::ListTicketSchemas(ListTicketSchemasTask {}), Code::Unimplemented, false),
        (TaskType::ListEvents(ListEventsTask {}), Code::Unimplemented, false),
        (TaskType::ActionGetSchema(ActionGetSchemaTask::default()), Code::NotFound, false),
        (TaskType::EventFeed(EventFeedTask {}), Code::Unknown, false),
        (TaskType::CompactSyncs(CompactSyncs {}), Code::Unknown, false),
    ] {
        let ending = platform.ending(&platform.assign(task));
        assert_eq!((ending.code, ending.non_retryable), (code, non_retryable), "{ending:?}");
    }
    // A type of a later protocol arrives as none at all.
    let ending = platform.ending(&platform.assign_task(Task::default()));
    assert_eq!(ending.message, "unsupported task type");
    for (task, response) in [
        (TaskType::ListEventFeeds(ListEventFeedsTask {}), "ListEventFeedsResponse"),
        (TaskType::ActionListSchemas(ActionListSchemasTask {}), "ListActionSchemasResponse"),
    ] {
        let ending = platform.ending(&platform.assign(task));
        let url = format!("type.googleapis.com/c1.connector.v2.{response}");
        assert_eq!((ending.code, ending.response), (Code::Ok, Some(url)));
    }
    let sync = platform.assign_sync();
    assert_eq!(platform.ending(&sync).code, Code::Ok);
    assert_eq!(northflank.requests(), northflank.journal().len());
    platform.assert_no_violations();
}

#[test]
fn what_a_sync_can_not_do_fails_before_any_request() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    for (wanted, message) in [
        (
            SyncFullTask { sync_resource_type_ids: vec!["app".into()], ..Default::default() },
            "invalid resource type 'app' in filter",
        ),
        (
            SyncFullTask { storage_engine: "paper".into(), ..Default::default() },
            "unknown storage engine 'paper'",
        ),
    ] {
        let ending = platform.ending(&platform.assign(TaskType::SyncFull(wanted)));
        assert_eq!((ending.code, ending.message.as_str()), (Code::Unknown, message));
    }
    assert_eq!(northflank.requests(), 0);
    assert_eq!(platform.count(Method::UploadAsset), 0);
    drop(daemon);
    platform.assert_no_violations();
}

#[test]
fn a_failed_sync_says_why_uploads_nothing_and_leaves_nothing() {
    let (platform, northflank) = (platform(), northflank());
    northflank.revoke(northflank.token());
    let daemon = Daemon::start(&platform, &northflank);
    let ending = platform.ending(&platform.assign_sync());
    assert_eq!(ending.code, Code::Unauthenticated);
    assert!(ending.message.contains("refuses the API token"), "{}", ending.message);
    assert_eq!(platform.count(Method::UploadAsset), 0);
    assert_eq!(daemon.scratch().len(), 2, "the directory and its lock: {:?}", daemon.scratch());
    platform.assert_no_violations();
}

#[test]
fn three_tasks_run_at_once_and_no_more_are_asked_for() {
    let platform = platform();
    let latency = Duration::from_millis(150);
    let northflank = northflank_with(fake_northflank::Options { latency, ..Default::default() });
    let daemon = Daemon::start(&platform, &northflank);
    let tasks: Vec<_> = (0..5).map(|_| platform.assign_sync()).collect();
    for task in &tasks {
        assert_eq!(platform.ending(task).code, Code::Ok, "{}", daemon.log());
        let file = sync_file(&daemon.room, &platform.uploads(task)[0].data);
        assert_eq!(file.grants(), expected::grants(&northflank.organization()));
    }
    assert_eq!(platform.most_in_flight(), 3);
    platform.assert_no_violations();
}

#[test]
fn a_token_is_renewed_before_it_expires() {
    // Ten seconds early: after two.
    let life = Some(Duration::from_secs(12));
    let platform =
        FakeConductorOne::start(Options { token_life: life, ..Options::default() }).unwrap();
    let northflank = northflank();
    let _daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::Token, 3);
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    platform.assert_no_violations();
}

#[test]
fn a_token_without_a_life_is_used_once() {
    let platform =
        FakeConductorOne::start(Options { token_life: None, ..Options::default() }).unwrap();
    let northflank = northflank();
    let _daemon = Daemon::start(&platform, &northflank);
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    let counts = platform.counts();
    let calls: usize = counts.values().sum();
    // One call may be under way.
    assert!(counts[&Method::Token] * 2 + 2 >= calls, "{counts:?}");
    platform.assert_no_violations();
}

#[test]
fn credentials_that_can_not_work_end_the_process_with_one_line() {
    let (platform, northflank) = (platform(), northflank());
    let room = TestDir::new();
    for (variable, value, part) in [
        ("BATON_CLIENT_ID", "tidy-otter-7", "BATON_CLIENT_ID (--client-id) is no client id"),
        ("BATON_CLIENT_SECRET", "hidden", "BATON_CLIENT_SECRET (--client-secret) is no client"),
        ("BATON_C1_API_HOST", "https://x", "BATON_C1_API_HOST is no host"),
        ("BATON_C1Z_TEMP_DIR", "/nowhere", "BATON_C1Z_TEMP_DIR"),
    ] {
        let connector = connector(&platform, &northflank, &room);
        let run = connector
            .variable(variable, value)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
        assert!(!run.stderr().contains("hidden"), "{}", run.stderr());
    }
    assert!(platform.calls().is_empty());
}

#[test]
fn a_debug_task_brings_its_log_along() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let quiet = platform.assign_sync();
    platform.ending(&quiet);
    let task = platform.assign_task(Task {
        debug: true,
        task_type: Some(TaskType::SyncFull(SyncFullTask::default())),
        ..Task::default()
    });
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    let uploads = platform.uploads(&task);
    assert_eq!(uploads.len(), 2, "the file and the log");
    assert!(uploads[0].data.starts_with(b"C1ZF"));
    let log = String::from_utf8(uploads[1].data.clone()).unwrap();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let says = |text: &str| lines.iter().any(|line| line["message"] == text);
    // From the task itself, and from the threads that it works on.
    assert!(says("sync complete") && says("answer") && says("uploaded"), "{log}");
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "{log}");
    assert!(!daemon.log().contains("DEBUG"), "the process itself logs no more than before");
    for secret in ["c1-token-", platform.client_secret(), northflank.token()] {
        assert!(!log.contains(secret), "{log}");
    }
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assert_no_violations();
}
