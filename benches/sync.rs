//! What a whole sync costs, through the real binary against the fake API on loopback.
//!
//! - `large`: 100,000 members, 500 roles, 500 groups, a million memberships, answers at once.
//!   The budget: under 30 s on two cores (which the fake shares), under 300 MiB of memory.
//! - `latency`: 50 ms an answer, for the same organization and for a tenth of it. The budget:
//!   at most 1.2 × requests × latency ÷ workers. What comes after the last answer (writing)
//!   weighs more in the small one.
//! - `start`: `--help`, twenty times. The budget: under 20 ms.
//!
//! Run with `cargo bench --bench sync [-- large latency start]`. Prints; never fails on a
//! figure, because machines are shared and noisy.

mod named;
mod watched;

use std::error::Error;
use std::fs;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use fake_northflank::{FakeNorthflank, Options, Organization, Size};

const LARGE: Size = Size { members: 100_000, roles: 500, groups: 500, memberships: 1_000_000 };

const SMALL: Size = Size { members: 10_000, roles: 120, groups: 80, memberships: 100_000 };

fn main() -> Result<(), Box<dyn Error>> {
    named::run(&[("large", large), ("latency", latency), ("start", start)])
}

fn large() -> Result<(), Box<dyn Error>> {
    let fake = unlimited(Organization::generate(1, LARGE), Duration::ZERO)?;
    let run = sync(&fake, 8)?;
    println!(
        "large: {} requests, {:.1} s, {} MiB at most, file of {} MiB",
        fake.requests(),
        run.elapsed.as_secs_f64(),
        run.memory_kib / 1024,
        run.file_size >> 20,
    );
    Ok(())
}

fn latency() -> Result<(), Box<dyn Error>> {
    const LATENCY: Duration = Duration::from_millis(50);
    for (size, workers) in [(SMALL, 1), (SMALL, 8), (LARGE, 8)] {
        let fake = unlimited(Organization::generate(1, size), LATENCY)?;
        let run = sync(&fake, workers)?;
        let requests = u32::try_from(fake.requests())?;
        let ideal = LATENCY * requests / u32::try_from(workers)?;
        println!(
            "latency: {workers} workers, {requests} requests, {:.2} s, {:.2} × requests × \
             latency ÷ workers",
            run.elapsed.as_secs_f64(),
            run.elapsed.as_secs_f64() / ideal.as_secs_f64(),
        );
    }
    Ok(())
}

fn start() -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        let status = connector().arg("--help").stdout(Stdio::null()).status()?;
        times.push(started.elapsed());
        succeeded(status)?;
    }
    println!("start: --help in {}", named::spread(times));
    Ok(())
}

fn unlimited(organization: Organization, latency: Duration) -> std::io::Result<FakeNorthflank> {
    let options = Options { rate_limit: None, latency, ..Options::default() };
    FakeNorthflank::start(organization, options)
}

struct Run {
    elapsed: Duration,
    memory_kib: u64,
    file_size: u64,
}

fn sync(fake: &FakeNorthflank, workers: usize) -> Result<Run, Box<dyn Error>> {
    let room = tempfile::tempdir()?;
    let file = room.path().join("sync.c1z");
    let started = Instant::now();
    let mut child = connector()
        .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
        .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
        .arg("--workers")
        .arg(workers.to_string())
        .arg("--file")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()?;
    let (status, memory_kib) = watched::watch(&mut child)?;
    let elapsed = started.elapsed();
    succeeded(status)?;
    Ok(Run { elapsed, memory_kib, file_size: fs::metadata(file)?.len() })
}

fn connector() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton-northflank"));
    command.env_clear();
    command
}

fn succeeded(status: ExitStatus) -> Result<(), Box<dyn Error>> {
    if status.success() { Ok(()) } else { Err(format!("the connector ended with {status}").into()) }
}
