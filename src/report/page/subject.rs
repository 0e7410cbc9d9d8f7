//! People, roles, groups and other resources that the page is about.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::baton::v2::Resource;
use crate::report::access::AccessReport;
use crate::report::access::Error;
use crate::report::access::GrantInfo;
use crate::report::access::TypeTraits;
use crate::report::access::{SortKey, sort_key};
use crate::report::findings::linked_groups;
use crate::report::model::{IN_RESTRICTIONS, RESTRICTIONS, ResourceInfo, isolated, of_resource};

use super::limits::{MOST_PEOPLE, MOST_ROLES};

/// One of them.
pub(in crate::report) struct Subject {
    pub(in crate::report) info: Rc<ResourceInfo>,
    pub(in crate::report) description: String,
    /// Further facts by name.
    pub(in crate::report) details: Vec<(String, String)>,
    /// The ids of groups that the role says it is linked with.
    pub(in crate::report) linked: Vec<String>,
    /// What it holds, by place among all grants.
    pub(in crate::report) holds: Vec<usize>,
    /// Who holds it.
    pub(in crate::report) holders: Vec<usize>,
    pub(in crate::report) traits: TypeTraits,
    /// Where what it belongs to would stand on the page.
    pub(in crate::report) parent: Option<String>,
    /// Whether the page has room for it.
    pub(in crate::report) is_shown: bool,
}

/// All of them, whether the page has room for them or not, and the grants between them.
pub(in crate::report) struct Subjects {
    pub(in crate::report) grants: Vec<GrantInfo>,
    /// People, in order.
    pub(in crate::report) people: Vec<Subject>,
    /// Roles and whatever else is held that is no group, in order.
    pub(in crate::report) roles: Vec<Subject>,
    /// Groups, in order.
    pub(in crate::report) groups: Vec<Subject>,
    /// What holds something and is none of these, such as apps and tokens, in order.
    pub(in crate::report) others: Vec<Subject>,
    /// Whether it is all that the file has, and not what somebody asked for.
    pub(in crate::report) is_everything: bool,
    /// What can be linked to.
    shown: HashSet<String>,
}

/// Something on the page that can be linked to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) struct PageLink {
    pub(in crate::report) name: String,
    /// Where it stands on the page, if it does.
    pub(in crate::report) anchor: Option<String>,
}

impl Subjects {
    /// Reads everything that was asked for.
    pub(in crate::report) fn read(access: &AccessReport) -> Result<Self, Error> {
        let mut found: HashMap<String, (SortKey, Subject)> = HashMap::new();
        access.each_resource(|info, resource| {
            let subject = Subject::new(access, info, resource);
            found.insert(anchor(info), (sort_key(access, &info.reference), subject));
            Ok(())
        })?;
        let mut grant: Vec<GrantInfo> = Vec::new();
        access.each_grant(|row| {
            let number = grant.len();
            for (info, is_principal) in
                [(&row.grant.principal, true), (&row.grant.entitlement.resource, false)]
            {
                let key = anchor(info);
                if !found.contains_key(&key) {
                    let reference = &info.reference;
                    let resource = access.row(&reference.resource_type, &reference.resource)?;
                    let subject = Subject::new(access, info, resource.as_ref());
                    found.insert(key.clone(), (sort_key(access, &info.reference), subject));
                }
                if let Some((_, subject)) = found.get_mut(&key) {
                    let list = if is_principal { &mut subject.holds } else { &mut subject.holders };
                    list.push(number);
                }
            }
            grant.push(row.grant.clone());
            Ok(())
        })?;
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let found = found.into_iter().map(|(_, subject)| subject);
        let (people, others): (Vec<_>, Vec<_>) = found.partition(|it| it.traits.user);
        let (groups, roles): (Vec<_>, Vec<_>) = others.into_iter().partition(|it| it.traits.group);
        let roles = roles.into_iter().filter(|it| {
            let traits = it.traits;
            traits.role || traits.secret || !it.holders.is_empty() || !it.holds.is_empty()
        });
        let (others, mut roles): (Vec<_>, Vec<_>) =
            roles.partition(|it| !it.traits.role && it.holders.is_empty());
        let (mut people, mut groups, mut others) = (people, groups, others);
        show(&mut people, MOST_PEOPLE, |it| it.holds.len());
        show(&mut roles, MOST_ROLES, |it| it.holders.len());
        show(&mut groups, MOST_ROLES, |it| it.holders.len());
        show(&mut others, MOST_ROLES, |it| it.holds.len());
        let shown = [&people, &roles, &groups, &others].into_iter().flat_map(|all| shown(all));
        let shown = shown.map(|subject| anchor(&subject.info)).collect();
        let is_everything = access.is_everything();
        Ok(Self { grants: grant, people, roles, groups, others, is_everything, shown })
    }

    /// How many of each there are.
    pub(in crate::report) fn counts(&self) -> Vec<(usize, &'static str)> {
        let word = |count, one, several| (count, if count == 1 { one } else { several });
        let mut counts = vec![
            word(self.people.len(), "person", "people"),
            word(self.roles.len(), "role", "roles"),
            word(self.groups.len(), "group", "groups"),
        ];
        let secrets = self.others.iter().filter(|it| it.traits.secret).count();
        let others = self.others.len() - secrets;
        if secrets > 0 {
            counts.push(word(secrets, "token", "tokens"));
        }
        if others > 0 {
            counts.push(word(others, "other", "others"));
        }
        counts.push(word(self.grants.len(), "grant", "grants"));
        counts
    }

    /// What the page has no room for, in words.
    pub(in crate::report) fn left_out(&self) -> Vec<String> {
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
    pub(in crate::report) fn only(&self, access: &AccessReport) -> Vec<String> {
        access
            .selection()
            .every_id()
            .map(|(resource_type, id)| {
                let reference = |it: &&Subject| {
                    let reference = &it.info.reference;
                    reference.resource_type == *resource_type && reference.resource == *id
                };
                let all = [&self.people, &self.roles, &self.groups, &self.others];
                let mut all = all.into_iter().flatten();
                let name =
                    all.find(reference).map_or(id.into(), |it| it.info.reference.distinct_name());
                format!("{resource_type} {}", isolated(&name))
            })
            .collect()
    }

    /// A link to somebody or something, if it is on the page.
    pub(in crate::report) fn link(&self, info: &ResourceInfo) -> PageLink {
        let anchor = anchor(info);
        let is_shown = self.shown.contains(&anchor);
        PageLink {
            name: info.reference.distinct_name().into_owned(),
            anchor: is_shown.then_some(anchor),
        }
    }
}

impl Subject {
    /// Whether it is a person, or another account.
    pub(in crate::report) fn is_person(&self) -> bool {
        self.traits.user
    }

    fn new(access: &AccessReport, info: &Rc<ResourceInfo>, resource: Option<&Resource>) -> Self {
        let traits = access.traits().of(&info.reference.resource_type);
        let mut subject = Self {
            info: info.clone(),
            description: String::new(),
            details: Vec::new(),
            linked: Vec::new(),
            holds: Vec::new(),
            holders: Vec::new(),
            traits,
            parent: resource
                .and_then(|row| row.parent_resource_id.as_ref())
                .map(|id| format!("{}/{}", id.resource_type, id.resource)),
            is_shown: true,
        };
        let Some(resource) = resource.filter(|_| !traits.user) else { return subject };
        subject.description.clone_from(&resource.description);
        subject.linked = linked_groups(resource);
        let told =
            ["name", "description", "profile.id", "profile.name", "profile.directory_groups"];
        let is_in_words = |fact: &str| {
            fact == RESTRICTIONS || (info.restrictions.is_some() && IN_RESTRICTIONS.contains(&fact))
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

/// Those of `all` that the page has room for, in the order in which they stand.
pub(in crate::report) fn shown(all: &[Subject]) -> impl Iterator<Item = &Subject> {
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
pub(in crate::report) fn anchor(info: &ResourceInfo) -> String {
    format!("{}/{}", info.reference.resource_type, info.reference.resource)
}
