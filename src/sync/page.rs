//! A page of a list, as it is folded and as a journal keeps it.

use serde::{Deserialize, Serialize};

use crate::baton::check_id;
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, Listed, Member, PageError, Position, Role, RoleMember,
    Text, Told,
};

use super::list::List;
use super::{Error, Selection};
use crate::connector::{GROUP, ROLE};

/// A page of a list.
#[derive(Debug)]
pub(super) struct ListPage {
    /// What it says.
    pub(super) rows: Rows,
    /// Where the page after it is, if there is one.
    pub(super) next: Option<Position>,
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
    /// Members of a role.
    RoleMembers(Text, Vec<RoleMember>),
    /// Members of a directory group.
    GroupMembers(Text, Vec<DirectoryGroupMember>),
    /// The role was deleted meanwhile.
    RoleGone(Text),
    /// The directory group was deleted meanwhile.
    GroupGone(Text),
}

/// What a journal keeps besides the body.
#[derive(Serialize, Deserialize)]
struct Note {
    /// The list's name.
    list: String,
    /// Where it goes on.
    next: Option<Position>,
    /// Whether there is no body, because what the list is of was deleted.
    is_gone: bool,
}

impl ListPage {
    /// What a journal is to keep of the page that came as `body`: the body, a line feed, and a
    /// note on one line.
    pub(super) fn record(&self, mut body: Vec<u8>) -> serde_json::Result<Vec<u8>> {
        let note = Note {
            list: self.rows.list().name(),
            next: self.next.clone(),
            is_gone: matches!(self.rows, Rows::RoleGone(_) | Rows::GroupGone(_)),
        };
        body.push(b'\n');
        serde_json::to_writer(&mut body, &note)?;
        Ok(body)
    }

    /// The page that a journal kept, or what is wrong with it.
    pub(super) fn of_record(record: &[u8]) -> Result<Self, String> {
        let split = memchr::memrchr(b'\n', record).ok_or("a page has no note")?;
        let (body, note) = (&record[..split], &record[split + 1..]);
        let Note { list, next, is_gone } =
            serde_json::from_slice(note).map_err(|error| error.to_string())?;
        let rows = match (List::named(&list), is_gone) {
            (None, _) => return Err("it names an unknown list".to_owned()),
            (Some(List::RoleMembers(role)), true) => Rows::RoleGone(role),
            (Some(List::GroupMembers(group)), true) => Rows::GroupGone(group),
            (Some(_), true) => return Err("it drops what can't be dropped".to_owned()),
            (Some(list), false) => Rows::read(list, body).map_err(|error| error.to_string())?,
        };
        rows.check().map_err(|error| error.to_string())?;
        Ok(Self { rows, next })
    }
}

impl Rows {
    fn read(list: List, body: &[u8]) -> Result<Self, PageError> {
        // Where the list goes on has been decided already.
        fn rows<T: Listed>(body: &[u8]) -> Result<Vec<T>, PageError> {
            Ok(Told::read(body)?.rows)
        }
        Ok(match list {
            List::Members => Self::Members(rows(body)?),
            List::Roles => Self::Roles(rows(body)?),
            List::Groups => Self::Groups(rows(body)?),
            List::RoleMembers(role) => Self::RoleMembers(role, rows(body)?),
            List::GroupMembers(group) => Self::GroupMembers(group, rows(body)?),
        })
    }

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

    /// The lists that the page leads to.
    pub(super) fn found(&self, selection: &Selection) -> Vec<List> {
        let mut found = Vec::new();
        match self {
            Self::Roles(rows) => {
                for Role { id, directory_groups, .. } in rows {
                    if selection.has_memberships_of(ROLE, id) {
                        found.push(List::RoleMembers(id.clone()));
                    }
                    if selection.has_sources_of(id) {
                        found.extend(directory_groups.iter().cloned().map(List::GroupMembers));
                    }
                }
            }
            Self::Groups(rows) => {
                let ids = rows.iter().map(|group| &group.id);
                let ids = ids.filter(|id| selection.has_memberships_of(GROUP, id));
                found.extend(ids.cloned().map(List::GroupMembers));
            }
            Self::Members(_)
            | Self::RoleMembers(..)
            | Self::GroupMembers(..)
            | Self::RoleGone(_)
            | Self::GroupGone(_) => {}
        }
        found
    }

    /// Refuses ids that baton's ids can't carry.
    pub(super) fn check(&self) -> Result<(), Error> {
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
