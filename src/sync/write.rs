//! Writing: staged resources and memberships become rows, with grants expanded.

use std::collections::HashSet;

use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::baton::v2::{Grant, GrantExpandable, Resource};
use crate::c1z::{NewFile, StagedResource, Staging};
use crate::connector::{Entitled, GROUP, ROLE, Through, USER, entitlement, resource_types};

use super::{Depth, Error, Progress, Selection};

/// Writes what is selected of everything staged, by type and id.
pub(super) fn write(
    staging: &Staging,
    selection: &Selection,
    file: &mut NewFile<'_>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    Writing { staging, selection, file, progress, cancel }.write()
}

struct Writing<'sync, 'work> {
    staging: &'sync Staging,
    selection: &'sync Selection,
    file: &'sync mut NewFile<'work>,
    progress: &'sync Progress,
    cancel: &'sync CancellationToken,
}

impl Writing<'_, '_> {
    fn write(&mut self) -> Result<(), Error> {
        let types = resource_types().into_iter().filter(|it| self.selection.has_type(&it.id));
        for resource_type in types {
            self.file.resource_type(&resource_type)?;
        }
        let mentioned = self.mentioned()?;
        for resource_type in [GROUP, ROLE, USER] {
            self.resources(resource_type, &mentioned)?;
        }
        if self.selection.depth == Depth::ResourcesOnly {
            return Ok(());
        }
        for resource_type in [GROUP, ROLE] {
            for staged in self.selected(resource_type)? {
                let resource = Resource::decode(staged.data.as_slice())?;
                self.file.entitlement(&entitlement(&resource))?;
            }
        }
        if self.selection.depth == Depth::WithoutGrants {
            return Ok(());
        }
        for group in self.selected(GROUP)? {
            self.grants_of_group(&group)?;
        }
        for role in self.selected(ROLE)? {
            self.grants_of_role(&role)?;
        }
        Ok(())
    }

    fn resources(
        &mut self,
        resource_type: &str,
        mentioned: &HashSet<(&str, String)>,
    ) -> Result<(), Error> {
        if !self.selection.has_type(resource_type) {
            return Ok(());
        }
        self.staging.each_resource(resource_type, |id, data| {
            let is_wanted = self.selection.has_resource(resource_type, id)
                || mentioned.contains(&(resource_type, id.to_owned()));
            if is_wanted {
                self.file.resource(resource_type, id, data)?;
            }
            self.go_on()
        })
    }

    /// Who holds something of the selected resources, where those are only some: no grant may
    /// name a resource that the file lacks.
    fn mentioned(&self) -> Result<HashSet<(&'static str, String)>, Error> {
        let mut mentioned = HashSet::new();
        if !self.selection.is_partial() || self.selection.depth != Depth::Full {
            return Ok(mentioned);
        }
        for resource_type in [GROUP, ROLE] {
            for StagedResource { container, .. } in self.selected(resource_type)? {
                self.staging.each_holder(container, |user, _| {
                    mentioned.insert((USER, user.to_owned()));
                    Ok::<_, Error>(())
                })?;
                let linked = self.staging.linked(container, GROUP)?.into_iter();
                mentioned.extend(linked.map(|(group, _)| (GROUP, group)));
            }
        }
        Ok(mentioned)
    }

    /// The selected roles or groups, in the order of the ids of their entitlements.
    fn selected(&self, resource_type: &str) -> Result<Vec<StagedResource>, Error> {
        let containers = self.staging.containers(resource_type)?.into_iter();
        let staged = containers.map(|container| self.staging.resource(container));
        let mut selected = Vec::new();
        for staged in staged {
            let staged = staged?;
            if self.selection.has_resource(resource_type, &staged.id) {
                selected.push(staged);
            }
        }
        Ok(selected)
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn grant(&mut self, grant: &Grant, expansion: Option<&GrantExpandable>) -> Result<(), Error> {
        self.file.grant(grant, expansion)?;
        self.progress.grants.add(1);
        self.go_on()
    }

    fn grants_of_group(&mut self, group: &StagedResource) -> Result<(), Error> {
        let entitled = Entitled::new(GROUP, &group.id);
        self.staging
            .each_holder(group.container, |user, _| self.grant(&entitled.membership(user), None))
    }

    /// Who holds the role according to Northflank holds it in the file, exactly: the role's
    /// own list says who, linked groups say through what. Without expansion those who hold it
    /// through a group are left to a reader that expands.
    fn grants_of_role(&mut self, role: &StagedResource) -> Result<(), Error> {
        let entitled = Entitled::new(ROLE, &role.id);
        let linked = self.linked_groups(role)?;
        for (group, _) in &linked {
            let (grant, expandable) = entitled.linked_group(&group.id);
            self.grant(&grant, Some(&expandable))?;
        }
        self.staging.each_holder(role.container, |user, holding| {
            let mut through = Vec::new();
            for (group, entitled) in &linked {
                if self.staging.holds(group.container, user)? {
                    through.push(entitled);
                }
            }
            let how = if holding.direct {
                Through::Assignment
            } else if through.is_empty() {
                Through::Unexplained(holding.reported.as_deref().unwrap_or("unknown"))
            } else {
                Through::Groups
            };
            if !self.selection.expand {
                if how == Through::Groups {
                    return Ok(());
                }
                through.clear();
            }
            self.grant(&entitled.held(user, how, &through), None)
        })
    }

    /// The role's linked groups that exist, each with its entitlement.
    fn linked_groups(
        &self,
        role: &StagedResource,
    ) -> Result<Vec<(StagedResource, Entitled)>, Error> {
        let mut linked = Vec::new();
        if !self.selection.has_type(GROUP) {
            return Ok(linked);
        }
        for (group, container) in self.staging.linked(role.container, GROUP)? {
            let Some(container) = container else {
                tracing::warn!(
                    role = role.id,
                    group,
                    "the role is linked to a directory group that Northflank doesn't list; \
                     its members keep the role, without saying through which group"
                );
                continue;
            };
            let not_holding = self.staging.missing_holders(container, role.container)?;
            if not_holding > 0 {
                tracing::warn!(
                    role = role.id,
                    group,
                    count = not_holding,
                    "members of a linked group that Northflank doesn't report as holders of the \
                     role are not given it"
                );
            }
            let entitled = Entitled::new(GROUP, &group);
            linked.push((self.staging.resource(container)?, entitled));
        }
        Ok(linked)
    }
}
