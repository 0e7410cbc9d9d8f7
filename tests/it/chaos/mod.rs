//! Chaos: from a seed, an organization and ways of serving it, faults of place, time and kind,
//! hostile surroundings and settings; one run after the other, and a clean one at the end.
//!
//! The outcome of each run is held against a model: a true file, complete, and nothing else; or
//! the old file byte for byte, one line that says why, and the exit code that is documented for
//! it. Nothing of anybody's is ever lost, and the token is nowhere.
//!
//! `CHAOS_SEED` plays the trial of one seed, `CHAOS_RUNS` so many from it on, `CHAOS_SECONDS`
//! for so long.

mod disturbances;
mod draw;
mod faults;
mod judge;
mod model;
mod place;
mod process;
mod settings;
mod syncs;
mod team_changes;
mod trial;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Trials side by side. Most of their time is waiting.
const SIDE_BY_SIDE: usize = 4;

/// Seeds that are played unless told otherwise, from 1 on: the same for everybody, so that one
/// change is not blamed for what another has missed.
const SEEDS: u64 = 40;

/// One trial in so many is read with the real `baton` as well.
const READ_WITH_BATON: u64 = 8;

/// What a trial tells while it is played.
#[derive(Default)]
pub(crate) struct Told {
    lines: Mutex<Vec<String>>,
    drawn: Mutex<BTreeMap<(&'static str, String), usize>>,
}

impl Told {
    fn line(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push(line.into());
    }

    /// Counts something that was drawn or came of it.
    fn drawn(&self, what: &'static str, which: impl Into<String>) {
        *self.drawn.lock().unwrap().entry((what, which.into())).or_default() += 1;
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Plays the trial of a seed; what it tells if it fails.
fn failure(seed: u64, drawn: &Mutex<BTreeMap<(&'static str, String), usize>>) -> Option<String> {
    let told = Told::default();
    let reads_with_baton = seed.is_multiple_of(READ_WITH_BATON);
    let outcome = std::thread::scope(|scope| {
        let play = || trial::play(seed, reads_with_baton, &told);
        std::thread::Builder::new()
            .name(format!("seed {seed}"))
            .spawn_scoped(scope, play)
            .unwrap()
            .join()
    });
    let mut all = drawn.lock().unwrap();
    for (what, count) in told.drawn.into_inner().unwrap() {
        *all.entry(what).or_default() += count;
    }
    let panic = outcome.err()?;
    let panic = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied());
    let mut text = format!("seed {seed}:\n");
    for line in told.lines.into_inner().unwrap() {
        writeln!(text, "  {line}").unwrap();
    }
    write!(
        text,
        "  {}\nagain: CHAOS_SEED={seed} cargo test --locked --test it chaos:: -- --ignored --nocapture\n",
        panic.unwrap_or("?"),
    )
    .unwrap();
    Some(text)
}

#[test]
#[ignore = "needs Go, and most of a minute; .ci/run has it"]
fn whatever_happens_the_file_is_complete_and_true_or_as_it_was_and_a_calm_run_makes_it_true() {
    let first: Option<u64> = variable("CHAOS_SEED");
    let seconds = variable("CHAOS_SECONDS").map(Duration::from_secs);
    let fresh = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos())
    };
    let count: Option<u64> = variable("CHAOS_RUNS");
    let seeds: Box<dyn Iterator<Item = u64> + Send> = match (first, seconds) {
        (first, Some(_)) => Box::new(first.unwrap_or_else(fresh)..),
        (Some(first), None) => Box::new(first..first + count.unwrap_or(1)),
        (None, None) if count.is_some() => {
            let first = fresh();
            Box::new(first..first + count.unwrap_or(1))
        }
        (None, None) => Box::new(1..=SEEDS),
    };
    let (seeds, started) = (Mutex::new(seeds), Instant::now());
    let (failures, drawn) = (Mutex::new(Vec::new()), Mutex::default());
    let (last, played) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while seconds.is_none_or(|seconds| started.elapsed() < seconds) {
                    let Some(seed) = seeds.lock().unwrap().next() else {
                        break;
                    };
                    last.fetch_max(seed, Ordering::Relaxed);
                    played.fetch_add(1, Ordering::Relaxed);
                    let failed = failure(seed, &drawn);
                    if let Some(failure) = failed {
                        println!("{failure}");
                        failures.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    for ((what, which), count) in drawn.into_inner().unwrap() {
        println!("{what}: {which}: {count}");
    }
    println!(
        "{} trials, the last of seed {last:?}, took {:?}",
        played.into_inner(),
        started.elapsed()
    );
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "failed: {failures:?}");
}
