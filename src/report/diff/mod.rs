//! What changed between two syncs: resources, entitlements and grants that came, went or
//! changed, and through what somebody holds what.
//!
//! A row counts as changed if its message did, as for `baton diff`; what exactly changed is
//! told in facts.

mod change_lines;
mod csv;
mod differences;
mod markdown;
mod table;

pub use self::csv::csv;
pub use change_lines::{isolated_sections, sections};
pub use differences::{AttributeChange, Diff, DiffGrant, ModifiedRow, RowChanges};
pub use markdown::markdown;
pub use table::table;
