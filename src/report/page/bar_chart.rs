//! Bars: holders of each role, and last logins by age. Each bar stands beside its number.

use std::collections::HashMap;
use std::rc::Rc;

use time::{Duration, OffsetDateTime};

use crate::report::access::counted;

use super::held_color::HeldColor;
use super::subject::{PageLink, Subjects};

/// How many roles are pictured.
const MOST_BARS: usize = 24;

/// The length of the longest bar, in the picture's own unit.
const LENGTH: usize = 1000;

/// Rows of bars of one scale.
pub(in crate::report) struct BarChart {
    pub(in crate::report) rows: Vec<Bar>,
    /// How many rows are left out.
    pub(in crate::report) more: usize,
}

/// A row: what it is of, its parts from left to right, and what they say.
pub(in crate::report) struct Bar {
    pub(in crate::report) of: PageLink,
    pub(in crate::report) parts: Vec<BarPart>,
    pub(in crate::report) count: usize,
    pub(in crate::report) label: String,
}

pub(in crate::report) struct BarPart {
    pub(in crate::report) class: &'static str,
    pub(in crate::report) start: usize,
    pub(in crate::report) length: usize,
}

/// Of each role, how many people hold it, and how. Those that most hold stand first.
pub(in crate::report) fn holders(subjects: &Subjects) -> BarChart {
    let mut rows: Vec<_> = subjects
        .roles
        .iter()
        .map(|role| {
            // Somebody may hold several things of a role, and is counted once, like in the matrix.
            let mut holders = HashMap::new();
            let grant = role.holders.iter().map(|number| &subjects.grants[*number]);
            for grant in grant.filter(|grant| !grant.path.is_link()) {
                let shade = HeldColor::of(grant);
                let most = holders.entry(Rc::as_ptr(&grant.principal)).or_insert(shade);
                *most = shade.min(*most);
            }
            let mut counts = [0; 4];
            let shades = [HeldColor::Direct, HeldColor::Both, HeldColor::Through, HeldColor::Word];
            for shade in holders.into_values() {
                counts[shade as usize] += 1;
            }
            (subjects.link(&role.info), shades.into_iter().zip(counts).collect::<Vec<_>>())
        })
        .collect();
    let total =
        |counts: &[(HeldColor, usize)]| counts.iter().map(|(_, count)| count).sum::<usize>();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(total(counts)));
    let more = rows.len().saturating_sub(MOST_BARS);
    rows.truncate(MOST_BARS);
    let longest = rows.iter().map(|(_, counts)| total(counts)).max().unwrap_or_default();
    let rows = rows.into_iter().map(|(of, counts)| {
        let shares: Vec<_> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(shade, count)| format!("{count} {}", shade.legend()))
            .collect();
        Bar {
            of,
            count: total(&counts),
            label: if shares.is_empty() { "nobody".to_owned() } else { shares.join(", ") },
            parts: parts(counts.iter().map(|(shade, count)| (shade.class(), *count)), longest),
        }
    });
    BarChart { rows: rows.collect(), more }
}

/// How long ago people last logged in, before the sync's end.
pub(in crate::report) fn logins(subjects: &Subjects, end: Option<OffsetDateTime>) -> BarChart {
    let ages = [
        ("within 7 days", Duration::days(7)),
        ("within 30 days", Duration::days(30)),
        ("within 90 days", Duration::days(90)),
        ("within a year", Duration::days(365)),
        ("longer ago", Duration::MAX),
    ];
    let mut counts = [0; 6];
    for subject in &subjects.people {
        let login = subject.info.person.as_ref().and_then(|person| person.last_login);
        let age = login.and_then(|login| Some(end? - login));
        let place = age.and_then(|age| ages.iter().position(|(_, most)| age <= *most));
        counts[place.unwrap_or(ages.len())] += 1;
    }
    if counts[..ages.len()].iter().all(|count| *count == 0) {
        return BarChart { rows: Vec::new(), more: 0 };
    }
    let longest = counts.iter().copied().max().unwrap_or_default();
    let names = ages.iter().map(|(name, _)| *name).chain(["not known"]);
    let rows = names.zip(counts).map(|(name, count)| Bar {
        of: PageLink { name: name.to_owned(), anchor: None },
        count,
        label: counted(count, "person", "people"),
        parts: parts([("login", count)].into_iter(), longest),
    });
    BarChart { rows: rows.collect(), more: 0 }
}

fn parts(counts: impl Iterator<Item = (&'static str, usize)>, longest: usize) -> Vec<BarPart> {
    let mut start = 0;
    counts
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| {
            let length = (count * LENGTH / longest.max(1)).max(1);
            let part = BarPart { class, start, length };
            start += length;
            part
        })
        .collect()
}
