//! Standard output and standard error that are full, or that nobody reads: the words may be
//! lost, the work and the exit code never.

use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fake_conductorone::{Code, FakeConductorOne, Method};
use fake_northflank::{FakeNorthflank, Organization};

use crate::harness::exit_code;
use crate::harness::{
    Connector, Run, TestDir, WAIT, changes::changed_demo, daemon, signal, wait_until,
};

/// What a pipe holds in Linux, unless somebody changes that (`man 7 pipe`).
const PIPE: usize = 64 * 1024;

/// The end of a whole run, signal included.
const SOON: Duration = Duration::from_secs(8);

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe that nobody reads and that takes nothing more.
fn stuck() -> (Stdio, PipeReader) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'.'; PIPE]).unwrap();
    (writer.into(), reader)
}

fn northflank() -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), fake_northflank::Options::default()).unwrap()
}

/// The exit code of a run that must end soon.
fn code(mut child: Child) -> Option<i32> {
    wait_until("its end", WAIT, || child.try_wait().unwrap().is_some());
    child.wait().unwrap().code()
}

#[test]
fn an_exit_code_survives_full_outputs() {
    let (room, northflank) = (TestDir::new(), northflank());
    let sync = |arguments: &[&str]| room.connector_to(&northflank).arguments(arguments);
    let mistake = || room.connector().arguments(["--workers", "none"]);
    let unread = || room.connector().arguments(["--no-such-flag"]);
    let cases: [(Connector, i32); 8] = [
        (mistake(), 3),
        (unread(), 3),
        (room.connector().arguments(["diff", "missing.c1z"]), 3),
        (room.connector().arguments(["health-check"]), 14),
        (room.connector().arguments(["capabilities"]), 2),
        (room.connector().arguments(["--help"]), 2),
        (sync(&["--log-level", "debug"]), 0),
        // The changes can't be shown.
        (sync(&["--diff"]), 2),
    ];
    for (connector, expected) in cases {
        let mut command = connector.0;
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let child = command.stdout(full()).stderr(full()).spawn().unwrap();
        assert_eq!(code(child), Some(expected), "{arguments:?}");
    }
    assert!(room.file("sync.c1z").exists());
}

#[test]
fn a_log_that_nobody_reads_keeps_no_sync_from_ending() {
    let (room, northflank) = (TestDir::new(), northflank());
    for (arguments, expected) in [(["--log-level", "debug"], 0), (["--workers", "none"], 3)] {
        let ((stderr, _reader), started) = (stuck(), Instant::now());
        let mut command = room.connector_to(&northflank).arguments(arguments).0;
        assert_eq!(code(command.stderr(stderr).spawn().unwrap()), Some(expected));
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    }
    assert!(room.file("sync.c1z").exists());
}

#[test]
fn a_log_that_nobody_reads_keeps_no_daemon_from_working_answering_or_stopping() {
    let (room, northflank) = (TestDir::new(), northflank());
    let platform = FakeConductorOne::start(fake_conductorone::Options::default()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let (stderr, mut reader) = stuck();
    let connector = daemon::connector(&platform, &northflank, &room)
        .variable("BATON_LOG_LEVEL", "debug")
        .arguments(["--health-check", "--health-check-port", &port]);
    let mut command = connector.0;
    let child = command.stderr(stderr).spawn().unwrap();
    drop(command);
    platform.wait_for_calls(Method::GetTask, 1);
    for _ in 0..5 {
        assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
        let probe = room.connector().variable("BATON_HEALTH_CHECK_PORT", &port);
        let probe = probe.arguments(["health-check", "--endpoint", "live"]).run();
        assert_eq!(probe.code(), Some(0), "{}", probe.stderr());
    }
    let asked = Instant::now();
    signal(child.id(), "TERM");
    assert_eq!(code(child), Some(0));
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    let mut said = Vec::new();
    reader.read_to_end(&mut said).unwrap();
    assert_eq!(said.len(), PIPE, "the pipe was full all the time");
    platform.assert_no_violations();
}

#[test]
fn a_signal_ends_a_run_whose_changes_nobody_reads() {
    for (name, expected) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let (room, northflank) = (TestDir::new(), northflank());
        room.connector_to(&northflank).run().expect_success();
        northflank.mutate(|organization| *organization = changed_demo());
        let (stdout, _reader) = stuck();
        let errors = room.file("errors");
        let mut command = room.connector_to(&northflank).arguments(["--diff"]).0;
        command.stdout(stdout).stderr(File::create(&errors).unwrap());
        let child = command.spawn().unwrap();
        let said = || std::fs::read_to_string(&errors).unwrap();
        wait_until("the sync's end", WAIT, || said().contains("sync complete"));
        // Until it writes to the pipe.
        std::thread::sleep(Duration::from_millis(500));
        let asked = Instant::now();
        signal(child.id(), name);
        assert_eq!(code(child), Some(expected), "{}", said());
        assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
        let line = said().lines().last().unwrap().to_owned();
        assert!(line.contains(&format!("stopped by SIG{name}")), "{line}");
        assert!(line.contains("baton-northflank diff sync.c1z"), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_may_have_too_few_threads_says_so_and_ends() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (room, northflank) = (TestDir::new(), northflank());
    let connector = room.connector_to(&northflank).0;
    let binary = room.file("connector");
    std::fs::copy(connector.get_program(), &binary).unwrap();
    let variables: Vec<_> =
        connector.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    // Where a user has other processes, too, the least limit is one for all.
    for limit in if is_root { 1..=5 } else { 1..=1 } {
        // Limits don't hold for root.
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=54321", "--regid=54321", "--clear-groups", "prlimit"]);
            command
        } else {
            Command::new("prlimit")
        };
        command.arg(format!("--nproc={limit}")).arg(&binary).current_dir(room.path());
        let path = std::env::var_os("PATH").unwrap();
        command.env_clear().env("PATH", path).envs(variables.iter().copied());
        let for_all = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(room.path(), for_all).unwrap();
        let run = Run(command.output().unwrap())
            .expect_failure(exit_code::UNKNOWN, &["can't start as many threads as it takes"]);
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
    }
    assert_eq!(northflank.requests(), 0);
}
