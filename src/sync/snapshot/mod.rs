//! What the pages say together, folded page by page into a value of few bytes a row.
//!
//! Each list counts once it has been read to its end, as that one reading said. The order in
//! which lists arrive doesn't matter, and neither does it whether they come from Northflank or
//! from a journal: better sources win, and of one source the last word.

mod builder;
mod interner;
mod membership;
mod ordered;
mod people;

pub use builder::SnapshotBuilder;
pub(in crate::sync) use builder::UsersWithoutAccount;
pub use membership::{MemberRef, MembershipKind, WithMembers};
pub use ordered::Snapshot;
