//! What the pages say together, folded page by page into a value of few bytes a row.
//!
//! The order in which pages arrive doesn't matter, and neither does it whether they come from
//! Northflank or from a journal: better sources win, the last word of one source counts, and
//! who was dropped stays dropped.

mod access;
mod holder;
mod pages;
mod people;
mod texts;

pub use access::{Access, Held};
pub use holder::{Holder, Holding};
pub(super) use pages::Fold;
