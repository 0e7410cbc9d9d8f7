//! Broken and hostile answers to what has to be asked for: teams, their members, their roles, the
//! holders of these, and API tokens. The outcome is the file that a calm run makes, or an error
//! that says what happened, and no file.

use std::sync::OnceLock;

use baton_northflank::baton::find;
use baton_northflank::baton::v2::SecretTrait;
use fake_northflank::{
    Action, Answer, ApiToken, CursorStyle, Delivery, Endpoint, FakeNorthflank, Options,
    Organization, PagingAnchor, Rule, Size, Word,
};
use prost_types::value::Kind;
use serde_json::{Value, json};

use crate::harness::sync_file::{Content, SyncFile};
use crate::harness::trial::{organization_with_teams, without_rows};
use crate::harness::{Run, TestDir, exit_code, expected};

const ALL: &[&str] = &["--sync-teams", "--sync-secrets"];

/// A list that has to be asked for.
#[derive(Debug, Clone, Copy)]
struct FurtherList {
    endpoint: Endpoint,
    /// Of what.
    id: Option<&'static str>,
    /// The key of its rows.
    key: &'static str,
    path: &'static str,
}

impl FurtherList {
    fn rule(self, action: Action) -> Rule {
        let rule = Rule::every(self.endpoint, action);
        match self.id {
            Some(id) => rule.of(id),
            None => rule,
        }
    }

    /// Whether each of its rows has an id.
    fn has_ids(self) -> bool {
        self.key != "members"
    }

    /// How often it was asked for from its beginning.
    fn begun(self, fake: &FakeNorthflank) -> usize {
        let target = format!("{}?per_page=100", self.path);
        fake.journal().iter().filter(|request| request.target == target).count()
    }
}

/// One of each kind, of the team that the checks don't ask for.
const LISTS: [FurtherList; 6] = [
    FurtherList { endpoint: Endpoint::Teams, id: None, key: "teams", path: "/v1/teams" },
    FurtherList {
        endpoint: Endpoint::TeamMembers,
        id: Some("team-1"),
        key: "members",
        path: "/v1/teams/team-1/members",
    },
    FurtherList {
        endpoint: Endpoint::TeamRoles,
        id: Some("team-1"),
        key: "roles",
        path: "/v1/teams/team-1/roles",
    },
    FurtherList {
        endpoint: Endpoint::TeamRoleMembers,
        id: Some("team-1/default"),
        key: "members",
        path: "/v1/teams/team-1/roles/default/members",
    },
    FurtherList { endpoint: Endpoint::Tokens, id: None, key: "tokens", path: "/v1/tokens" },
    FurtherList {
        endpoint: Endpoint::TeamTokens,
        id: Some("team-1"),
        key: "tokens",
        path: "/v1/teams/team-1/tokens",
    },
];

/// Those of them that belong to a team.
fn lists_of_a_team() -> impl Iterator<Item = FurtherList> {
    LISTS.into_iter().filter(|list| list.id.is_some())
}

fn organization() -> Organization {
    let size = Size { members: 12, roles: 2, groups: 1, memberships: 12 };
    organization_with_teams(size)
}

/// So that each of the lists has several pages.
fn in_pages() -> Options {
    Options { page_size: Some(2), rate_limit: None, ..Options::default() }
}

/// What a run leaves, and how it ended.
struct Outcome {
    fake: FakeNorthflank,
    room: TestDir,
    run: Run,
}

impl Outcome {
    fn of(
        organization: Organization,
        options: Options,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Self {
        let fake = FakeNorthflank::start(organization, options).unwrap();
        rules.into_iter().for_each(|rule| fake.script(rule));
        let room = TestDir::new();
        let run = room.connector_to(&fake).arguments(ALL).run();
        Self { fake, room, run }
    }

    fn with(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::of(organization(), in_pages(), rules)
    }

    fn file(&self) -> SyncFile {
        SyncFile::open(&self.room.file("sync.c1z"))
    }

    /// Asserts that the file is the one of a calm run, and the only one.
    fn assert_is_calm(self, what: &dyn std::fmt::Debug) -> Self {
        assert_eq!(self.run.code(), Some(0), "{what:?}: {}", self.run.stderr());
        assert!(self.file().content() == *calm(), "{what:?}: other rows than of a calm run");
        assert_eq!(self.room.names(), ["sync.c1z"], "{what:?}");
        self
    }

    /// Asserts the exit code, that the error says all of `parts` and that there is no file; and
    /// that the next run makes it.
    fn assert_fails(mut self, code: i32, parts: &[&str]) -> Self {
        self.run = self.run.expect_failure(code, parts);
        assert!(!self.run.error().chars().any(char::is_control), "{:?}", self.run.error());
        assert!(!self.room.file("sync.c1z").exists());
        self.fake.unscript();
        self.room.connector_to(&self.fake).arguments(ALL).run().expect_success();
        assert!(self.file().content() == *calm(), "{parts:?}: other rows than of a calm run");
        self
    }
}

/// The rows of a run without faults.
fn calm() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let calm = Outcome::with([]);
        let keys: std::collections::BTreeSet<_> =
            &expected::resources_with_teams(&organization()) | &expected::tokens(&organization());
        assert_eq!(calm.file().resource_keys(), keys);
        assert_eq!(calm.file().grants(), expected::grants_with_teams(&organization()));
        calm.file().content()
    })
}

/// Every row is altered.
fn every_row(mut alter: impl FnMut(&mut Value) + Send + 'static) -> Action {
    Action::alter_json(move |body| {
        for rows in body["data"].as_object_mut().unwrap().values_mut() {
            rows.as_array_mut().unwrap().iter_mut().for_each(&mut alter);
        }
    })
}

/// The answer's text with other words in it.
fn replaced(from: &'static str, to: &'static str) -> Action {
    Action::alter(move |answer| {
        let text = String::from_utf8(std::mem::take(&mut answer.body)).unwrap();
        answer.body = text.replace(from, to).into_bytes();
    })
}

fn own(status: u16) -> String {
    json!({"error": {"status": status, "message": "no", "id": "nf-no"}}).to_string()
}

#[test]
fn no_shape_but_the_documented_is_taken_for_rows() {
    for list in LISTS {
        for body in without_rows(list.key) {
            let outcome = Outcome::with([list.rule(Action::json(200, &body))]);
            let name = format!("GET {}: ", list.path);
            let parts = [&*name, "not the JSON that the API documents"];
            outcome.run.expect_failure(exit_code::UNKNOWN, &parts);
            assert!(!outcome.room.file("sync.c1z").exists());
        }
        let labelled = Action::alter(|answer| answer.status = 204);
        Outcome::with([list.rule(labelled)]).assert_fails(exit_code::UNKNOWN, &["204 No Content"]);
    }
}

#[test]
fn whatever_is_said_of_what_follows_each_list_is_read_to_its_end() {
    for word in Word::ALL {
        for (cursors, anchor) in [
            (CursorStyle::UrlSafe, PagingAnchor::Offset),
            (CursorStyle::Hostile, PagingAnchor::Key),
            (CursorStyle::Long, PagingAnchor::Offset),
        ] {
            let outcome =
                Outcome::of(organization(), Options { word, cursors, anchor, ..in_pages() }, []);
            outcome.assert_is_calm(&(word, cursors)).fake.assert_no_violations();
        }
        let whole = Options { word, page_size: Some(500), ..in_pages() };
        Outcome::of(organization(), whole, []).assert_is_calm(&word);
    }
    let empty = Options { empty_pages: 3, ..in_pages() };
    Outcome::of(organization(), empty, []).assert_is_calm(&"empty pages");
}

#[test]
fn repeated_rows_another_order_and_wrong_counts_change_nothing() {
    for list in LISTS {
        let twice = Action::alter_json(move |body| {
            let rows = body["data"][list.key].as_array_mut().unwrap();
            rows.extend_from_within(..);
        });
        let backwards = Action::alter_json(move |body| {
            body["data"][list.key].as_array_mut().unwrap().reverse();
        });
        for action in [twice, backwards] {
            Outcome::with([list.rule(action)]).assert_is_calm(&list);
        }
        for count in [json!(0), json!(1e9), json!(-1), json!("7"), json!(null)] {
            let lie = move |body: &mut Value| body["pagination"]["count"] = count.clone();
            Outcome::with([list.rule(Action::alter_json(lie))]).assert_is_calm(&list);
        }
    }
}

#[test]
fn of_a_token_that_comes_twice_the_last_row_says_whether_it_can_be_used() {
    for (list, key) in [(LISTS[4], "@organization/deploy"), (LISTS[5], "team-1/deploy")] {
        for ended in [json!({"revoked": true}), json!({"active": false})] {
            // It is revoked while the list is read, and shifts to a later page.
            let repeated = Action::alter_json(move |body| {
                let rows = body["data"]["tokens"].as_array_mut().unwrap();
                let again = rows.iter().find(|row| row["id"] == "deploy").cloned();
                if let Some(mut again) = again {
                    again.as_object_mut().unwrap().extend(ended.as_object().unwrap().clone());
                    rows.push(again);
                }
            });
            let outcome = Outcome::with([list.rule(repeated)]);
            assert_eq!(outcome.run.code(), Some(0), "{}", outcome.run.stderr());
            let keys = outcome.file().resource_keys();
            assert!(!keys.contains(&format!("api-token:{key}")), "{keys:?}");
        }
    }
}

#[test]
fn a_list_that_leads_back_or_never_ends_ends_the_sync() {
    for list in LISTS {
        let row = json!({"id": "again", "name": "Again"});
        let leads_back = Action::alter(move |answer| {
            let body = json!({
                "data": {list.key: [row]},
                "pagination": {"hasNextPage": true, "cursor": "again", "count": 1},
            });
            *answer = Answer::new(200, body.to_string());
        });
        let mut page = 0;
        let ids = list.has_ids();
        let endless = Action::alter(move |answer| {
            page += 1;
            let rows = if ids { json!([]) } else { json!([{"id": null, "emails": ["a@b.test"]}]) };
            let body = json!({
                "data": {list.key: rows},
                "pagination": {"hasNextPage": true, "cursor": format!("c{page}")},
            });
            *answer = Answer::new(200, body.to_string());
        });
        let by_number = Action::alter_json(move |body| {
            body["pagination"] = json!({"hasNextPage": true});
            body["data"][list.key] = json!([]);
        });
        for action in [leads_back, endless, by_number] {
            let outcome = Outcome::with([list.rule(action)]);
            let outcome = outcome.assert_fails(exit_code::UNKNOWN, &["does not end", list.path]);
            assert!(outcome.fake.requests() < 600, "{}", outcome.fake.requests());
        }
        let unsaid = Action::alter_json(move |body| {
            let row = json!({"id": "full"});
            body["data"][list.key] = vec![row; 100].into();
            body["pagination"] = json!({});
        });
        Outcome::with([list.rule(unsaid)])
            .assert_fails(exit_code::UNKNOWN, &["doesn't say whether more follow", list.path]);
    }
}

#[test]
fn answers_that_are_cut_are_asked_for_again_and_never_counted() {
    for list in LISTS {
        let truncated = Action::alter(|answer| answer.body.truncate(25));
        let cut = Action::deliver(Delivery::Cut(90));
        // Of the first page and of a later one.
        let rules = [list.rule(truncated).once(), list.rule(cut).of_later_pages().once()];
        Outcome::with(rules).assert_is_calm(&list);
    }
}

#[test]
fn a_later_page_that_is_refused_begins_its_list_anew() {
    for list in LISTS {
        for status in [400, 403, 404, 409, 410, 422] {
            let refusal = list.rule(Action::json(status, &own(status))).of_later_pages();
            let outcome = Outcome::with([refusal.once()]).assert_is_calm(&(list, status));
            let line = "reading the list from its beginning";
            assert!(outcome.run.stderr().contains(line), "{}", outcome.run.stderr());
            // A 404 or the like has it looked for where it is listed only after that.
            assert_eq!(list.begun(&outcome.fake), 2, "{list:?}");
        }
    }
}

#[test]
fn a_list_that_is_refused_to_the_end_ends_the_sync_with_its_name() {
    for list in LISTS {
        for (status, code) in [
            (400, exit_code::UNKNOWN),
            (403, exit_code::PERMISSION_DENIED),
            (404, exit_code::UNKNOWN),
        ] {
            let refusal = list.rule(Action::json(status, &own(status))).of_later_pages();
            let outcome = Outcome::with([refusal]);
            let status = status.to_string();
            let mut parts = vec![list.path, &*status];
            if list.id.is_some() {
                // Of what is still listed, the path tells the team.
                parts.push("team-1");
            }
            outcome.assert_fails(code, &parts);
        }
    }
}

#[test]
fn a_team_of_which_nothing_can_be_had_for_long_is_named() {
    let list = LISTS[5];
    let outcome = Outcome::with([list.rule(Action::json(503, "busy"))]);
    outcome.assert_fails(exit_code::UNAVAILABLE, &["the team Team 1 (team-1)", list.path, "503"]);
}

#[test]
fn that_the_rate_limit_is_spent_is_no_fault_of_a_team() {
    // Spent while the last lists are read, of who holds roles of teams.
    let (teams, tokens) =
        (organization().requests_for_teams(), organization().requests_for_tokens());
    let spent = organization().requests() + teams + tokens - 2;
    let rate_limit = u32::try_from(spent).ok();
    let fake = FakeNorthflank::start(organization(), Options { rate_limit, ..Options::default() })
        .unwrap();
    let room = TestDir::new();
    let arguments = [ALL, &["--workers", "0", "--max-wait", "0s", "--rate-limit-reserve", "0"]];
    let run = room.connector_to(&fake).arguments(arguments.concat()).run();
    let run = run.expect_failure(exit_code::RESOURCE_EXHAUSTED, &["/v1/teams/", "rate limit"]);
    assert!(!run.error().contains("can't be read"), "{}", run.error());
    assert!(room.file("sync.c1z.work").join("journal").exists());
}

#[test]
fn nothing_of_a_list_that_was_begun_anew_stays() {
    for list in LISTS {
        // What the first page says is other than what follows it, which is refused.
        let mut is_first = true;
        let stray = Action::alter_json(move |body| {
            if std::mem::take(&mut is_first) {
                let row = json!({"id": "stray", "name": "Stray"});
                body["data"][list.key].as_array_mut().unwrap().push(row);
            }
        });
        let refused = list.rule(Action::json(410, &own(410))).of_later_pages().once();
        Outcome::with([refused, list.rule(stray)]).assert_is_calm(&list);
    }
}

#[test]
fn a_row_without_an_id_is_an_error_where_nobody_can_do_without() {
    for list in LISTS {
        for odd in [json!(7), json!({}), json!([]), json!(true)] {
            let action = every_row(move |row| row["id"] = odd.clone());
            Outcome::with([list.rule(action)])
                .assert_fails(exit_code::UNKNOWN, &["not the JSON", list.path]);
        }
        let surrogate = replaced(r#""id":""#, r#""id":"\ud83d"#);
        Outcome::with([list.rule(surrogate)]).assert_fails(exit_code::UNKNOWN, &["not the JSON"]);
        let null = || every_row(|row| row["id"] = Value::Null);
        let absent = || every_row(|row| drop(row.as_object_mut().unwrap().remove("id")));
        let empty = || every_row(|row| row["id"] = json!(""));
        if list.has_ids() {
            for action in [null(), absent()] {
                Outcome::with([list.rule(action)])
                    .assert_fails(exit_code::UNKNOWN, &["not the JSON", list.path]);
            }
            Outcome::with([list.rule(empty())])
                .assert_fails(exit_code::UNKNOWN, &[r#"with the id """#, "can't be synced"]);
            continue;
        }
        for action in [null(), absent(), empty()] {
            let outcome = Outcome::with([list.rule(action)]);
            assert_eq!(outcome.run.code(), Some(0), "{}", outcome.run.stderr());
            let file = outcome.file();
            let (resource, id) = match list.endpoint {
                Endpoint::TeamMembers => ("team", "team-1"),
                _ => ("team-role", "team-1/default"),
            };
            let held = format!("{resource}:{id}:");
            assert!(!file.grants().keys().any(|grant| grant.starts_with(&held)));
            let told = outcome.run.stderr().lines().filter(|line| line.contains("gives no id"));
            let told = told.filter(|line| line.contains(r#""team":"team-1""#)).count();
            assert_eq!(told, 1, "{}", outcome.run.stderr());
            let profile = file.resources()[&format!("{resource}:{id}")].profile.clone().unwrap();
            let count = profile.fields["members_without_id"].kind.clone();
            let team = &organization().teams[1];
            let all = match list.endpoint {
                Endpoint::TeamMembers => team.members.len(),
                _ => team.roles.iter().find(|role| role.id == "default").unwrap().holders.len(),
            };
            assert_eq!(count, Some(Kind::NumberValue(f64::from(u32::try_from(all).unwrap()))));
        }
    }
}

#[test]
fn fields_of_another_type_are_left_out_and_warned_of_once_each() {
    for odd in [
        json!(7),
        json!(-0.5),
        json!({"a": [1]}),
        json!([[1]]),
        json!([]),
        json!(["admin", "A", "org"]),
    ] {
        for list in LISTS {
            let mut fields = match list.endpoint {
                Endpoint::Teams => vec!["createdAt", "description", "name", "uid"],
                Endpoint::TeamRoles => {
                    vec!["createdAt", "description", "name", "restrictions", "updatedAt"]
                }
                Endpoint::TeamMembers | Endpoint::TeamRoleMembers => {
                    vec!["emails", "finalized", "lastLoginTime", "name"]
                }
                _ => vec![
                    "active",
                    "createdAt",
                    "creatorEmail",
                    "description",
                    "expiresAt",
                    "lastUsedAt",
                    "name",
                    "revoked",
                    "role",
                ],
            };
            let (value, all) = (odd.clone(), fields.clone());
            let action = every_row(move |row| {
                for field in &all {
                    row[*field] = value.clone();
                }
            });
            let outcome = Outcome::with([list.rule(action)]);
            assert_eq!(outcome.run.code(), Some(0), "{}", outcome.run.stderr());
            // An object says nothing that is known; a list of texts is one of addresses.
            match &odd {
                Value::Object(_) => fields.retain(|it| *it != "role" && *it != "restrictions"),
                Value::Array(it) if it.iter().all(Value::is_string) => {
                    fields.retain(|it| *it != "emails");
                }
                _ => {}
            }
            outcome.run.assert_warned_of(&fields);
            let file = outcome.file();
            assert_eq!(file.grants(), expected::grants_with_teams(&organization()), "{odd}");
            let keys = file.resource_keys();
            let ids: Vec<_> = calm()["resources"].iter().map(|(id, _)| id.clone()).collect();
            assert!(ids.iter().all(|id| keys.contains(id)) && keys.len() == ids.len(), "{odd}");
            if list.endpoint == Endpoint::Tokens {
                let own = &file.resources()["api-token:@organization/deploy"];
                let secret: SecretTrait = find(&own.annotations).unwrap();
                assert_eq!((secret.expires_at, secret.created_by_id), (None, None));
                let profile = own.profile.clone().unwrap();
                assert!(!profile.fields.contains_key("role_id"), "{odd}: {profile:?}");
            }
        }
    }
}

#[test]
fn parts_of_a_tokens_role_cost_no_more_than_themselves() {
    let action = every_row(|row| {
        row["role"] = json!({"roleId": 7, "name": ["Admin"], "roleType": "org"});
    });
    let outcome = Outcome::with([LISTS[4].rule(action)]);
    outcome.run.assert_warned_of(&["name", "roleId"]);
    let profile = outcome.file().resources()["api-token:@organization/deploy"].profile.clone();
    let fields = profile.unwrap().fields;
    let parts = ["role_id", "role_name", "role_type"].map(|key| fields.contains_key(key));
    assert_eq!(parts, [false, false, true]);
}

#[test]
fn a_key_that_stands_twice_ends_a_sync_only_where_it_is_read() {
    for list in LISTS {
        for (from, to) in [
            (r#"{"data":{"#, r#"{"meta":{"a":1,"a":2},"meta":3,"data":{"x":1,"x":2,"#),
            (r#""id":"#, r#""trace":1,"trace":{"b":2,"b":2},"id":"#),
            (r#""pagination":{"#, r#""pagination":{"total":1,"total":2,"#),
        ] {
            Outcome::with([list.rule(replaced(from, to))]).assert_is_calm(&list);
        }
        for (from, to) in [
            (r#"{"data":{"#, r#"{"data":{},"data":{"#),
            (r#""id":"#, r#""id":"ada","id":"#),
            (r#""id":"#, r#""name":"a","name":"b","id":"#),
            (r#""pagination":{"#, r#""pagination":{"hasNextPage":false,"#),
        ] {
            Outcome::with([list.rule(replaced(from, to))])
                .assert_fails(exit_code::UNKNOWN, &["not the JSON", list.path]);
        }
    }
    for (list, from, to) in [
        (LISTS[2], r#"{"enabled":"#, r#"{"enabled":true,"enabled":"#),
        (LISTS[4], r#"{"entityType":"#, r#"{"roleId":"a","roleId":"b","entityType":"#),
        (LISTS[5], r#""revoked":"#, r#""revoked":true,"revoked":"#),
    ] {
        Outcome::with([list.rule(replaced(from, to))])
            .assert_fails(exit_code::UNKNOWN, &["not the JSON", list.path]);
    }
}

#[test]
fn ids_of_what_belongs_to_a_team_may_hold_slashes_and_all_else_that_an_url_can_carry() {
    let odd = ["a/b", "/", "a//b", "é 😀", "a b?c#d%2Fe&f", "../..", "@organization", "-"];
    let mut organization = organization();
    for team in &mut organization.teams {
        let role = team.roles.remove(1);
        let named = |id: &&str| fake_northflank::TeamRole { id: (*id).to_owned(), ..role.clone() };
        team.roles.extend(odd.iter().map(named));
        let token = |id: &&str| ApiToken { id: (*id).to_owned(), ..team.tokens[0].clone() };
        team.tokens = odd.iter().map(token).collect();
    }
    organization.tokens = organization.teams[0].tokens.clone();
    let outcome = Outcome::of(organization.clone(), in_pages(), []);
    assert_eq!(outcome.run.code(), Some(0), "{}", outcome.run.stderr());
    outcome.fake.assert_no_violations();
    let file = outcome.file();
    assert_eq!(file.grants(), expected::grants_with_teams(&organization));
    let keys: std::collections::BTreeSet<_> =
        &expected::resources_with_teams(&organization) | &expected::tokens(&organization);
    assert_eq!(file.resource_keys(), keys);
    // Asked for by name, one of them is split at the first slash.
    for id in ["team-1/a/b", "team-1//", "team-1/../.."] {
        let room = TestDir::new();
        let wanted = format!("--sync-resources=team-role/{id}");
        room.connector_to(&outcome.fake).arguments([&wanted]).run().expect_success();
        let keys = SyncFile::open(&room.file("sync.c1z")).resource_keys();
        assert!(keys.contains(&format!("team-role:{id}")), "{keys:?}");
        let roles = keys.iter().filter(|key| key.starts_with("team-role:")).count();
        assert_eq!(roles, 1, "{keys:?}");
    }
}

#[test]
fn names_of_every_kind_break_no_line_of_an_error() {
    let mut organization = organization();
    organization.teams[1].name = "Core\u{1b}[2J\r\nfake line\u{0}".to_owned();
    for list in lists_of_a_team() {
        let refusal = list.rule(Action::json(403, &own(403)));
        let outcome = Outcome::of(organization.clone(), in_pages(), [refusal]);
        let run = outcome.run.expect_failure(exit_code::PERMISSION_DENIED, &["team-1", "403"]);
        assert!(!run.error().chars().any(char::is_control), "{:?}", run.error());
        assert!(!run.stderr().contains(['\u{1b}', '\r', '\0']), "{:?}", run.stderr());
    }
}

#[test]
fn a_team_that_goes_meanwhile_is_left_out_however_that_is_said() {
    for list in lists_of_a_team() {
        for status in [400, 403, 404, 409, 410, 422] {
            for body in [own(status), r#"{"message":"gone"}"#.into(), "{}".into(), String::new()] {
                let fake = FakeNorthflank::start(organization(), in_pages()).unwrap();
                // Whatever belongs to it is refused as well, from then on.
                let gone =
                    |endpoint, id: &str| Rule::every(endpoint, Action::json(status, &body)).of(id);
                fake.script(gone(list.endpoint, list.id.unwrap()));
                fake.script(gone(Endpoint::TeamRoles, "team-1").after(1));
                let unlisted = Action::alter_json(|body| {
                    let rows = body["data"]["teams"].as_array_mut().unwrap();
                    rows.retain(|row| row["id"] != "team-1");
                });
                // After the two pages that lead there.
                fake.script(Rule::every(Endpoint::Teams, unlisted).after(2));
                let room = TestDir::new();
                let arguments = [ALL, &["--workers", "0"]].concat();
                let run = room.connector_to(&fake).arguments(arguments).run();
                assert_eq!(run.code(), Some(0), "{list:?} {status} {body}: {}", run.stderr());
                assert!(run.stderr().contains("was deleted during the sync"), "{}", run.stderr());
                let keys = SyncFile::open(&room.file("sync.c1z")).resource_keys();
                let left: Vec<_> = keys.iter().filter(|key| key.contains("team-1")).collect();
                let left: Vec<_> = if list.endpoint == Endpoint::TeamRoleMembers {
                    // Gone as a role: whether its team is there, nobody had to ask.
                    left.into_iter().filter(|key| key.contains("default")).collect()
                } else {
                    left
                };
                assert!(left.is_empty(), "{list:?} {status}: {left:?}");
            }
        }
    }
}

#[test]
fn the_first_team_may_go_between_its_listing_and_the_checks() {
    for endpoint in [Endpoint::TeamMembers, Endpoint::TeamRoles, Endpoint::TeamTokens] {
        let deletion = |organization: &mut Organization| {
            organization.teams.retain(|team| team.id != "team-0");
        };
        let gone = Rule::every(endpoint, Action::mutate(deletion)).of("team-0").once();
        let outcome = Outcome::with([gone]);
        assert_eq!(outcome.run.code(), Some(0), "{}", outcome.run.stderr());
        let keys = outcome.file().resource_keys();
        assert!(!keys.iter().any(|key| key.contains("team-0")), "{keys:?}");
        assert!(keys.contains("team-role:team-1/admin"));
    }
}

#[test]
fn a_team_that_shifts_between_pages_is_not_gone() {
    for list in lists_of_a_team() {
        let refused = list.rule(Action::json(404, &own(404)));
        let unlisted = Action::alter_json(|body| {
            let rows = body["data"]["teams"].as_array_mut().unwrap();
            rows.retain(|row| row["id"] != "team-1");
        });
        // One reading of three misses it.
        let shifted = Rule::every(Endpoint::Teams, unlisted).after(2).times(2);
        Outcome::with([refused, shifted])
            .assert_fails(exit_code::UNKNOWN, &["still listed", list.path]);
    }
}

#[test]
fn a_run_goes_on_from_what_was_whole_and_begins_what_was_not() {
    let tea = json!({"error": {"status": 418, "message": "tea", "id": "nf-teapot"}}).to_string();
    for list in LISTS {
        let refusal = list.rule(Action::json(418, &tea)).of_later_pages();
        let fake = FakeNorthflank::start(organization(), in_pages()).unwrap();
        fake.script(refusal);
        let room = TestDir::new();
        let arguments = [ALL, &["--workers", "0"]].concat();
        let run = || room.connector_to(&fake).arguments(&arguments).run();
        run().expect_failure(exit_code::UNKNOWN, &["418", list.path]);
        fake.unscript();
        let begun = fake.requests();
        let told = run().expect_success();
        assert!(SyncFile::open(&room.file("sync.c1z")).content() == *calm(), "{list:?}");
        let asked = |path: &str| {
            let target = format!("{path}?");
            fake.journal()[begun..].iter().any(|it| it.target.starts_with(&target))
        };
        assert!(asked(list.path), "{list:?}: it was not whole");
        // Nothing that is kept is read before all lists are that say what there is.
        let is_resumed = told.stderr().contains("going on from an interrupted sync");
        assert_eq!(is_resumed, list.id.is_some(), "{list:?}: {}", told.stderr());
    }
}

#[test]
fn what_teams_have_is_as_one_reading_said_it_whatever_changed_since_a_run_was_broken_off() {
    let tea = json!({"error": {"status": 418, "message": "tea", "id": "nf-teapot"}}).to_string();
    let fake = FakeNorthflank::start(organization(), in_pages()).unwrap();
    fake.script(Rule::every(Endpoint::TeamTokens, Action::json(418, &tea)).of("team-2"));
    let room = TestDir::new();
    let arguments = [ALL, &["--workers", "0"]].concat();
    let run = || room.connector_to(&fake).arguments(&arguments).run();
    run().expect_failure(exit_code::UNKNOWN, &["418"]);
    fake.unscript();
    fake.mutate(|organization| {
        // A team goes, another comes, one is called otherwise; the organization's own tokens too.
        let mut new = organization.teams.remove(0);
        new.id = "newcomer".to_owned();
        new.roles.truncate(1);
        organization.teams[0].name = "Renamed".to_owned();
        organization.teams.push(new);
        organization.tokens.remove(0);
    });
    run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    let organization = fake.organization();
    let keys: std::collections::BTreeSet<_> =
        &expected::resources_with_teams(&organization) | &expected::tokens(&organization);
    assert_eq!(file.resource_keys(), keys);
    assert_eq!(file.grants(), expected::grants_with_teams(&organization));
    assert_eq!(file.resources()["team-role:team-1/admin"].display_name, "Renamed: Admin");
}
