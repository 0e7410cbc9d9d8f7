//! The Northflank API, as far as it tells who has access: requests, paging, models of the
//! answers. Knows nothing of baton.

mod base_url;
mod budget;
mod client;
mod error;
mod model;
mod page;
mod permission;
mod retry;

pub use base_url::{BaseUrl, BaseUrlError};
pub use budget::Window;
pub use client::{Client, Settings, SettingsError};
pub use error::{Error, Problem, Refusal, TransportProblem};
pub use model::{
    DirectoryGroup, DirectoryGroupMember, Email, Member, ProjectRestrictions, Restrictions, Role,
    RoleMember, TeamRestriction, Text,
};
pub use page::{Answer, Listed, Page, PageError, Paging, Position};
pub use permission::{READ_MEMBERS, READ_ROLES};
