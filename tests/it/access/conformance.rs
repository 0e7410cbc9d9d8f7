//! Every row that `access` tells is one that the real `baton grants` and `baton access` show,
//! and the other way round; on our files and on those of connectors written in Go.
//!
//! Needs Go; `.ci/run` runs these, and they fail where it is missing.

use std::collections::BTreeSet;
use std::process::Command;

use fake_northflank::{Organization, Size};
use serde_json::Value;

use super::{json, printed, puzzling, synced};
use crate::harness::TestDir;
use crate::harness::reader::{baton_json, writer_of_2025};

/// Grants by id, entitlement, principal and what people call both.
type Rows = BTreeSet<[String; 7]>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What `baton grants` shows.
fn shown(room: &TestDir) -> Rows {
    let shown = baton_json(&room.file("sync.c1z"), &["grants"]);
    let rows = shown["grants"].as_array().unwrap().iter().map(|row| {
        let principal = &row["principal"]["id"];
        [
            text(&row["grant"]["id"]),
            text(&row["entitlement"]["id"]),
            text(&row["entitlement"]["slug"]),
            text(&principal["resourceType"]),
            text(&principal["resource"]),
            text(&row["principal"]["displayName"]),
            text(&row["resource"]["displayName"]),
        ]
    });
    rows.collect()
}

/// What we tell as JSON.
fn told(room: &TestDir) -> Rows {
    let told = json(room, &[]);
    let rows = told["grants"].as_array().unwrap().iter().map(|row| {
        [
            text(&row["id"]),
            text(&row["entitlement"]["id"]),
            text(&row["entitlement"]["slug"]),
            text(&row["principal"]["resource_type"]),
            text(&row["principal"]["resource"]),
            text(&row["principal"]["display_name"]),
            text(&row["entitlement"]["resource"]["display_name"]),
        ]
    });
    rows.collect()
}

/// The cells of CSV without quotes in them.
fn cells(room: &TestDir) -> Vec<Vec<String>> {
    let csv = printed(room, &["--format", "csv"]);
    let rows = csv.split("\r\n").skip(1).filter(|row| !row.is_empty());
    rows.map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn assert_agreement(room: &TestDir) {
    let shown = shown(room);
    assert!(!shown.is_empty());
    assert_eq!(told(room), shown);
    let csv: Rows = cells(room)
        .into_iter()
        .map(|row| {
            let entitlement = format!("{}:{}:{}", row[6], row[7], row[9]);
            [&row[12], &entitlement, &row[9], &row[0], &row[1], &row[2], &row[8]].map(Clone::clone)
        })
        .collect();
    assert_eq!(csv, shown);
    // Somebody's page, table and Markdown are rows of these; `baton access` agrees on them.
    let people: BTreeSet<_> = shown.iter().map(|row| (row[3].clone(), row[4].clone())).collect();
    for (resource_type, person) in people.into_iter().filter(|(kind, _)| kind == "user").take(12) {
        let access =
            baton_json(&room.file("sync.c1z"), &["access", "-t", &resource_type, "-r", &person]);
        let by_baton: BTreeSet<_> = access["access"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row["entitlements"].as_array().unwrap())
            .map(|entitlement| text(&entitlement["id"]))
            .collect();
        let held = json(room, &["--user", &person]);
        let held = held["grants"].as_array().unwrap();
        let by_us: BTreeSet<_> = held.iter().map(|row| text(&row["entitlement"]["id"])).collect();
        assert_eq!(by_us, by_baton, "{person}");
        let table = printed(room, &["--user", &person]);
        let rows = table.lines().filter(|line| line.starts_with("  ")).count();
        assert_eq!(rows, held.len(), "{table}");
        let markdown = printed(room, &["--user", &person, "--format", "markdown"]);
        let rows = markdown.lines().filter(|line| line.starts_with("| user ")).count();
        assert_eq!(rows, held.len(), "{markdown}");
        let page = printed(room, &["--user", &person, "--format", "html"]);
        let ways = page.split("<ul class=\"ways\">").skip(1);
        let rows: usize =
            ways.map(|list| list.split("</ul>").next().unwrap().matches("<li>").count()).sum();
        assert_eq!(rows, held.len(), "{person}");
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn what_is_told_of_our_files_is_what_baton_shows() {
    let size = Size { members: 230, roles: 14, groups: 9, memberships: 1_500 };
    for organization in [puzzling(), Organization::generate(5, size)] {
        assert_agreement(&synced(&organization));
    }
}

#[test]
#[ignore = "needs Go; .ci/run has it"]
fn what_is_told_of_files_of_connectors_in_go_is_what_baton_shows() {
    let room = TestDir::new();
    let written = Command::new(writer_of_2025()).arg(room.file("sync.c1z")).status().unwrap();
    assert!(written.success());
    assert_agreement(&room);
}
