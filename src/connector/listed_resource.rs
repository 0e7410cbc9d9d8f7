//! What Northflank lists and becomes a resource: something that people are in, or a token.

use std::fmt::Debug;

use crate::baton::v2::{Resource, ResourceId};
use crate::northflank::Text;

use super::resource_type::ResourceTypeSpec;

/// A row of Northflank's that becomes a resource.
pub trait ListedResource: Debug + Send {
    /// What it is.
    fn resource_type(&self) -> &'static ResourceTypeSpec;

    /// Its id among all of its type.
    fn id(&self) -> &Text;

    /// What people call it.
    fn name(&self) -> Option<&Text>;

    /// It as a resource.
    fn resource(&self, context: &ResourceContext<'_>) -> Resource;

    /// The type and id of what it belongs to.
    fn parent(&self) -> Option<(&'static str, &Text)> {
        None
    }

    /// Whether it still counts. The list may have it all the same.
    fn is_in_use(&self) -> bool {
        true
    }

    /// The ids of directory groups whose members hold it.
    fn linked_groups(&self) -> &[Text] {
        &[]
    }

    /// The ids of teams in which alone it applies.
    fn restricted_to_teams(&self) -> Vec<&Text> {
        Vec::new()
    }

    /// The address of who made it.
    fn creator_email(&self) -> Option<&str> {
        None
    }
}

/// What a resource says that other lists tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceContext<'sync> {
    /// What people call what it belongs to.
    pub parent_name: Option<&'sync str>,
    /// Whether what it belongs to is synced as well.
    pub has_parent: bool,
    /// How many are in it whom Northflank gives no id.
    pub members_without_id: usize,
    /// The id of the user who made it, if only one can have.
    pub creator: Option<&'sync str>,
}

impl ResourceContext<'_> {
    /// The id of what it belongs to, if that is synced.
    pub(super) fn parent_id(&self, resource_type: &str, id: &Text) -> Option<ResourceId> {
        self.has_parent.then(|| ResourceId {
            resource_type: resource_type.to_owned(),
            resource: id.to_string(),
        })
    }
}
