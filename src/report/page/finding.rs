//! What is worth a look in a review.

use time::{Duration, OffsetDateTime};

use crate::report::access::AccessReport;
use crate::report::access::Error;
use crate::report::access::FilterKind;
use crate::report::access::{day, ended_on};
use crate::report::model::{AccountStatus, NOT_LISTED};

use super::held_color::HeldColor;
use super::limits::MOST_NAMES;
use super::phrases::what_and_how;
use super::subject::{PageLink, Subject, Subjects};

/// After how many days without a login somebody is worth a look.
const IDLE: Duration = Duration::days(90);

/// Something to look for, and where it was found.
pub(in crate::report) struct Finding {
    pub(in crate::report) title: &'static str,
    /// Why it is worth a look.
    pub(in crate::report) why: &'static str,
    pub(in crate::report) count: usize,
    pub(in crate::report) places: Vec<FindingPlace>,
}

/// Where it was found.
pub(in crate::report) struct FindingPlace {
    pub(in crate::report) who: PageLink,
    pub(in crate::report) note: String,
}

impl Finding {
    fn new(
        title: &'static str,
        why: &'static str,
        places: impl Iterator<Item = FindingPlace>,
    ) -> Self {
        let mut found = Self { title, why, count: 0, places: Vec::new() };
        for place in places {
            found.count += 1;
            if found.places.len() < MOST_NAMES {
                found.places.push(place);
            }
        }
        found
    }

    /// How many places it leaves to JSON.
    pub(in crate::report) fn more(&self) -> usize {
        self.count - self.places.len()
    }
}

/// Everything that is looked for.
pub(in crate::report) fn all(
    access: &AccessReport,
    subjects: &Subjects,
) -> Result<Vec<Finding>, Error> {
    let mut findings = of_accounts(subjects);
    findings.extend(of_ways(subjects));
    findings.extend(of_roles(access, subjects)?);
    findings.extend(of_logins(access, subjects));
    // What was found stands first.
    findings.sort_by_key(|finding| finding.count == 0);
    Ok(findings)
}

fn at(subjects: &Subjects, subject: &Subject, note: impl Into<String>) -> FindingPlace {
    FindingPlace { who: subjects.link(&subject.known), note: note.into() }
}

/// What is told of somebody as an account.
fn of_accounts(subjects: &Subjects) -> Vec<Finding> {
    let people = || subjects.people.iter();
    let status = |it: &Subject| it.known.person.as_ref()?.status.clone();
    let is_outside = |status: &AccountStatus| status.word.is_none() && status.details == NOT_LISTED;
    vec![
        Finding::new(
            "Accounts that can't be used and hold something",
            "Not finished, disabled or deleted: nobody works with this access, and whoever takes \
             the account over has it.",
            people().filter(|it| !it.holds.is_empty()).filter_map(|it| {
                let status = status(it)?;
                let is_off = !matches!(status.word, Some("enabled") | None);
                is_off.then(|| at(subjects, it, status.to_string()))
            }),
        ),
        Finding::new(
            "People outside the member list",
            "A role or group names them, the list of members doesn't.",
            people().filter_map(|it| {
                let status = status(it).filter(is_outside)?;
                Some(at(subjects, it, status.details))
            }),
        ),
        Finding::new(
            "People without a row in the file",
            "A grant names them, and nothing else is told of them.",
            people()
                .filter(|it| it.known.person.is_none())
                .map(|it| at(subjects, it, "no row in the file")),
        ),
        Finding::new(
            "Accounts of unknown status",
            "The file has them, and a note in place of whether they can be used.",
            people().filter_map(|it| {
                let status = status(it)?;
                let is_unknown = status.word.is_none() && !status.details.is_empty();
                let is_found = is_unknown && !is_outside(&status);
                is_found.then(|| at(subjects, it, status.details))
            }),
        ),
        Finding::new(
            "Unverified addresses",
            "Nobody has shown to own the address.",
            people().filter_map(|it| {
                let person = it.known.person.as_ref()?;
                let is_unverified = person.is_verified == Some(false);
                is_unverified.then(|| at(subjects, it, person.email.clone().unwrap_or_default()))
            }),
        ),
    ]
}

/// How people hold something.
fn of_ways(subjects: &Subjects) -> [Finding; 2] {
    let held_in = |shade: HeldColor| {
        subjects.people.iter().flat_map(move |it| {
            let held = it.holds.iter().map(|number| &subjects.held[*number]);
            held.filter(move |held| HeldColor::of(held) == shade)
                .map(move |held| at(subjects, it, what_and_how(held)))
        })
    };
    [
        Finding::new(
            "Memberships that nothing explains",
            "Held neither by hand nor through a group that the file knows.",
            held_in(HeldColor::Word),
        ),
        Finding::new(
            "Roles held by hand beside a group",
            "Leaving the group would not end it.",
            held_in(HeldColor::Both),
        ),
    ]
}

/// Roles without holders, and groups that they name. A linked group that is empty is nobody.
fn of_roles(access: &AccessReport, subjects: &Subjects) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    if access.selection().has_all_holders() {
        let nobody = |it: &&Subject| {
            let mut holders = it.holders.iter().map(|number| &subjects.held[*number]);
            it.traits.role && holders.all(|held| held.way.is_link())
        };
        findings.push(Finding::new(
            "Roles that nobody holds",
            "Not needed, or not yet.",
            subjects.roles.iter().filter(nobody).map(|it| at(subjects, it, "")),
        ));
    }
    let missing = missing(access, subjects)?;
    findings.push(Finding {
        title: "Linked groups that are missing",
        why: "A role names a group that the file doesn't have.",
        count: missing.len(),
        // No other format has them: none is left out.
        places: missing,
    });
    Ok(findings)
}

/// When people logged in, where the file knows of logins.
fn of_logins(access: &AccessReport, subjects: &Subjects) -> Vec<Finding> {
    let people =
        || subjects.people.iter().filter_map(|it| Some((it, it.known.person.as_ref()?.last_login)));
    if people().all(|(_, login)| login.is_none()) {
        return Vec::new();
    }
    let ended_on = ended_on(&access.sync().sync().ended_at);
    let is_idle = |login: OffsetDateTime| ended_on.is_some_and(|end| end - login.date() > IDLE);
    let idle = people().filter_map(|(it, login)| {
        let login = login.filter(|login| is_idle(*login))?;
        Some(at(subjects, it, format!("last login {} UTC", day(login))))
    });
    let unknown = people().filter(|(_, login)| login.is_none()).map(|(it, _)| at(subjects, it, ""));
    vec![
        Finding::new(
            "No login for 90 days",
            "Before the sync. People of whom no login is known stand apart.",
            idle,
        ),
        Finding::new("No login known", "They never logged in, or nobody knows.", unknown),
    ]
}

/// Groups that roles name and the file doesn't have.
fn missing(access: &AccessReport, subjects: &Subjects) -> Result<Vec<FindingPlace>, Error> {
    let mut missing = Vec::new();
    for role in &subjects.roles {
        for id in &role.linked {
            let mut is_there = false;
            for resource_type in access.kinds().types(FilterKind::Group) {
                is_there |= access.row(resource_type, id)?.is_some();
            }
            if !is_there {
                missing.push(at(subjects, role, id.clone()));
            }
        }
    }
    for group in subjects.groups.iter().filter(|it| it.known.person.is_none()) {
        missing.push(at(subjects, group, "no row in the file"));
    }
    Ok(missing)
}
