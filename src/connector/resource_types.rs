//! All resource types.

use std::collections::{BTreeMap, BTreeSet};

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

/// By resource type, what a profile may have.
pub fn profile_keys() -> BTreeMap<String, BTreeSet<String>> {
    let keys =
        |spec: &ResourceTypeSpec| spec.profile_keys.iter().map(ToString::to_string).collect();
    RESOURCE_TYPES.iter().map(|spec| (spec.id.to_owned(), keys(spec))).collect()
}

/// The resource type of this id.
pub fn resource_type(id: &str) -> Option<&'static ResourceTypeSpec> {
    RESOURCE_TYPES.iter().find(|spec| spec.id == id).copied()
}

#[cfg(test)]
mod tests {
    use super::{RESOURCE_TYPES, profile_keys};
    use crate::connector::{group, role, user};

    #[test]
    fn profiles_have_what_is_declared_and_nothing_else() {
        fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
            serde_json::from_str(json).unwrap()
        }
        let times = r#""createdAt":"2026","updatedAt":"2026""#;
        let full = [
            group(&read(&format!(r#"{{"id":"g","name":"G","idpId":"i",{times}}}"#))),
            role(&read(&format!(
                r#"{{"id":"r","name":"R",{times},"directoryGroups":["g"],
                    "restrictions":{{"enabled":true,"teams":[{{"teamId":"t"}}]}}}}"#
            ))),
            user(&read(
                r#"{"id":"u","name":"U","emails":[{"address":"u@x.test","verified":true}],
                    "finalized":true,"joinedAt":"2026","lastLoginTime":"2026"}"#,
            )),
        ];
        let keys = profile_keys();
        for resource in full {
            let written = resource.profile.unwrap().fields.into_keys().collect();
            assert_eq!(keys[&resource.id.unwrap().resource_type], written);
        }
    }

    #[test]
    fn resource_types_stand_by_id_and_what_they_give_is_theirs() {
        assert!(RESOURCE_TYPES.is_sorted_by_key(|spec| spec.id));
        for spec in RESOURCE_TYPES {
            assert!(spec.entitlement.is_none_or(|it| it.resource_type == spec.id), "{spec:?}");
        }
    }
}
