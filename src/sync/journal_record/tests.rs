//! Whatever the order in which pages arrive, however often a list is begun anew and however often
//! a run is killed and gone on with, what has been read says what the last whole reading of each
//! list said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::baton::v2::Resource;
use crate::connector::{ResourceContext, group, role, unlisted_user, user};
use crate::northflank::{List, ListKind, Member, Page, Rows};
use crate::sync::SyncSelection;
use crate::sync::snapshot::{Snapshot, SnapshotBuilder, WithMembers};
use crate::work_dir::{FoundJournal, FramePosition, IdentityDigests, Journal, RunIdentity};

use super::{JournalIndex, KeptLists, finished_record, page_record, recorded_page};

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

fn of_role(id: &str) -> List {
    List::of(ListKind::RoleMembers, id.into())
}

fn of_group(id: &str) -> List {
    List::of(ListKind::DirectoryGroupMembers, id.into())
}

/// A list as a server answers for it.
#[derive(Debug, Clone, Default)]
struct Served {
    /// The rows of the pages of a reading that doesn't come to its end.
    broken_off: Vec<Vec<Value>>,
    /// The rows of each page of the one that does.
    pages: Vec<Vec<Value>>,
}

impl Served {
    /// All pages that are read, each with its number and whether the list ends with it.
    fn all(&self) -> impl Iterator<Item = (usize, bool, &[Value])> {
        let last = self.pages.len() - 1;
        let broken_off = self.broken_off.iter().enumerate();
        let broken_off = broken_off.map(|(number, rows)| (number, false, rows.as_slice()));
        let pages = self.pages.iter().enumerate();
        broken_off.chain(pages.map(move |(number, rows)| (number, number == last, rows.as_slice())))
    }
}

/// What a server answers.
#[derive(Debug, Clone)]
struct Server {
    members: Served,
    roles: Served,
    groups: Served,
    /// Of roles and groups that may not exist, too.
    memberships: BTreeMap<List, Served>,
}

fn rows<T: serde::de::DeserializeOwned>(rows: &[Value]) -> Vec<T> {
    rows.iter().map(|row| serde_json::from_value(row.clone()).unwrap()).collect()
}

fn pages<T>(kind: ListKind, served: &Served, of: fn(Vec<T>) -> Rows) -> Vec<Page>
where
    T: serde::de::DeserializeOwned,
{
    let page = |(number, is_last, page): (usize, bool, &[Value])| {
        Page::new(List::only(kind), of(rows(page)), number == 0, is_last)
    };
    served.all().map(page).collect()
}

/// The records of a list that was read to its end at [`NOW`].
fn records(of: &List, served: &Served) -> Vec<Vec<u8>> {
    let record = |(number, is_last, rows): (usize, bool, &[Value])| {
        // As it may come: on several lines.
        let body = format!("{:#}", json!({"data": {"members": rows}}));
        page_record(of, number, is_last.then_some(NOW), body.into_bytes()).unwrap()
    };
    served.all().map(record).collect()
}

/// All that is in `lists`, each in its order, one after the other as `choices` choose.
fn merged<T>(lists: Vec<Vec<T>>, choices: &mut impl Iterator<Item = Index>) -> Vec<T> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut merged = Vec::new();
    loop {
        lists.retain(|list| list.len() > 0);
        if lists.is_empty() {
            return merged;
        }
        let choice = choices.next().map_or(0, |choice| choice.index(lists.len()));
        merged.extend(lists[choice].next());
    }
}

/// Reads everything but for what is kept. Returns the records of what was read besides.
fn read(
    server: &Server,
    kept: &BTreeMap<List, Vec<Vec<u8>>>,
    choices: &mut impl Iterator<Item = Index>,
) -> (SnapshotBuilder, Vec<Vec<u8>>) {
    let mut fold = SnapshotBuilder::default();
    let leading = vec![
        pages(ListKind::Roles, &server.roles, Rows::Roles),
        pages(ListKind::DirectoryGroups, &server.groups, Rows::DirectoryGroups),
    ];
    let members = pages(ListKind::Members, &server.members, Rows::Members);
    // The member list is read beside everything else.
    let mut members = merged(vec![members], choices).into_iter();
    for page in merged(leading, choices) {
        fold.page(page).unwrap();
        if choices.next().is_some_and(|choice| choice.index(2) == 0) {
            members.next().into_iter().for_each(|page| fold.page(page).unwrap());
        }
    }
    let mut new = Vec::new();
    let mut lists = Vec::new();
    for list in fold.lists_below(&SyncSelection::default()) {
        let records = kept.get(&list).cloned().unwrap_or_else(|| {
            let records = records(&list, &server.memberships[&list]);
            new.extend(records.iter().cloned());
            records
        });
        let page = |record: &Vec<u8>| recorded_page(&list, record).unwrap();
        lists.push(records.iter().map(page).collect());
    }
    lists.push(members.collect());
    for page in merged(lists, choices) {
        fold.page(page).unwrap();
    }
    (fold, new)
}

/// A person, and how a role or group says it is held.
type Holders = Vec<(String, Option<String>)>;

/// Everything that a file would say.
#[derive(Debug, PartialEq)]
struct Said {
    users: Vec<(String, Resource)>,
    containers: Vec<(Resource, Holders)>,
}

fn said(fold: SnapshotBuilder) -> Said {
    fn holders(access: &Snapshot, held: &WithMembers) -> Holders {
        let holders = held.holders.iter().map(|holder| {
            let reported = access.reported(holder.holding).map(str::to_owned);
            (access.id(holder.person).to_owned(), reported)
        });
        holders.collect()
    }
    let access = fold.finish();
    let containers = access.containers().iter();
    let containers = containers
        .map(|held| (held.row.resource(&ResourceContext::default()), holders(&access, held)));
    let exists = access.exists();
    let users = access.people().filter(|person| exists[*person as usize]);
    let users = users.map(|person| (access.id(person).to_owned(), access.user(person).unwrap()));
    Said { users: users.collect(), containers: containers.collect() }
}

/// The same by the rules, as plainly as they can be put: whole lists count, and nothing else.
fn expected(server: &Server) -> Said {
    let text = |row: &Value| row["id"].as_str().unwrap().to_owned();
    // The last row of a list counts.
    let last_rows = |served: &Served| -> BTreeMap<String, Value> {
        served.pages.concat().into_iter().map(|row| (text(&row), row)).collect()
    };
    let members = last_rows(&server.members);
    let mut users: BTreeMap<String, Resource> = members
        .iter()
        .map(|(id, row)| (id.clone(), user(&serde_json::from_value(row.clone()).unwrap())))
        .collect();
    // Groups tell better than roles, and of each those whose ids come first.
    let mut told = BTreeMap::new();
    let mut held = BTreeSet::new();
    let mut holders_of = |kind: ListKind, id: String| {
        let read = server.memberships[&List::of(kind, id.as_str().into())].pages.concat();
        let read: Vec<_> = read.into_iter().filter(|row| row["id"].is_string()).collect();
        let mut said: BTreeMap<String, Value> = BTreeMap::new();
        for row in &read {
            said.insert(text(row), row.clone());
        }
        for (id, row) in said {
            told.entry(id).or_insert(row);
        }
        let mut holders: BTreeMap<String, Option<String>> = BTreeMap::new();
        for row in &read {
            let reported = match (kind, row["type"].as_str()) {
                (ListKind::DirectoryGroupMembers, _) | (_, Some("explicit")) => None,
                (_, other) => Some(other.unwrap_or("unknown").to_owned()),
            };
            holders
                .entry(text(row))
                .and_modify(|known| *known = known.clone().min(reported.clone()))
                .or_insert(reported);
        }
        held.extend(holders.keys().cloned());
        holders.into_iter().collect::<Holders>()
    };
    let groups = last_rows(&server.groups).into_iter().map(|(id, row)| {
        let group = group(&serde_json::from_value(row).unwrap());
        (group, holders_of(ListKind::DirectoryGroupMembers, id))
    });
    let mut containers: Vec<_> = groups.collect();
    let roles = last_rows(&server.roles).into_iter().map(|(id, row)| {
        let role = role(&serde_json::from_value(row).unwrap());
        (role, holders_of(ListKind::RoleMembers, id))
    });
    containers.extend(roles);
    for id in held {
        let row = told[&id].clone();
        users.entry(id.clone()).or_insert_with(|| {
            let member: Member = serde_json::from_value(row).unwrap();
            let last_login = member.last_login.as_ref();
            unlisted_user(&member.id, member.name.as_ref(), &member.emails, last_login)
        });
    }
    Said { users: users.into_iter().collect(), containers }
}

fn id() -> impl Strategy<Value = &'static str> {
    select(&["a", "a-b", "a.b", "b", "ab", "é", "z"][..])
}

/// Somebody, called differently from list to list and page to page.
fn person() -> impl Strategy<Value = Value> {
    (id(), 0..4_u8, any::<Option<bool>>(), 0..3_usize).prop_map(|(id, name, finalized, emails)| {
        let emails = vec![json!({"address": format!("{name}@b.test"), "verified": true}); emails];
        let joined = finalized.map(|_| "2025-03-04T09:12:07.018Z");
        let last_login = (name > 0).then(|| format!("2026-11-0{name}T10:00:00Z"));
        json!({
            "id": id, "name": format!("n{name}"), "emails": emails, "finalized": finalized,
            "joinedAt": joined, "lastLoginTime": last_login,
        })
    })
}

fn role_member() -> impl Strategy<Value = Value> {
    let kind = select(&["explicit", "implicit", "inherited", ""][..]);
    (person(), kind).prop_map(|(mut person, kind)| {
        if !kind.is_empty() {
            person["type"] = kind.into();
        }
        person
    })
}

fn group_member() -> impl Strategy<Value = Value> {
    (person(), prop::bool::weighted(0.1)).prop_map(|(mut person, is_unprovisioned)| {
        if is_unprovisioned {
            person["id"] = Value::Null;
        }
        person
    })
}

fn served(row: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Served> {
    let row = row.boxed();
    (vec(vec(row.clone(), 0..4), 0..3), vec(vec(row, 0..4), 1..4))
        .prop_map(|(broken_off, pages)| Served { broken_off, pages })
}

/// Lists that shift between pages, so that rows repeat with other words, and that are begun anew.
fn server() -> impl Strategy<Value = Server> {
    let group = (id(), 0..3_u8).prop_map(|(id, name)| json!({"id": id, "name": name.to_string()}));
    let role = (id(), vec(id(), 0..3))
        .prop_map(|(id, groups)| json!({"id": id, "name": id, "directoryGroups": groups}));
    let top = (served(person()), served(group), served(role));
    let lists = (vec(served(group_member()), 7), vec(served(role_member()), 7));
    (top, lists).prop_map(|((members, groups, roles), (in_groups, in_roles))| {
        let ids = ["a", "a-b", "a.b", "b", "ab", "é", "z"];
        let in_groups = ids.map(of_group).into_iter().zip(in_groups);
        let in_roles = ids.map(of_role).into_iter().zip(in_roles);
        Server { members, roles, groups, memberships: in_groups.chain(in_roles).collect() }
    })
}

/// Opens what there is of a journal as a sync does that begins after `later`.
fn open(path: &Path, later: Duration, task: &str) -> (Journal, KeptLists) {
    let identity = RunIdentity {
        version: "1",
        settings: "",
        digests: &|_| IdentityDigests { organization: None, token: [0; 32] },
        sync_id: "id",
        is_finished: &|_| false,
    };
    let mut index = super::JournalIndex::default();
    let found = Journal::find(path, &identity, |record, place| index.add(record, place)).unwrap();
    match found {
        FoundJournal::Records { journal, .. } => {
            (journal, index.kept_lists(NOW + later, Some(task)))
        }
        FoundJournal::Nothing | FoundJournal::Discarded(_) => {
            (Journal::create(path, &identity).unwrap(), KeptLists::new())
        }
    }
}

/// The records of the lists that are kept.
fn kept_records(journal: &Journal, kept: &KeptLists) -> BTreeMap<List, Vec<Vec<u8>>> {
    let mut reader = journal.reader().unwrap();
    let mut records =
        |places: &[_]| places.iter().map(|place| reader.read(*place).unwrap().to_vec()).collect();
    kept.iter().map(|(of, list)| (of.clone(), records(&list.pages))).collect()
}

fn append(journal: &mut Journal, records: &[Vec<u8>]) {
    journal.append(records.iter().map(Vec::as_slice)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_order_in_which_pages_arrive_does_not_matter(
        server in server(),
        choices in vec(any::<Index>(), 0..120),
    ) {
        let (fold, _) = read(&server, &BTreeMap::new(), &mut choices.into_iter());
        prop_assert_eq!(said(fold), expected(&server));
    }

    #[test]
    fn killed_at_any_page_and_gone_on_with_each_list_is_that_of_one_whole_reading(
        runs in vec((server(), any::<Index>()), 1..4),
        last in server(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        // Whose memberships count, by what the runs had read to its end when they were killed.
        let mut model = BTreeMap::new();
        for (server, killed_after) in runs {
            let (mut journal, kept) = open(&path, Duration::ZERO, "");
            let kept = kept_records(&journal, &kept);
            prop_assert!(kept.keys().eq(model.keys()));
            let (_, mut new) = read(&server, &kept, &mut std::iter::empty());
            new.truncate(killed_after.index(new.len() + 1));
            append(&mut journal, &new);
            for record in &new {
                let (_, note) = super::split(record).unwrap();
                if let super::PageNote::Page { of, ended_at: Some(_), .. } = note {
                    model.insert(of.clone(), server.memberships[&of].clone());
                }
            }
        }
        let (journal, kept) = open(&path, Duration::ZERO, "");
        let (fold, _) = read(&last, &kept_records(&journal, &kept), &mut std::iter::empty());
        let memberships = last.memberships.into_iter().chain(model).collect();
        prop_assert_eq!(said(fold), expected(&Server { memberships, ..last }));
    }
}

/// A small organization with something of everything.
fn small() -> Server {
    let list = |pages: &[&[Value]]| Served {
        broken_off: Vec::new(),
        pages: pages.iter().map(|page| page.to_vec()).collect(),
    };
    let named = |id: &str| json!({"id": id, "name": id.to_uppercase(), "emails": ["x@b.test"]});
    let held = |id: &str, kind: &str| json!({"id": id, "name": id, "type": kind});
    let again = Served {
        broken_off: vec![vec![named("gone")]],
        ..list(&[&[named("ada")], &[named("dee"), named("ada")]])
    };
    Server {
        members: list(&[&[named("ada"), named("bob")], &[named("cy")]]),
        groups: list(&[&[json!({"id": "g", "name": "G"}), json!({"id": "h"})]]),
        roles: list(&[&[json!({"id": "r", "directoryGroups": ["g"]}), json!({"id": "s"})]]),
        memberships: BTreeMap::from([
            (of_group("g"), again),
            (of_group("h"), list(&[&[]])),
            (of_role("r"), list(&[&[held("ada", "implicit")], &[held("bob", "explicit")], &[]])),
            (of_role("s"), list(&[&[held("eve", "explicit")]])),
        ]),
    }
}

/// Goes on from what is left of a journal, twice, as a sync does; asserts that what it says is
/// the truth. Returns how many lists were kept.
fn outcome(content: &[u8], server: &Server) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    fs::write(&path, content).unwrap();
    let (mut journal, kept) = open(&path, Duration::ZERO, "");
    let (fold, new) = read(server, &kept_records(&journal, &kept), &mut std::iter::empty());
    assert_eq!(said(fold), expected(server));
    // Killed once more, after some pages.
    append(&mut journal, &new[..new.len() / 2]);
    drop(journal);
    let (journal, again) = open(&path, Duration::ZERO, "");
    assert!(kept.keys().all(|of| again.contains_key(of)), "nothing is read in vain");
    let (fold, _) = read(server, &kept_records(&journal, &again), &mut std::iter::empty());
    assert_eq!(said(fold), expected(server));
    kept.len()
}

/// The journal of a run that was killed before its last page.
fn journal_of(server: &Server) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let (mut journal, _) = open(&path, Duration::ZERO, "");
    let (_, records) = read(server, &BTreeMap::new(), &mut std::iter::empty());
    let (_, kept) = records.split_last().unwrap();
    append(&mut journal, kept);
    fs::read(path).unwrap()
}

#[test]
fn whichever_byte_of_a_journal_is_another_the_outcome_is_true() {
    let server = small();
    let content = journal_of(&server);
    let whole = outcome(&content, &server);
    for place in 0..content.len() {
        let mut changed = content.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(outcome(&changed, &server) < whole, "{place}");
    }
}

#[test]
fn wherever_a_journal_is_cut_the_outcome_is_true() {
    let server = small();
    let content = journal_of(&server);
    let kept = (0..=content.len()).map(|length| outcome(&content[..length], &server));
    let kept: Vec<_> = kept.collect();
    assert!(kept.is_sorted());
    assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&3)));
}

/// How many of two lists that were read to their ends an hour apart serve a run for the task
/// that begins so long after the later one.
fn serving(later: Duration, finished_for: Option<&str>, task: &str) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let (mut journal, _) = open(&path, Duration::ZERO, "");
    let body = || br#"{"data":{"members":[]}}"#.to_vec();
    for (id, ended_at) in [("a", NOW - Duration::HOUR), ("b", NOW)] {
        let of = of_role(id);
        append(&mut journal, &[page_record(&of, 0, Some(ended_at), body()).unwrap()]);
    }
    if let Some(task) = finished_for {
        append(&mut journal, &[finished_record(NOW, task).unwrap()]);
    }
    drop(journal);
    open(&path, later, task).1.len()
}

#[test]
fn each_list_counts_for_a_day_and_no_clock_decides_alone() {
    assert_eq!(serving(Duration::ZERO, None, ""), 2);
    assert_eq!(serving(Duration::hours(23) - Duration::SECOND, None, ""), 2);
    assert_eq!(serving(Duration::hours(23), None, ""), 1, "each has its own time");
    assert_eq!(serving(Duration::DAY - Duration::SECOND, None, ""), 1);
    assert_eq!(serving(Duration::DAY, None, ""), 0);
    assert_eq!(serving(-Duration::HOUR, None, ""), 2, "a clock that was set back a little");
    assert_eq!(serving(-Duration::HOUR - Duration::SECOND, None, ""), 1);
    assert_eq!(serving(-Duration::DAY, None, ""), 0);
}

#[test]
fn a_finished_reading_is_for_its_task_and_for_minutes_for_others() {
    assert_eq!(serving(Duration::hours(5), Some("one"), "one"), 2);
    assert_eq!(serving(Duration::minutes(9), Some("one"), "two"), 2);
    assert_eq!(serving(Duration::minutes(10), Some("one"), "two"), 0);
    assert_eq!(serving(Duration::DAY, Some("one"), "one"), 0, "not even for its own");
    assert_eq!(serving(Duration::hours(5), None, "two"), 2, "an interrupted one is for any");
}

#[test]
fn records_that_no_run_can_have_kept_are_told() {
    let place = crate::work_dir::FramePosition::default();
    let note = |note: Value| format!("{{}}\n{note}");
    for (record, problem) in [
        ("no note at all".to_owned(), "expected"),
        ("\n{}".to_owned(), "expected"),
        (
            note(json!({"page": {"of": {"kind": "x", "parent": "a"}, "number": 0, "ended_at": 1}})),
            "unknown variant",
        ),
        (note(json!({"page": {"of": of_role("a"), "number": 1, "ended_at": 1}})), "is missing"),
        (note(json!({"page": {"of": of_role("a"), "number": 0, "ended_at": 1e30}})), "invalid"),
        (note(json!({"finished": {"at": i64::MAX, "task": ""}})), "not in range"),
        (note(json!({"ended": {}})), "unknown variant"),
    ] {
        let error = super::JournalIndex::default().add(record.as_bytes(), place).unwrap_err();
        assert!(error.contains(problem), "{record}: {error}");
    }
    let of = of_role("a");
    for (body, problem) in
        [("{}", "missing field"), (r#"{"data":{"members":[{"id":"a:b"}]}}"#, "a:b")]
    {
        let record = page_record(&of, 0, None, body.into()).unwrap();
        let error = recorded_page(&of, &record).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    let record = page_record(&of, 0, None, Vec::new()).unwrap();
    assert!(recorded_page(&of_group("a"), &record).is_err());
}

#[test]
fn the_seeds_of_the_fuzzer_are_records_of_whole_lists() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/journal/records");
    let seed = std::fs::read(path).unwrap();
    let mut index = JournalIndex::default();
    for record in seed[1..].split(|byte| *byte == 0xff) {
        index.add(record, FramePosition::default()).unwrap();
    }
    assert_eq!(index.kept_lists(OffsetDateTime::UNIX_EPOCH, None).len(), 3);
}
