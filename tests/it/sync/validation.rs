//! What the token may not do is said first and completely; what the API answers wrongly is
//! never taken for data. In either case no file is touched.

use std::time::Duration;

use crate::harness::exit_code;
use crate::harness::{Run, TestDir};
use fake_northflank::{
    Action, Delivery, DeniedAs, Endpoint, FakeNorthflank, Options, Organization, Permissions,
    Profile, Rule, Size, Token, Whoami,
};

const MEMBERS: &str = "members (needs Organisation > Admin > Members > Read";
const ROLES: &str = " roles (needs Organisation > Admin > Roles > Read";
const GROUPS: &str = "directory groups (needs Organisation > Admin > Roles > Read";

fn fake() -> FakeNorthflank {
    served(Options::default())
}

fn served(options: Options) -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

/// Runs with another token; asserts that only the three checks were made, and the question who
/// the token is, and nothing written.
fn refused(fake: &FakeNorthflank, token: &str) -> Run {
    let room = TestDir::new();
    let before = fake.requests();
    let run = room.connector_to(fake).variable("BATON_NORTHFLANK_API_TOKEN", token).run();
    assert_eq!(fake.requests() - before, 4);
    assert!(room.names().is_empty());
    assert!(!run.stderr().contains(token), "the token is shown");
    assert!(run.stderr().lines().count() <= 2, "{}", run.stderr());
    fake.assert_no_violations();
    run
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    for denied_as in [DeniedAs::Unauthorized, DeniedAs::Forbidden] {
        let options = Options { denied_as, ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let token = |members, roles| {
            fake.add_token(Token::new(Permissions { members, roles, ..Permissions::ALL }))
        };
        let run = refused(&fake, &token(false, true))
            .expect_failure(exit_code::PERMISSION_DENIED, &[MEMBERS]);
        assert!(!run.error().contains(ROLES) && !run.error().contains(GROUPS));
        let run = refused(&fake, &token(true, false))
            .expect_failure(exit_code::PERMISSION_DENIED, &[ROLES, GROUPS]);
        assert!(!run.error().contains(MEMBERS));
        let run = refused(&fake, &token(false, false))
            .expect_failure(exit_code::PERMISSION_DENIED, &[MEMBERS, ROLES, GROUPS]);
        let named = run.error().contains("which the API calls os_admin_members_read");
        assert_eq!(named, denied_as == DeniedAs::Unauthorized);
    }
}

#[test]
fn a_token_that_no_endpoint_accepts_is_unauthenticated() {
    let fake = fake();
    let parts = ["refuses the API token (401 Unauthorized", "wrong, expired or revoked"];
    refused(&fake, "nf-never-made").expect_failure(exit_code::UNAUTHENTICATED, &parts);
    let revoked = fake.add_token(Token::new(Permissions::ALL));
    fake.revoke(&revoked);
    refused(&fake, &revoked).expect_failure(exit_code::UNAUTHENTICATED, &parts);
    let expiring = Token { expires_at: Some(60), ..Token::new(Permissions::ALL) };
    let expiring = fake.add_token(expiring);
    fake.advance(Duration::from_mins(2));
    refused(&fake, &expiring).expect_failure(exit_code::UNAUTHENTICATED, &parts);
}

#[test]
fn a_teams_token_is_told_apart_whatever_it_is_answered() {
    for profile in [Profile::Lenient, Profile::Strict] {
        let fake = served(Options { profile, ..Options::default() });
        let team = fake.add_token(Token::of_team());
        let parts = ["Access review", "belongs to the team core-infra, which can't read the org"];
        refused(&fake, &team).expect_failure(exit_code::UNAUTHENTICATED, &parts);
    }
    // Where nobody tells, it is one more reason.
    let fake = served(Options { whoami: Whoami::Absent, ..Options::default() });
    let team = fake.add_token(Token::of_team());
    refused(&fake, &team).expect_failure(
        exit_code::UNAUTHENTICATED,
        &["wrong, expired or revoked, or belongs to a team"],
    );
}

#[test]
fn a_known_token_that_may_nothing_lacks_permissions() {
    let fake = fake();
    let unauthorized = r#"{"error":{"status":401,"message":"Unauthorized"}}"#;
    for endpoint in [Endpoint::Members, Endpoint::Roles, Endpoint::Groups] {
        fake.script(Rule::every(endpoint, Action::json(401, unauthorized)));
    }
    let token = "the API token Access review (role Auditor) of the organization acme may not read";
    refused(&fake, fake.token())
        .expect_failure(exit_code::PERMISSION_DENIED, &[token, MEMBERS, ROLES, GROUPS]);
    fake.script(Rule::every(Endpoint::Auth, Action::json(401, unauthorized)));
    refused(&fake, fake.token())
        .expect_failure(exit_code::UNAUTHENTICATED, &["refuses the API token"]);
}

#[test]
fn a_403_from_everything_is_a_bad_token_if_it_is_northflanks_own() {
    let all = [Endpoint::Auth, Endpoint::Members, Endpoint::Roles, Endpoint::Groups];
    let own = r#"{"error":{"status":403,"message":"Forbidden","id":"nf-x"}}"#;
    let refusing = |body: &str, endpoints: &[Endpoint]| {
        let fake = fake();
        for endpoint in endpoints {
            fake.script(Rule::every(*endpoint, Action::json(403, body)));
        }
        fake
    };
    let fake = refusing(own, &all);
    let parts = ["refuses the API token (403 Forbidden: Forbidden (nf-x))", "expired or revoked"];
    refused(&fake, fake.token()).expect_failure(exit_code::UNAUTHENTICATED, &parts);
    // Who may ask for himself is known.
    let fake = refusing(own, &all[1..]);
    refused(&fake, fake.token())
        .expect_failure(exit_code::PERMISSION_DENIED, &["Access review", MEMBERS, ROLES, GROUPS]);
    let named = r#"{"error":{"message":"No","details":{"requiredPermission":"nf_x"}}}"#;
    let fake = refusing(named, &all);
    refused(&fake, fake.token())
        .expect_failure(exit_code::PERMISSION_DENIED, &[MEMBERS, "which the API calls nf_x"]);
    for body in ["<html>Blocked</html>", "", "{}", r#"{"message":"Forbidden"}"#] {
        let fake = refusing(body, &all);
        let run = refused(&fake, fake.token());
        let run = run.expect_failure(
            exit_code::PERMISSION_DENIED,
            &["403 Forbidden", "a proxy or firewall on the way"],
        );
        assert!(!run.error().contains("needs Organisation"), "{}", run.error());
    }
}

#[test]
fn whatever_is_said_of_the_token_a_sync_that_can_be_done_is_done() {
    let busy = || Action::json(503, "busy");
    for action in [
        Action::json(401, r#"{"error":{"status":401,"message":"Unauthorized"}}"#),
        Action::json(429, "{}"),
        Action::Respond {
            status: 429,
            headers: vec![
                ("retry-after".into(), "3600".into()),
                ("x-ratelimit-remaining".into(), "0".into()),
            ],
            body: Vec::new(),
        },
        busy(),
        Action::json(200, "<html>"),
        Action::json(200, r#"{"data":[]}"#),
        Action::json(200, r#"{"data":{"expiresAt":17,"entityType":"galaxy","name":{"a":1}}}"#),
        Action::json(200, r#"{"data":{"expiresAt":"20000-01-01T00:00:00Z","entityType":"org"}}"#),
        Action::deliver(Delivery::Closed),
    ] {
        let fake = fake();
        fake.script(Rule::every(Endpoint::Auth, action));
        let room = TestDir::new();
        let run = room.connector_to(&fake).run().expect_success();
        assert!(!run.stderr().contains("WARN"), "{}", run.stderr());
        assert_eq!(fake.requests_per_endpoint()[&Endpoint::Auth], 1, "asked once");
    }
}

#[test]
fn the_log_names_whose_token_reads_and_warns_of_its_end() {
    let fake = fake();
    let token = |days: u64| {
        let expires_at = Some(days * 24 * 60 * 60);
        fake.add_token(Token { expires_at, ..Token::new(Permissions::ALL) })
    };
    let log = |token: &str| {
        let room = TestDir::new();
        let run = room.connector_to(&fake).variable("BATON_NORTHFLANK_API_TOKEN", token).run();
        run.expect_success().stderr().to_owned()
    };
    let text = log(&token(20));
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let said = |key: &str| first[key].as_str().unwrap().to_owned();
    let named = (said("organization"), said("token"), said("role"));
    assert_eq!(named, ("acme".into(), "Access review".into(), "Auditor".into()));
    assert!(!text.contains("expire"), "{text}");
    let text = log(&token(13));
    let day = time::OffsetDateTime::now_utc() + Duration::from_hours(13 * 24);
    assert!(text.contains(&format!("expires on {}", day.date())), "{text}");
}

#[test]
fn a_token_that_is_said_to_be_over_or_a_teams_and_reads_all_the_same_is_warned_of() {
    let said = |data: &str| {
        let fake = fake();
        let body = format!(r#"{{"data":{data}}}"#);
        fake.script(Rule::every(Endpoint::Auth, Action::json(200, &body)));
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_success().stderr().to_owned()
    };
    let text = said(r#"{"entityType":"org","expiresAt":"2020-05-06T23:00:00-02:00"}"#);
    assert!(text.contains("is said to have expired on 2020-05-07, but still works"), "{text}");
    let text = said(r#"{"entityType":"team","entityId":"core"}"#);
    assert!(text.contains("of the team core is said to belong to a team"), "{text}");
}

/// An organization whose lists take so many pages at least.
fn organization(members: usize, roles: usize, groups: usize, memberships: usize) -> Organization {
    Organization::generate(3, Size { members, roles, groups, memberships })
}

/// ⌈M/100⌉ + ⌈R/100⌉ + 1 (groups) + Σ max(1, ⌈members/100⌉) over roles and groups, + 1 (who the
/// token is).
fn formula(organization: &Organization) -> usize {
    let pages = |rows: usize| rows.div_ceil(100);
    let lists = organization.roles.iter().map(|role| organization.role_members(role).len());
    let lists = lists.chain(organization.groups.iter().map(|group| group.users.len()));
    pages(organization.members.len()).max(1)
        + pages(organization.roles.len()).max(1)
        + 1
        + lists.map(|rows| pages(rows).max(1)).sum::<usize>()
        + 1
}

#[test]
fn a_sync_makes_exactly_one_request_for_each_page_and_one_for_the_token() {
    for organization in [
        Organization::default(),
        Organization::demo(),
        organization(1, 1, 0, 1),
        organization(100, 100, 3, 300),
        organization(101, 101, 2, 900),
        organization(350, 7, 5, 3_000),
        organization(0, 0, 130, 0),
    ] {
        let options = Options { rate_limit: None, ..Options::default() };
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        TestDir::new().connector_to(&fake).run().expect_success();
        assert_eq!(fake.requests(), formula(&organization));
        let mut targets: Vec<_> = fake.journal().into_iter().map(|asked| asked.target).collect();
        targets.sort();
        let asked = targets.len();
        targets.dedup();
        assert_eq!(targets.len(), asked, "a page was asked for twice");
        fake.assert_no_violations();
    }
}

#[test]
fn a_token_revoked_midway_ends_the_sync_without_a_file() {
    let fake = fake();
    let unauthorized = r#"{"error":{"status":401,"message":"Unauthorized"}}"#;
    let gone = Rule::every(Endpoint::RoleMembers, Action::json(401, unauthorized)).after(2);
    fake.script(gone);
    let room = TestDir::new();
    room.connector_to(&fake)
        .run()
        .expect_failure(exit_code::UNAUTHENTICATED, &["/members", "401 Unauthorized"]);
    assert_eq!(room.names(), ["sync.c1z.work"], "what was read before is kept");
}

#[test]
fn an_endpoint_that_fails_is_not_taken_for_a_missing_permission() {
    let fake = fake();
    fake.script(Rule::every(Endpoint::Groups, Action::json(503, "<html>busy</html>")));
    let room = TestDir::new();
    let parts = ["GET /v1/directory-groups: Northflank answered 503 Service Unavailable"];
    room.connector_to(&fake).run().expect_failure(exit_code::UNAVAILABLE, &parts);
    assert!(room.names().is_empty());
}

#[test]
fn no_more_requests_than_workers_are_under_way_at_once() {
    for (workers, most) in [("0", 4), ("5", 5)] {
        // Long enough for a busy machine to ask the next before the first is answered.
        let options = Options { latency: Duration::from_millis(200), ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let run = TestDir::new().connector_to(&fake).arguments(["--workers", workers]).run();
        run.expect_success();
        // The validation asks its four questions together.
        assert_eq!(fake.max_in_flight(), most);
    }
}

#[test]
fn answers_of_the_wrong_shape_are_never_taken_for_rows() {
    let pagination = r#""pagination":{"hasNextPage":false}"#;
    let more = r#""pagination":{"hasNextPage":true"#;
    for (body, part) in [
        ("<html>hello</html>".into(), "not the JSON"),
        (r#"{"data":null}"#.into(), "not the JSON"),
        (r#"{"data":[]}"#.into(), "not the JSON"),
        (format!(r#"{{"data":{{}},{pagination}}}"#), "missing field `members`"),
        (format!(r#"{{"data":{{"members":null}},{pagination}}}"#), "not the JSON"),
        (
            format!(r#"{{"data":{{"members":[{{"name":"x"}}]}},{pagination}}}"#),
            "missing field `id`",
        ),
        (format!(r#"{{"data":{{"members":[]}},{more}}}}}"#), "brings nothing new"),
        (format!(r#"{{"data":{{"members":[]}},{more},"cursor":""}}}}"#), "brings nothing new"),
        (
            format!(r#"{{"data":{{"members":[{{"id":"a"}}],"\u006dembers":[]}},{pagination}}}"#),
            "has the key \"members\" twice",
        ),
        (format!(r#"{{"data":{{"members":[{{"id":"\ud83d"}}]}},{pagination}}}"#), "no character"),
        (format!(r#"{{"data":{{"members":[]}},{more},"cursor":"c"}}}}"#), "a cursor came up twice"),
    ] {
        let fake = fake();
        fake.script(Rule::every(Endpoint::RoleMembers, Action::json(200, &body)).of("viewer"));
        let room = TestDir::new();
        let endpoint = "GET /v1/org-roles/viewer/members: ";
        room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &[endpoint, part]);
        assert!(!room.file("sync.c1z").exists(), "{body}");
    }
}

#[test]
fn an_answer_that_is_cut_short_is_asked_for_again_and_never_taken_for_rows() {
    let whole = r#"{"data":{"members":[{"id":"ada-marlow","type":"explicit"}]},"pagination":{}}"#;
    for body in ["", &whole[..40]] {
        let fake = fake();
        let cut = || Rule::every(Endpoint::RoleMembers, Action::json(200, body)).of("viewer");
        fake.script(cut());
        let room = TestDir::new();
        let parts = ["/v1/org-roles/viewer/members", "not the JSON", "(5 tries)"];
        room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &parts);
        assert!(!room.file("sync.c1z").exists(), "{body}");
    }
}

#[test]
fn ids_that_would_be_ambiguous_end_the_sync() {
    for (endpoint, body) in [
        (Endpoint::Members, r#"{"data":{"members":[{"id":"a:b"}]}}"#),
        (Endpoint::RoleMembers, r#"{"data":{"members":[{"id":"","type":"explicit"}]}}"#),
        (Endpoint::GroupMembers, r#"{"data":{"members":[{"id":"a\nb"}]}}"#),
    ] {
        let fake = fake();
        fake.script(Rule::every(endpoint, Action::json(200, body)));
        let room = TestDir::new();
        let run =
            room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &["can't be synced"]);
        assert!(run.stderr().is_ascii() && !run.error().contains("a\nb"));
        assert!(!room.file("sync.c1z").exists());
    }
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = fake();
    for status in [301, 302, 307, 308] {
        let fake = fake();
        let location = format!("{}/v1/org-members", elsewhere.origin());
        let headers = vec![("location".into(), location)];
        let action = Action::Respond { status, headers, body: Vec::new() };
        fake.script(Rule::every(Endpoint::Members, action));
        let room = TestDir::new();
        let parts = ["redirects are not followed", &status.to_string()];
        room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &parts);
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn a_wrong_base_url_is_hinted_at() {
    let fake = fake();
    let room = TestDir::new();
    let run = room
        .connector_to(&fake)
        .variable("BATON_NORTHFLANK_BASE_URL", format!("{}/elsewhere", fake.origin()))
        .run();
    run.expect_failure(exit_code::UNKNOWN, &["404 Not Found", "is the base URL right?"]);
    // Not where something is found under it.
    let gone = r#"{"error":{"status":404,"message":"None"}}"#;
    for endpoint in [Endpoint::Members, Endpoint::Roles, Endpoint::RoleMembers] {
        let fake = self::fake();
        fake.script(Rule::every(endpoint, Action::json(404, gone)));
        let run = room
            .connector_to(&fake)
            .run()
            .expect_failure(exit_code::UNKNOWN, &["404 Not Found: None"]);
        assert!(!run.error().contains("base URL"), "{}", run.error());
    }
}

#[test]
fn only_redirects_are_told_as_redirects() {
    for status in [300, 304] {
        let fake = fake();
        fake.script(Rule::every(Endpoint::Members, Action::json(status, "")));
        let room = TestDir::new();
        let run = room
            .connector_to(&fake)
            .run()
            .expect_failure(exit_code::UNKNOWN, &[&status.to_string()]);
        assert!(!run.error().contains("redirect"), "{}", run.error());
    }
}
