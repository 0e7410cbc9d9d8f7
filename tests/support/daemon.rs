//! The connector as a daemon, driven by a fake ConductorOne.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use fake_conductorone::FakeConductorOne;
use fake_northflank::{FakeNorthflank, Member, Organization};

use super::sync_file::SyncFile;
use super::{Connector, Room};

/// A running daemon. Dropping it kills it.
pub struct Daemon {
    child: Option<Child>,
    pub room: Room,
}

impl Daemon {
    /// Starts a daemon that syncs from `northflank` what `platform` asks for.
    pub fn start(platform: &FakeConductorOne, northflank: &FakeNorthflank) -> Self {
        Self::start_with(platform, northflank, Room::new(), |connector| connector)
    }

    /// Starts a daemon in `room`, with what `change` makes of its environment.
    pub fn start_with(
        platform: &FakeConductorOne,
        northflank: &FakeNorthflank,
        room: Room,
        change: impl FnOnce(Connector) -> Connector,
    ) -> Self {
        let connector = change(connector(platform, northflank, &room));
        Self::of(connector, room)
    }

    /// Starts what `connector` says, in `room`.
    pub fn of(connector: Connector, room: Room) -> Self {
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
        let give_up_at = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(text) {
            assert!(Instant::now() < give_up_at, "{text:?} was not logged: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    pub fn signal(&self, name: &str) {
        super::signal(self.id(), name);
    }

    /// Sends SIGTERM and waits for the end. Returns exit code, log and room.
    pub fn stop(self) -> (Option<i32>, String, Room) {
        self.signal("TERM");
        self.wait()
    }

    /// Kills the daemon as the system does when memory runs out.
    pub fn kill(self) -> Room {
        self.signal("KILL");
        self.wait().2
    }

    /// Waits for the end.
    pub fn wait(mut self) -> (Option<i32>, String, Room) {
        let give_up_at = Instant::now() + Duration::from_secs(30);
        while self.is_running() {
            assert!(Instant::now() < give_up_at, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        let code = self.child.take().unwrap().wait().unwrap().code();
        let log = self.log();
        let room = std::mem::replace(&mut self.room, Room::new());
        (code, log, room)
    }

    /// Everything that is left in the scratch directory, with paths below it.
    pub fn scratch(&self) -> Vec<String> {
        scratch(&self.room)
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Open files, sockets included.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
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

/// The connector in service mode, before it is started. Its scratch directory is `scratch`.
pub fn connector(
    platform: &FakeConductorOne,
    northflank: &FakeNorthflank,
    room: &Room,
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
        finalized: true,
        listed: true,
    });
    Organization { members: members.collect(), ..Organization::default() }
}

/// Everything that is left in the scratch directory, with paths below it.
pub fn scratch(room: &Room) -> Vec<String> {
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
pub fn sync_file(room: &Room, data: &[u8]) -> SyncFile {
    let path: PathBuf = room.file("uploaded.c1z");
    fs::write(&path, data).unwrap();
    SyncFile::open(&path)
}
