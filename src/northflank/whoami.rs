//! Whose token it is: what `GET /v1/auth` says, as far as it says it in the documented form.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, UtcOffset};

use super::lenient::{Lenient, StrictObject, TWICE};
use super::text::{Text, json_text};
use super::text_format::one_line;
use crate::digest::sha256;

/// Whose token it is. Whatever isn't said, or not as documented, is `None`. Texts are fit for a
/// log line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whoami {
    /// What the token belongs to.
    pub owner: Option<TokenOwner>,
    /// The owner's slug.
    pub slug: Option<String>,
    /// The organization's slug.
    pub organization_slug: Option<String>,
    /// The organization's object id, which stays when its slug or the token changes.
    pub organization_uid: Option<String>,
    /// What the token is called, or else its id.
    pub token: Option<String>,
    /// What its role is called, or else the role's id.
    pub role: Option<String>,
    pub role_id: Option<String>,
    /// When it stops being valid.
    pub expiry: TokenExpiry,
    /// What it may do, for comparison only.
    pub access: TokenPermissions,
}

/// When a token stops being valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenExpiry {
    /// Never: none is said.
    #[default]
    Never,
    /// At this time.
    At(OffsetDateTime),
    /// Something is said, but not in the documented form.
    Unreadable,
}

/// What a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    Organization,
    /// One of its teams.
    Team,
}

impl TokenPermissions {
    /// Whether it tells enough to notice a change: a role, and what the role allows.
    pub fn is_known(&self) -> bool {
        self.role.is_some() && !self.permissions.is_empty()
    }
}

impl fmt::Display for TokenOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Organization => "organization",
            Self::Team => "team",
        })
    }
}

/// What a token may do: its role and permissions, in words of Northflank's that nobody
/// documents. Good for telling whether anything has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenPermissions {
    owner: Option<String>,
    role: Option<String>,
    /// Each with its scope.
    permissions: BTreeSet<(String, String)>,
}

impl Whoami {
    /// Reads an answer, or says why it is none.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let answer = serde_json::from_str(&json_text(body));
        let StrictObject(WhoamiBody { data: StrictObject(data) }) =
            answer.map_err(|error| error.to_string())?;
        let role = data.role.into_option().map(|StrictObject(role)| role).unwrap_or_default();
        let owner = match data.entity_type.as_deref() {
            Some("org") => Some(TokenOwner::Organization),
            Some("team") => Some(TokenOwner::Team),
            _ => None,
        };
        let (organization_slug, organization_uid) = match owner {
            Some(TokenOwner::Organization) => (line(&data.entity_id), line(&data.entity_uid)),
            Some(TokenOwner::Team) => (line(&data.org_id), line(&data.org_uid)),
            None => (None, None),
        };
        Ok(Self {
            owner,
            slug: line(&data.entity_id),
            organization_slug,
            organization_uid,
            token: line(&data.name).or_else(|| line(&data.id)),
            role: line(&role.name).or_else(|| line(&role.role_id)),
            role_id: line(&role.role_id),
            expiry: match data.expires_at {
                Lenient::Absent => TokenExpiry::Never,
                Lenient::Read(time) => OffsetDateTime::parse(time.trim(), &Rfc3339)
                    .map_or(TokenExpiry::Unreadable, TokenExpiry::At),
                Lenient::Malformed => TokenExpiry::Unreadable,
            },
            access: TokenPermissions {
                owner: line(&data.entity_uid),
                role: line(&role.role_id).or_else(|| line(&role.name)),
                permissions: data.permissions.into_option().map(|it| it.0).unwrap_or_default(),
            },
        })
    }

    /// The token by its name and role, as far as they are known: `the API token Access review
    /// (role Auditor)`.
    pub fn name(&self) -> String {
        let mut text = "the API token".to_owned();
        if let Some(token) = &self.token {
            let _ = write!(text, " {token}");
        }
        if let Some(role) = &self.role {
            let _ = write!(text, " (role {role})");
        }
        text
    }

    /// The same with its owner, if that is known: `… of the organization acme`.
    pub fn full_name(&self) -> String {
        match (self.owner, &self.slug) {
            (Some(owner), Some(slug)) => format!("{} of the {owner} {slug}", self.name()),
            _ => self.name(),
        }
    }

    /// SHA-256 of `salt` and the organization's object id, if that is known: tells organizations
    /// apart.
    pub fn organization_digest(&self, salt: &[u8]) -> Option<[u8; 32]> {
        let uid = self.organization_uid.as_ref()?;
        Some(sha256([salt, uid.as_bytes()]))
    }

    /// When it expires, if that is said.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        match self.expiry {
            TokenExpiry::At(expires_at) => Some(expires_at),
            TokenExpiry::Never | TokenExpiry::Unreadable => None,
        }
    }

    /// The day on which it expires, in UTC.
    pub fn expiry_day(&self) -> Option<Date> {
        self.expires_at().map(|expires_at| expires_at.to_offset(UtcOffset::UTC).date())
    }

    /// Whether the token is said to have expired by `now`.
    pub fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at().is_some_and(|expires_at| expires_at <= now)
    }
}

#[derive(Deserialize)]
struct WhoamiBody {
    data: StrictObject<WhoamiData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WhoamiData {
    #[serde(default)]
    id: Lenient<Text>,
    #[serde(default)]
    name: Lenient<Text>,
    #[serde(default)]
    entity_type: Lenient<Text>,
    #[serde(default)]
    entity_id: Lenient<Text>,
    #[serde(default)]
    entity_uid: Lenient<Text>,
    #[serde(default)]
    org_id: Lenient<Text>,
    #[serde(default)]
    org_uid: Lenient<Text>,
    #[serde(default)]
    role: Lenient<StrictObject<TokenRole>>,
    #[serde(default)]
    permissions: Lenient<ScopedPermissions>,
    #[serde(default)]
    expires_at: Lenient<Text>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRole {
    #[serde(default)]
    role_id: Lenient<Text>,
    #[serde(default)]
    name: Lenient<Text>,
}

/// Each with its scope.
struct ScopedPermissions(BTreeSet<(String, String)>);

impl<'de> Deserialize<'de> for ScopedPermissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ScopedPermissionsVisitor)
    }
}

struct ScopedPermissionsVisitor;

impl<'de> Visitor<'de> for ScopedPermissionsVisitor {
    type Value = ScopedPermissions;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("lists of names by scope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ScopedPermissions, A::Error> {
        let mut scopes = BTreeSet::new();
        let mut permissions = BTreeSet::new();
        while let Some(scope) = map.next_key::<String>()? {
            let names = map.next_value::<Lenient<Vec<Lenient<Text>>>>()?;
            let names = names.into_option().into_iter().flatten();
            let names = names.filter_map(Lenient::into_option).map(String::from);
            permissions.extend(names.map(|name| (scope.clone(), name)));
            if let Some(scope) = scopes.replace(scope) {
                return Err(A::Error::custom(format_args!("{TWICE} `{scope}`")));
            }
        }
        Ok(ScopedPermissions(permissions))
    }
}

/// A text that is fit for a log line, unless it is blank.
fn line(text: &Lenient<Text>) -> Option<String> {
    text.as_deref().map(one_line).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::{date, datetime};

    use super::{TokenExpiry, TokenOwner, Whoami};

    fn read(data: &Value) -> Whoami {
        Whoami::read(json!({"data": data}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_organizations_token_tells_all() {
        let whoami = read(&json!({
            "tokenKind": "api", "id": "t-1", "name": "Access\n review", "entityType": "org",
            "entityId": "acme", "entityUid": "65a4", "role": {"roleId": "r-1", "name": "Auditor"},
            "permissions": {"orgScope": ["a", "b"], "teamScope": []},
            "createdAt": "2026-01-15T08:00:00.000Z", "expiresAt": "2026-12-01T00:00:00.000Z",
        }));
        assert_eq!(whoami.owner, Some(TokenOwner::Organization));
        assert_eq!(whoami.slug.as_deref(), Some("acme"));
        assert_eq!(whoami.organization_uid.as_deref(), Some("65a4"));
        assert_eq!(whoami.token.as_deref(), Some("Access  review"));
        assert_eq!(whoami.role.as_deref(), Some("Auditor"));
        assert_eq!(whoami.expiry, TokenExpiry::At(datetime!(2026-12-01 0:00 UTC)));
        assert_eq!(whoami.expiry_day(), Some(date!(2026 - 12 - 01)));
        let called = "the API token Access  review (role Auditor) of the organization acme";
        assert_eq!(whoami.full_name(), called);
        assert_eq!(Whoami::default().full_name(), "the API token");
        assert!(!whoami.has_expired(datetime!(2026-11-30 23:59:59 UTC)));
        assert!(whoami.has_expired(datetime!(2026-12-01 0:00 UTC)));
    }

    #[test]
    fn a_teams_token_names_its_organization_and_names_give_way_to_ids() {
        let whoami = read(&json!({
            "id": "t-1", "entityType": "team", "entityId": "core", "entityUid": "65b0",
            "orgId": "acme", "orgUid": "65a4", "role": {"roleId": "r-1"}, "expiresAt": null,
        }));
        assert_eq!((whoami.owner, whoami.expiry), (Some(TokenOwner::Team), TokenExpiry::Never));
        assert_eq!(whoami.organization_slug.as_deref(), Some("acme"));
        assert_eq!(whoami.organization_uid.as_deref(), Some("65a4"));
        assert_eq!((whoami.token.as_deref(), whoami.role.as_deref()), (Some("t-1"), Some("r-1")));
    }

    #[test]
    fn odd_values_cost_no_more_than_what_they_would_say() {
        let odd = read(&json!({
            "id": ["a"], "name": "", "entityType": "galaxy", "entityId": "acme",
            "entityUid": 12, "role": "admin", "permissions": ["all"], "expiresAt": 1_893_456_000,
        }));
        let unreadable = Whoami { expiry: TokenExpiry::Unreadable, ..Whoami::default() };
        assert_eq!(odd, Whoami { slug: Some("acme".into()), ..unreadable.clone() });
        for expiry in [json!("20000-01-01T00:00:00Z"), json!("soon"), json!(""), json!(0)] {
            assert_eq!(read(&json!({"expiresAt": expiry})), unreadable);
        }
        assert_eq!(read(&json!({"expiresAt": null})), Whoami::default());
        assert_eq!(read(&json!({})), Whoami::default());
        let nobodys = r#"{"data":{"scope":1,"scope":2,"createdAt":"\ud83d"},"a":1,"a":1}"#;
        assert_eq!(Whoami::read(nobodys.as_bytes()), Ok(Whoami::default()));
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"data":null}"#,
            r#"{"data":[1]}"#,
            "7",
            r#"{"data":{"id":"a","\u0069d":"b"}}"#,
            r#"{"data":{"role":{"name":"a","name":"b"}}}"#,
            r#"{"data":{"permissions":{"a":["b"],"a":["c"]}}}"#,
        ] {
            assert!(Whoami::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn access_is_the_same_in_any_order_and_differs_by_role_permission_scope_and_owner() {
        let access = |uid: &str, role: &str, permissions: Value| {
            let role = json!({"roleId": role});
            read(&json!({"entityUid": uid, "role": role, "permissions": permissions})).access
        };
        let known = access("1", "r", json!({"orgScope": ["a", "b"]}));
        assert_eq!(known, access("1", "r", json!({"orgScope": ["b", "a", "a"], "teamScope": []})));
        assert!(known.is_known());
        assert!(!access("1", "r", json!({})).is_known());
        assert!(!read(&json!({"permissions": {"orgScope": ["a"]}})).access.is_known());
        for other in [
            access("1", "r", json!({"orgScope": ["a"]})),
            access("1", "r", json!({"teamScope": ["a", "b"]})),
            access("1", "s", json!({"orgScope": ["a", "b"]})),
            access("2", "r", json!({"orgScope": ["a", "b"]})),
        ] {
            assert_ne!(known, other);
        }
    }
}
