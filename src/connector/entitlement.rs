//! What roles and groups give, and to whom.

use std::collections::BTreeMap;

use crate::baton::v2::entitlement::PurposeValue;
use crate::baton::v2::grant_sources::GrantSource;
use crate::baton::v2::{
    Entitlement, EntitlementImmutable, Grant, GrantExpandable, GrantImmutable, GrantMetadata,
    GrantSources, Resource, ResourceId,
};
use crate::baton::{GrantId, Profile, annotation, entitlement_id, shorten};

use super::group::{GROUP, GROUP_MEMBER};
use super::resource_type::EntitlementSpec;
use super::text::{LONGEST_DESCRIPTION, LONGEST_NAME};
use super::user::USER;

/// What `resource` gives, as `spec` says of all of its type.
pub fn entitlement(spec: &EntitlementSpec, resource: &Resource) -> Entitlement {
    let id = resource.id.clone().unwrap_or_default();
    let name = &resource.display_name;
    let builder = GrantBuilder::new(spec, &id.resource);
    let annotations = if spec.is_immutable {
        vec![annotation(&EntitlementImmutable::default())]
    } else {
        Vec::new()
    };
    Entitlement {
        resource: Some(Resource { id: Some(id), ..Resource::default() }),
        id: builder.id,
        display_name: shorten(&(spec.display_name)(name), LONGEST_NAME),
        description: shorten(&(spec.description)(name), LONGEST_DESCRIPTION),
        grantable_to: spec.grantable_to.iter().map(|it| it.message()).collect(),
        annotations,
        purpose: PurposeValue::Assignment.into(),
        slug: spec.slug.to_owned(),
    }
}

/// Makes the grants of one resource's entitlement.
pub struct GrantBuilder {
    id: String,
    resource: ResourceId,
    is_immutable: bool,
}

/// Through what somebody holds a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldThrough<'reported> {
    /// Added to it by hand, maybe besides being in linked groups.
    Assignment,
    /// In linked groups only.
    Groups,
    /// Northflank reports it as something that no linked group explains: `implicit`, or a
    /// word of its own.
    Unexplained(&'reported str),
}

impl GrantBuilder {
    /// For what the resource of this id gives.
    pub fn new(spec: &EntitlementSpec, resource: &str) -> Self {
        Self {
            id: entitlement_id(spec.resource_type, resource, spec.slug),
            resource: ResourceId {
                resource_type: spec.resource_type.to_owned(),
                resource: resource.to_owned(),
            },
            is_immutable: spec.is_immutable,
        }
    }

    /// The entitlement's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A role held by the members of `group`, and how it expands to them.
    pub fn linked_group(&self, group: &str) -> (Grant, GrantExpandable) {
        let grant = Grant {
            annotations: vec![annotation(&GrantImmutable::default())],
            ..self.grant(GROUP, group)
        };
        let expandable = GrantExpandable {
            entitlement_ids: vec![Self::new(&GROUP_MEMBER, group).id],
            shallow: true,
            resource_type_ids: vec![USER.to_owned()],
        };
        (grant, expandable)
    }

    /// It held by `user`, after expansion. `groups` are the linked groups that `user` is in.
    pub fn user_grant(
        &self,
        user: &str,
        through: HeldThrough<'_>,
        groups: &[&GrantBuilder],
    ) -> Grant {
        let direct = |id: &str| (id.to_owned(), GrantSource { is_direct: true });
        let mut sources: BTreeMap<_, _> = groups.iter().map(|group| direct(&group.id)).collect();
        let annotations = match through {
            HeldThrough::Assignment => {
                // A direct grant names itself among its sources only beside others.
                if !sources.is_empty() {
                    sources.extend([direct(&self.id)]);
                }
                if self.is_immutable {
                    vec![annotation(&GrantImmutable::default())]
                } else {
                    Vec::new()
                }
            }
            HeldThrough::Groups => vec![annotation(&GrantImmutable::default())],
            HeldThrough::Unexplained(reported) => {
                let metadata = Profile::new().text("membership", Some(reported)).build();
                vec![
                    annotation(&GrantImmutable::default()),
                    annotation(&GrantMetadata { metadata: Some(metadata) }),
                ]
            }
        };
        Grant {
            annotations,
            sources: (!sources.is_empty()).then_some(GrantSources { sources }),
            ..self.grant(USER, user)
        }
    }

    /// A grant names entitlement and principal; what they are stands in their own rows.
    fn grant(&self, principal_type: &str, principal: &str) -> Grant {
        let only_id = |id: ResourceId| Some(Resource { id: Some(id), ..Resource::default() });
        Grant {
            entitlement: Some(Entitlement {
                id: self.id.clone(),
                resource: only_id(self.resource.clone()),
                ..Entitlement::default()
            }),
            principal: only_id(ResourceId {
                resource_type: principal_type.to_owned(),
                resource: principal.to_owned(),
            }),
            id: GrantId(&self.id).to(principal_type, principal),
            ..Grant::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantBuilder, HeldThrough, entitlement};
    use crate::baton::v2::{Grant, Resource, ResourceId};
    use crate::connector::group::{GROUP, GROUP_MEMBER};
    use crate::connector::role::{ROLE, ROLE_ASSIGNED};

    fn annotations(grant: &Grant) -> Vec<&str> {
        let names = grant.annotations.iter();
        names.map(|any| any.type_url.rsplit('.').next().unwrap()).collect()
    }

    fn sources(grant: &Grant) -> Vec<&str> {
        let sources = grant.sources.iter().flat_map(|sources| &sources.sources);
        sources
            .map(|(id, source)| {
                assert!(source.is_direct);
                id.as_str()
            })
            .collect()
    }

    fn resource(resource_type: &str, id: &str) -> Resource {
        Resource {
            id: Some(ResourceId { resource_type: resource_type.into(), resource: id.into() }),
            display_name: "Core".into(),
            ..Resource::default()
        }
    }

    #[test]
    fn a_role_is_assigned_to_users_and_groups() {
        let role = entitlement(&ROLE_ASSIGNED, &resource(ROLE, "core"));
        assert_eq!(
            (role.id.as_str(), role.slug.as_str(), role.purpose),
            ("role:core:assigned", "assigned", 1)
        );
        let to: Vec<_> = role.grantable_to.iter().map(|kind| kind.id.as_str()).collect();
        assert_eq!(to, ["user", "group"]);
        assert!(role.annotations.is_empty());
    }

    #[test]
    fn a_groups_membership_is_immutable_and_for_users() {
        let group = entitlement(&GROUP_MEMBER, &resource(GROUP, "g1"));
        assert_eq!(
            (group.id.as_str(), group.slug.as_str(), group.purpose),
            ("group:g1:member", "member", 1)
        );
        let to: Vec<_> = group.grantable_to.iter().map(|kind| kind.id.as_str()).collect();
        assert_eq!(to, ["user"]);
        assert!(group.annotations[0].type_url.ends_with(".EntitlementImmutable"));
        let grant =
            GrantBuilder::new(&GROUP_MEMBER, "g1").user_grant("ada", HeldThrough::Assignment, &[]);
        assert_eq!(grant.id, "group:g1:member:user:ada");
        assert_eq!(annotations(&grant), ["GrantImmutable"]);
    }

    #[test]
    fn a_linked_group_holds_the_role_for_its_members() {
        let (grant, expandable) = GrantBuilder::new(&ROLE_ASSIGNED, "core").linked_group("g1");
        assert_eq!(grant.id, "role:core:assigned:group:g1");
        assert_eq!(annotations(&grant), ["GrantImmutable"]);
        assert_eq!(expandable.entitlement_ids, ["group:g1:member"]);
        assert_eq!(expandable.resource_type_ids, ["user"]);
        assert!(expandable.shallow);
    }

    #[test]
    fn somebody_with_both_has_one_grant_with_both_sources() {
        let (role, group) =
            (GrantBuilder::new(&ROLE_ASSIGNED, "core"), GrantBuilder::new(&GROUP_MEMBER, "g1"));
        let both = role.user_grant("ada", HeldThrough::Assignment, &[&group]);
        assert_eq!(sources(&both), ["group:g1:member", "role:core:assigned"]);
        assert!(both.annotations.is_empty(), "an assignment can be taken away");
        let direct = role.user_grant("ada", HeldThrough::Assignment, &[]);
        assert_eq!(direct.sources, None);
        let expanded = role.user_grant("ada", HeldThrough::Groups, &[&group]);
        assert_eq!(sources(&expanded), ["group:g1:member"]);
        assert_eq!(annotations(&expanded), ["GrantImmutable"]);
    }

    #[test]
    fn an_unexplained_membership_says_what_northflank_calls_it() {
        let grant = GrantBuilder::new(&ROLE_ASSIGNED, "core").user_grant(
            "ada",
            HeldThrough::Unexplained("implicit"),
            &[],
        );
        assert_eq!(annotations(&grant), ["GrantImmutable", "GrantMetadata"]);
        assert_eq!(grant.sources, None);
    }
}
