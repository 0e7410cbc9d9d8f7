//! The lists that a sync reads, and how far each has been read.

use std::collections::HashMap;

use crate::connector::{GROUP, ROLE, USER};
use crate::northflank::{Position, Text};

use super::Selection;

/// A list to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum List {
    /// The organization's members.
    Members,
    /// The organization's roles.
    Roles,
    /// The directory groups.
    Groups,
    /// The members of a role.
    RoleMembers(Text),
    /// The members of a directory group.
    GroupMembers(Text),
}

impl List {
    /// What the journal calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Members => "members".to_owned(),
            Self::Roles => "roles".to_owned(),
            Self::Groups => "groups".to_owned(),
            Self::RoleMembers(role) => format!("role:{role}"),
            Self::GroupMembers(group) => format!("group:{group}"),
        }
    }

    /// The list that the journal calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "members" => Some(Self::Members),
            "roles" => Some(Self::Roles),
            "groups" => Some(Self::Groups),
            _ => match name.split_once(':')? {
                ("role", id) => Some(Self::RoleMembers(id.into())),
                ("group", id) => Some(Self::GroupMembers(id.into())),
                _ => None,
            },
        }
    }
}

/// All lists that have been found so far, each once.
#[derive(Debug)]
pub(super) struct Lists {
    /// In the order in which they were found.
    found: Vec<(List, Place)>,
    numbers: HashMap<List, usize>,
    /// So many of them have been begun by this run.
    begun: usize,
}

/// How far a list has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Up to this page; `None` is the first.
    At(Option<Position>),
    /// To its end.
    End,
}

impl Lists {
    /// Those that lead to all others. The member list comes first: it is the longest that
    /// can't be split.
    pub(super) fn of(selection: &Selection) -> Self {
        let mut lists = Self { found: Vec::new(), numbers: HashMap::new(), begun: 0 };
        let first = [(List::Members, USER), (List::Groups, GROUP), (List::Roles, ROLE)];
        let first = first.into_iter().filter(|(_, of)| selection.has_type(of));
        lists.add(first.map(|(list, _)| list));
        lists
    }

    /// Adds those that aren't known yet: a role can stand on two pages if the list shifts in
    /// between. Returns how many are new.
    pub(super) fn add(&mut self, found: impl IntoIterator<Item = List>) -> usize {
        let before = self.found.len();
        for list in found {
            if !self.numbers.contains_key(&list) {
                self.numbers.insert(list.clone(), self.found.len());
                self.found.push((list, Place::At(None)));
            }
        }
        self.found.len() - before
    }

    /// Notes that a page of a list has been read, and where the list goes on. Says `false` of
    /// a list that isn't to be read.
    pub(super) fn read(&mut self, list: &List, next: Option<&Position>) -> bool {
        let Some(number) = self.numbers.get(list) else {
            return false;
        };
        let (_, place) = &mut self.found[*number];
        let was_unread = *place != Place::End;
        *place = next.map_or(Place::End, |next| Place::At(Some(next.clone())));
        was_unread
    }

    /// Whether nothing of a list has been read that is to be read.
    pub(super) fn is_untouched(&self, list: &List) -> bool {
        let number = self.numbers.get(list);
        number.is_some_and(|number| self.found[*number].1 == Place::At(None))
    }

    /// Whether a list is to be read and hasn't been to its end.
    pub(super) fn is_unread(&self, list: &List) -> bool {
        let number = self.numbers.get(list);
        number.is_some_and(|number| self.found[*number].1 != Place::End)
    }

    /// The next list that is to be read, and where to begin.
    pub(super) fn begin(&mut self) -> Option<(List, Option<Position>)> {
        loop {
            let (list, place) = self.found.get(self.begun)?;
            self.begun += 1;
            if let Place::At(position) = place {
                return Some((list.clone(), position.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{List, Lists};
    use crate::northflank::Position;
    use crate::sync::Selection;

    #[test]
    fn a_list_is_found_again_by_its_name() {
        for list in [
            List::Members,
            List::Roles,
            List::Groups,
            List::RoleMembers("members".into()),
            List::GroupMembers("a:b".into()),
        ] {
            assert_eq!(List::named(&list.name()), Some(list));
        }
        assert_eq!(List::named("teams"), None);
        assert_eq!(List::named("team:a"), None);
    }

    #[test]
    fn lists_are_begun_in_the_order_in_which_they_were_found_and_where_they_stand() {
        let role = |id: &str| List::RoleMembers(id.into());
        let cursor = |text: &str| Some(Position::behind(text));
        let mut lists = Lists::of(&Selection::default());
        assert!(lists.read(&List::Roles, None));
        assert_eq!(lists.add(["a", "b", "c", "b"].map(role)), 3);
        assert!(lists.read(&role("b"), cursor("next").as_ref()));
        assert!(lists.read(&role("c"), None));
        // Found again, because the list of roles shifted.
        assert_eq!(lists.add(["b", "c"].map(role)), 0);
        assert!(lists.is_untouched(&role("a")) && !lists.is_untouched(&role("b")));
        let begun: Vec<_> = std::iter::from_fn(|| lists.begin()).collect();
        let expected = [
            (List::Members, None),
            (List::Groups, None),
            (role("a"), None),
            (role("b"), cursor("next")),
        ];
        assert_eq!(begun, expected);
        assert_eq!(lists.add([role("d")]), 1);
        assert_eq!(lists.begin(), Some((role("d"), None)));
    }

    #[test]
    fn a_list_that_nothing_leads_to_or_that_has_ended_is_not_to_be_read() {
        let mut lists = Lists::of(&Selection::default());
        assert!(!lists.read(&List::RoleMembers("a".into()), None));
        assert!(lists.read(&List::Groups, None));
        assert!(!lists.read(&List::Groups, None));
    }
}
