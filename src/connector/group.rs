//! Directory groups.

use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{GroupTrait, Resource, ResourceId};
use crate::baton::{Profile, annotation};
use crate::northflank::{DirectoryGroup, ListKind, Text};

use super::listed_resource::{ListedResource, ResourceContext};
use super::resource_type::{EntitlementSpec, ResourceTypeSpec};
use super::text::{display_name, timestamp};
use super::user::USER_TYPE;

/// The resource type of directory groups.
pub const GROUP: &str = "group";

/// Directory groups have the members that the identity provider says.
pub(super) static GROUP_TYPE: ResourceTypeSpec = ResourceTypeSpec {
    id: GROUP,
    display_name: "Group",
    kind: Trait::Group,
    profile_keys: &["id", "name", "idp_id", "created_at", "updated_at"],
    lists: &[ListKind::DirectoryGroups],
    entitlement: Some(&GROUP_MEMBER),
    opt_in: None,
    brings: &[],
};

/// Being in a directory group, which is managed in the identity provider.
pub static GROUP_MEMBER: EntitlementSpec = EntitlementSpec {
    resource_type: GROUP,
    slug: "member",
    members: ListKind::DirectoryGroupMembers,
    display_name: |name| format!("{name} group member"),
    description: |name| {
        format!("Is a member of the directory group {name}, through the identity provider")
    },
    grantable_to: &[&USER_TYPE],
    is_immutable: true,
};

impl ListedResource for DirectoryGroup {
    fn resource_type(&self) -> &'static ResourceTypeSpec {
        &GROUP_TYPE
    }

    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    fn resource(&self, _: &ResourceContext<'_>) -> Resource {
        group(self)
    }
}

/// A directory group. One without a name is called by its identity provider's id.
pub fn group(group: &DirectoryGroup) -> Resource {
    let profile = Profile::new()
        .text("id", Some(&*group.id))
        .text("name", group.name.as_ref().and_then(Text::filled))
        .text("idp_id", group.idp_id.as_ref().and_then(Text::filled))
        .text("created_at", group.created_at.as_ref().and_then(Text::filled))
        .text("updated_at", group.updated_at.as_ref().and_then(Text::filled))
        .build();
    Resource {
        id: Some(ResourceId { resource_type: GROUP.to_owned(), resource: (*group.id).to_owned() }),
        display_name: display_name([group.name.as_ref(), group.idp_id.as_ref()], &group.id),
        annotations: vec![annotation(&GroupTrait { profile: Some(profile.clone()) })],
        profile: Some(profile),
        created_at: timestamp(group.created_at.as_ref()),
        ..Resource::default()
    }
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn a_group_is_called_by_its_name_then_by_the_identity_providers_id_then_by_its_own() {
        let name = |json: &str| group(&serde_json::from_str(json).unwrap()).display_name;
        assert_eq!(name(r#"{"id":"g","name":"Eng ✈ Core","idpId":"00g"}"#), "Eng ✈ Core");
        assert_eq!(name(r#"{"id":"g","name":"","idpId":"00g"}"#), "00g");
        assert_eq!(name(r#"{"id":"g"}"#), "g");
    }
}
