//! Teams and API tokens in what is told of a file.

use fake_northflank::{DirectoryUser, FakeNorthflank, Options, Organization, Size};

use super::printed;
use crate::harness::TestDir;

/// A file of an organization with teams and tokens.
fn with_teams() -> TestDir {
    let size = Size { members: 20, roles: 3, groups: 1, memberships: 30 };
    let organization = Organization::generate(3, size).with_teams(3, 2);
    let (room, options) = (TestDir::new(), Options::default());
    let fake = FakeNorthflank::start(organization, options).unwrap();
    room.connector_to(&fake).arguments(["--sync-teams", "--sync-secrets"]).run().expect_success();
    room
}

#[test]
fn what_is_worth_a_look_of_teams_and_tokens_stands_among_the_findings() {
    let room = with_teams();
    let page = printed(&room, &["--format", "html"]);
    for part in [
        "People who are only in a team",
        "Tokens without an expiry",
        "Tokens unused for 90 days",
        "Tokens of unknown creators",
        "Tokens that act as owner",
        "gone@acme.test",
        "never used, made 2026-01-20 UTC",
        "<b>12</b> tokens",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("are not read"), "all of it is");
    let found_of = |of: &str, rule: &str| {
        let rules = format!("version: 1\nrules:\n  - {{id: a, finding: {rule}}}\n");
        std::fs::write(room.file("rules.yaml"), rules).unwrap();
        let run =
            room.connector().arguments(["review", "--rules", "rules.yaml", "--output", "json=-"]);
        let told: serde_json::Value = serde_json::from_str(run.run().stdout()).unwrap();
        let findings = told["findings"].as_array().unwrap().iter();
        let mut ids: Vec<_> =
            findings.map(|it| it[of]["resource"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let found = |rule: &str| found_of("resource", rule);
    let each =
        |token: &str| ["@organization", "team-0", "team-1"].map(|of| format!("{of}/{token}"));
    assert_eq!(found("token-without-expiry"), each("forever"));
    assert_eq!(found("token-unused, days: 30"), each("unused"));
    assert_eq!(found("token-orphaned"), each("unused"));
    assert_eq!(found("token-of-owner"), each("forever"));
    let outsiders = ["outsider-0", "outsider-1"];
    assert_eq!(found_of("principal", "team-only-people"), outsiders);
}

#[test]
fn somebody_who_is_not_in_the_organization_is_told_to_be_so() {
    let room = with_teams();
    let told: serde_json::Value =
        serde_json::from_str(&printed(&room, &["--format", "json"])).unwrap();
    let principals = told["grants"].as_array().unwrap().iter().map(|grant| &grant["principal"]);
    let id = |principal: &serde_json::Value| principal["resource"].as_str().unwrap().to_owned();
    let is_outsider = |principal: &&serde_json::Value| id(principal).starts_with("outsider-");
    for principal in principals.clone() {
        let is_said = principal["organization_member"] == false;
        assert_eq!(is_said, is_outsider(&principal), "{principal}");
    }
    let is_member = |it: &&serde_json::Value| it["resource_type"] == "user" && !is_outsider(it);
    let member = id(principals.clone().find(is_member).unwrap());
    for format in ["table", "markdown", "html"] {
        let of = |id: &str| printed(&room, &["--format", format, "--user", id]);
        assert!(of("outsider-0").contains("not in the organization"), "{format}");
        assert!(!of(&member).contains("not in the organization"), "{format}");
    }
}

#[test]
fn a_role_that_is_held_by_somebody_without_an_id_is_not_said_to_be_held_by_nobody() {
    let size = Size { members: 20, roles: 3, groups: 1, memberships: 30 };
    let mut organization = Organization::generate(3, size).with_teams(1, 1);
    let team = &mut organization.teams[0];
    let invited = team.members.last().unwrap().clone();
    assert!(matches!(invited, DirectoryUser::Unprovisioned { .. }));
    team.roles.iter_mut().find(|role| role.id == "unheld").unwrap().holders = vec![invited];
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    let room = TestDir::new();
    room.connector_to(&fake).arguments(["--sync-teams"]).run().expect_success();
    let told = "held by 1 more without an id, who can't be named";
    for format in ["table", "markdown"] {
        assert!(printed(&room, &["--format", format, "--role", "team-0/unheld"]).contains(told));
        assert!(printed(&room, &["--format", format, "--group", "team-0"]).contains(told));
    }
    let rules = "version: 1
rules:
  - {id: held, finding: roles-without-holders}
  - {id: few, any-role: true, holders: {max: 500}}
  - {id: apart, not-together: [team-0/unheld, team-0/owner]}
";
    std::fs::write(room.file("r.yaml"), rules).unwrap();
    let run = room.connector().arguments(["review", "--rules", "r.yaml"]).run();
    assert!(!run.stdout().contains("Unheld"), "{}", run.stdout());
    for rule in ["few", "apart"] {
        let warning =
            format!("{rule}: team-role Team 0: Unheld (team-0/unheld) is {told} or judged");
        assert!(run.stderr().contains(&warning), "{}", run.stderr());
    }
}

#[test]
fn every_form_lists_tokens_under_findings_where_all_is_told() {
    let room = with_teams();
    let titles = [
        "Tokens without an expiry",
        "Tokens unused for 90 days",
        "Tokens of unknown creators",
        "Tokens that act as owner",
    ];
    for format in ["table", "markdown"] {
        let told = printed(&room, &["--format", format]);
        let places = titles.map(|title| told.find(title).unwrap_or_else(|| panic!("{title}")));
        assert!(places.is_sorted(), "{format}");
        assert!(told[places[2]..].contains("team-1/unused"), "{format}: {told}");
        let of_somebody = printed(&room, &["--format", format, "--user", "outsider-0"]);
        assert!(!of_somebody.contains(titles[0]), "{format}");
    }
    let told: serde_json::Value =
        serde_json::from_str(&printed(&room, &["--format", "json"])).unwrap();
    let findings = told["findings"].as_array().unwrap().iter();
    let of_unknown: Vec<_> = findings.filter(|it| it["finding"] == "token-orphaned").collect();
    assert_eq!(of_unknown.len(), 3);
    assert_eq!(of_unknown[0]["resource"]["resource"], "@organization/unused");
    assert_eq!(of_unknown[0]["note"], "gone@acme.test");
}

#[test]
fn a_file_without_tokens_or_teams_is_not_judged_by_rules_about_them() {
    let room = super::synced(&Organization::demo());
    let page = printed(&room, &["--format", "html"]);
    assert!(!page.contains("Tokens without") && page.contains("are not read"));
    assert!(!page.contains("People who are only in a team"));
    assert!(!printed(&room, &["--format", "json"]).contains("\"findings\""));
    for (finding, what) in [("token-of-owner", "tokens"), ("team-only-people", "teams")] {
        let rules = format!("version: 1\nrules:\n  - {{id: a, finding: {finding}}}\n");
        std::fs::write(room.file("r.yaml"), rules).unwrap();
        let run = room.connector().arguments(["review", "--rules", "r.yaml"]).run();
        run.expect_failure(3, &[&format!("it has no {what}, which {finding} is about")]);
    }
}

#[test]
fn roles_of_teams_are_held_in_their_teams_and_stand_beside_each_other() {
    let room = with_teams();
    let page = printed(&room, &["--format", "html"]);
    let head =
        page.split("id=\"people-by-roles\"").nth(1).unwrap().split("</thead>").next().unwrap();
    assert_eq!(head.matches("scope=\"colgroup\"").count(), 3, "the organization's, and two teams'");
    assert!(
        head.contains(r##"<th scope="colgroup" colspan="4"><a href="#team/team-0""##),
        "{head}"
    );
    for format in ["table", "markdown", "csv", "json"] {
        let told = printed(&room, &["--format", format]);
        assert!(told.contains("Team 0: Admin"), "{format}");
    }
    let applies = "applies only in team team-0 (only project billing-db)";
    assert!(printed(&room, &["--role", "team-role/team-0/default"]).contains(applies));
    let of_role = printed(&room, &["--role", "team-role/team-0/admin"]);
    assert!(of_role.contains("outsider-0"), "{of_role}");
}

#[test]
fn what_teams_gain_and_lose_is_told_and_a_tokens_last_use_is_no_change() {
    let size = Size { members: 20, roles: 3, groups: 1, memberships: 30 };
    let organization = Organization::generate(3, size).with_teams(3, 2);
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    let room = TestDir::new();
    let all = ["--sync-teams", "--sync-secrets"];
    room.connector_to(&fake).arguments(all).run().expect_success();
    fake.mutate(|organization| {
        organization.tokens[0].last_used_at = Some("2026-11-28T08:00:00.000Z".into());
        organization.teams[1].roles[1].holders.pop();
    });
    let diff = ["--diff=json"];
    let run = room.connector_to(&fake).arguments(all.iter().chain(&diff)).run();
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    assert!(run.stdout().contains("team-role:team-1/admin:assigned:user:outsider-1"));
    assert!(!run.stdout().contains("@organization/deploy"), "{}", run.stdout());
}
