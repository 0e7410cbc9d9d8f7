//! What the token may not do is said first and completely; what the API answers wrongly is
//! never taken for data. In either case no file is touched.

use std::time::Duration;

use crate::harness::{Room, Run};
use fake_northflank::{
    Action, DeniedAs, Endpoint, FakeNorthflank, Options, Organization, Permissions, Rule, Token,
};

const MEMBERS: &str = "members (needs Organization > Admin > Members > Read";
const ROLES: &str = " roles (needs Organization > Admin > Roles > Read";
const GROUPS: &str = "directory groups (needs Organization > Admin > Roles > Read";

fn fake() -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), Options::default()).unwrap()
}

/// Runs with another token; asserts that only the three checks were made and nothing
/// written.
fn refused(fake: &FakeNorthflank, token: &str) -> Run {
    let room = Room::new();
    let before = fake.requests();
    let run = room.connector_to(fake).variable("BATON_NORTHFLANK_API_TOKEN", token).run();
    assert_eq!(fake.requests() - before, 3);
    assert!(room.names().is_empty());
    assert!(!run.stderr().contains(token), "the token is shown");
    assert!(run.stderr().lines().count() <= 2, "{}", run.stderr());
    run
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    for denied_as in [DeniedAs::Unauthorized, DeniedAs::Forbidden] {
        let options = Options { denied_as, ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let token = |members, roles| fake.add_token(Token::new(Permissions { members, roles }));
        let run = refused(&fake, &token(false, true)).expect_failure(7, &[MEMBERS]);
        assert!(!run.error().contains(ROLES) && !run.error().contains(GROUPS));
        let run = refused(&fake, &token(true, false)).expect_failure(7, &[ROLES, GROUPS]);
        assert!(!run.error().contains(MEMBERS));
        let run = refused(&fake, &token(false, false)).expect_failure(7, &[MEMBERS, ROLES, GROUPS]);
        let named = run.error().contains("which the API calls os_admin_members_read");
        assert_eq!(named, denied_as == DeniedAs::Unauthorized);
    }
}

#[test]
fn a_token_that_no_endpoint_accepts_is_unauthenticated() {
    let fake = fake();
    let parts = ["refuses the API token (401 Unauthorized", "wrong, expired or revoked"];
    refused(&fake, "nf-never-made").expect_failure(16, &parts);
    let revoked = fake.add_token(Token::new(Permissions::ALL));
    fake.revoke(&revoked);
    refused(&fake, &revoked).expect_failure(16, &parts);
    let expiring = Token { expires_at: Some(60), ..Token::new(Permissions::ALL) };
    let expiring = fake.add_token(expiring);
    fake.advance(Duration::from_mins(2));
    refused(&fake, &expiring).expect_failure(16, &parts);
    let team = Token { is_team: true, ..Token::new(Permissions::ALL) };
    let team = fake.add_token(team);
    refused(&fake, &team).expect_failure(16, &["belongs to a team"]);
}

#[test]
fn a_token_revoked_midway_ends_the_sync_without_a_file() {
    let fake = fake();
    let unauthorized = r#"{"error":{"status":401,"message":"Unauthorized"}}"#;
    let gone = Rule::every(Endpoint::RoleMembers, Action::json(401, unauthorized)).after(2);
    fake.script(gone);
    let room = Room::new();
    room.connector_to(&fake).run().expect_failure(16, &["/members", "401 Unauthorized"]);
    assert_eq!(room.names(), ["sync.c1z.work"], "what was read before is kept");
}

#[test]
fn an_endpoint_that_fails_is_not_taken_for_a_missing_permission() {
    let fake = fake();
    fake.script(Rule::every(Endpoint::Groups, Action::json(503, "<html>busy</html>")));
    let room = Room::new();
    let parts = ["GET /v1/directory-groups: Northflank answered 503 Service Unavailable"];
    room.connector_to(&fake).run().expect_failure(14, &parts);
    assert!(room.names().is_empty());
}

#[test]
fn complete_answers_of_the_validation_are_not_asked_for_again() {
    let mut organization = Organization::demo();
    organization.members.truncate(1);
    organization.roles.truncate(1);
    organization.groups.clear();
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    Room::new().connector_to(&fake).run().expect_success();
    assert_eq!(fake.requests(), organization.requests());
}

#[test]
fn a_sync_makes_no_more_requests_than_pages_and_two_checks() {
    let fake = fake();
    Room::new().connector_to(&fake).run().expect_success();
    assert_eq!(fake.requests(), Organization::demo().requests() + 2);
    fake.assert_no_violations();
}

#[test]
fn no_more_requests_than_workers_are_under_way_at_once() {
    for (workers, most) in [("0", 3), ("5", 5)] {
        // Long enough for a busy machine to ask the next before the first is answered.
        let options = Options { latency: Duration::from_millis(200), ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let run = Room::new().connector_to(&fake).arguments(["--workers", workers]).run();
        run.expect_success();
        // The validation asks its three questions together.
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
        (format!(r#"{{"data":{{"members":[]}},{more}}}}}"#), "has no cursor"),
        (format!(r#"{{"data":{{"members":[]}},{more},"cursor":""}}}}"#), "has no cursor"),
        (format!(r#"{{"data":{{"members":[]}},{more},"cursor":"c"}}}}"#), "a cursor came up twice"),
    ] {
        let fake = fake();
        fake.script(Rule::every(Endpoint::RoleMembers, Action::json(200, &body)).of("viewer"));
        let room = Room::new();
        let endpoint = "GET /v1/org-roles/viewer/members: ";
        room.connector_to(&fake).run().expect_failure(2, &[endpoint, part]);
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
        let room = Room::new();
        let parts = ["/v1/org-roles/viewer/members", "not the JSON", "(5 tries)"];
        room.connector_to(&fake).run().expect_failure(2, &parts);
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
        // The checks may pass; what is read afterwards counts.
        fake.script(Rule::every(endpoint, Action::json(200, body)).after(1));
        let room = Room::new();
        let run = room.connector_to(&fake).run().expect_failure(2, &["can't be synced"]);
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
        let room = Room::new();
        let parts = ["redirects are not followed", &status.to_string()];
        room.connector_to(&fake).run().expect_failure(2, &parts);
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn a_wrong_base_url_is_hinted_at() {
    let fake = fake();
    let room = Room::new();
    let run = room
        .connector_to(&fake)
        .variable("BATON_NORTHFLANK_BASE_URL", format!("{}/elsewhere", fake.origin()))
        .run();
    run.expect_failure(2, &["404 Not Found", "is the base URL right?"]);
}
