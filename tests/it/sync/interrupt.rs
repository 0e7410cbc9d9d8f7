//! Killed or failed at a change that it makes to the file system, a run leaves the target as
//! it was or replaces it whole. These tests prove the means; they try some changes of all.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::harness::exit_code;
use crate::harness::interrupt::{How, Interrupter};
use crate::harness::sync_file::SyncFile;
use crate::harness::{Run, TestDir, expected};
use fake_northflank::{FakeNorthflank, Options, Organization};

/// A room with a sync file of an empty organization, and the file's bytes.
fn room() -> (TestDir, Vec<u8>) {
    let empty = FakeNorthflank::start(Organization::default(), Options::default()).unwrap();
    let room = TestDir::new();
    room.connector_to(&empty).run().expect_success();
    let old = fs::read(room.file("sync.c1z")).unwrap();
    (room, old)
}

fn fake() -> FakeNorthflank {
    let options = Options { rate_limit: None, ..Options::default() };
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

fn interrupted(fake: &FakeNorthflank, room: &TestDir, at: usize, how: How) -> (Run, Vec<String>) {
    let interrupter = Interrupter::new();
    let run = interrupter.interrupt(room.connector_to(fake), room, at, how).run();
    (run, interrupter.calls())
}

fn is_new(room: &TestDir, old: &[u8]) -> bool {
    let path = room.file("sync.c1z");
    if fs::read(&path).unwrap() == old {
        return false;
    }
    let file = SyncFile::open(&path);
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
    assert_eq!(file.resource_keys(), expected::resources(&Organization::demo()));
    assert_eq!(file.syncs().len(), 2, "the sync before is kept");
    true
}

#[test]
fn every_change_that_a_run_makes_is_seen() {
    let (room, old) = room();
    let interrupter = Interrupter::new();
    interrupter.watch(room.connector_to(&fake()), &room).run().expect_success();
    assert!(is_new(&room, &old));
    let calls = interrupter.calls();
    for call in ["mkdir sync.c1z.work", "rename sync.c1z"] {
        assert_eq!(calls.iter().filter(|made| *made == call).count(), 1, "{calls:#?}");
    }
    for call in ["open sync.c1z.work/", "pwrite sync.c1z.work/", "fsync sync.c1z.work/sync.c1z"] {
        assert!(calls.iter().any(|made| made.starts_with(call)), "{call}: {calls:#?}");
    }
}

/// Numbers calls as long as runs get that far: each of the first few, then some. How often a
/// run writes depends on how its threads take turns, so that one short run doesn't end it.
fn some_calls(mut reaches: impl FnMut(usize) -> bool) {
    let (mut at, mut short) = (1, 0);
    while short < 3 {
        short = if reaches(at) { 0 } else { short + 1 };
        at += if at < 8 { 1 } else { 2 };
    }
}

/// Runs into one room that are interrupted, each among what the one before left behind.
struct Runs {
    fake: FakeNorthflank,
    room: TestDir,
    old: Vec<u8>,
}

impl Runs {
    fn new() -> Self {
        let (room, old) = room();
        Self { fake: fake(), room, old }
    }

    /// The next run, interrupted at its call number `at`; its calls, and whether the file is
    /// new. The run after a new file begins in a new room.
    fn interrupted(&mut self, at: usize, how: How) -> (Run, Vec<String>, bool) {
        let (run, calls) = interrupted(&self.fake, &self.room, at, how);
        let is_new = is_new(&self.room, &self.old);
        if is_new {
            (self.room, self.old) = room();
        }
        (run, calls, is_new)
    }
}

#[test]
fn killed_at_a_change_a_run_leaves_the_old_file_or_the_new() {
    for how in [How::Kill, How::Tear] {
        let mut seen = [false; 2];
        let mut runs = Runs::new();
        some_calls(|at| {
            let (run, calls, is_new) = runs.interrupted(at, how);
            if run.code() == Some(0) {
                assert!(calls.len() < at, "the call {at} was survived");
                assert!(is_new);
                return false;
            }
            assert_eq!(run.0.status.signal(), Some(9), "{}", run.stderr());
            assert_eq!(calls.len(), at);
            seen[usize::from(is_new)] = true;
            true
        });
        assert_eq!(seen, [true; 2], "{how:?}");
    }
}

#[test]
fn a_disk_that_fails_at_a_change_leaves_the_old_file_and_fails_the_run() {
    for how in [How::NoSpace, How::Error] {
        let mut failures = 0;
        let mut runs = Runs::new();
        some_calls(|at| {
            let (run, calls, is_new) = runs.interrupted(at, how);
            if run.code() == Some(0) {
                // What failed only cleans up, or nothing needed space any more.
                assert!(is_new, "{at}: {calls:#?}");
            } else {
                assert_eq!(run.code(), Some(exit_code::UNKNOWN), "{at}: {}", run.stderr());
                // SQLite can't say why it could not create a database, or opened it to be read only.
                let parts =
                    ["no space left", "unable to open database file", "a readonly database"];
                let is_clear = parts.iter().any(|part| run.error().contains(part));
                assert!(is_clear || how == How::Error, "{at}: {}", run.error());
                failures += 1;
            }
            calls.len() >= at
        });
        assert!(failures > 10, "{how:?}: {failures}");
    }
}

#[test]
fn interrupted_at_a_change_a_run_says_what_has_become_of_the_file() {
    let mut runs = Runs::new();
    let mut seen = [false; 2];
    some_calls(|at| {
        let (run, calls, is_new) = runs.interrupted(at, How::Interrupt);
        match run.code() {
            Some(0) => assert!(is_new, "{at}: {calls:#?}"),
            code => {
                assert_eq!(code, Some(exit_code::INTERRUPT), "{at}: {}", run.stderr());
                assert!(!is_new, "{at}: {}", run.stderr());
            }
        }
        seen[usize::from(is_new)] = true;
        calls.len() >= at
    });
    assert_eq!(seen, [true; 2]);
}
