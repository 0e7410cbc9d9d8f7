//! What the connector for Northflank writes into profiles and statuses, and how to tell its rows
//! from those of others: the one place where reports know a connector.

use prost_types::value::Kind;

use crate::baton::v2::{Resource, UserTrait};

/// The type of this connector's roles.
const ROLE: &str = "role";

/// The type of this connector's tokens.
const API_TOKEN: &str = "api-token";

/// The type of this connector's teams.
pub const TEAM_TYPE: &str = "team";

/// The type of this connector's roles of teams.
const TEAM_ROLE: &str = "team-role";

/// The last login, in a user's profile.
pub(super) const LAST_LOGIN: &str = "last_login_at";

/// Whether the primary address is verified, in a user's profile.
pub(super) const EMAIL_VERIFIED: &str = "email_verified";

/// When somebody joined, in a user's profile.
pub(super) const JOINED_AT: &str = "joined_at";

/// Whether somebody who is in teams is in the organization, in a user's profile.
pub(super) const ORGANIZATION_MEMBER: &str = "organization_member";

/// Northflank's word for how a role is held, in the metadata of a grant that nothing explains.
pub(super) const MEMBERSHIP: &str = "membership";

/// When a token expires, in its profile.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// When a token was last used, in its profile.
pub(super) const LAST_USED_AT: &str = "last_used_at";

/// The address of who made a token, in its profile.
pub(super) const CREATOR_EMAIL: &str = "creator_email";

/// The id of the role that a token acts as, in its profile.
pub(super) const ROLE_ID: &str = "role_id";

/// The name of the role that a token acts as, in its profile.
pub(super) const ROLE_NAME: &str = "role_name";

/// How many of those who are in a team, or hold a role of one, have no id and so no row.
pub(super) const MEMBERS_WITHOUT_ID: &str = "members_without_id";

/// The id of the role that may do everything.
pub const OWNER_ROLE: &str = "owner";

/// The ids of linked groups, in a role's profile.
pub const DIRECTORY_GROUPS: &str = "directory_groups";

/// Whether a role applies in some teams only, in its profile.
pub(super) const RESTRICTED: &str = "restricted";

/// The teams in which a role applies, in its profile.
pub(super) const TEAMS: &str = "teams";

/// The team of a team's role, in its profile.
pub(super) const TEAM: &str = "team";

/// The projects that a team of [`TEAMS`] is restricted to.
pub(super) const PROJECTS: &str = "projects";

/// Whether these or all but these: `in`, `notIn`.
pub(super) const PROJECT_MODE: &str = "project_mode";

/// What the status of a user says whom the member list lacks.
pub const NOT_LISTED: &str = "not in the organization's member list";

/// Whether a user is one of this connector's, which repeat their id in the profile and as the
/// trait's login.
pub(super) fn is_our_user(resource: &Resource, user: &UserTrait) -> bool {
    has_id_in_profile(resource) && user.login == id(resource)
}

/// Whether a resource is a role of this connector's, which repeat their id in the profile.
pub(super) fn is_our_role(resource: &Resource) -> bool {
    let id = resource.id.as_ref();
    id.is_some_and(|id| id.resource_type == ROLE) && has_id_in_profile(resource)
}

/// Whether a resource is a token of this connector's.
pub(super) fn is_our_token(resource: &Resource) -> bool {
    ends_with_id_in_profile(resource, API_TOKEN)
}

/// Whether a resource is a role of a team's, of this connector's.
pub(super) fn is_our_team_role(resource: &Resource) -> bool {
    ends_with_id_in_profile(resource, TEAM_ROLE)
}

/// Whether a resource of this type has an id of two parts, of which its profile has the last.
fn ends_with_id_in_profile(resource: &Resource, resource_type: &str) -> bool {
    let profile = resource.profile.as_ref().and_then(|profile| profile.fields.get("id"));
    let Some(Kind::StringValue(own)) = profile.and_then(|value| value.kind.as_ref()) else {
        return false;
    };
    let is_of_type = resource.id.as_ref().is_some_and(|id| id.resource_type == resource_type);
    is_of_type && id(resource).strip_suffix(own.as_str()).is_some_and(|it| it.ends_with('/'))
}

fn has_id_in_profile(resource: &Resource) -> bool {
    let in_profile = resource.profile.as_ref().and_then(|profile| profile.fields.get("id"));
    let in_profile = in_profile.and_then(|value| value.kind.as_ref());
    matches!(in_profile, Some(Kind::StringValue(text)) if text == id(resource))
}

fn id(resource: &Resource) -> &str {
    resource.id.as_ref().map(|id| id.resource.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_connector_writes_what_reports_look_for() {
        use crate::connector;
        assert_eq!(super::LAST_LOGIN, connector::LAST_LOGIN);
        assert_eq!(super::NOT_LISTED, connector::NOT_LISTED);
        assert_eq!(super::ORGANIZATION_MEMBER, connector::ORGANIZATION_MEMBER);
        assert_eq!(super::MEMBERS_WITHOUT_ID, connector::MEMBERS_WITHOUT_ID);
        assert_eq!(super::API_TOKEN, connector::API_TOKEN);
        assert_eq!(super::TEAM_TYPE, connector::TEAM);
        assert_eq!(super::TEAM_ROLE, connector::TEAM_ROLE);
    }
}
