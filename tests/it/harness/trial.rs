//! One run of the connector against a server with faults. Its outcome is a complete and true
//! file or none; there is nothing between.

use std::sync::OnceLock;

use fake_northflank::{Action, FakeNorthflank, Options, Organization, Role, Rule, Size};
use serde_json::json;

use super::sync_file::{Content, SyncFile};
use super::{Run, TestDir, expected};

/// What a test sends into a run.
pub struct Trial {
    pub fake: FakeNorthflank,
    pub room: TestDir,
    arguments: Vec<String>,
}

/// An organization whose longer lists have several pages.
pub fn organization() -> Organization {
    Organization::generate(5, Size { members: 230, roles: 8, groups: 4, memberships: 1_200 })
}

/// The id of one of its roles, of three pages of members.
pub fn long_role() -> String {
    let organization = organization();
    let members = |role| organization.role_members(role).len();
    let longest = organization.roles.iter().max_by_key(|role| members(role)).unwrap();
    assert!(members(longest) > 100, "two pages at least");
    longest.id.clone()
}

/// Requests of a run without faults.
pub fn requests() -> usize {
    organization().requests()
}

/// Requests that each run makes: the checks, and the members, roles and groups.
pub fn each_run() -> usize {
    let organization = organization();
    let pages = |rows: usize| rows.div_ceil(100).max(1);
    let members = organization.members.iter().filter(|member| member.listed).count();
    1 + pages(members) + pages(organization.roles.len()) + 1
}

/// An organization with three teams, their roles and tokens, and the role that the fake's tokens have.
pub fn organization_with_teams(size: Size) -> Organization {
    let mut organization = Organization::generate(3, size).with_teams(3, 3);
    organization.roles.push(Role {
        id: "auditor".into(),
        name: "Auditor".into(),
        ..Role::default()
    });
    organization
}

/// Answers with 200 that are no list of rows by the name `key`.
pub fn without_rows(key: &str) -> Vec<String> {
    let other = if key == "directoryGroups" { "members" } else { "directoryGroups" };
    let data = [
        json!(null),
        json!([{"id": "a"}]),
        json!({}),
        json!({other: []}),
        json!({key: null}),
        json!({key: {}}),
        json!({key: 3}),
        json!({key: "a"}),
        json!({key: [null]}),
        json!({key: ["a"]}),
        json!({key: [["a"]]}),
        json!({key: [{"id": 7}]}),
    ];
    let error = json!({"error": {"status": 500, "message": "a failure labelled 200"}});
    let others = ["<!doctype html><title>Hello</title>", "null", "[]", "{}"].map(str::to_owned);
    let answers = data.map(|data| json!({"data": data}).to_string());
    answers.into_iter().chain(others).chain([error.to_string()]).collect()
}

/// The list of `key` goes out without the row `id`.
pub fn unlisted(key: &'static str, id: &str) -> Action {
    let id = id.to_owned();
    Action::alter_json(move |body| {
        let rows = body["data"][key].as_array_mut().unwrap();
        rows.retain(|row| row["id"] != id.as_str());
    })
}

impl Trial {
    /// Serves the organization with these faults.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::with(Options::default(), rules)
    }

    /// Serves the organization in this way with these faults.
    pub fn with(options: Options, rules: impl IntoIterator<Item = Rule>) -> Self {
        let fake = FakeNorthflank::start(organization(), options).unwrap();
        rules.into_iter().for_each(|rule| fake.script(rule));
        Self { fake, room: TestDir::new(), arguments: Vec::new() }
    }

    /// Gives the connector arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    fn run(&self) -> Run {
        self.room.connector_to(&self.fake).arguments(&self.arguments).run()
    }

    /// Runs; asserts that the file is the one that a run without faults makes.
    pub fn succeed(&self) -> Run {
        let run = self.run().expect_success();
        self.assert_complete();
        assert_eq!(self.room.names(), ["sync.c1z"], "nothing is left behind");
        run
    }

    /// Runs; asserts the exit code, that the error says all of `parts` and that an older file
    /// is untouched.
    pub fn fail(&self, code: i32, parts: &[&str]) -> Run {
        let path = self.room.file("sync.c1z");
        std::fs::write(&path, older_file()).unwrap();
        let run = self.run().expect_failure(code, parts);
        assert!(!run.stderr().contains(self.fake.token()), "the token is shown");
        assert!(std::fs::read(&path).unwrap() == older_file(), "the older file has changed");
        run
    }

    /// The same; and the next run, without faults, makes a complete file.
    pub fn fail_then_succeed(&self, code: i32, parts: &[&str]) -> Run {
        let run = self.fail(code, parts);
        self.fake.unscript();
        self.run().expect_success();
        self.assert_complete();
        run
    }

    fn assert_complete(&self) {
        let file = SyncFile::open(&self.room.file("sync.c1z"));
        assert_eq!(file.resource_keys(), expected::resources(&organization()));
        assert_eq!(file.grants(), expected::grants(&organization()));
        assert!(file.content() == *complete(), "rows differ from those of a run without faults");
    }
}

/// The rows that a run without faults makes.
fn complete() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let fake = FakeNorthflank::start(organization(), Options::default()).unwrap();
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_success();
        assert_eq!(fake.requests(), requests());
        SyncFile::open(&room.file("sync.c1z")).content()
    })
}

/// The sync file of an organization of nobody.
fn older_file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let fake = FakeNorthflank::start(Organization::default(), Options::default()).unwrap();
        let room = TestDir::new();
        room.connector_to(&fake).run().expect_success();
        std::fs::read(room.file("sync.c1z")).unwrap()
    })
}
