//! The connector beside the same one on ConductorOne's baton-sdk (`benches/peer`, Go), against
//! the same fake API, in turns: time, processor time, memory of all processes together,
//! requests, size of the file.
//!
//! - `small`, `medium`, `large`: 20,000 to a million memberships, answers at once.
//! - `latency`: the small one, 50 ms an answer.
//!
//! `cargo bench --bench peer [-- small medium large latency]`; needs Go. Prints tables for
//! `docs/benchmarks.md`. Fails if the two files of an organization don't hold the same rows,
//! never on a figure, because machines are shared and noisy.

mod named;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fake_northflank::{FakeNorthflank, Options, Organization, Size};
use rusqlite::Connection;

type Failure = Box<dyn Error>;

const SMALL: Size = Size { members: 2_000, roles: 60, groups: 40, memberships: 20_000 };

const MEDIUM: Size = Size { members: 20_000, roles: 200, groups: 150, memberships: 200_000 };

const LARGE: Size = Size { members: 100_000, roles: 500, groups: 500, memberships: 1_000_000 };

fn main() -> Result<(), Failure> {
    named::run(&[
        ("small", || compare(SMALL, Duration::ZERO, 7)),
        ("medium", || compare(MEDIUM, Duration::ZERO, 5)),
        ("large", || compare(LARGE, Duration::ZERO, 1)),
        ("latency", || compare(SMALL, Duration::from_millis(50), 3)),
    ])
}

/// Who is measured: ours first, which the others are held against.
const CONTESTANTS: &[Contestant] = &[
    Contestant { name: "baton-northflank", is_ours: true, arguments: &[] },
    Contestant { name: "Go, defaults", is_ours: false, arguments: &[] },
    Contestant { name: "Go, 8 workers", is_ours: false, arguments: &["--workers", "8"] },
    Contestant { name: "Go, SQLite", is_ours: false, arguments: SQLITE },
    Contestant {
        name: "Go, SQLite, 8 workers",
        is_ours: false,
        arguments: &["--storage-engine", "sqlite", "--workers", "8"],
    },
];

/// Writes a file of the version that ours has, so that their rows can be compared.
const SQLITE: &[&str] = &["--storage-engine", "sqlite"];

struct Contestant {
    name: &'static str,
    is_ours: bool,
    arguments: &'static [&'static str],
}

/// Runs everybody in turns, so that what else the machine does meets all of them.
fn compare(size: Size, latency: Duration, rounds: usize) -> Result<(), Failure> {
    let options = Options { rate_limit: None, latency, keep_answers: true, ..Options::default() };
    let fake = FakeNorthflank::start(Organization::generate(1, size), options)?;
    // The fake makes its answers now, once for each way of asking, and gives them again from here
    // on: what is measured are the connectors.
    for contestant in [&CONTESTANTS[0], &CONTESTANTS[1]] {
        let room = tempfile::tempdir()?;
        sync(contestant, &fake, room.path(), &room.path().join("sync.c1z"))?;
    }
    let mut runs: Vec<Vec<Run>> = CONTESTANTS.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        let room = tempfile::tempdir()?;
        let mut files = Vec::new();
        for (index, contestant) in CONTESTANTS.iter().enumerate() {
            let place = room.path().join(index.to_string());
            fs::create_dir(&place)?;
            let file = place.join("sync.c1z");
            runs[index].push(sync(contestant, &fake, &place, &file)?);
            files.push(file);
        }
        if round == 0 {
            let comparable = CONTESTANTS.iter().position(|it| it.arguments == SQLITE);
            let theirs = comparable.ok_or("nobody writes a file that can be compared")?;
            same_rows(&files[0], &files[theirs], room.path())?;
        }
    }
    let medians: Vec<Run> = runs.iter().map(|runs| median(runs)).collect();
    print(size, latency, rounds, &medians);
    println!();
    for (contestant, runs) in CONTESTANTS.iter().zip(&runs) {
        let times = runs.iter().map(|run| run.elapsed).collect();
        println!("{}: {}", contestant.name, named::spread(times));
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Run {
    elapsed: Duration,
    processor: Duration,
    memory: u64,
    requests: u64,
    file: u64,
}

fn sync(
    contestant: &Contestant,
    fake: &FakeNorthflank,
    place: &Path,
    file: &Path,
) -> Result<Run, Failure> {
    let program = if contestant.is_ours {
        Path::new(env!("CARGO_BIN_EXE_baton-northflank"))
    } else {
        peer()?
    };
    let before = fake.requests();
    let log = place.join("log");
    let started = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
        .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
        .env("TMPDIR", place)
        .current_dir(place)
        .arg("--file")
        .arg(file)
        .args(contestant.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()?;
    let mut seen = Seen::default();
    let status = watch(&mut child, &mut seen)?;
    let elapsed = started.elapsed();
    if !status.success() {
        let log = fs::read_to_string(log)?;
        return Err(format!("{} ended with {status}:\n{log}", contestant.name).into());
    }
    Ok(Run {
        elapsed,
        processor: seen.processor(),
        memory: seen.memory,
        requests: u64::try_from(fake.requests() - before)?,
        file: fs::metadata(file)?.len(),
    })
}

/// The Go connector. Go's cache makes that quick when nothing changed.
fn peer() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built);
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peer");
    let status = Command::new("go")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer"))
        .args(["build", "-mod=readonly", "-o"])
        .arg(&built)
        .arg(".")
        .status()?;
    if !status.success() {
        return Err("the Go connector can't be built".into());
    }
    Ok(BUILT.get_or_init(|| built))
}

/// What was seen of a program's processes; baton-sdk starts itself a second time.
#[derive(Default)]
struct Seen {
    /// The most memory that all held at one moment, in bytes.
    memory: u64,
    /// The processor time of each so far, in ticks.
    ticks: BTreeMap<u32, u64>,
}

impl Seen {
    /// Looks at `root` and everything that it has started.
    fn look(&mut self, root: u32) {
        let (mut own, mut program) = (0, 0);
        let mut processes = vec![root];
        while let Some(process) = processes.pop() {
            let place = PathBuf::from(format!("/proc/{process}"));
            if let Ok(status) = fs::read_to_string(place.join("status")) {
                own += kib(&status, "RssAnon:") + kib(&status, "RssShmem:");
                // The program itself, which its processes share.
                program = program.max(kib(&status, "RssFile:"));
            }
            if let Some(ticks) = ticks(&place) {
                self.ticks.insert(process, ticks);
            }
            for thread in fs::read_dir(place.join("task")).into_iter().flatten().flatten() {
                let children = fs::read_to_string(thread.path().join("children"));
                let children = children.unwrap_or_default();
                processes
                    .extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
        }
        self.memory = self.memory.max((own + program) << 10);
    }

    fn processor(&self) -> Duration {
        // Linux counts in hundredths of a second (`USER_HZ`).
        Duration::from_millis(self.ticks.values().sum::<u64>() * 10)
    }
}

/// Looks every few milliseconds until the end of `child`.
fn watch(child: &mut Child, seen: &mut Seen) -> Result<ExitStatus, Failure> {
    loop {
        seen.look(child.id());
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kib(status: &str, key: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(key));
    value.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The user and system time of a process: fields 14 and 15 of its `stat`, counted after the
/// name in brackets, which may hold anything.
fn ticks(place: &Path) -> Option<u64> {
    let stat = fs::read_to_string(place.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|field| field.parse::<u64>().ok()).sum()
}

/// Fails unless two files hold the same rows. What the messages in them say is compared by
/// `sync::peer` in the integration tests.
fn same_rows(ours: &Path, theirs: &Path, room: &Path) -> Result<(), Failure> {
    let connection = Connection::open_in_memory()?;
    for (name, file) in [("ours", ours), ("theirs", theirs)] {
        let database = room.join(format!("{name}.db"));
        let mut packed = File::open(file)?;
        packed.seek(SeekFrom::Start(5))?;
        let mut unpacked = zstd::Decoder::new(packed)?;
        std::io::copy(&mut unpacked.by_ref(), &mut File::create(&database)?)?;
        connection.execute(&format!("attach ?1 as {name}"), [database.to_string_lossy()])?;
    }
    for (table, columns) in [
        ("v1_resource_types", "external_id"),
        ("v1_resources", "external_id, resource_type_id"),
        ("v1_entitlements", "external_id, resource_type_id, resource_id"),
        (
            "v1_grants",
            "external_id, resource_type_id, resource_id, entitlement_id, \
             principal_resource_type_id, principal_resource_id, expansion, needs_expansion",
        ),
    ] {
        for (one, other) in [("ours", "theirs"), ("theirs", "ours")] {
            let only: i64 = connection.query_row(
                &format!(
                    "select count(*) from (select {columns} from {one}.{table}
                     except select {columns} from {other}.{table})"
                ),
                [],
                |row| row.get(0),
            )?;
            if only > 0 {
                return Err(format!("{only} rows of {table} are only in {one}").into());
            }
        }
    }
    Ok(())
}

fn median(runs: &[Run]) -> Run {
    fn middle<T: Ord + Copy>(runs: &[Run], of: impl Fn(&Run) -> T) -> T {
        let mut values: Vec<T> = runs.iter().map(of).collect();
        values.sort_unstable();
        values[values.len() / 2]
    }
    Run {
        elapsed: middle(runs, |run| run.elapsed),
        processor: middle(runs, |run| run.processor),
        memory: middle(runs, |run| run.memory),
        requests: middle(runs, |run| run.requests),
        file: middle(runs, |run| run.file),
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print(size: Size, latency: Duration, rounds: usize, runs: &[Run]) {
    let answers = if latency.is_zero() {
        "answered at once".to_owned()
    } else {
        format!("answered after {} ms", latency.as_millis())
    };
    println!(
        "\n{} members, {} memberships, {answers}; medians of {rounds}, in brackets as multiples of \
         ours, bold where ours is behind\n\n\
         | | time | processor | memory | requests | file |\n\
         | --- | --- | --- | --- | --- | --- |",
        thousands(size.members),
        thousands(size.memberships),
    );
    let ours = &runs[0];
    for (contestant, run) in CONTESTANTS.iter().zip(runs) {
        let cell = |text: String, of: &dyn Fn(&Run) -> f64| {
            let ratio = of(run) / of(ours);
            if contestant.is_ours {
                text
            } else if ratio < 0.995 {
                format!("{text} (**× {ratio:.2}**)")
            } else {
                format!("{text} (× {ratio:.2})")
            }
        };
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            contestant.name,
            cell(seconds(run.elapsed), &|run| run.elapsed.as_secs_f64()),
            cell(seconds(run.processor), &|run| run.processor.as_secs_f64()),
            cell(format!("{} MiB", run.memory >> 20), &|run| run.memory as f64),
            cell(run.requests.to_string(), &|run| run.requests as f64),
            cell(format!("{:.1} MiB", run.file as f64 / 1_048_576.0), &|run| run.file as f64),
        );
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn thousands(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", thousands(number / 1_000), number % 1_000)
    }
}
