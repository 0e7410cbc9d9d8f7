//! What a review looks like, to people and to programs.

use std::fs;
use std::path::Path;
use std::process::Command;

use baton_northflank::c1z::ScratchDirectory;
use baton_northflank::report::access::{AccessReport, Filter, TableStyle};
use baton_northflank::report::review::{Baseline, Review, RuleSet, Severity, table};
use fake_northflank::Organization;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{in_a_month, of_rules, review, synced};
use crate::harness::TestDir;
use crate::harness::exit_code;

/// Every format that goes to files.
const FORMATS: [&str; 7] =
    ["table", "json", "markdown", "sarif", "code-scanning", "junit", "github"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example() -> String {
    fs::read_to_string(root().join("examples/review.yaml")).unwrap()
}

/// The example's rules, one of them excepted, by an exception that holds and one that has ended.
fn excepted() -> String {
    let exceptions = format!(
        "exceptions:
  - {{ rule: engineers-through-their-group, principal: daniel-weiss, reason: 'OPS-7: on both', until: {} }}
  - {{ rule: every-role-is-held, resource: auditor, reason: once a year, until: 2026-01-31 }}
",
        in_a_month()
    );
    example().replace("exceptions: []\n", &exceptions)
}

/// What every format says of the room's file, by format.
fn all_outputs(room: &TestDir, rules: &str) -> Vec<(&'static str, String)> {
    let outputs = FORMATS.map(|format| format!("--output={format}=out.{format}"));
    let outputs: Vec<_> = outputs.iter().map(String::as_str).collect();
    let run = review(room, rules, &outputs);
    assert!(matches!(run.code(), Some(0 | 21)), "{}", run.stderr());
    assert_eq!(run.stdout(), "");
    let read = |format| fs::read_to_string(room.file(&format!("out.{format}"))).unwrap();
    FORMATS.map(|format| (format, read(format))).into()
}

/// Without what changes from run to run.
fn stable(text: &str) -> String {
    let stable = [
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "[time]"),
        (r"\b[34][0-9A-Za-z]{26}\b", "[sync]"),
        (r#""version": "\d+\.\d+\.\d+""#, r#""version": "[version]""#),
    ];
    let text = text.replace(&in_a_month(), "2027-01-31");
    stable.iter().fold(text, |text, (pattern, value)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, *value).into_owned()
    })
}

fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, stable(text)));
}

#[test]
fn every_output_tells_the_same_review() {
    let room = synced(&Organization::demo());
    for (format, text) in all_outputs(&room, &excepted()) {
        if format != "json" {
            assert_snapshot(&format!("text_review_{}", format.replace('-', "_")), &text);
        }
    }
}

#[test]
fn every_output_names_what_was_accepted_and_which_exception_has_ended() {
    let room = synced(&Organization::demo());
    for (format, text) in all_outputs(&room, &excepted()) {
        let is_upload = format == "code-scanning";
        assert_ne!(text.contains("OPS-7: on both"), is_upload, "{format}: {text}");
        assert!(text.contains("2026-01-31") && text.contains("once a year"), "{format}: {text}");
    }
}

#[test]
fn a_table_fits_the_terminal() {
    let room = synced(&Organization::demo());
    let scratch = ScratchDirectory::new().unwrap();
    let file = room.file("sync.c1z");
    let access = AccessReport::open(&file, None, &Filter::default(), &scratch).unwrap();
    let now = OffsetDateTime::now_utc();
    let rules = RuleSet::parse(&excepted(), now.date()).unwrap();
    let rules_file = Path::new("rules.yaml");
    let mut review = Review::new(&rules, rules_file, &access, now, Severity::Error).unwrap();
    let known = json!({"version": 1, "findings": [
        {"rule": "accounts-in-use", "demand": "require.status", "principal": "user:pending-7f3a",
         "entitlements": ["role:viewer:assigned"]},
        {"rule": "owners", "demand": "only", "principal": "user:somebody-who-left"},
    ]});
    review.compare(&Baseline::parse(known.to_string().as_bytes(), Path::new("b")).unwrap());
    review.sync.file = "sync.c1z".into();
    let codes = regex::Regex::new("\u{1b}\\[\\d*m").unwrap();
    for width in [80, 120] {
        let mut text = Vec::new();
        table(&review, TableStyle { colour: false, width: Some(width) }, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= width && !line.ends_with(' '), "{line:?}");
        }
        assert_snapshot(&format!("text_review_table_{width}"), &text);
        let mut coloured = Vec::new();
        table(&review, TableStyle { colour: true, width: Some(width) }, &mut coloured).unwrap();
        let coloured = String::from_utf8(coloured).unwrap();
        assert_eq!(codes.replace_all(&coloured, ""), text);
    }
}

#[test]
fn nothing_in_a_file_or_in_rules_steers_what_shows_it() {
    let mut organization = Organization::demo();
    let name = "\u{1b}[2J</a><b>|\n::error::x\u{202e}[l](h) @team]]>&";
    for member in &mut organization.members {
        member.name = Some(name.into());
    }
    organization.roles.iter_mut().for_each(|role| role.name = name.into());
    let room = synced(&organization);
    let rules = of_rules(&[
        "id: a, role: owner, only: [], why: \"</x>|\\n::error::y\\u202e @all\"",
        "id: b, any-role: true, holders: {max: 0}, why: '::warning::z'",
    ]);
    for (format, text) in all_outputs(&room, &rules) {
        let steers = |char: char| char != '\n' && char.is_control() || char == '\u{202e}';
        assert!(!text.contains(steers), "{format}: {text}");
        // A log is read without the blanks before a line.
        let is_command = |line: &&str| line.trim_start().starts_with("::");
        let mut commands = text.lines().filter(is_command);
        assert!(
            commands.all(|line| line.contains(",line=") || line.contains("title=review")),
            "{text}"
        );
        match format {
            "markdown" => assert!(!text.contains("<b>") && !text.contains(" @team"), "{text}"),
            "junit" => assert!(!text.contains("</a>") && !text.contains("]]>"), "{text}"),
            "sarif" | "code-scanning" => {
                let _: Value = serde_json::from_str(&text).unwrap();
                assert!(!text.contains("](") && !text.contains("marlow.example"), "{text}");
            }
            _ => {}
        }
    }
}

#[test]
fn code_scanning_gets_nothing_suppressed_and_no_more_than_it_shows() {
    let mut organization = Organization::demo();
    let many = (0..6_000).map(|number| format!("m{number}"));
    let member = organization.members[0].clone();
    let role = organization.roles.iter_mut().find(|role| role.id == "viewer").unwrap();
    for id in many {
        organization.members.push(fake_northflank::Member { id: id.clone(), ..member.clone() });
        role.explicit.push(id);
    }
    let room = synced(&organization);
    let rules = of_rules(&["id: w, role: viewer, only: [], severity: warning"])
        + "  - {id: e, role: owner, only: [], why: "
        + &"long ".repeat(600)
        + "}\n"
        + "exceptions: [{rule: e, principal: ada-marlow, reason: r, until: "
        + &in_a_month()
        + "}]\n";
    let run = review(&room, &rules, &["--output", "code-scanning=s", "--output", "sarif=t"]);
    assert!(run.stderr().contains("shows 5000 results: 10"), "{}", run.stderr());
    let [scanned, all] = ["s", "t"].map(|name| -> Value {
        serde_json::from_str(&fs::read_to_string(room.file(name)).unwrap()).unwrap()
    });
    let results = |told: &Value| told["runs"][0]["results"].as_array().unwrap().clone();
    assert_eq!(results(&scanned).len(), 5_000);
    assert_eq!(results(&scanned)[0]["level"], "error");
    assert!(results(&scanned).iter().all(|it| it.get("suppressions").is_none()));
    let described = &scanned["runs"][0]["tool"]["driver"]["rules"][1];
    let length = |part: &str| described[part]["text"].as_str().unwrap().len();
    assert!(length("fullDescription") <= 1_024 && length("help") > 2_900, "{described}");
    let told = &scanned["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert!(told["message"]["text"].as_str().unwrap().starts_with("10"), "{told}");
    let suppressed = results(&all).iter().filter(|it| it["suppressions"] != json!([])).count();
    assert_eq!(suppressed, 1);
    // A log has ten annotations of a kind: nine, and how many more there are.
    let run = review(&room, &rules, &["--output", "github=-"]);
    assert_eq!(run.stdout().lines().filter(|line| line.starts_with("::warning ")).count(), 10);
    let last = run.stdout().lines().rfind(|line| line.starts_with("::warning ")).unwrap();
    assert!(last.ends_with("::6000 more findings of severity warning"), "{last}");
}

#[test]
fn results_are_located_in_the_repository_that_holds_the_rules() {
    let room = synced(&Organization::demo());
    fs::create_dir_all(room.file("work/.git")).unwrap();
    fs::create_dir_all(room.file("work/access rules")).unwrap();
    fs::write(room.file("work/access rules/r.yaml"), of_rules(&["id: a, role: owner, only: []"]))
        .unwrap();
    let call = ["review", "--rules", "work/access rules/r.yaml", "--output", "sarif=-"];
    let run = room.connector().arguments(call).run();
    let told: Value = serde_json::from_str(run.stdout()).unwrap();
    let location = &told["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "access%20rules/r.yaml");
    assert_eq!(location["region"]["startLine"], 3);
}

#[test]
fn rules_to_begin_with_pass_today_and_tell_of_what_comes() {
    let room = synced(&Organization::demo());
    let init = ["review", "--init", "--rules", "access.yaml", "--write-baseline", "known.json"];
    let run = room.connector().arguments(init).run();
    assert_eq!((run.code(), run.stdout(), run.stderr()), (Some(0), "", ""));
    let text = fs::read_to_string(room.file("access.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=https://"), "{text}");
    assert!(text.contains("- 'user:ben-okafor' # Ben Okafor"), "{text}");
    let judged = ["review", "--rules", "access.yaml", "--baseline", "known.json"];
    let run = room.connector().arguments(judged).run();
    assert_eq!((run.code(), run.stderr()), (Some(0), ""), "{}", run.stdout());
    // Neither is overwritten.
    let again = room.connector().arguments(init).run();
    again.expect_failure(exit_code::INVALID_ARGUMENT, &["access.yaml is there already"]);
    fs::remove_file(room.file("access.yaml")).unwrap();
    room.connector()
        .arguments(init)
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["known.json is there already"]);
    assert!(!room.names().contains(&"access.yaml".to_owned()));
    room.connector()
        .arguments(["review", "--init", "--rules", "other.yaml"])
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["name both"]);

    let mut later = Organization::demo();
    let owner = later.roles.iter_mut().find(|role| role.id == "owner").unwrap();
    owner.explicit.push("priya-raman".into());
    let later = synced(&later);
    fs::write(later.file("access.yaml"), text).unwrap();
    fs::copy(room.file("known.json"), later.file("known.json")).unwrap();
    let run = later.connector().arguments(judged).run();
    assert_eq!(run.code(), Some(exit_code::VIOLATED));
    for part in ["Priya Raman", "has 3 holders; at most 2 are allowed"] {
        assert!(run.stdout().contains(part), "{}", run.stdout());
    }
}

#[test]
fn the_schema_knows_the_keys_that_are_read_and_the_findings_there_are() {
    let schema = fs::read_to_string(root().join("docs/review-rules.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let keys = |of: &Value| -> Vec<String> {
        of["properties"].as_object().unwrap().keys().cloned().collect()
    };
    // A key that isn't known is told all that are.
    let known = |text: &str| -> Vec<String> {
        let today = OffsetDateTime::now_utc().date();
        let mistakes = RuleSet::parse(text, today).unwrap_err().to_string();
        let told = mistakes.split("unknown key \"zzz\"; ").nth(1).unwrap();
        let told = told.split("; ").next().unwrap().split(" has ").nth(1).unwrap();
        let mut keys: Vec<_> = told.split(", ").map(str::to_owned).collect();
        keys.sort();
        keys
    };
    let definitions = &schema["definitions"];
    let rule = &definitions["rule"];
    for (text, of) in [
        ("zzz: 1", &schema),
        ("rules: [{zzz: 1}]", rule),
        ("rules: [{role: a, holders: {zzz: 1}}]", &rule["properties"]["holders"]),
        ("rules: [{role: a, require: {zzz: 1}}]", &rule["properties"]["require"]),
        ("exceptions: [{zzz: 1}]", &definitions["exception"]),
    ] {
        let mut keys = keys(of);
        keys.sort();
        assert_eq!(keys, known(text), "{text}");
    }
    let told = RuleSet::parse("rules: [{id: a, finding: zzz}]", OffsetDateTime::now_utc().date());
    let told = told.unwrap_err().to_string();
    let findings = rule["properties"]["finding"]["enum"].as_array().unwrap().iter();
    let findings: Vec<_> = findings.map(|id| id.as_str().unwrap()).collect();
    assert!(told.contains(&format!("there are {}", findings.join(", "))), "{told}");
    // Editors find it by the first line.
    let line = example().lines().next().unwrap().to_owned();
    assert_eq!(
        line,
        format!("# yaml-language-server: $schema={}", schema["$id"].as_str().unwrap())
    );
    let manual = fs::read_to_string(root().join("docs/review.md")).unwrap();
    assert!(findings.iter().all(|id| manual.contains(&format!("| `{id}` |"))));
}

/// Holds files to schemas that others document.
#[test]
#[ignore = "needs target/schemas, which .ci/run fills: schemas, and a Python to hold files to them"]
fn outputs_are_valid_by_the_schemas_that_others_document() {
    let room = synced(&Organization::demo());
    let mut hostile = Organization::demo();
    for member in &mut hostile.members {
        member.name = Some("</a>]]>\u{ffff}\u{1}&'\"\u{d7ff}\u{10ffff}".into());
    }
    let hostile = synced(&hostile);
    let broken = of_rules(&["id: a, any-role: true, only: [], why: '<&>'", "id: b, finding: idle"]);
    for (room, rules) in [(&room, &excepted()), (&room, &broken), (&hostile, &broken)] {
        all_outputs(room, rules);
        let schemas = root().join("target/schemas");
        let checks = [
            ("json", schemas.join("sarif-2.1.0.json"), room.file("out.sarif")),
            ("json", schemas.join("sarif-2.1.0.json"), room.file("out.code-scanning")),
            ("xml", schemas.join("junit-10.xsd"), room.file("out.junit")),
            ("xml", schemas.join("JUnit.xsd"), room.file("out.junit")),
            ("yaml", root().join("docs/review-rules.schema.json"), room.file("rules.yaml")),
        ];
        for (kind, schema, file) in checks {
            let run = Command::new(root().join("target/schemas/bin/python"))
                .arg(root().join("tests/schemas/validate.py"))
                .arg(kind)
                .args([&schema, &file])
                .output()
                .unwrap();
            let error = String::from_utf8_lossy(&run.stderr);
            assert!(run.status.success(), "{} {}: {error}", schema.display(), file.display());
        }
    }
}
