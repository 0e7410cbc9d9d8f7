//! The groups that a role says it is linked with.

use prost_types::value::Kind;

use crate::baton::find;
use crate::baton::v2::{Resource, RoleTrait};
use crate::report::model::DIRECTORY_GROUPS;

/// The ids of the groups that a role's profile says it is linked with.
pub(in crate::report) fn linked_groups(role: &Resource) -> Vec<String> {
    let profile = role.profile.clone();
    let profile =
        profile.or_else(|| find::<RoleTrait>(&role.annotations).and_then(|role| role.profile));
    let groups = profile.and_then(|mut profile| profile.fields.remove(DIRECTORY_GROUPS));
    let Some(Kind::ListValue(groups)) = groups.and_then(|groups| groups.kind) else {
        return Vec::new();
    };
    let ids = groups.values.into_iter().filter_map(|group| match group.kind {
        Some(Kind::StringValue(id)) => Some(id),
        _ => None,
    });
    ids.collect()
}
