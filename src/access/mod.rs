//! Who has access to what, and why, as one finished sync tells it: as a table, JSON, CSV,
//! Markdown or a page. For files of any connector.

mod csv;
mod error;
mod held;
mod json;
mod kind;
mod kinds;
mod listing;
mod markdown;
mod page;
mod reading;
mod selection;
mod table;
mod words;

pub use self::csv::csv;
pub use error::Error;
pub use held::{Held, Way};
pub use json::json;
pub use kind::Kind;
pub use markdown::markdown;
pub use page::{Cover, page};
pub use reading::{Access, Row};
pub use selection::Asked;
pub use table::{Look, table};
