//! Adding page after page. What a list says counts as soon as it has been read to its end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;

use crate::connector::{GROUP, ROLE};
use crate::northflank::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember, Text};

use crate::sync::Selection;
use crate::sync::container::Container;
use crate::sync::error::TooLarge;
use crate::sync::page::{Page, Rows};

use super::holder::{Held, Holder, Holding};
use super::people::{Facts, People, Source};
use super::texts::Numbers;

/// What has been read so far.
#[derive(Debug, Default)]
pub struct Fold {
    pub(super) people: People,
    /// What Northflank calls memberships that aren't direct.
    pub(super) words: Numbers,
    /// What the list of members has said that hasn't ended yet.
    members: Vec<Told>,
    pub(super) groups: Listing<DirectoryGroup>,
    pub(super) roles: Listing<Role>,
    /// Of lists that haven't ended yet.
    memberships: HashMap<Container, Memberships>,
}

/// What a list says of somebody: who, and encoded [`Facts`].
type Told = (u32, Box<[u8]>);

/// Roles or groups.
#[derive(Debug)]
pub(super) struct Listing<T> {
    /// What the list has said that hasn't ended yet.
    begun: BTreeMap<Text, Held<T>>,
    pub(super) whole: BTreeMap<Text, Held<T>>,
}

/// Who is in something.
#[derive(Debug, Default)]
struct Memberships {
    /// Everybody in it, as often as rows say so. People by their numbers.
    holders: Vec<Holder>,
    /// Who they are, where nobody better has said so yet.
    told: Vec<Told>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { begun: BTreeMap::new(), whole: BTreeMap::new() }
    }
}

impl<T> Listing<T> {
    /// Adds rows by their ids. Of one id the last row counts.
    fn page(&mut self, rows: impl Iterator<Item = (Text, T)>, is_first: bool, is_last: bool) {
        if is_first {
            self.begun.clear();
        }
        self.begun.extend(rows.map(|(id, row)| (id, Held { row, holders: Vec::new() })));
        if is_last {
            self.whole = mem::take(&mut self.begun);
        }
    }
}

impl Fold {
    /// Adds a page. The first page of a list takes back what the list has said before.
    pub fn page(&mut self, Page { rows, is_first, is_last }: Page) -> Result<(), TooLarge> {
        match rows {
            Rows::Members(rows) => self.members(rows, is_first, is_last)?,
            Rows::Groups(rows) => {
                let rows = rows.into_iter().map(|row| (row.id.clone(), row));
                self.groups.page(rows, is_first, is_last);
            }
            Rows::Roles(rows) => {
                let rows = rows.into_iter().map(|row| (row.id.clone(), row));
                self.roles.page(rows, is_first, is_last);
            }
            Rows::GroupMembers(group, rows) => {
                let rows = rows.into_iter().filter_map(|row| {
                    let DirectoryGroupMember { id, name, emails, last_login } = row;
                    // Somebody without an id has no account, and so no access.
                    Some((id?, Facts::mention(name, emails, last_login), None))
                });
                let source = Source::Group(group.clone());
                self.memberships(Container::Group(group), source, rows, is_first, is_last)?;
            }
            Rows::RoleMembers(role, rows) => {
                let rows = rows.into_iter().map(|row| {
                    let RoleMember { id, name, emails, membership, last_login } = row;
                    let reported = match membership.into_option() {
                        Some(word) if &*word == "explicit" => None,
                        word => Some(word.unwrap_or_else(|| "unknown".into())),
                    };
                    (id, Facts::mention(name, emails, last_login), reported)
                });
                let source = Source::Role(role.clone());
                self.memberships(Container::Role(role), source, rows, is_first, is_last)?;
            }
        }
        Ok(())
    }

    fn members(
        &mut self,
        rows: Vec<Member>,
        is_first: bool,
        is_last: bool,
    ) -> Result<(), TooLarge> {
        if is_first {
            self.members.clear();
        }
        for row in rows {
            let person = self.people.number(&row.id)?;
            self.members.push((person, Facts::member(row).encoded()));
        }
        if is_last {
            self.people.tell(Source::Members, mem::take(&mut self.members))?;
        }
        Ok(())
    }

    /// Adds who is in `container`: the id, what is said of them, and Northflank's word for how,
    /// where they weren't added by hand.
    fn memberships(
        &mut self,
        container: Container,
        source: Source,
        rows: impl Iterator<Item = (Text, Facts, Option<Text>)>,
        is_first: bool,
        is_last: bool,
    ) -> Result<(), TooLarge> {
        // Moved out while it is added to, and back.
        let begun = self.memberships.remove(&container);
        let mut memberships = begun.filter(|_| !is_first).unwrap_or_default();
        for (id, facts, reported) in rows {
            let person = self.people.number(&id)?;
            let holding = match reported {
                None => Holding::DIRECT,
                Some(word) => Holding::reported(self.words.number(&word)?),
            };
            memberships.holders.push(Holder { person, holding });
            if self.people.may_learn_from(person, &source) {
                memberships.told.push((person, facts.encoded()));
            }
        }
        if !is_last {
            self.memberships.insert(container, memberships);
            return Ok(());
        }
        let holders = match &container {
            Container::Role(id) => self.roles.whole.get_mut(id).map(|held| &mut held.holders),
            Container::Group(id) => self.groups.whole.get_mut(id).map(|held| &mut held.holders),
        };
        // What no list has doesn't exist.
        if let Some(holders) = holders {
            *holders = memberships.holders;
            holders.shrink_to_fit();
            self.people.tell(source, memberships.told)?;
        }
        Ok(())
    }

    /// Leaves out a role or group, with all that its list has said.
    pub fn leave_out(&mut self, container: &Container) {
        self.memberships.remove(container);
        match container {
            Container::Role(id) => drop(self.roles.whole.remove(id)),
            Container::Group(id) => drop(self.groups.whole.remove(id)),
        }
    }

    /// Leaves out all roles.
    pub(in crate::sync) fn leave_out_roles(&mut self) {
        self.roles = Listing::default();
    }

    /// Whether a role is linked to a directory group.
    pub(in crate::sync) fn has_links(&self) -> bool {
        self.roles.whole.values().any(|role| !role.row.directory_groups.is_empty())
    }

    /// The roles and groups whose members `selection` takes.
    pub(in crate::sync) fn containers(&self, selection: &Selection) -> Vec<Container> {
        let Self { roles, groups, .. } = self;
        let with_sources = roles.whole.values().filter(|it| selection.has_sources_of(&it.row.id));
        let sources: HashSet<_> = with_sources.flat_map(|it| &it.row.directory_groups).collect();
        let is_read = |id: &&Text| selection.has_memberships_of(GROUP, id) || sources.contains(id);
        let groups = groups.whole.keys().filter(is_read).cloned().map(Container::Group);
        let roles = roles.whole.keys().filter(|id| selection.has_memberships_of(ROLE, id));
        groups.chain(roles.cloned().map(Container::Role)).collect()
    }
}
