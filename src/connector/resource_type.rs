//! What there is to know of a resource type, and of what its resources give.

use crate::baton::annotation;
use crate::baton::v2::resource_type::Trait;
use crate::baton::v2::{ResourceType, SkipEntitlementsAndGrants};
use crate::northflank::ListKind;

/// A resource type. Each is declared in the file of its own.
#[derive(Debug)]
pub struct ResourceTypeSpec {
    /// Its id.
    pub id: &'static str,
    pub(super) display_name: &'static str,
    pub(super) kind: Trait,
    /// What a profile may have. Whoever compares syncs of two versions has to know it: what is new
    /// in one is no change.
    pub(super) profile_keys: &'static [&'static str],
    /// The list that says which resources there are.
    pub list: ListKind,
    /// What each of them gives; `None` if they only hold.
    pub entitlement: Option<&'static EntitlementSpec>,
}

/// What each resource of a type gives to those who are in it.
#[derive(Debug)]
pub struct EntitlementSpec {
    /// The id of the type.
    pub resource_type: &'static str,
    pub(super) slug: &'static str,
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
        let annotations = match self.entitlement {
            Some(_) => Vec::new(),
            None => vec![annotation(&SkipEntitlementsAndGrants {})],
        };
        ResourceType {
            id: self.id.to_owned(),
            display_name: self.display_name.to_owned(),
            traits: vec![self.kind.into()],
            annotations,
            ..ResourceType::default()
        }
    }

    /// The permissions that it takes to read the resources and who is in them.
    pub(super) fn permissions(&self) -> Vec<&'static str> {
        let list = self.list.declaration();
        let members = list.of_each_row.iter().map(|kind| kind.declaration().permission);
        let mut permissions: Vec<_> = members.chain([list.permission]).collect();
        permissions.sort_unstable();
        permissions.dedup();
        permissions
    }
}
