//! The connector as a daemon, driven by a fake ConductorOne.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use fake_conductorone::api::task::{GrantTask, TaskType};
use fake_conductorone::{Code, FakeConductorOne};
use fake_northflank::{FakeNorthflank, Member, Organization};

use super::sync_file::SyncFile;
use super::{Connector, TestDir, WAIT, expected, wait_until};

/// A running daemon. Dropping it kills it.
pub struct Daemon {
    child: Option<Child>,
    pub room: TestDir,
}

impl Daemon {
    /// Starts a daemon that syncs from `northflank` what `platform` asks for.
    pub fn start(platform: &FakeConductorOne, northflank: &FakeNorthflank) -> Self {
        Self::start_with(platform, northflank, TestDir::new(), |connector| connector)
    }

    /// Starts a daemon in `room`, with what `change` makes of its environment.
    pub fn start_with(
        platform: &FakeConductorOne,
        northflank: &FakeNorthflank,
        room: TestDir,
        change: impl FnOnce(Connector) -> Connector,
    ) -> Self {
        let connector = change(connector(platform, northflank, &room));
        Self::of(connector, room)
    }

    /// Starts what `connector` says, in `room`.
    pub fn of(connector: Connector, room: TestDir) -> Self {
        // Into a file: nobody reads a pipe while the daemon runs.
        let log = fs::File::options().append(true).create(true).open(room.file("log")).unwrap();
        let mut command = connector.0;
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child: Some(child), room }
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// What has been logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.room.file("log")).unwrap()
    }

    /// Waits until something has been logged.
    pub fn wait_for_log(&self, text: &str) {
        wait_until(text, WAIT, || self.log().contains(text));
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    pub fn signal(&self, name: &str) {
        super::signal(self.id(), name);
    }

    /// Sends SIGTERM and waits for the end. Returns exit code, log and room.
    pub fn stop(self) -> (Option<i32>, String, TestDir) {
        self.signal("TERM");
        self.wait()
    }

    /// Kills the daemon as the system does when memory runs out.
    pub fn kill(self) -> TestDir {
        self.signal("KILL");
        self.wait().2
    }

    /// Waits for the end.
    pub fn wait(mut self) -> (Option<i32>, String, TestDir) {
        wait_until("its end", WAIT, || !self.is_running());
        let code = self.child.take().unwrap().wait().unwrap().code();
        let log = self.log();
        let room = std::mem::replace(&mut self.room, TestDir::new());
        (code, log, room)
    }

    /// Everything that is left in the scratch directory, with paths below it.
    pub fn scratch(&self) -> Vec<String> {
        scratch(&self.room)
    }

    /// Asserts that a task's only upload holds what Northflank has. Returns it.
    pub fn assert_complete(
        &self,
        platform: &FakeConductorOne,
        northflank: &FakeNorthflank,
        task: &str,
    ) -> SyncFile {
        let uploads = platform.uploads(task);
        assert_eq!(uploads.len(), 1);
        let file = sync_file(&self.room, &uploads[0].data);
        assert_eq!(file.resource_keys(), expected::resources(&northflank.organization()));
        assert_eq!(file.grants(), expected::grants(&northflank.organization()));
        file
    }

    /// Asserts that a task ends well with a complete upload. Returns how often Northflank was
    /// asked from now on.
    pub fn requests_to_complete(
        &self,
        platform: &FakeConductorOne,
        northflank: &FakeNorthflank,
        task: &str,
    ) -> usize {
        let before = northflank.requests();
        assert_eq!(platform.ending(task).code, Code::Ok, "{}", self.log());
        let requests = northflank.requests() - before;
        self.assert_complete(platform, northflank, task);
        platform.assert_no_violations();
        requests
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Open files other than sockets, and sockets.
    pub fn open_files(&self) -> (usize, usize) {
        let open = fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap();
        // One that is closed meanwhile is open no more.
        let open = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        let (sockets, files): (Vec<_>, Vec<_>) =
            open.partition(|path| path.to_string_lossy().starts_with("socket:"));
        (files.len(), sockets.len())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            if std::thread::panicking() {
                eprintln!("the daemon's log:\n{}", self.log());
            }
        }
    }
}

/// Both sides as they are.
pub fn fakes() -> (FakeConductorOne, FakeNorthflank) {
    (platform(), northflank())
}

/// ConductorOne as it is.
pub fn platform() -> FakeConductorOne {
    FakeConductorOne::start(fake_conductorone::Options::default()).unwrap()
}

/// Northflank as it is, with the demo's organization.
pub fn northflank() -> FakeNorthflank {
    northflank_with(fake_northflank::Options::default())
}

/// Northflank with the demo's organization, answering so slowly that a sync takes seconds.
pub fn slow_northflank() -> FakeNorthflank {
    let latency = Duration::from_millis(400);
    northflank_with(fake_northflank::Options { latency, ..Default::default() })
}

/// Northflank with the demo's organization, served in this way.
pub fn northflank_with(options: fake_northflank::Options) -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

/// The connector in service mode, before it is started. Its scratch directory is `scratch`.
pub fn connector(
    platform: &FakeConductorOne,
    northflank: &FakeNorthflank,
    room: &TestDir,
) -> Connector {
    let scratch = room.file("scratch");
    fs::create_dir_all(&scratch).unwrap();
    let certificate = room.file("ca.pem");
    fs::write(&certificate, platform.certificate()).unwrap();
    room.connector_to(northflank)
        .variable("BATON_CLIENT_ID", platform.client_id())
        .variable("BATON_CLIENT_SECRET", platform.client_secret())
        .variable("BATON_C1_API_HOST", platform.api_host())
        .variable("SSL_CERT_FILE", certificate)
        .variable("TMPDIR", scratch)
}

/// An organization that is read at once, and whose file takes several chunks to upload: long
/// names in which nothing repeats.
pub fn bulky() -> Organization {
    let mut state: u64 = 7;
    let mut letter = || {
        // Knuth's multiplier for numbers of 64 bits; its high bits are random enough.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + u8::try_from((state >> 33) % 94).unwrap())
    };
    let members = (0..900).map(|number| Member {
        id: format!("member-{number:04}"),
        name: Some((0..900).map(|_| letter()).collect()),
        emails: Vec::new(),
        joined_at: None,
        last_login: None,
        finalized: true,
        listed: true,
    });
    Organization { members: members.collect(), ..Organization::default() }
}

/// Everything that is left in the scratch directory, with paths below it.
pub fn scratch(room: &TestDir) -> Vec<String> {
    let top = room.file("scratch");
    let mut found = Vec::new();
    let mut directories = vec![top.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            found.push(entry.path().strip_prefix(&top).unwrap().to_str().unwrap().to_owned());
            if entry.path().is_dir() {
                directories.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Uploaded data as a sync file.
pub fn sync_file(room: &TestDir, data: &[u8]) -> SyncFile {
    let path: PathBuf = room.file("uploaded.c1z");
    fs::write(&path, data).unwrap();
    SyncFile::open(&path)
}

/// Hands out tasks, every other a sync and always some in advance, until `count` are done.
pub fn work(platform: &FakeConductorOne, count: usize) {
    let mut waiting = VecDeque::new();
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

fn finish_one(platform: &FakeConductorOne, waiting: &mut VecDeque<(String, Code)>) {
    if let Some((task, code)) = waiting.pop_front() {
        assert_eq!(platform.ending(&task).code, code);
    }
}
