//! What is worth a look in who has access: one list for whoever tells of it.
//!
//! - [`FindingKind`]: everything that is looked for, each with a stable id.
//! - [`FindingScan`]: looks for it, while somebody else reads the sync.

mod catalog;
mod linked_groups;
mod scan;

pub use catalog::{FindingKind, FindingQuery};
pub(super) use linked_groups::linked_groups;
pub(super) use scan::{
    FindingList, FindingNote, FindingPlace, FindingScan, ScannedResource, findings_of_secrets,
};
