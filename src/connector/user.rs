//! Organization members as users.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::user_trait::{self, AccountType};
use crate::baton::v2::{Resource, ResourceId, Status, UserTrait, status::ResourceStatus};
use crate::baton::{Profile, annotation};
use crate::northflank::{Email, Lenient, ListKind, Member, Text};

use super::resource_type::ResourceTypeSpec;
use super::text::{display_name, timestamp};

/// The resource type of organization members.
pub const USER: &str = "user";

/// Users hold grants and have none to give.
pub(super) static USER_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: USER,
    display_name: "User",
    kind: Trait::User,
    profile_keys: &["id", "name", "email", "email_verified", "finalized", "joined_at", LAST_LOGIN],
    lists: &[ListKind::Members],
    entitlement: None,
    opt_in: None,
    brings: &[],
};

/// The key of a user's profile that tells the last login. Whoever compares files has to know it: a
/// login is no change.
pub const LAST_LOGIN: &str = "last_login_at";

/// What the status of a user says whom the member list lacks.
pub const NOT_LISTED: &str = "not in the organization's member list";

/// The key of the profile of somebody who is only in teams, which says `false` there.
pub const ORGANIZATION_MEMBER: &str = "organization_member";

/// Whether somebody can use the account, and why not.
fn status(finalized: &Lenient<bool>) -> (ResourceStatus, &'static str) {
    // Only an explicit `false` means that somebody can't use the account yet.
    match finalized {
        Lenient::Read(false) => (ResourceStatus::Disabled, "account set-up not finished"),
        Lenient::Read(true) | Lenient::Absent => (ResourceStatus::Enabled, ""),
        Lenient::Malformed => (
            ResourceStatus::Unspecified,
            "whether the account set-up is finished is told in a form that can't be read",
        ),
    }
}

/// A member of the organization.
pub fn user(member: &Member) -> Resource {
    let (status, details) = status(&member.finalized);
    let profile = Profile::new()
        .flag("finalized", member.finalized.as_ref().copied())
        .text("joined_at", member.joined_at.as_ref().and_then(Text::filled))
        .text(LAST_LOGIN, member.last_login.as_ref().and_then(Text::filled));
    let mut resource =
        resource(&member.id, member.name.as_ref(), &member.emails, status, details, profile);
    resource.created_at = timestamp(member.joined_at.as_ref());
    with_trait(resource, &member.emails, member.last_login.as_ref())
}

/// Somebody whom a role or group lists but the organization's member list doesn't: joined or
/// left meanwhile, or not provisioned yet. Kept, so that no access is lost.
pub fn unlisted_user(
    id: &str,
    name: Option<&Text>,
    emails: &[Email],
    last_login: Option<&Text>,
) -> Resource {
    let status = ResourceStatus::Unspecified;
    let profile = Profile::new().text(LAST_LOGIN, last_login.and_then(Text::filled));
    with_trait(resource(id, name, emails, status, NOT_LISTED, profile), emails, last_login)
}

/// Somebody who is in teams and in no list of the organization's: from outside, or gone from the
/// organization but not from its teams.
pub fn outside_user(
    id: &str,
    name: Option<&Text>,
    emails: &[Email],
    last_login: Option<&Text>,
    finalized: &Lenient<bool>,
) -> Resource {
    let (status, details) = status(finalized);
    let profile = Profile::new()
        .flag(ORGANIZATION_MEMBER, Some(false))
        .flag("finalized", finalized.as_ref().copied())
        .text(LAST_LOGIN, last_login.and_then(Text::filled));
    with_trait(resource(id, name, emails, status, details, profile), emails, last_login)
}

fn resource(
    id: &str,
    name: Option<&Text>,
    emails: &[Email],
    status: ResourceStatus,
    details: &str,
    profile: Profile,
) -> Resource {
    let primary = primary(emails);
    let profile = profile
        .text("id", Some(id))
        .text("name", name.and_then(Text::filled))
        .text("email", primary.and_then(address))
        .flag("email_verified", primary.and_then(|email| email.verified.as_ref().copied()));
    let first_address = emails.iter().find(|email| address(email).is_some());
    let names = [name, first_address.and_then(|email| email.address.as_ref())];
    Resource {
        id: Some(ResourceId { resource_type: USER.to_owned(), resource: id.to_owned() }),
        display_name: display_name(names, id),
        profile: Some(profile.build()),
        status: Some(Status { status: status.into(), details: details.to_owned() }),
        ..Resource::default()
    }
}

/// Adds the trait, which repeats what readers older than 2026 look for only there.
/// The last login stands in the trait only: the resource itself has no field for it.
fn with_trait(mut resource: Resource, emails: &[Email], last_login: Option<&Text>) -> Resource {
    let primary = primary(emails).and_then(address);
    let mut addresses: Vec<&str> = Vec::new();
    for address in emails.iter().filter_map(address) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let emails = addresses.into_iter().map(|address| user_trait::Email {
        address: address.to_owned(),
        is_primary: Some(address) == primary,
    });
    let user = UserTrait {
        emails: emails.collect(),
        status: resource.status.as_ref().map(|status| user_trait::Status {
            status: status.status,
            details: status.details.clone(),
        }),
        profile: resource.profile.clone(),
        account_type: AccountType::Human.into(),
        login: resource.id.as_ref().map(|id| id.resource.clone()).unwrap_or_default(),
        created_at: resource.created_at,
        last_login: timestamp(last_login),
    };
    resource.annotations = vec![annotation(&user)];
    resource
}

/// The first verified address, else the first.
fn primary(emails: &[Email]) -> Option<&Email> {
    let usable = || emails.iter().filter(|email| address(email).is_some());
    usable().find(|email| email.verified == Lenient::Read(true)).or_else(|| usable().next())
}

fn address(email: &Email) -> Option<&str> {
    email.address.as_ref()?.filled().map(str::trim)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::value::Kind;

    use super::{
        LAST_LOGIN, Lenient, NOT_LISTED, ORGANIZATION_MEMBER, outside_user, unlisted_user, user,
    };
    use crate::baton::v2::{Resource, UserTrait};
    use crate::northflank::Member;

    fn member(json: &str) -> Resource {
        user(&serde_json::from_str::<Member>(json).unwrap())
    }

    fn user_trait(resource: &Resource) -> UserTrait {
        UserTrait::decode(&*resource.annotations[0].value).unwrap()
    }

    fn emails(resource: &Resource) -> Vec<(String, bool)> {
        let emails = user_trait(resource).emails.into_iter();
        emails.map(|email| (email.address, email.is_primary)).collect()
    }

    fn fact(resource: &Resource, key: &str) -> Option<Kind> {
        resource.profile.as_ref()?.fields.get(key)?.kind.clone()
    }

    #[test]
    fn a_full_member_keeps_everything() {
        let user = member(
            r#"{"id":"ada-q","name":"Ada Quill","finalized":true,
            "emails":[{"address":"old@acme.test","verified":false},
                      {"address":"ada@acme.test","verified":true}],
            "joinedAt":"2025-03-04T09:12:07.018Z","lastLoginTime":"2026-11-01T10:00:00.500Z"}"#,
        );
        assert_eq!(user.display_name, "Ada Quill");
        assert_eq!(user.status.as_ref().unwrap().status, 1);
        assert_eq!(user.created_at.unwrap().seconds, 1_741_079_527);
        let expected = [("old@acme.test".to_owned(), false), ("ada@acme.test".to_owned(), true)];
        assert_eq!(emails(&user), expected);
        assert_eq!(fact(&user, "email"), Some(Kind::StringValue("ada@acme.test".into())));
        assert_eq!(fact(&user, "email_verified"), Some(Kind::BoolValue(true)));
        assert_eq!(fact(&user, "finalized"), Some(Kind::BoolValue(true)));
        let joined = Kind::StringValue("2025-03-04T09:12:07.018Z".into());
        assert_eq!(fact(&user, "joined_at"), Some(joined));
        let login = Kind::StringValue("2026-11-01T10:00:00.500Z".into());
        assert_eq!(fact(&user, LAST_LOGIN), Some(login));
        let old = user_trait(&user);
        let login = old.last_login.unwrap();
        assert_eq!((login.seconds, login.nanos), (1_793_527_200, 500_000_000));
        assert_eq!((old.login.as_str(), old.account_type), ("ada-q", 1));
        assert_eq!(old.profile, user.profile);
        assert_eq!(old.created_at, user.created_at);
        assert_eq!(old.status.unwrap().status, 1);
    }

    #[test]
    fn only_an_explicit_false_disables_a_member() {
        let unfinished = member(r#"{"id":"a","finalized":false}"#).status.unwrap();
        assert_eq!(unfinished.status, 2);
        assert_eq!(unfinished.details, "account set-up not finished");
        assert_eq!(member(r#"{"id":"a"}"#).status.unwrap().status, 1);
        assert_eq!(member(r#"{"id":"a","finalized":null}"#).status.unwrap().status, 1);
    }

    #[test]
    fn nobody_is_enabled_by_a_word_that_can_not_be_read() {
        for odd in ["7", r#""true""#, "[]", "{}"] {
            let user = member(&format!(r#"{{"id":"a","finalized":{odd}}}"#));
            let status = user.status.as_ref().unwrap();
            assert_eq!(status.status, 0, "{odd}");
            assert!(status.details.contains("can't be read"), "{odd}");
            assert_eq!(user_trait(&user).status.unwrap().status, 0);
            assert_eq!(fact(&user, "finalized"), None);
        }
    }

    #[test]
    fn what_can_not_be_read_is_left_out() {
        let user = member(
            r#"{"id":"a","name":7,"joinedAt":{},"lastLoginTime":[],
            "emails":[7,{"address":[]},{"address":"x@b.test","verified":"yes"}]}"#,
        );
        assert_eq!(user.display_name, "x@b.test");
        assert_eq!(emails(&user), [("x@b.test".to_owned(), true)]);
        assert_eq!(user.created_at, None);
        for left_out in ["name", "joined_at", "email_verified", LAST_LOGIN] {
            assert_eq!(fact(&user, left_out), None, "{left_out}");
        }
        assert_eq!(user.status.unwrap().status, 1);
    }

    #[test]
    fn a_member_without_name_is_called_by_the_first_email_then_by_id() {
        let emails = r#""emails":[{"address":"x@b.test"},{"address":"y@b.test","verified":true}]"#;
        assert_eq!(member(&format!(r#"{{"id":"a",{emails}}}"#)).display_name, "x@b.test");
        assert_eq!(member(r#"{"id":"a","name":"  "}"#).display_name, "a");
    }

    #[test]
    fn without_a_verified_address_the_first_is_primary_and_blank_ones_are_dropped() {
        let user = member(r#"{"id":"a","emails":[null," ","x@b.test","y@b.test","x@b.test"]}"#);
        let expected = [("x@b.test".to_owned(), true), ("y@b.test".to_owned(), false)];
        assert_eq!(emails(&user), expected);
    }

    #[test]
    fn a_user_outside_the_member_list_says_so() {
        let user = unlisted_user("zed", None, &[], None);
        let status = user.status.as_ref().unwrap();
        assert_eq!(status.status, 0);
        assert_eq!(status.details, "not in the organization's member list");
        assert_eq!(user.display_name, "zed");
        assert_eq!(fact(&user, "finalized"), None);
        assert_eq!((fact(&user, LAST_LOGIN), user_trait(&user).last_login), (None, None));
        let user = unlisted_user("zed", None, &[], Some(&"2026-11-01T10:00:00Z".into()));
        assert_eq!(user_trait(&user).last_login.unwrap().seconds, 1_793_527_200);
    }

    #[test]
    fn somebody_from_outside_is_enabled_unless_the_account_is_not_set_up() {
        let outside = |finalized| outside_user("zed", None, &[], None, &finalized);
        for (finalized, status) in [
            (Lenient::Absent, 1),
            (Lenient::Read(true), 1),
            (Lenient::Read(false), 2),
            (Lenient::Malformed, 0),
        ] {
            let user = outside(finalized);
            assert_eq!(fact(&user, ORGANIZATION_MEMBER), Some(Kind::BoolValue(false)));
            assert_ne!(user.status.as_ref().unwrap().details, NOT_LISTED);
            assert_eq!(user.status.unwrap().status, status);
        }
    }

    #[test]
    fn a_last_login_that_is_no_time_stays_out_of_the_trait() {
        for odd in ["yesterday", "20000-01-01T00:00:00Z", "1793527200"] {
            let user = member(&format!(r#"{{"id":"a","lastLoginTime":"{odd}"}}"#));
            assert_eq!(user_trait(&user).last_login, None);
            assert_eq!(fact(&user, LAST_LOGIN), Some(Kind::StringValue(odd.into())));
        }
        let blank = member(r#"{"id":"a","lastLoginTime":" "}"#);
        assert_eq!((fact(&blank, LAST_LOGIN), user_trait(&blank).last_login), (None, None));
    }
}
