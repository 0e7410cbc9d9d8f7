//! What was selected and isn't there: a file without it would look like one of nothing.

use crate::baton::find;
use crate::baton::v2::{ResourceId, UserTrait};
use crate::connector::{GROUP, ROLE, USER};
use crate::suggest::Suggestions;

use super::error::{UnknownResource, UnknownResources};
use super::snapshot::Snapshot;
use super::{Error, SyncSelection};

/// The selected resources that can't be synced.
pub(super) fn unknown(
    access: &Snapshot,
    selection: &SyncSelection,
) -> Result<UnknownResources, Error> {
    let mut unknown = Vec::new();
    let search = ResourceSearch { access, exists: access.exists() };
    for id in &selection.resources {
        let is_synced = [GROUP, ROLE, USER].contains(&id.resource_type.as_str())
            && selection.has_type(&id.resource_type);
        if !is_synced {
            unknown.push(UnknownResource::Type(id.clone()));
        } else if !search.has(id) {
            unknown.push(UnknownResource::Id(id.clone(), search.nearest(id)?));
        }
    }
    Ok(UnknownResources(unknown))
}

struct ResourceSearch<'access> {
    access: &'access Snapshot,
    /// For each person.
    exists: Vec<bool>,
}

impl ResourceSearch<'_> {
    fn has(&self, ResourceId { resource_type, resource: id }: &ResourceId) -> bool {
        match resource_type.as_str() {
            GROUP => self.access.groups.iter().any(|held| *held.row.id == **id),
            ROLE => self.access.roles.iter().any(|held| *held.row.id == **id),
            USER => self.people().any(|person| self.access.id(person) == id),
            _ => false,
        }
    }

    fn people(&self) -> impl Iterator<Item = u32> {
        self.access.people().filter(|person| self.exists[*person as usize])
    }

    /// The ids of the same type that are most like this one.
    fn nearest(&self, id: &ResourceId) -> Result<Suggestions, Error> {
        let mut near = Suggestions::to(&id.resource);
        match id.resource_type.as_str() {
            GROUP => {
                for held in &self.access.groups {
                    near.offer(&held.row.id, held.row.name.as_deref());
                }
            }
            ROLE => {
                for held in &self.access.roles {
                    near.offer(&held.row.id, held.row.name.as_deref());
                }
            }
            USER => {
                for person in self.people() {
                    let user = self.access.user(person)?;
                    let emails = find::<UserTrait>(&user.annotations).unwrap_or_default().emails;
                    let emails = emails.iter().map(|email| email.address.as_str());
                    near.offer(self.access.id(person), emails.chain([&*user.display_name]));
                }
            }
            _ => {}
        }
        Ok(near)
    }
}
