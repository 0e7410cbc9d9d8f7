//! Access as one page for a review: self-contained, readable and printable without scripts.
//!
//! Templates, style and script are files beside this one. The page's policy forbids everything
//! but its own style and script, by their hashes: a name that became markup in spite of the
//! templates' escaping could do nothing.

mod card;
mod change;
mod finding;
mod flow;
mod limit;
mod matrix;
mod phrase;
mod picture;
mod shade;
mod subject;
mod whole;

pub use whole::{Cover, page};
