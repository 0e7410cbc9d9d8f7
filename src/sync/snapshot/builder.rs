//! Adding page after page. What a list says counts as soon as it has been read to its end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use crate::connector::{GROUP, ROLE};
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, Email, Member, Role, RoleMember, Text,
};

use crate::sync::SyncSelection;
use crate::sync::container::Container;
use crate::sync::error::TooManyRows;
use crate::sync::page::{Page, Rows};

use super::interner::Interner;
use super::membership::{MemberRef, MembershipKind, WithMembers};
use super::people::{PeopleBuilder, PersonRecord, PersonSource};

/// What has been read so far.
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    pub(super) people: PeopleBuilder,
    /// What Northflank calls memberships that aren't direct.
    pub(super) words: Interner,
    pub(super) groups: ContainerList<DirectoryGroup>,
    pub(super) roles: ContainerList<Role>,
    /// Of lists that haven't ended yet.
    memberships: HashMap<Container, PendingMembers>,
    /// Those whom the list of a group names without an id: addresses of each.
    without_account: BTreeMap<Text, Vec<AddressDigests>>,
}

/// What is kept of somebody's addresses: enough to find them again.
type AddressDigests = Box<[u64]>;

/// Users of a directory group whom Northflank gives no id: they have no account.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sync) struct UsersWithoutAccount {
    /// The group.
    pub(in crate::sync) group: Text,
    /// How many there are.
    pub(in crate::sync) count: usize,
    /// How many of them have an address that a member of the organization has.
    pub(in crate::sync) with_address_of_a_member: usize,
}

/// What a list says of somebody: who, and encoded [`PersonRecord`].
type PersonMention = (u32, Box<[u8]>);

/// Roles or groups.
#[derive(Debug)]
pub(super) struct ContainerList<T> {
    /// What the list has said that hasn't ended yet.
    begun: BTreeMap<Text, WithMembers<T>>,
    pub(super) whole: BTreeMap<Text, WithMembers<T>>,
}

/// Who is in something.
#[derive(Debug, Default)]
struct PendingMembers {
    /// Everybody in it, as often as rows say so. People by their numbers.
    holders: Vec<MemberRef>,
    /// Who they are, where nobody better has said so yet.
    told: Vec<PersonMention>,
    /// Those without an id.
    without_account: Vec<AddressDigests>,
}

impl<T> Default for ContainerList<T> {
    fn default() -> Self {
        Self { begun: BTreeMap::new(), whole: BTreeMap::new() }
    }
}

impl<T> ContainerList<T> {
    /// Adds rows by their ids. Of one id the last row counts.
    fn page(&mut self, rows: impl Iterator<Item = (Text, T)>, is_first: bool, is_last: bool) {
        if is_first {
            self.begun.clear();
        }
        self.begun.extend(rows.map(|(id, row)| (id, WithMembers { row, holders: Vec::new() })));
        if is_last {
            self.whole = mem::take(&mut self.begun);
        }
    }
}

impl SnapshotBuilder {
    /// Adds a page. The first page of a list takes back what the list has said before.
    pub fn page(&mut self, Page { rows, is_first, is_last }: Page) -> Result<(), TooManyRows> {
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
                // Somebody without an id has no account, and so no access.
                let (rows, nobody): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|row| row.id.is_some());
                let rows = rows.into_iter().filter_map(|row| {
                    let DirectoryGroupMember { id, name, emails, last_login } = row;
                    Some((id?, PersonRecord::mention(name, emails, last_login), None))
                });
                let source = PersonSource::Group(group.clone());
                let container = Container::Group(group);
                let nobody = nobody.iter().map(|row| digests(&row.emails)).collect();
                self.memberships(container, source, (rows, nobody), is_first, is_last)?;
            }
            Rows::RoleMembers(role, rows) => {
                let rows = rows.into_iter().map(|row| {
                    let RoleMember { id, name, emails, membership, last_login } = row;
                    let reported = match membership.into_option() {
                        Some(word) if &*word == "explicit" => None,
                        word => Some(word.unwrap_or_else(|| "unknown".into())),
                    };
                    (id, PersonRecord::mention(name, emails, last_login), reported)
                });
                let source = PersonSource::Role(role.clone());
                let container = Container::Role(role);
                self.memberships(container, source, (rows, Vec::new()), is_first, is_last)?;
            }
        }
        Ok(())
    }

    fn members(
        &mut self,
        rows: Vec<Member>,
        is_first: bool,
        is_last: bool,
    ) -> Result<(), TooManyRows> {
        if is_first {
            self.people.discard_pending_members();
        }
        for row in rows {
            let person = self.people.number(&row.id)?;
            self.people.add_pending_member(person, &PersonRecord::member(row));
        }
        if is_last {
            self.people.end_members()?;
        }
        Ok(())
    }

    /// Adds who is in `container`: the id, what is said of them, and Northflank's word for how,
    /// where they weren't added by hand; and those without an id.
    fn memberships(
        &mut self,
        container: Container,
        source: PersonSource,
        (rows, nobody): (
            impl Iterator<Item = (Text, PersonRecord, Option<Text>)>,
            Vec<AddressDigests>,
        ),
        is_first: bool,
        is_last: bool,
    ) -> Result<(), TooManyRows> {
        // Moved out while it is added to, and back.
        let begun = self.memberships.remove(&container);
        let mut memberships = begun.filter(|_| !is_first).unwrap_or_default();
        for (id, facts, reported) in rows {
            let person = self.people.number(&id)?;
            let holding = match reported {
                None => MembershipKind::DIRECT,
                Some(word) => MembershipKind::reported(self.words.number(&word)?),
            };
            memberships.holders.push(MemberRef { person, holding });
            if self.people.may_learn_from(person, &source) {
                memberships.told.push((person, facts.encoded()));
            }
        }
        memberships.without_account.extend(nobody);
        if !is_last {
            self.memberships.insert(container, memberships);
            return Ok(());
        }
        if let Container::Group(id) = &container {
            self.without_account.insert(id.clone(), memberships.without_account);
        }
        let holders = match &container {
            Container::Role(id) => self.roles.whole.get_mut(id).map(|held| &mut held.holders),
            Container::Group(id) => self.groups.whole.get_mut(id).map(|held| &mut held.holders),
        };
        // What no list has doesn't exist.
        if let Some(holders) = holders {
            *holders = memberships.holders;
            holders.shrink_to_fit();
            self.people.add_mentions(source, memberships.told)?;
        }
        Ok(())
    }

    /// Leaves out a role or group, with all that its list has said.
    pub fn leave_out(&mut self, container: &Container) {
        self.memberships.remove(container);
        match container {
            Container::Role(id) => drop(self.roles.whole.remove(id)),
            Container::Group(id) => {
                self.groups.whole.remove(id);
                self.without_account.remove(id);
            }
        }
    }

    /// The groups with users who have no account, once all has been read.
    pub(in crate::sync) fn without_account(&self) -> Vec<UsersWithoutAccount> {
        let groups = self.without_account.iter().filter(|(_, nobody)| !nobody.is_empty());
        let groups: Vec<_> = groups.collect();
        if groups.is_empty() {
            return Vec::new();
        }
        let of_members: HashSet<_> =
            self.people.addresses_of_members().map(|address| digest(&address)).collect();
        let is_members = |addresses: &&AddressDigests| {
            addresses.iter().any(|address| of_members.contains(address))
        };
        let told = groups.into_iter().map(|(group, nobody)| UsersWithoutAccount {
            group: group.clone(),
            count: nobody.len(),
            with_address_of_a_member: nobody.iter().filter(is_members).count(),
        });
        told.collect()
    }

    /// Leaves out all roles.
    pub(in crate::sync) fn leave_out_roles(&mut self) {
        self.roles = ContainerList::default();
    }

    /// Whether a role is linked to a directory group.
    pub(in crate::sync) fn has_links(&self) -> bool {
        self.roles.whole.values().any(|role| !role.row.directory_groups.is_empty())
    }

    /// The roles and groups whose members `selection` takes.
    pub(in crate::sync) fn containers(&self, selection: &SyncSelection) -> Vec<Container> {
        let Self { roles, groups, .. } = self;
        let with_sources = roles.whole.values().filter(|it| selection.has_sources_of(&it.row.id));
        let sources: HashSet<_> = with_sources.flat_map(|it| &it.row.directory_groups).collect();
        let is_read = |id: &&Text| selection.has_memberships_of(GROUP, id) || sources.contains(id);
        let groups = groups.whole.keys().filter(is_read).cloned().map(Container::Group);
        let roles = roles.whole.keys().filter(|id| selection.has_memberships_of(ROLE, id));
        groups.chain(roles.cloned().map(Container::Role)).collect()
    }
}

fn digests(emails: &[Email]) -> AddressDigests {
    emails.iter().filter_map(|email| email.address.as_deref()).map(digest).collect()
}

/// Equal for equal addresses. Nobody has two that differ by case alone.
fn digest(address: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    address.trim().to_lowercase().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::{Page, Rows, SnapshotBuilder};

    fn rows<T: DeserializeOwned>(rows: Value) -> Vec<T> {
        serde_json::from_value(rows).unwrap()
    }

    fn add(fold: &mut SnapshotBuilder, rows: Rows) {
        fold.page(Page { rows, is_first: true, is_last: true }).unwrap();
    }

    #[test]
    fn an_address_is_a_members_in_any_case_and_in_any_order_of_lists() {
        let nobody = rows(json!([
            {"emails": ["b@x.test", " ADA@x.test"]}, {"emails": ["c@x.test"]}, {"emails": []},
        ]));
        let mut fold = SnapshotBuilder::default();
        add(&mut fold, Rows::Groups(rows(json!([{"id": "g"}]))));
        add(&mut fold, Rows::GroupMembers("g".into(), nobody));
        add(&mut fold, Rows::Members(rows(json!([{"id": "ada", "emails": ["Ada@X.test"]}]))));
        let [told] = &fold.without_account()[..] else { panic!() };
        assert_eq!((told.count, told.with_address_of_a_member), (3, 1));
        add(&mut fold, Rows::GroupMembers("g".into(), Vec::new()));
        assert!(fold.without_account().is_empty(), "the last reading counts");
    }
}
