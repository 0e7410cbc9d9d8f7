//! Writing: staged resources and memberships become rows, with grants expanded.

use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::baton::v2::Resource;
use crate::c1z::{self, Container, NewFile, Staging};
use crate::connector::{Entitled, GROUP, ROLE, Through, USER, entitlement, resource_types};

use super::{Error, Progress};

/// Writes everything staged, by type and id.
pub(super) fn write(
    staging: &Staging,
    file: &mut NewFile<'_>,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    for resource_type in &resource_types() {
        file.resource_type(resource_type)?;
    }
    for resource_type in [GROUP, ROLE, USER] {
        staging.each_resource(resource_type, |id, data| {
            file.resource(resource_type, id, data)?;
            go_on(cancel)
        })?;
    }
    for resource_type in [GROUP, ROLE] {
        for container in staging.containers(resource_type)? {
            let staged = staging.resource(container)?;
            let resource = Resource::decode(staged.data.as_slice())?;
            file.entitlement(&entitlement(&resource))?;
        }
    }
    let mut grants = Grants { staging, file, progress, cancel };
    for group in staging.containers(GROUP)? {
        grants.of_group(group)?;
    }
    for role in staging.containers(ROLE)? {
        grants.of_role(role)?;
    }
    Ok(())
}

fn go_on(cancel: &CancellationToken) -> Result<(), Error> {
    if cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
}

struct Grants<'sync, 'work> {
    staging: &'sync Staging,
    file: &'sync mut NewFile<'work>,
    progress: &'sync Progress,
    cancel: &'sync CancellationToken,
}

impl Grants<'_, '_> {
    fn of_group(&mut self, group: Container) -> Result<(), Error> {
        let entitled = Entitled::new(GROUP, &self.staging.resource(group)?.id);
        self.staging.each_holder(group, |user, _| {
            self.file.grant(&entitled.membership(user), None)?;
            self.progress.grants.add(1);
            go_on(self.cancel)
        })
    }

    /// Who holds the role according to Northflank holds it in the file, exactly: the role's
    /// own list says who, linked groups say through what.
    fn of_role(&mut self, role: Container) -> Result<(), Error> {
        let id = self.staging.resource(role)?.id;
        let entitled = Entitled::new(ROLE, &id);
        let linked = self.linked_groups(role, &id)?;
        for (group, _) in &linked {
            let (grant, expandable) = entitled.linked_group(&group.id);
            self.file.grant(&grant, Some(&expandable))?;
            self.progress.grants.add(1);
        }
        self.staging.each_holder(role, |user, holding| {
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
            self.file.grant(&entitled.held(user, how, &through), None)?;
            self.progress.grants.add(1);
            go_on(self.cancel)
        })
    }

    /// The role's linked groups that exist, each with its entitlement.
    fn linked_groups(
        &self,
        role: Container,
        id: &str,
    ) -> Result<Vec<(c1z::StagedResource, Entitled)>, Error> {
        let mut linked = Vec::new();
        for (group, container) in self.staging.linked(role, GROUP)? {
            let Some(container) = container else {
                tracing::warn!(
                    role = id,
                    group,
                    "the role is linked to a directory group that Northflank doesn't list; \
                     its members keep the role, without saying through which group"
                );
                continue;
            };
            let not_holding = self.staging.missing_holders(container, role)?;
            if not_holding > 0 {
                tracing::warn!(
                    role = id,
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
