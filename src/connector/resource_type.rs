//! The three resource types.

use crate::baton::annotation;
use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{ResourceType, SkipEntitlementsAndGrants};

/// The resource type of organization members.
pub const USER: &str = "user";

/// The resource type of organization roles.
pub const ROLE: &str = "role";

/// The resource type of directory groups.
pub const GROUP: &str = "group";

/// All resource types, sorted by id.
pub fn resource_types() -> [ResourceType; 3] {
    [group_type(), resource_type(ROLE, "Role", Trait::Role), user_type()]
}

/// The resource type of users: they hold grants and have none to give.
pub(super) fn user_type() -> ResourceType {
    ResourceType {
        annotations: vec![annotation(&SkipEntitlementsAndGrants {})],
        ..resource_type(USER, "User", Trait::User)
    }
}

/// The resource type of groups.
pub(super) fn group_type() -> ResourceType {
    resource_type(GROUP, "Group", Trait::Group)
}

fn resource_type(id: &str, display_name: &str, kind: Trait) -> ResourceType {
    ResourceType {
        id: id.to_owned(),
        display_name: display_name.to_owned(),
        traits: vec![kind.into()],
        ..ResourceType::default()
    }
}
