//! Who has access to what, and why, as one finished sync tells it: as a table, JSON, CSV,
//! Markdown or a page. For files of any connector.

mod csv;
mod csv_rows;
mod error;
mod filter_kind;
mod find_by_id;
mod grant_info;
mod grouped;
mod json;
mod markdown;
mod named_resources;
mod trait_index;
mod unknown_id;

mod access_report;
mod filter;
mod labels;
mod table;

pub use self::csv::csv;
pub use csv_rows::{CsvRows, csv_people, csv_resources};
pub use error::Error;
pub use filter_kind::FilterKind;
pub(super) use find_by_id::IdFinder;
pub(super) use grouped::{SortKey, sort_key};
pub(super) use json::{JsonEntitlement, JsonPrincipal, JsonResource};
pub(super) use labels::{
    counted, counted_without_id, day, entitlement_slug, facts, label_with_id, slug,
};
pub(super) use named_resources::TypedId;
pub(super) use trait_index::TypeTraits;

pub use grant_info::{GrantInfo, HeldVia};
pub use json::json;
pub use markdown::markdown;

pub use access_report::{AccessReport, ReportRow};
pub use filter::Filter;
pub use table::{TableStyle, table};
