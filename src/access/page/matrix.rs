//! People × roles, with the way in each cell.

use std::collections::{BTreeMap, HashMap};

use crate::facts::{Person, isolated};

use super::phrase::slug_and_way;
use super::shade::Shade;
use super::subject::{Link, Subject, Subjects, anchor, shown};

/// The matrix.
pub(super) struct Matrix {
    /// The roles.
    pub(super) columns: Vec<Link>,
    /// The groups that people can be looked for by.
    pub(super) groups: Vec<String>,
    /// The statuses that there are.
    pub(super) statuses: Vec<String>,
    /// The ways that there are.
    pub(super) ways: Vec<Shade>,
    /// The people.
    pub(super) rows: Vec<Row>,
}

/// A person's row.
pub(super) struct Row {
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) email: String,
    pub(super) status: String,
    /// The groups that the person is in, by their places.
    pub(super) groups: String,
    /// The roles and ways of each cell: place, then the way's first letter.
    pub(super) ways: String,
    pub(super) cells: Vec<Cell>,
}

/// A cell.
pub(super) enum Cell {
    /// So many roles that aren't held.
    Gap(usize),
    /// A role that is held: its name isolated, and how.
    Way(Shade, String, String),
}

impl Matrix {
    pub(super) fn new(subjects: &Subjects) -> Self {
        let places = |all: &[Subject]| -> HashMap<String, usize> {
            shown(all).enumerate().map(|(place, it)| (anchor(&it.known), place)).collect()
        };
        let (columns, groups) = (places(&subjects.roles), places(&subjects.groups));
        let people = shown(&subjects.people);
        let role = |it: &Subject| isolated(&it.known.named.distinct_name()).into_owned();
        let names: Vec<_> = shown(&subjects.roles).map(role).collect();
        let rows: Vec<_> =
            people.map(|it| Row::new(subjects, it, (&columns, &names), &groups)).collect();
        let mut statuses: Vec<_> = rows.iter().map(|row| row.status.clone()).collect();
        statuses.sort();
        statuses.dedup();
        let mut ways: Vec<_> = rows
            .iter()
            .flat_map(|row| &row.cells)
            .filter_map(|cell| match cell {
                Cell::Way(shade, ..) => Some(*shade),
                Cell::Gap(_) => None,
            })
            .collect();
        ways.sort_unstable();
        ways.dedup();
        let name = |it: &Subject| it.known.named.distinct_name().into_owned();
        Self {
            columns: shown(&subjects.roles).map(|it| subjects.link(&it.known)).collect(),
            groups: shown(&subjects.groups).map(name).collect(),
            statuses,
            ways,
            rows,
        }
    }
}

impl Row {
    fn new(
        subjects: &Subjects,
        subject: &Subject,
        (columns, names): (&HashMap<String, usize>, &[String]),
        groups: &HashMap<String, usize>,
    ) -> Self {
        let mut held_here: BTreeMap<usize, (Shade, Vec<String>)> = BTreeMap::new();
        let mut groups_here = Vec::new();
        for held in subject.holds.iter().map(|number| &subjects.held[*number]) {
            let anchor = anchor(&held.given.resource);
            if let Some(group) = groups.get(&anchor) {
                groups_here.push(*group);
            }
            let Some(column) = columns.get(&anchor) else { continue };
            let shade = Shade::of(held);
            let (most, words) = held_here.entry(*column).or_insert((shade, Vec::new()));
            *most = shade.min(*most);
            words.push(slug_and_way(held));
        }
        let ways: Vec<_> = held_here
            .iter()
            .map(|(column, (shade, _))| format!("{column}{}", shade.letter()))
            .collect();
        let mut cells = Vec::new();
        let mut next = 0;
        for (column, (shade, words)) in held_here {
            if column > next {
                cells.push(Cell::Gap(column - next));
            }
            cells.push(Cell::Way(shade, names[column].clone(), words.join("; ")));
            next = column + 1;
        }
        if columns.len() > next {
            cells.push(Cell::Gap(columns.len() - next));
        }
        let person = subject.known.person.as_ref();
        let groups: Vec<_> = groups_here.iter().map(ToString::to_string).collect();
        Self {
            anchor: anchor(&subject.known),
            name: subject.known.named.display_name.clone(),
            id: subject.known.named.resource.clone(),
            email: person.and_then(|person| person.email.clone()).unwrap_or_default(),
            status: status(person).to_owned(),
            groups: groups.join(" "),
            ways: ways.join(" "),
            cells,
        }
    }
}

/// The status in one word.
fn status(person: Option<&Person>) -> &str {
    let status = person.and_then(|person| person.status.as_ref());
    status.and_then(|status| status.word).unwrap_or("unknown")
}
