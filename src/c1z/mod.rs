//! The sync file, version 1: five magic bytes and a zstd frame with a `SQLite` database.
//! Knows nothing of Northflank.

mod attach;
mod compare;
mod container;
mod database;
mod error;
mod file;
mod finished;
mod insert;
#[cfg(unix)]
mod permissions;
mod previous;
mod run;
mod save;
mod schema;
mod target;
mod timestamp;
mod token;
mod unpacked;

pub use compare::{Comparison, Difference, Side};
pub use error::Error;
pub use file::{NewFile, Packed};
pub use finished::{FinishedSync, GrantRow, Grants, OpenSync, Rows};
pub use insert::Inserts;
pub use previous::Previous;
pub use run::{Retention, Saved, Stats, SyncRun, SyncType};
pub use target::Target;
pub use unpacked::Scratch;
