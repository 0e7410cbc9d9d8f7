//! The fake ConductorOne against a connector that we did not write: an unmodified baton-sdk.
//! What it accepts from that one is what the real platform is used to, and what both
//! connectors answer to the same tasks is the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::daemon::{Daemon, sync_file};
use crate::harness::{Connector, TestDir};
use fake_conductorone::api::task::{
    ActionGetSchemaTask, ActionListSchemasTask, CompactSyncs, CreateSyncDiffTask, EventFeedTask,
    ListEventFeedsTask, SyncFullTask, TaskType,
};
use fake_conductorone::{Code, FakeConductorOne, Method, Options};
use fake_northflank::{FakeNorthflank, Organization};

/// A connector with one user on baton-sdk, in service mode.
fn reference(platform: &FakeConductorOne) -> Daemon {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reference-connector");
    let output = Command::new("go")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference"))
        .args(["build", "-mod=readonly", "-o"])
        .arg(&built)
        .arg(".")
        .output()
        .expect("Go is needed; see .ci/run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let room = TestDir::new();
    fs::create_dir(room.file("scratch")).unwrap();
    fs::write(room.file("ca.pem"), platform.certificate()).unwrap();
    let mut command = Command::new(built);
    command
        .env_clear()
        .current_dir(room.path())
        .env("BATON_CLIENT_ID", platform.client_id())
        .env("BATON_CLIENT_SECRET", platform.client_secret())
        .env("BATON_C1_API_HOST", platform.api_host())
        .env("SSL_CERT_FILE", room.file("ca.pem"))
        .env("TMPDIR", room.file("scratch"));
    Daemon::of(Connector(command), room)
}

/// Tasks that neither connector does, and how each has to be answered.
fn answers(platform: &FakeConductorOne) -> BTreeMap<&'static str, (Code, bool, Option<String>)> {
    let tasks = [
        ("event_feed", TaskType::EventFeed(EventFeedTask {})),
        ("create_sync_diff", TaskType::CreateSyncDiff(CreateSyncDiffTask {})),
        ("compact_syncs", TaskType::CompactSyncs(CompactSyncs {})),
        ("list_event_feeds", TaskType::ListEventFeeds(ListEventFeedsTask {})),
        ("action_list_schemas", TaskType::ActionListSchemas(ActionListSchemasTask {})),
        (
            "action_get_schema",
            TaskType::ActionGetSchema(ActionGetSchemaTask { name: "none".into() }),
        ),
    ];
    let tasks = tasks.map(|(name, task)| (name, platform.assign(task)));
    let answer = |task: &str| {
        let ending = platform.ending(task);
        (ending.code, ending.non_retryable, ending.response)
    };
    tasks.iter().map(|(name, task)| (*name, answer(task))).collect()
}

#[test]
#[ignore = "builds with Go; .ci/run runs it"]
fn a_connector_on_baton_sdk_passes_every_check_and_gives_the_same_answers() {
    let platform = FakeConductorOne::start(Options::default()).unwrap();
    let reference = reference(&platform);
    let wanted = SyncFullTask { storage_engine: "sqlite".into(), ..SyncFullTask::default() };
    let task = platform.assign(TaskType::SyncFull(wanted));
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", reference.log());
    let file = sync_file(&reference.room, &platform.uploads(&task)[0].data);
    assert_eq!(file.column("select external_id from v1_resources"), ["user:ada"]);
    let hello = platform.assign_hello();
    platform.wait_for_calls(Method::Hello, 2);
    assert_eq!(platform.hellos()[1].task_id, hello);
    let expected = answers(&platform);
    platform.assert_no_violations();
    drop(reference);

    let platform = FakeConductorOne::start(Options::default()).unwrap();
    let options = fake_northflank::Options::default();
    let northflank = FakeNorthflank::start(Organization::demo(), options).unwrap();
    let _daemon = Daemon::start(&platform, &northflank);
    assert_eq!(answers(&platform), expected);
}
