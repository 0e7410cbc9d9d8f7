//! What a whole sync costs, through the real binary against the fake API on loopback.
//!
//! - `small`, `medium`, `large`: 2,000, 20,000 and 100,000 members, ten memberships for each,
//!   answers at once. Time by the clock and of the processor, most memory, the file's size.
//! - `latency`: 50 ms an answer, one worker and eight. The budget: at most 1.08 × requests ×
//!   latency ÷ workers. What comes after the last answer (writing) weighs more in small ones.
//! - `growth`: what a membership and a member take in memory, from ten thousand memberships to
//!   ten million, folded without HTTP.
//! - `resumed`: 20,000 members, 200 roles, 200,000 memberships, killed at each tenth of its
//!   requests: how many the next run makes, and how many more both make than one would have.
//! - `start`: `--help`, twenty times. The budget: under 20 ms.
//!
//! Run with `cargo bench --bench sync [-- large latency …]`. `AGAINST=/path/to/another/binary`
//! has that one make each sync, too, in turns, and prints the ratios. Prints; never fails on a
//! figure, because machines are shared and noisy.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod named;
mod watched;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use baton_northflank::northflank::{List, ListKind, Page, Rows};
use baton_northflank::sync::SnapshotBuilder;
use fake_northflank::{FakeNorthflank, Options, Organization, Size};
use serde_json::{Value, from_value, json};

type Failure = Box<dyn Error>;

const SMALL: Size = Size { members: 2_000, roles: 50, groups: 50, memberships: 20_000 };
const MEDIUM: Size = Size { members: 20_000, roles: 150, groups: 150, memberships: 200_000 };
const LARGE: Size = Size { members: 100_000, roles: 500, groups: 500, memberships: 1_000_000 };

/// Tells a process of this benchmark how many memberships it is to fold.
const MEMBERSHIPS: &str = "GROWTH_MEMBERSHIPS";

fn main() -> Result<(), Failure> {
    named::run(&[
        ("small", || at_once("small", SMALL, 7)),
        ("medium", || at_once("medium", MEDIUM, 5)),
        ("large", || at_once("large", LARGE, 3)),
        ("latency", latency),
        ("growth", growth),
        ("resumed", resumed),
        ("start", start),
    ])
}

/// Syncs so many times, in turns with the other binary; the medians count.
fn at_once(name: &str, size: Size, times: usize) -> Result<(), Failure> {
    let fake = unlimited(Organization::generate(1, size), Duration::ZERO)?;
    let binaries = binaries();
    // The fake makes its answers now, and gives them again from here on.
    sync(&binaries[0], &fake, 8)?;
    let mut runs: Vec<Vec<Run>> = binaries.iter().map(|_| Vec::new()).collect();
    for _ in 0..times {
        for (binary, runs) in binaries.iter().zip(&mut runs) {
            runs.push(sync(binary, &fake, 8)?);
        }
    }
    let medians: Vec<Run> = runs.iter().map(|runs| Run::median(runs)).collect();
    for (binary, run) in binaries.iter().zip(&medians) {
        println!("{name}: {run} ({})", binary.display());
    }
    if let [ours, other] = medians.as_slice() {
        println!("{name}: {}", ours.against(other));
    }
    Ok(())
}

fn latency() -> Result<(), Failure> {
    const LATENCY: Duration = Duration::from_millis(50);
    for (size, workers) in [(SMALL, 1), (SMALL, 8), (LARGE, 8)] {
        let fake = unlimited(Organization::generate(1, size), LATENCY)?;
        for binary in binaries() {
            let before = fake.requests();
            let run = sync(&binary, &fake, workers)?;
            let requests = u32::try_from(fake.requests() - before)?;
            let ideal = LATENCY * requests / u32::try_from(workers)?;
            println!(
                "latency: {workers} workers, {requests} requests, {:.2} s, {:.2} × requests × \
                 latency ÷ workers ({})",
                run.elapsed.as_secs_f64(),
                run.elapsed.as_secs_f64() / ideal.as_secs_f64(),
                binary.display(),
            );
        }
    }
    Ok(())
}

fn resumed() -> Result<(), Failure> {
    const SIZE: Size = Size { members: 20_000, roles: 200, groups: 0, memberships: 200_000 };
    // Long enough that a kill comes while its requests are under way.
    let fake = unlimited(Organization::generate(1, SIZE), Duration::from_millis(10))?;
    let before = fake.requests();
    sync(&binaries()[0], &fake, 8)?;
    let whole = fake.requests() - before;
    println!("resumed: {whole} requests where nothing is broken off");
    for tenth in 1..10 {
        for binary in binaries() {
            let room = tempfile::tempdir()?;
            let file = room.path().join("sync.c1z");
            let before = fake.requests();
            let mut child = syncing(&binary, &fake, 8, &file).spawn()?;
            while fake.requests() - before < whole * tenth / 10 && child.try_wait()?.is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill()?;
            child.wait()?;
            let killed = fake.requests() - before;
            succeeded(syncing(&binary, &fake, 8, &file).status()?)?;
            let next = fake.requests() - before - killed;
            println!(
                "resumed: killed at request {killed}, the next run makes {next}: {} more ({})",
                killed + next - whole,
                binary.display()
            );
        }
    }
    Ok(())
}

fn start() -> Result<(), Failure> {
    for binary in binaries() {
        let mut times = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            let status = connector(&binary).arg("--help").stdout(Stdio::null()).status()?;
            times.push(started.elapsed());
            succeeded(status)?;
        }
        println!("start: --help in {} ({})", named::spread(times), binary.display());
    }
    Ok(())
}

/// Each size in a process of its own, whose memory holds nothing else.
fn growth() -> Result<(), Failure> {
    if let Ok(memberships) = std::env::var(MEMBERSHIPS) {
        return grow(memberships.parse()?);
    }
    for memberships in [10_000, 100_000, 1_000_000, 10_000_000] {
        let status = Command::new(std::env::current_exe()?)
            .arg("growth")
            .env(MEMBERSHIPS, memberships.to_string())
            .status()?;
        succeeded(status)?;
    }
    Ok(())
}

/// Folds so many memberships, of a tenth as many members, in lists of a thousand.
fn grow(memberships: usize) -> Result<(), Failure> {
    const LIST: usize = 1_000;
    let members = memberships / 10;
    let lists = memberships / LIST;
    let mut fold = SnapshotBuilder::default();
    let role = |number: usize| json!({"id": format!("role-{number}")});
    let roles = Value::Array((0..lists).map(role).collect());
    fold.page(Page::new(List::only(ListKind::Roles), Rows::Roles(from_value(roles)?), true, true))?;
    let started = Instant::now();
    let empty = memory("VmRSS:")?;
    for first in (0..members).step_by(100) {
        let end = (first + 100).min(members);
        let rows = Rows::Members(from_value((first..end).map(member).collect())?);
        let list = List::only(ListKind::Members);
        fold.page(Page::new(list, rows, first == 0, end == members))?;
    }
    let listed = memory("VmRSS:")?;
    for list in 0..lists {
        for part in 0..LIST / 100 {
            // Each list holds other members, in no order.
            let row = |row| member((list * 7_919 + (part * 100 + row) * 104_729) % members);
            let rows = from_value((0..100).map(row).collect())?;
            let of = List::of(ListKind::RoleMembers, format!("role-{list}").as_str().into());
            let rows = Rows::RoleMembers(rows);
            fold.page(Page::new(of, rows, part == 0, part + 1 == LIST / 100))?;
        }
    }
    let folded = memory("VmRSS:")?;
    let elapsed = started.elapsed().as_secs_f64();
    let access = fold.finish();
    let each = |kib: u64, of: usize| kib as f64 * 1024.0 / of as f64;
    println!(
        "growth: {memberships} memberships of {members} members: {:.1} bytes a membership, {:.0} \
         a member, {} MiB together, {} at most until all {} people are in order, {elapsed:.1} s",
        each(folded.saturating_sub(listed), memberships),
        each(listed.saturating_sub(empty), members),
        (folded - empty) >> 10,
        memory("VmHWM:")? >> 10,
        access.people().count(),
    );
    Ok(())
}

/// A member as Northflank lists one.
fn member(number: usize) -> Value {
    let id = format!("somebody-quillfeather-{number}");
    json!({
        "id": id, "name": format!("Somebody Quillfeather {number}"),
        "emails": [{"address": format!("{id}@acme.test"), "verified": true}],
        "joinedAt": "2023-09-06T23:20:34.707Z", "finalized": true, "type": "implicit",
    })
}

/// A line of what the kernel says of this process's memory, in KiB.
fn memory(line: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    Ok(kib(&status, line).ok_or("the kernel doesn't say how much memory is in use")?)
}

fn kib(status: &str, line: &str) -> Option<u64> {
    let value = status.lines().find_map(|found| found.strip_prefix(line))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

fn unlimited(organization: Organization, latency: Duration) -> std::io::Result<FakeNorthflank> {
    let options = Options { rate_limit: None, latency, keep_answers: true, ..Options::default() };
    FakeNorthflank::start(organization, options)
}

#[derive(Clone, Copy)]
struct Run {
    elapsed: Duration,
    processor: Duration,
    memory_kib: u64,
    file_size: u64,
}

impl Run {
    /// Of each figure the one in the middle.
    fn median(runs: &[Self]) -> Self {
        fn middle<T: Ord + Copy>(runs: &[Run], figure: impl Fn(&Run) -> T) -> T {
            let mut figures: Vec<T> = runs.iter().map(figure).collect();
            figures.sort_unstable();
            figures[figures.len() / 2]
        }
        Self {
            elapsed: middle(runs, |run| run.elapsed),
            processor: middle(runs, |run| run.processor),
            memory_kib: middle(runs, |run| run.memory_kib),
            file_size: middle(runs, |run| run.file_size),
        }
    }

    fn against(&self, other: &Self) -> String {
        let ratio = |ours: f64, theirs: f64| ours / theirs;
        format!(
            "{:.2} of the other's time, {:.2} of its processor time, {:.2} of its memory",
            ratio(self.elapsed.as_secs_f64(), other.elapsed.as_secs_f64()),
            ratio(self.processor.as_secs_f64(), other.processor.as_secs_f64()),
            ratio(self.memory_kib as f64, other.memory_kib as f64),
        )
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:.2} s, {:.2} s of the processor, {:.1} MiB at most, file of {:.1} MiB",
            self.elapsed.as_secs_f64(),
            self.processor.as_secs_f64(),
            self.memory_kib as f64 / 1024.0,
            self.file_size as f64 / f64::from(1 << 20),
        )
    }
}

fn sync(binary: &Path, fake: &FakeNorthflank, workers: usize) -> Result<Run, Failure> {
    let room = tempfile::tempdir()?;
    let file = room.path().join("sync.c1z");
    let before = processor_of_children()?;
    let started = Instant::now();
    let mut child = syncing(binary, fake, workers, &file).spawn()?;
    let (status, memory_kib) = watched::watch(&mut child)?;
    let elapsed = started.elapsed();
    succeeded(status)?;
    let processor = processor_of_children()?.saturating_sub(before);
    Ok(Run { elapsed, processor, memory_kib, file_size: fs::metadata(file)?.len() })
}

fn syncing(binary: &Path, fake: &FakeNorthflank, workers: usize, file: &Path) -> Command {
    let mut command = connector(binary);
    command
        .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
        .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
        .arg("--workers")
        .arg(workers.to_string())
        .arg("--file")
        .arg(file)
        .stderr(Stdio::null());
    command
}

/// Processor time of all children that have ended, of the system for them included.
fn processor_of_children() -> Result<Duration, Failure> {
    // Linux counts in hundredths of a second here, whatever the kernel's own clock.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field may hold blanks, but is in parentheses.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no fields")?;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<u32>);
    Ok(TICK * ticks.sum::<Result<u32, _>>()?)
}

/// Our binary, and the other one if one is named.
fn binaries() -> Vec<PathBuf> {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_baton-northflank"));
    let other = std::env::var_os("AGAINST").map(PathBuf::from);
    [ours].into_iter().chain(other).collect()
}

fn connector(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env_clear();
    command
}

fn succeeded(status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(format!("it ended with {status}").into()) }
}
