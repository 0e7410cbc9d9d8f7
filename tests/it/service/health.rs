//! The health check server and the `health-check` subcommand.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::daemon::{Daemon, connector, fakes, northflank_with, platform, scratch};
use crate::harness::exit_code;
use crate::harness::{TestDir, WAIT, free_port, wait_until};
use fake_conductorone::api::task::{GrantTask, TaskType};
use fake_conductorone::{Code, FakeConductorOne, Fault, Method, Outage, Rule};
use fake_northflank::{FakeNorthflank, Permissions, Token};
use serde_json::Value;

/// Status and body of a request as probes make it.
fn get(port: u16, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json"), "{head}");
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn start(platform: &FakeConductorOne, northflank: &FakeNorthflank, port: u16) -> Daemon {
    let daemon = Daemon::start_with(platform, northflank, TestDir::new(), |connector| {
        connector
            .variable("BATON_HEALTH_CHECK", "true")
            .variable("BATON_HEALTH_CHECK_PORT", port.to_string())
    });
    daemon.wait_for_log("answering health checks");
    daemon
}

/// The subcommand's exit code and error.
fn ask(port: u16, arguments: &[&str]) -> (Option<i32>, String) {
    let room = TestDir::new();
    let connector = room.connector().variable("BATON_HEALTH_CHECK_PORT", port.to_string());
    let run = connector.arguments([&["health-check"], arguments].concat()).run();
    (run.code(), run.stderr().to_owned())
}

#[test]
fn a_healthy_connector_says_so_and_asks_northflank_once_for_all_probes() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let _daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::GetTask, 1);
    for _ in 0..20 {
        let (status, body) = get(port, "/health");
        assert_eq!((status, &body["status"]), (200, &"healthy".into()));
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
    }
    assert_eq!(northflank.requests(), 4, "one validation");
    assert_eq!(get(port, "/ready").1["status"], "ready");
    assert_eq!(get(port, "/live").1["status"], "alive");
    assert_eq!(get(port, "/other").0, 404);
    for endpoint in ["health", "ready", "live"] {
        assert_eq!(ask(port, &["--endpoint", endpoint]), (Some(0), String::new()));
    }
}

#[test]
fn teams_are_asked_for_where_they_are_synced_and_what_is_missing_of_them_is_bad_health() {
    let organization = fake_northflank::Organization::demo().with_teams_of_the_demo();
    let fake = || FakeNorthflank::start(organization.clone(), fake_northflank::Options::default());
    for (permissions, status) in
        [(Permissions::ALL, 200), (Permissions { team_roles: false, ..Permissions::ALL }, 503)]
    {
        let (platform, northflank, port) = (platform(), fake().unwrap(), free_port());
        let token = northflank.add_token(Token::new(permissions));
        let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
            connector
                .variable("BATON_NORTHFLANK_API_TOKEN", &token)
                .variable("BATON_SYNC_TEAMS", "true")
                .variable("BATON_HEALTH_CHECK", "true")
                .variable("BATON_HEALTH_CHECK_PORT", port.to_string())
        });
        daemon.wait_for_log("answering health checks");
        let (told, body) = get(port, "/health");
        assert_eq!(told, status, "{body}");
        assert_eq!(northflank.requests(), 7, "teams, and the first one's members and roles");
        let error = body["details"]["validation_error"].to_string();
        assert_eq!(error.contains("Account > Admin > Roles > Read"), status == 503, "{error}");
    }
}

/// Asks and leaves without waiting for the answer, as a probe does whose time is over.
fn ask_and_leave(port: u16, path: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: probe\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(stream.read(&mut [0; 1]).is_err(), "no answer yet");
}

#[test]
fn a_check_goes_on_when_its_probe_has_left_and_is_not_made_twice() {
    let (platform, port) = (platform(), free_port());
    let latency = Duration::from_secs(2);
    let options = fake_northflank::Options { latency, ..Default::default() };
    let northflank = northflank_with(options);
    let _daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::GetTask, 1);
    for _ in 0..4 {
        ask_and_leave(port, "/health");
    }
    assert_eq!(get(port, "/health").0, 200);
    assert_eq!(northflank.requests(), 4, "one validation");
}

#[test]
fn a_rate_limit_that_is_reached_before_anything_is_known_is_no_bad_health() {
    let (platform, port) = (platform(), free_port());
    let options = fake_northflank::Options { rate_limit: Some(4), ..Default::default() };
    let northflank = northflank_with(options);
    let daemon = start(&platform, &northflank, port);
    platform.assign_sync();
    daemon.wait_for_log("waiting for Northflank's rate limit");
    let requests = northflank.requests();
    for _ in 0..3 {
        let (status, body) = get(port, "/health");
        assert_eq!((status, &body["status"]), (200, &"healthy".into()));
        assert_eq!(body["details"]["running_tasks"][0]["kind"], "sync_full");
        let note = body["details"]["note"].as_str().unwrap();
        assert!(note.contains("rate limit is awaited until"), "{note}");
    }
    assert_eq!(northflank.requests(), requests, "nothing more is asked");
}

#[test]
fn credentials_that_are_revoked_make_it_not_ready_until_they_are_accepted_again() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let mut daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::GetTask, 1);
    let refuse = Rule::every(Method::Token, Fault::Refuse(Code::Unauthenticated));
    platform.script(refuse);
    platform.revoke_tokens();
    wait_until("not ready", WAIT, || get(port, "/ready").0 == 503);
    let (_, body) = get(port, "/ready");
    let error = body["details"]["error"].as_str().unwrap();
    assert!(error.contains("refuses the client id and secret"), "{error}");
    assert_eq!(get(port, "/live").0, 200);
    platform.clear_script();
    wait_until("ready again", WAIT, || get(port, "/ready").0 == 200);
    assert!(daemon.is_running());
}

#[test]
#[ignore = "takes minutes; .ci/run runs it beside other checks"]
fn credentials_that_stay_revoked_end_the_process_with_16() {
    let (platform, northflank) = fakes();
    let mut daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::GetTask, 1);
    platform.script(Rule::every(Method::Token, Fault::Refuse(Code::Unauthenticated)));
    platform.revoke_tokens();
    wait_until("its end", Duration::from_mins(6), || !daemon.is_running());
    let (code, log, room) = daemon.wait();
    assert_eq!(code, Some(exit_code::UNAUTHENTICATED), "{log}");
    assert!(log.lines().last().unwrap().contains("refuses the client id and secret"), "{log}");
    assert!(scratch(&room).is_empty(), "{:?}", scratch(&room));
}

#[test]
fn a_refused_token_is_unhealthy_but_alive_and_ready() {
    let ((platform, northflank), port) = (fakes(), free_port());
    northflank.revoke(northflank.token());
    let _daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::GetTask, 1);
    let (status, body) = get(port, "/health");
    assert_eq!((status, &body["status"]), (503, &"unhealthy".into()));
    let problem = body["details"]["validation_error"].as_str().unwrap();
    assert!(problem.contains("refuses the API token"), "{problem}");
    get(port, "/health");
    assert_eq!(northflank.requests(), 4, "a bad answer is kept too");
    assert_eq!((get(port, "/ready").0, get(port, "/live").0), (200, 200));
    let (code, error) = ask(port, &[]);
    assert_eq!(code, Some(exit_code::UNAVAILABLE));
    assert!(error.contains("/health answers 503") && error.lines().count() == 1, "{error}");
}

#[test]
fn it_is_alive_but_not_ready_until_conductorone_knows_it() {
    let ((platform, northflank), port) = (fakes(), free_port());
    platform.script(Rule::once(Method::Hello, Fault::Refuse(Code::Unavailable)));
    let _daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::Hello, 1);
    assert_eq!(get(port, "/live").0, 200);
    let (status, body) = get(port, "/ready");
    assert_eq!((status, &body["status"]), (503, &"not_ready".into()));
    let error = body["details"]["error"].as_str().unwrap();
    assert!(error.contains("has not accepted this connector yet: scripted"), "{error}");
    platform.wait_for_calls(Method::GetTask, 1);
    assert_eq!(get(port, "/ready").0, 200);
}

/// Until it is well again, an alert knows why; a probe that restarts changes nothing.
#[test]
fn a_sync_that_failed_is_told_with_its_reason_until_one_ends_well() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let daemon = start(&platform, &northflank, port);
    platform.wait_for_calls(Method::GetTask, 1);
    let details = |port| get(port, "/health").1["details"].clone();
    assert!(details(port)["last_task"].is_null() && details(port)["last_sync"].is_null());
    let first = platform.assign_sync();
    assert_eq!(platform.ending(&first).code, Code::Ok);
    platform.script(Rule::every(Method::UploadAsset, Fault::Refuse(Code::DataLoss)));
    let second = platform.assign_sync();
    assert_eq!(platform.ending(&second).code, Code::DataLoss);
    let (status, body) = get(port, "/health");
    assert_eq!((status, &body["status"]), (503, &"unhealthy".into()), "{body}");
    let told = &body["details"];
    assert_eq!(told["error"], "the last sync failed");
    let (last, good) = (&told["last_sync"], &told["last_successful_sync"]);
    assert_eq!((&last["id"], &last["outcome"]), (&second.into(), &"failed".into()));
    assert_eq!((&last["code"], &last["kind"]), (&"DataLoss".into(), &"sync_full".into()));
    assert!(last["error"].as_str().unwrap().contains("the upload failed"), "{last}");
    assert_eq!((&good["id"], &good["outcome"]), (&first.into(), &"done".into()));
    assert!(good["seconds"].as_f64().unwrap() > 0.0 && good["error"].is_null(), "{good}");
    assert!(good["begun_at"].as_str() <= good["ended_at"].as_str(), "{good}");
    assert_eq!((get(port, "/live").0, get(port, "/ready").0), (200, 200));
    let (code, error) = ask(port, &[]);
    assert!(
        code == Some(exit_code::UNAVAILABLE) && error.contains("the last sync failed"),
        "{error}"
    );

    platform.clear_script();
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    assert_eq!(get(port, "/health").0, 200);
    // What this connector doesn't do is no failure.
    let task = platform.assign(TaskType::Grant(GrantTask {}));
    assert_eq!(platform.ending(&task).code, Code::Unimplemented);
    assert_eq!(
        (get(port, "/health").0, &details(port)["last_task"]["outcome"]),
        (200, &"refused".into())
    );
    drop(daemon);
}

#[test]
#[ignore = "takes minutes; .ci/run runs it beside other checks"]
fn a_conductorone_that_is_away_for_five_minutes_makes_it_not_ready_until_it_is_back() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let mut daemon = start(&platform, &northflank, port);
    wait_until("ready", WAIT, || get(port, "/ready").0 == 200);
    platform.go_down(Outage::Refusal);
    let away = Instant::now();
    wait_until("not ready", Duration::from_mins(7), || get(port, "/ready").0 == 503);
    assert!(away.elapsed() > Duration::from_secs(290), "{:?}", away.elapsed());
    let (_, body) = get(port, "/ready");
    let error = body["details"]["error"].as_str().unwrap();
    assert!(error.starts_with("ConductorOne has not answered for 5 minutes: "), "{error}");
    assert_eq!(get(port, "/live").0, 200);
    platform.come_up();
    wait_until("ready again", Duration::from_mins(2), || get(port, "/ready").0 == 200);
    assert!(daemon.is_running());
}

#[test]
fn a_probe_gets_the_reason_in_time_while_northflank_can_not_be_reached() {
    let (platform, port) = (platform(), free_port());
    let gone = northflank_with(fake_northflank::Options::default());
    let room = TestDir::new();
    let connector = connector(&platform, &gone, &room)
        .variable("BATON_HEALTH_CHECK", "true")
        .variable("BATON_HEALTH_CHECK_PORT", port.to_string())
        // Nobody listens there.
        .variable("BATON_NORTHFLANK_BASE_URL", "http://127.0.0.1:1");
    let daemon = Daemon::of(connector, room);
    daemon.wait_for_log("answering health checks");
    let asked = Instant::now();
    // As long as a probe waits unless it is told otherwise.
    let (code, error) = ask(port, &["--endpoint", "health"]);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(code, Some(exit_code::UNAVAILABLE), "{error}");
    assert!(error.contains("could not connect"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_a_clear_error_before_anything_is_sent() {
    let (platform, northflank) = fakes();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let room = TestDir::new();
    let run = connector(&platform, &northflank, &room)
        .arguments(["--health-check", "--health-check-port", &port])
        .run();
    run.expect_failure(
        exit_code::UNAVAILABLE,
        &["can't listen on 127.0.0.1", "--health-check-port"],
    );
    assert!(platform.calls().is_empty());
}

#[test]
fn a_probe_without_a_service_or_an_answer_fails() {
    let port = free_port();
    let (code, error) = ask(port, &["--endpoint=live"]);
    assert_eq!(code, Some(exit_code::UNAVAILABLE));
    assert!(error.contains("can't be reached"), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, error) = ask(silent.local_addr().unwrap().port(), &["--timeout=1"]);
    assert_eq!(code, Some(exit_code::DEADLINE_EXCEEDED), "{error}");
    assert_eq!(ask(port, &["--endpoint=wealth"]).0, Some(exit_code::INVALID_ARGUMENT));
}
