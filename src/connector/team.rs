//! Teams of the organization.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{GroupTrait, Resource, ResourceId};
use crate::baton::{Profile, annotation, shorten};
use crate::northflank::{ListKind, Team, Text};

use super::listed_resource::{ListedResource, ResourceContext};
use super::resource_type::{EntitlementSpec, OptIn, ResourceTypeSpec};
use super::text::{LONGEST_DESCRIPTION, display_name, timestamp};
use super::user::USER_TYPE;

/// The resource type of teams.
pub const TEAM: &str = "team";

/// The key that tells how many of those who are in a team, or hold a role of one, Northflank gives
/// no id.
pub const MEMBERS_WITHOUT_ID: &str = "members_without_id";

/// Teams have members, who may be from outside the organization.
pub(super) static TEAM_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: TEAM,
    display_name: "Team",
    kind: Trait::Group,
    profile_keys: &["id", "name", "uid", "created_at", MEMBERS_WITHOUT_ID],
    lists: &[ListKind::Teams],
    entitlement: Some(&TEAM_MEMBER),
    opt_in: Some(OptIn::Teams),
    brings: &[],
};

/// Being in a team.
pub static TEAM_MEMBER: EntitlementSpec = EntitlementSpec {
    resource_type: TEAM,
    slug: "member",
    members: ListKind::TeamMembers,
    display_name: |name| format!("{name} team member"),
    description: |name| format!("Is a member of the Northflank team {name}"),
    grantable_to: &[&USER_TYPE],
    is_immutable: false,
};

impl ListedResource for Team {
    fn resource_type(&self) -> &'static ResourceTypeSpec {
        &TEAM_TYPE
    }

    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    fn resource(&self, context: &ResourceContext<'_>) -> Resource {
        team(self, context)
    }
}

/// A team, with its members without an id counted in the profile.
fn team(team: &Team, context: &ResourceContext<'_>) -> Resource {
    let profile = Profile::new()
        .text("id", Some(&*team.id))
        .text("name", team.name.as_ref().and_then(Text::filled))
        .text("uid", team.uid.as_ref().and_then(Text::filled))
        .text("created_at", team.created_at.as_ref().and_then(Text::filled))
        .count(MEMBERS_WITHOUT_ID, context.members_without_id)
        .build();
    let description = team.description.as_ref().and_then(Text::filled).unwrap_or_default();
    Resource {
        id: Some(ResourceId { resource_type: TEAM.to_owned(), resource: (*team.id).to_owned() }),
        display_name: display_name([team.name.as_ref()], &team.id),
        description: shorten(description, LONGEST_DESCRIPTION),
        annotations: vec![annotation(&GroupTrait { profile: Some(profile.clone()) })],
        profile: Some(profile),
        created_at: timestamp(team.created_at.as_ref()),
        ..Resource::default()
    }
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;

    use super::{MEMBERS_WITHOUT_ID, ResourceContext, team};

    #[test]
    fn a_team_counts_its_members_without_an_id_where_there_are_any() {
        let row =
            serde_json::from_str(r#"{"id":"core","name":"Core Infra","uid":"65b0"}"#).unwrap();
        let count = |members_without_id| {
            let context = ResourceContext { members_without_id, ..ResourceContext::default() };
            let resource = team(&row, &context);
            assert_eq!(resource.display_name, "Core Infra");
            resource.profile.unwrap().fields.remove(MEMBERS_WITHOUT_ID)?.kind
        };
        assert_eq!(count(0), None);
        assert_eq!(count(3), Some(Kind::NumberValue(3.0)));
    }
}
