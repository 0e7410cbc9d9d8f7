//! All resource types.

use crate::baton::v2::ResourceType;

use super::group::GROUP_TYPE;
use super::resource_type::ResourceTypeSpec;
use super::role::ROLE_TYPE;
use super::user::USER_TYPE;

/// All resource types, by id.
pub static RESOURCE_TYPES: [&ResourceTypeSpec; 3] = [&GROUP_TYPE, &ROLE_TYPE, &USER_TYPE];

/// All resource types as baton's messages, by id.
pub fn resource_types() -> Vec<ResourceType> {
    RESOURCE_TYPES.iter().map(|spec| spec.message()).collect()
}

/// The resource type of this id.
pub fn resource_type(id: &str) -> Option<&'static ResourceTypeSpec> {
    RESOURCE_TYPES.iter().find(|spec| spec.id == id).copied()
}

#[cfg(test)]
mod tests {
    use super::RESOURCE_TYPES;

    #[test]
    fn resource_types_stand_by_id_and_what_they_give_is_theirs() {
        assert!(RESOURCE_TYPES.is_sorted_by_key(|spec| spec.id));
        for spec in RESOURCE_TYPES {
            assert!(spec.entitlement.is_none_or(|it| it.resource_type == spec.id), "{spec:?}");
        }
    }
}
