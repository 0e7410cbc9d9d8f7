//! What a sync file says, for people and programs: what things are called, what is told of
//! them, and how somebody holds something. For files of any connector.

mod account;
mod attributes;
mod bidi_isolate;
mod change_list;
mod column_width;
mod csv_record;
mod error;
mod grant_path;
mod incomparable;
mod json;
mod lookalike;
mod markdown;
mod message_fields;
mod names;
mod namesakes;
mod profile_keys;
mod restrictions;
mod secret;
mod sorted_sets;
mod sync_end;

pub use account::{AccountInfo, AccountStatus};
pub use attributes::{
    Attributes, IN_RESTRICTIONS, RESTRICTIONS, of_entitlement, of_grant, of_resource,
};
pub use bidi_isolate::isolated;
pub use change_list::{ChangeLine, ChangeList, ChangeSection, ChangeSign};
pub use column_width::column_width;
pub use csv_record::csv_record;
pub use error::Error;
pub use grant_path::{GrantPath, by_itself, in_words};
pub use incomparable::Incomparable;
pub use json::json;
pub use lookalike::{by_code_point, confusable_skeleton};
pub use markdown::escape;
pub use names::{
    EntitlementInfo, EntitlementRef, NameIndex, ResourceInfo, ResourceRef, RowSource, SyncLabel,
};
pub use namesakes::Namesakes;
pub use profile_keys::{DIRECTORY_GROUPS, NOT_LISTED, OWNER_ROLE, TEAM_TYPE};
pub use restrictions::{RestrictedTeam, RestrictionText};
pub use secret::SecretInfo;
pub use sorted_sets::with_sets_in_order;
pub use sync_end::SyncEnd;
