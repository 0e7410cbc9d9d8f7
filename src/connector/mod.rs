//! Northflank's objects as baton's messages: pure functions, no I/O.
//!
//! | Northflank | baton |
//! | --- | --- |
//! | organization member | resource `user` |
//! | organization role | resource `role` with the entitlement `assigned` |
//! | directory group | resource `group` with the entitlement `member` |
//! | membership of a role or group | a grant of that entitlement |

mod entitlement;
mod group;
mod metadata;
mod resource_type;
mod resource_types;
mod role;
mod row_content;
mod text;
mod user;

pub use entitlement::{GrantBuilder, HeldThrough, entitlement};
pub use group::{GROUP, GROUP_MEMBER, group};
pub use metadata::{DISPLAY_NAME, NOT_READ, capabilities, metadata};
pub use resource_type::{EntitlementSpec, ResourceTypeSpec};
pub use resource_types::{RESOURCE_TYPES, profile_keys, resource_type, resource_types};
pub use role::{ROLE, ROLE_ASSIGNED, role};
pub use row_content::{AccessContainer, Membership, RowContent};
pub use user::{LAST_LOGIN, NOT_LISTED, USER, unlisted_user, user};
