//! What a sync file says, for people and programs: what things are called, what is told of
//! them, and how somebody holds something. For files of any connector.

mod changes;
mod column;
mod error;
mod fields;
mod how;
mod isolate;
mod json;
mod login;
mod look;
mod markdown;
mod named;
mod namesakes;
mod ours;
mod person;
mod restrictions;
mod sets;
mod told;

pub use changes::{Changes, Line, Section, Sign};
pub use column::column_width;
pub use error::Error;
pub use how::{How, in_words};
pub use isolate::isolated;
pub use json::json;
pub use login::without_login;
pub use look::{by_code_point, look};
pub use markdown::escape;
pub use named::{Entitled, Given, Known, Messages, Named, Names, SyncLabel};
pub use namesakes::Namesakes;
pub use person::{Person, Status};
pub use restrictions::{Restrictions, Team};
pub use sets::with_sets_in_order;
pub use told::{Facts, IN_RESTRICTIONS, RESTRICTIONS, of_entitlement, of_grant, of_resource};
