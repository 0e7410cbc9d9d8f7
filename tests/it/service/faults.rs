//! Service mode when things go wrong: at ConductorOne, on the way to it, and here.

use std::time::{Duration, Instant};

use crate::harness::daemon::{
    Daemon, bulky, connector, northflank, platform, scratch, slow_northflank,
};
use crate::harness::exit_code;
use crate::harness::{Connector, TestDir, WAIT, wait_for_requests, wait_until};
use fake_conductorone::api::Task;
use fake_conductorone::api::task::{SyncFullTask, TaskType};
use fake_conductorone::{Code, FakeConductorOne, Fault, Method, Options, Outage, Rule};
use fake_northflank::{FakeNorthflank, Organization};

/// An organization whose file takes several chunks.
fn large() -> FakeNorthflank {
    let options = fake_northflank::Options { rate_limit: None, ..Default::default() };
    FakeNorthflank::start(bulky(), options).unwrap()
}

/// Asserts that nothing is asked of Northflank any longer.
fn assert_quiet(northflank: &FakeNorthflank) {
    let before = northflank.requests();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(northflank.requests(), before);
}

#[test]
fn a_token_that_is_revoked_in_mid_task_is_replaced() {
    let (platform, northflank) = (platform(), slow_northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    wait_for_requests(&northflank, 4);
    platform.revoke_tokens();
    platform.wait_for_calls(Method::Token, 2);
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    // Before the upload, which is then begun anew.
    let next = platform.assign_sync();
    platform.wait_for_calls(Method::Heartbeat, platform.count(Method::Heartbeat) + 1);
    platform.script(Rule::once(Method::UploadAsset, Fault::Refuse(Code::Unauthenticated)));
    assert_eq!(platform.ending(&next).code, Code::Ok, "{}", daemon.log());
    daemon.assert_complete(&platform, &northflank, &next);
    platform.assert_no_violations();
}

#[test]
fn a_token_endpoint_that_fails_is_asked_again() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::once(Method::Token, Fault::Refuse(Code::Unavailable)));
    let mut daemon = Daemon::start(&platform, &northflank);
    daemon.wait_for_log("ConductorOne does not answer Hello");
    platform.wait_for_calls(Method::GetTask, 1);
    assert!(daemon.is_running());
    assert_eq!((platform.count(Method::Token), platform.count(Method::Hello)), (2, 1));
    platform.assert_no_violations();
}

#[test]
fn a_hello_that_fails_for_now_is_said_again() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::once(Method::Hello, Fault::Refuse(Code::Internal)));
    let _daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::GetTask, 1);
    assert_eq!(platform.count(Method::Hello), 2);
    platform.assert_no_violations();
}

#[test]
fn a_refused_hello_ends_the_process_with_the_reason() {
    let northflank = northflank();
    for (method, code, exit) in [
        (Method::Hello, Code::PermissionDenied, exit_code::PERMISSION_DENIED),
        (Method::Hello, Code::InvalidArgument, exit_code::INVALID_ARGUMENT),
        (Method::Hello, Code::FailedPrecondition, exit_code::FAILED_PRECONDITION),
        // Twice, as a token may have been revoked.
        (Method::Hello, Code::Unauthenticated, exit_code::UNAUTHENTICATED),
        (Method::Token, Code::Unauthenticated, exit_code::UNAUTHENTICATED),
    ] {
        let (platform, room) = (platform(), TestDir::new());
        platform.script(Rule::every(method, Fault::Refuse(code)));
        let run = connector(&platform, &northflank, &room).run();
        run.expect_failure(exit, &["ConductorOne refuses the connector"]);
        assert!(platform.count(method) <= 2);
        assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
    }
}

#[test]
fn polls_that_fail_are_repeated_ever_more_slowly() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::once(Method::GetTask, Fault::Refuse(Code::PermissionDenied)));
    platform.script(Rule::once(Method::GetTask, Fault::Refuse(Code::Unknown)));
    let _daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::GetTask, 3);
    let calls = platform.calls();
    let polls: Vec<_> = calls.iter().filter(|call| call.method == Method::GetTask).collect();
    assert!(polls[1].at - polls[0].at >= Duration::from_secs(1));
    assert!(polls[2].at - polls[1].at >= Duration::from_secs(4));
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    platform.assert_no_violations();
}

#[test]
fn a_task_that_is_cancelled_already_is_not_begun() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::once(Method::Heartbeat, Fault::Delay(Duration::from_millis(300))));
    let task = platform.assign_sync();
    platform.cancel(&task);
    platform.wait_for_calls(Method::Heartbeat, 1);
    platform.wait_for_calls(Method::GetTask, platform.count(Method::GetTask) + 3);
    assert!(!platform.has_ended(&task));
    assert_eq!((northflank.requests(), platform.count(Method::UploadAsset)), (0, 0));
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assert_no_violations();
}

#[test]
fn a_first_heartbeat_that_fails_leaves_the_task_to_the_platform() {
    let (platform, northflank) = (platform(), northflank());
    let _daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::once(Method::Heartbeat, Fault::Refuse(Code::Internal)));
    let task = platform.assign_sync();
    platform.wait_for_calls(Method::Heartbeat, 1);
    platform.wait_for_calls(Method::GetTask, platform.count(Method::GetTask) + 3);
    assert!(!platform.has_ended(&task) && northflank.requests() == 0);
    // After some time the platform hands it out again.
    platform.assign_again(&task);
    assert_eq!(platform.ending(&task).code, Code::Ok);
    platform.assert_no_violations();
}

#[test]
fn a_task_that_is_cancelled_stops_its_requests_at_once() {
    let (platform, northflank) = (platform(), slow_northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    wait_for_requests(&northflank, 4);
    platform.cancel(&task);
    let ending = platform.ending(&task);
    assert_eq!((ending.code, ending.non_retryable), (Code::Cancelled, false));
    assert!(ending.message.contains("ConductorOne cancelled the task"), "{}", ending.message);
    assert_quiet(&northflank);
    assert_eq!(platform.count(Method::UploadAsset), 0);
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assert_no_violations();
}

#[test]
fn a_task_that_is_cancelled_in_its_upload_stops_it() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::every(Method::UploadAsset, Fault::Slow(Duration::from_secs(5))));
    let task = platform.assign_sync();
    platform.wait_for_calls(Method::UploadAsset, 1);
    platform.cancel(&task);
    assert_eq!(platform.ending(&task).code, Code::Cancelled);
    assert!(platform.uploads(&task).is_empty());
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assert_no_violations();
}

#[test]
fn eight_heartbeats_may_fail_in_a_row_and_nine_end_the_task() {
    let fail_so_often = |times| {
        let (platform, northflank) = (platform(), northflank());
        let daemon = Daemon::start(&platform, &northflank);
        // Long enough for all heartbeats.
        platform.script(Rule::once(Method::UploadAsset, Fault::Slow(Duration::from_millis(2800))));
        let refuse = Fault::Refuse(Code::Unavailable);
        platform.script(Rule { after: 1, times, ..Rule::once(Method::Heartbeat, refuse) });
        let ending = platform.ending(&platform.assign_sync());
        assert!(platform.count(Method::Heartbeat) > times, "{}", daemon.log());
        platform.assert_no_violations();
        ending
    };
    std::thread::scope(|scope| {
        let eight = scope.spawn(move || fail_so_often(8));
        let nine = fail_so_often(9);
        assert_eq!(eight.join().unwrap().code, Code::Ok);
        assert_eq!(nine.code, Code::Cancelled);
        assert!(nine.message.contains("9 heartbeats"), "{}", nine.message);
    });
}

#[test]
fn an_upload_that_breaks_at_any_message_is_sent_again_whole() {
    let (platform, northflank) = (platform(), large());
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok);
    // Metadata, data, digest.
    let messages = platform.uploads(&task)[0].chunks.len() + 2;
    assert!(messages > 3, "several chunks");
    for broken in 0..=messages {
        let uploads = platform.count(Method::UploadAsset);
        let refuse = Fault::RefuseAfter(broken, Code::Unavailable);
        platform.script(Rule::once(Method::UploadAsset, refuse));
        platform.script(Rule::once(Method::UploadAsset, Fault::BreakAfter(broken)));
        let task = platform.assign_sync();
        assert_eq!(platform.ending(&task).code, Code::Ok, "{broken}: {}", daemon.log());
        assert_eq!(platform.count(Method::UploadAsset), uploads + 3, "{broken}");
        assert_eq!(platform.uploads(&task).len(), 1);
    }
    let task = platform.assign_sync();
    platform.ending(&task);
    daemon.assert_complete(&platform, &northflank, &task);
    platform.assert_no_violations();
}

#[test]
fn an_upload_that_always_breaks_fails_with_the_platforms_code() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let refuse = Fault::RefuseAfter(1, Code::ResourceExhausted);
    platform.script(Rule::every(Method::UploadAsset, refuse).times(3));
    let ending = platform.ending(&platform.assign_sync());
    assert_eq!((ending.code, ending.non_retryable), (Code::ResourceExhausted, false));
    assert_eq!(platform.count(Method::UploadAsset), 3);
    let is_file = |name: &String| name.rsplit('.').next() == Some("c1z");
    assert!(!daemon.scratch().iter().any(is_file), "{:?}", daemon.scratch());
    assert_uploads_what_was_read(&platform, &northflank, &daemon, &platform.assign_sync());
}

#[test]
fn a_daemon_that_is_killed_in_its_upload_does_not_read_again() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::once(Method::UploadAsset, Fault::Slow(Duration::from_secs(30))));
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    platform.wait_for_calls(Method::UploadAsset, 1);
    let daemon = Daemon::start_with(&platform, &northflank, daemon.kill(), |connector| connector);
    platform.assign_again(&task);
    assert_uploads_what_was_read(&platform, &northflank, &daemon, &task);
}

/// Asserts that a task asks Northflank for no more than whether the token still works, uploads
/// everything, and leaves nothing on disk.
fn assert_uploads_what_was_read(
    platform: &FakeConductorOne,
    northflank: &FakeNorthflank,
    daemon: &Daemon,
    task: &str,
) {
    let requests = daemon.requests_to_complete(platform, northflank, task);
    assert_eq!(requests, 4, "one each for the token, members, roles and groups");
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
}

#[test]
fn a_wrong_digest_is_noticed_and_the_file_sent_again() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::once(Method::UploadAsset, Fault::FlipBit));
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok);
    assert_eq!(platform.count(Method::UploadAsset), 2);
    daemon.assert_complete(&platform, &northflank, &task);
    platform.script(Rule::every(Method::UploadAsset, Fault::FlipBit));
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::DataLoss);
    platform.assert_no_violations();
}

fn debug_task() -> Task {
    let task_type = Some(TaskType::SyncFull(SyncFullTask::default()));
    Task { debug: true, task_type, ..Task::default() }
}

#[test]
fn a_debug_log_that_grows_while_it_is_sent_arrives_as_it_was() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    // Of the log, after the file: the warning about it goes into the log.
    let refuse = Rule::once(Method::UploadAsset, Fault::RefuseAfter(3, Code::Unavailable));
    platform.script(refuse.after(1));
    let task = platform.assign_task(debug_task());
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    assert_eq!(platform.count(Method::UploadAsset), 3);
    assert_eq!(platform.uploads(&task).len(), 2, "the file and the log");
    platform.assert_no_violations();
}

#[test]
fn a_debug_log_that_is_not_taken_does_not_fail_the_task() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let refuse = Rule::every(Method::UploadAsset, Fault::Refuse(Code::ResourceExhausted));
    platform.script(refuse.after(1));
    let task = platform.assign_task(debug_task());
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    daemon.assert_complete(&platform, &northflank, &task);
    assert!(daemon.log().contains("the debug log can't be uploaded"), "{}", daemon.log());
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assert_no_violations();
}

#[test]
fn a_signal_while_the_debug_log_is_sent_leaves_the_task_done() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::every(Method::UploadAsset, Fault::Hang).after(1));
    let task = platform.assign_task(debug_task());
    platform.wait_for_calls(Method::UploadAsset, 2);
    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(platform.ending(&task).code, Code::Ok, "its file is there: {log}");
    assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
}

#[test]
fn what_could_not_be_told_is_told_once_more_before_the_daemon_stops() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.go_down_at(Method::FinishTask, Outage::Gateway(503));
    let task = platform.assign_sync();
    // Until the next try is some seconds away.
    wait_until("some tries", WAIT, || {
        daemon.log().matches("can't tell ConductorOne yet").count() == 3
    });
    platform.come_up();
    let stopping = Instant::now();
    let (code, log, _room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(platform.ending(&task).code, Code::Ok, "{log}");
    assert!(stopping.elapsed() < Duration::from_secs(3), "{:?}", stopping.elapsed());
}

#[test]
#[ignore = "takes a minute"]
fn a_token_that_takes_longer_than_a_heartbeat_waits_is_fetched_once() {
    let platform = platform();
    // Long enough for a task whose heartbeats alone want the token.
    let latency = Duration::from_secs(20);
    let options = fake_northflank::Options { latency, ..Default::default() };
    let northflank = FakeNorthflank::start(Organization::demo(), options).unwrap();
    let _daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.arguments(["--task-concurrency", "1"])
    });
    platform.assign_sync();
    platform.wait_for_calls(Method::Heartbeat, 1);
    platform.script(Rule::every(Method::Token, Fault::Delay(Duration::from_secs(35))));
    platform.revoke_tokens();
    let before = platform.count(Method::Heartbeat);
    wait_until("heartbeats with the new token", Duration::from_secs(50), || {
        platform.count(Method::Heartbeat) >= before + 3
    });
    assert_eq!(platform.count(Method::Token), 2);
}

#[test]
fn a_task_that_is_handed_out_over_and_over_is_not_asked_for_without_pause() {
    let options = Options { next_poll: Duration::ZERO, ..Options::default() };
    let (platform, northflank) = (FakeConductorOne::start(options).unwrap(), slow_northflank());
    let task = platform.assign_sync();
    let _daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::Heartbeat, 1);
    for _ in 0..1000 {
        platform.assign_task(Task { id: task.clone(), ..debug_task() });
    }
    let before = platform.count(Method::GetTask);
    std::thread::sleep(Duration::from_millis(1500));
    let polls = platform.count(Method::GetTask) - before;
    assert!(polls <= 3, "{polls} polls in one and a half seconds");
}

#[test]
fn a_scratch_directory_that_is_cleaned_away_costs_no_sync() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    let top = daemon.room.file("scratch");
    std::fs::remove_dir_all(&top).unwrap();
    std::fs::create_dir(&top).unwrap();
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    daemon.assert_complete(&platform, &northflank, &task);
    // A place that can't be made is the task's failure, and told.
    std::fs::remove_dir_all(&top).unwrap();
    let ending = platform.ending(&platform.assign_sync());
    assert_eq!(ending.code, Code::Unavailable);
    assert!(ending.message.contains("can't work in"), "{}", ending.message);
    std::fs::create_dir(&top).unwrap();
    platform.assert_no_violations();
}

#[test]
fn a_slow_platform_is_waited_for_with_heartbeats() {
    let (platform, northflank) = (platform(), large());
    let delay = Fault::Delay(Duration::from_millis(800));
    for method in [Method::Token, Method::Hello, Method::GetTask, Method::FinishTask] {
        platform.script(Rule::every(method, delay.clone()));
    }
    platform.script(Rule::every(Method::UploadAsset, Fault::Slow(Duration::from_millis(700))));
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    let calls = platform.calls();
    let of = |method| calls.iter().filter(move |call| call.method == method).map(|call| call.at);
    let (upload, finish) =
        (of(Method::UploadAsset).next().unwrap(), of(Method::FinishTask).next().unwrap());
    let during = of(Method::Heartbeat).filter(|at| (upload..finish).contains(at)).count();
    assert!(during >= 2, "{during} heartbeats during the upload");
    assert!(of(Method::Heartbeat).all(|at| at <= finish + Duration::from_millis(900)));
    platform.assert_no_violations();
}

#[test]
fn an_outcome_that_was_lost_makes_the_task_come_and_be_done_again() {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    platform.script(Rule::once(Method::FinishTask, Fault::Refuse(Code::Unavailable)));
    let task = platform.assign_sync();
    platform.wait_for_calls(Method::FinishTask, 1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(platform.count(Method::FinishTask), 1, "it could have arrived");
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    platform.assign_again(&task);
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    assert_eq!(platform.uploads(&task).len(), 2);
    platform.assert_no_violations();
}

#[test]
fn a_signal_in_mid_sync_ends_the_task_and_leaves_nothing() {
    for (signal, expected) in [("TERM", 0), ("INT", 0), ("HUP", 129)] {
        let (platform, northflank) = (platform(), slow_northflank());
        let daemon = Daemon::start(&platform, &northflank);
        let task = platform.assign_sync();
        wait_for_requests(&northflank, 4);
        daemon.signal(signal);
        let asked = Instant::now();
        let (code, log, room) = daemon.wait();
        println!("SIG{signal} in mid-sync took {} ms", asked.elapsed().as_millis());
        assert_eq!(code, Some(expected), "{log}");
        let ending = platform.ending(&task);
        assert_eq!((ending.code, ending.non_retryable), (Code::Cancelled, false));
        assert!(ending.message.contains("shutting down"), "{}", ending.message);
        assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
        assert_quiet(&northflank);
        platform.assert_no_violations();
    }
}

#[cfg(unix)]
#[test]
fn a_closed_terminal_ends_no_service_that_was_told_to_ignore_it() {
    let ((platform, northflank), room) = ((platform(), northflank()), TestDir::new());
    let service = connector(&platform, &northflank, &room).0;
    // As nohup does.
    let mut nohup = std::process::Command::new("sh");
    nohup.arg("-c").arg("trap '' HUP; exec \"$0\"").arg(service.get_program());
    nohup.current_dir(room.path()).env_clear();
    nohup.envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let daemon = Daemon::of(Connector(nohup), room);
    platform.wait_for_calls(Method::GetTask, 1);
    daemon.signal("HUP");
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok, "{}", daemon.log());
    let (code, log, _) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    platform.assert_no_violations();
}

#[test]
fn a_signal_in_mid_upload_ends_the_task_and_leaves_nothing() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::every(Method::UploadAsset, Fault::Slow(Duration::from_secs(5))));
    let daemon = Daemon::start(&platform, &northflank);
    let task = platform.assign_sync();
    platform.wait_for_calls(Method::UploadAsset, 1);
    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(platform.ending(&task).code, Code::Cancelled);
    assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
    platform.assert_no_violations();
}

#[test]
fn a_signal_ends_the_process_even_if_the_platform_is_silent() {
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::every(Method::Hello, Fault::Hang));
    let daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::Hello, 1);
    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(scratch(&room).is_empty());

    let platform = self::platform();
    platform.script(Rule::every(Method::FinishTask, Fault::Hang));
    let daemon = Daemon::start(&platform, &northflank);
    platform.assign_sync();
    platform.wait_for_calls(Method::FinishTask, 1);
    let (code, log, room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(scratch(&room).is_empty());
}

#[test]
fn certificates_that_are_none_end_it_at_once() {
    let northflank = northflank();
    for certificates in ["missing.pem", "/dev/zero", "empty.pem", "pipe.pem"] {
        let (platform, room) = (platform(), TestDir::new());
        std::fs::write(room.file("empty.pem"), "").unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(room.file("pipe.pem")).status();
        assert!(pipe.unwrap().success());
        let service = connector(&platform, &northflank, &room);
        for connector in [service, room.connector_to(&northflank)] {
            let started = Instant::now();
            let run = connector.variable("SSL_CERT_FILE", certificates).run();
            run.expect_failure(
                exit_code::INVALID_ARGUMENT,
                &[&format!("SSL_CERT_FILE names {certificates}, ")],
            );
            assert!(started.elapsed() < Duration::from_secs(5));
        }
        assert!(platform.calls().is_empty());
    }
}

#[test]
fn a_settings_file_that_is_none_is_not_waited_for() {
    let (northflank, room) = (northflank(), TestDir::new());
    let pipe = std::process::Command::new("mkfifo").arg(room.file("pipe.yaml")).status();
    assert!(pipe.unwrap().success());
    let run = room.connector_to(&northflank).variable("BATON_CONFIG_PATH", "pipe.yaml").run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["can't read pipe.yaml", "no regular file"]);
}

#[test]
fn a_pipe_in_place_of_a_log_file_or_of_the_collectors_certificate_is_not_waited_for() {
    let northflank = northflank();
    for (setting, what) in [
        ("--log-path", "can't write the log file pipe"),
        ("--otel-collector-endpoint-tls-cert-path", "is \"pipe\"; it can't be read"),
    ] {
        let (platform, room) = (platform(), TestDir::new());
        let pipe = std::process::Command::new("mkfifo").arg(room.file("pipe")).status();
        assert!(pipe.unwrap().success());
        let service = connector(&platform, &northflank, &room);
        for connector in [service, room.connector_to(&northflank)] {
            let run = connector.arguments([setting, "pipe"]).run();
            run.expect_failure(exit_code::INVALID_ARGUMENT, &[what, "it is no regular file"]);
        }
        assert!(platform.calls().is_empty());
    }
    assert_eq!(northflank.requests(), 0);
}
