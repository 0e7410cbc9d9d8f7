//! All resource types.

use std::collections::{BTreeMap, BTreeSet};

use crate::baton::v2::ResourceType;

use super::api_token::API_TOKEN_TYPE;
use super::group::GROUP_TYPE;
use super::resource_type::ResourceTypeSpec;
use super::role::ROLE_TYPE;
use super::team::TEAM_TYPE;
use super::team_role::TEAM_ROLE_TYPE;
use super::user::USER_TYPE;
use crate::northflank::ListKind;

/// All resource types, by id.
pub static RESOURCE_TYPES: [&ResourceTypeSpec; 6] =
    [&API_TOKEN_TYPE, &GROUP_TYPE, &ROLE_TYPE, &TEAM_TYPE, &TEAM_ROLE_TYPE, &USER_TYPE];

/// All resource types as baton's messages, by id.
pub fn resource_types() -> Vec<ResourceType> {
    RESOURCE_TYPES.iter().map(|spec| spec.message()).collect()
}

/// By resource type, what a profile may have, of the types that are `told`.
pub fn profile_keys(
    told: impl Fn(&ResourceTypeSpec) -> bool,
) -> BTreeMap<String, BTreeSet<String>> {
    let keys =
        |spec: &ResourceTypeSpec| spec.profile_keys.iter().map(ToString::to_string).collect();
    let told = RESOURCE_TYPES.iter().filter(|spec| told(spec));
    told.map(|spec| (spec.id.to_owned(), keys(spec))).collect()
}

/// The resource type of the rows of lists of a kind, if they become resources.
pub fn resource_type_of_rows(kind: ListKind) -> Option<&'static ResourceTypeSpec> {
    RESOURCE_TYPES.iter().find(|spec| spec.lists.contains(&kind)).copied()
}

/// The resource type in which the people of lists of a kind are.
pub fn resource_type_of_members(kind: ListKind) -> Option<&'static ResourceTypeSpec> {
    let has = |spec: &&&ResourceTypeSpec| spec.entitlement.is_some_and(|it| it.members == kind);
    RESOURCE_TYPES.iter().find(has).copied()
}

/// The resource type of this id.
pub fn resource_type(id: &str) -> Option<&'static ResourceTypeSpec> {
    RESOURCE_TYPES.iter().find(|spec| spec.id == id).copied()
}

#[cfg(test)]
mod tests {
    use super::{RESOURCE_TYPES, profile_keys, resource_type_of_members, resource_type_of_rows};
    use crate::connector::{ResourceContext, RowContent, group, role, user};
    use crate::northflank::{List, ListKind, Page};

    #[test]
    fn every_list_says_which_resources_there_are_or_who_is_in_one() {
        for kind in ListKind::ALL {
            let says = [resource_type_of_rows(*kind), resource_type_of_members(*kind)]
                .map(|it| it.is_some());
            assert!(says[0] != says[1], "{kind:?}");
        }
    }

    #[test]
    fn profiles_have_what_is_declared_and_nothing_else() {
        fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
            serde_json::from_str(json).unwrap()
        }
        fn listed(list: List, key: &str, row: &str) -> crate::baton::v2::Resource {
            let body = format!(r#"{{"data":{{"{key}":[{row}]}}}}"#);
            let page = Page::read(list, body.as_bytes(), true, true).unwrap();
            let RowContent::Resources(rows) = RowContent::of(&page.list, page.rows) else {
                panic!()
            };
            let context = ResourceContext { members_without_id: 1, ..ResourceContext::default() };
            rows[0].resource(&context)
        }
        let times = r#""createdAt":"2026","updatedAt":"2026""#;
        let of_team = |kind| List::of(kind, "core".into());
        let full = [
            listed(
                List::only(ListKind::Teams),
                "teams",
                r#"{"id":"t","name":"T","uid":"u","createdAt":"2026"}"#,
            ),
            listed(
                of_team(ListKind::TeamRoles),
                "roles",
                &format!(
                    r#"{{"id":"r","name":"R",{times},
                        "restrictions":{{"enabled":true,"projects":["p"]}}}}"#
                ),
            ),
            listed(
                of_team(ListKind::TeamTokens),
                "tokens",
                r#"{"id":"t","name":"T","creatorEmail":"a@x.test","createdAt":"2026",
                    "expiresAt":"2027","lastUsedAt":"2026",
                    "role":{"roleId":"r","name":"R","roleType":"team"}}"#,
            ),
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
        let keys = profile_keys(|_| true);
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
