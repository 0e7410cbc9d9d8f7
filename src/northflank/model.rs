//! What Northflank's endpoints answer with, as far as a sync needs it.
//!
//! Northflank's documentation, types and examples disagree on what is always present
//! (`docs/northflank-api.md`), so everything may be absent or null except ids, and
//! unknown fields and values are accepted. What can't be survived without losing access
//! information in silence (a row without an id, an array that is none) is an error; what a
//! sync can do without (a role's restrictions, a last login) is let go.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::lenient::{self, Dispensable};
use super::text::Text;

/// A member of the organization (`GET /v1/org-members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Member {
    /// The username. It may change when a member finalises the account.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The full name.
    pub name: Option<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub emails: Vec<Email>,
    /// When the member joined, RFC 3339.
    #[serde(rename = "joinedAt")]
    pub joined_at: Option<Text>,
    /// When the member last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default, deserialize_with = "lenient::text")]
    pub last_login: Option<Text>,
    /// Whether the account is fully set up; `None` when Northflank doesn't say.
    pub finalized: Option<bool>,
}

/// An e-mail address: an object in some endpoints, a plain string in others, even null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    /// The address; may be missing or blank.
    pub address: Option<Text>,
    /// Whether the address is verified; `None` when Northflank doesn't say.
    pub verified: Option<bool>,
}

/// An organization role (`GET /v1/org-roles`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Role {
    /// The role's slug.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The role's name.
    pub name: Option<Text>,
    /// The role's description.
    pub description: Option<Text>,
    /// To which teams and projects the role is restricted; absent means to none.
    pub restrictions: Option<Dispensable<Restrictions>>,
    /// Ids of the directory groups whose members hold the role automatically.
    #[serde(rename = "directoryGroups", default, deserialize_with = "lenient::ids")]
    pub directory_groups: Vec<Text>,
    /// When the role was created, RFC 3339.
    #[serde(rename = "createdAt")]
    pub created_at: Option<Text>,
    /// When the role was last changed, RFC 3339.
    #[serde(rename = "updatedAt")]
    pub updated_at: Option<Text>,
}

/// The teams that a role is restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Restrictions {
    /// Whether the restriction is in force.
    pub enabled: Option<bool>,
    /// The teams in which the role applies.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub teams: Vec<TeamRestriction>,
}

/// One team of a role's restrictions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct TeamRestriction {
    /// The team's slug.
    #[serde(rename = "teamId", default, deserialize_with = "lenient::id_if_any")]
    pub team_id: Option<Text>,
    /// To which of the team's projects the role is restricted.
    pub restrictions: Option<ProjectRestrictions>,
}

/// The projects of a team that a role is restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct ProjectRestrictions {
    /// Whether the restriction is in force.
    pub enabled: Option<bool>,
    /// The projects that `mode` speaks of.
    #[serde(default, deserialize_with = "lenient::ids")]
    pub projects: Vec<Text>,
    /// `in`: only these projects; `notIn`: all but these. Other values may appear.
    #[serde(rename = "restrictionMode")]
    pub mode: Option<Text>,
}

/// A member of a role (`GET /v1/org-roles/{roleId}/members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct RoleMember {
    /// The username.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The full name.
    pub name: Option<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub emails: Vec<Email>,
    /// `explicit`: added by hand; `implicit`: through Directory Sync. Other values may
    /// appear.
    #[serde(rename = "type")]
    pub membership: Option<Text>,
    /// When the member last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default, deserialize_with = "lenient::text")]
    pub last_login: Option<Text>,
}

/// A group of the directory (`GET /v1/directory-groups`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct DirectoryGroup {
    /// The group's id, like `directory_group_01HZX3M9Q2T7V5W8Y0ABCDEFGH`.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The group's name.
    pub name: Option<Text>,
    /// The identity provider's id of the group.
    #[serde(rename = "idpId")]
    pub idp_id: Option<Text>,
    /// When the group was created, RFC 3339.
    #[serde(rename = "createdAt")]
    pub created_at: Option<Text>,
    /// When the group was last changed, RFC 3339.
    #[serde(rename = "updatedAt")]
    pub updated_at: Option<Text>,
}

/// A member of a directory group (`GET /v1/directory-groups/{groupId}/members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct DirectoryGroupMember {
    /// The username; `None` for somebody who has no Northflank account yet.
    #[serde(default, deserialize_with = "lenient::id_if_any")]
    pub id: Option<Text>,
    /// The full name.
    pub name: Option<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub emails: Vec<Email>,
    /// When the user last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default, deserialize_with = "lenient::text")]
    pub last_login: Option<Text>,
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EmailVisitor)
    }
}

struct EmailVisitor;

impl<'de> Visitor<'de> for EmailVisitor {
    type Value = Email;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an e-mail address or an object with one")
    }

    fn visit_unit<E: Error>(self) -> Result<Email, E> {
        Ok(Email { address: None, verified: None })
    }

    fn visit_str<E: Error>(self, address: &str) -> Result<Email, E> {
        Ok(Email { address: Some(address.into()), verified: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Email, A::Error> {
        #[derive(Deserialize)]
        struct Object {
            address: Option<Text>,
            verified: Option<bool>,
        }

        let Object { address, verified } = Object::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Email { address, verified })
    }
}

/// A list that may be null.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{
        DirectoryGroup, DirectoryGroupMember, Dispensable, Email, Member, Role, RoleMember, Text,
    };

    fn read<'json, T: serde::Deserialize<'json>>(json: &'json str) -> serde_json::Result<T> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_member_may_consist_of_an_id_alone() {
        let member: Member = read(r#"{"id":"ada-q"}"#).unwrap();
        assert_eq!(&*member.id, "ada-q");
        assert_eq!(member.finalized, None);
        assert!(member.emails.is_empty());
    }

    #[test]
    fn every_optional_field_may_be_null() {
        let json = r#"{"id":"a","name":null,"emails":null,"joinedAt":null,"finalized":null}"#;
        assert_eq!(read::<Member>(json).unwrap().name, None);
        let json = r#"{"id":"a","name":null,"description":null,"restrictions":null,
            "directoryGroups":null,"createdAt":null,"updatedAt":null}"#;
        assert!(read::<Role>(json).unwrap().directory_groups.is_empty());
        let json = r#"{"id":"g","name":null,"idpId":null,"createdAt":null,"updatedAt":null}"#;
        assert_eq!(read::<DirectoryGroup>(json).unwrap().idp_id, None);
    }

    #[test]
    fn a_row_without_an_id_is_an_error() {
        assert!(read::<Member>(r#"{"name":"Ada"}"#).is_err());
        assert!(read::<Member>(r#"{"id":null}"#).is_err());
        assert!(read::<Role>(r#"{"name":"Admin"}"#).is_err());
        assert!(read::<DirectoryGroup>(r#"{"id":7}"#).is_err());
    }

    #[test]
    fn a_directory_user_whose_id_is_null_blank_or_absent_has_no_account() {
        for id in ["", r#""id":null,"#, r#""id":"","#, r#""id":" \t","#] {
            let json = format!(r#"{{{id}"emails":["a@b.test"]}}"#);
            let member: DirectoryGroupMember = read(&json).unwrap();
            assert_eq!(member.id, None, "{json}");
        }
        assert!(read::<DirectoryGroupMember>(r#"{"id":7}"#).is_err());
    }

    #[test]
    fn half_a_surrogate_pair_in_an_id_is_refused_wherever_an_id_stands() {
        for half in [r"a\ud83d", r"\ude00", r"\ude00\ud83d", r"\ud83d\ud83d\ude00"] {
            let row = format!(r#"{{"id":"{half}"}}"#);
            assert!(read::<Member>(&row).is_err(), "{row}");
            assert!(read::<Role>(&row).is_err(), "{row}");
            assert!(read::<RoleMember>(&row).is_err(), "{row}");
            assert!(read::<DirectoryGroup>(&row).is_err(), "{row}");
            assert!(read::<DirectoryGroupMember>(&row).is_err(), "{row}");
            let linked = format!(r#"{{"id":"a","directoryGroups":["{half}"]}}"#);
            assert!(read::<Role>(&linked).is_err(), "{linked}");
        }
        assert_eq!(&*read::<Member>(r#"{"id":"\ud83d\ude00"}"#).unwrap().id, "😀");
    }

    #[test]
    fn malformed_restrictions_cost_a_role_no_more_than_what_they_would_say() {
        for malformed in [
            "7",
            r#""all""#,
            "[]",
            r#"{"enabled":"yes"}"#,
            r#"{"enabled":true,"teams":{}}"#,
            r#"{"enabled":true,"teams":[{"teamId":3}]}"#,
            r#"{"enabled":true,"teams":[{"teamId":"\ud83d"}]}"#,
            r#"{"enabled":true,"teams":[{"teamId":"a","restrictions":{"projects":["\ud83d"]}}]}"#,
        ] {
            let role: Role = read(&format!(r#"{{"id":"r","restrictions":{malformed}}}"#)).unwrap();
            assert_eq!(role.restrictions, Some(Dispensable::Malformed), "{malformed}");
        }
    }

    #[test]
    fn a_last_login_that_is_no_text_says_nothing() {
        for odd in ["7", "null", "{}", r#"["2025-03-04T09:12:07.018Z"]"#, "true"] {
            let member: Member = read(&format!(r#"{{"id":"a","lastLoginTime":{odd}}}"#)).unwrap();
            assert_eq!(member.last_login, None, "{odd}");
        }
        let member: Member = read(r#"{"id":"a","lastLoginTime":"soon\ud83d"}"#).unwrap();
        assert!(member.last_login.is_some());
    }

    #[test]
    fn emails_may_be_objects_strings_or_a_mixture() {
        let json = r#"{"id":"a","emails":["x@b.test",{"address":"y@b.test","verified":true},
            null,{"verified":false},{"address":null},{"address":"z@b.test","more":{"a":[1]}}]}"#;
        let addresses: Vec<_> = read::<Member>(json)
            .unwrap()
            .emails
            .into_iter()
            .filter_map(|Email { address, verified }| Some((address?.to_string(), verified)))
            .collect();
        let expected = [("x@b.test", None), ("y@b.test", Some(true)), ("z@b.test", None)];
        assert_eq!(addresses, expected.map(|(text, known)| (text.to_owned(), known)));
    }

    #[test]
    fn unknown_fields_and_values_are_accepted() {
        let json = r#"{"id":"r","color":{"deep":["\ud800"]},"restrictions":{"enabled":true,
            "teams":[{"teamId":"core","restrictions":{"enabled":true,"restrictionMode":"only",
            "projects":["p"]}}]}}"#;
        let role: Role = read(json).unwrap();
        let Some(Dispensable::Read(restrictions)) = role.restrictions else {
            panic!("{role:?}");
        };
        let team = &restrictions.teams[0];
        assert_eq!(team.restrictions.as_ref().unwrap().mode, Some(Text::from("only")));
    }

    #[test]
    fn half_a_surrogate_pair_in_a_name_does_not_fail_the_page() {
        let member: Member = read(r#"{"id":"a","name":"x\ud83dy \ud83d\ude00"}"#).unwrap();
        let name = member.name.unwrap();
        assert!(name.starts_with('x') && name.ends_with("y 😀"), "{name:?}");
        assert!(name.contains('\u{fffd}'));
    }
}
