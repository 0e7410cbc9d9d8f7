//! Adding page after page. What a list says counts as soon as it has been read to its end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use crate::connector::{ListedResource, Membership, PersonStanding, RowContent};
use crate::northflank::{Email, List, ListKind, Member, Page, Text};

use crate::sync::SyncSelection;
use crate::sync::error::TooManyRows;

use super::interner::Interner;
use super::membership::{MemberRef, MembershipKind, WithMembers};
use super::people::{PeopleBuilder, PersonRecord, PersonSource};

/// What has been read so far.
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    pub(super) people: PeopleBuilder,
    /// What Northflank calls memberships that aren't direct.
    pub(super) words: Interner,
    /// What becomes resources, by the list that says which there are.
    pub(super) resources: BTreeMap<List, ResourceList>,
    /// Of lists that haven't ended yet.
    memberships: HashMap<List, PendingMembers>,
    /// Those whom a list names without an id: addresses of each.
    without_account: BTreeMap<List, Vec<AddressDigests>>,
}

/// What is kept of somebody's addresses: enough to find them again.
type AddressDigests = Box<[u64]>;

/// Users in something whom Northflank gives no id: they have no account.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sync) struct UsersWithoutAccount {
    /// The list that names them.
    pub(in crate::sync) list: List,
    /// How many there are.
    pub(in crate::sync) count: usize,
    /// How many of them have an address that a member of the organization has.
    pub(in crate::sync) with_address_of_a_member: usize,
}

/// What a list says of somebody: who, and an encoded [`PersonRecord`].
type PersonMention = (u32, Box<[u8]>);

/// What a list says that there is, by id.
#[derive(Debug, Default)]
pub(super) struct ResourceList {
    /// What has been said before the end.
    begun: BTreeMap<Text, WithMembers>,
    pub(super) whole: BTreeMap<Text, WithMembers>,
}

/// Who is in something.
#[derive(Debug, Default)]
struct PendingMembers {
    /// Everybody in it, as often as rows say so. People by their numbers.
    holders: Vec<MemberRef>,
    /// Who they are, where nobody better has said so yet.
    mentions: Vec<PersonMention>,
    /// Those without an id.
    without_account: Vec<AddressDigests>,
}

impl SnapshotBuilder {
    /// Adds a page. The first page of a list takes back what the list has said before.
    pub fn page(&mut self, page: Page) -> Result<(), TooManyRows> {
        let Page { list, rows, is_first, is_last, is_parent_gone } = page;
        if is_parent_gone {
            self.leave_out(&list);
            return Ok(());
        }
        match RowContent::of(&list, rows) {
            RowContent::People(rows) => self.members(rows, is_first, is_last)?,
            RowContent::Resources(rows) => self.resources(list, rows, is_first, is_last),
            RowContent::Memberships(rows) => self.memberships(list, rows, is_first, is_last)?,
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

    /// Adds what there is. Of one id the last row counts, also where it says that it no longer does.
    fn resources(
        &mut self,
        list: List,
        rows: Vec<Box<dyn ListedResource>>,
        is_first: bool,
        is_last: bool,
    ) {
        let ResourceList { begun, whole } = self.resources.entry(list).or_default();
        if is_first {
            begun.clear();
        }
        let rows = rows.into_iter().map(|row| (row.id().clone(), WithMembers::new(row)));
        begun.extend(rows);
        if is_last {
            *whole = mem::take(begun);
            whole.retain(|_, it| it.row.is_in_use());
        }
    }

    /// Adds who is in what `list` belongs to.
    fn memberships(
        &mut self,
        list: List,
        rows: Vec<Membership>,
        is_first: bool,
        is_last: bool,
    ) -> Result<(), TooManyRows> {
        let source = PersonSource::List(list.clone());
        // Moved out while it is added to, and back.
        let begun = self.memberships.remove(&list);
        let mut pending = begun.filter(|_| !is_first).unwrap_or_default();
        let is_told_of_account = PersonStanding::told_by(list.kind) == PersonStanding::Outsider;
        for Membership { id, name, emails, last_login, finalized, reported } in rows {
            let Some(id) = id else {
                // Who that is, nobody can say; in a directory group they have no account.
                pending.without_account.push(digests(&emails));
                continue;
            };
            let person = self.people.number(&id)?;
            let holding = match reported {
                None => MembershipKind::DIRECT,
                Some(word) => MembershipKind::reported(self.words.number(&word)?),
            };
            pending.holders.push(MemberRef { person, holding });
            if self.people.may_learn_from(person, &source) {
                let mut record = PersonRecord::mention(name, emails, last_login);
                if is_told_of_account {
                    record = record.of_account(finalized);
                }
                pending.mentions.push((person, record.encoded()));
            }
        }
        if !is_last {
            self.memberships.insert(list, pending);
            return Ok(());
        }
        let PendingMembers { mut holders, mentions, mut without_account } = pending;
        // A row can come twice. Of those who have no address either, nobody can tell.
        let mut addresses = HashSet::new();
        without_account.retain(|it| it.is_empty() || addresses.insert(it.clone()));
        // What no list has doesn't exist.
        if let Some(resource) = self.parent_mut(&list) {
            holders.shrink_to_fit();
            resource.holders = holders;
            resource.without_id = without_account.len();
            self.people.add_mentions(source, mentions)?;
            self.without_account.insert(list, without_account);
        }
        Ok(())
    }

    /// Leaves out what a list belongs to, with all that the list has said.
    fn leave_out(&mut self, list: &List) {
        self.memberships.remove(list);
        self.without_account.remove(list);
        if let Some((parents, id)) = list.listing_its_parent().zip(list.parent.as_ref())
            && let Some(parents) = self.resources.get_mut(&parents)
        {
            parents.whole.remove(id);
        }
    }

    /// What a list belongs to.
    fn parent(&self, list: &List) -> Option<&WithMembers> {
        self.resources.get(&list.listing_its_parent()?)?.whole.get(list.parent.as_ref()?)
    }

    fn parent_mut(&mut self, list: &List) -> Option<&mut WithMembers> {
        let parents = self.resources.get_mut(&list.listing_its_parent()?)?;
        parents.whole.get_mut(list.parent.as_ref()?)
    }

    /// Whether what a list belongs to is there, and what that belongs to.
    pub(super) fn is_there(&self, list: &List) -> bool {
        let Some(parents) = list.listing_its_parent() else { return true };
        self.parent(list).is_some() && self.is_there(&parents)
    }

    /// The users without an account, once all has been read.
    pub(in crate::sync) fn without_account(&self) -> Vec<UsersWithoutAccount> {
        let lists = self.without_account.iter();
        let lists = lists.filter(|(list, nobody)| !nobody.is_empty() && self.is_there(list));
        let lists: Vec<_> = lists.collect();
        if lists.is_empty() {
            return Vec::new();
        }
        let of_members: HashSet<_> =
            self.people.addresses_of_members().map(|address| digest(&address)).collect();
        let is_members = |addresses: &&AddressDigests| {
            addresses.iter().any(|address| of_members.contains(address))
        };
        let users = lists.into_iter().map(|(list, nobody)| UsersWithoutAccount {
            list: list.clone(),
            count: nobody.len(),
            with_address_of_a_member: nobody.iter().filter(is_members).count(),
        });
        users.collect()
    }

    /// Leaves out what lists of a kind have.
    pub(in crate::sync) fn leave_out_kind(&mut self, kind: ListKind) {
        self.resources.retain(|list, _| list.kind != kind);
    }

    /// Whether something is linked to a directory group.
    pub(in crate::sync) fn has_links(&self) -> bool {
        self.whole().any(|(_, it)| !it.row.linked_groups().is_empty())
    }

    /// Teams that a role is restricted to and the list of teams lacks: each role with such a team.
    pub(in crate::sync) fn missing_teams(&self) -> Vec<(Text, Text)> {
        let Some(teams) = self.resources.get(&List::only(ListKind::Teams)) else {
            return Vec::new();
        };
        let named = self.whole().flat_map(|(_, it)| {
            it.row.restricted_to_teams().into_iter().map(|team| (it.row.id().clone(), team.clone()))
        });
        named.filter(|(_, team)| !teams.whole.contains_key(team)).collect()
    }

    /// What people call the resource of a list, in which `id` names it.
    pub(in crate::sync) fn name_of(&self, list: &List, id: &str) -> Option<String> {
        let row = &self.resources.get(list)?.whole.get(&Text::from(id))?.row;
        row.name().and_then(Text::filled).map(str::to_owned)
    }

    fn whole(&self) -> impl Iterator<Item = (&List, &WithMembers)> {
        let lists = self.resources.iter().filter(|(list, _)| self.is_there(list));
        lists.flat_map(|(list, resources)| resources.whole.values().map(move |it| (list, it)))
    }

    /// The lists that belong to what has been read, as far as `selection` takes them.
    pub(in crate::sync) fn lists_below(&self, selection: &SyncSelection) -> Vec<List> {
        let has_sources =
            |it: &&WithMembers| selection.has_sources_of(it.resource_type(), it.row.id());
        let with_sources = self.whole().map(|(_, it)| it).filter(has_sources);
        let sources: HashSet<_> = with_sources.flat_map(|it| it.row.linked_groups()).collect();
        let is_source = |list: &List| {
            list.kind == ListKind::DirectoryGroupMembers
                && list.parent.as_ref().is_some_and(|id| sources.contains(id))
        };
        let below = self.whole().flat_map(|(list, it)| {
            let kinds = list.kind.declaration().of_each_row.iter();
            kinds.map(|kind| List::of(*kind, it.row.id().clone()))
        });
        below.filter(|list| selection.has_list(list) || is_source(list)).collect()
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

    use super::{List, ListKind, Page, SnapshotBuilder};
    use crate::northflank::Rows;

    fn rows<T: DeserializeOwned>(rows: Value) -> Vec<T> {
        serde_json::from_value(rows).unwrap()
    }

    fn add(fold: &mut SnapshotBuilder, list: List, rows: Rows) {
        fold.page(Page::new(list, rows, true, true)).unwrap();
    }

    #[test]
    fn an_address_is_a_members_in_any_case_and_in_any_order_of_lists() {
        let nobody = rows(json!([
            {"emails": ["b@x.test", " ADA@x.test"]}, {"emails": ["c@x.test"]}, {"emails": []},
        ]));
        let mut fold = SnapshotBuilder::default();
        let groups = Rows::DirectoryGroups(rows(json!([{"id": "g"}])));
        add(&mut fold, List::only(ListKind::DirectoryGroups), groups);
        let of_group = || List::of(ListKind::DirectoryGroupMembers, "g".into());
        add(&mut fold, of_group(), Rows::DirectoryGroupMembers(nobody));
        let members = Rows::Members(rows(json!([{"id": "ada", "emails": ["Ada@X.test"]}])));
        add(&mut fold, List::only(ListKind::Members), members);
        let [told] = &fold.without_account()[..] else { panic!() };
        assert_eq!((told.count, told.with_address_of_a_member), (3, 1));
        let again = rows(json!([
            {"emails": ["b@x.test"]}, {"emails": ["B@x.test"]}, {"emails": []}, {"emails": []},
        ]));
        add(&mut fold, of_group(), Rows::DirectoryGroupMembers(again));
        let [told] = &fold.without_account()[..] else { panic!() };
        assert_eq!(told.count, 3, "a row that comes twice is of one person");
        add(&mut fold, of_group(), Rows::DirectoryGroupMembers(Vec::new()));
        assert!(fold.without_account().is_empty(), "the last reading counts");
    }
}
