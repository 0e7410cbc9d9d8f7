//! What part of the organization a sync reads and writes.

use crate::baton::resource_key;
use crate::baton::v2::ResourceId;
use crate::c1z::SyncType;
use crate::connector::{GROUP, USER};

/// What part of the organization to sync. The default is all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSelection {
    /// How much of each resource.
    pub depth: SyncDepth,
    /// Only resources of these types; of all if empty.
    pub resource_types: Vec<&'static str>,
    /// Only these resources, and whoever holds what they give; all if empty.
    pub resources: Vec<ResourceId>,
    /// Whether roles held through groups become grants of their own.
    pub expand: bool,
}

/// How much of each resource to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncDepth {
    /// Everything.
    Full,
    /// Resources and entitlements.
    WithoutGrants,
    /// Resources.
    ResourcesOnly,
}

impl Default for SyncSelection {
    fn default() -> Self {
        Self {
            depth: SyncDepth::Full,
            resource_types: Vec::new(),
            resources: Vec::new(),
            expand: true,
        }
    }
}

impl SyncSelection {
    /// Whether resources of a type are synced at all.
    pub(super) fn has_type(&self, resource_type: &str) -> bool {
        self.resource_types.is_empty() || self.resource_types.contains(&resource_type)
    }

    /// Whether a resource is synced for its own sake, not only as somebody who holds
    /// something.
    pub(super) fn has_resource(&self, resource_type: &str, id: &str) -> bool {
        self.has_type(resource_type)
            && (self.resources.is_empty()
                || self
                    .resources
                    .iter()
                    .any(|wanted| wanted.resource_type == resource_type && wanted.resource == id))
    }

    /// Whether only certain resources are synced.
    pub(super) fn is_partial(&self) -> bool {
        !self.resources.is_empty()
    }

    /// Whether the members of a role or group are to be read, as far as its own sake goes.
    pub(super) fn has_memberships_of(&self, resource_type: &str, id: &str) -> bool {
        self.depth == SyncDepth::Full && self.has_type(USER) && self.has_resource(resource_type, id)
    }

    /// Whether the members of its linked groups are to be read for the sake of something.
    pub(super) fn has_sources_of(&self, resource_type: &str, id: &str) -> bool {
        self.is_partial() && self.has_type(GROUP) && self.has_memberships_of(resource_type, id)
    }

    /// What a sync is reduced to, in words that are the same for the same; `None` for one of
    /// everything.
    pub(super) fn reduced_to(&self) -> Option<String> {
        let Self { depth, resource_types, resources, expand: _ } = self;
        if *depth == SyncDepth::Full && resource_types.is_empty() && resources.is_empty() {
            return None;
        }
        let mut types = resource_types.clone();
        types.sort_unstable();
        types.dedup();
        let mut resources: Vec<_> =
            resources.iter().map(|it| resource_key(&it.resource_type, &it.resource)).collect();
        resources.sort_unstable();
        resources.dedup();
        let only = |what, ids: &str| (!ids.is_empty()).then(|| format!("only the {what} {ids}"));
        let depth = match depth {
            SyncDepth::Full => None,
            SyncDepth::WithoutGrants => Some("no grants".to_owned()),
            SyncDepth::ResourcesOnly => Some("no entitlements and no grants".to_owned()),
        };
        let parts =
            [only("types", &types.join(", ")), only("resources", &resources.join(", ")), depth];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    /// What readers call such a sync.
    pub(super) fn sync_type(&self) -> SyncType {
        if self.is_partial() {
            SyncType::Partial
        } else if self.depth == SyncDepth::ResourcesOnly {
            SyncType::ResourcesOnly
        } else {
            SyncType::Full
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ResourceId, SyncDepth, SyncSelection, USER};
    use crate::connector::ROLE;

    #[test]
    fn what_a_sync_is_reduced_to_is_said_in_words_that_are_the_same_for_the_same() {
        let said = |selection: &SyncSelection| selection.reduced_to().unwrap_or_default();
        let whole = SyncSelection::default();
        assert_eq!(said(&whole), "");
        let resource_types = vec![USER, ROLE, USER];
        let types = SyncSelection { resource_types, ..whole.clone() };
        assert_eq!(said(&types), "only the types role, user");
        let resources = ["b", "a"]
            .map(|id| ResourceId { resource_type: ROLE.to_owned(), resource: id.to_owned() });
        let some = SyncSelection { resources: resources.to_vec(), ..whole.clone() };
        assert_eq!(said(&some), "only the resources role:a, role:b");
        let depth = SyncDepth::WithoutGrants;
        assert_eq!(said(&SyncSelection { depth, ..types }), "only the types role, user; no grants");
        let depth = SyncDepth::ResourcesOnly;
        assert_eq!(said(&SyncSelection { depth, ..whole }), "no entitlements and no grants");
    }
}
