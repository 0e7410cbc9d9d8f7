//! Northflank's own clients, for JavaScript and for Python, read the fake, and find the whole
//! organization.
//!
//! One needs Node and `npm ci --prefix tests/js-client`, the other a virtual environment in
//! `target/py-client` with `tests/py-client/requirements.txt`; `.ci/run` makes both.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fake_northflank::{
    ApiToken, BothTypes, CursorStyle, DirectoryUser, FakeNorthflank, Options, Organization,
    Permissions, Profile, Size, Token, Word,
};
use serde_json::{Value, json};

/// One of Northflank's own clients.
#[derive(Debug, Clone, Copy)]
enum Client {
    JavaScript,
    Python,
}

use Client::{JavaScript, Python};

impl Client {
    /// What it lists of what is served, as `token`.
    fn list(self, fake: &FakeNorthflank, token: &str) -> Value {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = match self {
            JavaScript => {
                let mut command = Command::new("node");
                command.current_dir(tests.join("js-client")).arg("list.mjs");
                command
            }
            Python => {
                let mut command = Command::new(tests.join("../target/py-client/bin/python"));
                command.current_dir(tests.join("py-client")).arg("list.py");
                command
            }
        };
        let output = command.args([&fake.origin(), token]).output();
        let output = output.expect("the client is needed; see .ci/run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn ids(rows: &Value) -> Vec<Option<&str>> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str()).collect()
}

/// Everything that the organization holds is listed, once each, in its order.
fn check(client: Client, organization: &Organization, options: Options) {
    let both_types = options.both_types;
    let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
    let listed = client.list(&fake, fake.token());
    fake.assert_no_violations();
    let members = organization.members.iter().filter(|member| member.listed);
    let expected: Vec<_> = members.clone().map(|member| Some(member.id.as_str())).collect();
    assert_eq!(ids(&listed["members"]), expected);
    for (row, member) in listed["members"].as_array().unwrap().iter().zip(members) {
        assert_eq!(row["name"].as_str(), member.name.as_deref());
        assert_eq!(row["finalized"], member.finalized);
        assert_eq!(row["joinedAt"].as_str(), member.joined_at.as_deref());
        assert_eq!(row["lastLoginTime"].as_str(), member.last_login.as_deref());
        let emails = row["emails"].as_array().unwrap().iter();
        let emails: Vec<_> =
            emails.map(|email| (&email["address"], email["verified"] == true)).collect();
        let expected = member.emails.iter().map(|email| (email.address.as_str(), email.verified));
        assert!(
            emails.iter().map(|(address, known)| (address.as_str().unwrap(), *known)).eq(expected)
        );
    }

    let expected: Vec<_> = organization.roles.iter().map(|role| Some(role.id.as_str())).collect();
    assert_eq!(ids(&listed["roles"]), expected);
    for (row, role) in listed["roles"].as_array().unwrap().iter().zip(&organization.roles) {
        assert_eq!(row["name"], role.name.as_str());
        assert_eq!(row["restrictions"]["enabled"], role.restrictions.enabled);
        let linked = row["directoryGroups"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(linked.iter().map(|id| id.as_str().unwrap()).eq(&role.directory_groups));
        let rows = listed["roleMembers"][&role.id].as_array().unwrap();
        let served: BTreeSet<_> = rows
            .iter()
            .map(|row| (row["id"].as_str().unwrap(), row["type"].as_str().unwrap()))
            .collect();
        assert_eq!(served.len(), rows.len(), "no row twice");
        let holders = organization.role_members(role);
        let expected: BTreeSet<_> = holders
            .iter()
            .flat_map(|holder| {
                let implicit =
                    holder.implicit && (!holder.explicit || both_types == BothTypes::TwoRows);
                let explicit = holder.explicit.then_some((holder.id, "explicit"));
                explicit.into_iter().chain(implicit.then_some((holder.id, "implicit")))
            })
            .collect();
        assert_eq!(served, expected, "{}", role.id);
    }

    let expected: Vec<_> =
        organization.groups.iter().map(|group| Some(group.id.as_str())).collect();
    assert_eq!(ids(&listed["groups"]), expected);
    for (row, group) in listed["groups"].as_array().unwrap().iter().zip(&organization.groups) {
        assert_eq!((&row["name"], &row["idpId"]), (&(*group.name).into(), &(*group.idp_id).into()));
        let expected: Vec<_> = group
            .users
            .iter()
            .map(|user| match user {
                DirectoryUser::Account(id) => Some(id.as_str()),
                DirectoryUser::Unprovisioned { .. } => None,
            })
            .collect();
        assert_eq!(ids(&listed["groupMembers"][&group.id]), expected, "{}", group.id);
    }
}

/// Everything that teams hold is listed, and by the client that knows of them, all tokens.
fn check_teams(client: Client) {
    let organization = generated().with_teams(7, 3);
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    let listed = client.list(&fake, fake.token());
    fake.assert_no_violations();
    let people = |users: &[DirectoryUser]| -> Vec<Option<String>> {
        let id = |user: &DirectoryUser| match user {
            DirectoryUser::Account(id) => Some(id.clone()),
            DirectoryUser::Unprovisioned { .. } => None,
        };
        users.iter().map(id).collect()
    };
    let listed_ids = |rows: &Value| -> Vec<Option<String>> {
        ids(rows).into_iter().map(|id| id.map(str::to_owned)).collect()
    };
    let active = |tokens: &[ApiToken]| -> Vec<Option<String>> {
        let active = tokens.iter().filter(|token| !token.is_revoked);
        active.map(|token| Some(token.id.clone())).collect()
    };
    assert_eq!(listed["teams"].as_array().unwrap().len(), 3);
    for (row, team) in listed["teams"].as_array().unwrap().iter().zip(&organization.teams) {
        assert_eq!((&row["id"], &row["name"]), (&(*team.id).into(), &(*team.name).into()));
        assert_eq!(listed_ids(&listed["teamMembers"][&team.id]), people(&team.members));
        for role in &team.roles {
            let key = format!("{}/{}", team.id, role.id);
            assert_eq!(listed_ids(&listed["teamRoleMembers"][&key]), people(&role.holders));
        }
        if matches!(client, Python) {
            assert_eq!(listed_ids(&listed["tokens"][&team.id]), active(&team.tokens));
        }
    }
    if matches!(client, Python) {
        assert_eq!(listed_ids(&listed["tokens"][""]), active(&organization.tokens));
    }
}

fn generated() -> Organization {
    let size = Size { members: 321, roles: 60, groups: 12, memberships: 2_500 };
    Organization::generate(5, size)
}

#[test]
#[ignore = "needs Node and tests/js-client/node_modules; .ci/run has both"]
fn the_javascript_client_lists_the_demos_organization() {
    for profile in [Profile::Lenient, Profile::Strict] {
        check(JavaScript, &Organization::demo(), Options { profile, ..Options::default() });
    }
}

#[test]
#[ignore = "needs Node and tests/js-client/node_modules; .ci/run has both"]
fn the_javascript_client_lists_an_organization_of_many_pages() {
    check_pages(JavaScript);
    check_teams(JavaScript);
}

#[test]
#[ignore = "needs Python and target/py-client; .ci/run has both"]
fn the_python_client_lists_the_demos_organization() {
    for profile in [Profile::Lenient, Profile::Strict] {
        check(Python, &Organization::demo(), Options { profile, ..Options::default() });
    }
}

#[test]
#[ignore = "needs Python and target/py-client; .ci/run has both"]
fn the_python_client_lists_an_organization_of_many_pages() {
    check_pages(Python);
    check_teams(Python);
    // Only this client goes on by number.
    check(Python, &generated(), Options { word: Word::WithoutCursor, ..Options::default() });
}

#[test]
#[ignore = "needs Python and target/py-client; .ci/run has both"]
fn the_python_client_reads_whose_token_it_has() {
    let fake = FakeNorthflank::start(Organization::default(), Options::default()).unwrap();
    let auth = |token| Python.list(&fake, &fake.add_token(token))["auth"].clone();
    let known = auth(Token::new(Permissions::ALL));
    assert_eq!(known["entityType"], "org");
    assert_eq!(known["entityId"], "acme");
    assert_eq!(known["role"]["name"], "Auditor");
    let permissions = json!({"orgScope": ["os_admin_members_read", "os_admin_roles_read"]});
    assert_eq!(known["permissions"], permissions);
    assert_eq!(known.get("expiresAt"), None);
    let expiring = Token { expires_at: Some(60), ..Token::new(Permissions::ALL) };
    assert!(auth(expiring)["expiresAt"].as_str().unwrap().ends_with('Z'));
}

/// Pages in every form that both clients read to the end.
fn check_pages(client: Client) {
    let check = |options| check(client, &generated(), options);
    check(Options::default());
    check(Options { cursors: CursorStyle::Long, ..Options::default() });
    let both_types = BothTypes::TwoRows;
    check(Options { both_types, chunked: true, gzip: false, ..Options::default() });
    // Neither takes `hasNextPage` for the end where there is a cursor.
    for word in [Word::AlwaysFalse, Word::FalseUntilEmpty, Word::StrayCursor] {
        check(Options { word, ..Options::default() });
    }
    check(Options { empty_pages: 2, ..Options::default() });
}
