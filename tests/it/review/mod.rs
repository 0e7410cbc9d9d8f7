//! Access judged by rules, as the binary does it.

mod baselines;
mod demands;
mod outputs;
mod page;
mod properties;
mod rules;
mod unfit;

use std::fs;

use fake_northflank::{FakeNorthflank, Options, Organization};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::harness::{Run, TestDir};

/// A room with a file `sync.c1z` of the organization.
fn synced(organization: &Organization) -> TestDir {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(organization.clone(), Options::default()).unwrap();
    room.connector_to(&fake).run().expect_success();
    room
}

/// A day on which an exception may end.
fn in_a_month() -> String {
    (OffsetDateTime::now_utc().date() + Duration::days(30)).to_string()
}

/// What `review` says of the room's file by these rules, with `arguments` besides.
fn review(room: &TestDir, rules: &str, arguments: &[&str]) -> Run {
    fs::write(room.file("rules.yaml"), rules).unwrap();
    let call = ["review", "--rules", "rules.yaml"];
    room.connector().arguments([&call, arguments].concat()).run()
}

/// A file of rules with these lines as its rules, each one in braces.
fn of_rules(rules: &[&str]) -> String {
    let rules = rules.iter().map(|rule| format!("  - {{{rule}}}\n"));
    format!("version: 1\nrules:\n{}", rules.collect::<String>())
}

/// What is found, as JSON has it.
fn found(room: &TestDir, rules: &str, arguments: &[&str]) -> Value {
    let run = review(room, rules, &[arguments, &["--output", "json=-"]].concat());
    assert!(matches!(run.code(), Some(0 | 21)), "{}", run.stderr());
    serde_json::from_str(run.stdout()).unwrap()
}

/// Demand and principal or resource of each finding that isn't suppressed, in the order told.
fn open(told: &Value) -> Vec<(String, String)> {
    let findings = told["findings"].as_array().unwrap().iter();
    let open = findings.filter(|finding| finding["suppressed"].is_null());
    let of = |finding: &Value| {
        let of = ["principal", "resource"].map(|key| finding[key]["resource"].as_str());
        of[0].or(of[1]).unwrap_or("nobody").to_owned()
    };
    open.map(|it| (it["demand"].as_str().unwrap().to_owned(), of(it))).collect()
}

/// The same as texts `demand principal`, for one rule.
fn broken(room: &TestDir, rule: &str) -> Vec<String> {
    let told = found(room, &of_rules(&[&format!("id: a, {rule}")]), &[]);
    open(&told).into_iter().map(|(demand, of)| format!("{demand} {of}")).collect()
}
