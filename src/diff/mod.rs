//! What changed between two syncs: resources, entitlements and grants that came, went or
//! changed, and through what somebody holds what.
//!
//! A row counts as changed if its message did, as for `baton diff`; what exactly changed is
//! told in facts.

mod differences;
mod line;
mod markdown;
mod table;

pub use differences::{Change, Changes, Diff, Held, Modified};
pub use line::{isolated_sections, sections};
pub use markdown::markdown;
pub use table::table;
