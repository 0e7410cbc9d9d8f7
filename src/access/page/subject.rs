//! People, roles, groups and other resources that the page is about.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use prost_types::value::Kind as ValueKind;

use crate::access::error::Error;
use crate::access::held::Held;
use crate::access::kinds::Traits;
use crate::access::listing::{Place, place};
use crate::access::reading::Access;
use crate::baton::find;
use crate::baton::v2::{Resource, RoleTrait};
use crate::facts::{IN_RESTRICTIONS, Known, RESTRICTIONS, isolated, of_resource};

use super::limit::{MOST_PEOPLE, MOST_ROLES};

/// One of them.
pub(super) struct Subject {
    pub(super) known: Rc<Known>,
    pub(super) description: String,
    /// Further facts by name.
    pub(super) details: Vec<(String, String)>,
    /// The ids of groups that the role says it is linked with.
    pub(super) linked: Vec<String>,
    /// What it holds, by place among all grants.
    pub(super) holds: Vec<usize>,
    /// Who holds it.
    pub(super) holders: Vec<usize>,
    pub(super) traits: Traits,
    /// Whether the page has room for it.
    pub(super) is_shown: bool,
}

/// All of them, whether the page has room for them or not, and the grants between them.
pub(super) struct Subjects {
    pub(super) held: Vec<Held>,
    /// People, in order.
    pub(super) people: Vec<Subject>,
    /// Roles and whatever else is held that is no group, in order.
    pub(super) roles: Vec<Subject>,
    /// Groups, in order.
    pub(super) groups: Vec<Subject>,
    /// What holds something and is none of these, such as apps and tokens, in order.
    pub(super) others: Vec<Subject>,
    /// Whether it is all that the file has, and not what somebody asked for.
    pub(super) is_everything: bool,
    /// What can be linked to.
    shown: HashSet<String>,
}

/// Something on the page that can be linked to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) name: String,
    /// Where it stands on the page, if it does.
    pub(super) anchor: Option<String>,
}

impl Subjects {
    /// Reads everything that was asked for.
    pub(super) fn read(access: &Access) -> Result<Self, Error> {
        let mut found: HashMap<String, (Place, Subject)> = HashMap::new();
        access.each_asked(|known, resource| {
            let subject = Subject::new(access, known, resource);
            found.insert(anchor(known), (place(access, &known.named), subject));
            Ok(())
        })?;
        let mut held: Vec<Held> = Vec::new();
        access.each(|row| {
            let number = held.len();
            for (known, is_principal) in
                [(&row.held.principal, true), (&row.held.given.resource, false)]
            {
                let key = anchor(known);
                if !found.contains_key(&key) {
                    let named = &known.named;
                    let resource = access.row(&named.resource_type, &named.resource)?;
                    let subject = Subject::new(access, known, resource.as_ref());
                    found.insert(key.clone(), (place(access, &known.named), subject));
                }
                if let Some((_, subject)) = found.get_mut(&key) {
                    let list = if is_principal { &mut subject.holds } else { &mut subject.holders };
                    list.push(number);
                }
            }
            held.push(row.held.clone());
            Ok(())
        })?;
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let found = found.into_iter().map(|(_, subject)| subject);
        let (people, others): (Vec<_>, Vec<_>) = found.partition(|it| it.traits.user);
        let (groups, roles): (Vec<_>, Vec<_>) = others.into_iter().partition(|it| it.traits.group);
        let roles = roles
            .into_iter()
            .filter(|it| it.traits.role || !it.holders.is_empty() || !it.holds.is_empty());
        let (others, mut roles): (Vec<_>, Vec<_>) =
            roles.partition(|it| !it.traits.role && it.holders.is_empty());
        let (mut people, mut groups, mut others) = (people, groups, others);
        show(&mut people, MOST_PEOPLE, |it| it.holds.len());
        show(&mut roles, MOST_ROLES, |it| it.holders.len());
        show(&mut groups, MOST_ROLES, |it| it.holders.len());
        show(&mut others, MOST_ROLES, |it| it.holds.len());
        let shown = [&people, &roles, &groups, &others].into_iter().flat_map(|all| shown(all));
        let shown = shown.map(|subject| anchor(&subject.known)).collect();
        let is_everything = access.is_everything();
        Ok(Self { held, people, roles, groups, others, is_everything, shown })
    }

    /// How many of each there are.
    pub(super) fn counts(&self) -> Vec<(usize, &'static str)> {
        let word = |count, one, several| (count, if count == 1 { one } else { several });
        let mut counts = vec![
            word(self.people.len(), "person", "people"),
            word(self.roles.len(), "role", "roles"),
            word(self.groups.len(), "group", "groups"),
        ];
        if !self.others.is_empty() {
            counts.push(word(self.others.len(), "other", "others"));
        }
        counts.push(word(self.held.len(), "grant", "grants"));
        counts
    }

    /// What the page has no room for, in words.
    pub(super) fn left_out(&self) -> Vec<String> {
        [
            (&self.people, "people", "who hold most"),
            (&self.roles, "roles", "that most hold"),
            (&self.groups, "groups", "with most members"),
            (&self.others, "others", "that hold most"),
        ]
        .into_iter()
        .map(|(all, what, which)| (shown(all).count(), all.len(), what, which))
        .filter(|(shown, all, ..)| shown < all)
        .map(|(shown, all, what, which)| {
            format!("the {shown} of {all} {what} {which}, without the other {}", all - shown)
        })
        .collect()
    }

    /// What the page is limited to, in words.
    pub(super) fn only(&self, access: &Access) -> Vec<String> {
        access
            .selection()
            .every_id()
            .map(|(resource_type, id)| {
                let named = |it: &&Subject| {
                    let named = &it.known.named;
                    named.resource_type == *resource_type && named.resource == *id
                };
                let all = [&self.people, &self.roles, &self.groups, &self.others];
                let mut all = all.into_iter().flatten();
                let name = all.find(named).map_or(id.into(), |it| it.known.named.distinct_name());
                format!("{resource_type} {}", isolated(&name))
            })
            .collect()
    }

    /// A link to somebody or something, if it is on the page.
    pub(super) fn link(&self, known: &Known) -> Link {
        let anchor = anchor(known);
        let is_shown = self.shown.contains(&anchor);
        Link { name: known.named.distinct_name().into_owned(), anchor: is_shown.then_some(anchor) }
    }
}

impl Subject {
    /// Whether it is a person, or another account.
    pub(super) fn is_person(&self) -> bool {
        self.traits.user
    }

    fn new(access: &Access, known: &Rc<Known>, resource: Option<&Resource>) -> Self {
        let traits = access.kinds().of(&known.named.resource_type);
        let mut subject = Self {
            known: known.clone(),
            description: String::new(),
            details: Vec::new(),
            linked: Vec::new(),
            holds: Vec::new(),
            holders: Vec::new(),
            traits,
            is_shown: true,
        };
        let Some(resource) = resource.filter(|_| !traits.user) else { return subject };
        subject.description.clone_from(&resource.description);
        subject.linked = linked(resource);
        let told =
            ["name", "description", "profile.id", "profile.name", "profile.directory_groups"];
        let is_in_words = |fact: &str| {
            fact == RESTRICTIONS
                || (known.restrictions.is_some() && IN_RESTRICTIONS.contains(&fact))
        };
        subject.details = of_resource(resource)
            .into_iter()
            .filter(|(fact, _)| !told.contains(&fact.as_str()) && !is_in_words(fact))
            .map(|(fact, text)| {
                let fact = fact.strip_prefix("profile.").unwrap_or(&fact).replace('_', " ");
                (fact, text)
            })
            .collect();
        subject
    }
}

/// The groups that a role's profile says it is linked with.
fn linked(role: &Resource) -> Vec<String> {
    let profile = role.profile.clone();
    let profile =
        profile.or_else(|| find::<RoleTrait>(&role.annotations).and_then(|role| role.profile));
    let groups = profile.and_then(|mut profile| profile.fields.remove("directory_groups"));
    let Some(ValueKind::ListValue(groups)) = groups.and_then(|groups| groups.kind) else {
        return Vec::new();
    };
    let ids = groups.values.into_iter().filter_map(|group| match group.kind {
        Some(ValueKind::StringValue(id)) => Some(id),
        _ => None,
    });
    ids.collect()
}

/// Those of `all` that the page has room for, in the order in which they stand.
pub(super) fn shown(all: &[Subject]) -> impl Iterator<Item = &Subject> {
    all.iter().filter(|it| it.is_shown)
}

/// Makes room for at most `most` of `all`: those with the largest `size`.
fn show(all: &mut [Subject], most: usize, size: impl Fn(&Subject) -> usize) {
    if all.len() > most {
        let mut sizes: Vec<_> = all.iter().map(&size).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let least = sizes[most];
        let mut at_least = most - all.iter().filter(|it| size(it) > least).count();
        for it in all {
            let is_one_of_them = size(it) == least && at_least > 0;
            it.is_shown = size(it) > least || is_one_of_them;
            at_least -= usize::from(is_one_of_them);
        }
    }
}

/// Where something stands on the page: `user/ada`.
pub(super) fn anchor(known: &Known) -> String {
    format!("{}/{}", known.named.resource_type, known.named.resource)
}
