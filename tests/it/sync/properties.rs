//! Properties that hold for every organization, every way of serving it and every fault,
//! against models simple enough to be seen to be right.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::harness::expected;
use crate::harness::sync_file::SyncFile;
use baton_northflank::baton::v2::{Resource, UserTrait};
use baton_northflank::c1z::{Retention, Target};
use baton_northflank::connector::{self, ROLE};
use baton_northflank::northflank::{
    self, Client, ClientSettings, List, ListKind, PageBody, PageError,
};
use baton_northflank::sync::{self, SyncSelection};
use fake_northflank::{
    Action, ApiToken, BothTypes, CursorStyle, Delivery, DirectoryUser, Email, Emails, Endpoint,
    FakeNorthflank, Group, Member, Options, Organization, PagingAnchor, Profile, Role, Rule,
    Schema, Team, TeamRole, Times, Whoami, Word,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use prost::Message;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

fn cases(cases: u32) -> ProptestConfig {
    // A failure prints its input; files of seeds would only say that there was one.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Ids as Northflank has them, and as nothing forbids them.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,6}(-[a-z0-9]{1,4})?",
        1 => "[A-Za-z0-9_~-]{1,30}",
        1 => "[ -9;-~é😀]{1,8}".prop_filter("names a directory or nobody", |id| {
            id != "." && id != ".." && !id.trim().is_empty()
        }),
    ]
}

fn ids(most: usize) -> impl Strategy<Value = Vec<String>> {
    btree_set(id(), 0..=most).prop_map(|ids| ids.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

prop_compose! {
    fn member(id: String)(
        name in proptest::option::of(any::<String>()),
        addresses in vec("[a-z ]{0,3}(@b\\.test)?", 0..3),
        joined in any::<bool>(),
        finalized in any::<bool>(),
        listed in proptest::bool::weighted(0.9),
    ) -> Member {
        Member {
            id: id.clone(),
            name,
            emails: addresses
                .into_iter()
                .enumerate()
                .map(|(number, address)| Email { address, verified: number % 2 == 1 })
                .collect(),
            joined_at: joined.then(|| "2025-03-04T09:12:07.018Z".to_owned()),
            last_login: None,
            finalized,
            listed,
        }
    }
}

fn some(ids: &[String]) -> impl Strategy<Value = Vec<String>> + use<> {
    let most = ids.len();
    subsequence(ids.to_vec(), 0..=most).prop_shuffle()
}

fn group(id: String, accounts: &[String]) -> impl Strategy<Value = Group> + use<> {
    (some(accounts), 0..3_usize, any::<String>()).prop_map(move |(accounts, more, name)| {
        let unprovisioned = DirectoryUser::Unprovisioned { name: None, emails: Vec::new() };
        let mut users: Vec<_> = accounts.into_iter().map(DirectoryUser::Account).collect();
        users.extend(std::iter::repeat_n(unprovisioned, more));
        Group { id: id.clone(), name, users, ..Group::default() }
    })
}

fn role(id: String, accounts: &[String], groups: &[String]) -> impl Strategy<Value = Role> + use<> {
    // Some links lead nowhere; some members are implicit for no reason that is served.
    let groups: Vec<String> = groups.iter().cloned().chain(["no-such-group".into()]).collect();
    let unexplained = subsequence(accounts.to_vec(), 0..=accounts.len().min(2));
    (some(accounts), some(&groups), unexplained, any::<String>()).prop_map(
        move |(explicit, directory_groups, unexplained, name)| Role {
            id: id.clone(),
            name,
            directory_groups,
            explicit,
            unexplained,
            ..Role::default()
        },
    )
}

/// Any organization: mostly small, because what matters are the cases.
pub(crate) fn organization() -> impl Strategy<Value = Organization> {
    let sizes = prop_oneof![4 => 0..12_usize, 1 => 95..130_usize];
    (sizes.prop_flat_map(ids), ids(4), ids(5), ids(2)).prop_flat_map(
        |(accounts, groups, roles, strangers)| {
            // Strangers are in groups and roles without having an account that is known.
            let holders: BTreeSet<String> = accounts.iter().chain(&strangers).cloned().collect();
            let holders: Vec<String> = holders.into_iter().collect();
            let members: Vec<_> = accounts.into_iter().map(member).collect();
            let roles: Vec<_> = roles.into_iter().map(|id| role(id, &holders, &groups)).collect();
            let groups: Vec<_> = groups.into_iter().map(|id| group(id, &holders)).collect();
            (members, roles, groups).prop_map(|(members, roles, groups)| Organization {
                members,
                roles,
                groups,
                ..Organization::default()
            })
        },
    )
}

/// Any teams of these people and of nobody known, with their roles, and API tokens of the
/// organization's and theirs.
pub(crate) fn teams(
    accounts: &[String],
) -> impl Strategy<Value = (Vec<Team>, Vec<ApiToken>)> + use<> {
    let accounts: Vec<String> = accounts.iter().cloned().chain(["from-outside".into()]).collect();
    let team = move |id: String| {
        let people = || people(&accounts);
        let role = |(id, holders): (String, _)| TeamRole {
            name: id.to_uppercase(),
            id,
            holders,
            ..TeamRole::default()
        };
        let holders = vec(people(), 3);
        (people(), ids(3), holders, vec(token(), 0..3), any::<String>()).prop_map(
            move |(members, roles, holders, tokens, name)| Team {
                id: id.clone(),
                name,
                members,
                roles: roles.into_iter().zip(holders).map(role).collect(),
                tokens: distinct(tokens),
                ..Team::default()
            },
        )
    };
    // What follows a team's id in others begins at the first slash.
    let is_a_teams = |id: &String| !id.contains('/') && !id.starts_with('@');
    let ids = btree_set(id().prop_filter("is no team's", is_a_teams), 0..=4);
    let teams = ids.prop_flat_map(move |ids| ids.into_iter().map(&team).collect::<Vec<_>>());
    (teams, vec(token(), 0..4).prop_map(distinct))
}

/// Some of these people, and some without an id.
fn people(accounts: &[String]) -> impl Strategy<Value = Vec<DirectoryUser>> + use<> {
    (some(accounts), 0..3_usize).prop_map(|(accounts, more)| {
        let nobody = DirectoryUser::Unprovisioned { name: None, emails: vec!["a@b.test".into()] };
        let accounts = accounts.into_iter().map(DirectoryUser::Account);
        accounts.chain(std::iter::repeat_n(nobody, more)).collect()
    })
}

prop_compose! {
    fn token()(
        id in id(),
        name in any::<String>(),
        role in proptest::option::of((id(), any::<String>())),
        creator in proptest::option::of("[a-c ]{0,2}@b\\.test"),
        expires in any::<bool>(),
        is_revoked in proptest::bool::weighted(0.2),
    ) -> ApiToken {
        let time = || "2027-03-04T09:12:07.018Z".to_owned();
        let (created_at, expires_at) = (time(), expires.then(time));
        ApiToken { id, name, role, creator, created_at, expires_at, is_revoked, ..<_>::default() }
    }
}

/// The first of each id.
fn distinct(mut tokens: Vec<ApiToken>) -> Vec<ApiToken> {
    let mut ids = BTreeSet::new();
    tokens.retain(|token| ids.insert(token.id.clone()));
    tokens
}

prop_compose! {
    fn schema()(
        extra_fields in any::<bool>(),
        float_count in any::<bool>(),
        half_surrogates in any::<bool>(),
        malformed in prop::bool::weighted(0.2),
        emails in select(&[
            Emails::AsDocumented, Emails::Objects, Emails::Strings, Emails::Mixed, Emails::Empty,
            Emails::Null, Emails::WithoutAddress,
        ][..]),
        times in select(&[Times::AsGiven, Times::Offset, Times::Invalid][..]),
    ) -> Schema {
        Schema {
            extra_fields, float_count, half_surrogates, malformed, emails, times,
            ..Schema::default()
        }
    }
}

prop_compose! {
    /// Any way of serving that loses nothing.
    pub(crate) fn options()(
        profile in select(&[Profile::Lenient, Profile::Strict][..]),
        cursors in select(&[CursorStyle::UrlSafe, CursorStyle::Hostile, CursorStyle::Long][..]),
        anchor in select(&[PagingAnchor::Offset, PagingAnchor::Key][..]),
        both_types in select(&[BothTypes::ExplicitWins, BothTypes::TwoRows][..]),
        page_size in proptest::option::of(1..150_usize),
        empty_pages in 0..3_usize,
        last_full_page_says_more in any::<bool>(),
        word in word(),
        paged_groups in any::<bool>(),
        whoami in select(&[Whoami::Known, Whoami::Absent, Whoami::Odd][..]),
        chunked in any::<bool>(),
        gzip in any::<bool>(),
        schema in schema(),
    ) -> Options {
        // By key, a list can't go on after the first of two rows of one member.
        let anchor = if both_types == BothTypes::TwoRows { PagingAnchor::Offset } else { anchor };
        Options {
            profile, cursors, anchor, both_types, page_size, empty_pages,
            last_full_page_says_more, word, paged_groups, whoami, chunked, gzip, schema,
            rate_limit: None,
            ..Options::default()
        }
    }
}

/// What pages say of those after them.
fn word() -> impl Strategy<Value = Word> {
    let [kept, odd @ ..] = Word::ALL;
    prop_oneof![Just(kept), select(odd.to_vec())]
}

/// What goes wrong at a request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Status(u16),
    Deliver(Delivery),
    /// The body's first bytes, with their number as length.
    Truncated(usize),
    /// This byte of the body is another.
    Changed(Index, u8),
}

#[derive(Debug, Clone)]
struct Planned {
    endpoint: Endpoint,
    after: usize,
    times: usize,
    fault: Fault,
}

fn planned() -> impl Strategy<Value = Planned> {
    let endpoint = select(
        &[
            Endpoint::Members,
            Endpoint::Roles,
            Endpoint::Groups,
            Endpoint::RoleMembers,
            Endpoint::GroupMembers,
        ][..],
    );
    let fault = prop_oneof![
        select(&[204, 302, 400, 401, 403, 408, 429, 500, 502, 503][..]).prop_map(Fault::Status),
        select(&[Delivery::Closed, Delivery::Reset, Delivery::Cut(0), Delivery::Cut(30)][..])
            .prop_map(Fault::Deliver),
        (0..200_usize).prop_map(Fault::Truncated),
        (any::<Index>(), any::<u8>()).prop_map(|(index, byte)| Fault::Changed(index, byte)),
    ];
    (endpoint, 0..4_usize, 1..3_usize, fault).prop_map(|(endpoint, after, times, fault)| Planned {
        endpoint,
        after,
        times,
        fault,
    })
}

impl Planned {
    /// Whether an answer may become another one that nobody can tell from a true one.
    fn may_lie(&self) -> bool {
        matches!(self.fault, Fault::Changed(..))
    }

    /// Whether the organization then seems to have no Directory Sync, where no role is linked to a
    /// group.
    fn denies_directory_sync(&self) -> bool {
        matches!((self.endpoint, self.fault), (Endpoint::Groups, Fault::Status(400)))
    }

    /// Whether trying again helps. No request meets more of these than it has tries left.
    fn passes(&self) -> bool {
        match self.fault {
            Fault::Status(status) => matches!(status, 408 | 429 | 500..),
            Fault::Deliver(_) | Fault::Truncated(_) => true,
            Fault::Changed(..) => false,
        }
    }

    fn rule(&self) -> Rule {
        let fault = self.fault;
        let action = match fault {
            Fault::Status(status) => Action::json(status, r#"{"error":{"message":"no"}}"#),
            Fault::Deliver(delivery) => Action::deliver(delivery),
            Fault::Truncated(bytes) => Action::alter(move |answer| {
                // Without its last bytes at least: the whole would be no fault.
                let bytes = bytes.min(answer.body.len() - 2);
                answer.body.truncate(bytes);
            }),
            Fault::Changed(index, byte) => Action::alter(move |answer| {
                let index = index.index(answer.body.len());
                answer.body[index] = byte;
            }),
        };
        Rule::every(self.endpoint, action).after(self.after).times(self.times)
    }
}

fn client(fake: &FakeNorthflank) -> Client {
    Client::new(&ClientSettings {
        base_url: fake.origin().parse().unwrap(),
        token: fake.token().into(),
        request_timeout: Duration::from_mins(1),
        first_retry: Duration::from_millis(1),
        verifier: None,
        max_wait: None,
        reserve: 0,
    })
    .unwrap()
}

/// Syncs in this process, with so many workers.
fn synced(fake: &FakeNorthflank, path: &Path, workers: usize) -> Result<(), sync::Error> {
    synced_with(fake, path, workers, SyncSelection::default())
}

/// The same of what is selected.
fn synced_with(
    fake: &FakeNorthflank,
    path: &Path,
    workers: usize,
    selection: SyncSelection,
) -> Result<(), sync::Error> {
    let options = sync::SyncOptions {
        workers: NonZeroUsize::new(workers).unwrap(),
        retention: Retention::DEFAULT,
        selection: Arc::new(selection),
        resume: true,
        for_task: None,
        leave_out_unknown: false,
    };
    let (client, target) = (client(fake), Target::inspect(path).unwrap());
    let progress = Arc::new(sync::Progress::default());
    let cancel = CancellationToken::new();
    RUNTIME.block_on(sync::sync(&client, target, options, &progress, &cancel)).map(drop)
}

fn assert_true(path: &Path, organization: &Organization) {
    let file = SyncFile::open(path);
    assert_eq!(file.resource_keys(), expected::resources(organization));
    assert_eq!(file.grants(), expected::grants(organization));
    let (entitlements, roles) = (file.content().remove("entitlements").unwrap(), organization);
    let ids: BTreeSet<String> = entitlements.into_iter().map(|(id, _)| id).collect();
    let assigned = roles.roles.iter().map(|role| format!("role:{}:assigned", role.id));
    let member = roles.groups.iter().map(|group| format!("group:{}:member", group.id));
    assert_eq!(ids, assigned.chain(member).collect());
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn the_file_is_what_the_organization_is_however_it_is_served(
        organization in organization(),
        options in options(),
        workers in 1..9_usize,
    ) {
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sync.c1z");
        synced(&fake, &path, workers).unwrap();
        fake.assert_no_violations();
        assert_true(&path, &organization);
    }

    #[test]
    fn teams_and_tokens_in_the_file_are_what_they_are_however_they_are_served(
        (organization, (teams, tokens)) in organization().prop_flat_map(|organization| {
            let ids: Vec<_> = organization.members.iter().map(|it| it.id.clone()).collect();
            (Just(organization), teams(&ids))
        }),
        options in options(),
        workers in 1..9_usize,
    ) {
        let organization = Organization { teams, tokens, ..organization };
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sync.c1z");
        let selection = SyncSelection { teams: true, secrets: true, ..SyncSelection::default() };
        synced_with(&fake, &path, workers, selection).unwrap();
        fake.assert_no_violations();
        let file = SyncFile::open(&path);
        let resources = expected::resources_with_teams(&organization);
        prop_assert_eq!(file.resource_keys(), &resources | &expected::tokens(&organization));
        prop_assert_eq!(file.grants(), expected::grants_with_teams(&organization));
    }

    #[test]
    fn whoever_the_api_says_holds_a_role_holds_it_in_the_file_and_nobody_else(
        organization in organization(),
        options in options(),
    ) {
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sync.c1z");
        synced(&fake, &path, 4).unwrap();
        let grants = SyncFile::open(&path).grants();
        let client = client(&fake);
        for role in &organization.roles {
            let mut pages = client.list(List::of(ListKind::RoleMembers, role.id.as_str().into()));
            let mut reported = BTreeSet::new();
            while let Some(page) = RUNTIME.block_on(pages.next()).unwrap() {
                reported.extend(page.rows.iter().filter_map(|row| row.id().map(ToString::to_string)));
            }
            let entitlement = format!("{ROLE}:{}:assigned", role.id);
            let holding = grants.values().filter(|grant| grant.entitlement == entitlement);
            let users = holding.filter(|grant| grant.principal.0 == "user");
            let holders: BTreeSet<_> = users.map(|grant| grant.principal.1.clone()).collect();
            prop_assert_eq!(holders, reported);
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_goes_wrong_the_file_is_complete_and_true_or_as_it_was(
        organization in organization(),
        options in options(),
        faults in vec(planned(), 1..3),
        workers in 1..5_usize,
    ) {
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sync.c1z");
        for planned in &faults {
            fake.script(planned.rule());
        }
        match synced(&fake, &path, workers) {
            // A changed byte can make an answer that is as good as any other; then the file
            // is what was answered, which the model doesn't know.
            Ok(()) if faults.iter().any(Planned::may_lie) => drop(SyncFile::open(&path)),
            Ok(()) if faults.iter().any(Planned::denies_directory_sync)
                && SyncFile::open(&path).resource_keys() != expected::resources(&organization) =>
            {
                let is_linked = |role: &Role| !role.directory_groups.is_empty();
                prop_assert!(!organization.roles.iter().any(is_linked));
                assert_true(&path, &Organization { groups: Vec::new(), ..organization.clone() });
            }
            Ok(()) => assert_true(&path, &organization),
            Err(error) => {
                prop_assert!(!faults.iter().all(Planned::passes), "{}", error);
                prop_assert!(!path.exists());
            }
        }
        // Whatever the first run left behind, the next makes the true file.
        let lied = path.exists() || faults.iter().any(Planned::may_lie);
        fake.unscript();
        synced(&fake, &path, workers).unwrap();
        if !lied {
            assert_true(&path, &organization);
        }
    }
}

/// A page of `rows` rows, and what it says of more.
fn page(rows: usize, more: Option<bool>, cursor: &Cursor) -> Vec<u8> {
    let rows: Vec<Value> = (0..rows).map(|number| json!({"id": format!("m{number}")})).collect();
    let mut pagination = json!({"count": rows.len()});
    if let Some(more) = more {
        pagination["hasNextPage"] = more.into();
    }
    match cursor {
        Cursor::Absent => {}
        Cursor::Null => pagination["cursor"] = Value::Null,
        Cursor::Text(text) => pagination["cursor"] = text.as_str().into(),
    }
    json!({"data": {"members": rows}, "pagination": pagination}).to_string().into_bytes()
}

#[derive(Debug, Clone)]
enum Cursor {
    Absent,
    Null,
    Text(String),
}

fn cursor() -> impl Strategy<Value = Cursor> {
    prop_oneof![Just(Cursor::Absent), Just(Cursor::Null), ".{0,9}".prop_map(Cursor::Text)]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_page_says_exactly_what_it_holds_and_what_follows(
        rows in 0..7_usize,
        more in any::<Option<bool>>(),
        cursor in cursor(),
    ) {
        let body = page(rows, more, &cursor);
        let told = PageBody::<Vec<northflank::Member>>::read(&body).unwrap();
        let cursor = match cursor {
            Cursor::Text(text) if !text.is_empty() => Some(text),
            Cursor::Text(_) | Cursor::Null | Cursor::Absent => None,
        };
        prop_assert_eq!((told.rows.len(), told.more, told.cursor), (rows, more, cursor));
    }

    #[test]
    fn a_page_cut_short_anywhere_is_an_error(rows in 0..4_usize, cut in any::<Index>()) {
        let body = page(rows, Some(false), &Cursor::Absent);
        let cut = cut.index(body.len());
        let read = PageBody::<Vec<northflank::Member>>::read(&body[..cut]);
        prop_assert!(matches!(read, Err(PageError::Json(_))));
    }

    #[test]
    fn a_user_is_called_by_the_first_name_that_says_something(
        id in id(),
        name in proptest::option::of("[ \\ta-zé]{0,4}|.{0,900}"),
        addresses in vec(proptest::option::of("[ a-c]{0,3}"), 0..4),
        verified in vec(any::<Option<bool>>(), 4),
        finalized in any::<Option<bool>>(),
    ) {
        let emails: Vec<Value> = addresses
            .iter()
            .zip(&verified)
            .map(|(address, verified)| json!({"address": address, "verified": verified}))
            .collect();
        let row = json!({"id": id, "name": name, "emails": emails, "finalized": finalized});
        let resource = connector::user(&serde_json::from_value(row).unwrap());

        let filled = |text: &&String| !text.trim().is_empty();
        let first_address = addresses.iter().flatten().find(filled);
        let called = name.as_ref().filter(filled).or(first_address).unwrap_or(&id);
        let called = &as_read(called);
        if called.len() <= 1024 {
            prop_assert_eq!(&resource.display_name, called);
        } else {
            let kept = resource.display_name.strip_suffix('…').unwrap();
            prop_assert!(called.starts_with(kept) && kept.len() > 1024 - 8);
        }
        let status = resource.status.as_ref().unwrap().status;
        prop_assert_eq!(status, if finalized == Some(false) { 2 } else { 1 });

        // Addresses: trimmed, each once, in order; one primary, verified if any is.
        let user = UserTrait::decode(&*resource.annotations[0].value).unwrap();
        let mut expected: Vec<&str> = Vec::new();
        for address in addresses.iter().flatten().filter(filled) {
            if !expected.contains(&address.trim()) {
                expected.push(address.trim());
            }
        }
        let shown: Vec<&str> = user.emails.iter().map(|email| &*email.address).collect();
        prop_assert_eq!(&shown, &expected);
        let mut usable = addresses.iter().zip(&verified).filter_map(|(address, verified)| {
            Some((address.as_ref().filter(filled)?.trim(), *verified == Some(true)))
        });
        let first = usable.clone().next();
        let primary = usable.find(|(_, verified)| *verified).or(first).map(|(address, _)| address);
        let marked: Vec<&str> =
            user.emails.iter().filter(|email| email.is_primary).map(|email| &*email.address).collect();
        prop_assert_eq!(marked, primary.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(user.login, id);
    }

    #[test]
    fn a_role_is_restricted_only_where_northflank_says_so(
        id in id(),
        name in any::<Option<String>>(),
        enabled in any::<Option<bool>>(),
        teams in vec((id(), any::<Option<bool>>(), vec(id(), 0..3), any::<Option<bool>>()), 0..3),
        groups in vec(id(), 0..3),
    ) {
        let team = |(id, enabled, projects, within): &(String, _, Vec<String>, Option<bool>)| {
            let mode = within.map(|within| if within { "in" } else { "notIn" });
            json!({"teamId": id, "restrictions":
                {"enabled": enabled, "projects": projects, "restrictionMode": mode}})
        };
        let restrictions =
            json!({"enabled": enabled, "teams": teams.iter().map(team).collect::<Vec<_>>()});
        let row = json!({
            "id": id, "name": name, "restrictions": restrictions, "directoryGroups": groups,
        });
        let resource = connector::role(&serde_json::from_value(row.clone()).unwrap());
        // In another order the same role.
        let mut backwards = row;
        reverse(&mut backwards);
        let backwards = connector::role(&serde_json::from_value(backwards).unwrap());
        prop_assert_eq!(resource.encode_to_vec(), backwards.encode_to_vec());

        let mut expected = json!({"id": id, "restricted": enabled == Some(true)});
        if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
            expected["name"] = json!(as_read(&name));
        }
        if !groups.is_empty() {
            expected["directory_groups"] = json!(groups);
        }
        if enabled == Some(true) && !teams.is_empty() {
            let team = |(id, enabled, projects, within): &(String, Option<bool>, Vec<String>, _)| {
                let mut team = json!({"id": id});
                if *enabled == Some(true) {
                    let within: Option<bool> = *within;
                    team["project_mode"] = json!(if within == Some(false) { "notIn" } else { "in" });
                    if !projects.is_empty() {
                        team["projects"] = json!(projects);
                    }
                }
                team
            };
            expected["teams"] = teams.iter().map(team).collect();
        }
        let mut written = profile(&resource);
        as_sets(&mut written);
        as_sets(&mut expected);
        prop_assert_eq!(written, expected);
    }
}

/// A text as it is read: this one of Unicode's is no character.
fn as_read(text: &str) -> String {
    text.replace('\u{fffe}', "\u{fffd}")
}

/// Turns all lists in a value around.
fn reverse(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(reverse);
            list.reverse();
        }
        Value::Object(fields) => fields.values_mut().for_each(reverse),
        _ => {}
    }
}

/// Makes sets of all lists in a value.
fn as_sets(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(as_sets);
            list.sort_by_cached_key(Value::to_string);
            list.dedup();
        }
        Value::Object(fields) => fields.values_mut().for_each(as_sets),
        _ => {}
    }
}

/// A resource's profile as JSON.
fn profile(resource: &Resource) -> Value {
    use prost_types::value::Kind;
    fn plain(value: &prost_types::Value) -> Value {
        match value.kind.as_ref().unwrap() {
            Kind::StringValue(text) => text.as_str().into(),
            Kind::BoolValue(flag) => (*flag).into(),
            Kind::ListValue(list) => list.values.iter().map(plain).collect(),
            Kind::StructValue(fields) => object(fields),
            other => panic!("{other:?}"),
        }
    }
    fn object(fields: &prost_types::Struct) -> Value {
        let fields = fields.fields.iter();
        Value::Object(fields.map(|(key, value)| (key.clone(), plain(value))).collect())
    }
    object(resource.profile.as_ref().unwrap())
}
