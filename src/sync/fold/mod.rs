//! What the pages say together, folded page by page into a value of few bytes a row.
//!
//! Each list counts once it has been read to its end, as that one reading said. The order in
//! which lists arrive doesn't matter, and neither does it whether they come from Northflank or
//! from a journal: better sources win, and of one source the last word.

mod access;
mod holder;
mod pages;
mod people;
mod texts;

pub use access::Access;
pub use holder::{Held, Holder, Holding};
pub use pages::Fold;
pub(in crate::sync) use pages::WithoutAccount;
