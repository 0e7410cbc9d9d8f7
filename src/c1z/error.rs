//! What can go wrong with the sync file, each as a sentence to act on.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::exit_code::ExitCode;
use crate::private_fs;
use crate::work_dir;

/// Why a sync file can't be read or written. In every case the target is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target is a directory, device or pipe.
    #[error("{} is {found}, not a file; name the sync file itself", .path.display())]
    NotAFile {
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// No file can be at the target's path.
    #[error("there can be no file {}: {source}; name another one", .path.display())]
    NoPlace { path: PathBuf, source: io::Error },
    /// The directory that the target would be in doesn't exist.
    #[error("the directory {} does not exist; create it or name another file", .0.display())]
    NoDirectory(PathBuf),
    /// The target holds something else.
    #[error("{} is not a sync file ({found}); move it away or name another file", .path.display())]
    Foreign {
        path: PathBuf,
        /// What it begins with.
        found: &'static str,
    },
    /// The target can't be replaced, because it is a mount of its own.
    #[error(
        "{} is mounted by itself, so that it can't be replaced; mount the directory that it \
         is in (in a container: -v \"$PWD:/out\" … -f /out/sync.c1z)",
        .0.display()
    )]
    Mounted(PathBuf),
    /// Somebody else wrote to the target while this run worked.
    #[error(
        "{} was changed while this run worked and is left as it is now; run again to add to it",
        .0.display()
    )]
    Changed(PathBuf),
    /// The new file would be larger than readers accept.
    #[error(
        "the file would unpack to {} MiB, more than the 3 GiB that readers of sync files accept; \
         let {} keep fewer syncs (BATON_KEEP_SYNC_COUNT=1) or sync less (--sync-resource-types)",
        .size >> 20, .path.display()
    )]
    TooLarge {
        path: PathBuf,
        /// The database's size, in bytes.
        size: u64,
    },
    /// A file that is to be read isn't there.
    #[error("the file {} does not exist", .0.display())]
    Missing(PathBuf),
    /// A file that is to be read is no version 1 sync file.
    #[error("can't read {}: {found}", .path.display())]
    Unreadable {
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// A file that is to be read has no finished sync.
    #[error("{} holds no finished full sync; sync into it first", .0.display())]
    NoSync(PathBuf),
    /// A file that is to be read has other syncs than the one that is meant.
    #[error("{} has no finished full sync {sync_id}; it has {found}", .path.display())]
    OtherSyncs {
        path: PathBuf,
        /// What is meant.
        sync_id: String,
        /// What it has.
        found: String,
    },
    /// Two syncs are to be compared the wrong way round, or one with itself.
    #[error(
        "in {} the sync {from} did not end before {to}; name the earlier one by --from",
        .path.display()
    )]
    NotEarlier {
        /// The file.
        path: PathBuf,
        /// What was to be the earlier one.
        from: String,
        /// What was to be the later one.
        to: String,
    },
    /// The target holds the syncs of another connector.
    #[error(
        "{} holds syncs of another connector (resource types: {types}); name another file",
        .path.display()
    )]
    OtherConnector { path: PathBuf, types: String },
    /// The target holds the syncs of another organization.
    #[error(
        "{} holds syncs of the organization {theirs}, and the API token is of {ours}; name another \
         file",
        .path.display()
    )]
    OtherOrganization { path: PathBuf, theirs: String, ours: String },
    /// A sync of the target would hide any new one.
    #[error(
        "{} holds the sync {sync_id}, which says that it ended at {ended_at:?}; no later end can \
         be told, so that readers would go on showing it instead of a new one: move the file away \
         to start a new one, or name another file",
        .path.display()
    )]
    Unfollowable {
        path: PathBuf,
        sync_id: String,
        /// When it ended, as it says.
        ended_at: String,
    },
    /// The target is a sync file that can't be read.
    #[error("{} is damaged ({problem}); move it away to start a new one", .path.display())]
    Damaged { path: PathBuf, problem: String },
    /// The disk fails, or a limit on the size of files is reached.
    #[error(
        "the disk fails where {} is written ({source}); see to its space and health, or name a \
         file elsewhere",
        .path.display()
    )]
    Disk { path: PathBuf, source: rusqlite::Error },
    /// No file can be unpacked where temporary files go.
    #[error(
        "can't unpack sync files in {}: {source}; let TMPDIR name a directory that can be written \
         to",
        .directory.display()
    )]
    Scratch { directory: PathBuf, source: io::Error },
    /// No room for what is unpacked.
    #[error(
        "no space left in {}, where sync files are unpacked; make room there, or let TMPDIR name \
         another directory",
        .0.display()
    )]
    ScratchFull(PathBuf),
    /// There is no place to work in.
    #[error(transparent)]
    Work(#[from] work_dir::Error),
    /// `SQLite` failed.
    #[error("the database for {} failed: {source}", .path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::NotAFile { .. }
            | Self::NoDirectory(_)
            | Self::NoPlace { .. }
            | Self::Foreign { .. }
            | Self::Mounted(_)
            | Self::TooLarge { .. }
            | Self::OtherConnector { .. }
            | Self::OtherOrganization { .. }
            | Self::Unfollowable { .. }
            | Self::Scratch { .. }
            | Self::Damaged { .. }
            | Self::Missing(_)
            | Self::Unreadable { .. }
            | Self::NoSync(_)
            | Self::OtherSyncs { .. }
            | Self::NotEarlier { .. } => ExitCode::INVALID_ARGUMENT,
            Self::Work(error) => error.code(),
            Self::Changed(_) => ExitCode::UNAVAILABLE,
            Self::ScratchFull(_) | Self::Disk { .. } | Self::Database { .. } => ExitCode::UNKNOWN,
        }
    }

    /// Turns an I/O error on `path` into one of ours.
    pub(super) fn io<'path>(
        action: &'static str,
        path: &'path Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'path> {
        move |source| work_dir::Error::io(action, path)(source).into()
    }

    /// Says that something in the database of `path` is no table.
    pub(super) fn no_table(path: &Path, name: &str) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            problem: format!("{name} in its database is no table"),
        }
    }

    /// Turns an I/O error in the directory for temporary files into one of ours.
    pub(super) fn scratch(directory: &Path) -> impl Fn(io::Error) -> Self + Copy + use<'_> {
        move |source| match source {
            full if private_fs::is_full(&full) => Self::ScratchFull(directory.to_owned()),
            failing if private_fs::is_failing(&failing) => Self::io("work in", directory)(failing),
            source => Self::Scratch { directory: directory.to_owned(), source },
        }
    }

    /// Turns an error in reading the database of the file `path` into one of ours: what the
    /// system fails at is no fault of the file's.
    pub(super) fn reading(path: &Path) -> impl Fn(rusqlite::Error) -> Self + Copy + use<'_> {
        move |error| match error.sqlite_error_code() {
            Some(code) if is_of_the_system(code) => Self::database(path)(error),
            _ => Self::Damaged {
                path: path.to_owned(),
                problem: format!("its database is broken: {error}"),
            },
        }
    }

    /// Turns a database error in work on `target` into one of ours.
    pub(super) fn database(target: &Path) -> impl Fn(rusqlite::Error) -> Self + Copy + use<'_> {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => work_dir::Error::DiskFull(target.to_owned()).into(),
            // SQLite doesn't say why it could not create a file.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                Self::Disk { path: target.to_owned(), source }
            }
            _ => Self::Database { path: target.to_owned(), source },
        }
    }
}

/// Whether `SQLite` says so of what it stands on, rather than of the database.
pub(super) fn is_of_the_system(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
    )
}
