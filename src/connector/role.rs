//! Organization roles.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{Resource, ResourceId, RoleTrait};
use crate::baton::{Profile, annotation, shorten};
use crate::northflank::{Lenient, ListKind, Role, RoleRestrictions, TeamRestriction, Text};

use super::group::GROUP_TYPE;
use super::listed_resource::{ListedResource, ResourceContext};
use super::resource_type::{EntitlementSpec, ResourceTypeSpec};
use super::text::{LONGEST_DESCRIPTION, display_name, timestamp};
use super::user::USER_TYPE;

/// The resource type of organization roles.
pub const ROLE: &str = "role";

/// Roles give what members of the organization and linked directory groups may do.
pub(super) static ROLE_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: ROLE,
    display_name: "Role",
    kind: Trait::Role,
    profile_keys: &[
        "id",
        "name",
        "restricted",
        "teams",
        "directory_groups",
        "created_at",
        "updated_at",
    ],
    lists: &[ListKind::Roles],
    entitlement: Some(&ROLE_ASSIGNED),
    opt_in: None,
    brings: &[],
};

/// Holding a role.
pub static ROLE_ASSIGNED: EntitlementSpec = EntitlementSpec {
    resource_type: ROLE,
    slug: "assigned",
    members: ListKind::RoleMembers,
    display_name: |name| format!("{name} role"),
    description: |name| format!("Holds the role {name} in the Northflank organization"),
    grantable_to: &[&USER_TYPE, &GROUP_TYPE],
    is_immutable: false,
};

impl ListedResource for Role {
    fn resource_type(&self) -> &'static ResourceTypeSpec {
        &ROLE_TYPE
    }

    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    fn resource(&self, _: &ResourceContext<'_>) -> Resource {
        role(self)
    }

    fn linked_groups(&self) -> &[Text] {
        &self.directory_groups
    }

    fn restricted_to_teams(&self) -> Vec<&Text> {
        match &self.restrictions {
            Lenient::Read(RoleRestrictions { enabled: Some(true), teams }) => {
                teams.iter().filter_map(|team| team.team_id.as_ref()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// An organization role, with its restrictions and linked directory groups in the profile.
pub fn role(role: &Role) -> Resource {
    let (restricted, teams) = match &role.restrictions {
        Lenient::Read(RoleRestrictions { enabled: Some(true), teams }) => {
            (Some(true), teams.as_slice())
        }
        Lenient::Absent | Lenient::Read(_) => (Some(false), &[][..]),
        // Where the role applies, nobody knows.
        Lenient::Malformed => (None, &[][..]),
    };
    let profile = Profile::new()
        .text("id", Some(&*role.id))
        .text("name", role.name.as_ref().and_then(Text::filled))
        .flag("restricted", restricted)
        .profile_set("teams", teams.iter().map(team))
        .text_set("directory_groups", role.directory_groups.iter().map(|id| &**id))
        .text("created_at", role.created_at.as_ref().and_then(Text::filled))
        .text("updated_at", role.updated_at.as_ref().and_then(Text::filled))
        .build();
    let description = role.description.as_ref().and_then(Text::filled).unwrap_or_default();
    Resource {
        id: Some(ResourceId { resource_type: ROLE.to_owned(), resource: (*role.id).to_owned() }),
        display_name: display_name([role.name.as_ref()], &role.id),
        description: shorten(description, LONGEST_DESCRIPTION),
        annotations: vec![annotation(&RoleTrait { profile: Some(profile.clone()) })],
        profile: Some(profile),
        created_at: timestamp(role.created_at.as_ref()),
        ..Resource::default()
    }
}

/// One team that a role is restricted to: all of its projects, or those that `project_mode`
/// (`in`, `notIn`) picks. A mode left out means `in`.
fn team(team: &TeamRestriction) -> Profile {
    let profile = Profile::new().text("id", team.team_id.as_deref());
    match &team.restrictions {
        Some(projects) if projects.enabled == Some(true) => profile
            .text(
                "project_mode",
                Some(projects.mode.as_ref().and_then(Text::filled).unwrap_or("in")),
            )
            .text_set("projects", projects.projects.iter().map(|project| &**project)),
        _ => profile,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::value::Kind;
    use prost_types::{Struct, Value};

    use super::role;
    use crate::baton::v2::{Resource, RoleTrait};
    use crate::northflank::Role;

    fn mapped(json: &str) -> Resource {
        role(&serde_json::from_str::<Role>(json).unwrap())
    }

    /// A struct as JSON, for comparison.
    fn json(value: &Struct) -> serde_json::Value {
        fn plain(value: &Value) -> serde_json::Value {
            match value.kind.as_ref().unwrap() {
                Kind::StringValue(text) => text.as_str().into(),
                Kind::BoolValue(flag) => (*flag).into(),
                Kind::ListValue(list) => list.values.iter().map(plain).collect(),
                Kind::StructValue(fields) => json(fields),
                other => panic!("{other:?}"),
            }
        }
        value.fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
    }

    #[test]
    fn restrictions_are_spelled_out() {
        let role = mapped(
            r#"{"id":"platform-eng","name":"Platform Eng","description":"Runs it",
            "restrictions":{"enabled":true,"teams":[
              {"teamId":"core","restrictions":{"enabled":true,"projects":["db"],"restrictionMode":"notIn"}},
              {"teamId":"web","restrictions":{"enabled":true,"projects":["site"]}},
              {"teamId":"ops","restrictions":{"enabled":false,"projects":["x"]}},
              {"teamId":"lab"}]},
            "directoryGroups":["directory_group_1"],
            "createdAt":"2025-03-04T09:12:07.018Z","updatedAt":"2025-03-05T00:00:00Z"}"#,
        );
        assert_eq!(role.display_name, "Platform Eng");
        assert_eq!(role.description, "Runs it");
        assert_eq!(role.created_at.unwrap().seconds, 1_741_079_527);
        let expected = serde_json::json!({
            "id": "platform-eng", "name": "Platform Eng", "restricted": true,
            "teams": [
                {"id": "core", "project_mode": "notIn", "projects": ["db"]},
                {"id": "lab"},
                {"id": "ops"},
                {"id": "web", "project_mode": "in", "projects": ["site"]},
            ],
            "directory_groups": ["directory_group_1"],
            "created_at": "2025-03-04T09:12:07.018Z", "updated_at": "2025-03-05T00:00:00Z",
        });
        assert_eq!(json(role.profile.as_ref().unwrap()), expected);
        let old = RoleTrait::decode(&*role.annotations[0].value).unwrap();
        assert_eq!(old.profile, role.profile);
    }

    #[test]
    fn absent_or_disabled_restrictions_mean_unrestricted() {
        let disabled = r#","restrictions":{"enabled":false,"teams":[{"teamId":"core"}]}"#;
        for restrictions in ["", r#","restrictions":null"#, disabled] {
            let role = mapped(&format!(r#"{{"id":"r"{restrictions}}}"#));
            let expected = serde_json::json!({"id": "r", "restricted": false});
            assert_eq!(json(role.profile.as_ref().unwrap()), expected);
            assert_eq!(role.display_name, "r");
        }
    }

    #[test]
    fn malformed_restrictions_leave_open_where_a_role_applies() {
        let role = mapped(r#"{"id":"r","name":"R","restrictions":{"enabled":"yes"}}"#);
        let expected = serde_json::json!({"id": "r", "name": "R"});
        assert_eq!(json(role.profile.as_ref().unwrap()), expected);
    }
}
