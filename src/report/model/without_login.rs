//! Resources without what they say of somebody's last login. A login alone is no change of
//! access, and would be told of almost everybody at every sync.

use std::borrow::Cow;

use prost::{DecodeError, Message};

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};

use super::message_fields::{FieldEdit, holds, kept};
use super::profile_keys::{LAST_LOGIN, is_our_user};

/// Field numbers: of `c1.connector.v2.Resource`,
const ANNOTATIONS: u32 = 4;
const PROFILE: u32 = 9;
/// `google.protobuf.Any`,
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;
/// `c1.connector.v2.UserTrait`,
const TRAIT_PROFILE: u32 = 3;
const TRAIT_LAST_LOGIN: u32 = 9;
/// `google.protobuf.Struct`, and an entry of its map.
const ENTRIES: u32 = 1;
const KEY: u32 = 1;

/// An encoded resource without the last login: without the trait's field and, in a user of
/// this connector's, without the profile's key. All else stays as it is, fields that are not
/// known here too, so that whatever else changed is still a change.
pub fn without_login(encoded: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let resource = Resource::decode(encoded)?;
    let Some(user) = find::<UserTrait>(&resource.annotations) else {
        return Ok(encoded.into());
    };
    let is_ours = is_our_user(&resource, &user);
    let of_profile = |number, value: &[u8]| match number {
        ENTRIES if is_login(value)? => Ok(FieldEdit::Nothing),
        _ => Ok(FieldEdit::All),
    };
    let of_trait = |number, value: &[u8]| match number {
        TRAIT_LAST_LOGIN => Ok(FieldEdit::Nothing),
        TRAIT_PROFILE if is_ours => Ok(FieldEdit::Part(kept(value, of_profile)?)),
        _ => Ok(FieldEdit::All),
    };
    let of_annotation = |number, value: &[u8]| match number {
        VALUE => Ok(FieldEdit::Part(kept(value, of_trait)?)),
        _ => Ok(FieldEdit::All),
    };
    let of_resource = |number, value: &[u8]| match number {
        ANNOTATIONS if is_user_trait(value)? => Ok(FieldEdit::Part(kept(value, of_annotation)?)),
        PROFILE if is_ours => Ok(FieldEdit::Part(kept(value, of_profile)?)),
        _ => Ok(FieldEdit::All),
    };
    Ok(kept(encoded, of_resource)?.into())
}

fn is_user_trait(annotation: &[u8]) -> Result<bool, DecodeError> {
    holds(annotation, TYPE_URL, <UserTrait as prost::Name>::type_url().as_bytes())
}

fn is_login(entry: &[u8]) -> Result<bool, DecodeError> {
    holds(entry, KEY, LAST_LOGIN.as_bytes())
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::Timestamp;

    use super::without_login;
    use crate::baton::v2::{Resource, UserTrait};
    use crate::baton::{Profile, annotation};
    use crate::connector::{unlisted_user, user};

    fn member(name: &str, last_login: &str) -> Vec<u8> {
        let json = format!(r#"{{"id":"ada","name":"{name}","lastLoginTime":"{last_login}"}}"#);
        user(&serde_json::from_str(&json).unwrap()).encode_to_vec()
    }

    fn stripped(encoded: &[u8]) -> Vec<u8> {
        without_login(encoded).unwrap().into_owned()
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
        assert!(without_login(&[0xff]).is_err());
    }
}
