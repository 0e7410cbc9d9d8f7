//! Running the real binary, and reading the files it makes.

#![allow(unreachable_pub, reason = "part of a test crate")]

pub mod changes;
pub mod daemon;
pub mod exit_code;
pub mod expected;
pub mod foreign_file;
#[cfg(target_os = "linux")]
pub mod interrupt;
pub mod picture;
#[cfg(target_os = "linux")]
pub mod preload;
pub mod reader;
#[cfg(target_os = "linux")]
pub mod refuse;
pub mod screen;
pub mod shown;
pub mod sync_file;
pub mod trial;
#[cfg(target_os = "linux")]
pub mod workflow;

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fake_northflank::FakeNorthflank;

/// How long a test waits for what should come soon.
pub const WAIT: Duration = Duration::from_secs(30);

/// A directory of the test's own, in which the connector runs.
pub struct TestDir {
    directory: tempfile::TempDir,
}

impl TestDir {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The names of everything in it.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The connector, pointed at a fake API.
    pub fn connector_to(&self, fake: &FakeNorthflank) -> Connector {
        self.connector()
            .variable("BATON_NORTHFLANK_API_TOKEN", fake.token())
            .variable("BATON_NORTHFLANK_BASE_URL", fake.origin())
    }

    /// The connector, in an environment that holds only what the test puts there.
    pub fn connector(&self) -> Connector {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton-northflank"));
        command.env_clear().current_dir(self.path()).stdin(Stdio::null());
        Connector(command)
    }
}

pub struct Connector(pub Command);

impl Connector {
    pub fn arguments<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.args(arguments);
        self
    }

    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn run(mut self) -> Run {
        Run(self.0.output().unwrap())
    }

    pub fn spawn(mut self) -> Child {
        self.0.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// A port of the loopback address on which nobody listens, and which the system gives nobody
/// meanwhile: it is below those that are handed out (from 32768 on Linux, 49152 on macOS).
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Another process that runs these tests looks elsewhere.
        let number = std::process::id() * 16 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(20_000 + number % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asserts that something takes no longer than `limit`. Other tests run beside this one and can
/// only lengthen a time, so that the best of three counts.
pub fn assert_takes_at_most(limit: Duration, mut measure: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.len() < 3 {
        let time = measure();
        if time <= limit {
            return;
        }
        times.push(time);
    }
    panic!("{times:?}, each more than {limit:?}");
}

/// Sends a process a signal, by its name without `SIG`.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits until something is so, and gives up after `within`.
pub fn wait_until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < give_up_at, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a fake API has been asked so often.
pub fn wait_for_requests(fake: &FakeNorthflank, count: usize) {
    wait_until(&format!("request {count}"), WAIT, || fake.requests() >= count);
}

/// How a run of the connector ended.
pub struct Run(pub Output);

impl Run {
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.0.stdout).unwrap()
    }

    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.0.stderr).unwrap()
    }

    /// The error: the last line on standard error, which carries the connector's name.
    pub fn error(&self) -> &str {
        let line = self.stderr().lines().last().unwrap_or_default();
        line.strip_prefix("baton-northflank: ").unwrap_or_else(|| panic!("{}", self.stderr()))
    }

    /// Asserts that of these fields, and of no other, one warning tells.
    pub fn assert_warned_of(&self, fields: &[&str]) {
        let lines = self.stderr().lines();
        let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let names = lines.filter_map(|line| Some(line["field"].as_str()?.to_owned()));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        assert_eq!(names, fields, "{}", self.stderr());
    }

    /// Asserts success; says what went wrong otherwise.
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code(), Some(0), "{}", self.stderr());
        assert_eq!(self.stdout(), "", "nothing was asked for");
        self
    }

    /// Asserts an exit code and that the error says all of `parts`.
    pub fn expect_failure(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code(), Some(code), "{}", self.stderr());
        for part in parts {
            assert!(self.error().contains(part), "{part:?} not in: {}", self.error());
        }
        assert_eq!(self.stdout(), "");
        self
    }
}
