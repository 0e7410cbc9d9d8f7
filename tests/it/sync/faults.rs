//! Broken and hostile servers. Whatever they answer, the outcome is a complete and true file,
//! or an error that says what happened and a target that is as it was.

use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::trial::{Trial, long_role, organization, requests, unlisted, without_rows};
use crate::harness::{TestDir, expected};
use fake_northflank::{
    Action, Answer, Delivery, Encoding, Endpoint, FakeNorthflank, Options, Organization, Rule,
};
use serde_json::{Value, json};

/// The endpoints that a sync reads, with what errors call them for the longest role and the
/// first group.
fn endpoints() -> [(Endpoint, Option<String>, String); 5] {
    let (role, group) = (long_role(), organization().groups[0].id.clone());
    [
        (Endpoint::Members, None, "GET /v1/org-members: ".into()),
        (Endpoint::Roles, None, "GET /v1/org-roles: ".into()),
        (Endpoint::Groups, None, "GET /v1/directory-groups: ".into()),
        (Endpoint::RoleMembers, Some(role.clone()), format!("GET /v1/org-roles/{role}/members: ")),
        (
            Endpoint::GroupMembers,
            Some(group.clone()),
            format!("GET /v1/directory-groups/{group}/members: "),
        ),
    ]
}

/// The members of the longest role, from its first page on.
fn role_members(action: Action) -> Rule {
    Rule::every(Endpoint::RoleMembers, action).of(&long_role())
}

/// How often the members of the longest role were asked for.
fn asked_for_role_members(trial: &Trial) -> usize {
    let path = format!("/v1/org-roles/{}/members?", long_role());
    let journal = trial.fake.journal();
    journal.iter().filter(|request| request.target.starts_with(&path)).count()
}

/// Asserts that an answer ends the sync at once, with an error that says all of `parts`.
fn ends_at_once(action: Action, code: i32, parts: &[&str]) {
    let trial = Trial::new([role_members(action)]);
    let path = format!("GET /v1/org-roles/{}/members: ", long_role());
    std::fs::write(trial.room.file("unrelated"), "kept").unwrap();
    trial.fail_then_succeed(code, &[parts, &[&path]].concat());
    let asked = asked_for_role_members(&trial);
    let pages = 1 + pages_of_role_members();
    assert!(asked <= pages, "asked {asked} times, {pages} with the next run's");
    assert!(trial.room.file("unrelated").exists());
}

fn pages_of_role_members() -> usize {
    let organization = organization();
    let role = organization.roles.iter().find(|role| role.id == long_role()).unwrap();
    organization.role_members(role).len().div_ceil(100)
}

fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn no_shape_but_the_documented_is_taken_for_rows_anywhere() {
    for (endpoint, id, name) in endpoints() {
        let key = match endpoint {
            Endpoint::Roles => "roles",
            Endpoint::Groups => "directoryGroups",
            _ => "members",
        };
        for body in without_rows(key) {
            let rule = Rule::every(endpoint, Action::json(200, &body));
            let trial = Trial::new([match &id {
                Some(id) => rule.of(id),
                None => rule,
            }]);
            trial.fail(exit_code::UNKNOWN, &[&name, "not the JSON that the API documents"]);
        }
    }
}

#[test]
fn only_the_status_200_brings_rows() {
    for (status, part) in [(201, "201 Created"), (202, "202 Accepted"), (204, "204 No Content")] {
        let action = Action::alter(move |answer| answer.status = status);
        ends_at_once(action, exit_code::UNKNOWN, &[part]);
    }
}

#[test]
fn json_is_json_whatever_its_label() {
    let label = |label: &'static str| {
        Action::alter(move |answer| answer.headers = headers(&[("content-type", label)]))
    };
    Trial::new([
        Rule::every(Endpoint::Members, label("text/plain")),
        Rule::every(Endpoint::Roles, label("text/html; charset=iso-8859-1")),
        Rule::every(Endpoint::RoleMembers, label("")),
    ])
    .succeed();
}

#[test]
fn a_cursor_that_leads_back_ends_the_sync_instead_of_turning_in_circles() {
    for cursors in [&["again"][..], &["one", "two"], &["one", "two", "three"]] {
        let mut cursors = cursors.iter().cycle();
        let action = Action::alter(move |answer| {
            let cursor = cursors.next();
            let body = json!({
                "data": {"members": [{"id": "ada", "type": "explicit"}]},
                "pagination": {"hasNextPage": true, "cursor": cursor, "count": 1},
            });
            *answer = Answer::new(200, body.to_string());
        });
        let trial = Trial::new([role_members(action)]);
        trial.fail(exit_code::UNKNOWN, &["does not end", "a cursor came up twice"]);
    }
}

#[test]
fn some_empty_pages_are_read_over_and_endless_ones_end_the_sync() {
    let options = Options { empty_pages: 5, ..Options::default() };
    let trial = Trial::with(options, []);
    trial.succeed();
    assert!(trial.fake.requests() > requests() + 5);
    trial.fake.assert_no_violations();

    let fake = FakeNorthflank::start(
        organization(),
        Options { empty_pages: 1 << 40, ..Options::default() },
    )
    .unwrap();
    let room = TestDir::new();
    let parts = ["the list does not end: page after page brings nothing new"];
    room.connector_to(&fake).run().expect_failure(exit_code::UNKNOWN, &parts);
    assert!(!room.file("sync.c1z").exists());
    assert!(fake.requests() < 300, "{} requests", fake.requests());
}

#[test]
fn rows_that_no_cursor_leads_to_are_asked_for_by_number() {
    for cursor in [None, Some(json!(null)), Some(json!(""))] {
        let action = Action::alter_json(move |body| {
            let pagination = body["pagination"].as_object_mut().unwrap();
            pagination.remove("cursor");
            pagination.extend(cursor.clone().map(|cursor| ("cursor".to_owned(), cursor)));
        });
        let trial = Trial::new([role_members(action)]);
        trial.succeed();
        assert_eq!(trial.fake.requests(), requests());
        trial.fake.assert_no_violations();
    }
    let odd = Action::alter_json(|body| body["pagination"]["cursor"] = json!(7));
    ends_at_once(odd, exit_code::UNKNOWN, &["not the JSON"]);
}

#[test]
fn a_server_that_always_promises_more_and_goes_by_no_number_ends_the_sync() {
    let action = Action::alter_json(|body| {
        body["pagination"] = json!({"hasNextPage": true});
        body["data"]["members"] = json!([{"id": "ada", "type": "explicit"}]);
    });
    let trial = Trial::new([role_members(action)]);
    trial.fail(exit_code::UNKNOWN, &["the list does not end: page after page brings nothing new"]);
    assert!(asked_for_role_members(&trial) <= 25);
}

#[test]
fn a_full_page_that_does_not_say_whether_more_follow_ends_the_sync() {
    for pagination in [json!(null), json!({}), json!({"count": 100})] {
        let action = Action::alter_json(move |body| body["pagination"] = pagination.clone());
        ends_at_once(
            action,
            exit_code::UNKNOWN,
            &["full page of 100 rows and doesn't say whether more follow"],
        );
    }
}

#[test]
fn a_short_page_without_pagination_and_a_cursor_after_the_last_page_change_nothing() {
    let without = |body: &mut Value| {
        body.as_object_mut().unwrap().remove("pagination");
    };
    let more = |body: &mut Value| {
        if body["pagination"]["hasNextPage"] == false {
            body["pagination"]["cursor"] = json!("left-over");
        }
    };
    let last_page = pages_of_role_members() - 1;
    let trial = Trial::new([
        role_members(Action::alter_json(without)).after(last_page),
        Rule::every(Endpoint::Members, Action::alter_json(more)),
        Rule::every(Endpoint::GroupMembers, Action::alter_json(more)),
    ]);
    let run = trial.succeed();
    // It is tried, for some servers say false and don't mean it, and refused.
    assert!(trial.fake.journal().iter().any(|asked| asked.target.contains("left-over")));
    assert!(!run.stderr().contains("WARN"), "{}", run.stderr());
}

#[test]
fn wrong_counts_are_not_believed() {
    for count in [json!(0), json!(1e9), json!(-1), json!("7"), json!(null)] {
        let lie = move |body: &mut Value| body["pagination"]["count"] = count.clone();
        Trial::new([Rule::every(Endpoint::RoleMembers, Action::alter_json(lie))]).succeed();
    }
}

#[test]
fn a_row_that_comes_twice_counts_as_its_last_says() {
    let repeat = Action::alter_json(|body| {
        let rows = body["data"]["members"].as_array_mut().unwrap();
        let mut again = rows.clone();
        for row in rows.iter_mut() {
            row["name"] = json!("an earlier name");
        }
        rows.append(&mut again);
    });
    Trial::new([Rule::every(Endpoint::Members, repeat).after(1)]).succeed();
}

#[test]
fn a_role_or_group_deleted_meanwhile_is_left_out_with_what_it_alone_explains() {
    let mut left = organization();
    let group = left.groups[0].id.clone();
    // A role without a link, so that nobody's grants depend on it.
    let role = left.roles.iter().find(|role| role.directory_groups.is_empty()).unwrap().id.clone();
    let forget = {
        let role = role.clone();
        move |organization: &mut Organization| organization.roles.retain(|own| own.id != role)
    };
    let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
    fake.script(Rule::every(Endpoint::RoleMembers, Action::mutate(forget)).of(&role).once());
    let room = TestDir::new();
    let run = room.connector_to(&fake).run().expect_success();
    assert!(run.stderr().contains(&format!("the role {role} was deleted")), "{}", run.stderr());
    left.roles.retain(|own| own.id != role);
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&left));
    assert_eq!(file.resource_keys(), expected::resources(&left));

    // A group: its link is reported until the role list is read again.
    let fake = FakeNorthflank::start(left.clone(), Options::default()).unwrap();
    let gone = json!({"error": {"status": 404, "message": "No such group"}}).to_string();
    fake.script(Rule::every(Endpoint::GroupMembers, Action::json(404, &gone)).of(&group));
    fake.script(Rule::every(Endpoint::Groups, unlisted("directoryGroups", &group)).after(1));
    let run = room.connector_to(&fake).run().expect_success();
    let part = format!("the directory group {group} was deleted");
    assert!(run.stderr().contains(&part), "{}", run.stderr());
    let vanished = left.groups.remove(0);
    let unlinked = left.clone();
    for role in &mut left.roles {
        if role.directory_groups.contains(&vanished.id) {
            // Who is in no other linked group holds the role for a reason that is gone.
            let others =
                unlinked.role_members(unlinked.roles.iter().find(|own| own.id == role.id).unwrap());
            let held: Vec<&str> = others.iter().map(|holder| holder.id).collect();
            let lost = vanished.accounts().filter(|id| !held.contains(id));
            role.unexplained = lost.map(str::to_owned).collect();
        }
    }
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&left));
}

#[test]
fn a_404_that_is_not_northflanks_own_never_counts_as_deleted() {
    for body in ["<html><body>404 Not Found</body></html>", "", r#"{"message":"no Route matched"}"#]
    {
        let respond =
            || Action::Respond { status: 404, headers: Vec::new(), body: body.as_bytes().to_vec() };
        ends_at_once(respond(), 2, &["404 Not Found"]);
        // Not even of what is listed no more.
        let gone = unlisted("roles", &long_role());
        let gone = Rule::every(Endpoint::Roles, gone).after(2);
        Trial::new([role_members(respond()), gone])
            .fail_then_succeed(exit_code::UNKNOWN, &["404 Not Found"]);
    }
}

#[test]
fn a_role_or_group_that_is_still_listed_is_never_left_out() {
    let not_found = || Action::json(404, r#"{"error":{"status":404,"message":"none"}}"#);
    ends_at_once(not_found(), 2, &["the role is still listed", "404 Not Found: none"]);
    // A page was read before.
    let rule = role_members(not_found()).after(1);
    Trial::new([rule]).fail_then_succeed(exit_code::UNKNOWN, &["the role is still listed"]);
    let (endpoint, group, path) = endpoints().into_iter().last().unwrap();
    let rule = Rule::every(endpoint, not_found()).of(&group.unwrap());
    let parts = ["the directory group is still listed", "404 Not Found: none", &path];
    Trial::new([rule]).fail_then_succeed(exit_code::UNKNOWN, &parts);
    // The list can't be asked once more: nobody knows.
    let broken = Rule::every(Endpoint::Roles, Action::json(403, "{}")).after(1);
    let parts = ["GET /v1/org-roles: ", "403 Forbidden"];
    Trial::new([role_members(not_found()), broken])
        .fail_then_succeed(exit_code::PERMISSION_DENIED, &parts);
}

#[test]
fn somebody_whose_id_changes_meanwhile_keeps_the_access_under_both() {
    let mut organization = organization();
    let old = organization.roles[0].explicit[0].clone();
    let rename = {
        let old = old.clone();
        move |organization: &mut Organization| {
            for member in organization.members.iter_mut().filter(|member| member.id == old) {
                member.id = "new-name".into();
            }
            for id in organization.roles.iter_mut().flat_map(|role| &mut role.explicit) {
                if *id == old {
                    *id = "new-name".into();
                }
            }
            for user in organization.groups.iter_mut().flat_map(|group| &mut group.users) {
                if matches!(user, fake_northflank::DirectoryUser::Account(id) if *id == old) {
                    *user = fake_northflank::DirectoryUser::Account("new-name".into());
                }
            }
        }
    };
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    // One at a time: members and roles are read by the time that anybody's role is.
    let mut renamed = false;
    let change = rename.clone();
    let once = move |organization: &mut Organization| {
        if !renamed {
            change(organization);
        }
        renamed = true;
    };
    fake.script(Rule::every(Endpoint::RoleMembers, Action::mutate(once)));
    let room = TestDir::new();
    room.connector_to(&fake).arguments(["--workers", "0"]).run().expect_success();
    let file = SyncFile::open(&room.file("sync.c1z"));
    let resources = file.resources();
    assert_eq!(resources[&format!("user:{old}")].status.as_ref().unwrap().status, 1);
    assert_eq!(resources["user:new-name"].status.as_ref().unwrap().status, 0);
    // Nobody holds anything under an id that no resource has.
    for grant in file.grants().values() {
        let key = format!("{}:{}", grant.principal.0, grant.principal.1);
        assert!(resources.contains_key(&key), "{key}");
    }
    rename(&mut organization);
    let role = format!("role:{}:assigned:user:new-name", organization.roles[0].id);
    assert!(file.grants().contains_key(&role));
}

#[test]
fn a_permission_taken_away_meanwhile_is_named_and_nothing_is_taken_for_empty() {
    let denied = json!({"error": {"status": 401, "message": "Unauthorized", "id": "nf-permission",
        "details": {"requiredPermission": "os_admin_roles_read"}}});
    let taken = "was the API token revoked meanwhile, or the permission Organisation > Admin > \
                 Roles > Read taken from its role?";
    let parts = ["401 Unauthorized", "(nf-permission)", "requires os_admin_roles_read", taken];
    ends_at_once(Action::json(401, &denied.to_string()), 7, &parts);
    let denied = json!({"error": {"status": 403, "message": "Forbidden"}}).to_string();
    ends_at_once(Action::json(403, &denied), 7, &["403 Forbidden", taken]);
    ends_at_once(Action::json(401, ""), 16, &["401 Unauthorized", taken]);
}

#[test]
fn redirects_are_never_followed_and_the_token_goes_nowhere_else() {
    let elsewhere = FakeNorthflank::start(organization(), Options::default()).unwrap();
    let port = elsewhere.origin().rsplit(':').next().unwrap().to_owned();
    let own_path = format!("/v1/org-roles/{}/members", long_role());
    let never_followed = |status: u16, location: &str| {
        let headers = headers(&[("location", location)]);
        let action = Action::Respond { status, headers, body: Vec::new() };
        ends_at_once(
            action,
            exit_code::UNKNOWN,
            &[&status.to_string(), "redirects are not followed"],
        );
    };
    for status in [301, 302, 303, 307, 308] {
        never_followed(status, &format!("{}{own_path}", elsewhere.origin()));
    }
    for location in [
        &format!("http://localhost:{port}{own_path}"),
        &format!("//localhost:{port}{own_path}"),
        "http://api.northflank.test/v1/org-members",
        "https://api.northflank.test/v1/org-members",
        // The same origin and path: followed, it would turn in circles.
        &own_path,
        "/v1/org-members",
        "\\\\",
        "",
    ] {
        never_followed(302, location);
    }
    assert_eq!(elsewhere.journal(), [], "nobody came, with or without the token");
}

#[test]
fn bodies_are_decoded_as_was_offered() {
    let encode = |encoding| Action::alter(move |answer: &mut Answer| answer.encode(encoding));
    Trial::new([
        Rule::every(Endpoint::Members, encode(Encoding::Gzip)),
        Rule::every(Endpoint::Groups, encode(Encoding::Gzip)),
    ])
    .succeed();
    // Encodings that no request accepts are not guessed at.
    for encoding in [Encoding::Deflate, Encoding::Brotli] {
        ends_at_once(encode(encoding), 2, &["the answer can't be used"]);
    }
}

#[test]
fn a_body_larger_than_any_true_one_ends_the_sync_before_memory_does() {
    // A thousandth of its decoded size crosses the wire.
    let bomb = Encoding::Gzip.encode(&vec![b' '; 80 << 20]);
    assert!(bomb.len() < 1 << 20);
    let parts = ["larger than 64 MiB"];
    let action = Action::alter(move |answer| {
        answer.body.clone_from(&bomb);
        answer.headers = headers(&[("content-encoding", "gzip")]);
    });
    ends_at_once(action, exit_code::UNKNOWN, &parts);
    let action = Action::alter(|answer| {
        answer.body = vec![b' '; 1 << 20];
        answer.headers = headers(&[("content-encoding", "identity")]);
        answer.delivery = Delivery::Endless;
    });
    ends_at_once(action, exit_code::UNKNOWN, &parts);
}

#[test]
fn pages_larger_than_asked_for_are_read_whole() {
    let trial = Trial::with(Options { page_size: Some(5_000), ..Options::default() }, []);
    trial.succeed();
    let trial =
        Trial::with(Options { page_size: Some(7), rate_limit: None, ..Options::default() }, []);
    trial.succeed();
}

#[test]
fn requests_that_the_api_refuses_are_not_repeated() {
    let refusal = |status: u16| {
        let body = json!({"error": {"status": status, "id": "nf-invalid-request-query",
            "message": "Request failed payload validation - see details",
            "details": {"cursor": ["is not nf-secret-value"]}}});
        Action::json(status, &body.to_string())
    };
    for (status, reason) in [
        (400, "400 Bad Request"),
        (405, "405 Method Not Allowed"),
        (409, "409 Conflict"),
        (410, "410 Gone"),
        (418, "418 I'm a teapot"),
        (451, "451 Unavailable For Legal Reasons"),
    ] {
        let parts = [reason, "see details (nf-invalid-request-query)"];
        let trial = Trial::new([role_members(refusal(status))]);
        let run = trial.fail(exit_code::UNKNOWN, &parts);
        assert!(!run.stderr().contains("nf-secret-value"), "details may echo what was sent");
        assert_eq!(asked_for_role_members(&trial), 1);
    }
}

#[test]
fn errors_of_every_form_say_their_status_and_what_they_can() {
    for (body, part) in [
        (
            r#"{"error":{"status":403,"message":"nested","id":"nf-x"}}"#,
            "403 Forbidden: nested (nf-x)",
        ),
        (r#"{"code":403,"message":"flat","status":403}"#, "403 Forbidden: flat"),
        (r#"{"error":"text"}"#, "403 Forbidden: text"),
        (r#"["array"]"#, "403 Forbidden"),
        (r#"{"error":["array"]}"#, "403 Forbidden"),
        (r#"{"error":{"message":{"deep":[]}}}"#, "403 Forbidden"),
        ("<html><body>denied</body></html>", "403 Forbidden"),
        ("", "403 Forbidden"),
        (
            r#"{"error":{"message":"\u001b[2J\r\nfake line\u0000"}}"#,
            "403 Forbidden: [2J  fake line",
        ),
    ] {
        let trial = Trial::new([role_members(Action::json(403, body))]);
        let run = trial.fail(exit_code::PERMISSION_DENIED, &[part]);
        assert!(!run.error().contains("<html>"));
        assert!(!run.error().chars().any(char::is_control));
    }
    for body in
        [vec![0xff, 0xfe, 0x00], b"{\"message\":\"\xff\xfe\"}".to_vec(), vec![b'['; 100_000]]
    {
        let respond = Action::Respond { status: 403, headers: Vec::new(), body };
        Trial::new([role_members(respond)]).fail(exit_code::PERMISSION_DENIED, &["403 Forbidden"]);
    }
    let long = json!({"message": "x".repeat(1 << 20)}).to_string();
    let run = Trial::new([role_members(Action::json(403, &long))])
        .fail(exit_code::PERMISSION_DENIED, &["403 Forbidden: xxx"]);
    assert!(run.error().len() < 600, "{} bytes", run.error().len());
}

#[test]
fn odd_headers_change_nothing() {
    let odd = Action::alter(|answer| {
        answer.headers = headers(&[
            ("set-cookie", "session=nf-cookie; Path=/; Domain=127.0.0.1"),
            ("set-cookie", "other=1"),
            ("x-ratelimit-limit", "many"),
            ("x-ratelimit-limit", "1000"),
            ("x-ratelimit-remaining", "-1"),
            ("x-ratelimit-remaining", "1e3"),
            ("x-ratelimit-remaining", "990"),
            ("x-ratelimit-reset", "soon"),
            ("x-ratelimit-reset", "3000"),
            ("x-large", &"x".repeat(60_000)),
            ("strict-transport-security", "max-age=31536000"),
            ("alt-svc", "h3=\"127.0.0.1:1\""),
            ("connection", "keep-alive"),
        ]);
    });
    let options = Options { title_case_headers: true, ..Options::default() };
    let trial = Trial::with(options, [Rule::every(Endpoint::Members, odd)]);
    trial.succeed();
    let cookies = |request: &fake_northflank::Request| {
        request.headers.iter().any(|(name, _)| name == "cookie")
    };
    assert!(!trial.fake.journal().iter().any(cookies));
}

#[test]
fn names_of_every_kind_reach_the_file_and_no_terminal() {
    let organization = Organization::odd();
    for options in [
        Options::default(),
        Options { both_types: fake_northflank::BothTypes::TwoRows, ..Options::default() },
    ] {
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let room = TestDir::new();
        let run = room.connector_to(&fake).arguments(["--log-level", "debug"]).run();
        let run = run.expect_success();
        let escapes = |char: char| char.is_control() && char != '\n';
        assert!(!run.stderr().contains(escapes), "{:?}", run.stderr());
        fake.assert_no_violations();
        let file = SyncFile::open(&room.file("sync.c1z"));
        assert_eq!(file.resource_keys(), expected::resources(&organization));
        assert_eq!(file.grants(), expected::grants(&organization));
        let resources = file.resources();
        let name = |id: &str| resources[id].display_name.as_str();
        assert!(name("user:long").len() <= 1024 && name("user:long").ends_with('…'));
        assert!(name("user:emoji-long").len() <= 1024);
        assert_eq!(name("user:empty"), "shared@acme.test");
        assert_eq!(name("user:nul"), "before\0after");
        assert_eq!(name("role:admin"), "admin");
        let distinct = ["user:ADA", "user:Ada", "user:ada"].map(|id| &resources[id]);
        assert!(distinct[0].id != distinct[1].id && distinct[1].id != distinct[2].id);
    }
}

#[test]
fn a_role_or_group_that_no_url_can_name_ends_the_sync() {
    // Asked for as if nothing were the matter, either would seem to be deleted or another.
    for id in [".", ".."] {
        let name = move |body: &mut Value| {
            for rows in body["data"].as_object_mut().unwrap().values_mut() {
                rows[0]["id"] = json!(id);
            }
        };
        for endpoint in [Endpoint::Roles, Endpoint::Groups] {
            let trial = Trial::new([Rule::every(endpoint, Action::alter_json(name))]);
            trial.fail(exit_code::UNKNOWN, &["can't be synced", "no URL can name"]);
        }
    }
}

#[test]
fn a_wrong_base_url_is_hinted_at_on_every_path() {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
    for path in ["/elsewhere", "/v1/v1", "/v2"] {
        room.connector_to(&fake)
            .variable("BATON_NORTHFLANK_BASE_URL", format!("{}{path}", fake.origin()))
            .run()
            .expect_failure(exit_code::UNKNOWN, &["404 Not Found", "is the base URL right?"]);
    }
    assert!(room.names().is_empty());
}

#[test]
fn a_list_that_is_refused_leaves_the_older_file_and_the_next_run_makes_a_new_one() {
    let refusal = Action::json(403, r#"{"error":{"message":"Forbidden"}}"#);
    let trial = Trial::new([Rule::every(Endpoint::RoleMembers, refusal).after(1)]);
    trial.fail_then_succeed(exit_code::PERMISSION_DENIED, &["403 Forbidden", "/members"]);
}
