//! Resources whose lists stand in one order where theirs means nothing. Another order alone is no
//! change of access.

use std::borrow::Cow;

use prost::{DecodeError, Message};
use prost_types::Struct;
use prost_types::value::Kind;

use crate::baton::v2::{Resource, RoleTrait, UserTrait};
use crate::baton::{find, order_set};

use super::message_fields::{FieldEdit, bytes_of, edit_fields};
use super::profile_keys::{DIRECTORY_GROUPS, PROJECTS, TEAMS, is_our_role, is_our_user};

/// Field numbers: of `c1.connector.v2.Resource`,
const ANNOTATIONS: u32 = 4;
const PROFILE: u32 = 9;
/// `google.protobuf.Any`,
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;
/// `c1.connector.v2.UserTrait`,
const EMAILS: u32 = 1;
/// and `c1.connector.v2.RoleTrait`.
const TRAIT_PROFILE: u32 = 1;

/// The sets in the profile of a role of this connector's, and in that of one of its teams.
const SETS: [&str; 3] = [DIRECTORY_GROUPS, TEAMS, PROJECTS];

/// An encoded resource, with its sets in order: the linked groups of a role of this connector's,
/// its teams and their projects; the addresses of a user, of which one is marked as primary. All
/// else stays as it is, fields that are not known here too.
pub fn with_sets_in_order(encoded: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let resource = Resource::decode(encoded)?;
    if is_our_role(&resource) {
        return Ok(role(encoded)?.into());
    }
    let user: Option<UserTrait> = find(&resource.annotations);
    if user.is_some_and(|user| user.emails.len() > 1 && is_our_user(&resource, &user)) {
        return Ok(user_trait(encoded)?.into());
    }
    Ok(encoded.into())
}

fn role(encoded: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let profile = |value: &[u8]| Ok(FieldEdit::Part(profile(value)?));
    let of_trait = |number, value: &[u8]| match number {
        TRAIT_PROFILE => profile(value),
        _ => Ok(FieldEdit::All),
    };
    let of_annotation = |number, value: &[u8]| match number {
        VALUE => Ok(FieldEdit::Part(edit_fields(value, of_trait)?)),
        _ => Ok(FieldEdit::All),
    };
    edit_fields(encoded, |number, value| match number {
        ANNOTATIONS if is_a::<RoleTrait>(value)? => {
            Ok(FieldEdit::Part(edit_fields(value, of_annotation)?))
        }
        PROFILE => profile(value),
        _ => Ok(FieldEdit::All),
    })
}

fn user_trait(encoded: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let of_annotation = |number, value: &[u8]| match number {
        VALUE => Ok(FieldEdit::Part(emails(value)?)),
        _ => Ok(FieldEdit::All),
    };
    edit_fields(encoded, |number, value| match number {
        ANNOTATIONS if is_a::<UserTrait>(value)? => {
            Ok(FieldEdit::Part(edit_fields(value, of_annotation)?))
        }
        _ => Ok(FieldEdit::All),
    })
}

/// A user's trait with its addresses at the end, in order.
fn emails(user: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let found = std::cell::RefCell::new(Vec::new());
    let mut rest = edit_fields(user, |number, value| match number {
        EMAILS => {
            found.borrow_mut().push(value.to_vec());
            Ok(FieldEdit::Nothing)
        }
        _ => Ok(FieldEdit::All),
    })?;
    let mut found = found.into_inner();
    found.sort();
    prost::encoding::bytes::encode_repeated(EMAILS, &found, &mut rest);
    Ok(rest)
}

/// A role's profile with its sets in order.
fn profile(encoded: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut profile = Struct::decode(encoded)?;
    order(&mut profile);
    Ok(profile.encode_to_vec())
}

fn order(profile: &mut Struct) {
    for set in SETS {
        let list = profile.fields.get_mut(set).and_then(|value| value.kind.as_mut());
        let Some(Kind::ListValue(list)) = list else { continue };
        for value in &mut list.values {
            if let Some(Kind::StructValue(team)) = &mut value.kind {
                order(team);
            }
        }
        order_set(&mut list.values);
    }
}

fn is_a<M: prost::Name>(annotation: &[u8]) -> Result<bool, DecodeError> {
    Ok(bytes_of(annotation, TYPE_URL)? == M::type_url().as_bytes())
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::with_sets_in_order;
    use crate::baton::Profile;
    use crate::baton::v2::{Resource, ResourceId};
    use crate::connector::{role, user};

    fn ordered(resource: &Resource) -> Vec<u8> {
        with_sets_in_order(&resource.encode_to_vec()).unwrap().into_owned()
    }

    /// A role of former years' files, in which the sets stand as they were listed.
    fn unordered(groups: &[&str], teams: &[(&str, &[&str])]) -> Resource {
        let teams = teams.iter().map(|(id, projects)| {
            Profile::new().text("id", Some(id)).texts("projects", projects.iter().copied())
        });
        let profile = Profile::new().text("id", Some("r")).profiles("teams", teams);
        let profile = profile.texts("directory_groups", groups.iter().copied()).build();
        Resource {
            id: Some(ResourceId { resource_type: "role".into(), resource: "r".into() }),
            profile: Some(profile),
            ..Resource::default()
        }
    }

    #[test]
    fn the_order_of_groups_teams_and_projects_means_nothing() {
        let one = unordered(&["a", "b"], &[("x", &["1", "2"]), ("y", &[])]);
        let other = unordered(&["b", "a", "b"], &[("y", &[]), ("x", &["2", "1"])]);
        assert_ne!(one.encode_to_vec(), other.encode_to_vec());
        assert_eq!(ordered(&one), ordered(&other));
        for differs in [
            unordered(&["a"], &[("x", &["1", "2"]), ("y", &[])]),
            unordered(&["a", "b"], &[("x", &["1"]), ("y", &["2"])]),
        ] {
            assert_ne!(ordered(&one), ordered(&differs));
        }
        // Of another connector's roles nobody knows.
        let theirs = |groups: &[&str]| {
            let mut role = unordered(groups, &[]);
            role.id = Some(ResourceId { resource_type: "role".into(), resource: "s".into() });
            role
        };
        assert_ne!(ordered(&theirs(&["a", "b"])), ordered(&theirs(&["b", "a"])));
    }

    #[test]
    fn what_this_connector_writes_stands_in_order_already() {
        let json = r#"{"id":"r","name":"R","directoryGroups":["b","a","b"],"restrictions":{"enabled":true,
            "teams":[{"teamId":"y"},{"teamId":"x","restrictions":{"enabled":true,"projects":["2","1"]}}]}}"#;
        let role = role(&serde_json::from_str(json).unwrap());
        assert_eq!(ordered(&role), role.encode_to_vec());
    }

    #[test]
    fn the_order_of_addresses_means_nothing_but_for_the_primary_one() {
        let member = |emails: &str| {
            let json = format!(r#"{{"id":"ada","name":"Ada","emails":[{emails}]}}"#);
            ordered(&user(&serde_json::from_str(&json).unwrap()))
        };
        let [a, b, c] = ["a", "b", "c"]
            .map(|it| format!(r#"{{"address":"{it}@x.test","verified":{}}}"#, it == "a"));
        let one = member(&format!("{a},{b},{c}"));
        assert_eq!(one, member(&format!("{a},{c},{b}")));
        assert_eq!(one, member(&format!("{c},{a},{b}")));
        assert_ne!(one, member(&format!("{a},{b}")));
        assert_ne!(
            member(&format!("{b},{c}")),
            member(&format!("{c},{b}")),
            "the first is primary"
        );
    }
}
