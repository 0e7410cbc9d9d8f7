//! People × roles, with the way in each cell.

use std::collections::{BTreeMap, HashMap};

use crate::report::model::{AccountInfo, isolated};

use super::held_color::HeldColor;
use super::phrases::slug_and_path;
use super::subject::{PageLink, Subject, Subjects, anchor, shown};

pub(in crate::report) struct Matrix {
    /// The roles.
    pub(in crate::report) columns: Vec<PageLink>,
    /// What the roles belong to, one after the other; empty if they belong to nothing.
    pub(in crate::report) parents: Vec<ColumnGroup>,
    /// The groups that people can be looked for by.
    pub(in crate::report) groups: Vec<String>,
    /// The statuses that there are.
    pub(in crate::report) statuses: Vec<String>,
    /// The ways that there are.
    pub(in crate::report) colors: Vec<HeldColor>,
    /// The people.
    pub(in crate::report) rows: Vec<MatrixRow>,
}

/// Roles that stand beside each other and belong to the same.
pub(in crate::report) struct ColumnGroup {
    /// To what; `None` for those that belong to nothing.
    pub(in crate::report) parent: Option<PageLink>,
    /// How many they are.
    pub(in crate::report) columns: usize,
}

/// A person's row.
pub(in crate::report) struct MatrixRow {
    pub(in crate::report) anchor: String,
    pub(in crate::report) name: String,
    pub(in crate::report) id: String,
    pub(in crate::report) email: String,
    pub(in crate::report) status: String,
    /// The groups that the person is in, by their places.
    pub(in crate::report) groups: String,
    /// The roles and ways of each cell: place, then the way's first letter.
    pub(in crate::report) ways: String,
    pub(in crate::report) cells: Vec<MatrixCell>,
}

pub(in crate::report) enum MatrixCell {
    /// So many roles that aren't held.
    Gap(usize),
    /// A role that is held: its name isolated, and how.
    Way(HeldColor, String, String),
}

impl Matrix {
    pub(in crate::report) fn new(subjects: &Subjects) -> Self {
        let places = |all: &[Subject]| -> HashMap<String, usize> {
            shown(all).enumerate().map(|(place, it)| (anchor(&it.info), place)).collect()
        };
        let (columns, groups) = (places(&subjects.roles), places(&subjects.groups));
        let people = shown(&subjects.people);
        let role = |it: &Subject| isolated(&it.info.reference.distinct_name()).into_owned();
        let names: Vec<_> = shown(&subjects.roles).map(role).collect();
        let rows: Vec<_> =
            people.map(|it| MatrixRow::new(subjects, it, (&columns, &names), &groups)).collect();
        let mut statuses: Vec<_> = rows.iter().map(|row| row.status.clone()).collect();
        statuses.sort();
        statuses.dedup();
        let mut colors: Vec<_> = rows
            .iter()
            .flat_map(|row| &row.cells)
            .filter_map(|cell| match cell {
                MatrixCell::Way(shade, ..) => Some(*shade),
                MatrixCell::Gap(_) => None,
            })
            .collect();
        colors.sort_unstable();
        colors.dedup();
        let name = |it: &Subject| it.info.reference.distinct_name().into_owned();
        Self {
            parents: parents(subjects),
            columns: shown(&subjects.roles).map(|it| subjects.link(&it.info)).collect(),
            groups: shown(&subjects.groups).map(name).collect(),
            statuses,
            colors,
            rows,
        }
    }
}

/// What the roles of the columns belong to.
fn parents(subjects: &Subjects) -> Vec<ColumnGroup> {
    let roles: Vec<_> = shown(&subjects.roles).collect();
    if roles.iter().all(|role| role.parent.is_none()) {
        return Vec::new();
    }
    let link = |parent: &String| {
        let mut all = subjects.groups.iter().chain(&subjects.roles).chain(&subjects.others);
        match all.find(|it| anchor(&it.info) == *parent) {
            Some(subject) => subjects.link(&subject.info),
            None => PageLink { name: parent.clone(), anchor: None },
        }
    };
    let beside = roles.chunk_by(|one, other| one.parent == other.parent);
    let groups = beside.map(|roles| ColumnGroup {
        parent: roles[0].parent.as_ref().map(link),
        columns: roles.len(),
    });
    groups.collect()
}

impl MatrixRow {
    fn new(
        subjects: &Subjects,
        subject: &Subject,
        (columns, names): (&HashMap<String, usize>, &[String]),
        groups: &HashMap<String, usize>,
    ) -> Self {
        let mut held_here: BTreeMap<usize, (HeldColor, Vec<String>)> = BTreeMap::new();
        let mut groups_here = Vec::new();
        for grant in subject.holds.iter().map(|number| &subjects.grants[*number]) {
            let anchor = anchor(&grant.entitlement.resource);
            if let Some(group) = groups.get(&anchor) {
                groups_here.push(*group);
            }
            let Some(column) = columns.get(&anchor) else { continue };
            let shade = HeldColor::of(grant);
            let (most, words) = held_here.entry(*column).or_insert((shade, Vec::new()));
            *most = shade.min(*most);
            words.push(slug_and_path(grant));
        }
        let ways: Vec<_> = held_here
            .iter()
            .map(|(column, (shade, _))| format!("{column}{}", shade.letter()))
            .collect();
        let mut cells = Vec::new();
        let mut next = 0;
        for (column, (shade, words)) in held_here {
            if column > next {
                cells.push(MatrixCell::Gap(column - next));
            }
            cells.push(MatrixCell::Way(shade, names[column].clone(), words.join("; ")));
            next = column + 1;
        }
        if columns.len() > next {
            cells.push(MatrixCell::Gap(columns.len() - next));
        }
        let person = subject.info.person.as_ref();
        let groups: Vec<_> = groups_here.iter().map(ToString::to_string).collect();
        Self {
            anchor: anchor(&subject.info),
            name: subject.info.reference.display_name.clone(),
            id: subject.info.reference.resource.clone(),
            email: person.and_then(|person| person.email.clone()).unwrap_or_default(),
            status: status(person).to_owned(),
            groups: groups.join(" "),
            ways: ways.join(" "),
            cells,
        }
    }
}

/// The status in one word.
fn status(person: Option<&AccountInfo>) -> &str {
    let status = person.and_then(|person| person.status.as_ref());
    status.and_then(|status| status.word).unwrap_or("unknown")
}
