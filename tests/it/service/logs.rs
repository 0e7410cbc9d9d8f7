//! The daemon's log: files that are rotated, and the line that says why it ended.

use std::fs;

use crate::harness::daemon::{Daemon, fakes};
use crate::harness::exit_code;
use crate::harness::{TestDir, WAIT, wait_until};
use fake_conductorone::{Code, Fault, Method, Outage, Rule};
use serde_json::Value;

fn lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn sighup_opens_the_log_file_anew_and_without_one_ends_with_129() {
    let (platform, northflank) = fakes();
    let room = TestDir::new();
    let (log, rotated) = (room.file("baton.log"), room.file("baton.log.1"));
    let mut daemon = Daemon::start_with(&platform, &northflank, room, |connector| {
        connector.variable("BATON_LOG_PATH", &log)
    });
    daemon.wait_for_log("serving ConductorOne");
    // As logrotate does.
    fs::rename(&log, &rotated).unwrap();
    daemon.signal("HUP");
    wait_until("a new log file", WAIT, || log.exists());
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    wait_until("its lines", WAIT, || fs::read_to_string(&log).unwrap().contains("task done"));
    let before = fs::read_to_string(&rotated).unwrap();
    assert!(
        before.contains("serving ConductorOne") && !before.contains("sync complete"),
        "{before}"
    );
    assert!(daemon.is_running());
    // A directory in its place: what is open is written on.
    fs::remove_file(&rotated).unwrap();
    fs::rename(&log, &rotated).unwrap();
    fs::create_dir(&log).unwrap();
    daemon.signal("HUP");
    daemon.wait_for_log("a log file can't be opened anew: the old one is written on");
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    let (code, _, _room) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(fs::read_to_string(&rotated).unwrap().contains("stopping"));

    let daemon = Daemon::start(&platform, &northflank);
    daemon.wait_for_log("serving ConductorOne");
    daemon.signal("HUP");
    assert_eq!(daemon.wait().0, Some(exit_code::HANGUP));
}

#[test]
fn what_ends_a_daemon_is_an_event_of_its_log_too() {
    let (platform, northflank) = fakes();
    platform.script(Rule::every(Method::Hello, Fault::Refuse(Code::PermissionDenied)));
    for format in ["json", "console"] {
        let room = TestDir::new();
        let file = room.file("baton.log");
        let daemon = Daemon::start_with(&platform, &northflank, room, |connector| {
            connector.variable("BATON_LOG_PATH", &file).variable("BATON_LOG_FORMAT", format)
        });
        let (code, log, _room) = daemon.wait();
        assert_eq!(code, Some(exit_code::PERMISSION_DENIED), "{log}");
        let said = "ConductorOne refuses the connector";
        assert!(log.lines().last().unwrap().starts_with("baton-northflank: "), "{log}");
        let in_file = fs::read_to_string(&file).unwrap();
        assert_eq!(in_file.matches(said).count(), 1, "{in_file}");
        if format == "json" {
            for text in [&log, &in_file] {
                let lines = lines(text);
                let last = lines.last().unwrap();
                assert_eq!((&last["level"], &last["exit_code"]), (&"ERROR".into(), &7.into()));
                assert!(last["error"].as_str().unwrap().contains(said), "{last}");
            }
        } else {
            // People read it once.
            assert_eq!(log.matches(said).count(), 1, "{log}");
        }
    }
}

#[test]
fn it_says_that_it_serves_conductorone_when_that_has_accepted_it_and_reasons_once() {
    let (platform, northflank) = fakes();
    platform.go_down(Outage::Refusal);
    let daemon = Daemon::start(&platform, &northflank);
    daemon.wait_for_log("does not answer Hello");
    assert!(!daemon.log().contains("serving ConductorOne"), "{}", daemon.log());
    platform.come_up();
    platform.wait_for_calls(Method::GetTask, 1);
    daemon.wait_for_log("serving ConductorOne");
    let refused = daemon.log();
    let refused = refused.lines().find(|line| line.contains("does not answer Hello")).unwrap();
    assert_eq!(refused.matches("can't be reached").count(), 1, "{refused}");
}
