//! The sync file, version 1: five magic bytes and a zstd frame with a `SQLite` database.
//! Knows nothing of Northflank.

mod attach;
mod compare;
mod container;
mod error;
mod file;
mod finished;
mod previous;
mod resume;
mod save;
mod schema;
mod staging;
mod target;
mod timestamp;

pub use compare::{Comparison, Difference, Side};
pub use error::Error;
pub use file::{NewFile, Previous, Retention, Saved, Stats, SyncRun, SyncType};
pub use finished::{FinishedSync, GrantRow, Grants, OpenSync, Rows};
pub use resume::{Found, Identity, Reason};
pub use staging::{Changes, Container, Holding, Source, StagedResource, Staging};
pub use target::Target;
