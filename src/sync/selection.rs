//! What part of the organization a sync reads and writes.

use crate::baton::resource_key;
use crate::baton::v2::ResourceId;
use crate::c1z::SyncType;
use crate::connector::{
    self, GROUP, OptIn, RESOURCE_TYPES, ResourceTypeSpec, USER, resource_type_of_members,
    resource_type_of_rows,
};
use crate::northflank::{List, ListKind, Text};

/// What part of the organization to sync. The default is all of it, but for what has to be asked
/// for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSelection {
    /// How much of each resource.
    pub depth: SyncDepth,
    /// Only resources of these types; of all that need not be asked for if empty.
    pub resource_types: Vec<&'static str>,
    /// Teams and their roles besides.
    pub teams: bool,
    /// Secrets besides.
    pub secrets: bool,
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
    ResourcesOnly,
}

impl Default for SyncSelection {
    fn default() -> Self {
        Self {
            depth: SyncDepth::Full,
            resource_types: Vec::new(),
            teams: false,
            secrets: false,
            resources: Vec::new(),
            expand: true,
        }
    }
}

impl SyncSelection {
    /// The types of which resources are synced, by id.
    pub fn types(&self) -> impl Iterator<Item = &'static ResourceTypeSpec> {
        RESOURCE_TYPES.into_iter().filter(|spec| self.has_type(spec.id))
    }

    /// Whether resources of a type are synced at all.
    pub(super) fn has_type(&self, resource_type: &str) -> bool {
        RESOURCE_TYPES.iter().any(|spec| {
            (spec.id == resource_type || spec.brings.contains(&resource_type)) && self.takes(spec)
        })
    }

    /// Whether a type is selected for its own sake.
    fn takes(&self, spec: &ResourceTypeSpec) -> bool {
        let is_named = self.resource_types.contains(&spec.id);
        match spec.opt_in {
            None => is_named || self.resource_types.is_empty(),
            Some(OptIn::Teams) => {
                let has_one = || self.resources.iter().any(|it| it.resource_type == spec.id);
                is_named || self.teams || (self.resource_types.is_empty() && has_one())
            }
            Some(OptIn::Secrets) => self.secrets,
        }
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

    /// Whether the people in resources of a type are read.
    fn has_memberships(&self) -> bool {
        self.depth == SyncDepth::Full && self.has_type(USER)
    }

    /// Whether a list is read, as far as its own sake goes: it says which resources there are, who
    /// is in one, or what others belong to.
    pub fn has_list(&self, list: &List) -> bool {
        if let Some(spec) = resource_type_of_members(list.kind) {
            let is_told_of =
                |id: &Text| self.has_resource(spec.id, id) || self.is_named_below(spec, id);
            return self.has_memberships() && list.parent.as_ref().is_some_and(is_told_of);
        }
        let leads_to = |spec: &ResourceTypeSpec| {
            spec.lists.iter().any(|kind| *kind == list.kind || kind.is_below(list.kind))
        };
        let Some(parent) = &list.parent else {
            return self.types().any(leads_to);
        };
        self.types().filter(|spec| leads_to(spec)).any(|spec| {
            let mut wanted = self.resources.iter().filter(|id| id.resource_type == spec.id);
            !self.is_partial() || wanted.any(|id| is_below(&id.resource, parent))
        })
    }

    /// Whether a resource is synced for the sake of a selected one that belongs to it.
    fn is_named_below(&self, spec: &ResourceTypeSpec, id: &str) -> bool {
        let belongs = |below: &ResourceTypeSpec| {
            let mut parents = below.lists.iter().filter_map(|kind| kind.parent());
            parents.any(|kind| spec.lists.contains(&kind))
        };
        self.has_type(spec.id)
            && self.resources.iter().any(|wanted| {
                let below = connector::resource_type(&wanted.resource_type);
                below.is_some_and(belongs) && is_below(&wanted.resource, id)
            })
    }

    /// Whether lists of a kind may be read that belong to rows of another.
    pub fn may_have_lists(&self, kind: ListKind) -> bool {
        match (resource_type_of_members(kind), resource_type_of_rows(kind)) {
            (Some(spec), _) => self.has_memberships() && self.has_type(spec.id),
            (None, Some(spec)) => self.has_type(spec.id),
            (None, None) => false,
        }
    }

    /// Whether the members of its linked groups are to be read for the sake of something.
    pub(super) fn has_sources_of(&self, resource_type: &str, id: &str) -> bool {
        self.is_partial()
            && self.has_type(GROUP)
            && self.has_memberships()
            && self.has_resource(resource_type, id)
    }

    /// What a sync is reduced to, in words that are the same for the same; `None` for one of
    /// everything that need not be asked for. By name that is everything only where more is named
    /// besides.
    pub(super) fn reduced_to(&self) -> Option<String> {
        let Self { depth, resource_types, resources, .. } = self;
        let is_always =
            |id: &str| connector::resource_type(id).is_some_and(|spec| spec.opt_in.is_none());
        let mut types: Vec<_> = resource_types.clone();
        types.retain(|id| is_always(id));
        types.sort_unstable();
        types.dedup();
        let all = RESOURCE_TYPES.iter().filter(|spec| spec.opt_in.is_none()).count();
        let is_whole = resource_types.is_empty()
            || (types.len() == all && self.further_types().next().is_some());
        if *depth == SyncDepth::Full && is_whole && resources.is_empty() {
            return None;
        }
        let mut resources: Vec<_> =
            resources.iter().map(|it| resource_key(&it.resource_type, &it.resource)).collect();
        resources.sort_unstable();
        resources.dedup();
        let types = match types.as_slice() {
            _ if is_whole => None,
            [] => Some("no users, roles and groups".to_owned()),
            types => Some(format!("only the types {}", types.join(", "))),
        };
        let resources =
            (!resources.is_empty()).then(|| format!("only the resources {}", resources.join(", ")));
        let depth = match depth {
            SyncDepth::Full => None,
            SyncDepth::WithoutGrants => Some("no grants".to_owned()),
            SyncDepth::ResourcesOnly => Some("no entitlements and no grants".to_owned()),
        };
        Some([types, resources, depth].into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    /// The types that are synced because somebody asked for them, by id.
    pub(super) fn further_types(&self) -> impl Iterator<Item = &'static str> {
        self.types().filter(|spec| spec.opt_in.is_some()).map(|spec| spec.id)
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

/// Whether what has this id belongs to what has the id `parent`, with which it then begins.
fn is_below(id: &str, parent: &str) -> bool {
    id.strip_prefix(parent).is_some_and(|own| own.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{GROUP, List, ListKind, ResourceId, SyncDepth, SyncSelection, USER};
    use crate::connector::{API_TOKEN, ROLE, TEAM, TEAM_ROLE};

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
        let resources_only = SyncSelection { depth, ..whole.clone() };
        assert_eq!(said(&resources_only), "no entitlements and no grants");
        let all = vec![USER, ROLE, GROUP];
        let all = SyncSelection { resource_types: all, ..whole.clone() };
        assert_eq!(said(&all), "only the types group, role, user");
        assert_eq!(said(&SyncSelection { teams: true, ..all }), "");
        let teams = SyncSelection { resource_types: vec![TEAM, USER], ..whole };
        assert_eq!(said(&teams), "only the types user");
    }

    fn types(selection: &SyncSelection) -> Vec<&'static str> {
        selection.types().map(|spec| spec.id).collect()
    }

    #[test]
    fn teams_and_secrets_are_synced_where_somebody_asks_for_them() {
        let whole = SyncSelection::default();
        assert_eq!(types(&whole), [GROUP, ROLE, USER]);
        let teams = SyncSelection { teams: true, ..whole.clone() };
        assert_eq!(types(&teams), [GROUP, ROLE, TEAM, TEAM_ROLE, USER]);
        let named = |resource_types| SyncSelection { resource_types, ..whole.clone() };
        assert_eq!(types(&named(vec![TEAM, USER])), [TEAM, USER]);
        assert_eq!(types(&named(vec![TEAM_ROLE])), [TEAM, TEAM_ROLE]);
        let secrets = SyncSelection { secrets: true, ..named(vec![USER]) };
        assert_eq!(types(&secrets), [API_TOKEN, USER]);
        let id = ResourceId { resource_type: TEAM_ROLE.to_owned(), resource: "core/a".to_owned() };
        let some = SyncSelection { resources: vec![id], ..whole.clone() };
        assert_eq!(types(&some), [GROUP, ROLE, TEAM, TEAM_ROLE, USER]);
    }

    #[test]
    fn a_list_is_read_for_what_is_selected_of_it_or_below_it() {
        let list = |kind, parent: &str| List::of(kind, parent.into());
        let role =
            |id: &str| ResourceId { resource_type: TEAM_ROLE.to_owned(), resource: id.to_owned() };
        let some = SyncSelection { resources: vec![role("core/a")], ..SyncSelection::default() };
        assert!(some.has_list(&List::only(ListKind::Teams)));
        assert!(some.has_list(&list(ListKind::TeamRoles, "core")));
        assert!(!some.has_list(&list(ListKind::TeamRoles, "cor")));
        assert!(some.has_list(&list(ListKind::TeamRoleMembers, "core/a")));
        assert!(some.has_list(&list(ListKind::TeamMembers, "core")), "its row tells of them");
        assert!(!some.has_list(&list(ListKind::TeamMembers, "cor")));
        assert!(!some.has_list(&list(ListKind::TeamTokens, "core")));
        let secrets = SyncSelection { secrets: true, ..SyncSelection::default() };
        assert!(secrets.has_list(&List::only(ListKind::Teams)), "for the teams' tokens");
        assert!(secrets.has_list(&list(ListKind::TeamTokens, "core")));
        assert!(!secrets.has_list(&list(ListKind::TeamRoles, "core")));
        let whole = SyncSelection::default();
        assert!(!whole.has_list(&List::only(ListKind::Teams)));
        assert!(!whole.has_list(&List::only(ListKind::Tokens)));
    }
}
