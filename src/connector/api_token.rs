//! API tokens: what acts as a role without anybody's login. Their secrets are shown once, when
//! they are made, and never listed.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{Resource, ResourceId, SecretTrait};
use crate::baton::{Profile, annotation, shorten};
use crate::northflank::{Lenient, List, ListKind, ListedToken, Text};

use super::listed_resource::{ListedResource, ResourceContext};
use super::resource_type::{OptIn, ResourceTypeSpec};
use super::team::TEAM;
use super::text::{LONGEST_DESCRIPTION, display_name, timestamp};
use super::user::USER;

/// The resource type of API tokens.
pub const API_TOKEN: &str = "api-token";

/// What stands where a team's id would, of the organization's own tokens. No team's id has an `@`.
const ORGANIZATION: &str = "@organization";

/// Tokens have nothing to give and hold nothing: each acts as its role.
pub(super) static API_TOKEN_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: API_TOKEN,
    display_name: "API Token",
    kind: Trait::Secret,
    profile_keys: &[
        "id",
        "name",
        "owner",
        "team",
        "role_id",
        "role_name",
        "role_type",
        "creator_email",
        "created_at",
        "expires_at",
        "last_used_at",
    ],
    lists: &[ListKind::Tokens, ListKind::TeamTokens],
    entitlement: None,
    opt_in: Some(OptIn::Secrets),
    brings: &[],
};

/// A token with whose it is.
#[derive(Debug)]
pub(super) struct OwnedToken {
    /// Whose it is, a slash and the token's id.
    id: Text,
    /// The team that owns it; `None` for the organization.
    team: Option<Text>,
    token: ListedToken,
}

impl OwnedToken {
    /// A row of `list`, which is a team's or the organization's.
    pub(super) fn new(list: &List, token: ListedToken) -> Self {
        let team = list.parent.clone();
        let owner = team.as_deref().unwrap_or(ORGANIZATION);
        Self { id: format!("{owner}/{}", token.id).into(), team, token }
    }
}

impl ListedResource for OwnedToken {
    fn resource_type(&self) -> &'static ResourceTypeSpec {
        &API_TOKEN_TYPE
    }

    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.token.name.as_ref()
    }

    fn parent(&self) -> Option<(&'static str, &Text)> {
        self.team.as_ref().map(|team| (TEAM, team))
    }

    fn is_in_use(&self) -> bool {
        self.token.is_active()
    }

    fn creator_email(&self) -> Option<&str> {
        self.token.creator_email.as_ref().and_then(Text::filled).map(str::trim)
    }

    fn resource(&self, context: &ResourceContext<'_>) -> Resource {
        api_token(self, context)
    }
}

/// A token, with its times and its creator in the trait. It has no identity of its own, and so
/// none that it belongs to.
fn api_token(owned: &OwnedToken, context: &ResourceContext<'_>) -> Resource {
    let OwnedToken { id, team, token } = owned;
    let role = token.role.as_ref();
    let part = |part: Option<&Text>| part.and_then(Text::filled).map(str::to_owned);
    let owner_kind = if team.is_some() { "team" } else { "organization" };
    let profile = Profile::new()
        .text("id", Some(&*token.id))
        .text("name", token.name.as_ref().and_then(Text::filled))
        .text("owner", Some(owner_kind))
        .text("team", team.as_deref())
        .text("role_id", part(role.and_then(|role| role.id.as_ref())).as_deref())
        .text("role_name", part(role.and_then(|role| role.name.as_ref())).as_deref())
        .text("role_type", part(role.and_then(|role| role.role_type.as_ref())).as_deref())
        .text("creator_email", owned.creator_email())
        .text("created_at", token.created_at.as_ref().and_then(Text::filled))
        .text("expires_at", time_text(&token.expires_at))
        .text("last_used_at", time_text(&token.last_used_at))
        .build();
    let created_at = timestamp(token.created_at.as_ref());
    let secret = SecretTrait {
        profile: Some(profile.clone()),
        created_at,
        expires_at: timestamp(token.expires_at.as_ref()),
        last_used_at: timestamp(token.last_used_at.as_ref()),
        created_by_id: context
            .creator
            .map(|user| ResourceId { resource_type: USER.to_owned(), resource: user.to_owned() }),
    };
    let description = token.description.as_ref().and_then(Text::filled).unwrap_or_default();
    Resource {
        id: Some(ResourceId { resource_type: API_TOKEN.to_owned(), resource: id.to_string() }),
        parent_resource_id: team.as_ref().and_then(|team| context.parent_id(TEAM, team)),
        display_name: display_name([token.name.as_ref()], &token.id),
        description: shorten(description, LONGEST_DESCRIPTION),
        annotations: vec![annotation(&secret)],
        profile: Some(profile),
        created_at,
        ..Resource::default()
    }
}

/// A time whose absence would say something: one that can't be read isn't absent.
fn time_text(time: &Lenient<Text>) -> Option<&str> {
    if time.is_malformed() { Some("unreadable") } else { time.as_ref().and_then(Text::filled) }
}

#[cfg(test)]
mod tests {
    use super::{List, ListKind, OwnedToken, ResourceContext, SecretTrait, api_token};
    use crate::baton::find;
    use crate::baton::v2::Resource;

    fn mapped(team: Option<&str>, json: &str, context: &ResourceContext<'_>) -> Resource {
        let token = serde_json::from_str(json).unwrap();
        let list = match team {
            Some(team) => List::of(ListKind::TeamTokens, team.into()),
            None => List::only(ListKind::Tokens),
        };
        api_token(&OwnedToken::new(&list, token), context)
    }

    #[test]
    fn a_token_is_called_by_whose_it_is_and_tells_its_times_and_who_made_it() {
        let json = r#"{"id":"ci","name":"CI","createdAt":"2026-01-15T08:00:00.000Z",
            "expiresAt":null,"lastUsedAt":"2026-11-01T00:00:00Z","creatorEmail":" a@acme.test ",
            "role":{"name":"Owner","roleId":"owner","roleType":"org"},"active":true}"#;
        let context = ResourceContext {
            creator: Some("ada"),
            has_parent: true,
            ..ResourceContext::default()
        };
        let own = mapped(None, json, &context);
        assert_eq!(own.id.as_ref().unwrap().resource, "@organization/ci");
        assert_eq!((own.parent_resource_id.as_ref(), &*own.display_name), (None, "CI"));
        let secret: SecretTrait = find(&own.annotations).unwrap();
        assert_eq!(secret.expires_at, None);
        assert_eq!(secret.last_used_at.unwrap().seconds, 1_793_491_200);
        assert_eq!(secret.created_by_id.unwrap().resource, "ada");
        let keys: Vec<_> = own.profile.unwrap().fields.into_keys().collect();
        let expected = [
            "created_at",
            "creator_email",
            "id",
            "last_used_at",
            "name",
            "owner",
            "role_id",
            "role_name",
            "role_type",
        ];
        assert_eq!(keys, expected);
        let of_team = mapped(Some("core"), json, &context);
        assert_eq!(of_team.id.unwrap().resource, "core/ci");
        assert_eq!(of_team.parent_resource_id.unwrap().resource, "core");
    }

    #[test]
    fn a_token_may_consist_of_an_id_alone() {
        let token = mapped(None, r#"{"id":"ci"}"#, &ResourceContext::default());
        assert_eq!(token.display_name, "ci");
        let secret: SecretTrait = find(&token.annotations).unwrap();
        assert_eq!((secret.created_at, secret.created_by_id), (None, None));
        let odd = r#"{"id":"ci","expiresAt":7,"lastUsedAt":{}}"#;
        let profile = mapped(None, odd, &ResourceContext::default()).profile.unwrap();
        assert!(["expires_at", "last_used_at"].iter().all(|it| profile.fields.contains_key(*it)));
    }
}
