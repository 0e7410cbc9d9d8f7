//! Everybody whom a list names, in few bytes each.

use std::collections::BTreeMap;
use std::mem;

use prost::Message;

use crate::baton::v2::Resource;
use crate::connector::{PersonStanding, outside_user, unlisted_user, user};
use crate::northflank::{Email, Lenient, List, ListKind, Member, Text};
use crate::sync::error::TooManyRows;

use super::interner::Interner;

/// Where it is said who somebody is. The least wins, so that the order of reading doesn't
/// matter: lists in the order in which their kinds are declared, the member list first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PersonSource {
    /// This list.
    List(List),
    /// Nowhere yet.
    Nowhere,
}

impl PersonSource {
    /// How somebody belongs to the organization of whom this says most.
    fn standing(&self) -> PersonStanding {
        match self {
            Self::List(list) => PersonStanding::told_by(list.kind),
            Self::Nowhere => PersonStanding::Unlisted,
        }
    }

    /// The organization's member list.
    fn members() -> Self {
        Self::List(List::only(ListKind::Members))
    }
}

/// People by number, as they come.
#[derive(Debug)]
pub(super) struct PeopleBuilder {
    ids: Interner,
    /// What is known of each: encoded [`PersonRecord`].
    records: Vec<Box<[u8]>>,
    /// From which of `sources`.
    sources_of_records: Vec<u32>,
    /// The first is [`PersonSource::Nowhere`].
    sources: Vec<PersonSource>,
    /// Whose record is what the member list says, which hasn't ended yet: without these parts it
    /// is what their source says.
    pending_beyond: Vec<Option<MissingParts>>,
    /// What the member list says that hasn't ended yet, where others say something else.
    pending: BTreeMap<u32, Box<[u8]>>,
}

impl Default for PeopleBuilder {
    fn default() -> Self {
        let sources = vec![PersonSource::Nowhere];
        let (ids, records, sources_of_records, pending_beyond, pending) = Default::default();
        Self { ids, records, sources_of_records, sources, pending_beyond, pending }
    }
}

/// What is known of somebody, as compact as it gets.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PersonRecord {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    emails: Vec<AddressRecord>,
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
struct AddressRecord {
    #[prost(string, optional, tag = "1")]
    address: Option<String>,
    #[prost(bool, optional, tag = "2")]
    verified: Option<bool>,
}

/// What a list of a group's or role's members doesn't say of somebody, of what the member list
/// says.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is of a field of its own")]
struct MissingParts {
    name: bool,
    emails: bool,
    verified: bool,
    last_login: bool,
}

impl MissingParts {
    /// What is missing in a mention.
    fn of(mention: &[u8]) -> Self {
        // Ours, and so none that can't be read.
        let PersonRecord { name, emails, last_login, .. } =
            PersonRecord::decode(mention).unwrap_or_default();
        Self {
            name: name.is_none(),
            emails: emails.is_empty(),
            verified: emails.iter().all(|email| email.verified.is_none()),
            last_login: last_login.is_none(),
        }
    }
}

impl PersonRecord {
    /// What a group's or role's list says of somebody.
    pub(super) fn mention(
        name: Lenient<Text>,
        emails: Vec<Email>,
        last_login: Lenient<Text>,
    ) -> Self {
        let emails = emails.into_iter().map(|Email { address, verified }| AddressRecord {
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

    /// The same with whether the account is set up.
    pub(super) fn of_account(self, finalized: Lenient<bool>) -> Self {
        Self {
            is_finalized_malformed: finalized.is_malformed(),
            finalized: finalized.into_option(),
            ..self
        }
    }

    /// What the member list says of somebody, without the id.
    pub(super) fn member(member: Member) -> Self {
        let Member { id: _, name, emails, joined_at, last_login, finalized } = member;
        let mention = Self::mention(name, emails, last_login).of_account(finalized);
        Self { joined_at: text(joined_at), ..mention }
    }

    /// What a group's or role's list that doesn't say some parts would have said of a member, from
    /// the encoded record.
    fn mention_of(encoded: &[u8], missing: MissingParts) -> Box<[u8]> {
        // Ours, and so none that can't be read.
        let Self { name, mut emails, last_login, .. } = Self::decode(encoded).unwrap_or_default();
        if missing.emails {
            emails.clear();
        }
        if missing.verified {
            for email in &mut emails {
                email.verified = None;
            }
        }
        let mention = Self {
            name: name.filter(|_| !missing.name),
            emails,
            last_login: last_login.filter(|_| !missing.last_login),
            ..Self::default()
        };
        mention.encoded()
    }

    /// As few bytes.
    pub(super) fn encoded(&self) -> Box<[u8]> {
        self.encode_to_vec().into()
    }

    fn into_member(self, id: &str) -> Member {
        let text = |text: Option<String>| Lenient::from(text.map(Text::from));
        let emails = self.emails.into_iter().map(|AddressRecord { address, verified }| Email {
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
                Lenient::Malformed
            } else {
                self.finalized.into()
            },
        }
    }
}

fn text(text: Lenient<Text>) -> Option<String> {
    text.into_option().map(String::from)
}

impl PeopleBuilder {
    /// The number of the person `id`.
    pub(super) fn number(&mut self, id: &str) -> Result<u32, TooManyRows> {
        let number = self.ids.number(id)?;
        if number as usize == self.records.len() {
            self.records.push(Box::default());
            self.sources_of_records.push(0);
            self.pending_beyond.push(None);
        }
        Ok(number)
    }

    /// Whether nobody better than `source` has said who `person` is.
    pub(super) fn may_learn_from(&self, person: u32, source: &PersonSource) -> bool {
        *source <= self.sources[self.sources_of_records[person as usize] as usize]
    }

    /// Adds what a list of a group's or role's members says of people, where no better source has
    /// said who they are. Of one source the last word counts: lists can shift between pages and
    /// repeat rows.
    pub(super) fn add_mentions(
        &mut self,
        source: PersonSource,
        mentions: Vec<(u32, Box<[u8]>)>,
    ) -> Result<(), TooManyRows> {
        let number = self.add_source(source)?;
        for (person, mention) in mentions {
            if !self.may_learn_from(person, &self.sources[number as usize]) {
                continue;
            }
            let place = person as usize;
            self.sources_of_records[place] = number;
            let beyond = &mut self.pending_beyond[place];
            if beyond.is_some() {
                *beyond = missing_in(&mention, &self.records[place]);
                if beyond.is_some() {
                    continue;
                }
                self.pending.insert(person, mem::take(&mut self.records[place]));
            }
            self.records[place] = mention;
        }
        Ok(())
    }

    /// Takes back what the member list has said that hasn't ended.
    pub(super) fn discard_pending_members(&mut self) {
        self.pending.clear();
        for place in 0..self.pending_beyond.len() {
            self.restore_mention(place);
        }
    }

    /// Adds a row of the member list, which counts when the list has ended. In most cases others
    /// say the same of somebody, or less of it, and so one record is enough.
    pub(super) fn add_pending_member(&mut self, person: u32, record: &PersonRecord) {
        let encoded = record.encoded();
        let place = person as usize;
        self.restore_mention(place);
        let beyond = if self.sources_of_records[place] == 0 {
            Some(MissingParts::default())
        } else {
            missing_in(&self.records[place], &encoded)
        };
        self.pending_beyond[place] = beyond;
        if beyond.is_some() {
            self.pending.remove(&person);
            self.records[place] = encoded;
        } else {
            self.pending.insert(person, encoded);
        }
    }

    /// Has what the member list has said count.
    pub(super) fn end_members(&mut self) -> Result<(), TooManyRows> {
        let number = self.add_source(PersonSource::members())?;
        for (beyond, source) in self.pending_beyond.iter_mut().zip(&mut self.sources_of_records) {
            if beyond.take().is_some() {
                *source = number;
            }
        }
        for (person, record) in mem::take(&mut self.pending) {
            self.records[person as usize] = record;
            self.sources_of_records[person as usize] = number;
        }
        Ok(())
    }

    fn add_source(&mut self, source: PersonSource) -> Result<u32, TooManyRows> {
        let number = u32::try_from(self.sources.len()).map_err(|_| TooManyRows)?;
        self.sources.push(source);
        Ok(number)
    }

    /// Leaves of a pending record what others say.
    fn restore_mention(&mut self, place: usize) {
        let Some(missing) = self.pending_beyond[place].take() else { return };
        let record = &mut self.records[place];
        *record = if self.sources_of_records[place] == 0 {
            Box::default()
        } else {
            PersonRecord::mention_of(record, missing)
        };
    }

    /// The addresses that the member list knows.
    pub(super) fn addresses_of_members(&self) -> impl Iterator<Item = String> {
        let told = self.records.iter().zip(&self.sources_of_records);
        let members = PersonSource::members();
        let of_members = told.filter(move |(_, by)| self.sources[**by as usize] == members);
        of_members
            .filter_map(|(records, _)| PersonRecord::decode(&**records).ok())
            .flat_map(|records| records.emails)
            .filter_map(|email| email.address)
    }

    /// Everybody in order, and the place of each number there.
    pub(super) fn in_order(mut self) -> (OrderedPeople, Vec<u32>) {
        self.discard_pending_members();
        let Self { ids, mut records, sources_of_records, sources, .. } = self;
        let order = ids.order();
        let mut places = vec![0; order.len()];
        for (place, number) in (0..).zip(&order) {
            places[*number as usize] = place;
        }
        let standing =
            |number: &u32| sources[sources_of_records[*number as usize] as usize].standing();
        let people = OrderedPeople {
            records: order
                .iter()
                .map(|number| std::mem::take(&mut records[*number as usize]))
                .collect(),
            standings: order.iter().map(standing).collect(),
            ids,
            order,
        };
        (people, places)
    }
}

/// What the member list's record of somebody says beyond a mention, if the mention follows from
/// it.
fn missing_in(mention: &[u8], record: &[u8]) -> Option<MissingParts> {
    let missing = MissingParts::of(mention);
    (*PersonRecord::mention_of(record, missing) == *mention).then_some(missing)
}

/// People by id, called by their places. What is told of one holder after another lies together.
#[derive(Debug)]
pub(super) struct OrderedPeople {
    ids: Interner,
    /// The number of the id at each place.
    order: Vec<u32>,
    records: Vec<Box<[u8]>>,
    standings: Vec<PersonStanding>,
}

impl OrderedPeople {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The id of a person.
    pub(super) fn id(&self, place: u32) -> &str {
        self.ids.get(self.order[place as usize])
    }

    /// Whether the organization's member list has a person.
    pub(super) fn is_member(&self, place: u32) -> bool {
        self.standings[place as usize] == PersonStanding::Member
    }

    /// The addresses that a person is known to own, in lower case.
    pub(super) fn verified_addresses(
        &self,
        place: u32,
    ) -> Result<impl Iterator<Item = String> + use<>, prost::DecodeError> {
        let record = PersonRecord::decode(&*self.records[place as usize])?;
        let verified = record.emails.into_iter().filter(|email| email.verified == Some(true));
        Ok(verified.filter_map(|email| Some(email.address?.trim().to_lowercase())))
    }

    /// A person as a resource.
    pub(super) fn resource(&self, place: u32) -> Result<Resource, prost::DecodeError> {
        let records = PersonRecord::decode(&*self.records[place as usize])?;
        let member = records.into_member(self.id(place));
        let standing = self.standings[place as usize];
        if standing == PersonStanding::Member {
            return Ok(user(&member));
        }
        let Member { id, name, emails, last_login, finalized, .. } = member;
        let (name, last_login) = (name.as_ref(), last_login.as_ref());
        Ok(if standing == PersonStanding::Outsider {
            outside_user(&id, name, &emails, last_login, &finalized)
        } else {
            unlisted_user(&id, name, &emails, last_login)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MissingParts, PeopleBuilder, PersonRecord, PersonSource};
    use crate::northflank::{List, ListKind, Member};

    fn record(json: &str) -> PersonRecord {
        PersonRecord::member(serde_json::from_str::<Member>(json).unwrap())
    }

    const MEMBER: &str = r#"{"id":"ada","name":"Ada","joinedAt":"2025","finalized":true}"#;
    const RENAMED: &str = r#"{"id":"ada","name":"Ada Q","joinedAt":"2025","finalized":true}"#;

    /// What is known of Ada in the end, after these: `m` and `n` are rows of the member list of
    /// two names, `r` and `s` a role that mentions the first and the second, `!` begins the
    /// member list anew, `.` ends it.
    fn known_after(steps: &str) -> (Option<String>, Option<String>, bool) {
        let mut people = PeopleBuilder::default();
        let ada = people.number("ada").unwrap();
        for step in steps.chars() {
            let whole = MissingParts::default();
            let mention = |json| PersonRecord::mention_of(&record(json).encoded(), whole);
            let role = || PersonSource::List(List::of(ListKind::RoleMembers, "owner".into()));
            match step {
                'm' => people.add_pending_member(ada, &record(MEMBER)),
                'n' => people.add_pending_member(ada, &record(RENAMED)),
                'r' => people.add_mentions(role(), vec![(ada, mention(MEMBER))]).unwrap(),
                's' => people.add_mentions(role(), vec![(ada, mention(RENAMED))]).unwrap(),
                '!' => people.discard_pending_members(),
                _ => people.end_members().unwrap(),
            }
        }
        let (people, places) = people.in_order();
        let encoded = &people.records[places[ada as usize] as usize];
        let record = <PersonRecord as prost::Message>::decode(&**encoded).unwrap();
        (record.name, record.joined_at, people.is_member(0))
    }

    #[test]
    fn the_member_list_counts_when_it_has_ended_whatever_others_say_before_and_after() {
        let known = |name: &str, joined: bool| {
            (Some(name.to_owned()), joined.then(|| "2025".to_owned()), joined)
        };
        for member in
            ["m.", "mr.", "rm.", "sm.", "ms.", "nm.", "snm.", "nsm.", "m.s", "n!m.", "rmsm."]
        {
            assert_eq!(known_after(member), known("Ada", true), "{member}");
        }
        for only_mentioned in ["r", "rm!", "mr!.", "mrn!.", "smr", "nr!.", "rm", "mr", "nmsr!."] {
            assert_eq!(known_after(only_mentioned), known("Ada", false), "{only_mentioned}");
        }
        for nobody in ["m!", "m!.", "mn!."] {
            assert_eq!(known_after(nobody), (None, None, false), "{nobody}");
        }
    }

    #[test]
    fn a_mention_that_says_less_than_the_member_list_is_what_it_was_when_that_is_taken_back() {
        let role = || PersonSource::List(List::of(ListKind::RoleMembers, "owner".into()));
        let member = record(
            r#"{"id":"ada","name":"Ada","emails":[{"address":"a@x.test","verified":true}],
                "lastLoginTime":"2026","joinedAt":"2025","finalized":true}"#,
        );
        for mention in [
            "",
            r#","name":"Ada""#,
            r#","name":"Ada","emails":["a@x.test"]"#,
            r#","emails":[{"address":"a@x.test","verified":true}],"lastLoginTime":"2026""#,
            r#","name":"Ada","emails":[{"address":"a@x.test","verified":false}]"#,
            r#","emails":["a@x.test","b@x.test"]"#,
            r#","lastLoginTime":"2027""#,
        ] {
            let said = format!(r#"{{"id":"ada"{mention}}}"#);
            let mention = record(&said).encoded();
            for member_comes_first in [true, false] {
                let mut people = PeopleBuilder::default();
                let ada = people.number("ada").unwrap();
                let mentions = vec![(ada, mention.clone())];
                if member_comes_first {
                    people.add_pending_member(ada, &member);
                    people.add_mentions(role(), mentions).unwrap();
                } else {
                    people.add_mentions(role(), mentions).unwrap();
                    people.add_pending_member(ada, &member);
                }
                people.discard_pending_members();
                assert_eq!(people.records[0], mention, "{said}");
                people.add_pending_member(ada, &member);
                people.end_members().unwrap();
                assert_eq!(people.records[0], member.encoded(), "{said}");
            }
        }
    }
}
