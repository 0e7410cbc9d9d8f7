//! Everybody whom a list names, in few bytes each.

use prost::Message;

use crate::baton::v2::Resource;
use crate::connector::{unlisted_user, user};
use crate::northflank::{Dispensable, Email, Member, Text};
use crate::sync::error::TooLarge;

use super::texts::{Numbers, Texts};

/// Where it is said who somebody is. The least wins, so that the order of reading doesn't
/// matter: the member list before the mention in a group's list, and that before a role's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The organization's member list.
    Members,
    /// The list of the group of this id.
    Group(Text),
    /// The list of the role of this id.
    Role(Text),
    /// Nowhere yet.
    Nowhere,
}

/// People by number, as they come.
#[derive(Debug)]
pub(super) struct People {
    ids: Numbers,
    /// What is known of each: encoded [`Facts`].
    facts: Vec<Box<[u8]>>,
    /// From which of `sources`.
    told_by: Vec<u32>,
    /// The first is [`Source::Nowhere`].
    sources: Vec<Source>,
}

impl Default for People {
    fn default() -> Self {
        let (ids, facts, told_by) = Default::default();
        Self { ids, facts, told_by, sources: vec![Source::Nowhere] }
    }
}

/// What is known of somebody, as compact as it gets.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Facts {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    emails: Vec<Address>,
    #[prost(string, optional, tag = "3")]
    joined_at: Option<String>,
    #[prost(bool, optional, tag = "4")]
    finalized: Option<bool>,
    #[prost(string, optional, tag = "5")]
    last_login: Option<String>,
    #[prost(bool, tag = "6")]
    is_finalized_malformed: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Address {
    #[prost(string, optional, tag = "1")]
    address: Option<String>,
    #[prost(bool, optional, tag = "2")]
    verified: Option<bool>,
}

impl Facts {
    /// What a group's or role's list says of somebody.
    pub(super) fn mention(
        name: Dispensable<Text>,
        emails: Vec<Email>,
        last_login: Dispensable<Text>,
    ) -> Self {
        let emails = emails.into_iter().map(|Email { address, verified }| Address {
            address: text(address),
            verified: verified.into_option(),
        });
        Self {
            name: text(name),
            emails: emails.collect(),
            joined_at: None,
            finalized: None,
            last_login: text(last_login),
            is_finalized_malformed: false,
        }
    }

    /// What the member list says of somebody, without the id.
    pub(super) fn member(member: Member) -> Self {
        let Member { id: _, name, emails, joined_at, last_login, finalized } = member;
        let mention = Self::mention(name, emails, last_login);
        Self {
            joined_at: text(joined_at),
            is_finalized_malformed: finalized.is_malformed(),
            finalized: finalized.into_option(),
            ..mention
        }
    }

    /// As few bytes.
    pub(super) fn encoded(&self) -> Box<[u8]> {
        self.encode_to_vec().into()
    }

    fn into_member(self, id: &str) -> Member {
        let text = |text: Option<String>| Dispensable::from(text.map(Text::from));
        let emails = self.emails.into_iter().map(|Address { address, verified }| Email {
            address: text(address),
            verified: verified.into(),
        });
        Member {
            id: id.into(),
            name: text(self.name),
            emails: emails.collect(),
            joined_at: text(self.joined_at),
            last_login: text(self.last_login),
            finalized: if self.is_finalized_malformed {
                Dispensable::Malformed
            } else {
                self.finalized.into()
            },
        }
    }
}

fn text(text: Dispensable<Text>) -> Option<String> {
    text.into_option().map(String::from)
}

impl People {
    /// The number of the person `id`.
    pub(super) fn number(&mut self, id: &str) -> Result<u32, TooLarge> {
        let number = self.ids.number(id)?;
        if number as usize == self.facts.len() {
            self.facts.push(Box::default());
            self.told_by.push(0);
        }
        Ok(number)
    }

    /// Whether nobody better than `source` has said who `person` is.
    pub(super) fn may_learn_from(&self, person: u32, source: &Source) -> bool {
        *source <= self.sources[self.told_by[person as usize] as usize]
    }

    /// Notes what `source` says of people, where no better source has said who they are. Of one
    /// source the last word counts: lists can shift between pages and repeat rows.
    pub(super) fn tell(
        &mut self,
        source: Source,
        told: Vec<(u32, Box<[u8]>)>,
    ) -> Result<(), TooLarge> {
        let number = u32::try_from(self.sources.len()).map_err(|_| TooLarge)?;
        self.sources.push(source);
        for (person, facts) in told {
            if self.may_learn_from(person, &self.sources[number as usize]) {
                self.facts[person as usize] = facts;
                self.told_by[person as usize] = number;
            }
        }
        Ok(())
    }

    /// The addresses that the member list knows.
    pub(super) fn addresses_of_members(&self) -> impl Iterator<Item = String> {
        let told = self.facts.iter().zip(&self.told_by);
        let of_members = told.filter(|(_, by)| self.sources[**by as usize] == Source::Members);
        of_members
            .filter_map(|(facts, _)| Facts::decode(&**facts).ok())
            .flat_map(|facts| facts.emails)
            .filter_map(|email| email.address)
    }

    /// Everybody in order, and the place of each number there.
    pub(super) fn in_order(self) -> (InOrder, Vec<u32>) {
        let Self { ids, mut facts, told_by, sources } = self;
        let ids = ids.into_texts();
        let order = ids.order();
        let mut places = vec![0; order.len()];
        for (place, number) in (0..).zip(&order) {
            places[*number as usize] = place;
        }
        let is_member =
            |number: &u32| sources[told_by[*number as usize] as usize] == Source::Members;
        let people = InOrder {
            ids: ids.in_order(&order),
            facts: order
                .iter()
                .map(|number| std::mem::take(&mut facts[*number as usize]))
                .collect(),
            are_members: order.iter().map(is_member).collect(),
        };
        (people, places)
    }
}

/// People by id, called by their places. What is told of one holder after another lies together.
#[derive(Debug)]
pub(super) struct InOrder {
    ids: Texts,
    facts: Vec<Box<[u8]>>,
    are_members: Vec<bool>,
}

impl InOrder {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The id of a person.
    pub(super) fn id(&self, place: u32) -> &str {
        self.ids.get(place)
    }

    /// Whether the organization's member list has a person.
    pub(super) fn is_member(&self, place: u32) -> bool {
        self.are_members[place as usize]
    }

    /// A person as a resource.
    pub(super) fn resource(&self, place: u32) -> Result<Resource, prost::DecodeError> {
        let facts = Facts::decode(&*self.facts[place as usize])?;
        let member = facts.into_member(self.id(place));
        Ok(if self.is_member(place) {
            user(&member)
        } else {
            let Member { id, name, emails, last_login, .. } = member;
            unlisted_user(&id, name.as_ref(), &emails, last_login.as_ref())
        })
    }
}
