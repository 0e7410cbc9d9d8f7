//! What a self-hosted connector costs, through the real binary against a fake ConductorOne and
//! the fake API on loopback.
//!
//! - `start`: from the process's start until ConductorOne has its Hello, ten times. The budget:
//!   under half a second.
//! - `memory`: resident memory before the first task, and at rest after 600 tasks (half of them
//!   syncs, three at once). The budget: 15 MiB. What the C library's allocator keeps is in it:
//!   glibc keeps more than musl, with which the container image is built.
//! - `stop`: from SIGTERM until the process has ended, with nothing to do and in mid-sync.
//!
//! Run with `cargo bench --bench service [-- start memory stop]`. Prints; never fails on a
//! figure, because machines are shared and noisy.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/harness/mod.rs"]
mod harness;
mod named;

use std::error::Error;
use std::time::{Duration, Instant};

use fake_conductorone::{FakeConductorOne, Method, Options};
use fake_northflank::{FakeNorthflank, Organization};
use harness::daemon::{Daemon, work};

/// Tasks in all before the second look at the memory.
const TASKS: usize = 600;

/// Time after which what was only pooled has been let go.
const REST: Duration = Duration::from_secs(12);

fn main() -> Result<(), Box<dyn Error>> {
    named::run(&[("start", start), ("memory", memory), ("stop", stop)])
}

fn start() -> Result<(), Box<dyn Error>> {
    let northflank = northflank(Duration::ZERO)?;
    let mut times = Vec::new();
    for _ in 0..10 {
        let platform = FakeConductorOne::start(Options::default())?;
        let started = Instant::now();
        let _daemon = Daemon::start(&platform, &northflank);
        platform.wait_for_calls(Method::Hello, 1);
        let calls = platform.calls();
        let hello = calls.iter().find(|call| call.method == Method::Hello);
        times.extend(hello.map(|hello| hello.at - started));
    }
    println!("start: Hello after {}", named::spread(times));
    Ok(())
}

fn memory() -> Result<(), Box<dyn Error>> {
    let northflank = northflank(Duration::ZERO)?;
    let options = Options { next_poll: Duration::ZERO, keep_uploads: false, ..Options::default() };
    let platform = FakeConductorOne::start(options)?;
    let daemon = Daemon::start(&platform, &northflank);
    platform.wait_for_calls(Method::GetTask, 1);
    std::thread::sleep(Duration::from_secs(1));
    let before = daemon.memory();
    work(&platform, TASKS);
    std::thread::sleep(REST);
    println!(
        "memory: {:.1} MiB before the first task, {:.1} MiB at rest after {TASKS}",
        mebibytes(before),
        mebibytes(daemon.memory()),
    );
    Ok(())
}

fn stop() -> Result<(), Box<dyn Error>> {
    for (what, latency) in [("idle", Duration::ZERO), ("in mid-sync", Duration::from_millis(400))] {
        let northflank = northflank(latency)?;
        let platform = FakeConductorOne::start(Options::default())?;
        let daemon = Daemon::start(&platform, &northflank);
        platform.wait_for_calls(Method::GetTask, 1);
        if !latency.is_zero() {
            platform.assign_sync();
            daemon.wait_for_log("task begun");
            std::thread::sleep(latency * 3);
        }
        let asked = Instant::now();
        daemon.stop();
        println!("stop: {what}, {} ms after SIGTERM", asked.elapsed().as_millis());
    }
    Ok(())
}

/// Serves the demo's organization.
fn northflank(latency: Duration) -> std::io::Result<FakeNorthflank> {
    let options = fake_northflank::Options {
        rate_limit: None,
        latency,
        ..fake_northflank::Options::default()
    };
    FakeNorthflank::start(Organization::demo(), options)
}

/// KiB as MiB.
fn mebibytes(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}
