//! A run that was broken off, a list that was begun anew, things that come and go meanwhile: each
//! list in the file is what Northflank said in one whole reading of it.

use std::path::Path;

use fake_northflank::{
    Action, Answer, DirectoryUser, Endpoint, FakeNorthflank, Group, Member, Options, Organization,
    Role, Rule, Word,
};
use serde_json::json;

use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::trial::{Trial, long_role, organization, unlisted};
use crate::harness::{Run, TestDir, expected};

/// A refusal that is said for ever.
fn teapot() -> Action {
    Action::json(418, r#"{"error":{"status":418,"message":"tea"}}"#)
}

fn own(status: u16) -> String {
    json!({"error": {"status": status, "message": "no", "id": "nf-no"}}).to_string()
}

fn assert_is(path: &Path, organization: &Organization) {
    let file = SyncFile::open(path);
    assert_eq!(file.resource_keys(), expected::resources(organization));
    assert_eq!(file.grants(), expected::grants(organization));
}

/// Two runs, of which the first is broken off; between them the organization changes.
fn broken_off_and_changed(
    rule: Rule,
    change: impl FnMut(&mut Organization),
) -> (FakeNorthflank, TestDir, Run) {
    let options = Options { page_size: Some(30), rate_limit: None, ..Options::default() };
    let mut organization = organization();
    let users = vec![DirectoryUser::Account(organization.members[0].id.clone())];
    let old = Group { id: "directory_group_old".into(), users, ..Group::default() };
    organization.groups.push(old);
    let fake = FakeNorthflank::start(organization, options).unwrap();
    let room = TestDir::new();
    fake.script(rule);
    room.connector_to(&fake)
        .arguments(["--workers", "1"])
        .run()
        .expect_failure(exit_code::UNKNOWN, &["418"]);
    fake.unscript();
    fake.mutate(change);
    let run = room.connector_to(&fake).run().expect_success();
    (fake, room, run)
}

/// How often lists of this endpoint were asked for from their beginning.
fn begun(fake: &FakeNorthflank, path: &str) -> usize {
    let target = format!("{path}?per_page=100");
    fake.journal().iter().filter(|request| request.target == target).count()
}

#[test]
fn a_later_page_that_is_refused_begins_its_list_anew_whatever_the_refusal() {
    for status in [400, 401, 403, 404, 409, 410, 418, 422, 500, 503] {
        for body in [own(status), r#"{"message":"gone"}"#.into(), String::new()] {
            let tries = if status < 500 { 1 } else { 5 };
            let refusal = Rule::every(Endpoint::RoleMembers, Action::json(status, &body));
            let trial = Trial::with(
                Options { rate_limit: None, ..Options::default() },
                [refusal.of(&long_role()).after(1).times(tries)],
            );
            let run = trial.succeed();
            let line = "reading the list from its beginning";
            assert!(run.stderr().contains(line), "{status} {body}: {}", run.stderr());
            assert_eq!(begun(&trial.fake, &format!("/v1/org-roles/{}/members", long_role())), 2);
        }
    }
}

#[test]
fn a_list_that_is_refused_again_and_again_is_not_begun_for_ever() {
    let mut requests = 0;
    let later_pages = Action::alter(move |answer| {
        requests += 1;
        if requests % 2 == 0 {
            answer.status = 410;
        }
    });
    let trial = Trial::new([Rule::every(Endpoint::RoleMembers, later_pages).of(&long_role())]);
    trial.fail_then_succeed(exit_code::UNKNOWN, &["410"]);
}

#[test]
fn what_a_broken_off_reading_said_is_taken_back_where_the_list_is_begun_anew() {
    let role = long_role();
    let remove = {
        let role = role.clone();
        move |organization: &mut Organization| {
            let role = organization.roles.iter_mut().find(|it| it.id == role).unwrap();
            role.explicit.drain(..5);
        }
    };
    // Within one run: after two pages five people go, and the cursor with them.
    let options = Options { page_size: Some(30), rate_limit: None, ..Options::default() };
    let fake = FakeNorthflank::start(organization(), options).unwrap();
    let change = remove.clone();
    let mut is_done = false;
    let once = move |organization: &mut Organization| {
        if !is_done {
            change(organization);
        }
        is_done = true;
    };
    let refused = Action::json(409, &own(409));
    fake.script(Rule::every(Endpoint::RoleMembers, refused).of(&role).after(2).once());
    fake.script(Rule::every(Endpoint::RoleMembers, Action::mutate(once)).of(&role).after(2));
    let room = TestDir::new();
    room.connector_to(&fake).run().expect_success();
    assert_ne!(expected::grants(&fake.organization()), expected::grants(&organization()));
    assert_is(&room.file("sync.c1z"), &fake.organization());

    // Between two.
    let refusal = Rule::every(Endpoint::RoleMembers, teapot()).of(&role).after(2);
    let (fake, room, _) = broken_off_and_changed(refusal, remove);
    assert_is(&room.file("sync.c1z"), &fake.organization());
}

#[test]
fn what_came_and_went_since_a_run_was_broken_off_is_as_it_is_now() {
    // The last role's members are not to be had: everything else is read by then.
    let last = organization().roles.iter().map(|role| role.id.clone()).max().unwrap();
    let rule = Rule::every(Endpoint::RoleMembers, teapot()).of(&last);
    let (fake, room, run) = broken_off_and_changed(rule, |organization| {
        let new = |id: &str| Member { id: id.into(), listed: true, ..Member::default() };
        organization.members.extend([new("newcomer"), new("another")]);
        let gone = organization.members.iter().position(|member| {
            let holds = |role: &Role| role.explicit.contains(&member.id);
            member.listed
                && !organization.roles.iter().any(holds)
                && !organization.groups.iter().any(|group| {
                    group
                        .users
                        .iter()
                        .any(|user| matches!(user, DirectoryUser::Account(id) if *id == member.id))
                })
        });
        gone.map(|gone| organization.members.remove(gone));
        organization.members[0].name = Some("Renamed Meanwhile".into());
        organization.roles.remove(1);
        organization.roles[0].name = "Renamed".into();
        let explicit = vec!["newcomer".into()];
        organization.roles.push(Role { id: "new-role".into(), explicit, ..Role::default() });
        organization.groups.retain(|group| group.id != "directory_group_old");
        organization.groups.push(Group { id: "directory_group_new".into(), ..Group::default() });
    });
    assert!(run.stderr().contains("going on from an interrupted sync"), "{}", run.stderr());
    assert_is(&room.file("sync.c1z"), &fake.organization());
    let names: Vec<_> = SyncFile::open(&room.file("sync.c1z"))
        .resources()
        .into_values()
        .map(|resource| resource.display_name)
        .collect();
    for name in ["Renamed Meanwhile", "Renamed"] {
        assert!(names.iter().any(|it| it == name), "{name}");
    }
}

#[test]
fn a_role_or_group_that_went_meanwhile_is_left_out_however_that_is_said() {
    let organization = organization();
    let (role, group) = (&organization.roles[2].id, &organization.groups[1].id);
    for (endpoint, lists, key, id) in [
        (Endpoint::RoleMembers, Endpoint::Roles, "roles", role),
        (Endpoint::GroupMembers, Endpoint::Groups, "directoryGroups", group),
    ] {
        for status in [400, 401, 403, 404, 409, 410, 422] {
            for body in [own(status), r#"{"message":"gone"}"#.into(), "{}".into(), String::new()] {
                let options = Options { rate_limit: None, ..Options::default() };
                let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
                fake.script(Rule::every(endpoint, Action::json(status, &body)).of(id));
                fake.script(Rule::every(lists, unlisted(key, id)).after(1));
                let room = TestDir::new();
                let run = room.connector_to(&fake).run().expect_success();
                assert!(run.stderr().contains("was deleted during the sync"), "{}", run.stderr());
                let file = SyncFile::open(&room.file("sync.c1z"));
                assert!(!file.resource_keys().iter().any(|key| key.ends_with(id)), "{status}");
            }
        }
    }
}

#[test]
fn a_row_that_shifts_between_pages_is_no_deletion() {
    let (role, answer) = (long_role(), || Action::json(404, &own(404)));
    let refused = || Rule::every(Endpoint::RoleMembers, answer()).of(&long_role());
    // The list lacks it once.
    let shifted = Rule::every(Endpoint::Roles, unlisted("roles", &role)).after(1).once();
    Trial::new([refused(), shifted])
        .fail_then_succeed(exit_code::UNKNOWN, &["the role is still listed"]);
}

#[test]
fn nobody_meets_the_same_refusal_a_third_time_because_of_what_is_kept() {
    let trial = Trial::new([Rule::every(Endpoint::RoleMembers, teapot()).of(&long_role())]);
    trial.fail(exit_code::UNKNOWN, &["418"]);
    let work = trial.room.file("sync.c1z.work");
    assert!(work.join("journal").exists());
    trial.fail(exit_code::UNKNOWN, &["418"]);
    assert!(!work.exists(), "the third run begins anew");
    // What passes by itself keeps it.
    let trial =
        Trial::new(
            [Rule::every(Endpoint::RoleMembers, Action::json(503, "busy")).of(&long_role())],
        );
    for _ in 0..3 {
        trial.fail(exit_code::UNAVAILABLE, &["503"]);
        assert!(trial.room.file("sync.c1z.work").join("journal").exists());
    }
}

#[test]
fn how_a_list_pages_says_nothing_of_another_endpoint() {
    for workers in ["0", "1", "8"] {
        let options = Options {
            word: Word::Kept,
            page_size: Some(20),
            rate_limit: None,
            ..Options::default()
        };
        let fake = FakeNorthflank::start(organization(), options).unwrap();
        // Members and roles: a stray cursor behind the end, with nothing there.
        for (endpoint, key) in [(Endpoint::Members, "members"), (Endpoint::RoleMembers, "members")]
        {
            fake.script(Rule::every(
                endpoint,
                Action::alter_json(move |body| {
                    let rows = body["data"][key].as_array().map_or(0, Vec::len);
                    if body["pagination"]["hasNextPage"] == false && rows > 0 {
                        body["pagination"]["cursor"] = "stray".into();
                    }
                }),
            ));
        }
        // Groups: nothing follows, it is said, and a cursor leads on all the same.
        fake.script(Rule::every(
            Endpoint::GroupMembers,
            Action::alter_json(|body| {
                body["pagination"]["hasNextPage"] = false.into();
            }),
        ));
        let room = TestDir::new();
        room.connector_to(&fake).arguments(["--workers", workers]).run().expect_success();
        assert_is(&room.file("sync.c1z"), &organization());
    }
}

#[test]
fn a_list_without_ids_that_never_ends_is_noticed() {
    let group = organization().groups[0].id.clone();
    for (id, limit) in [(json!({"id": null}), 30), (json!({}), 30), (json!({"id": ""}), 30)] {
        let mut page = 0;
        let endless = Action::alter(move |answer| {
            page += 1;
            let mut row = id.clone();
            row["emails"] = json!(["someone@acme.test"]);
            let body = json!({
                "data": {"members": vec![row; 100]},
                "pagination": {"hasNextPage": true, "cursor": format!("c{page}")},
            });
            *answer = Answer::new(200, body.to_string());
        });
        let trial = Trial::new([Rule::every(Endpoint::GroupMembers, endless).of(&group)]);
        trial.fail_then_succeed(exit_code::UNKNOWN, &["the list does not end"]);
        let path = format!("/v1/directory-groups/{group}/members?");
        let journal = trial.fake.journal();
        let asked = journal.iter().filter(|request| request.target.starts_with(&path)).count();
        assert!(asked < limit, "{asked}");
    }
}

#[test]
fn a_denied_cursor_that_is_refused_costs_no_more_and_warns_of_nothing() {
    // One page of members: it comes with the checks, and so does its stray cursor.
    let fake = FakeNorthflank::start(
        Organization::demo(),
        Options { word: Word::StrayCursor, ..Options::default() },
    )
    .unwrap();
    let refused = || Action::json(400, &own(400));
    fake.script(Rule::every(Endpoint::Members, refused()).after(1));
    fake.script(Rule::every(Endpoint::Roles, refused()).after(1));
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    assert!(!run.stderr().contains("from its beginning"), "{}", run.stderr());
    assert_is(&room.file("sync.c1z"), &Organization::demo());
    assert_eq!(fake.requests_per_endpoint()[&Endpoint::Members], 2);
    assert_eq!(fake.requests_per_endpoint()[&Endpoint::Roles], 2);
}

#[test]
fn a_denied_cursor_that_is_refused_without_northflanks_words_ends_its_list_once_read_anew() {
    for (status, body) in [(400, ""), (404, "<html>"), (410, "{}"), (422, r#"{"message":"no"}"#)] {
        let options = Options { word: Word::StrayCursor, ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let refused = Rule::every(Endpoint::Members, Action::json(status, body));
        fake.script(refused.of_later_pages());
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_success();
        assert_is(&room.file("sync.c1z"), &Organization::demo());
        assert_eq!(fake.requests_per_endpoint()[&Endpoint::Members], 4, "{status} {body}");
    }
    // Who asks is refused, or something on the way refuses, and not what is asked for.
    for status in [401, 403, 405, 407, 414, 431] {
        let options = Options { word: Word::StrayCursor, ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        fake.script(Rule::every(Endpoint::Members, Action::json(status, "")).of_later_pages());
        let run = TestDir::new().connector_to(&fake).run();
        assert!(run.error().contains(&format!("/v1/org-members: Northflank answered {status}")));
    }
}
