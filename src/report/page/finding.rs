//! What is worth a look in a review, as far as the page has room.

use std::borrow::Cow;

use crate::report::access::{AccessReport, Error};
use crate::report::findings::{
    FindingKind, FindingList, FindingNote, FindingPlace, FindingQuery, FindingScan, ScannedResource,
};

use super::limits::MOST_NAMES;
use super::phrases::label_and_path;
use super::subject::{PageLink, Subject, Subjects};

/// Something to look for, and where it was found.
pub(in crate::report) struct Finding {
    pub(in crate::report) title: Cow<'static, str>,
    /// Why it is worth a look.
    pub(in crate::report) why: &'static str,
    pub(in crate::report) count: usize,
    pub(in crate::report) places: Vec<PagePlace>,
}

/// Where it was found.
pub(in crate::report) struct PagePlace {
    pub(in crate::report) link: PageLink,
    pub(in crate::report) note: String,
}

impl Finding {
    fn new(list: &FindingList, subjects: &Subjects) -> Self {
        // No other format has missing groups: none is left out.
        let most = match list.query.kind {
            FindingKind::MissingGroups => usize::MAX,
            _ => MOST_NAMES,
        };
        let places = list.places.iter().take(most);
        Self {
            title: list.query.title(),
            why: list.query.kind.why(),
            count: list.places.len(),
            places: places.map(|place| PagePlace::new(place, subjects)).collect(),
        }
    }

    /// How many places it leaves to JSON.
    pub(in crate::report) fn more(&self) -> usize {
        self.count - self.places.len()
    }
}

impl PagePlace {
    fn new(place: &FindingPlace, subjects: &Subjects) -> Self {
        let note = match &place.note {
            FindingNote::Held(grant) => label_and_path(grant),
            note => note.in_words(),
        };
        Self { link: subjects.link(&place.of), note }
    }
}

/// Everything that is looked for.
pub(in crate::report) fn all(
    access: &AccessReport,
    subjects: &Subjects,
) -> Result<Vec<Finding>, Error> {
    let has_all_holders = access.selection().has_all_holders();
    let kinds = FindingKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| *kind != FindingKind::RolesWithoutHolders || has_all_holders);
    let kinds = kinds.filter(|kind| kind.missing_in(access).is_none());
    let mut scan = FindingScan::new(access, kinds.map(FindingQuery::new))?;
    for subject in &subjects.people {
        for number in &subject.holds {
            scan.grant(&subjects.grants[*number]);
        }
    }
    let Subjects { people, roles, groups, others, .. } = subjects;
    let secrets = others.iter().filter(|it| it.traits.secret);
    for subject in people.iter().chain(roles).chain(groups).chain(secrets) {
        scan.resource(&scanned(subject, subjects))?;
    }
    let knows_logins = scan.knows_logins();
    let lists = scan.finish().into_iter();
    let lists = lists.filter(|list| knows_logins || !list.query.kind.is_of_logins());
    let mut findings: Vec<_> = lists.map(|list| Finding::new(&list, subjects)).collect();
    // What was found stands first.
    findings.sort_by_key(|finding| finding.count == 0);
    Ok(findings)
}

fn scanned<'subject>(subject: &'subject Subject, subjects: &Subjects) -> ScannedResource<'subject> {
    let mut holders = subject.holders.iter().map(|number| &subjects.grants[*number]);
    ScannedResource {
        of: &subject.info,
        linked: &subject.linked,
        holds_something: !subject.holds.is_empty(),
        has_holders: !subject.holders.is_empty(),
        is_held: !holders.all(|grant| grant.path.is_link()),
    }
}
