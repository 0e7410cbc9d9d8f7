//! What people and programs read where there is no terminal, kept in `tests/it/snapshots`.

use std::fmt::Write;

use crate::harness::TestDir;
use crate::harness::changes::changed_demo;
use crate::harness::exit_code;
use fake_northflank::{
    Action, Endpoint, FakeNorthflank, Options, Organization, Permissions, Rule, Size, Token, Whoami,
};

/// Compares a text with the one that is kept, but for what changes from run to run.
fn assert_text(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, value) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "[time]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "[time]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
        (r#""[^"]*/(\w+\.c1z)""#, r#""[directory]/$1""#),
        (r"\b[34][0-9A-Za-z]{26}\b of 20[0-9]{2}-[0-9]{2}-[0-9]{2}", "[sync] of [day]"),
        (r"\b[34][0-9A-Za-z]{26}\b", "[sync]"),
        (r#""[0-9a-f]{64}""#, r#""[sha256]""#),
        (r#""bytes":\d+"#, r#""bytes":[bytes]"#),
        (r#""seconds":[\d.e-]+"#, r#""seconds":[seconds]"#),
    ] {
        settings.add_filter(pattern, value);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn fake(organization: Organization) -> FakeNorthflank {
    FakeNorthflank::start(organization, Options::default()).unwrap()
}

/// A room with a file from before and one from after the changes.
fn before_and_after() -> TestDir {
    let room = TestDir::new();
    for (file, organization) in [("old.c1z", Organization::demo()), ("new.c1z", changed_demo())] {
        let fake = fake(organization);
        room.connector_to(&fake).arguments(["-f", file]).run().expect_success();
    }
    room
}

#[test]
fn help_has_no_colour() {
    for (name, arguments) in [
        ("text_help", &["--help"][..]),
        ("text_help_demo", &["demo", "--help"]),
        ("text_help_completion", &["completion", "--help"]),
        ("text_version", &["--version"]),
    ] {
        let run = TestDir::new().connector().arguments(arguments).run();
        assert_eq!((run.code(), run.stderr()), (Some(0), ""));
        assert_text(name, run.stdout());
    }
}

#[test]
fn the_demo_says_what_it_did_and_what_to_try() {
    let room = TestDir::new();
    for name in ["text_demo", "text_demo_later"] {
        let run = room.connector().arguments(["demo", "--log-level", "error"]).run();
        assert_eq!((run.code(), run.stderr()), (Some(0), ""));
        assert_text(name, &run.stdout().replace(env!("CARGO_BIN_EXE_baton-northflank"), "PROGRAM"));
    }
}

#[test]
fn a_sync_logs_json_and_prints_nothing() {
    let fake = fake(Organization::demo());
    let run = TestDir::new().connector_to(&fake).arguments(["--workers", "0"]).run();
    assert_text("text_log", run.expect_success().stderr());
}

#[test]
fn changes_can_be_read_by_people_programs_and_pages() {
    let room = before_and_after();
    for format in ["table", "json", "markdown"] {
        let run = room.connector().arguments(["diff", "old.c1z", "new.c1z", "--format", format]);
        let run = run.run();
        assert_eq!((run.code(), run.stderr()), (Some(0), ""));
        assert_text(&format!("text_diff_{format}"), run.stdout());
    }
}

/// Runs `check` as `token`; returns what it prints, and the exit code.
fn checked(fake: &FakeNorthflank, token: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let room = TestDir::new();
    let connector = room.connector_to(fake).variable("BATON_NORTHFLANK_API_TOKEN", token);
    let run = connector.arguments(["check"]).arguments(arguments).run();
    assert!(room.names().is_empty(), "a file is touched");
    assert!(!run.stdout().contains(token) && !run.stderr().contains(token), "the token is shown");
    assert_eq!(run.stderr().is_empty(), run.code() == Some(0), "{}", run.stderr());
    (format!("{}{}", run.stdout(), run.stderr()), run.code())
}

#[test]
fn a_check_says_on_one_screen_what_a_sync_would_meet() {
    let demo = |options| FakeNorthflank::start(Organization::demo(), options).unwrap();
    let normal = demo(Options::default());
    let all = Token::new(Permissions::ALL);
    let without_roles = Token::new(Permissions { roles: false, ..Permissions::ALL });
    let expiring = Token { expires_at: Some(10 * 24 * 60 * 60 + 60), ..all.clone() };
    let absent = demo(Options { whoami: Whoami::Absent, rate_limit: None, ..Options::default() });
    let groupless =
        Organization::generate(1, Size { members: 250, roles: 120, groups: 0, memberships: 500 });
    let options = Options { without_directory_sync: Some(404), ..Options::default() };
    let groupless = FakeNorthflank::start(groupless, options).unwrap();
    let mut text = String::new();
    for (name, fake, token) in [
        ("an organization", &normal, normal.add_token(expiring)),
        ("a permission is missing", &normal, normal.add_token(without_roles)),
        ("a team's token", &normal, normal.add_token(Token::of_team())),
        ("a token that is wrong", &normal, "nf-never-made-by-anybody".to_owned()),
        ("an older server", &absent, absent.token().to_owned()),
        ("many roles, no Directory Sync", &groupless, groupless.token().to_owned()),
    ] {
        let (screen, code) = checked(fake, &token, &[]);
        assert!(screen.lines().count() <= 24 && screen.lines().all(|line| line.len() <= 400));
        write!(text, "# {name}\n{screen}[exit code {}]\n\n", code.unwrap()).unwrap();
    }
    // Nothing listens there.
    let room = TestDir::new();
    let connector = room
        .connector()
        .variable("BATON_NORTHFLANK_API_TOKEN", "nf-token")
        .variable("BATON_NORTHFLANK_BASE_URL", "http://127.0.0.1:1");
    let run = connector.arguments(["check"]).run();
    assert_eq!(
        (run.code(), run.error().matches("could not connect").count()),
        (Some(exit_code::UNAVAILABLE), 1)
    );
    write!(text, "# nobody answers\n{}{}[exit code 14]\n\n", run.stdout(), run.stderr()).unwrap();
    let day = regex::Regex::new(r"\d{4}-\d\d-\d\d").unwrap();
    assert_text("text_check", &day.replace_all(&text, "[day]"));
}

#[test]
fn shapes_hold_no_value_of_the_organization() {
    let organization = Organization::demo();
    let fake = fake(organization.clone());
    let (shapes, code) = checked(&fake, fake.token(), &["--shapes"]);
    assert_eq!(code, Some(0));
    let answers: serde_json::Value = serde_json::from_str(&shapes).unwrap();
    let endpoints: Vec<_> =
        answers["answers"].as_array().unwrap().iter().map(|it| it["endpoint"].as_str()).collect();
    let expected = ["auth", "directory-groups", "org-members", "org-roles"];
    let expected = expected.map(|path| format!("GET /v1/{path}"));
    assert_eq!(endpoints, expected.iter().map(|path| Some(path.as_str())).collect::<Vec<_>>());
    let name = &answers["answers"][2]["body"]["fields"]["data"]["fields"]["members"]["items"];
    assert_eq!(name["fields"]["name"]["string"], 23);
    assert!(shapes.contains("x-ratelimit-remaining"));

    // Every text that the fake knows, however it is nested.
    let token = Token::new(Permissions::ALL);
    let known = format!("{organization:?} {token:?}");
    let texts = regex::Regex::new(r#""((?:[^"\\]|\\.)*)""#).unwrap();
    let texts: Vec<_> = texts.captures_iter(&known).map(|found| found[1].to_owned()).collect();
    assert!(texts.len() > 200);
    for text in texts.iter().filter(|text| !text.is_empty()) {
        assert!(!shapes.contains(text.as_str()), "{text} is shown");
    }
    assert!(!shapes.contains("127.0.0.1") && !shapes.contains("os_admin"));

    // Nor where something goes wrong, which is an error as a sync's.
    let refused = r#"{"error":{"status":403,"message":"No, Ada Marlow","id":"nf-x","ada":[1]}}"#;
    fake.script(Rule::every(Endpoint::Roles, Action::json(403, refused)));
    fake.script(Rule::every(Endpoint::Groups, Action::json(404, "<p>Marlow Freight</p>")));
    let (shapes, code) = checked(&fake, fake.token(), &["--shapes"]);
    assert_eq!(code, Some(exit_code::PERMISSION_DENIED));
    let (json, error) = shapes.split_at(shapes.find("baton-northflank: ").unwrap());
    assert!(!json.contains("Marlow") && json.contains("no JSON") && json.contains("403"), "{json}");
    assert!(error.contains("may not read roles"), "{error}");
}

#[test]
fn access_can_be_read_by_people_programs_and_pages() {
    let room = before_and_after();
    for format in ["table", "json", "csv", "markdown"] {
        let asked = ["--user", "carla-rossi", "--user", "pending-7f3a", "--format", format];
        let run = room.connector().arguments(["access", "old.c1z"]).arguments(asked).run();
        assert_eq!((run.code(), run.stderr()), (Some(0), ""));
        assert_text(&format!("text_access_{format}"), run.stdout());
    }
}

#[test]
fn errors_are_one_line() {
    let room = before_and_after();
    std::fs::write(room.file("pebble.c1z"), b"C1Z3\0").unwrap();
    std::fs::write(room.file("text.txt"), "hello").unwrap();
    let mut text = String::new();
    for arguments in [
        &[][..],
        &["--wrong"],
        &["--workers"],
        &["wrong"],
        &["completion"],
        &["diff"],
        &["diff", "old.c1z", "--format", "xml"],
        &["diff", "old.c1z"],
        &["diff", "old.c1z", "pebble.c1z"],
        &["diff", "old.c1z", "text.txt"],
        &["diff", "old.c1z", "none.c1z"],
        &["access", "old.c1z", "--user", "ada"],
        &["access", "old.c1z", "--role", "x"],
        &["access", "old.c1z", "--sync", "x"],
        &["access", "pebble.c1z"],
        &["access", "old.c1z", "--output", "none/access.html", "--format", "html"],
        &["access", "old.c1z", "--output", "old.c1z"],
        &["access", "old.c1z", "--title", "x"],
        &["--northflank-api-token", "nf 1"],
        &["--northflank-api-token=nf-1", "--northflank-base-url", "http://api.northflank.com"],
        &["--northflank-api-token=nf-1", "-f", "text.txt"],
        &["--northflank-api-token=nf-1", "-f", "pebble.c1z"],
        &["--northflank-api-token=nf-1", "-f", "none/sync.c1z"],
        &["--northflank-api-token=nf-1", "--storage-engine", "pebble"],
        &["--northflank-api-token=nf-1", "--client-secret", "secret"],
        &["--northflank-api-token=nf-1", "--sync-resources", "admin"],
        &[
            "--northflank-api-token=nf-1",
            "--sync-resources=role/admin",
            "--sync-resource-types=user",
        ],
        &["--northflank-api-token=nf-1", "--diff", "--skip-grants"],
    ] {
        let run = room.connector().variable("BATON_LOG_LEVEL", "error").arguments(arguments).run();
        assert_eq!(run.stdout(), "");
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
        let code = run.code().unwrap();
        let arguments = arguments.join(" ");
        write!(text, "$ baton-northflank {arguments}\n{}[exit code {code}]\n\n", run.stderr())
            .unwrap();
    }
    let text = text.replace(room.path().to_str().unwrap(), "[directory]");
    assert_text("text_errors", &text);
}
