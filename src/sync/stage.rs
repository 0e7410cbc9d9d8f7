//! Staging: pages become baton's messages and wait on disk for the rest.

use prost::Message;
use tokio::sync::mpsc;

use crate::baton::check_id;
use crate::baton::v2::{Resource, ResourceId};
use crate::c1z::{Changes, Holding, Source, Staging};
use crate::connector::{GROUP, ROLE, USER, group, role, unlisted_user, user};
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, Email, Member, Role, RoleMember, Text,
};

use super::Error;

/// A page, or what else the readers have to tell.
#[derive(Debug)]
pub(super) enum Batch {
    /// Members of the organization.
    Members(Vec<Member>),
    /// Roles.
    Roles(Vec<Role>),
    /// Directory groups.
    Groups(Vec<DirectoryGroup>),
    /// Members of a role that was listed before.
    RoleMembers {
        /// The role's id.
        role: Text,
        /// The page.
        rows: Vec<RoleMember>,
    },
    /// Members of a directory group that was listed before.
    GroupMembers {
        /// The group's id.
        group: Text,
        /// The page.
        rows: Vec<DirectoryGroupMember>,
    },
    /// The role was deleted meanwhile.
    RoleGone(Text),
    /// The directory group was deleted meanwhile.
    GroupGone(Text),
}

/// Stages batches until there are no more. What waits is staged as one transaction.
pub(super) fn stage(
    mut staging: Staging,
    mut waiting: mpsc::Receiver<Batch>,
) -> Result<Staging, Error> {
    while let Some(batch) = waiting.blocking_recv() {
        batch.check()?;
        staging.change(|changes| batch.stage(changes))?;
    }
    Ok(staging)
}

impl Batch {
    /// Refuses ids that baton's ids can't carry.
    fn check(&self) -> Result<(), Error> {
        fn all<'id>(kind: &'static str, ids: impl Iterator<Item = &'id Text>) -> Result<(), Error> {
            for id in ids {
                check_id(id).map_err(|source| Error::Id {
                    kind,
                    id: crate::baton::shorten(id, 100),
                    source,
                })?;
            }
            Ok(())
        }
        match self {
            Self::Members(rows) => all("member", rows.iter().map(|row| &row.id)),
            Self::Roles(rows) => all("role", rows.iter().map(|row| &row.id)),
            Self::Groups(rows) => all("directory group", rows.iter().map(|row| &row.id)),
            Self::RoleMembers { rows, .. } => all("role member", rows.iter().map(|row| &row.id)),
            Self::GroupMembers { rows, .. } => {
                all("directory group member", rows.iter().filter_map(|row| row.id.as_ref()))
            }
            Self::RoleGone(_) | Self::GroupGone(_) => Ok(()),
        }
    }

    fn stage(self, changes: &Changes<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Members(rows) => {
                rows.iter().try_for_each(|row| resource(changes, USER, &row.id, &user(row)))
            }
            Self::Groups(rows) => {
                rows.iter().try_for_each(|row| resource(changes, GROUP, &row.id, &group(row)))
            }
            Self::Roles(rows) => rows.iter().try_for_each(|row| {
                resource(changes, ROLE, &row.id, &role(row))?;
                links(changes, row)
            }),
            Self::RoleMembers { role, rows } => {
                let holders = rows.iter().map(|row| {
                    let holding = match row.membership.as_deref() {
                        Some("explicit") => Holding { direct: true, reported: None },
                        other => Holding {
                            direct: false,
                            reported: Some(other.unwrap_or("unknown").to_owned()),
                        },
                    };
                    (&row.id, row.name.as_ref(), row.emails.as_slice(), holding)
                });
                members(changes, ROLE, &role, holders)
            }
            Self::GroupMembers { group, rows } => {
                // Somebody without an id has no account, and so no access.
                let holders = rows.iter().filter_map(|row| {
                    let holding = Holding { direct: true, reported: None };
                    Some((row.id.as_ref()?, row.name.as_ref(), row.emails.as_slice(), holding))
                });
                members(changes, GROUP, &group, holders)
            }
            Self::RoleGone(role) => changes.drop_resource(&resource_id(ROLE, &role)),
            Self::GroupGone(group) => changes.drop_resource(&resource_id(GROUP, &group)),
        }
    }
}

fn resource(
    changes: &Changes<'_>,
    resource_type: &str,
    id: &str,
    resource: &Resource,
) -> rusqlite::Result<()> {
    let data = resource.encode_to_vec();
    changes.resource(&resource_id(resource_type, id), &Source::LIST, &data)
}

fn links(changes: &Changes<'_>, role: &Role) -> rusqlite::Result<()> {
    let Some(container) = changes.container(&resource_id(ROLE, &role.id))? else {
        return Ok(());
    };
    // A role that stands on two pages counts as its last row says.
    changes.unlink(container)?;
    role.directory_groups.iter().try_for_each(|group| changes.link(container, group))
}

fn members<'row>(
    changes: &Changes<'_>,
    resource_type: &str,
    id: &str,
    holders: impl Iterator<Item = (&'row Text, Option<&'row Text>, &'row [Email], Holding)>,
) -> rusqlite::Result<()> {
    let Some(container) = changes.container(&resource_id(resource_type, id))? else {
        return Ok(());
    };
    let source = Source::members_of(resource_type, id);
    for (id, name, emails, holding) in holders {
        changes.holder(container, id, &holding)?;
        let user = resource_id(USER, id);
        if changes.wants(&user, &source)? {
            changes.resource(&user, &source, &unlisted_user(id, name, emails).encode_to_vec())?;
        }
    }
    Ok(())
}

fn resource_id(resource_type: &str, id: &str) -> ResourceId {
    ResourceId { resource_type: resource_type.to_owned(), resource: id.to_owned() }
}
