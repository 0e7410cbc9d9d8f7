//! Teams, their roles and API tokens, for those who ask for them: all of it or nothing, and not a
//! byte or a request without.

use std::collections::BTreeMap;

use baton_northflank::baton::find;
use baton_northflank::baton::v2::{Resource, SecretTrait};
use fake_northflank::{
    Action, Emails, Endpoint, FakeNorthflank, Options, Organization, Permissions, RestrictedTeam,
    Restrictions, Role, Rule, Schema, Size, Times, Token, Whoami,
};
use prost_types::value::Kind;

use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::trial::organization_with_teams;
use crate::harness::{Run, TestDir, expected};

const TEAMS: &[&str] = &["--sync-teams"];
const ALL: &[&str] = &["--sync-teams", "--sync-secrets"];

fn organization() -> Organization {
    let size = Size { members: 150, roles: 5, groups: 3, memberships: 300 };
    let mut organization = organization_with_teams(size);
    organization.roles.iter_mut().for_each(|role| role.restrictions = Restrictions::default());
    organization
}

fn serve(organization: Organization) -> FakeNorthflank {
    let options = Options { rate_limit: None, ..Options::default() };
    FakeNorthflank::start(organization, options).unwrap()
}

fn run(fake: &FakeNorthflank, room: &TestDir, arguments: &[&str]) -> Run {
    room.connector_to(fake).arguments(arguments).run()
}

/// Syncs into a file of its own.
fn synced(fake: &FakeNorthflank, arguments: &[&str]) -> (TestDir, SyncFile) {
    let room = TestDir::new();
    run(fake, &room, arguments).expect_success();
    fake.assert_no_violations();
    let file = SyncFile::open(&room.file("sync.c1z"));
    (room, file)
}

fn fact(resource: &Resource, key: &str) -> Option<Kind> {
    resource.profile.as_ref()?.fields.get(key)?.kind.clone()
}

fn text(text: &str) -> Kind {
    Kind::StringValue(text.to_owned())
}

/// Requests for lists that have to be asked for.
fn further_requests(fake: &FakeNorthflank) -> BTreeMap<Endpoint, usize> {
    let mut requests = fake.requests_per_endpoint();
    requests.retain(|endpoint, _| *endpoint >= Endpoint::Teams);
    requests
}

#[test]
fn without_being_asked_for_teams_cost_no_request_and_no_byte() {
    let with = serve(organization());
    let without = serve(Organization { teams: Vec::new(), tokens: Vec::new(), ..organization() });
    let limited = with.add_token(Token::new(Permissions::WITHOUT_TEAMS));
    for arguments in
        [&[][..], &["--sync-resource-types=role,user"], &["--sync-resources=role/auditor"]]
    {
        let contents = [&with, &without].map(|fake| {
            let room = TestDir::new();
            let connector = room.connector_to(fake).arguments(arguments);
            let connector = if fake.origin() == with.origin() {
                connector.variable("BATON_NORTHFLANK_API_TOKEN", &limited)
            } else {
                connector
            };
            connector.run().expect_success();
            let file = SyncFile::open(&room.file("sync.c1z"));
            (file.content(), file.column("select sync_token from v1_sync_runs"))
        });
        assert!(contents[0] == contents[1], "{arguments:?}");
        assert!(!contents[0].1[0].contains("types\":"), "{:?}", contents[0].1);
    }
    assert!(further_requests(&with).is_empty());
}

#[test]
fn a_sync_takes_exactly_the_requests_that_its_lists_take() {
    let fake = serve(organization());
    let (today, teams, tokens) = (
        organization().requests(),
        organization().requests_for_teams(),
        organization().requests_for_tokens(),
    );
    let list_of_teams = 1;
    for (arguments, expected) in [
        (&[][..], today),
        (TEAMS, today + teams),
        (ALL, today + teams + tokens),
        (&["--sync-secrets"], today + list_of_teams + tokens),
        (&["--sync-resource-types=group,role,user,team-role"], today + teams),
    ] {
        let before = fake.requests();
        synced(&fake, arguments);
        assert_eq!(fake.requests() - before, expected, "{arguments:?}");
        let room = TestDir::new();
        let check = room.connector_to(&fake).arguments(["check"]).arguments(arguments).run();
        let said = check.stdout().lines().last().unwrap();
        let requests = said.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap();
        assert!(requests <= expected && requests + 20 >= expected, "{said}, {expected}");
    }
}

#[test]
fn team_alone_reads_no_roles_of_teams_and_roles_bring_their_teams_along() {
    let fake = serve(organization());
    let (_room, file) = synced(&fake, &["--sync-resource-types=team,user"]);
    assert!(!further_requests(&fake).contains_key(&Endpoint::TeamRoles));
    assert!(file.resource_keys().contains("team:team-0"));
    let (_room, file) = synced(&fake, &["--sync-resource-types=team-role,user"]);
    let keys = file.resource_keys();
    assert!(keys.contains("team:team-0") && keys.contains("team-role:team-0/admin"), "{keys:?}");
    let token = file.column("select sync_token from v1_sync_runs").concat();
    assert!(token.contains(r#""reduced_to":"only the types user""#), "{token}");
    assert!(token.contains(r#""types":["team","team-role"]"#), "{token}");
}

#[test]
fn everybody_in_a_team_holds_it_and_whoever_is_in_no_list_is_a_user_all_the_same() {
    let fake = serve(organization());
    let (_room, file) = synced(&fake, TEAMS);
    let (resources, grants) = (file.resources(), file.grants());
    assert_eq!(file.resource_keys(), expected::resources_with_teams(&organization()));
    assert_eq!(grants, expected::grants_with_teams(&organization()));
    for team in &organization().teams {
        let row = &resources[&format!("team:{}", team.id)];
        assert_eq!(fact(row, "members_without_id"), Some(Kind::NumberValue(1.0)));
    }
    let children =
        "select parent_resource_type_id || ':' || parent_resource_id || ' ' || external_id
        from v1_resources where parent_resource_id is not null order by 1";
    assert_eq!(file.column(children)[0], "team:team-0 team-role:team-0/admin");
    let role = &resources["team-role:team-0/admin"];
    assert_eq!(role.display_name, "Team 0: Admin");
    assert_eq!(role.parent_resource_id.as_ref().unwrap().resource, "team-0");
    for (outsider, status) in [("outsider-0", 1), ("outsider-2", 2)] {
        let outsider = &resources[&format!("user:{outsider}")];
        assert_eq!(fact(outsider, "organization_member"), Some(Kind::BoolValue(false)));
        assert_eq!(outsider.status.as_ref().unwrap().status, status);
    }
    let members = organization().members.into_iter().filter(|member| member.listed);
    for member in members {
        let member = &resources[&format!("user:{}", member.id)];
        assert_eq!(fact(member, "organization_member"), None);
    }
}

#[test]
fn whom_a_role_of_the_organization_names_is_told_by_that_and_not_by_a_team() {
    let mut organization = organization();
    organization.roles[0].explicit.push("outsider-0".to_owned());
    let (_room, file) = synced(&serve(organization), TEAMS);
    let named = &file.resources()["user:outsider-0"];
    assert_eq!(fact(named, "organization_member"), None);
    let status = named.status.as_ref().unwrap();
    assert_eq!((status.status, &*status.details), (0, "not in the organization's member list"));
}

#[test]
fn members_without_an_id_are_told_once_for_each_team() {
    let (fake, room) = (serve(organization()), TestDir::new());
    let run = run(&fake, &room, TEAMS).expect_success();
    for team in 0..3 {
        let told = run
            .stderr()
            .lines()
            .filter(|line| line.contains("gives no id") && line.contains(&format!("team-{team}")));
        assert_eq!(told.count(), 1, "{}", run.stderr());
    }
}

#[test]
fn active_tokens_tell_their_times_their_role_and_their_creator_where_only_one_can_be() {
    let mut organization = organization();
    let creator = organization.members[0].clone();
    let address = creator.emails.last().unwrap().address.clone();
    let (_room, file) = synced(&serve(organization.clone()), ALL);
    let resources = file.resources();
    let tokens = resources.keys().filter(|key| key.starts_with("api-token:"));
    assert_eq!(tokens.count(), 16, "four of each of four owners, and none that is revoked");
    let own = &resources["api-token:@organization/deploy"];
    assert_eq!(own.parent_resource_id, None);
    assert_eq!(fact(own, "creator_email"), Some(text(&address)));
    assert_eq!(
        (fact(own, "role_id"), fact(own, "role_type")),
        (Some(text("admin")), Some(text("org")))
    );
    let secret: SecretTrait = find(&own.annotations).unwrap();
    assert_eq!(secret.created_by_id.unwrap().resource, creator.id);
    assert!(secret.expires_at.is_some() && secret.last_used_at.is_some());
    let of_team = &resources["api-token:team-1/forever"];
    assert_eq!(of_team.parent_resource_id.as_ref().unwrap().resource, "team-1");
    let secret: SecretTrait = find(&of_team.annotations).unwrap();
    assert_eq!(
        (secret.expires_at, secret.created_by_id.unwrap().resource),
        (None, "outsider-1".into())
    );
    for made_by_nobody_known in ["unused", "bare"] {
        let token = &resources[&format!("api-token:team-1/{made_by_nobody_known}")];
        let secret: SecretTrait = find(&token.annotations).unwrap();
        assert_eq!(secret.created_by_id, None);
    }
    assert!(!file.grants().keys().any(|id| id.contains("api-token")));
    // Two who have shown to own it: it may be either.
    organization.members[1].emails = creator.emails.clone();
    organization.members[1].emails.last_mut().unwrap().verified = true;
    let (_room, file) = synced(&serve(organization), ALL);
    let own = &file.resources()["api-token:@organization/deploy"];
    let secret: SecretTrait = find(&own.annotations).unwrap();
    assert_eq!(secret.created_by_id, None);
}

#[test]
fn without_teams_a_teams_token_has_no_parent_in_the_file() {
    let (_room, file) = synced(&serve(organization()), &["--sync-secrets"]);
    let resources = file.resources();
    assert!(!resources.contains_key("team:team-1"));
    assert_eq!(resources["api-token:team-1/deploy"].parent_resource_id, None);
}

#[test]
fn every_missing_permission_is_named_and_what_could_not_be_checked() {
    let fake = serve(organization());
    let refused = |permissions: Permissions, arguments: &[&str]| {
        let (room, token) = (TestDir::new(), fake.add_token(Token::new(permissions)));
        let connector = room.connector_to(&fake).arguments(arguments);
        let run = connector.variable("BATON_NORTHFLANK_API_TOKEN", &token).run();
        assert!(room.names().is_empty(), "{:?}", room.names());
        run.expect_failure(exit_code::PERMISSION_DENIED, &["may not read"]).error().to_owned()
    };
    let all = Permissions::ALL;
    let error =
        refused(Permissions { team_members: false, team_roles: false, tokens: false, ..all }, ALL);
    for part in [
        "team members (needs Account > Admin > Members > Read",
        "team roles (needs Account > Admin > Roles > Read",
        "API tokens (needs Account > Admin > ApiTokens > Read",
        "teams' API tokens (needs Account > Admin > ApiTokens > Read",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refused(Permissions { teams: false, ..all }, TEAMS);
    for part in [
        "teams (needs Organisation > Team > General > Read",
        "whether it may read team members (needs Account > Admin > Members > Read) and team roles \
         (needs Account > Admin > Roles > Read) couldn't be checked",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refused(Permissions { members: false, team_roles: false, ..all }, TEAMS);
    assert!(error.contains("Organisation > Admin > Members > Read"), "{error}");
    assert!(error.contains("team roles (needs"), "{error}");
}

#[test]
fn a_token_whose_role_is_restricted_to_some_teams_is_refused_where_teams_are_read() {
    for more_roles in [0, 130] {
        let mut organization = organization();
        let at = organization.roles.len() - 1;
        organization.roles[at].restrictions = Restrictions {
            enabled: true,
            teams: vec![RestrictedTeam { id: "team-0".into(), projects: None }],
        };
        for number in 0..more_roles {
            let id = format!("r-{number}");
            organization.roles.insert(0, Role { name: id.clone(), id, ..Role::default() });
        }
        let fake = serve(organization);
        let only_teams = Some(vec!["team-0".to_owned()]);
        let token = fake.add_token(Token { only_teams, ..Token::new(Permissions::ALL) });
        for arguments in [TEAMS, &["--sync-secrets"], &["--sync-resource-types=team,user"]] {
            let room = TestDir::new();
            let connector = room.connector_to(&fake).arguments(arguments);
            let run = connector.variable("BATON_NORTHFLANK_API_TOKEN", &token).run();
            run.expect_failure(exit_code::PERMISSION_DENIED, &["restricted to team-0", "Auditor"]);
            assert!(!room.file("sync.c1z").exists());
        }
        let room = TestDir::new();
        let connector = room.connector_to(&fake);
        connector.variable("BATON_NORTHFLANK_API_TOKEN", &token).run().expect_success();
    }
}

#[test]
fn what_may_be_missing_is_warned_of() {
    let (mut organization, room) = (organization(), TestDir::new());
    organization.roles[0].restrictions = Restrictions {
        enabled: true,
        teams: vec![RestrictedTeam { id: "hidden".into(), projects: None }],
    };
    let role = organization.roles[0].id.clone();
    let fake = serve(organization.clone());
    let told = run(&fake, &room, TEAMS).expect_success();
    let lacks = |line: &&str| line.contains("doesn't list") && line.contains("hidden");
    let lines: Vec<_> = told.stderr().lines().filter(lacks).collect();
    assert!(lines.len() == 1 && lines[0].contains(&role), "{}", told.stderr());
    assert!(!told.stderr().contains("can't be known"), "{}", told.stderr());
    for whoami in [Whoami::Absent, Whoami::Odd] {
        let options = Options { whoami, ..Options::default() };
        let fake = FakeNorthflank::start(organization.clone(), options).unwrap();
        let told = run(&fake, &TestDir::new(), TEAMS).expect_success();
        let count = told.stderr().matches("is complete can't be known").count();
        assert_eq!(count, 1, "{}", told.stderr());
    }
}

#[test]
fn a_team_whose_lists_refuse_later_ends_the_sync_with_its_name() {
    let refusal = r#"{"error":{"status":403,"message":"Forbidden"}}"#;
    for (endpoint, id) in [
        (Endpoint::TeamMembers, "team-1"),
        (Endpoint::TeamRoles, "team-1"),
        (Endpoint::TeamRoleMembers, "team-1/admin"),
        (Endpoint::TeamTokens, "team-1"),
    ] {
        let (fake, room) = (serve(organization()), TestDir::new());
        fake.script(Rule::every(endpoint, Action::json(403, refusal)).of(id));
        let parts = ["team Team 1 (team-1) can't be read", "403 Forbidden"];
        run(&fake, &room, ALL).expect_failure(exit_code::PERMISSION_DENIED, &parts);
        assert!(!room.file("sync.c1z").exists());
        // It is there all the same.
        fake.unscript();
        fake.script(Rule::every(endpoint, Action::json(404, refusal)).of(id));
        run(&fake, &room, ALL).expect_failure(exit_code::UNKNOWN, &["still listed"]);
        fake.unscript();
        run(&fake, &room, ALL).expect_success();
    }
}

#[test]
fn a_team_that_is_deleted_meanwhile_is_left_out_whole() {
    let gone = |fake: &FakeNorthflank, endpoint, id: &str| {
        let deletion = |organization: &mut Organization| {
            organization.teams.retain(|team| team.id != "team-1");
        };
        fake.script(Rule::every(endpoint, Action::mutate(deletion)).of(id).once());
    };
    for (endpoint, id) in [
        (Endpoint::TeamMembers, "team-1"),
        (Endpoint::TeamRoles, "team-1"),
        (Endpoint::TeamRoleMembers, "team-1/admin"),
        (Endpoint::TeamTokens, "team-1"),
    ] {
        let fake = serve(organization());
        gone(&fake, endpoint, id);
        let (_room, file) = synced(&fake, ALL);
        let keys = file.resource_keys();
        let left: Vec<_> = keys.iter().filter(|key| key.contains("team-1")).collect();
        assert!(left.is_empty(), "{endpoint:?}: {left:?}");
        assert!(!keys.contains("user:outsider-1"), "{endpoint:?}");
        assert!(keys.contains("team-role:team-2/admin"));
    }
}

#[test]
fn some_of_it_is_synced_by_id_with_what_it_belongs_to() {
    let fake = serve(organization());
    let (_room, file) = synced(&fake, &["--sync-resources=team-role/team-1/admin"]);
    let keys = file.resource_keys();
    for key in ["team-role:team-1/admin", "team:team-1", "user:outsider-1"] {
        assert!(keys.contains(key), "{key}: {keys:?}");
    }
    assert!(!keys.contains("team:team-0") && !keys.contains("team-role:team-1/owner"));
    let requests = further_requests(&fake);
    for endpoint in [Endpoint::TeamMembers, Endpoint::TeamRoles, Endpoint::TeamRoleMembers] {
        assert_eq!(requests.get(&endpoint), Some(&1), "{endpoint:?}");
    }
    assert_eq!(file.column("select sync_type from v1_sync_runs"), ["partial"]);
    // Nothing is asked for an id that can be none.
    let requests = fake.requests();
    for id in ["team-role/admin", "team-role/team-1/", "team-role//admin", "api-token/ci"] {
        let arguments = ["--sync-secrets", "--sync-resources", id];
        let said = "what belongs to a team is given with its team";
        run(&fake, &TestDir::new(), &arguments)
            .expect_failure(exit_code::INVALID_ARGUMENT, &[said]);
    }
    assert_eq!(fake.requests(), requests);
    for (wanted, parts) in [
        (
            "team-role/team-1/admn",
            &["no team-role \"team-1/admn\"", "did you mean team-1/admin?"][..],
        ),
        ("team/team-9", &["no team \"team-9\"", "did you mean team-"]),
        ("team-role/tean-1/admin", &["no team-role \"tean-1/admin\"", "did you mean team-1/admin"]),
    ] {
        let room = TestDir::new();
        run(&fake, &room, &["--sync-resources", wanted])
            .expect_failure(exit_code::INVALID_ARGUMENT, parts);
        assert!(room.names().is_empty());
    }
}

#[test]
fn a_run_goes_on_from_each_list_that_another_has_read() {
    let whole = synced(&serve(organization()), ALL).1.content();
    let error = r#"{"error":{"status":418,"message":"tea","id":"nf-teapot"}}"#;
    for endpoint in [
        Endpoint::TeamMembers,
        Endpoint::TeamRoles,
        Endpoint::TeamRoleMembers,
        Endpoint::TeamTokens,
    ] {
        let (fake, room) = (serve(organization()), TestDir::new());
        let one_at_a_time = [ALL, &["--workers", "0"]].concat();
        fake.script(Rule::every(endpoint, Action::json(418, error)).of_last_team(endpoint));
        run(&fake, &room, &one_at_a_time).expect_failure(exit_code::UNKNOWN, &["418"]);
        fake.unscript();
        let begun = fake.journal().len();
        let told = run(&fake, &room, &one_at_a_time).expect_success();
        assert!(told.stderr().contains("going on from an interrupted sync"), "{endpoint:?}");
        assert!(SyncFile::open(&room.file("sync.c1z")).content() == whole, "{endpoint:?}");
        let again: Vec<_> =
            fake.journal()[begun..].iter().map(|request| request.target.clone()).collect();
        let repeated = |path: &str| again.iter().any(|target| target.starts_with(path));
        assert!(!repeated("/v1/teams/team-1/members") || endpoint == Endpoint::TeamMembers);
    }
}

trait LastTeam {
    fn of_last_team(self, endpoint: Endpoint) -> Self;
}

impl LastTeam for Rule {
    fn of_last_team(self, endpoint: Endpoint) -> Self {
        self.of(if endpoint == Endpoint::TeamRoleMembers { "team-2/unheld" } else { "team-2" })
    }
}

#[test]
fn odd_shapes_of_the_new_answers_cost_no_more_than_what_they_would_say() {
    let schemas = [
        Schema { minimal: true, ..Schema::default() },
        Schema { nulls: true, ..Schema::default() },
        Schema { malformed: true, ..Schema::default() },
        Schema { half_surrogates: true, extra_fields: true, ..Schema::default() },
        Schema { emails: Emails::Strings, times: Times::Invalid, ..Schema::default() },
        Schema { emails: Emails::Mixed, unknown_values: true, ..Schema::default() },
    ];
    let (_room, plain) = synced(&serve(organization()), ALL);
    for schema in schemas {
        let options = Options { schema, rate_limit: None, ..Options::default() };
        let fake = FakeNorthflank::start(organization(), options).unwrap();
        let (_room, file) = synced(&fake, ALL);
        assert_eq!(file.resource_keys(), plain.resource_keys());
    }
}

#[test]
fn ids_that_would_be_taken_for_others_are_refused() {
    for id in ["a/b", "@organization", "a:b", ".."] {
        let mut organization = organization();
        organization.teams[1].id = id.to_owned();
        let (fake, room) = (serve(organization), TestDir::new());
        run(&fake, &room, TEAMS).expect_failure(exit_code::UNKNOWN, &["the team with the id"]);
        assert!(!room.file("sync.c1z").exists());
    }
    let mut organization = organization();
    organization.teams[1].roles[0].id = "o:w".to_owned();
    let (fake, room) = (serve(organization), TestDir::new());
    run(&fake, &room, TEAMS).expect_failure(exit_code::UNKNOWN, &["the team role with the id"]);
}

#[test]
fn syncs_of_other_types_are_no_syncs_before_and_take_no_place_of_each_other() {
    let (fake, room) = (serve(organization()), TestDir::new());
    run(&fake, &room, &[]).expect_success();
    let diff = &["--sync-teams", "--diff", "--require-baseline"];
    let told = run(&fake, &room, diff);
    assert_eq!(told.code(), Some(exit_code::INVALID_ARGUMENT), "{}", told.stderr());
    assert!(told.stderr().contains("holds no earlier sync with team, team-role"));
    let told = run(&fake, &room, diff);
    assert_eq!(told.code(), Some(0), "{}", told.stderr());
    run(&fake, &room, &["--diff", "--require-baseline", "--exit-code"]);
    assert_eq!(SyncFile::open(&room.file("sync.c1z")).syncs().len(), 4);
}

#[test]
fn check_says_what_can_be_read_of_what_is_selected_and_shows_shapes_without_a_value() {
    let fake = serve(organization());
    let check = |arguments: &[&str], permissions: Permissions| {
        let (room, token) = (TestDir::new(), fake.add_token(Token::new(permissions)));
        let connector = room.connector_to(&fake).arguments(["check"]).arguments(arguments);
        connector.variable("BATON_NORTHFLANK_API_TOKEN", token).run()
    };
    let plain = check(&[], Permissions::WITHOUT_TEAMS);
    assert_eq!(plain.code(), Some(0), "{}", plain.stderr());
    assert!(!plain.stdout().contains("Team") && further_requests(&fake).is_empty());
    let all = check(ALL, Permissions::ALL);
    for line in
        ["Teams             readable, 3", "Team roles        readable, 4 in the team team-0"]
    {
        assert!(all.stdout().contains(line), "{}", all.stdout());
    }
    let refused = check(TEAMS, Permissions { teams: false, ..Permissions::ALL });
    assert_eq!(refused.code(), Some(exit_code::PERMISSION_DENIED));
    assert!(
        refused.stdout().contains("unknown, teams can't be listed; needs Account > Admin > Roles")
    );
    let shapes = check(&["--shapes", "--sync-teams", "--sync-secrets"], Permissions::ALL);
    for path in
        ["GET /v1/teams\"", "GET /v1/teams/{}/members", "GET /v1/teams/{}/roles", "GET /v1/tokens"]
    {
        assert!(shapes.stdout().contains(path), "{path}: {}", shapes.stdout());
    }
    for value in ["team-0", "Team 0", "acme", "outsider", "deploy"] {
        assert!(!shapes.stdout().contains(value), "{value}");
    }
}
