//! What breaks rules, on the page that `access` makes.

use std::fs;

use fake_northflank::{FakeNorthflank, Options, Organization};
use serde_json::Value;

use super::{found, in_a_month, of_rules, synced};
use crate::harness::exit_code;
use crate::harness::{Run, TestDir};

/// Makes the page of the room's file by these rules.
fn make(room: &TestDir, rules: &str, arguments: &[&str]) -> Run {
    fs::write(room.file("rules.yaml"), rules).unwrap();
    let call = ["access", "--format", "html", "--rules", "rules.yaml", "--output", "page.html"];
    room.connector().arguments([&call, arguments].concat()).run()
}

fn page(room: &TestDir, rules: &str) -> String {
    let run = make(room, rules, &[]);
    assert_eq!((run.code(), run.stdout()), (Some(0), ""), "{}", run.stderr());
    fs::read_to_string(room.file("page.html")).unwrap()
}

/// The section of the page that tells of rules.
fn section(page: &str) -> &str {
    let (_, rest) = page.split_once("<section id=\"rules\"").unwrap();
    rest.split_once("</section>").unwrap().0
}

/// A text as pages have it.
fn escaped(text: &str) -> String {
    [("&", "&#38;"), ("<", "&#60;"), (">", "&#62;"), ("\"", "&#34;"), ("'", "&#39;")]
        .iter()
        .fold(text.to_owned(), |text, (char, entity)| text.replace(char, entity))
}

#[test]
fn the_page_tells_the_findings_of_a_review_above_its_own() {
    let room = synced(&Organization::demo());
    let exceptions = format!(
        "exceptions:\n  - {{rule: a, principal: ada-marlow, reason: 'OPS & <1>', until: {}}}\n  \
         - {{rule: a, principal: ben-okafor, reason: done, until: 2026-01-31}}\n",
        in_a_month()
    );
    let rules = of_rules(&[
        "id: a, role: owner, only: [], why: nobody",
        "id: b, role: platform-eng, held: through-group, severity: warning",
        "id: c, finding: idle",
        "id: fine, role: owner, holders: {min: 2}",
    ]) + &exceptions;
    let page = page(&room, &rules);
    let section = section(&page);
    let told: Value = found(&room, &rules, &[]);
    let findings = told["findings"].as_array().unwrap();
    assert!(findings.len() > 8, "{told}");
    for finding in findings {
        let message = escaped(finding["message"].as_str().unwrap());
        assert!(section.contains(&message), "{message} not in {section}");
    }
    assert_eq!(section.matches("<li>").count(), findings.len());
    for rule in told["rules"].as_array().unwrap() {
        let (id, count) = (rule["id"].as_str().unwrap(), &rule["violations"]);
        let row = format!("<span class=\"figure\">{count}</span> <span><bdi>{id}</bdi>");
        assert_eq!(section.contains(&row), id != "fine", "{row} in {section}");
    }
    let (_, holds) = section.split_once("Rules that hold:").unwrap();
    assert!(holds.contains("<bdi>fine</bdi>") && !holds.contains("<bdi>a</bdi>"), "{holds}");
    assert!(section.contains(&escaped("OPS & <1>")) && section.contains("nobody"));
    // What is not accepted comes first, whatever people are called.
    let place = |text: &str| section.find(text).unwrap();
    assert!(place("Ben Okafor") < place("Ada Marlow"), "{section}");
    assert!(section.contains("its exception ended on 2026-01-31: done"));
    assert!(page.find("id=\"rules\"").unwrap() < page.find("id=\"look\"").unwrap());
}

#[test]
fn rules_that_are_wrong_or_cannot_be_judged_make_no_page() {
    let room = synced(&Organization::demo());
    let owners = of_rules(&["id: a, role: owner, only: []"]);
    for (rules, part) in [
        (of_rules(&["id: a, role: ownr, only: []"]), "did you mean owner?"),
        ("version: 1\n".to_owned(), "rules.yaml:1:1: there is no rule"),
        (owners.clone() + "max-age: 0s\n", "max-age is 0s"),
    ] {
        make(&room, &rules, &[]).expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
        assert_eq!(room.names(), ["rules.yaml", "sync.c1z"]);
    }
    for (arguments, part) in [
        (&["--format", "json", "--rules", "rules.yaml"][..], "--rules is for --format html"),
        (&["--format", "html", "--rules", "rules.yaml", "--user", "ada-marlow"], "--user"),
        (&["--format", "html", "--rules", "none.yaml"], "can't read none.yaml"),
    ] {
        let call = [&["access", "--output", "page.html"], arguments].concat();
        room.connector().arguments(call).run().expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
        assert_eq!(room.names(), ["rules.yaml", "sync.c1z"]);
    }
    let reduced = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let only = ["--sync-resource-types", "user,role"];
    reduced.connector_to(&fake).arguments(only).run().expect_success();
    make(&reduced, &owners, &[])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["doesn't cover everything"]);
    assert_eq!(reduced.names(), ["rules.yaml", "sync.c1z"]);
}

#[test]
fn a_page_does_not_take_the_place_of_its_rules() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&["id: a, role: owner, only: []"]);
    let call = ["access", "--format", "html", "--rules", "rules.yaml", "--output", "./rules.yaml"];
    fs::write(room.file("rules.yaml"), &rules).unwrap();
    room.connector()
        .arguments(call)
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["is a file that is read"]);
    assert_eq!(fs::read_to_string(room.file("rules.yaml")).unwrap(), rules);
}

#[test]
fn no_name_and_no_rule_steers_the_page() {
    let mut organization = Organization::demo();
    let name = "</bdi></li><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J";
    for member in &mut organization.members {
        member.name = Some(name.into());
    }
    organization.roles.iter_mut().for_each(|role| role.name = name.into());
    let room = synced(&organization);
    let why = "</p><script>alert(2)</script>\\u202e\\e[2J";
    let rules = of_rules(&[
        &format!("id: a, any-role: true, only: [], why: \"{why}\""),
        "id: b, any-role: true, holders: {max: 0}",
    ]) + &format!(
        "exceptions: [{{rule: a, principal: ada-marlow, reason: \"{why}\", until: {}}}]\n",
        in_a_month()
    );
    let page = page(&room, &rules);
    let section = section(&page);
    assert!(section.contains("alert(1)") && section.contains("alert(2)"));
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    let steers = |char: char| char != '\n' && char.is_control() || char == '\u{202e}';
    assert!(!section.contains(steers), "{section}");
}
