//! The health check server and the `health-check` subcommand.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::harness::Room;
use crate::harness::daemon::{Daemon, connector};
use fake_conductorone::{Code, FakeConductorOne, Fault, Method, Options, Rule};
use fake_northflank::{FakeNorthflank, Organization};
use serde_json::Value;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

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
    let daemon = Daemon::start_with(platform, northflank, Room::new(), |connector| {
        connector
            .variable("BATON_HEALTH_CHECK", "true")
            .variable("BATON_HEALTH_CHECK_PORT", port.to_string())
    });
    daemon.wait_for_log("answering health checks");
    daemon
}

fn fakes() -> (FakeConductorOne, FakeNorthflank) {
    let options = fake_northflank::Options::default();
    let northflank = FakeNorthflank::start(Organization::demo(), options).unwrap();
    (FakeConductorOne::start(Options::default()).unwrap(), northflank)
}

/// The subcommand's exit code and error.
fn ask(port: u16, arguments: &[&str]) -> (Option<i32>, String) {
    let room = Room::new();
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
    assert_eq!(northflank.requests(), 3, "one validation");
    assert_eq!(get(port, "/ready").1["status"], "ready");
    assert_eq!(get(port, "/live").1["status"], "alive");
    assert_eq!(get(port, "/other").0, 404);
    for endpoint in ["health", "ready", "live"] {
        assert_eq!(ask(port, &["--endpoint", endpoint]), (Some(0), String::new()));
    }
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
    assert_eq!(northflank.requests(), 3, "a bad answer is kept too");
    assert_eq!((get(port, "/ready").0, get(port, "/live").0), (200, 200));
    let (code, error) = ask(port, &[]);
    assert_eq!(code, Some(14));
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
    platform.wait_for_calls(Method::GetTask, 1);
    assert_eq!(get(port, "/ready").0, 200);
}

#[test]
fn a_port_that_is_taken_is_a_clear_error_before_anything_is_sent() {
    let (platform, northflank) = fakes();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let room = Room::new();
    let run = connector(&platform, &northflank, &room)
        .arguments(["--health-check", "--health-check-port", &port])
        .run();
    run.expect_failure(14, &["can't listen on 127.0.0.1", "--health-check-port"]);
    assert!(platform.calls().is_empty());
}

#[test]
fn a_probe_without_a_service_or_an_answer_fails() {
    let port = free_port();
    let (code, error) = ask(port, &["--endpoint=live"]);
    assert_eq!(code, Some(14));
    assert!(error.contains("can't be reached"), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, error) = ask(silent.local_addr().unwrap().port(), &["--timeout=1"]);
    assert_eq!(code, Some(4), "{error}");
    assert_eq!(ask(port, &["--endpoint=wealth"]).0, Some(3));
}
