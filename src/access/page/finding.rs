//! What is worth a look in a review.

use time::Duration;

use crate::access::error::Error;
use crate::access::held::Held;
use crate::access::kind::Kind;
use crate::access::reading::Access;
use crate::access::words::{day, ended_on, what};

use super::limit::MOST_NAMES;
use super::shade::Shade;
use super::subject::{Link, Subject, Subjects};

/// After how many days without a login somebody is worth a look.
const IDLE: Duration = Duration::days(90);

/// Something to look for, and where it was found.
pub(super) struct Finding {
    pub(super) title: &'static str,
    /// Why it is worth a look.
    pub(super) why: &'static str,
    pub(super) count: usize,
    pub(super) places: Vec<Place>,
}

/// Where it was found.
pub(super) struct Place {
    pub(super) who: Link,
    pub(super) note: String,
}

impl Finding {
    fn new(title: &'static str, why: &'static str, places: impl Iterator<Item = Place>) -> Self {
        let mut found = Self { title, why, count: 0, places: Vec::new() };
        for place in places {
            found.count += 1;
            if found.places.len() < MOST_NAMES {
                found.places.push(place);
            }
        }
        found
    }

    /// How many places it leaves to the CSV.
    pub(super) fn more(&self) -> usize {
        self.count - self.places.len()
    }
}

/// Everything that is looked for.
pub(super) fn all(access: &Access, subjects: &Subjects) -> Result<Vec<Finding>, Error> {
    let people = || subjects.people.iter();
    let place = |it: &Subject, note: String| Place { who: subjects.link(&it.known), note };
    let status = |it: &Subject| it.known.person.as_ref()?.status.clone();
    let of_people = |holds: fn(&Held) -> bool| {
        people().flat_map(move |it| {
            let held = it.holds.iter().map(|number| &subjects.held[*number]);
            held.filter(move |held| holds(held)).map(move |held| {
                let note = format!("{}: {}", what(held), held.way.in_words());
                place(it, note)
            })
        })
    };
    let nobody = |it: &&Subject| {
        let mut holders = it.holders.iter().map(|number| &subjects.held[*number].principal);
        !holders.any(|principal| access.kinds().of(&principal.named.resource_type).user)
    };
    let ended_on = ended_on(&access.sync().sync().ended_at);
    let idle = people().filter_map(|it| {
        let login = it.known.person.as_ref()?.last_login?;
        let is_idle = ended_on? - login.date() > IDLE;
        is_idle.then(|| place(it, format!("last login {}", day(login))))
    });
    let knows_logins =
        people().any(|it| it.known.person.as_ref().is_some_and(|it| it.last_login.is_some()));
    let mut findings = vec![
        Finding::new(
            "Accounts that can't be used and hold something",
            "Not finished, disabled or deleted: nobody works with this access, and whoever takes \
             the account over has it.",
            people().filter(|it| !it.holds.is_empty()).filter_map(|it| {
                let status = status(it)?;
                let is_off = !matches!(status.word, Some("enabled") | None);
                is_off.then(|| place(it, status.to_string()))
            }),
        ),
        Finding::new(
            "People outside the member list",
            "A role or group names them, the list of members doesn't.",
            people().filter_map(|it| match &it.known.person {
                None => Some(place(it, "no row in the file".to_owned())),
                Some(person) => {
                    let status = person.status.as_ref()?;
                    let is_outside = status.word.is_none() && !status.details.is_empty();
                    is_outside.then(|| place(it, status.details.clone()))
                }
            }),
        ),
        Finding::new(
            "Memberships that nothing explains",
            "Held neither by hand nor through a group that the file knows.",
            of_people(|held| Shade::of(held) == Shade::Word),
        ),
        Finding::new(
            "Roles held by hand beside a group",
            "Leaving the group would not end it.",
            of_people(|held| Shade::of(held) == Shade::Both),
        ),
        Finding::new(
            "Roles that nobody holds",
            "Not needed, or not yet.",
            subjects.roles.iter().filter(nobody).map(|it| place(it, String::new())),
        ),
        Finding::new(
            "Linked groups that are missing",
            "A role names a group that the file doesn't have.",
            missing(access, subjects)?.into_iter(),
        ),
    ];
    if knows_logins {
        findings.push(Finding::new(
            "No login for 90 days",
            "Before the sync; people of whom no login is known are not among them.",
            idle,
        ));
    }
    findings.push(Finding::new(
        "Unverified addresses",
        "Nobody has shown to own the address.",
        people().filter_map(|it| {
            let person = it.known.person.as_ref()?;
            let is_unverified = person.is_verified == Some(false);
            is_unverified.then(|| place(it, person.email.clone().unwrap_or_default()))
        }),
    ));
    // What was found stands first.
    findings.sort_by_key(|finding| finding.count == 0);
    Ok(findings)
}

/// Groups that roles name and the file doesn't have.
fn missing(access: &Access, subjects: &Subjects) -> Result<Vec<Place>, Error> {
    let mut missing = Vec::new();
    for role in &subjects.roles {
        for id in &role.linked {
            let mut is_there = false;
            for resource_type in access.kinds().types(Kind::Group) {
                is_there |= access.row(resource_type, id)?.is_some();
            }
            if !is_there {
                missing.push(Place { who: subjects.link(&role.known), note: id.clone() });
            }
        }
    }
    for group in subjects.groups.iter().filter(|it| it.known.person.is_none()) {
        let note = "no row in the file".to_owned();
        missing.push(Place { who: subjects.link(&group.known), note });
    }
    Ok(missing)
}
