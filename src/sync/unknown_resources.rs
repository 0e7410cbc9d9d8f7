//! What was selected and isn't there: a file without it would look like one of nothing.

use crate::baton::find;
use crate::baton::v2::UserTrait;
use crate::connector::{ResourceTypeSpec, resource_type};
use crate::suggest::Suggestions;

use super::error::{UnknownResource, UnknownResources};
use super::snapshot::{Snapshot, WithMembers};
use super::{Error, SyncSelection};

/// The selected resources that can't be synced.
pub(super) fn unknown(
    snapshot: &Snapshot,
    selection: &SyncSelection,
) -> Result<UnknownResources, Error> {
    let mut unknown = Vec::new();
    let search = ResourceSearch { snapshot, exists: snapshot.exists() };
    for id in &selection.resources {
        let spec = resource_type(&id.resource_type);
        match spec.filter(|spec| selection.has_type(spec.id)) {
            None => unknown.push(UnknownResource::Type(id.clone())),
            Some(spec) if !search.has(spec, &id.resource) => {
                let nearest = search.nearest(spec, &id.resource)?;
                unknown.push(UnknownResource::Id(id.clone(), nearest));
            }
            Some(_) => {}
        }
    }
    Ok(UnknownResources(unknown))
}

struct ResourceSearch<'sync> {
    snapshot: &'sync Snapshot,
    /// For each person.
    exists: Vec<bool>,
}

impl ResourceSearch<'_> {
    fn has(&self, spec: &ResourceTypeSpec, id: &str) -> bool {
        match spec.entitlement {
            Some(_) => self.snapshot.container(spec.id, id).is_some(),
            None => self.people().any(|person| self.snapshot.id(person) == id),
        }
    }

    fn people(&self) -> impl Iterator<Item = u32> {
        self.snapshot.people().filter(|person| self.exists[*person as usize])
    }

    /// The ids of the same type that are most like this one.
    fn nearest(&self, spec: &ResourceTypeSpec, id: &str) -> Result<Suggestions, Error> {
        let mut near = Suggestions::to(id);
        if spec.entitlement.is_some() {
            for WithMembers { row, .. } in self.snapshot.containers_of(spec.id) {
                near.offer(row.id(), row.name().map(|name| &**name));
            }
            return Ok(near);
        }
        for person in self.people() {
            let user = self.snapshot.user(person)?;
            let emails = find::<UserTrait>(&user.annotations).unwrap_or_default().emails;
            let emails = emails.iter().map(|email| email.address.as_str());
            near.offer(self.snapshot.id(person), emails.chain([&*user.display_name]));
        }
        Ok(near)
    }
}
