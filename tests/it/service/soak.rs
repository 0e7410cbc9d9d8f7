//! A thousand tasks in a row: neither memory nor files nor connections grow.

use std::time::{Duration, Instant};

use crate::harness::TestDir;
use crate::harness::daemon::{Daemon, work};
use fake_conductorone::{FakeConductorOne, Method, Options};
use fake_northflank::{FakeNorthflank, Organization, Size};

/// Tasks in all; every other is a sync.
const TASKS: usize = 1000;

/// Tasks before the first look: until then pools and caches fill.
const WARM_UP: usize = 200;

/// Memory may grow by so many KiB between the looks: allocators are not exact.
const GROWTH: u64 = 3 * 1024;

/// What three tasks at once, as many as a daemon does, ask of Northflank at once: the token, and the
/// first pages of members, roles and groups. So many connections may be kept for the next ones.
const AT_ONCE: usize = 3 * 4;

#[test]
fn a_thousand_tasks_leave_memory_files_and_connections_as_they_were() {
    let size = Size { members: 5, roles: 2, groups: 1, memberships: 8 };
    let options = fake_northflank::Options { rate_limit: None, ..Default::default() };
    let northflank = FakeNorthflank::start(Organization::generate(1, size), options).unwrap();
    let platform = FakeConductorOne::start(Options {
        next_poll: Duration::ZERO,
        keep_uploads: false,
        ..Options::default()
    })
    .unwrap();
    // With one arena glibc gives back what it can, and what still grows is a leak.
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.variable("BATON_LOG_LEVEL", "warn").variable("MALLOC_ARENA_MAX", "1")
    });
    platform.wait_for_calls(Method::GetTask, 1);
    let idle = daemon.memory();
    let started = Instant::now();

    // Connections to Northflank come and go with what is asked for at once.
    let mut sockets = 0;
    for _ in 0..4 {
        work(&platform, WARM_UP / 4);
        sockets = sockets.max(daemon.open_files().1);
    }
    let (memory, (files, _)) = (daemon.memory(), daemon.open_files());
    let (connections, _) = platform.connections();
    work(&platform, TASKS - WARM_UP);
    let (memory_after, (files_after, sockets_after)) = (daemon.memory(), daemon.open_files());
    let (connections_after, open) = platform.connections();

    println!(
        "{TASKS} tasks in {:.1} s; idle {idle} KiB; after {WARM_UP} tasks {memory} KiB, {files} \
         files, {sockets} sockets, {connections} connections so far; after {TASKS} \
         {memory_after} KiB, {files_after} files, {sockets_after} sockets, \
         {connections_after} connections so far, {open} open",
        started.elapsed().as_secs_f64()
    );
    assert_eq!(platform.count(Method::UploadAsset), TASKS / 2);
    assert!(memory_after <= memory + GROWTH, "{memory} KiB became {memory_after} KiB");
    assert_eq!(files_after, files);
    assert!(sockets_after <= sockets.max(AT_ONCE) + 3, "{sockets} sockets became {sockets_after}");
    assert_eq!((connections_after, open), (connections, 1));
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    assert_eq!(daemon.log(), "", "no warnings");
    platform.assert_no_violations();
}
