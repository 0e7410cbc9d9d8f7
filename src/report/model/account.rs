//! What a file tells of a person, or of another account.

use std::fmt;

use prost_types::Timestamp;
use prost_types::value::Kind;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};

use super::profile_keys::{EMAIL_VERIFIED, JOINED_AT, ORGANIZATION_MEMBER};

/// What a file tells of an account. Files of former years have it only in the user's trait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// The primary e-mail address, else the first.
    pub email: Option<String>,
    /// Whether that address is verified.
    pub is_verified: Option<bool>,
    /// Whether the account can be used.
    pub status: Option<AccountStatus>,
    /// When somebody last logged in with it.
    pub last_login: Option<OffsetDateTime>,
    /// When it joined, in RFC 3339, as the profile has it.
    pub joined_at: Option<String>,
    /// Whether somebody is in teams and not in the organization.
    pub is_outsider: bool,
}

/// Whether an account can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// `enabled`, `disabled`, `deleted` or `pending`; `None` where nobody knows.
    pub word: Option<&'static str>,
    /// What there is to say of it; may be empty.
    pub details: String,
}

impl AccountInfo {
    /// What `resource` tells.
    pub fn of(resource: &Resource) -> Self {
        let user: Option<UserTrait> = find(&resource.annotations);
        let in_profile = |name: &str| {
            let profile = resource.profile.as_ref();
            profile.or_else(|| user.as_ref()?.profile.as_ref())?.fields.get(name)?.kind.as_ref()
        };
        let email = user.as_ref().and_then(|user| {
            let emails = || user.emails.iter().filter(|email| !email.address.is_empty());
            let primary = emails().find(|email| email.is_primary).or_else(|| emails().next());
            primary.map(|email| email.address.clone())
        });
        Self {
            email,
            is_verified: match in_profile(EMAIL_VERIFIED) {
                Some(Kind::BoolValue(is_verified)) => Some(*is_verified),
                _ => None,
            },
            status: AccountStatus::of(resource, user.as_ref()),
            last_login: user.as_ref().and_then(|user| user.last_login.as_ref()).and_then(login),
            joined_at: match in_profile(JOINED_AT) {
                Some(Kind::StringValue(text)) => {
                    OffsetDateTime::parse(text, &Rfc3339).is_ok().then(|| text.clone())
                }
                _ => None,
            },
            is_outsider: in_profile(ORGANIZATION_MEMBER) == Some(&Kind::BoolValue(false)),
        }
    }
}

impl AccountStatus {
    /// The status that `resource` or its trait `user` tells.
    pub(super) fn of(resource: &Resource, user: Option<&UserTrait>) -> Option<Self> {
        let status = resource.status.as_ref().map(|it| (it.status, &it.details));
        let status = status.or_else(|| {
            let status = user?.status.as_ref()?;
            Some((status.status, &status.details))
        });
        let (status, details) = status?;
        let word = match status {
            1 => Some("enabled"),
            2 => Some("disabled"),
            3 => Some("deleted"),
            // baton-sdk knows it since 0.26.
            4 => Some("pending"),
            _ => None,
        };
        Some(Self { word, details: details.clone() })
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.unwrap_or("unknown");
        match self.details.as_str() {
            "" => formatter.write_str(word),
            details => write!(formatter, "{word} ({details})"),
        }
    }
}

/// The time of a login. Connectors write a zero of their language where they know none.
fn login(time: &Timestamp) -> Option<OffsetDateTime> {
    let nanosecond = u32::try_from(time.nanos).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(time.seconds).ok()?;
    let time = time.replace_nanosecond(nanosecond).ok()?;
    // RFC 3339 has years of four digits.
    (time > OffsetDateTime::UNIX_EPOCH && time.year() <= 9999).then_some(time)
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;
    use time::macros::datetime;

    use super::{AccountInfo, AccountStatus, login};
    use crate::baton::v2::user_trait::{self, Email};
    use crate::baton::v2::{Resource, UserTrait};
    use crate::baton::{Profile, annotation};

    #[test]
    fn what_only_the_trait_tells_is_found() {
        let email = |address: &str, is_primary| Email { address: address.into(), is_primary };
        let user = UserTrait {
            emails: vec![email("", false), email("b@x.test", false), email("a@x.test", true)],
            status: Some(user_trait::Status { status: 4, details: String::new() }),
            profile: Some(
                Profile::new()
                    .flag("email_verified", Some(false))
                    .text("joined_at", Some("2025-01-01T09:12:07.018Z"))
                    .build(),
            ),
            last_login: Some(Timestamp { seconds: 1_700_000_000, nanos: 5_000_000 }),
            ..UserTrait::default()
        };
        let resource = Resource { annotations: vec![annotation(&user)], ..Resource::default() };
        let expected = AccountInfo {
            email: Some("a@x.test".into()),
            is_verified: Some(false),
            status: Some(AccountStatus { word: Some("pending"), details: String::new() }),
            last_login: Some(datetime!(2023-11-14 22:13:20.005 UTC)),
            joined_at: Some("2025-01-01T09:12:07.018Z".into()),
            is_outsider: false,
        };
        assert_eq!(AccountInfo::of(&resource), expected);
        assert_eq!(AccountInfo::of(&Resource::default()), AccountInfo::default());
    }

    #[test]
    fn a_status_that_nobody_knows_reads_as_unknown() {
        let status =
            |word, details: &str| AccountStatus { word, details: details.into() }.to_string();
        assert_eq!(status(Some("disabled"), "left"), "disabled (left)");
        assert_eq!(status(None, ""), "unknown");
    }

    #[test]
    fn a_login_at_no_time_is_none() {
        let at = |seconds, nanos| login(&Timestamp { seconds, nanos });
        for (seconds, nanos) in [
            (0, 0),
            (-62_135_596_800, 0),
            (i64::MAX, 0),
            (253_402_300_800, 0),
            (1, -1),
            (1, i32::MAX),
        ] {
            assert_eq!(at(seconds, nanos), None, "{seconds} {nanos}");
        }
        assert_eq!(at(1, 0), Some(datetime!(1970-01-01 00:00:01 UTC)));
    }
}
