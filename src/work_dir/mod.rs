//! The private directory beside a sync file that holds what is unfinished, its lock, and the
//! journal of what has been read so far.
//!
//! Knows neither what the journal's records say nor what becomes of them.

mod directory;
mod frame;
mod journal;
mod run_identity;

pub use directory::{Error, WorkDirectory};
pub use frame::FramePosition;
pub use journal::{FoundJournal, Journal, RecordReader};
pub use run_identity::{DiscardReason, IdentityDigests, RunIdentity};
