//! Whatever the order in which pages arrive, and however often a run is killed and gone on
//! with, what has been read says what the organization says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::baton::v2::Resource;
use crate::connector::{unlisted_user, user};
use crate::journal::{Digests, Found, Identity, Journal};
use crate::northflank::{DirectoryGroup, Position, Role};
use crate::sync::Progress;
use crate::sync::fold::{Access, Fold, Held};
use crate::sync::list::List;
use crate::sync::page::ListPage;

use super::Gathered;

/// A list as a server answers for it.
#[derive(Debug, Clone)]
struct Served {
    /// The rows of each page.
    pages: Vec<Vec<Value>>,
    /// Whether it answers 404 after the last of them.
    is_gone: bool,
}

/// All lists by name. There are others that nothing leads to.
type Server = BTreeMap<String, Served>;

fn key(list: &List) -> &'static str {
    match list {
        List::Members | List::RoleMembers(_) | List::GroupMembers(_) => "members",
        List::Roles => "roles",
        List::Groups => "directoryGroups",
    }
}

/// The record of a page: of its number, or what says that the list is gone.
fn record(lists: &Server, list: &List, number: usize) -> Vec<u8> {
    let missing = Served { pages: Vec::new(), is_gone: true };
    let served = lists.get(&list.name()).unwrap_or(&missing);
    let follows = number + 1 < served.pages.len() + usize::from(served.is_gone);
    let next = follows.then(|| Position::behind(&(number + 1).to_string()));
    let is_gone = number == served.pages.len();
    let body = served.pages.get(number).map_or_else(String::new, |rows| {
        // As it may come: on several lines.
        format!("{:#}", json!({"data": {key(list): rows}, "pagination": {"hasNextPage": follows}}))
    });
    let note = json!({"list": list.name(), "next": next, "is_gone": is_gone});
    format!("{body}\n{note}").into_bytes()
}

fn gathered() -> Gathered {
    Gathered::nothing_of(&Arc::default())
}

/// Adds a page to what has been read, by way of its record.
fn add(gathered: &mut Gathered, record: &[u8]) {
    gathered.replay(record, &Progress::default()).unwrap();
}

/// Reads what is unread to its end, choosing what comes next by `choices`, which may also
/// begin a list again. Returns the records.
fn read_on(gathered: &mut Gathered, server: &Server, choices: &[Index]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut reading: Vec<(List, usize)> = Vec::new();
    let mut choices = choices.iter();
    loop {
        while let Some((list, next)) = gathered.lists.begin() {
            let number = next.map_or(0, |next| next.cursor().unwrap().parse().unwrap());
            reading.push((list, number));
        }
        if reading.is_empty() {
            return records;
        }
        let choice = choices.next().map_or(0, |choice| choice.index(reading.len() * 8));
        let (list, number) = &mut reading[choice / 8];
        if choice % 8 == 7 {
            // The cursor has expired.
            *number = 0;
        }
        let record = record(server, list, *number);
        *number += 1;
        let is_last = ListPage::of_record(&record).unwrap().next.is_none();
        if is_last {
            reading.remove(choice / 8);
        }
        add(gathered, &record);
        records.push(record);
    }
}

/// A person, and how a role or group says it is held.
type Holders = Vec<(String, Option<String>)>;

/// Everything that a file would say.
#[derive(Debug, PartialEq)]
struct Said {
    users: Vec<(String, Resource)>,
    groups: Vec<(DirectoryGroup, Holders)>,
    roles: Vec<(Role, Holders)>,
}

fn said(fold: Fold) -> Said {
    fn holders<T>(access: &Access, held: &Held<T>) -> Holders {
        let holders = held.holders.iter().map(|holder| {
            let reported = access.reported(holder.holding).map(str::to_owned);
            (access.id(holder.person).to_owned(), reported)
        });
        holders.collect()
    }
    let access = fold.finish();
    let of = |held: &Holders| held.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let groups: Vec<_> =
        access.groups.iter().map(|held| (held.row.clone(), holders(&access, held))).collect();
    let roles: Vec<_> =
        access.roles.iter().map(|held| (held.row.clone(), holders(&access, held))).collect();
    let held: BTreeSet<String> = groups
        .iter()
        .flat_map(|(_, held)| of(held))
        .chain(roles.iter().flat_map(|(_, held)| of(held)))
        .collect();
    let users = access.people().filter_map(|person| {
        let id = access.id(person).to_owned();
        let exists = access.is_member(person) || held.contains(&id);
        exists.then(|| (id, access.user(person).unwrap()))
    });
    Said { users: users.collect(), groups, roles }
}

/// The same by the rules, as plainly as they can be put.
fn expected(lists: &Server) -> Said {
    let rows = |list: &str| {
        let served = lists.get(list).filter(|served| !served.is_gone);
        served.map(|served| served.pages.concat()).unwrap_or_default()
    };
    let is_gone = |list: &str| lists.get(list).is_none_or(|served| served.is_gone);
    let text = |row: &Value| row["id"].as_str().unwrap().to_owned();
    // The last row of a list counts.
    let last_rows = |list: &str| -> BTreeMap<String, Value> {
        rows(list).into_iter().map(|row| (text(&row), row)).collect()
    };
    let members = last_rows("members");
    let mut users: BTreeMap<String, Resource> = members
        .iter()
        .map(|(id, row)| (id.clone(), user(&serde_json::from_value(row.clone()).unwrap())))
        .collect();
    // Groups tell better than roles, and of each those whose ids come first; even those that
    // were dropped, of whom somebody else still tells.
    let mut told = BTreeMap::new();
    let mut held = BTreeSet::new();
    let mut holders_of = |kind: &str, id: &str| {
        let list = format!("{kind}:{id}");
        let read = lists.get(&list).map(|served| served.pages.concat()).unwrap_or_default();
        let read: Vec<_> = read.into_iter().filter(|row| row["id"].is_string()).collect();
        let mut said: BTreeMap<String, Value> = BTreeMap::new();
        for row in &read {
            said.insert(text(row), row.clone());
        }
        for (id, row) in said {
            told.entry(id).or_insert(row);
        }
        let mut holders: BTreeMap<String, Option<String>> = BTreeMap::new();
        if is_gone(&list) {
            return None;
        }
        for row in &read {
            let reported = match (kind, row["type"].as_str()) {
                ("group", _) | (_, Some("explicit")) => None,
                (_, other) => Some(other.unwrap_or("unknown").to_owned()),
            };
            holders
                .entry(text(row))
                .and_modify(|known| *known = known.clone().min(reported.clone()))
                .or_insert(reported);
        }
        held.extend(holders.keys().cloned());
        Some(holders.into_iter().collect::<Holders>())
    };
    let groups = last_rows("groups").into_iter().filter_map(|(id, row)| {
        Some((serde_json::from_value(row).unwrap(), holders_of("group", &id)?))
    });
    let groups: Vec<_> = groups.collect();
    let roles = last_rows("roles").into_iter().filter_map(|(id, row)| {
        Some((serde_json::from_value(row).unwrap(), holders_of("role", &id)?))
    });
    let roles: Vec<_> = roles.collect();
    for id in held {
        let row = told[&id].clone();
        users.entry(id.clone()).or_insert_with(|| {
            let member: crate::northflank::Member = serde_json::from_value(row).unwrap();
            let last_login = member.last_login.as_ref();
            unlisted_user(&member.id, member.name.as_ref(), &member.emails, last_login)
        });
    }
    Said { users: users.into_iter().collect(), groups, roles }
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

fn served(row: impl Strategy<Value = Value>, gone: f64) -> impl Strategy<Value = Served> {
    let pages = vec(vec(row, 0..4), 1..4);
    (pages, prop::bool::weighted(gone)).prop_map(|(pages, is_gone)| Served { pages, is_gone })
}

/// Lists that shift between pages, so that rows repeat with other words.
fn server() -> impl Strategy<Value = Server> {
    let group = (id(), 0..3_u8).prop_map(|(id, name)| json!({"id": id, "name": name.to_string()}));
    let role = (id(), vec(id(), 0..3))
        .prop_map(|(id, groups)| json!({"id": id, "name": id, "directoryGroups": groups}));
    let top = (served(person(), 0.0), served(group, 0.0), served(role, 0.0));
    let lists = (vec(served(group_member(), 0.2), 7), vec(served(role_member(), 0.2), 7));
    (top, lists).prop_map(|((members, groups, roles), (in_groups, in_roles))| {
        let mut server: Server = [("members", members), ("groups", groups), ("roles", roles)]
            .into_iter()
            .map(|(name, served)| (name.to_owned(), served))
            .collect();
        let ids = ["a", "a-b", "a.b", "b", "ab", "é", "z"];
        for (id, (in_group, in_role)) in ids.into_iter().zip(in_groups.into_iter().zip(in_roles)) {
            server.insert(format!("group:{id}"), in_group);
            server.insert(format!("role:{id}"), in_role);
        }
        server
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_order_in_which_pages_arrive_does_not_matter(
        server in server(),
        choices in vec(any::<Index>(), 0..80),
    ) {
        let mut gathered = gathered();
        read_on(&mut gathered, &server, &choices);
        prop_assert_eq!(said(gathered.fold), expected(&server));
    }

    #[test]
    fn killed_at_any_page_and_gone_on_with_the_outcome_is_the_same(
        server in server(),
        runs in vec((vec(any::<Index>(), 0..40), any::<Index>()), 1..5),
    ) {
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut gathered = gathered();
        for (choices, killed_after) in runs {
            kept.extend(read_on(&mut gathered, &server, &choices));
            // What was killed later has read as much, at least.
            kept.truncate(killed_after.index(kept.len() + 1));
            gathered = self::gathered();
            for record in &kept {
                add(&mut gathered, record);
            }
        }
        read_on(&mut gathered, &server, &[]);
        prop_assert_eq!(said(gathered.fold), expected(&server));
    }
}

/// A small organization with something of everything.
fn small() -> Server {
    let page = |rows: &[Value]| rows.to_vec();
    let list = |pages: &[Vec<Value>]| Served { pages: pages.to_vec(), is_gone: false };
    let named = |id: &str| json!({"id": id, "name": id.to_uppercase(), "emails": ["x@b.test"]});
    let held = |id: &str, kind: &str| json!({"id": id, "name": id, "type": kind});
    [
        ("members", list(&[page(&[named("ada"), named("bob")]), page(&[named("cyd")])])),
        ("groups", list(&[page(&[json!({"id": "eng"}), json!({"id": "old"})])])),
        ("roles", list(&[page(&[json!({"id": "admin", "directoryGroups": ["eng"]})])])),
        ("group:eng", list(&[page(&[named("ada")]), page(&[named("dee")])])),
        ("group:old", Served { is_gone: true, ..list(&[page(&[named("ada")])]) }),
        ("role:admin", list(&[page(&[held("ada", "implicit"), held("bob", "explicit")])])),
    ]
    .into_iter()
    .map(|(name, served)| (name.to_owned(), served))
    .collect()
}

/// Opens the journal at `path` and gathers what it holds.
fn open(path: &Path) -> (Journal, Gathered, Found) {
    let identity = Identity {
        version: "1",
        settings: "s",
        digests: &|_| Digests { organization: None, token: [7; 32] },
        sync_id: "id",
        is_finished: &|_| false,
        now: OffsetDateTime::UNIX_EPOCH,
    };
    let mut gathered = gathered();
    let progress = Progress::default();
    let replay = |record: &[u8]| gathered.replay(record, &progress);
    let (journal, found) = Journal::open(path, &identity, true, replay).unwrap();
    (journal, gathered, found)
}

/// Goes on from what is left of a journal, twice, as a sync does; asserts that what it says is
/// the truth. Returns how many pages were kept.
fn outcome(content: &[u8], server: &Server) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    fs::write(&path, content).unwrap();
    let (mut journal, mut gathered, found) = open(&path);
    let kept = match found {
        Found::Records { count, .. } => count,
        Found::Nothing | Found::Discarded(_) => 0,
    };
    let records = read_on(&mut gathered, server, &[]);
    assert_eq!(said(gathered.fold), expected(server));
    // Killed once more, after some pages.
    let some = records.len() / 2;
    journal.append(records[..some].iter().map(Vec::as_slice)).unwrap();
    drop(journal);
    let (_, mut gathered, _) = open(&path);
    let again = read_on(&mut gathered, server, &[]);
    assert_eq!(again.len(), records.len() - some, "nothing is read in vain");
    assert_eq!(said(gathered.fold), expected(server));
    kept
}

/// The journal of a run that was killed before its last page.
fn journal_of(server: &Server) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let (mut journal, mut gathered, _) = open(&path);
    let records = read_on(&mut gathered, server, &[]);
    let (_, kept) = records.split_last().unwrap();
    journal.append(kept.iter().map(Vec::as_slice)).unwrap();
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
    assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&8)));
}

#[test]
fn records_that_no_run_can_have_kept_are_told() {
    let note = |note: Value| format!("{{}}\n{note}");
    let body = r#"{"data":{"members":[{"id":"a:b"}]}}"#;
    for (record, problem) in [
        ("no note at all".to_owned(), "a page has no note"),
        ("\n{}".to_owned(), "missing field"),
        (note(json!({"list": "teams", "next": null, "is_gone": false})), "an unknown list"),
        (note(json!({"list": "members", "next": null, "is_gone": true})), "can't be dropped"),
        (note(json!({"list": "members", "next": null, "is_gone": false})), "missing field"),
        (note(json!({"list": "members", "next": {"team": 1}, "is_gone": false})), "unknown field"),
        (note(json!({"list": "role:a", "next": null, "is_gone": true})), "isn't to be read"),
        (format!("{body}\n{}", json!({"list": "members", "next": null, "is_gone": false})), "a:b"),
    ] {
        let outcome = gathered().replay(record.as_bytes(), &Progress::default());
        let error = outcome.unwrap_err();
        assert!(error.contains(problem), "{record}: {error}");
    }
}
