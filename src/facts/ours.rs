//! What is provably of this connector's making, and so has in its profile what it writes there.

use prost_types::value::Kind;

use crate::baton::v2::{Resource, UserTrait};

/// The type of this connector's roles.
const ROLE: &str = "role";

/// Whether a user is one of this connector's, which repeat their id in the profile and as the
/// trait's login.
pub(super) fn is_our_user(resource: &Resource, user: &UserTrait) -> bool {
    has_id_in_profile(resource) && user.login == id(resource)
}

/// Whether a resource is a role of this connector's, which repeat their id in the profile.
pub(super) fn is_our_role(resource: &Resource) -> bool {
    let id = resource.id.as_ref();
    id.is_some_and(|id| id.resource_type == ROLE) && has_id_in_profile(resource)
}

fn has_id_in_profile(resource: &Resource) -> bool {
    let in_profile = resource.profile.as_ref().and_then(|profile| profile.fields.get("id"));
    let in_profile = in_profile.and_then(|value| value.kind.as_ref());
    matches!(in_profile, Some(Kind::StringValue(text)) if text == id(resource))
}

fn id(resource: &Resource) -> &str {
    resource.id.as_ref().map(|id| id.resource.as_str()).unwrap_or_default()
}
