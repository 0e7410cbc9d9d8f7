//! The service on one machine, with the fake ConductorOne as a program of its own: what
//! docs/try-service.md says.

use std::fs;
use std::time::Duration;

use crate::harness::daemon::{Daemon, northflank};
use crate::harness::sync_file::SyncFile;
use crate::harness::{TestDir, WAIT, expected, wait_until};
use fake_conductorone::Standalone;

#[test]
fn whoever_has_no_credentials_sees_the_service_sync_again_and_again() {
    let (room, northflank) = (TestDir::new(), northflank());
    let directory = room.file("try");
    let mut fake = Standalone::start(&directory, Some(Duration::from_secs(1))).unwrap();
    let mut connector = room.connector_to(&northflank);
    for line in fs::read_to_string(fake.variables()).unwrap().lines() {
        let (name, value) = line.split_once('=').unwrap();
        connector = connector.variable(name, value);
    }
    let daemon = Daemon::of(connector, room);
    let mut said = Vec::new();
    wait_until("two syncs", WAIT, || {
        said.extend(fake.step().unwrap());
        said.iter().filter(|line| line.ends_with(": done")).count() >= 2
    });
    assert!(said[0].starts_with("Hello from "), "{said:?}");
    assert!(said[0].contains("Northflank"), "{said:?}");
    let uploads: Vec<_> = said.iter().filter_map(|line| line.split_once(": uploaded ")).collect();
    assert!(uploads.len() >= 2, "{said:?}");
    for (_, path) in uploads {
        let file = SyncFile::open(std::path::Path::new(path));
        assert_eq!(file.grants(), expected::grants(&northflank.organization()));
    }
    assert!(!said.iter().any(|line| line.contains("must not")), "{said:?}");
    fake.platform().assert_no_violations();
    drop(daemon);
}
