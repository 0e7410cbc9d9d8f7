//! What it costs to tell who has access, of a file with 100,000 members and a million
//! memberships: by the real binary, each format in a process of its own. The yardstick is what
//! nobody can do without: unpacking the same file by zstd alone, to a file.
//!
//! The budget on two cores: one person within 2 s, CSV within 4 s and under 200 MiB of memory, a
//! review by 50 rules within one and a half times what CSV takes.
//!
//! Run with `cargo bench --bench access`. Prints; never fails on a figure, because machines are
//! shared and noisy.

mod named;
mod watched;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fake_northflank::{FakeNorthflank, Options, Organization, Size};

const LARGE: Size = Size { members: 100_000, roles: 500, groups: 500, memberships: 1_000_000 };

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    named::run(&[("access", access)])
}

fn access() -> Result<(), Box<dyn Error>> {
    let room = tempfile::tempdir()?;
    let file = room.path().join("sync.c1z");
    let person = sync(&file)?;
    let told = room.path().join("told");
    println!("file of {} MiB; {ROUNDS} rounds", fs::metadata(&file)?.len() >> 20);
    let rules = room.path().join("rules.yaml");
    fs::write(&rules, fifty_rules())?;
    let rules = rules.display().to_string();
    let judged = format!("json={}", told.display());
    let review = ["review", "--rules", &rules, "--output", &judged];
    let formats: [(&str, &[&str]); 5] = [
        ("--user, as table", &["access", "--user", &person]),
        ("CSV", &["access", "--format", "csv"]),
        ("JSON", &["access", "--format", "json"]),
        ("page", &["access", "--format", "html"]),
        ("review by 50 rules", &review),
    ];
    let mut alone = Vec::new();
    let mut times = [const { Vec::new() }; 5];
    let mut memory = [0; 5];
    for _ in 0..ROUNDS {
        alone.push(unpack(&file, &told)?);
        for (place, (_, arguments)) in formats.iter().enumerate() {
            let (time, kib) = tell(&file, arguments, &told)?;
            times[place].push(time);
            memory[place] = memory[place].max(kib);
        }
    }
    println!("zstd alone: {}", named::spread(alone));
    let [_, csv, .., review] = times.each_ref().map(|times| named::median(times).as_secs_f64());
    for (((name, _), times), kib) in formats.iter().zip(times).zip(memory) {
        println!("{name}: {}, {} MiB at most", named::spread(times), kib / 1024);
    }
    println!("the review takes {:.2} times what CSV takes; the budget is 1.5", review / csv);
    Ok(())
}

/// Rules of every kind, most of which hold, as they do where somebody lives by them.
fn fifty_rules() -> String {
    let organization = Organization::generate(1, LARGE);
    let role = |place: usize| &organization.roles[place].id;
    let mut rules = String::from("version: 1\nrules:\n");
    for number in 0..50 {
        let (one, other) = (role(number), role(number + 50));
        let group = &organization.groups[number].id;
        let demand = match number % 5 {
            0 => format!("role: '{one}', holders: {{max: 1000000}}, only: ['group:{group}']"),
            1 => format!("role: ['{one}', '{other}'], require: {{status: enabled}}"),
            2 => "any-role: true, holders: {max: 1000000}, held: any".to_owned(),
            3 => format!("not-together: ['role:{one}', 'role:{other}']"),
            _ => "finding: direct-beside-group".to_owned(),
        };
        rules.push_str(&["  - {id: r", &number.to_string(), ", ", &demand, "}\n"].concat());
    }
    rules
}

/// Syncs into `file`; returns somebody who is in it.
fn sync(file: &Path) -> Result<String, Box<dyn Error>> {
    let organization = Organization::generate(1, LARGE);
    let person = organization.members[LARGE.members / 2].id.clone();
    let options = Options { rate_limit: None, ..Options::default() };
    let fake = FakeNorthflank::start(organization, options)?;
    let status = connector()
        .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
        .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
        .arg("--file")
        .arg(file)
        .stderr(Stdio::null())
        .status()?;
    if status.success() { Ok(person) } else { Err(format!("the sync ended with {status}").into()) }
}

fn unpack(file: &Path, database: &Path) -> io::Result<Duration> {
    let started = Instant::now();
    let mut packed = File::open(file)?;
    packed.read_exact(&mut [0; 5])?;
    zstd::stream::copy_decode(packed, File::create(database)?)?;
    Ok(started.elapsed())
}

/// Tells `file` into `told`; returns the time and the most memory, in KiB.
fn tell(file: &Path, arguments: &[&str], told: &Path) -> Result<(Duration, u64), Box<dyn Error>> {
    let started = Instant::now();
    let mut command = connector();
    let (name, rest) = arguments.split_first().ok_or("no command")?;
    command.arg(name).arg(file).args(rest);
    if *name == "access" {
        command.arg("--output").arg(told);
    }
    command.stderr(Stdio::null());
    let (status, kib) = watched::watch(&mut command.spawn()?)?;
    let elapsed = started.elapsed();
    // Rules are broken there.
    if status.success() || status.code() == Some(21) {
        Ok((elapsed, kib))
    } else {
        Err(format!("it ended with {status}").into())
    }
}

fn connector() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton-northflank"));
    command.env_clear();
    command
}
