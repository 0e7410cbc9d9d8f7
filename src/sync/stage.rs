//! Staging: pages become baton's messages and wait on disk for the rest.

use prost::Message;
use tokio::sync::{mpsc, oneshot};

use crate::baton::check_id;
use crate::baton::v2::{Resource, ResourceId};
use crate::c1z::{Changes, Holding, Source, Staging};
use crate::connector::{GROUP, ROLE, USER, group, role, unlisted_user, user};
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, Email, Member, Position, Role, RoleMember, Text,
};

use super::list::List;
use super::{Error, Progress};

/// A page of a list.
#[derive(Debug)]
pub(super) struct Batch {
    /// What the page says.
    pub(super) rows: Rows,
    /// Where the page after it is, if there is one.
    pub(super) next: Option<Position>,
    /// The lists that the page leads to.
    pub(super) found: Vec<List>,
    /// Told when all of that is safe on disk.
    pub(super) stored: oneshot::Sender<()>,
}

/// What a page says.
#[derive(Debug)]
pub(super) enum Rows {
    /// Members of the organization.
    Members(Vec<Member>),
    /// Roles.
    Roles(Vec<Role>),
    /// Directory groups.
    Groups(Vec<DirectoryGroup>),
    /// Members of a role that was listed before.
    RoleMembers(Text, Vec<RoleMember>),
    /// Members of a directory group that was listed before.
    GroupMembers(Text, Vec<DirectoryGroupMember>),
    /// The role was deleted meanwhile.
    RoleGone(Text),
    /// The directory group was deleted meanwhile.
    GroupGone(Text),
}

/// Stages batches until there are no more. What waits is staged as one transaction. The
/// staging comes back in any case.
pub(super) fn stage(
    mut staging: Staging,
    mut waiting: mpsc::Receiver<Batch>,
    progress: &Progress,
) -> (Staging, Result<(), Error>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batches = vec![first];
        while let Ok(batch) = waiting.try_recv() {
            batches.push(batch);
        }
        // What was read before an answer that can't be used is kept.
        let checked: Vec<_> = batches.iter().map(|batch| batch.rows.check()).collect();
        let usable = checked.iter().take_while(|checked| checked.is_ok()).count();
        batches.truncate(usable);
        let stored = staging.change(|changes| batches.iter().try_for_each(|it| it.stage(changes)));
        if let Err(error) = stored {
            return (staging, Err(error.into()));
        }
        for batch in batches {
            progress.read(&batch.rows, batch.found.len());
            // A reader that was stopped meanwhile doesn't wait any more.
            let _ = batch.stored.send(());
        }
        if let Some(Err(error)) = checked.into_iter().nth(usable) {
            return (staging, Err(error));
        }
    }
    (staging, Ok(()))
}

impl Rows {
    /// The list that the page is of.
    pub(super) fn list(&self) -> List {
        match self {
            Self::Members(_) => List::Members,
            Self::Roles(_) => List::Roles,
            Self::Groups(_) => List::Groups,
            Self::RoleMembers(role, _) | Self::RoleGone(role) => List::RoleMembers(role.clone()),
            Self::GroupMembers(group, _) | Self::GroupGone(group) => {
                List::GroupMembers(group.clone())
            }
        }
    }

    /// How many rows the page has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Members(rows) => rows.len(),
            Self::Roles(rows) => rows.len(),
            Self::Groups(rows) => rows.len(),
            Self::RoleMembers(_, rows) => rows.len(),
            Self::GroupMembers(_, rows) => rows.len(),
            Self::RoleGone(_) | Self::GroupGone(_) => 0,
        }
    }

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
            Self::RoleMembers(_, rows) => all("role member", rows.iter().map(|row| &row.id)),
            Self::GroupMembers(_, rows) => {
                all("directory group member", rows.iter().filter_map(|row| row.id.as_ref()))
            }
            Self::RoleGone(_) | Self::GroupGone(_) => Ok(()),
        }
    }
}

impl Batch {
    fn stage(&self, changes: &Changes<'_>) -> rusqlite::Result<()> {
        self.rows.stage(changes)?;
        for list in &self.found {
            changes.list(&list.name())?;
        }
        let next = self.next.as_ref().map(|Position::Cursor(cursor)| cursor.as_str());
        changes.page(&self.rows.list().name(), next)
    }
}

impl Rows {
    fn stage(&self, changes: &Changes<'_>) -> rusqlite::Result<()> {
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
            Self::RoleMembers(role, rows) => {
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
                members(changes, ROLE, role, holders)
            }
            Self::GroupMembers(group, rows) => {
                // Somebody without an id has no account, and so no access.
                let holders = rows.iter().filter_map(|row| {
                    let holding = Holding { direct: true, reported: None };
                    Some((row.id.as_ref()?, row.name.as_ref(), row.emails.as_slice(), holding))
                });
                members(changes, GROUP, group, holders)
            }
            Self::RoleGone(role) => changes.drop_resource(&resource_id(ROLE, role)),
            Self::GroupGone(group) => changes.drop_resource(&resource_id(GROUP, group)),
        }
    }
}

fn resource(
    changes: &Changes<'_>,
    resource_type: &str,
    id: &str,
    resource: &Resource,
) -> rusqlite::Result<()> {
    changes.resource(&resource_id(resource_type, id), &Source::LIST, || resource.encode_to_vec())
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
        changes.resource(&resource_id(USER, id), &source, || {
            unlisted_user(id, name, emails).encode_to_vec()
        })?;
    }
    Ok(())
}

fn resource_id(resource_type: &str, id: &str) -> ResourceId {
    ResourceId { resource_type: resource_type.to_owned(), resource: id.to_owned() }
}
