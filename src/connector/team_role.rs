//! Roles of teams. Each is of one team; those of several teams may have the same id.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{Resource, ResourceId, RoleTrait};
use crate::baton::{Profile, annotation, shorten};
use crate::northflank::{Lenient, List, ListKind, ProjectRestrictions, TeamRole, Text};

use super::listed_resource::{ListedResource, ResourceContext};
use super::resource_type::{EntitlementSpec, OptIn, ResourceTypeSpec};
use super::team::{MEMBERS_WITHOUT_ID, TEAM};
use super::text::{LONGEST_DESCRIPTION, LONGEST_NAME, display_name, timestamp};
use super::user::USER_TYPE;

/// The resource type of roles of teams.
pub const TEAM_ROLE: &str = "team-role";

/// Roles of teams give what their holders may do in the team.
pub(super) static TEAM_ROLE_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: TEAM_ROLE,
    display_name: "Team Role",
    kind: Trait::Role,
    profile_keys: &[
        "id",
        "name",
        "team",
        "restricted",
        "project_mode",
        "projects",
        "created_at",
        "updated_at",
        MEMBERS_WITHOUT_ID,
    ],
    lists: &[ListKind::TeamRoles],
    entitlement: Some(&TEAM_ROLE_ASSIGNED),
    opt_in: Some(OptIn::Teams),
    brings: &[TEAM],
};

/// Holding a role of a team's.
pub static TEAM_ROLE_ASSIGNED: EntitlementSpec = EntitlementSpec {
    resource_type: TEAM_ROLE,
    slug: "assigned",
    members: ListKind::TeamRoleMembers,
    display_name: |name| format!("{name} team role"),
    description: |name| format!("Holds the team role {name} in a Northflank team"),
    grantable_to: &[&USER_TYPE],
    is_immutable: false,
};

/// A role with its team.
#[derive(Debug)]
pub(super) struct RoleOfTeam {
    /// The team's id, a slash and the role's.
    id: Text,
    team: Text,
    role: TeamRole,
}

impl RoleOfTeam {
    /// A row of `list`, which is a team's.
    pub(super) fn new(list: &List, role: TeamRole) -> Self {
        let team = list.parent.clone().unwrap_or_else(|| "".into());
        Self { id: list.id_of(&role.id), team, role }
    }
}

impl ListedResource for RoleOfTeam {
    fn resource_type(&self) -> &'static ResourceTypeSpec {
        &TEAM_ROLE_TYPE
    }

    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.role.name.as_ref()
    }

    fn parent(&self) -> Option<(&'static str, &Text)> {
        Some((TEAM, &self.team))
    }

    fn resource(&self, context: &ResourceContext<'_>) -> Resource {
        team_role(self, context)
    }
}

/// A role of a team's, called by both names, with its restrictions in the profile.
fn team_role(
    RoleOfTeam { id, team, role }: &RoleOfTeam,
    context: &ResourceContext<'_>,
) -> Resource {
    let (restricted, projects) = match &role.restrictions {
        Lenient::Read(restrictions) if restrictions.enabled == Some(true) => {
            (Some(true), Some(restrictions))
        }
        Lenient::Absent | Lenient::Read(_) => (Some(false), None),
        // Where the role applies, nobody knows.
        Lenient::Malformed => (None, None),
    };
    let mode = |projects: &ProjectRestrictions| {
        projects.mode.as_ref().and_then(Text::filled).unwrap_or("in").to_owned()
    };
    let ids = projects.into_iter().flat_map(|projects| &projects.projects);
    let profile = Profile::new()
        .text("id", Some(&*role.id))
        .text("name", role.name.as_ref().and_then(Text::filled))
        .text("team", Some(team))
        .flag("restricted", restricted)
        .text("project_mode", projects.map(mode).as_deref())
        .text_set("projects", ids.map(|id| &**id))
        .text("created_at", role.created_at.as_ref().and_then(Text::filled))
        .text("updated_at", role.updated_at.as_ref().and_then(Text::filled))
        .count(MEMBERS_WITHOUT_ID, context.members_without_id)
        .build();
    let description = role.description.as_ref().and_then(Text::filled).unwrap_or_default();
    let of_team = context.parent_name.unwrap_or(team);
    let name = format!("{of_team}: {}", display_name([role.name.as_ref()], &role.id));
    Resource {
        id: Some(ResourceId { resource_type: TEAM_ROLE.to_owned(), resource: id.to_string() }),
        parent_resource_id: context.parent_id(TEAM, team),
        display_name: shorten(&name, LONGEST_NAME),
        description: shorten(description, LONGEST_DESCRIPTION),
        annotations: vec![annotation(&RoleTrait { profile: Some(profile.clone()) })],
        profile: Some(profile),
        created_at: timestamp(role.created_at.as_ref()),
        ..Resource::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{List, ListKind, ResourceContext, RoleOfTeam, TEAM, team_role};
    use crate::baton::v2::Resource;

    fn mapped(json: &str) -> Resource {
        let role = serde_json::from_str(json).unwrap();
        let role = RoleOfTeam::new(&List::of(ListKind::TeamRoles, "core".into()), role);
        let parent_name = Some("Core Infra");
        let context =
            ResourceContext { parent_name, has_parent: true, ..ResourceContext::default() };
        team_role(&role, &context)
    }

    #[test]
    fn a_team_role_is_called_by_its_team_and_belongs_to_it() {
        let role = mapped(r#"{"id":"admin","name":"Admin"}"#);
        assert_eq!(role.display_name, "Core Infra: Admin");
        assert_eq!(role.id.unwrap().resource, "core/admin");
        let parent = role.parent_resource_id.unwrap();
        assert_eq!((&*parent.resource_type, &*parent.resource), (TEAM, "core"));
    }

    #[test]
    fn restrictions_are_spelled_out_as_far_as_they_can_be_read() {
        let keys = |restrictions: &str| {
            let role = mapped(&format!(r#"{{"id":"admin","restrictions":{restrictions}}}"#));
            role.profile.unwrap().fields.into_keys().collect::<Vec<_>>()
        };
        let all = ["id", "project_mode", "projects", "restricted", "team"];
        assert_eq!(keys(r#"{"enabled":true,"projects":["b","a"],"restrictionMode":"in"}"#), all);
        assert_eq!(keys(r#"{"enabled":false,"projects":["b"]}"#), ["id", "restricted", "team"]);
        assert_eq!(keys("null"), ["id", "restricted", "team"]);
        assert_eq!(keys(r#"{"enabled":"yes"}"#), ["id", "team"]);
    }
}
