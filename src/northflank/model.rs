//! What Northflank's endpoints answer with, as far as a sync needs it.
//!
//! Northflank's documentation, types and examples disagree on what is always present
//! (`docs/northflank-api.md`), so everything may be absent or null except ids, and
//! unknown fields and values are accepted. What can't be survived without losing access
//! information in silence (a row without an id, an array that is none) is an error; what a
//! sync can do without (a name, a role's restrictions, a last login) is let go.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use super::lenient::{self, ExactText, Lenient, StrictObject};
use super::text::Text;

/// A member of the organization (`GET /v1/org-members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Member {
    /// The username. It may change when a member finalises the account.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The full name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "emails")]
    pub emails: Vec<Email>,
    /// When the member joined, RFC 3339.
    #[serde(rename = "joinedAt", default)]
    pub joined_at: Lenient<Text>,
    /// When the member last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default)]
    pub last_login: Lenient<Text>,
    /// Whether the account is fully set up, if Northflank says.
    #[serde(default)]
    pub finalized: Lenient<bool>,
}

/// An e-mail address: an object in some endpoints, a plain string in others, even null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    /// The address; may be missing or blank.
    pub address: Lenient<Text>,
    /// Whether the address is verified, if Northflank says.
    pub verified: Lenient<bool>,
}

/// An organization role (`GET /v1/org-roles`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Role {
    /// The role's slug.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The role's name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// The role's description.
    #[serde(default)]
    pub description: Lenient<Text>,
    /// To which teams and projects the role is restricted; absent means to none.
    #[serde(default, deserialize_with = "lenient::object")]
    pub restrictions: Lenient<RoleRestrictions>,
    /// Ids of the directory groups whose members hold the role automatically.
    #[serde(rename = "directoryGroups", default, deserialize_with = "lenient::ids")]
    pub directory_groups: Vec<Text>,
    /// When the role was created, RFC 3339.
    #[serde(rename = "createdAt", default)]
    pub created_at: Lenient<Text>,
    /// When the role was last changed, RFC 3339.
    #[serde(rename = "updatedAt", default)]
    pub updated_at: Lenient<Text>,
}

/// The teams that a role is restricted to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct RoleRestrictions {
    /// Whether the restriction is in force.
    pub enabled: Option<bool>,
    /// The teams in which the role applies.
    #[serde(default, deserialize_with = "objects")]
    pub teams: Vec<TeamRestriction>,
}

/// One team of a role's restrictions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct TeamRestriction {
    /// The team's slug.
    #[serde(rename = "teamId", default, deserialize_with = "lenient::id_if_any")]
    pub team_id: Option<Text>,
    /// To which of the team's projects the role is restricted.
    #[serde(default, deserialize_with = "object_if_any")]
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
    #[serde(default)]
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "emails")]
    pub emails: Vec<Email>,
    /// `explicit`: added by hand; `implicit`: through Directory Sync. Other values may
    /// appear.
    #[serde(rename = "type", default)]
    pub membership: Lenient<Text>,
    /// When the member last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default)]
    pub last_login: Lenient<Text>,
}

/// A group of the directory (`GET /v1/directory-groups`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct DirectoryGroup {
    /// The group's id, like `directory_group_01HZX3M9Q2T7V5W8Y0ABCDEFGH`.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The group's name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// The identity provider's id of the group.
    #[serde(rename = "idpId", default)]
    pub idp_id: Lenient<Text>,
    /// When the group was created, RFC 3339.
    #[serde(rename = "createdAt", default)]
    pub created_at: Lenient<Text>,
    /// When the group was last changed, RFC 3339.
    #[serde(rename = "updatedAt", default)]
    pub updated_at: Lenient<Text>,
}

/// A member of a directory group (`GET /v1/directory-groups/{groupId}/members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct DirectoryGroupMember {
    /// The username; `None` for somebody who has no Northflank account yet.
    #[serde(default, deserialize_with = "lenient::id_if_any")]
    pub id: Option<Text>,
    /// The full name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "emails")]
    pub emails: Vec<Email>,
    /// When the user last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default)]
    pub last_login: Lenient<Text>,
}

/// A team of the organization (`GET /v1/teams`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Team {
    /// The team's slug.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The team's name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// The team's description.
    #[serde(default)]
    pub description: Lenient<Text>,
    /// The team's object id, which stays when its slug changes.
    #[serde(default)]
    pub uid: Lenient<Text>,
    /// When the team was created, RFC 3339.
    #[serde(rename = "createdAt", default)]
    pub created_at: Lenient<Text>,
}

/// A member of a team, or of a role of a team's (`GET /v1/teams/{teamId}/members`,
/// `GET /v1/teams/{teamId}/roles/{roleId}/members`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct TeamMember {
    /// The username; `None` for somebody whom Northflank gives none.
    #[serde(default, deserialize_with = "lenient::id_if_any")]
    pub id: Option<Text>,
    /// The full name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    #[serde(default, deserialize_with = "emails")]
    pub emails: Vec<Email>,
    /// When the member last logged in, RFC 3339.
    #[serde(rename = "lastLoginTime", default)]
    pub last_login: Lenient<Text>,
    /// Whether the account is fully set up, if Northflank says.
    #[serde(default)]
    pub finalized: Lenient<bool>,
}

/// A role of a team's (`GET /v1/teams/{teamId}/roles`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct TeamRole {
    /// The role's slug, which other teams' roles may have as well.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// The role's name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// The role's description.
    #[serde(default)]
    pub description: Lenient<Text>,
    /// To which of the team's projects the role is restricted; absent means to none.
    #[serde(default, deserialize_with = "lenient::object")]
    pub restrictions: Lenient<ProjectRestrictions>,
    /// When the role was created, RFC 3339.
    #[serde(rename = "createdAt", default)]
    pub created_at: Lenient<Text>,
    /// When the role was last changed, RFC 3339.
    #[serde(rename = "updatedAt", default)]
    pub updated_at: Lenient<Text>,
}

/// An API token of the organization's or a team's (`GET /v1/tokens`,
/// `GET /v1/teams/{teamId}/tokens`): all but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct ListedToken {
    /// The token's slug.
    #[serde(deserialize_with = "lenient::id")]
    pub id: Text,
    /// What its maker calls it.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// What it is for.
    #[serde(default)]
    pub description: Lenient<Text>,
    /// The role that it acts as.
    #[serde(default, deserialize_with = "lenient::object")]
    pub role: Lenient<ListedTokenRole>,
    /// The address of who made it.
    #[serde(rename = "creatorEmail", default)]
    pub creator_email: Lenient<Text>,
    /// When it was made, RFC 3339.
    #[serde(rename = "createdAt", default)]
    pub created_at: Lenient<Text>,
    /// When it expires, RFC 3339; absent means never.
    #[serde(rename = "expiresAt", default)]
    pub expires_at: Lenient<Text>,
    /// When it was last used, RFC 3339.
    #[serde(rename = "lastUsedAt", default)]
    pub last_used_at: Lenient<Text>,
    /// Whether it can be used, if Northflank says.
    #[serde(default)]
    pub active: Lenient<bool>,
    /// Whether somebody has put an end to it, if Northflank says.
    #[serde(default)]
    pub revoked: Lenient<bool>,
}

/// The role that a token acts as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct ListedTokenRole {
    /// The role's slug.
    #[serde(rename = "roleId", default)]
    pub id: Lenient<Text>,
    /// The role's name.
    #[serde(default)]
    pub name: Lenient<Text>,
    /// Whose role it is: `team` or `org`.
    #[serde(rename = "roleType", default)]
    pub role_type: Lenient<Text>,
}

impl ListedToken {
    /// Whether nothing says that it can't be used any more.
    pub fn is_active(&self) -> bool {
        self.active != Lenient::Read(false) && self.revoked != Lenient::Read(true)
    }
}

impl Email {
    /// Reads one: an object, a string or null.
    fn read(json: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default)]
            address: Lenient<ExactText>,
            #[serde(default)]
            verified: Lenient<bool>,
        }

        let Fields { address, verified } = if json.starts_with('{') {
            serde_json::from_str(json)?
        } else {
            Fields { address: Lenient::read(json)?, verified: Lenient::Absent }
        };
        Ok(Self { address: address.map(|ExactText(address)| address), verified })
    }
}

/// E-mail addresses. What is none stands among them as one that can't be read.
fn emails<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Email>, D::Error> {
    let json = Box::<RawValue>::deserialize(deserializer)?;
    let emails = match serde_json::from_str::<Option<Vec<&RawValue>>>(json.get()) {
        Ok(emails) => emails.unwrap_or_default(),
        Err(_) => {
            return Ok(vec![Email { address: Lenient::Malformed, verified: Lenient::Absent }]);
        }
    };
    let emails = emails.into_iter().map(|email| Email::read(email.get()));
    emails.collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// Objects, of which there may be none.
fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = Option::<Vec<StrictObject<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(objects.into_iter().map(|StrictObject(object)| object).collect())
}

/// An object that may be null.
fn object_if_any<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<StrictObject<T>>::deserialize(deserializer)?.map(|StrictObject(object)| object))
}

#[cfg(test)]
mod tests {
    use super::{
        DirectoryGroup, DirectoryGroupMember, Email, Lenient, ListedToken, Member, Role,
        RoleMember, TeamRole, Text,
    };
    use crate::northflank::text::json_text;

    fn read<T: serde::de::DeserializeOwned>(json: &str) -> serde_json::Result<T> {
        serde_json::from_str(&json_text(json.as_bytes()))
    }

    fn text(text: &str) -> Lenient<Text> {
        Lenient::Read(text.into())
    }

    #[test]
    fn a_member_may_consist_of_an_id_alone() {
        let member: Member = read(r#"{"id":"ada-q"}"#).unwrap();
        assert_eq!(&*member.id, "ada-q");
        assert_eq!(member.finalized, Lenient::Absent);
        assert!(member.emails.is_empty());
    }

    #[test]
    fn every_optional_field_may_be_null() {
        let json = r#"{"id":"a","name":null,"emails":null,"joinedAt":null,"finalized":null}"#;
        assert_eq!(read::<Member>(json).unwrap().name, Lenient::Absent);
        let json = r#"{"id":"a","name":null,"description":null,"restrictions":null,
            "directoryGroups":null,"createdAt":null,"updatedAt":null}"#;
        assert!(read::<Role>(json).unwrap().directory_groups.is_empty());
        let json = r#"{"id":"g","name":null,"idpId":null,"createdAt":null,"updatedAt":null}"#;
        assert_eq!(read::<DirectoryGroup>(json).unwrap().idp_id, Lenient::Absent);
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
            "[true,[]]",
            r#"{"enabled":true,"teams":[["a",null]]}"#,
            r#"{"enabled":true,"teams":[{"teamId":"a","restrictions":[true,["p"],"in"]}]}"#,
            r#"{"enabled":true,"teams":[{"teamId":3}]}"#,
            r#"{"enabled":true,"teams":[{"teamId":"\ud83d"}]}"#,
            r#"{"enabled":true,"teams":[{"teamId":"a","restrictions":{"projects":["\ud83d"]}}]}"#,
        ] {
            let role: Role = read(&format!(r#"{{"id":"r","restrictions":{malformed}}}"#)).unwrap();
            assert_eq!(role.restrictions, Lenient::Malformed, "{malformed}");
        }
    }

    #[test]
    fn what_is_no_object_is_read_by_no_order_of_its_parts() {
        for odd in ["[]", r#"["owner","Owner","org"]"#, r#"[true,["p"],"in"]"#, "[[1]]", "7"] {
            let token: ListedToken = read(&format!(r#"{{"id":"ci","role":{odd}}}"#)).unwrap();
            assert_eq!(token.role, Lenient::Malformed, "{odd}");
            let role: TeamRole = read(&format!(r#"{{"id":"r","restrictions":{odd}}}"#)).unwrap();
            assert_eq!(role.restrictions, Lenient::Malformed, "{odd}");
        }
    }

    #[test]
    fn what_a_sync_can_do_without_may_be_anything_and_is_known_to_be_malformed() {
        for odd in ["7", "1e999", "{}", r#"["2025-03-04T09:12:07.018Z"]"#, "true", "[[[{}]]]"] {
            let json = format!(
                r#"{{"id":"a","name":{odd},"description":{odd},"joinedAt":{odd},"createdAt":{odd},
                "updatedAt":{odd},"idpId":{odd},"lastLoginTime":{odd},"type":{odd},
                "restrictions":{odd},"verified":{odd}}}"#
            );
            let member: Member = read(&json).unwrap();
            let texts = [member.name, member.joined_at, member.last_login];
            assert!(texts.iter().all(Lenient::is_malformed), "{json}");
            let Role { name, description, created_at, updated_at, .. } = read(&json).unwrap();
            let texts = [name, description, created_at, updated_at];
            assert!(texts.iter().all(Lenient::is_malformed), "{json}");
            let RoleMember { name, membership, last_login, .. } = read(&json).unwrap();
            let texts = [name, membership, last_login];
            assert!(texts.iter().all(Lenient::is_malformed), "{json}");
            let DirectoryGroup { name, idp_id, created_at, updated_at, .. } = read(&json).unwrap();
            let texts = [name, idp_id, created_at, updated_at];
            assert!(texts.iter().all(Lenient::is_malformed), "{json}");
            let DirectoryGroupMember { name, last_login, .. } = read(&json).unwrap();
            assert!(name.is_malformed() && last_login.is_malformed(), "{json}");
        }
        for odd in ["7", "1e999", "{}", "[true]", r#""true""#] {
            let member: Member = read(&format!(r#"{{"id":"a","finalized":{odd}}}"#)).unwrap();
            assert_eq!(member.finalized, Lenient::Malformed, "{odd}");
        }
        let member: Member = read(r#"{"id":"a","lastLoginTime":"soon\ud83d"}"#).unwrap();
        assert_eq!(member.last_login, text("soon\u{fffd}"));
    }

    #[test]
    fn what_is_no_address_costs_no_more_than_itself() {
        let emails = |json: &str| {
            let json = format!(r#"{{"id":"a","emails":{json}}}"#);
            let emails = read::<DirectoryGroupMember>(&json).unwrap().emails;
            assert_eq!(read::<Member>(&json).unwrap().emails, emails);
            assert_eq!(read::<RoleMember>(&json).unwrap().emails, emails);
            emails
        };
        let address = |address| Email { address, verified: Lenient::Absent };
        for odd in ["7", "1e999", "{}", "true", r#""a@b.test""#] {
            assert_eq!(emails(odd), [address(Lenient::Malformed)], "{odd}");
        }
        for odd in ["7", "[]", "true", r#""a\ud83d@b.test""#] {
            let several = emails(&format!(r#"["x@b.test",{odd},{{"address":{odd}}},"y@b.test"]"#));
            let malformed = || address(Lenient::Malformed);
            let expected = [address(text("x@b.test")), malformed(), malformed()];
            assert_eq!(several[..3], expected, "{odd}");
            assert_eq!(several[3..], [address(text("y@b.test"))], "{odd}");
            let verified = emails(r#"[{"address":"x@b.test","verified":"yes"}]"#);
            assert_eq!(verified[0].verified, Lenient::Malformed);
            assert_eq!(verified[0].address, text("x@b.test"));
        }
        assert_eq!(emails("null"), []);
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_only_where_it_is_read() {
        for read_twice in [
            r#""id":"b""#,
            r#""\u0069d":"a""#,
            r#""name":"a","name":"b""#,
            r#""name":null,"name":7"#,
            r#""emails":[],"emails":[]"#,
            r#""emails":[{"address":"a@b.test","address":"c@b.test"}]"#,
            r#""emails":[{"verified":true,"verified":true}]"#,
            r#""finalized":true,"finalized":false"#,
            r#""lastLoginTime":"a","lastLoginTime":"b""#,
        ] {
            let json = format!(r#"{{"id":"a",{read_twice}}}"#);
            let error = read::<Member>(&json).unwrap_err().to_string();
            assert!(error.contains("duplicate field"), "{json}: {error}");
        }
        for read_twice in [
            r#""directoryGroups":["a"],"directoryGroups":[]"#,
            r#""restrictions":{"enabled":true,"enabled":false}"#,
            r#""restrictions":{"teams":[{"teamId":"a","teamId":"b"}]}"#,
        ] {
            assert!(
                read::<Role>(&format!(r#"{{"id":"a",{read_twice}}}"#)).is_err(),
                "{read_twice}"
            );
        }
        for nobodys in [
            r#""other":1,"other":2"#,
            r#""other":{"a":1,"a":1}"#,
            r#""emails":[{"address":"a@b.test","a":1,"a":2}]"#,
            r#""directoryGroups":["a"],"directoryGroups":[]"#,
            r#""\ud83d":1,"\ud83d":2"#,
        ] {
            let member: Member = read(&format!(r#"{{"id":"a",{nobodys}}}"#)).unwrap();
            assert_eq!(&*member.id, "a");
        }
    }

    #[test]
    fn emails_may_be_objects_strings_or_a_mixture() {
        let json = r#"{"id":"a","emails":["x@b.test",{"address":"y@b.test","verified":true},
            null,{"verified":false},{"address":null},{"address":"z@b.test","more":{"a":[1]}}]}"#;
        let addresses: Vec<_> = read::<Member>(json)
            .unwrap()
            .emails
            .into_iter()
            .filter_map(|Email { address, verified }| {
                Some((address.into_option()?.to_string(), verified.into_option()))
            })
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
        let Lenient::Read(restrictions) = role.restrictions else {
            panic!("{role:?}");
        };
        let team = &restrictions.teams[0];
        assert_eq!(team.restrictions.as_ref().unwrap().mode, Some(Text::from("only")));
    }

    #[test]
    fn half_a_surrogate_pair_in_a_name_does_not_fail_the_page() {
        let member: Member = read(r#"{"id":"a","name":"x\ud83dy \ud83d\ude00"}"#).unwrap();
        let name = member.name.into_option().unwrap();
        assert!(name.starts_with('x') && name.ends_with("y 😀"), "{name:?}");
        assert!(name.contains('\u{fffd}'));
    }
}
