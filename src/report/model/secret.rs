//! What a file tells of a secret, such as an API token.

use prost_types::Timestamp;
use prost_types::value::Kind;
use time::OffsetDateTime;

use crate::baton::find;
use crate::baton::v2::{Resource, SecretTrait};

use super::profile_keys::{CREATOR_EMAIL, EXPIRES_AT, LAST_USED_AT, ROLE_ID, ROLE_NAME};

/// What a file tells of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretInfo {
    /// Whether it ends by itself, be it at a time that can't be read.
    pub has_expiry: bool,
    /// When it was last used or, if it never was, when it was made; `None` where that isn't told.
    pub idle_since: Option<OffsetDateTime>,
    /// Whether it was ever used.
    pub was_used: bool,
    /// The address of who made it.
    pub creator: Option<String>,
    /// The id of the role that it acts as or, where only the name is told, that in lower case, as
    /// ids are.
    pub role: Option<String>,
}

impl SecretInfo {
    /// What `resource` tells; `None` if it is no secret.
    pub fn of(resource: &Resource) -> Option<Self> {
        let secret: SecretTrait = find(&resource.annotations)?;
        let profile = resource.profile.as_ref().or(secret.profile.as_ref());
        let text = |key: &str| match profile?.fields.get(key)?.kind.as_ref()? {
            Kind::StringValue(text) => Some(text.clone()),
            _ => None,
        };
        let was_used = secret.last_used_at.is_some() || text(LAST_USED_AT).is_some();
        let since = if was_used { secret.last_used_at } else { secret.created_at };
        Some(Self {
            has_expiry: secret.expires_at.is_some() || text(EXPIRES_AT).is_some(),
            idle_since: since.as_ref().and_then(time),
            was_used,
            creator: text(CREATOR_EMAIL).filter(|address| !address.trim().is_empty()),
            role: text(ROLE_ID).or_else(|| text(ROLE_NAME).map(|name| name.trim().to_lowercase())),
        })
    }
}

/// A time, if it is one that can be written.
fn time(time: &Timestamp) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::from_unix_timestamp(time.seconds).ok()?;
    (time.year() <= 9999).then_some(time)
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::SecretInfo;
    use crate::baton::v2::{Resource, SecretTrait};
    use crate::baton::{Profile, annotation};

    #[test]
    fn a_role_is_told_by_its_name_where_no_id_is_told() {
        let role = |profile: Profile| {
            let (profile, annotations) =
                (profile.build(), vec![annotation(&SecretTrait::default())]);
            let profile = Some(profile);
            let token = Resource { annotations, profile, ..Resource::default() };
            SecretInfo::of(&token).unwrap().role
        };
        assert_eq!(role(Profile::new()), None);
        assert_eq!(role(Profile::new().text("role_name", Some(" Owner"))).unwrap(), "owner");
        let both = Profile::new().text("role_id", Some("ci")).text("role_name", Some("Owner"));
        assert_eq!(role(both).unwrap(), "ci");
    }

    #[test]
    fn a_time_that_can_not_be_read_is_told_all_the_same() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let secret = |created_at, last_used_at, profile: Profile| {
            let profile = Some(profile.build());
            let secret = SecretTrait { created_at, last_used_at, ..SecretTrait::default() };
            let annotations = vec![annotation(&secret)];
            SecretInfo::of(&Resource { annotations, profile, ..Resource::default() }).unwrap()
        };
        let unused = secret(at(100), None, Profile::new());
        assert_eq!((unused.has_expiry, unused.was_used), (false, false));
        assert_eq!(unused.idle_since.unwrap().unix_timestamp(), 100);
        let used = secret(at(100), at(200), Profile::new().text("expires_at", Some("soon")));
        assert_eq!(used.idle_since.unwrap().unix_timestamp(), 200);
        assert!(used.has_expiry && used.was_used);
        let odd = secret(at(100), None, Profile::new().text("last_used_at", Some("yesterday")));
        assert_eq!((odd.was_used, odd.idle_since), (true, None));
        assert_eq!(SecretInfo::of(&Resource::default()), None);
    }
}
