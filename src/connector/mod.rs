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
mod role;
mod text;
mod user;

pub use entitlement::{GrantBuilder, HeldThrough, entitlement};
pub use group::group;
pub use metadata::{DISPLAY_NAME, NOT_READ, capabilities, metadata};
pub use resource_type::{GROUP, ROLE, USER, resource_types};
pub use role::role;
pub use user::{LAST_LOGIN, NOT_LISTED, unlisted_user, user};
