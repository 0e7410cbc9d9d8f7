//! Access as one page for a review: self-contained, readable and printable without scripts.
//!
//! Templates, style and script are files beside this one. The page's policy forbids everything
//! but its own style and script, by their hashes: a name that became markup in spite of the
//! templates' escaping could do nothing.

mod bar_chart;
mod card;
mod changes;
mod document;
mod finding;
mod flow;
mod held_color;
mod limits;
mod matrix;
mod phrases;
mod rules;
mod subject;

pub use document::{HtmlOptions, page};
pub use rules::PageRules;
