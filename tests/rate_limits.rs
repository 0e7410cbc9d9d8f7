//! Northflank accepts so many requests a window. A sync that needs more waits, or stops in a
//! way that loses nothing.

mod support;

use std::time::Duration;

use fake_northflank::{FakeNorthflank, Options, Organization, RateHeaders};
use support::sync_file::SyncFile;
use support::{Room, expected};

fn fake(options: Options) -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

fn assert_complete(room: &Room) {
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.resource_keys(), expected::resources(&Organization::demo()));
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
}

fn refused(fake: &FakeNorthflank) -> usize {
    fake.journal().iter().filter(|request| request.status == 429).count()
}

#[test]
fn windows_are_waited_out_without_a_single_refusal_by_all_workers_together() {
    for workers in ["0", "8"] {
        let window = Duration::from_secs(2);
        let fake = fake(Options { rate_limit: Some(7), window, ..Options::default() });
        let room = Room::new();
        let run = room.connector_to(&fake).arguments(["--workers", workers]).run();
        let run = run.expect_success();
        assert_eq!(refused(&fake), 0, "{}", run.stderr());
        assert_eq!(fake.requests(), Organization::demo().requests() + 2);
        for part in ["waiting for Northflank's rate limit", "\"until\":\"", "\"pages\":"] {
            assert!(run.stderr().contains(part), "{part}: {}", run.stderr());
        }
        assert!(run.stderr().contains("more than Northflank's rate limit leaves"));
        assert_complete(&room);
        fake.assert_no_violations();
    }
}

#[test]
fn refusals_that_nobody_announced_are_waited_out_too() {
    let window = Duration::from_secs(1);
    for (rate_headers, refused_count) in
        [(RateHeaders::Never, false), (RateHeaders::OnSuccess, true)]
    {
        let fake = fake(Options {
            rate_limit: Some(10),
            window,
            rate_headers,
            refused_count,
            ..Options::default()
        });
        let room = Room::new();
        room.connector_to(&fake).run().expect_success();
        assert_complete(&room);
    }
}

#[test]
fn a_bounded_wait_ends_the_run_with_its_own_code_and_loses_nothing() {
    let fake = fake(Options { rate_limit: Some(9), ..Options::default() });
    let room = Room::new();
    let run = room.connector_to(&fake).arguments(["--max-wait", "10s"]).run();
    let run = run.expect_failure(8, &["rate limit is reached", "lasts for another", "10s"]);
    assert!(run.stderr().contains("what has been read is kept"), "{}", run.stderr());
    assert_eq!(room.names(), ["sync.c1z.work"]);
    assert_eq!((fake.requests(), refused(&fake)), (9, 0));

    fake.advance(Duration::from_hours(1));
    let run = room.connector_to(&fake).arguments(["--max-wait", "10s"]).run();
    // The three checks leave six requests, and the seven pages that are left need one more.
    let parts = ["rate limit is reached"];
    run.expect_failure(8, &parts);
    fake.advance(Duration::from_hours(1));
    room.connector_to(&fake).arguments(["--max-wait", "10s"]).run().expect_success();
    assert_complete(&room);
    assert_eq!(refused(&fake), 0);
    assert_eq!(fake.requests(), Organization::demo().requests() + 2 + 2 * 3);
}

#[test]
fn a_wait_for_a_window_ends_at_once_on_a_signal() {
    let fake = fake(Options { rate_limit: Some(8), ..Options::default() });
    let room = Room::new();
    let child = room.connector_to(&fake).spawn();
    while fake.requests() < 8 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let run = support::Run(child.wait_with_output().unwrap());
    run.expect_failure(143, &["stopped by SIGTERM"]);
    assert_eq!(room.names(), ["sync.c1z.work"]);
}
