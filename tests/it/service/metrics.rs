//! What is counted, as Prometheus collects it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::harness::daemon::{Daemon, connector, fakes};
use crate::harness::exit_code;
use crate::harness::{TestDir, free_port};
use fake_conductorone::{Code, Fault, Method, Rule};

/// Head and body of what is answered on a path.
fn get(port: u16, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: prometheus\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a sample, by its name and labels as they are written.
fn value(text: &str, sample: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

#[test]
fn metrics_tell_how_tasks_ended_and_when_a_sync_last_ended_well() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.variable("BATON_METRICS_ADDRESS", format!("127.0.0.1:{port}"))
    });
    daemon.wait_for_log("serving ConductorOne");
    let metrics = || get(port, "/metrics").1;
    let (head, text) = get(port, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let failed = r#"baton_northflank_tasks_total{kind="sync_full",outcome="failed"}"#;
    let done = r#"baton_northflank_tasks_total{kind="sync_full",outcome="done"}"#;
    assert_eq!((value(&text, failed), value(&text, done)), (Some(0.0), Some(0.0)));
    let last = "baton_northflank_last_successful_sync_timestamp_seconds";
    assert_eq!(
        (value(&text, last), value(&text, "baton_northflank_last_sync_success")),
        (None, None)
    );
    assert_eq!(value(&text, "baton_northflank_ready"), Some(1.0));
    assert_eq!(northflank.requests(), 0, "nobody is asked for it");

    platform.ending(&platform.assign_sync());
    platform.script(Rule::every(Method::UploadAsset, Fault::Refuse(Code::DataLoss)));
    platform.ending(&platform.assign_sync());
    let text = metrics();
    assert_eq!((value(&text, failed), value(&text, done)), (Some(1.0), Some(1.0)), "{text}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let age = now.as_secs_f64() - value(&text, last).unwrap();
    assert!((0.0..60.0).contains(&age), "{age}");
    assert!(value(&text, "baton_northflank_last_successful_sync_duration_seconds").unwrap() > 0.0);
    assert_eq!(value(&text, "baton_northflank_last_sync_success"), Some(0.0));
    let requests = value(&text, "baton_northflank_northflank_requests_total").unwrap();
    assert!((requests - f64::from(u32::try_from(northflank.requests()).unwrap())).abs() < 0.5);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = name.strip_suffix("_total").unwrap_or(name);
        assert!(text.contains(&format!("# HELP {family} ")), "{name}");
        assert!(text.contains(&format!("# TYPE {family} ")), "{name}");
    }
    assert!(get(port, "/").0.starts_with("HTTP/1.1 404"));

    // By now there is one of each, once a probe has asked for Northflank. All are documented, and
    // no rule or page names another.
    let served = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
    let served = served.map(|line| line.split(' ').next().unwrap().to_owned());
    let served = served.chain(["baton_northflank_northflank_readable".to_owned()]).collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(metric_names(&read("docs/service.md")), served);
    let rules = read("deploy/prometheus/alerts.yaml");
    assert!(metric_names(&rules).is_subset(&served), "{:?}", metric_names(&rules));
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: Vec<_> = alerts.collect();
    assert_eq!(alerts.len(), 4);
    for alert in alerts {
        assert!(read("docs/service.md").contains(&format!("| `{alert}` |")), "{alert}");
    }
}

/// The families of all metrics that a text names.
fn metric_names(text: &str) -> BTreeSet<String> {
    let in_name = |char: char| char.is_ascii_lowercase() || char == '_';
    let words = text.split(|char| !in_name(char)).filter(|it| it.starts_with("baton_northflank_"));
    words.map(|word| word.strip_suffix("_total").unwrap_or(word).to_owned()).collect()
}

#[test]
fn metrics_are_off_unless_asked_for() {
    let ((platform, northflank), port) = (fakes(), free_port());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        let port = port.to_string();
        connector.variable("BATON_HEALTH_CHECK", "true").variable("BATON_HEALTH_CHECK_PORT", port)
    });
    daemon.wait_for_log("serving ConductorOne");
    assert!(get(port, "/metrics").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn a_metrics_port_in_use_is_a_mistake_before_anything_is_sent() {
    let (platform, northflank) = fakes();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let room = TestDir::new();
    let run = |address: &str| {
        connector(&platform, &northflank, &room).arguments(["--metrics-address", address]).run()
    };
    let failed = run(&address).expect_failure(
        exit_code::INVALID_ARGUMENT,
        &[&address, "choose another --metrics-address"],
    );
    assert_eq!(failed.stderr().lines().filter(|line| line.starts_with("baton-")).count(), 1);
    for wrong in ["9090", "127.0.0.1", "127.0.0.1:0", "localhost:9090"] {
        run(wrong).expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["--metrics-address", "IP address and a port"],
        );
    }
    assert!(platform.calls().is_empty());
}
