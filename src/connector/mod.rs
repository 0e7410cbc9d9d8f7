//! Northflank's objects as baton's messages: pure functions, no I/O.
//!
//! | Northflank | baton |
//! | --- | --- |
//! | organization member | resource `user` |
//! | organization role | resource `role` with the entitlement `assigned` |
//! | directory group | resource `group` with the entitlement `member` |
//! | team | resource `team` with the entitlement `member` |
//! | role of a team | resource `team-role` with the entitlement `assigned` |
//! | API token | resource `api-token` |
//! | membership of any of these | a grant of that entitlement |

mod api_token;
mod entitlement;
mod group;
mod listed_resource;
mod metadata;
mod resource_type;
mod resource_types;
mod role;
mod row_content;
mod team;
mod team_role;
mod text;
mod user;

pub use api_token::API_TOKEN;
pub use entitlement::{GrantBuilder, HeldThrough, entitlement};
pub use group::{GROUP, GROUP_MEMBER, group};
pub use listed_resource::{ListedResource, ResourceContext};
pub use metadata::{DISPLAY_NAME, capabilities, metadata, not_read};
pub use resource_type::{EntitlementSpec, OptIn, ResourceTypeSpec};
pub use resource_types::{
    RESOURCE_TYPES, profile_keys, resource_type, resource_type_of_members, resource_type_of_rows,
    resource_types,
};
pub use role::{ROLE, ROLE_ASSIGNED, role};
pub use row_content::{Membership, PersonStanding, RowContent};
pub use team::{MEMBERS_WITHOUT_ID, TEAM, TEAM_MEMBER};
pub use team_role::{TEAM_ROLE, TEAM_ROLE_ASSIGNED};
pub use user::{
    LAST_LOGIN, NOT_LISTED, ORGANIZATION_MEMBER, USER, outside_user, unlisted_user, user,
};
