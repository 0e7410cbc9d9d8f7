//! The sync file, version 1: five magic bytes and a zstd frame with a `SQLite` database.
//! Of any connector.

mod attach;
mod compare;
mod container;
mod database;
mod error;
mod insert;
mod listing;
mod new_file;
mod open_sync;
mod organization;
#[cfg(unix)]
mod permissions;
mod previous_file;
mod save;
mod schema;
mod sync_run;
mod sync_token;
mod target;
mod timestamp;
mod unpacked;

pub use compare::{Comparison, RowDifference, SyncSide};
pub use error::Error;
pub use insert::Inserts;
pub use listing::{ListedSync, list_syncs};
pub use new_file::{NewFile, Packed};
pub use open_sync::{FinishedSync, GrantQuery, GrantRow, OpenSync, RowKind};
pub use organization::Organization;
pub use previous_file::PreviousFile;
pub use sync_run::{ProfileKeys, Retention, RowCounts, SavedFile, SyncRun, SyncType};
pub use target::Target;
pub use unpacked::ScratchDirectory;
