//! What was selected and isn't there: a file without it would look like one of nothing.

use crate::baton::find;
use crate::baton::v2::UserTrait;
use crate::connector::{ResourceTypeSpec, USER, resource_type, resource_type_of_rows};
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
        if spec.id == USER {
            self.people().any(|person| self.snapshot.id(person) == id)
        } else {
            self.snapshot.container(spec.id, id).is_some()
        }
    }

    fn people(&self) -> impl Iterator<Item = u32> {
        self.snapshot.people().filter(|person| self.exists[*person as usize])
    }

    /// The ids of the same type that are most like this one.
    fn nearest(&self, spec: &ResourceTypeSpec, id: &str) -> Result<Suggestions, Error> {
        if let Some(near) = self.nearest_below(spec, id) {
            return Ok(near);
        }
        let mut near = Suggestions::to(id);
        if spec.id != USER {
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
    /// The same of what belongs to something, by an id of two parts: what else belongs to that, or
    /// the nearest of which it could be. `None` for what belongs to nothing.
    fn nearest_below(&self, spec: &ResourceTypeSpec, id: &str) -> Option<Suggestions> {
        let parents = resource_type_of_rows(spec.lists.iter().find_map(|kind| kind.parent())?)?;
        let (owner, own) = id.split_once('/')?;
        let beside = self.snapshot.containers_of(spec.id).iter().filter_map(|it| {
            let (of, own) = it.row.id().split_once('/')?;
            (of == owner).then_some((it, own))
        });
        let mut near = Suggestions::to(own);
        let mut has_any = false;
        for (it, own) in beside {
            has_any = true;
            near.offer(
                it.row.id(),
                [Some(own), it.row.name().map(|name| &**name)].into_iter().flatten(),
            );
        }
        if has_any {
            return Some(near);
        }
        let mut near = Suggestions::to(owner);
        for WithMembers { row, .. } in self.snapshot.containers_of(parents.id) {
            let names = [Some(&**row.id()), row.name().map(|name| &**name)];
            near.offer(&format!("{}/{own}", row.id()), names.into_iter().flatten());
        }
        Some(near)
    }
}
