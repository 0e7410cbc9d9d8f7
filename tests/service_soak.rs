//! A thousand tasks in a row: neither memory nor files nor connections grow.

mod support;

use std::time::{Duration, Instant};

use fake_conductorone::api::task::{GrantTask, TaskType};
use fake_conductorone::{Code, FakeConductorOne, Method, Options};
use fake_northflank::{FakeNorthflank, Organization, Size};
use support::daemon::Daemon;

/// Tasks in all; every other is a sync.
const TASKS: usize = 1000;

/// Tasks before the first look: until then pools and caches fill.
const WARM_UP: usize = 200;

/// Memory may grow by so many KiB between the looks: allocators are not exact, and glibc's takes
/// some for each thread that comes late. A leak of 8 KiB a task would be more.
const GROWTH: u64 = 6 * 1024;

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
    let daemon = Daemon::start_with(&platform, &northflank, support::Room::new(), |connector| {
        connector.variable("BATON_LOG_LEVEL", "warn")
    });
    platform.wait_for_calls(Method::GetTask, 1);
    let idle = daemon.memory();
    let started = Instant::now();

    work(&platform, WARM_UP);
    let (memory, files) = (daemon.memory(), daemon.open_files());
    let (connections, _) = platform.connections();
    work(&platform, TASKS - WARM_UP);
    let (memory_after, files_after) = (daemon.memory(), daemon.open_files());
    let (connections_after, open) = platform.connections();

    println!(
        "{TASKS} tasks in {:.1} s; idle {idle} KiB; after {WARM_UP} tasks {memory} KiB, {files} \
         files, {connections} connections so far; after {TASKS} {memory_after} KiB, \
         {files_after} files, {connections_after} connections so far, {open} open",
        started.elapsed().as_secs_f64()
    );
    assert_eq!(platform.count(Method::UploadAsset), TASKS / 2);
    assert!(memory_after <= memory + GROWTH, "{memory} KiB became {memory_after} KiB");
    // Connections to Northflank come and go with what was asked for at once.
    assert!(files_after <= files + 8, "{files} files became {files_after}");
    assert_eq!((connections_after, open), (connections, 1));
    assert_eq!(daemon.scratch().len(), 2, "{:?}", daemon.scratch());
    assert_eq!(daemon.log(), "", "no warnings");
    platform.assert_no_violations();
}

/// Hands out tasks, always some in advance, until `count` are done.
fn work(platform: &FakeConductorOne, count: usize) {
    let mut waiting = std::collections::VecDeque::new();
    for number in 0..count {
        let task = if number % 2 == 0 {
            (platform.assign(TaskType::Grant(GrantTask {})), Code::Unimplemented)
        } else {
            (platform.assign_sync(), Code::Ok)
        };
        waiting.push_back(task);
        if waiting.len() > 10 {
            finish_one(platform, &mut waiting);
        }
    }
    while !waiting.is_empty() {
        finish_one(platform, &mut waiting);
    }
}

fn finish_one(
    platform: &FakeConductorOne,
    waiting: &mut std::collections::VecDeque<(String, Code)>,
) {
    if let Some((task, code)) = waiting.pop_front() {
        assert_eq!(platform.ending(&task).code, code);
    }
}
