//! Where the file is to be written: what stands there, and beside it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fake_northflank::{FakeNorthflank, Options, Organization};

use super::draw::Draw;
use crate::harness::TestDir;
use crate::harness::sync_file;

/// What stands where the file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    EmptyFile,
    OneSync,
    ThreeSyncs,
    /// Syncs that say nothing of whose they are.
    UnsignedSyncs,
    AnUnfinishedSync,
    FormerColumns,
    DanglingLink,
    LinkToSyncFile,
    AnotherConnectors,
    Truncated,
    NewerFormat,
    Text,
    Directory,
    Pipe,
    Device,
    CircleOfLinks,
}

impl Standing {
    fn any(draw: &mut Draw) -> Self {
        if draw.percent(12) {
            return draw.one(&[
                Self::AnotherConnectors,
                Self::Truncated,
                Self::NewerFormat,
                Self::Text,
                Self::Directory,
                Self::Pipe,
                Self::Device,
                Self::CircleOfLinks,
            ]);
        }
        draw.one(&[
            Self::Nothing,
            Self::Nothing,
            Self::EmptyFile,
            Self::OneSync,
            Self::OneSync,
            Self::ThreeSyncs,
            Self::UnsignedSyncs,
            Self::AnUnfinishedSync,
            Self::FormerColumns,
            Self::DanglingLink,
            Self::LinkToSyncFile,
        ])
    }

    /// Whether it is nothing that a sync may be added to.
    pub(super) fn is_refused(self) -> bool {
        matches!(
            self,
            Self::AnotherConnectors
                | Self::Truncated
                | Self::NewerFormat
                | Self::Text
                | Self::Directory
                | Self::Pipe
                | Self::Device
                | Self::CircleOfLinks
        )
    }

    /// The content of the file that stands there, if it is one.
    fn content(self) -> Option<&'static [u8]> {
        let files = former();
        Some(match self {
            Self::EmptyFile => b"",
            Self::OneSync | Self::LinkToSyncFile => &files.one,
            Self::ThreeSyncs => &files.three,
            Self::UnsignedSyncs => &files.unsigned,
            Self::AnUnfinishedSync => &files.unfinished,
            Self::FormerColumns => &files.narrow,
            Self::AnotherConnectors => &files.foreign,
            Self::Truncated => &files.one[..files.one.len() / 2],
            Self::NewerFormat => b"C1Z3\0and something that we don't know",
            Self::Text => b"notes\n",
            Self::Nothing
            | Self::DanglingLink
            | Self::Directory
            | Self::Pipe
            | Self::Device
            | Self::CircleOfLinks => return None,
        })
    }
}

/// Files of earlier runs, made once.
struct Former {
    one: Vec<u8>,
    three: Vec<u8>,
    unsigned: Vec<u8>,
    unfinished: Vec<u8>,
    narrow: Vec<u8>,
    foreign: Vec<u8>,
}

fn former() -> &'static Former {
    static FORMER: OnceLock<Former> = OnceLock::new();
    FORMER.get_or_init(|| {
        let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
        let room = TestDir::new();
        let path = room.file("sync.c1z");
        let sync = |arguments: &[&str]| {
            let connector = room.connector_to(&fake).variable("BATON_SKIP_CLEANUP", "true");
            connector.arguments(arguments).run().expect_success();
            fs::read(&path).unwrap()
        };
        let one = sync(&[]);
        sync(&["--sync-resource-types", "user"]);
        let three = sync(&[]);
        let changed = |sql: &str| {
            fs::write(&path, &one).unwrap();
            sync_file::change(&path, sql);
            fs::read(&path).unwrap()
        };
        Former {
            unsigned: changed("update v1_sync_runs set sync_token = '{\"version\":1}'"),
            unfinished: changed(
                "insert into v1_sync_runs (sync_id, started_at, sync_token, sync_type)
                 values ('2MXke1Dao9Xkzp7SZxSbMPcd7YP', datetime('now', '-1 day'), '', 'full')",
            ),
            narrow: changed(
                "alter table v1_sync_runs drop column stats;
                 drop table v1_connector_sessions;
                 drop index idx_grants_sync_needs_expansion_v1;
                 alter table v1_grants drop column needs_expansion",
            ),
            foreign: changed("update v1_resource_types set external_id = 'app' where id = 1"),
            one,
            three,
        }
    })
}

/// A directory with the place for a sync file in it, and somebody's things beside it.
pub(super) struct ChaosDirectory {
    pub(super) room: TestDir,
    /// What the connector is told; the default if none.
    pub(super) told: Option<OsString>,
    /// Where the sync file really goes.
    pub(super) file: PathBuf,
    pub(super) standing: Standing,
}

impl ChaosDirectory {
    pub(super) fn any(draw: &mut Draw) -> Self {
        let room = TestDir::new();
        fs::create_dir(room.file("out")).unwrap();
        for (name, text) in [("sync.c1z.bak", "b"), ("notes.txt", "n"), ("out/sync.db", "d")] {
            fs::write(room.file(name), text).unwrap();
        }
        fs::create_dir(room.file("sync.c1z.work.old")).unwrap();
        fs::write(room.file("sync.c1z.work.old/journal"), "j").unwrap();
        let told: Option<OsString> = match draw.number(0..=9) {
            0..=4 => None,
            5 => Some("out/sync.c1z".into()),
            6 => Some("./Ä rger 💾".into()),
            7 => Some(room.file("out/absolute.c1z").into()),
            8 => Some("two\nlines.c1z".into()),
            _ => Some("-f".into()),
        };
        let name = told.clone().unwrap_or_else(|| "sync.c1z".into());
        let at = room.path().canonicalize().unwrap().join(name);
        let standing = Standing::any(draw);
        let mut file = at.clone();
        if let Some(content) = standing.content() {
            if standing == Standing::LinkToSyncFile {
                file = room.path().canonicalize().unwrap().join("out/real.c1z");
                symlink(&file, &at).unwrap();
            }
            fs::write(&file, content).unwrap();
            let mode = draw.one(&[0o600, 0o640, 0o644]);
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        match standing {
            Standing::DanglingLink => {
                file = room.path().canonicalize().unwrap().join("out/real.c1z");
                symlink(&file, &at).unwrap();
            }
            Standing::Directory => {
                fs::create_dir(&at).unwrap();
                fs::write(at.join("thesis.tex"), "years").unwrap();
            }
            Standing::Pipe => {
                assert!(Command::new("mkfifo").arg(&at).status().unwrap().success());
            }
            Standing::Device => symlink("/dev/full", &at).unwrap(),
            Standing::CircleOfLinks => symlink(&at, &at).unwrap(),
            _ => {}
        }
        // The name without any dot in front of it.
        let file = file.components().collect();
        Self { room, told, file, standing }
    }

    pub(super) fn work(&self) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(".work");
        name.into()
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.work().join("journal")
    }

    /// Puts a true sync file in place of what was refused.
    pub(super) fn clear(&mut self) {
        if self.standing.is_refused() {
            let found = fs::symlink_metadata(&self.file).unwrap();
            if found.is_dir() {
                fs::remove_dir_all(&self.file).unwrap();
            } else {
                fs::remove_file(&self.file).unwrap();
            }
            self.standing = Standing::Nothing;
        }
    }
}

/// What is put in the way of a work directory, in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    None,
    /// What killed runs leave behind.
    Remains,
    JournalOfNonsense,
    EmptyJournal,
    WideOpen,
    SomebodysFile,
    WorkIsAFile,
    WorkIsALink,
    JournalIsADirectory,
    JournalIsALink,
    LockIsALink,
    LockIsAPipe,
}

impl Obstacle {
    pub(super) fn any(draw: &mut Draw) -> Self {
        if draw.percent(80) {
            return Self::None;
        }
        draw.one(&[
            Self::Remains,
            Self::JournalOfNonsense,
            Self::EmptyJournal,
            Self::WideOpen,
            Self::SomebodysFile,
            Self::WorkIsAFile,
            Self::WorkIsALink,
            Self::JournalIsADirectory,
            Self::JournalIsALink,
            Self::LockIsALink,
            Self::LockIsAPipe,
        ])
    }

    /// Whether a run may not work there.
    pub(super) fn is_refused(self) -> bool {
        !matches!(
            self,
            Self::None
                | Self::Remains
                | Self::JournalOfNonsense
                | Self::EmptyJournal
                | Self::WideOpen
        )
    }

    /// Puts it there; returns the paths that must be as they are afterwards. What an earlier
    /// run left is replaced where it has to be.
    pub(super) fn put(self, work: &Path) -> Vec<PathBuf> {
        if self == Self::None {
            return Vec::new();
        }
        let is_whole = matches!(self, Self::WorkIsAFile | Self::WorkIsALink);
        if is_whole && work.exists() {
            fs::remove_dir_all(work).unwrap();
        }
        if !is_whole && !work.exists() {
            fs::create_dir(work).unwrap();
            fs::set_permissions(work, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let (lock, journal) = (work.join("lock"), work.join("journal"));
        for path in [&lock, &journal] {
            if fs::symlink_metadata(path).is_ok() && !is_whole {
                fs::remove_file(path).unwrap();
            }
        }
        let elsewhere = work.with_file_name("notes.txt");
        fs::write(&elsewhere, "n").unwrap();
        match self {
            Self::None => {}
            Self::Remains => {
                for name in ["sync.db", "previous.db-wal", "etilqs_abc", "sync.c1z"] {
                    fs::write(work.join(name), "remains").unwrap();
                }
                for name in [".probe-a1B2c3", ".tmpa1B2c3", ".nfs00000000012a4e3f00000b1c"] {
                    fs::write(work.join(name), "").unwrap();
                }
            }
            Self::JournalOfNonsense => fs::write(&journal, vec![b'x'; 9_000]).unwrap(),
            Self::EmptyJournal => fs::write(&journal, "").unwrap(),
            Self::WideOpen => {
                fs::set_permissions(work, fs::Permissions::from_mode(0o777)).unwrap();
            }
            Self::SomebodysFile => {
                fs::write(work.join("thesis.tex"), "years").unwrap();
                return vec![work.join("thesis.tex")];
            }
            Self::WorkIsAFile => {
                fs::write(work, "years").unwrap();
                return vec![work.to_owned()];
            }
            Self::WorkIsALink => {
                let there = work.with_file_name("elsewhere");
                fs::create_dir_all(&there).unwrap();
                fs::write(there.join("journal"), "years").unwrap();
                symlink(&there, work).unwrap();
                return vec![work.to_owned(), there.join("journal")];
            }
            Self::JournalIsADirectory => {
                fs::create_dir(&journal).unwrap();
                fs::write(journal.join("thesis.tex"), "years").unwrap();
                return vec![journal.join("thesis.tex")];
            }
            Self::JournalIsALink => {
                symlink(&elsewhere, &journal).unwrap();
                return vec![journal, elsewhere];
            }
            Self::LockIsALink => {
                symlink(&elsewhere, &lock).unwrap();
                return vec![lock, elsewhere];
            }
            Self::LockIsAPipe => {
                assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success());
                return vec![lock];
            }
        }
        Vec::new()
    }

    /// Takes it away again.
    pub(super) fn remove(self, work: &Path) {
        if !self.is_refused() {
            return;
        }
        if self == Self::WorkIsAFile || self == Self::WorkIsALink {
            fs::remove_file(work).unwrap();
        } else {
            fs::remove_dir_all(work).unwrap();
        }
        // Put there beside it.
        let there = work.with_file_name("elsewhere");
        if there.exists() {
            fs::remove_dir_all(there).unwrap();
        }
    }
}

/// What happens to a journal between runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Damage {
    None,
    Flipped(usize, u8),
    Cut(usize),
    Extended(usize),
    Zeroed(usize),
}

impl Damage {
    pub(super) fn any(draw: &mut Draw) -> Self {
        let place = draw.number(0..=1 << 20);
        match draw.number(0..=9) {
            0 | 1 => Self::Flipped(place, 1 << draw.number(0..=7)),
            2 => Self::Cut(place),
            3 => Self::Extended(draw.magnitude(9_000)),
            4 => Self::Zeroed(place),
            _ => Self::None,
        }
    }

    /// Does it to the file at `path`, if there is one.
    pub(super) fn happen(self, path: &Path) {
        let Ok(mut content) = fs::read(path) else {
            return;
        };
        let length = content.len();
        if length == 0 {
            return;
        }
        match self {
            Self::None => return,
            Self::Flipped(place, bit) => content[place % length] ^= bit,
            Self::Cut(place) => content.truncate(place % length),
            Self::Extended(more) => content.resize(length + more, b'x'),
            Self::Zeroed(place) => content[place % length..].fill(0),
        }
        fs::write(path, content).unwrap();
    }
}

/// What stands at `path`, links not followed.
pub(super) fn thing(path: &Path) -> Option<Thing> {
    let found = fs::symlink_metadata(path).ok()?;
    let mode = found.permissions().mode() & 0o7777;
    Some(if found.is_symlink() {
        Thing::Link(fs::read_link(path).unwrap())
    } else if found.is_dir() {
        Thing::Directory(mode)
    } else if found.is_file() {
        Thing::File(fs::read(path).unwrap(), mode)
    } else {
        Thing::Other
    })
}

/// What stands at a path.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Thing {
    File(Vec<u8>, u32),
    Link(PathBuf),
    Directory(u32),
    Other,
}

/// Everything below a directory.
pub(super) fn snapshot(directory: &Path) -> BTreeMap<PathBuf, Thing> {
    let mut things = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let thing = thing(&path).unwrap();
        if let Thing::Directory(_) = thing {
            things.extend(snapshot(&path));
        }
        things.insert(path, thing);
    }
    things
}
