//! What happens to a run from outside, besides the network: one disturbance, at a moment.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use fake_northflank::{Action, Endpoint, FakeNorthflank, Permissions, Rule, Token};

use super::draw::Draw;
use super::judge::Allowed;
use super::place::Thing;
use super::process::{Process, Shell};
use super::settings::Selection;
use crate::harness::exit_code;
use crate::harness::interrupt::How;
use crate::harness::refuse::FileSystem;
use crate::harness::{Connector, TestDir, free_port, interrupt::Interrupter, signal};

/// When.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// So many requests after the start,
    Requests(usize),
    /// or so much time.
    Milliseconds(usize),
}

impl Moment {
    fn any(draw: &mut Draw) -> Self {
        if draw.percent(60) {
            Self::Requests(draw.magnitude(60))
        } else {
            Self::Milliseconds(draw.magnitude(500))
        }
    }

    /// Waits for it, though not beyond the end of a process.
    fn wait(self, fake: &FakeNorthflank, process: &mut Process) {
        let (started, asked) = (Instant::now(), fake.requests());
        let is_there = || match self {
            Self::Requests(count) => fake.requests() >= asked + count,
            Self::Milliseconds(time) => started.elapsed().as_millis() >= time as u128,
        };
        while !is_there() && !process.has_ended() {
            std::thread::sleep(Duration::from_micros(300));
        }
    }
}

/// What happens to a run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Disturbance {
    None,
    /// A signal, once or twice.
    Signal(&'static str, usize, Moment),
    /// Something happens at this change of the file system.
    Disk(How, usize),
    FileSize(usize),
    OpenFiles(usize),
    /// Another run into the same file, after so many milliseconds.
    Rival(usize),
    /// Somebody puts a text in the file's place.
    Replacement(usize),
    /// Somebody puts a file into the work directory.
    StrayFile(usize),
    /// Nobody answers.
    Away,
    WrongToken,
    TokenWithoutRoles,
    TokenWithoutMembers,
    TokenWithoutTeams,
    Revoked(Moment),
    /// The place is on a file system of this kind.
    On(Kind),
}

/// What a file system can't do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    NoSafety,
    NoLocks,
    NoNamelessFiles,
    HidesRemoved(&'static str),
    NoRights,
    FailsToRead,
    ReadOnly,
}

impl Kind {
    fn any(draw: &mut Draw) -> Self {
        draw.one(&[
            Self::NoSafety,
            Self::NoLocks,
            Self::NoNamelessFiles,
            Self::HidesRemoved(".nfs"),
            Self::HidesRemoved(".fuse_hidden"),
            Self::NoRights,
            Self::FailsToRead,
            Self::ReadOnly,
        ])
    }

    fn file_system(self) -> FileSystem {
        let refusing = FileSystem::refusing;
        match self {
            Self::NoSafety => refusing(&["sync", "syncdir"], Errno::INVAL),
            Self::NoLocks => refusing(&["flock"], Errno::NOLCK),
            Self::NoNamelessFiles => refusing(&["tmpfile", "lock"], Errno::OPNOTSUPP),
            Self::HidesRemoved(start) => FileSystem::hiding(start),
            Self::NoRights => refusing(&["chown"], Errno::PERM),
            Self::FailsToRead => refusing(&["read:/previous.db"], Errno::IO),
            Self::ReadOnly => refusing(&["mkdir", "open:/lock"], Errno::ROFS),
        }
    }
}

/// A text of somebody's.
const NOTES: &str = "years of work\n";

impl Disturbance {
    pub(super) fn any(draw: &mut Draw) -> Self {
        if draw.percent(25) {
            return Self::None;
        }
        match draw.number(0..=99) {
            0..=14 => Self::Signal("KILL", 1, Moment::any(draw)),
            15..=29 => {
                let times = draw.number(1..=2);
                Self::Signal(draw.one(&["INT", "TERM"]), times, Moment::any(draw))
            }
            30..=59 => {
                let how =
                    [How::Kill, How::Tear, How::NoSpace, How::Error, How::ReadOnly, How::Interrupt];
                Self::Disk(draw.one(&how), draw.magnitude(150))
            }
            60..=64 => Self::On(Kind::any(draw)),
            65..=69 => Self::FileSize(draw.magnitude(6_000) - 1),
            70..=73 => Self::OpenFiles(draw.number(8..=48)),
            74..=81 => Self::Rival(draw.magnitude(300) - 1),
            82..=86 => Self::Replacement(draw.magnitude(6) - 1),
            87..=90 => Self::StrayFile(draw.magnitude(6) - 1),
            91 => Self::Away,
            92 | 93 => Self::WrongToken,
            94 => Self::TokenWithoutRoles,
            95 => Self::TokenWithoutMembers,
            96 => Self::TokenWithoutTeams,
            _ => Self::Revoked(Moment::any(draw)),
        }
    }

    /// Its name.
    pub(super) fn name(self) -> String {
        match self {
            Self::Signal(name, ..) => format!("SIG{name}"),
            Self::Disk(how, _) => format!("{how:?} at a change"),
            Self::On(kind) => format!("on a file system: {kind:?}"),
            _ => format!("{self:?}").split('(').next().unwrap().to_owned(),
        }
    }

    /// What it explains.
    pub(super) fn allow(self, selection: &Selection, allowed: &mut Allowed) {
        let mut code = |codes: &[i32]| allowed.codes.extend(codes);
        match self {
            Self::Signal(name, ..) => {
                let (number, of) = match name {
                    "KILL" => (9, None),
                    "INT" => (2, Some(exit_code::INTERRUPT)),
                    _ => (15, Some(exit_code::TERMINATE)),
                };
                code(of.as_slice());
                // Before it listens, or where it can't.
                allowed.signals.insert(number);
                allowed.leaves_remains = true;
            }
            Self::Disk(how, _) => {
                match how {
                    How::Kill | How::Tear => drop(allowed.signals.insert(9)),
                    How::NoSpace | How::Error => code(&[exit_code::UNKNOWN]),
                    How::ReadOnly => code(&[exit_code::UNKNOWN, exit_code::INVALID_ARGUMENT]),
                    How::Interrupt => code(&[exit_code::INTERRUPT]),
                }
                allowed.leaves_remains = true;
            }
            Self::FileSize(_) | Self::On(Kind::FailsToRead) => code(&[exit_code::UNKNOWN]),
            Self::OpenFiles(_) => {
                code(&[exit_code::UNKNOWN, exit_code::UNAVAILABLE]);
                allowed.leaves_remains = true;
            }
            Self::Rival(_) => code(&[exit_code::UNAVAILABLE]),
            Self::Replacement(_) => code(&[exit_code::INVALID_ARGUMENT, exit_code::UNAVAILABLE]),
            Self::Away => {
                code(&[exit_code::UNAVAILABLE]);
                allowed.must_fail = true;
            }
            Self::WrongToken => {
                code(&[exit_code::UNAUTHENTICATED]);
                allowed.must_fail = true;
            }
            Self::TokenWithoutTeams if !selection.reads_teams() => {}
            Self::TokenWithoutMembers | Self::TokenWithoutRoles | Self::TokenWithoutTeams => {
                code(&[exit_code::PERMISSION_DENIED]);
                allowed.must_fail = true;
            }
            Self::On(Kind::NoLocks | Kind::ReadOnly) => {
                code(&[exit_code::INVALID_ARGUMENT]);
                allowed.must_fail = true;
            }
            Self::None | Self::StrayFile(_) | Self::On(_) => {}
            // What is asked at once can be answered before and after.
            Self::Revoked(_) => code(&[exit_code::PERMISSION_DENIED, exit_code::UNAUTHENTICATED]),
        }
    }
}

/// A disturbance that is under way.
pub(super) struct Dealt {
    disturbance: Disturbance,
    interrupter: Interrupter,
    /// Whether somebody has put a file where it was to be.
    is_put: Arc<AtomicBool>,
    /// A token that is this run's alone.
    token: Option<String>,
}

impl Dealt {
    /// Prepares a disturbance to a run that writes to `file` and works in `work`.
    pub(super) fn new(
        disturbance: Disturbance,
        fake: &FakeNorthflank,
        file: PathBuf,
        work: &Path,
    ) -> Self {
        let is_put = Arc::new(AtomicBool::new(false));
        let put = |endpoint: Endpoint, after: usize, path: PathBuf| {
            let is_put = Arc::clone(&is_put);
            let action = Action::alter(move |_| {
                if path.parent().is_some_and(Path::is_dir) {
                    // Whatever stands there: somebody else's program replaces it.
                    let aside = path.with_extension("aside");
                    fs::write(&aside, NOTES).unwrap();
                    fs::rename(&aside, &path).unwrap();
                    is_put.store(true, Ordering::SeqCst);
                }
            });
            fake.script(Rule::every(endpoint, action).after(after).once());
        };
        match disturbance {
            Disturbance::Replacement(after) => put(Endpoint::Members, after, file),
            Disturbance::StrayFile(after) => {
                put(Endpoint::RoleMembers, after, work.join("stray.txt"));
            }
            _ => {}
        }
        let only = |members, roles| {
            fake.add_token(Token::new(Permissions { members, roles, ..Permissions::ALL }))
        };
        let token = match disturbance {
            Disturbance::WrongToken => Some("nf-0123456789abcdef0123456789abcdef".to_owned()),
            Disturbance::TokenWithoutRoles => Some(only(true, false)),
            Disturbance::TokenWithoutMembers => Some(only(false, true)),
            Disturbance::TokenWithoutTeams => {
                Some(fake.add_token(Token::new(Permissions::WITHOUT_TEAMS)))
            }
            Disturbance::Revoked(_) => Some(only(true, true)),
            _ => None,
        };
        Self { disturbance, interrupter: Interrupter::new(), is_put, token }
    }

    /// The connector, within reach of the disturbance.
    pub(super) fn expose(&self, connector: Connector, room: &TestDir) -> Connector {
        let connector = match self.disturbance {
            Disturbance::Disk(how, at) => self.interrupter.interrupt(connector, room, at, how),
            Disturbance::On(kind) => kind.file_system().under(connector, room),
            Disturbance::Away => {
                let nobody = format!("http://127.0.0.1:{}", free_port());
                connector.variable("BATON_NORTHFLANK_BASE_URL", nobody)
            }
            _ => connector,
        };
        match &self.token {
            Some(token) => connector.variable("BATON_NORTHFLANK_API_TOKEN", token),
            None => connector,
        }
    }

    pub(super) fn limit(&self, shell: Shell) -> Shell {
        match self.disturbance {
            Disturbance::FileSize(blocks) => Shell { file_size: Some(blocks), ..shell },
            Disturbance::OpenFiles(count) => Shell { open_files: Some(count), ..shell },
            _ => shell,
        }
    }

    /// Deals it. Returns what else has been started, by `again`.
    pub(super) fn deal(
        &self,
        fake: &FakeNorthflank,
        process: &mut Process,
        again: impl FnOnce() -> Process,
    ) -> Option<Process> {
        match self.disturbance {
            Disturbance::Signal(name, times, moment) => {
                moment.wait(fake, process);
                for _ in 0..times {
                    if !process.has_ended() {
                        signal(process.id(), name);
                    }
                }
            }
            Disturbance::Revoked(moment) => {
                moment.wait(fake, process);
                fake.revoke(self.token.as_deref().unwrap());
            }
            Disturbance::Rival(after) => {
                Moment::Milliseconds(after).wait(fake, process);
                return Some(again());
            }
            _ => {}
        }
        None
    }

    /// Asserts that somebody's file is where it was put, and takes it away: `former` is what
    /// stood there. Says whether there was one in the sync file's place.
    pub(super) fn take_away(&self, file: &Path, work: &Path, former: Option<Thing>) -> bool {
        if !self.is_put.load(Ordering::SeqCst) {
            return false;
        }
        let replaces_file = matches!(self.disturbance, Disturbance::Replacement(_));
        let path = if replaces_file { file.to_owned() } else { work.join("stray.txt") };
        let found = fs::read_to_string(&path);
        assert!(found.is_ok_and(|found| found == NOTES), "somebody's {} is lost", path.display());
        fs::remove_file(&path).unwrap();
        match former {
            Some(Thing::File(content, mode)) if replaces_file => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            // Nothing else may be there after a success; what judges finds out.
            _ if !replaces_file => drop(fs::remove_dir(work)),
            _ => {}
        }
        replaces_file
    }
}
