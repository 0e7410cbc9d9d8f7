//! What there is to know of one person, role or group.

use std::collections::BTreeMap;

use crate::report::access::GrantInfo;
use crate::report::access::{counted_without_id, facts, slug};

use super::held_color::HeldColor;
use super::limits::MOST_NAMES;
use super::phrases::{path_in_words, slug_and_path};
use super::subject::{PageLink, Subject, Subjects, anchor, shown};

/// All people, or all roles, groups or others.
pub(in crate::report) struct Deck {
    pub(in crate::report) anchor: &'static str,
    pub(in crate::report) title: &'static str,
    /// Whether they are there for what they hold, and not for who holds them.
    pub(in crate::report) is_of_holders: bool,
    pub(in crate::report) cards: Vec<Card>,
}

/// One person, role or group.
pub(in crate::report) struct Card {
    pub(in crate::report) anchor: String,
    pub(in crate::report) name: String,
    pub(in crate::report) id: String,
    pub(in crate::report) kind: String,
    pub(in crate::report) description: String,
    /// Status, address and the like.
    pub(in crate::report) facts: Vec<String>,
    /// Further facts by name.
    pub(in crate::report) details: Vec<(String, String)>,
    /// What is held, each by itself.
    pub(in crate::report) holds: Vec<HeldLine>,
    /// Who holds it, by way.
    pub(in crate::report) held_by: Vec<HolderList>,
}

/// Something that is held, and how.
pub(in crate::report) struct HeldLine {
    pub(in crate::report) resource: PageLink,
    pub(in crate::report) slug: String,
    pub(in crate::report) shade: HeldColor,
    pub(in crate::report) path: String,
}

/// People who hold something in the same way.
pub(in crate::report) struct HolderList {
    pub(in crate::report) path: String,
    pub(in crate::report) shade: HeldColor,
    pub(in crate::report) count: usize,
    pub(in crate::report) names: Vec<PageLink>,
}

impl HolderList {
    /// How many names it leaves to the CSV, which has every grant.
    pub(in crate::report) fn more(&self) -> usize {
        self.count - self.names.len()
    }
}

/// Roles, groups, people and whatever else holds something, each a part of the page.
pub(in crate::report) fn decks(subjects: &Subjects) -> [Deck; 4] {
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
        let reference = &subject.info.reference;
        let grants = |numbers: &[usize]| -> Vec<&GrantInfo> {
            numbers.iter().map(|number| &subjects.grants[*number]).collect()
        };
        let mut holds: Vec<_> = grants(&subject.holds)
            .into_iter()
            .map(|grant| HeldLine {
                resource: subjects.link(&grant.entitlement.resource),
                slug: slug(grant).unwrap_or_default().to_owned(),
                shade: HeldColor::of(grant),
                path: path_in_words(grant),
            })
            .collect();
        holds.sort_by(|one, other| (&one.resource, &one.slug).cmp(&(&other.resource, &other.slug)));
        let mut by_path: BTreeMap<(HeldColor, String), HolderList> = BTreeMap::new();
        for grant in grants(&subject.holders) {
            let (shade, path) = (HeldColor::of(grant), slug_and_path(grant));
            let list = by_path.entry((shade, path.clone())).or_insert_with(|| HolderList {
                path,
                shade,
                count: 0,
                names: Vec::new(),
            });
            list.count += 1;
            if list.names.len() < MOST_NAMES {
                list.names.push(subjects.link(&grant.principal));
            }
        }
        let mut held_by: Vec<_> = by_path.into_values().collect();
        for list in &mut held_by {
            list.names.sort();
        }
        Self {
            anchor: anchor(&subject.info),
            name: reference.display_name.clone(),
            id: reference.resource.clone(),
            kind: reference.resource_type.clone(),
            description: subject.description.clone(),
            facts: if subject.is_person() {
                facts(&subject.info)
            } else {
                let restrictions = subject.info.restrictions.iter().map(ToString::to_string);
                restrictions.chain(counted_without_id(&subject.info)).collect()
            },
            details: subject.details.clone(),
            holds,
            held_by,
        }
    }
}
