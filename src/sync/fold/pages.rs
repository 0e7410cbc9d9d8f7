//! Adding page after page.

use std::collections::BTreeMap;

use crate::northflank::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember, Text};

use crate::sync::error::TooLarge;
use crate::sync::page::{ListPage, Rows};

use super::holder::{Holder, Holding};
use super::people::{Facts, People, Source};
use super::texts::Numbers;

/// What has been read so far.
#[derive(Debug, Default)]
pub(in crate::sync) struct Fold {
    pub(super) people: People,
    /// What Northflank calls memberships that aren't direct.
    pub(super) words: Numbers,
    /// The member list as a source.
    members: Option<u32>,
    pub(super) groups: BTreeMap<Text, Container<DirectoryGroup>>,
    pub(super) roles: BTreeMap<Text, Container<Role>>,
}

/// A role or group, as far as it is known.
#[derive(Debug)]
pub(super) struct Container<T> {
    /// Its row in the list of its kind. What only other lists name doesn't exist.
    pub(super) row: Option<T>,
    /// Whether it was deleted meanwhile. A list that shifts between pages can name it again.
    is_dropped: bool,
    /// Its member list as a source.
    source: Option<u32>,
    /// Everybody in it, as often as rows say so. People by their numbers.
    pub(super) holders: Vec<Holder>,
}

impl<T> Default for Container<T> {
    fn default() -> Self {
        Self { row: None, is_dropped: false, source: None, holders: Vec::new() }
    }
}

impl<T> Container<T> {
    fn list(&mut self, row: T) {
        if !self.is_dropped {
            self.row = Some(row);
        }
    }

    fn drop(&mut self) {
        *self = Self { is_dropped: true, ..Self::default() };
    }
}

impl Fold {
    /// Adds a page.
    pub(in crate::sync) fn page(&mut self, page: ListPage) -> Result<(), TooLarge> {
        let is_last = page.next.is_none();
        match page.rows {
            Rows::Members(rows) => self.members(rows),
            Rows::Groups(rows) => {
                for row in rows {
                    self.groups.entry(row.id.clone()).or_default().list(row);
                }
                Ok(())
            }
            Rows::Roles(rows) => {
                for row in rows {
                    self.roles.entry(row.id.clone()).or_default().list(row);
                }
                Ok(())
            }
            Rows::GroupMembers(group, rows) => {
                let Self { people, groups, .. } = self;
                let container = groups.entry(group.clone()).or_default();
                let rows = rows.into_iter().filter_map(|row| {
                    let DirectoryGroupMember { id, name, emails, last_login } = row;
                    // Somebody without an id has no account, and so no access.
                    Some((id?, Facts::mention(name, emails, last_login), Holding::DIRECT))
                });
                container.members(people, Source::Group(group), rows.map(Ok), is_last)
            }
            Rows::RoleMembers(role, rows) => {
                let Self { people, words, roles, .. } = self;
                let container = roles.entry(role.clone()).or_default();
                let rows = rows.into_iter().map(|row| {
                    let RoleMember { id, name, emails, membership, last_login } = row;
                    let holding = match membership.as_deref() {
                        Some("explicit") => Holding::DIRECT,
                        other => Holding::reported(words.number(other.unwrap_or("unknown"))?),
                    };
                    Ok((id, Facts::mention(name, emails, last_login), holding))
                });
                container.members(people, Source::Role(role), rows, is_last)
            }
            Rows::GroupGone(group) => {
                self.groups.entry(group).or_default().drop();
                Ok(())
            }
            Rows::RoleGone(role) => {
                self.roles.entry(role).or_default().drop();
                Ok(())
            }
        }
    }

    fn members(&mut self, rows: Vec<Member>) -> Result<(), TooLarge> {
        let source = match self.members {
            Some(source) => source,
            None => *self.members.insert(self.people.source(Source::Members)?),
        };
        for row in rows {
            let id = row.id.clone();
            self.people.tell(&id, source, || Facts::member(row))?;
        }
        Ok(())
    }
}

impl<T> Container<T> {
    fn members(
        &mut self,
        people: &mut People,
        source: Source,
        rows: impl Iterator<Item = Result<(Text, Facts, Holding), TooLarge>>,
        is_last: bool,
    ) -> Result<(), TooLarge> {
        if self.is_dropped {
            return Ok(());
        }
        let source = match self.source {
            Some(source) => source,
            None => *self.source.insert(people.source(source)?),
        };
        for row in rows {
            let (id, facts, holding) = row?;
            let person = people.tell(&id, source, || facts)?;
            self.holders.push(Holder { person, holding });
        }
        if is_last {
            self.holders.shrink_to_fit();
        }
        Ok(())
    }
}
