//! What there is to know of one person, role or group.

use std::collections::BTreeMap;

use crate::access::held::Held;
use crate::access::words::{facts, slug};

use super::limit::MOST_NAMES;
use super::phrase::{slug_and_way, way};
use super::shade::Shade;
use super::subject::{Link, Subject, Subjects, anchor, shown};

/// All people, or all roles, groups or others.
pub(super) struct Deck {
    pub(super) anchor: &'static str,
    pub(super) title: &'static str,
    /// Whether they are there for what they hold, and not for who holds them.
    pub(super) is_of_holders: bool,
    pub(super) cards: Vec<Card>,
}

/// One person, role or group.
pub(super) struct Card {
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) description: String,
    /// Status, address and the like.
    pub(super) facts: Vec<String>,
    /// Further facts by name.
    pub(super) details: Vec<(String, String)>,
    /// What is held, each by itself.
    pub(super) holds: Vec<Line>,
    /// Who holds it, by way.
    pub(super) held_by: Vec<List>,
}

/// Something that is held, and how.
pub(super) struct Line {
    pub(super) what: Link,
    pub(super) slug: String,
    pub(super) shade: Shade,
    pub(super) way: String,
}

/// People who hold something in the same way.
pub(super) struct List {
    pub(super) way: String,
    pub(super) shade: Shade,
    pub(super) count: usize,
    pub(super) names: Vec<Link>,
}

impl List {
    /// How many names it leaves to the CSV, which has every grant.
    pub(super) fn more(&self) -> usize {
        self.count - self.names.len()
    }
}

/// Roles, groups, people and whatever else holds something, each a part of the page.
pub(super) fn decks(subjects: &Subjects) -> [Deck; 4] {
    let deck = |anchor, title, of: &[Subject], is_of_holders| Deck {
        anchor,
        title,
        is_of_holders,
        cards: shown(of).map(|it| Card::new(subjects, it)).collect(),
    };
    [
        deck("roles", "Roles", &subjects.roles, false),
        deck("groups", "Groups", &subjects.groups, false),
        deck("people", "People", &subjects.people, true),
        deck("others", "Others that hold something", &subjects.others, true),
    ]
}

impl Card {
    fn new(subjects: &Subjects, subject: &Subject) -> Self {
        let named = &subject.known.named;
        let held = |numbers: &[usize]| -> Vec<&Held> {
            numbers.iter().map(|number| &subjects.held[*number]).collect()
        };
        let mut holds: Vec<_> = held(&subject.holds)
            .into_iter()
            .map(|held| Line {
                what: subjects.link(&held.given.resource),
                slug: slug(held).unwrap_or_default().to_owned(),
                shade: Shade::of(held),
                way: way(held),
            })
            .collect();
        holds.sort_by(|one, other| (&one.what, &one.slug).cmp(&(&other.what, &other.slug)));
        let mut by_way: BTreeMap<(Shade, String), List> = BTreeMap::new();
        for held in held(&subject.holders) {
            let (shade, way) = (Shade::of(held), slug_and_way(held));
            let list = by_way.entry((shade, way.clone())).or_insert_with(|| List {
                way,
                shade,
                count: 0,
                names: Vec::new(),
            });
            list.count += 1;
            if list.names.len() < MOST_NAMES {
                list.names.push(subjects.link(&held.principal));
            }
        }
        let mut held_by: Vec<_> = by_way.into_values().collect();
        for list in &mut held_by {
            list.names.sort();
        }
        Self {
            anchor: anchor(&subject.known),
            name: named.display_name.clone(),
            id: named.resource.clone(),
            kind: named.resource_type.clone(),
            description: subject.description.clone(),
            facts: if subject.is_person() {
                facts(&subject.known)
            } else {
                subject.known.restrictions.iter().map(ToString::to_string).collect()
            },
            details: subject.details.clone(),
            holds,
            held_by,
        }
    }
}
