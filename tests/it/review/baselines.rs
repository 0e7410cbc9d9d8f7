//! What is accepted for a time, and what was known before.

use fake_northflank::Organization;
use serde_json::{Value, json};

use super::{found, in_a_month, of_rules, open, review, synced};
use crate::harness::TestDir;
use crate::harness::exit_code;

const OWNERS: &str = "id: owners, role: owner, only: [], holders: {max: 1}";

/// The rule of owners, with exceptions.
fn with(exceptions: &[&str]) -> String {
    let lines = exceptions.iter().map(|it| format!("  - {{rule: owners, {it}}}\n"));
    format!("{}exceptions:\n{}", of_rules(&[OWNERS]), lines.collect::<String>())
}

fn open_of(room: &TestDir, rules: &str, arguments: &[&str]) -> Vec<String> {
    let open = open(&found(room, rules, arguments)).into_iter();
    open.map(|(demand, of)| format!("{demand} {of}")).collect()
}

#[test]
fn an_exception_accepts_until_its_day_has_passed() {
    let room = synced(&Organization::demo());
    let today = time::OffsetDateTime::now_utc().date();
    let yesterday = today.previous_day().unwrap();
    let accepted = |day| format!("principal: user:ben-okafor, reason: SEC-142, until: {day}");
    let month = in_a_month();
    let of_owner = format!("reason: r, resource: role:owner, until: {month}");
    let rules = with(&[&accepted(today), &of_owner]);
    assert_eq!(open_of(&room, &rules, &[]), ["only ada-marlow"]);
    let told = found(&room, &rules, &[]);
    assert_eq!(told["rules"][0]["violations"], 1);
    let suppressed = json!({"by": "exception", "reason": "SEC-142", "until": today.to_string()});
    assert_eq!(told["findings"][1]["suppressed"], suppressed);

    let rules = with(&[&accepted(yesterday), &format!("reason: r, until: {month}")]);
    assert_eq!(open_of(&room, &rules, &[]), ["only ada-marlow", "only ben-okafor"]);
    let ended = json!({"reason": "SEC-142", "until": yesterday.to_string()});
    assert_eq!(found(&room, &rules, &[])["findings"][1]["ended_exception"], ended);
    let run = review(&room, &rules, &[]);
    let line = format!("its exception ended on {yesterday}: SEC-142");
    assert!(run.stdout().contains(&line), "{}", run.stdout());
}

#[test]
fn an_exception_finds_what_it_is_of_as_rules_do() {
    let room = synced(&Organization::demo());
    let month = in_a_month();
    for of in ["resource: owner", "resource: Owner", "resource: role:owner", "resource: role/owner"]
    {
        let rules = with(&[&format!("{of}, reason: r, until: {month}")]);
        assert_eq!(open_of(&room, &rules, &[]), ["only ada-marlow", "only ben-okafor"], "{of}");
    }
    for of in ["ben-okafor", "ben.okafor@marlow.example", "Ben Okafor", "user:ben-okafor"] {
        let rules = with(&[&format!("principal: {of}, reason: r, until: {month}")]);
        assert_eq!(open_of(&room, &rules, &[]), ["only ada-marlow", "holders.max owner"], "{of}");
    }
}

#[test]
fn an_exception_of_nothing_is_a_warning() {
    let room = synced(&Organization::demo());
    for of in ["principal: uma-vargas, ", "resource: role:viewer, "] {
        let run = review(&room, &with(&[&format!("{of}reason: old, until: 2026-01-31")]), &[]);
        assert_eq!(run.code(), Some(exit_code::VIOLATED));
        let warning = "warning: the exception of owners at line 5 is of nothing that was found";
        assert!(run.stderr().contains(warning), "{}", run.stderr());
    }
}

#[test]
fn only_what_is_new_fails_and_what_is_gone_is_told() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&[OWNERS]);
    let run = review(&room, &rules, &["--write-baseline", "known.json", "--output", "json=out"]);
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    let text = std::fs::read_to_string(room.file("known.json")).unwrap();
    assert!(!text.contains("Ben Okafor") && text.contains("user:ben-okafor"), "{text}");
    let run = review(&room, &rules, &["--baseline", "known.json"]);
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    assert!(run.stdout().contains("0 errors, 0 warnings; 3 suppressed"), "{}", run.stdout());

    // One more owner: a new finding, and a number that is worse than the known one.
    let mut organization = Organization::demo();
    let owner = organization.roles.iter_mut().find(|role| role.id == "owner").unwrap();
    owner.explicit = vec!["ada-marlow".into(), "priya-raman".into(), "uma-vargas".into()];
    let later = synced(&organization);
    std::fs::copy(room.file("known.json"), later.file("known.json")).unwrap();
    let arguments = ["--baseline", "known.json"];
    let told = found(&later, &rules, &arguments);
    let open: Vec<_> =
        open(&told).into_iter().map(|(demand, of)| format!("{demand} {of}")).collect();
    assert_eq!(open, ["only priya-raman", "only uma-vargas", "holders.max owner"]);
    let gone: Vec<_> = told["gone"].as_array().unwrap().iter().map(|it| &it["principal"]).collect();
    assert_eq!(gone, [&json!("user:ben-okafor")]);
    let run = review(&later, &rules, &arguments);
    assert!(run.stdout().contains("owners only: user:ben-okafor"), "{}", run.stdout());
}

#[test]
fn an_exception_goes_before_a_baseline() {
    let room = synced(&Organization::demo());
    let rules = with(&[&format!("principal: ben-okafor, reason: r, until: {}", in_a_month())]);
    review(&room, &rules, &["--write-baseline", "known.json", "--output", "json=out"]);
    let text = std::fs::read_to_string(room.file("known.json")).unwrap();
    assert!(!text.contains("ben-okafor") && text.contains("ada-marlow"), "{text}");
    review(&room, &of_rules(&[OWNERS]), &["--write-baseline", "all.json", "--output", "json=out"]);
    let told = found(&room, &rules, &["--baseline", "all.json"]);
    let by = |place: usize| told["findings"][place]["suppressed"]["by"].as_str().unwrap();
    assert_eq!([by(0), by(1), by(2)], ["baseline", "exception", "baseline"]);
    assert_eq!(told["gone"], json!([]));
}

#[test]
fn a_known_finding_hides_no_other_one_of_the_same_person() {
    let mut organization = Organization::demo();
    let text = "id: a, role: platform-eng, held: through-group, require: {login-within: 1s}";
    let before = synced(&organization);
    let rules = of_rules(&[text]);
    review(&before, &rules, &["--write-baseline", "known.json", "--output", "json=out"]);
    let role = organization.roles.iter_mut().find(|role| role.id == "platform-eng").unwrap();
    // Carla's login was known to be long ago; now she holds it directly as well.
    role.explicit.push("carla-rossi".into());
    let room = synced(&organization);
    std::fs::copy(before.file("known.json"), room.file("known.json")).unwrap();
    assert_eq!(open_of(&room, &rules, &["--baseline", "known.json"]), ["held carla-rossi"]);
}

#[test]
fn names_and_order_change_no_fingerprint() {
    let mut organization = Organization::demo();
    let rules = of_rules(&[OWNERS, "id: b, finding: idle", "id: c, finding: direct-beside-group"]);
    let prints = |room: &TestDir| -> std::collections::BTreeSet<String> {
        let told: Value = found(room, &rules, &[]);
        let findings = told["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = prints(&synced(&organization));
    assert!(before.len() > 10);
    organization.members.reverse();
    organization.roles.reverse();
    organization.groups.reverse();
    for member in &mut organization.members {
        member.name = Some("Somebody".into());
    }
    organization.roles.iter_mut().for_each(|role| role.name = "Role".into());
    assert_eq!(prints(&synced(&organization)), before);
}

#[test]
fn what_is_no_baseline_is_refused() {
    let room = synced(&Organization::demo());
    let rules = of_rules(&[OWNERS]);
    for (text, part) in [
        ("", "is no baseline"),
        ("[]", "is no baseline"),
        (r#"{"version": 2, "findings": []}"#, "version 2"),
        (r#"{"version": 1, "findings": [{"rule": "a"}]}"#, "demand"),
    ] {
        std::fs::write(room.file("known.json"), text).unwrap();
        let arguments = ["--baseline", "known.json"];
        review(&room, &rules, &arguments)
            .expect_failure(exit_code::INVALID_ARGUMENT, &["known.json", part]);
    }
    review(&room, &rules, &["--baseline", "none"])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["can't read none"]);
}
