//! Everything that was read, in the order in which the file needs it.

use prost::DecodeError;

use crate::baton::v2::Resource;

use super::builder::SnapshotBuilder;
use super::interner::Interner;
use super::membership::{MembershipKind, WithMembers};
use super::people::OrderedPeople;

/// Who has what. People are called by their place among all people, by id.
#[derive(Debug)]
pub struct Snapshot {
    people: OrderedPeople,
    words: Interner,
    /// What people are in, and the like, by resource type and id.
    containers: Vec<WithMembers>,
}

impl SnapshotBuilder {
    /// Puts everything in order.
    pub fn finish(self) -> Snapshot {
        let gone: Vec<_> =
            self.resources.keys().filter(|list| !self.is_there(list)).cloned().collect();
        let Self { people, words, mut resources, .. } = self;
        resources.retain(|list, _| !gone.contains(list));
        let (people, places) = people.in_order();
        let order = HolderOrder { places: &places, words: &words };
        let containers = resources.into_values().flat_map(|it| it.whole.into_values());
        let mut containers: Vec<_> = containers.map(|it| order.with_holders(it)).collect();
        containers.sort_by(|one, other| key(one).cmp(&key(other)));
        Snapshot { people, words, containers }
    }
}

/// Its resource type and id.
fn key(container: &WithMembers) -> (&'static str, &str) {
    (container.resource_type(), container.row.id())
}

struct HolderOrder<'fold> {
    /// The place of the person of each number.
    places: &'fold [u32],
    words: &'fold Interner,
}

impl HolderOrder<'_> {
    /// The same with its holders in order and each once.
    fn with_holders(&self, mut resource: WithMembers) -> WithMembers {
        let holders = &mut resource.holders;
        for holder in &mut *holders {
            holder.person = self.places[holder.person as usize];
        }
        holders.sort_unstable_by_key(|holder| holder.person);
        holders.dedup_by(|again, first| {
            let is_same = again.person == first.person;
            if is_same {
                first.holding = self.both(first.holding, again.holding);
            }
            is_same
        });
        resource
    }

    /// What two rows say of the same holder together: by hand if one says so, else the first
    /// word of the two.
    fn both(&self, one: MembershipKind, other: MembershipKind) -> MembershipKind {
        std::cmp::min_by_key(one, other, |holding| holding.word().map(|word| self.words.get(word)))
    }
}

impl Snapshot {
    /// What people are in, by resource type and id.
    pub fn containers(&self) -> &[WithMembers] {
        &self.containers
    }

    /// Those of one resource type, by id.
    pub fn containers_of(&self, resource_type: &str) -> &[WithMembers] {
        let before = self.containers.partition_point(|it| it.resource_type() < resource_type);
        let rest = &self.containers[before..];
        &rest[..rest.partition_point(|it| it.resource_type() == resource_type)]
    }

    /// The one of this resource type and id.
    pub fn container(&self, resource_type: &str, id: &str) -> Option<&WithMembers> {
        let containers = self.containers_of(resource_type);
        let place = containers.binary_search_by(|it| (**it.row.id()).cmp(id));
        place.ok().map(|place| &containers[place])
    }

    /// The places of all people, in order.
    pub fn people(&self) -> impl Iterator<Item = u32> + use<> {
        (0..).take(self.people.len())
    }

    /// The id of the person at a place.
    pub fn id(&self, place: u32) -> &str {
        self.people.id(place)
    }

    /// Whether the organization's member list has the person at a place.
    pub fn is_member(&self, place: u32) -> bool {
        self.people.is_member(place)
    }

    /// For each person whether the organization has them: somebody whom only a list mentioned that
    /// doesn't count is not there.
    pub fn exists(&self) -> Vec<bool> {
        let mut exists: Vec<_> = self.people().map(|place| self.is_member(place)).collect();
        for holder in self.containers.iter().flat_map(|it| &it.holders) {
            exists[holder.person as usize] = true;
        }
        exists
    }

    /// The person at a place as a resource.
    pub fn user(&self, place: u32) -> Result<Resource, DecodeError> {
        self.people.resource(place)
    }

    /// The addresses that the person at a place is known to own, in lower case.
    pub fn verified_addresses(
        &self,
        place: u32,
    ) -> Result<impl Iterator<Item = String> + use<>, DecodeError> {
        self.people.verified_addresses(place)
    }

    /// Northflank's word for how something is held; `None` for what was added by hand.
    pub fn reported(&self, holding: MembershipKind) -> Option<&str> {
        holding.word().map(|word| self.words.get(word))
    }
}
