//! A page of a list, as it is folded.

use crate::baton::check_id;
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, ListRow, Member, PageBody, PageError, Role, RoleMember,
    Text,
};

use super::Error;
use super::container::Container;

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// What it says.
    pub rows: Rows,
    /// Whether the list begins with it: nothing counts that it said before.
    pub is_first: bool,
    /// Whether the list ends with it. Until then nothing counts that it says.
    pub is_last: bool,
}

/// What a page says.
#[derive(Debug)]
pub enum Rows {
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
}

impl Rows {
    /// What `body`, an answer, says of who is in `container`.
    pub fn read(container: Container, body: &[u8]) -> Result<Self, PageError> {
        // What follows has been decided already.
        fn rows<T: ListRow>(body: &[u8]) -> Result<Vec<T>, PageError> {
            Ok(PageBody::read(body)?.rows)
        }
        Ok(match container {
            Container::Role(role) => Self::RoleMembers(role, rows(body)?),
            Container::Group(group) => Self::GroupMembers(group, rows(body)?),
        })
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
        }
    }
}
