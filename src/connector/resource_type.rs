//! What there is to know of a resource type, and of what its resources give.

use crate::baton::annotation;
use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{OptInRequired, ResourceType, SkipEntitlementsAndGrants};
use crate::northflank::ListKind;

/// A resource type. Each is declared in the file of its own.
#[derive(Debug)]
pub struct ResourceTypeSpec {
    pub id: &'static str,
    pub(super) display_name: &'static str,
    pub(super) kind: Trait,
    /// What a profile may have. Whoever compares syncs of two versions has to know it: what is new
    /// in one is no change.
    pub(super) profile_keys: &'static [&'static str],
    /// The lists that say which resources there are.
    pub lists: &'static [ListKind],
    /// What each of them gives; `None` if they only hold.
    pub entitlement: Option<&'static EntitlementSpec>,
    /// What it takes to have it synced, where that isn't always so.
    pub opt_in: Option<OptIn>,
    /// The ids of the types that are synced wherever it is.
    pub brings: &'static [&'static str],
}

/// What somebody has to ask for to have a type synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptIn {
    /// The type by its name, or teams.
    Teams,
    Secrets,
}

/// What each resource of a type gives to those who are in it.
#[derive(Debug)]
pub struct EntitlementSpec {
    /// The id of the type.
    pub resource_type: &'static str,
    pub(super) slug: &'static str,
    /// The list that says who is in it.
    pub members: ListKind,
    /// Its name, of a resource that is called like that.
    pub(super) display_name: fn(&str) -> String,
    /// What it is, of a resource that is called like that.
    pub(super) description: fn(&str) -> String,
    pub(super) grantable_to: &'static [&'static ResourceTypeSpec],
    /// Whether it is given and taken elsewhere.
    pub(super) is_immutable: bool,
}

impl ResourceTypeSpec {
    /// As baton's message.
    pub fn message(&self) -> ResourceType {
        let gives_nothing = self.entitlement.is_none();
        let annotations = gives_nothing.then(|| annotation(&SkipEntitlementsAndGrants {}));
        let opt_in = self.has_to_be_named().then(|| annotation(&OptInRequired {}));
        ResourceType {
            id: self.id.to_owned(),
            display_name: self.display_name.to_owned(),
            traits: vec![self.kind.into()],
            annotations: annotations.into_iter().chain(opt_in).collect(),
            ..ResourceType::default()
        }
    }

    /// Whether ConductorOne is told that it has to name the type to have it synced. Secrets are a
    /// setting's matter, which adds them to whatever is named.
    pub(super) fn has_to_be_named(&self) -> bool {
        self.opt_in == Some(OptIn::Teams)
    }

    /// The permissions that it takes to read the resources and who is in them.
    pub(super) fn permissions(&self) -> Vec<&'static str> {
        let members = self.entitlement.map(|entitlement| entitlement.members);
        let lists = self.lists.iter().copied().chain(members);
        let with_parents =
            lists.flat_map(|kind| std::iter::successors(Some(kind), |it| it.parent()));
        let mut permissions: Vec<_> =
            with_parents.map(|kind| kind.declaration().permission).collect();
        permissions.sort_unstable();
        permissions.dedup();
        permissions
    }
}
