//! Resources without what is no change of them. A login alone, or a token's use, is none of access,
//! and would be told of almost everybody at every sync; and what only one of two versions of the connector tells
//! would be told of everybody after an upgrade.

use std::borrow::Cow;
use std::collections::BTreeSet;

use prost::{DecodeError, Message, Name};

use crate::baton::find;
use crate::baton::v2::{GroupTrait, Resource, RoleTrait, SecretTrait, UserTrait};
use crate::c1z::{FinishedSync, ProfileKeys};

use super::message_fields::{FieldEdit, bytes_of, edit_fields};
use super::profile_keys::{LAST_LOGIN, LAST_USED_AT, is_our_token, is_our_user};

/// Field numbers: of `c1.connector.v2.Resource`,
const ANNOTATIONS: u32 = 4;
const PROFILE: u32 = 9;
/// `google.protobuf.Any`,
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;
/// `c1.connector.v2.UserTrait`, `SecretTrait`, `GroupTrait` and `RoleTrait`,
const USER_PROFILE: u32 = 3;
const USER_LAST_LOGIN: u32 = 9;
const SECRET_PROFILE: u32 = 1;
const SECRET_LAST_USED_AT: u32 = 4;
const GROUP_PROFILE: u32 = 2;
const ROLE_PROFILE: u32 = 1;
/// `google.protobuf.Struct`, and an entry of its map.
const ENTRIES: u32 = 1;
const KEY: u32 = 1;

/// What of the resources of two syncs can't be compared.
#[derive(Debug, Default)]
pub struct Incomparable {
    /// Of the profiles of each resource type, what one of the two doesn't know.
    keys: ProfileKeys,
}

impl Incomparable {
    /// Of two syncs.
    pub fn between(old: &FinishedSync, new: &FinishedSync) -> Self {
        let mut keys = ProfileKeys::new();
        // Where one doesn't say what it knows, all that is there counts.
        if let (Some(old), Some(new)) = (&old.profile_keys, &new.profile_keys) {
            let none = BTreeSet::new();
            for resource_type in old.keys().chain(new.keys()) {
                let [old, new] = [old, new].map(|of| of.get(resource_type).unwrap_or(&none));
                let differ = old.symmetric_difference(new).cloned().collect();
                keys.insert(resource_type.clone(), differ);
            }
        }
        Self { keys }
    }

    /// An encoded resource without it: without a user's last login or a token's last use (the
    /// trait's field and, in one of this connector's, the profile's key), and without what one of the two syncs doesn't
    /// know. All else stays as it is, fields that are not known here too, so that whatever else
    /// changed is still a change.
    pub fn without<'message>(
        &self,
        encoded: &'message [u8],
    ) -> Result<Cow<'message, [u8]>, DecodeError> {
        let resource = Resource::decode(encoded)?;
        let last_use = LastUse::of(&resource);
        let resource_type = resource.id.as_ref().map(|id| id.resource_type.as_str());
        let unknown = resource_type.and_then(|it| self.keys.get(it)).filter(|it| !it.is_empty());
        if last_use.is_none() && unknown.is_none() {
            return Ok(encoded.into());
        }
        let last_use = last_use.and_then(|it| it.key);
        let is_left_out = |key: &[u8]| {
            let is_unknown = |keys: &BTreeSet<String>| keys.iter().any(|it| it.as_bytes() == key);
            last_use.is_some_and(|it| key == it.as_bytes()) || unknown.is_some_and(is_unknown)
        };
        let of_profile = |number, value: &[u8]| match number {
            ENTRIES if is_left_out(bytes_of(value, KEY)?) => Ok(FieldEdit::Nothing),
            _ => Ok(FieldEdit::All),
        };
        let profile = |value: &[u8]| Ok(FieldEdit::Part(edit_fields(value, of_profile)?));
        let of_annotation = |trait_profile: u32, trait_last_use: Option<u32>| {
            move |number, value: &[u8]| match number {
                VALUE => {
                    Ok(FieldEdit::Part(edit_fields(value, |number, value: &[u8]| match number {
                        number if Some(number) == trait_last_use => Ok(FieldEdit::Nothing),
                        number if number == trait_profile => profile(value),
                        _ => Ok(FieldEdit::All),
                    })?))
                }
                _ => Ok(FieldEdit::All),
            }
        };
        let of_resource = |number, value: &[u8]| match number {
            ANNOTATIONS => match trait_profile(bytes_of(value, TYPE_URL)?) {
                Some((number, last_use)) => {
                    Ok(FieldEdit::Part(edit_fields(value, of_annotation(number, last_use))?))
                }
                None => Ok(FieldEdit::All),
            },
            PROFILE => profile(value),
            _ => Ok(FieldEdit::All),
        };
        Ok(edit_fields(encoded, of_resource)?.into())
    }
}

/// What tells the last login of a user, or the last use of a secret.
struct LastUse {
    /// The key of the profile, if that is this connector's.
    key: Option<&'static str>,
}

impl LastUse {
    /// Of a user or secret.
    fn of(resource: &Resource) -> Option<Self> {
        let key = if let Some(user) = find::<UserTrait>(&resource.annotations) {
            is_our_user(resource, &user).then_some(LAST_LOGIN)
        } else {
            find::<SecretTrait>(&resource.annotations)?;
            is_our_token(resource).then_some(LAST_USED_AT)
        };
        Some(Self { key })
    }
}

/// Where the trait of this URL has its profile, and the time of the last login or use.
fn trait_profile(url: &[u8]) -> Option<(u32, Option<u32>)> {
    let is = |name: String| name.as_bytes() == url;
    match () {
        () if is(UserTrait::type_url()) => Some((USER_PROFILE, Some(USER_LAST_LOGIN))),
        () if is(SecretTrait::type_url()) => Some((SECRET_PROFILE, Some(SECRET_LAST_USED_AT))),
        () if is(GroupTrait::type_url()) => Some((GROUP_PROFILE, None)),
        () if is(RoleTrait::type_url()) => Some((ROLE_PROFILE, None)),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::Timestamp;

    use super::Incomparable;
    use crate::baton::v2::{Resource, UserTrait};
    use crate::baton::{Profile, annotation};
    use crate::c1z::FinishedSync;
    use crate::connector::{ResourceContext, RowContent, role, unlisted_user, user};
    use crate::northflank::{List, ListKind, Page};

    fn member(name: &str, last_login: &str) -> Vec<u8> {
        let json = format!(r#"{{"id":"ada","name":"{name}","lastLoginTime":"{last_login}"}}"#);
        user(&serde_json::from_str(&json).unwrap()).encode_to_vec()
    }

    fn stripped(encoded: &[u8]) -> Vec<u8> {
        Incomparable::default().without(encoded).unwrap().into_owned()
    }

    #[test]
    fn users_of_this_connector_that_differ_in_their_logins_only_are_the_same() {
        let before = stripped(&member("Ada", "2026-11-01T10:00:00Z"));
        assert_eq!(before, stripped(&member("Ada", "2026-11-02T10:00:00Z")));
        assert_eq!(before, stripped(&member("Ada", "yesterday")));
        assert_eq!(before, stripped(&member("Ada", "")), "the first login ever");
        assert_ne!(before, stripped(&member("Ada Q", "2026-11-01T10:00:00Z")));
        let unlisted = |login: &str| unlisted_user("ada", None, &[], Some(&login.into()));
        let unlisted = |login| stripped(&unlisted(login).encode_to_vec());
        assert_eq!(unlisted("2026-11-01T10:00:00Z"), unlisted("2026-11-02T10:00:00Z"));
    }

    #[test]
    fn tokens_of_this_connector_that_differ_in_their_last_use_only_are_the_same() {
        let token = |name: &str, last_used_at: &str| {
            let row = format!(r#"{{"id":"ci","name":"{name}","lastUsedAt":{last_used_at}}}"#);
            let list = List::of(ListKind::TeamTokens, "core".into());
            let body = format!(r#"{{"data":{{"tokens":[{row}]}}}}"#);
            let page = Page::read(list, body.as_bytes(), true, true).unwrap();
            let RowContent::Resources(rows) = RowContent::of(&page.list, page.rows) else {
                panic!()
            };
            stripped(&rows[0].resource(&ResourceContext::default()).encode_to_vec())
        };
        let before = token("CI", r#""2026-11-01T10:00:00Z""#);
        for later in [r#""2026-11-02T10:00:00Z""#, "null", "7"] {
            assert_eq!(before, token("CI", later), "{later}");
        }
        assert_ne!(before, token("CD", r#""2026-11-01T10:00:00Z""#));
    }

    #[test]
    fn of_other_connectors_users_only_the_traits_field_is_a_login() {
        let other = |seconds, fact: &str| {
            let login = UserTrait {
                login: "a@b.test".into(),
                last_login: Some(Timestamp { seconds, nanos: 0 }),
                ..UserTrait::default()
            };
            let profile = Profile::new().text("id", Some("1")).text("last_login_at", Some(fact));
            let resource = Resource {
                display_name: "Ada".into(),
                annotations: vec![annotation(&login)],
                profile: Some(profile.build()),
                ..Resource::default()
            };
            stripped(&resource.encode_to_vec())
        };
        assert_eq!(other(1, "x"), other(2, "x"));
        assert_ne!(other(1, "x"), other(1, "y"));
    }

    #[test]
    fn fields_that_nobody_here_knows_stay_a_difference() {
        let with = |field: &[u8]| {
            let mut encoded = member("Ada", "2026-11-01T10:00:00Z");
            // Of the resource, one number far beyond those in use.
            encoded.extend_from_slice(field);
            stripped(&encoded)
        };
        let (one, other) = ([0xf8, 0x3f, 1], [0xf8, 0x3f, 2]);
        assert_ne!(with(&one), with(&other));
        assert!(with(&one).ends_with(&one));
        assert!(Incomparable::default().without(&[0xff]).is_err());
    }

    fn sync(keys: Option<&[(&str, &[&str])]>) -> FinishedSync {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let keys = keys.map(|of| of.iter().map(|(it, keys)| ((*it).to_owned(), owned(keys))));
        FinishedSync {
            file: "f".into(),
            sync_id: "s".into(),
            ended_at: "2026".into(),
            is_utc: true,
            reduced_to: None,
            organization: None,
            profile_keys: keys.map(Iterator::collect),
            types: Vec::new(),
        }
    }

    #[test]
    fn what_only_one_version_of_the_connector_tells_is_no_change() {
        let user_of = |name: &str| user(&serde_json::from_str(name).unwrap()).encode_to_vec();
        let role_of = |json: &str| role(&serde_json::from_str(json).unwrap()).encode_to_vec();
        let old = sync(Some(&[("user", &["id", "name"]), ("role", &["id"])]));
        let new = sync(Some(&[("user", &["id", "name", "joined_at"]), ("role", &["id", "name"])]));
        let (bare, full) =
            (user_of(r#"{"id":"ada"}"#), user_of(r#"{"id":"ada","lastLoginTime":"2026"}"#));
        let (joined, other) = (role_of(r#"{"id":"r","name":"r"}"#), role_of(r#"{"id":"r"}"#));
        for between in [Incomparable::between(&old, &new), Incomparable::between(&new, &old)] {
            assert_eq!(between.without(&bare).unwrap(), between.without(&full).unwrap());
            assert_eq!(between.without(&joined).unwrap(), between.without(&other).unwrap());
            let renamed = user_of(r#"{"id":"ada","name":"Ada"}"#);
            assert_ne!(between.without(&bare).unwrap(), between.without(&renamed).unwrap());
        }
        for between in [
            Incomparable::between(&new, &new),
            Incomparable::between(&sync(None), &new),
            Incomparable::between(&new, &sync(None)),
        ] {
            assert_ne!(between.without(&joined).unwrap(), between.without(&other).unwrap());
        }
    }
}
