//! The action for jobs of others.

use std::collections::BTreeMap;
use std::fs;

use fake_northflank::{FakeNorthflank, Organization};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value as Json;

use super::{HOSTILE, Runner, VERSION, fake, read, target};
use crate::harness::exit_code;
use crate::harness::workflow::{StepsRun, Value};

/// What this machine is to GitHub.
fn this_machine() -> (&'static str, &'static str) {
    ("Linux", if target().starts_with("x86_64") { "X64" } else { "ARM64" })
}

/// Runs the action with these inputs on a machine of that kind.
fn act(runner: &Runner, machine: (&str, &str), inputs: &[(&str, &str)]) -> StepsRun {
    let text = read("action.yml");
    let action = Yaml::load_from_str(&text).unwrap().remove(0);
    let mut context = BTreeMap::new();
    for (name, input) in action["inputs"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let given = inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        let value = given.unwrap_or_else(|| input["default"].as_str().unwrap());
        context.insert(format!("inputs.{name}"), Value::Text(value.to_owned()));
    }
    for (name, _) in inputs {
        assert!(context.contains_key(&format!("inputs.{name}")), "{name}");
    }
    let mut steps = runner.steps(context);
    steps.variables.insert("RUNNER_OS".to_owned(), machine.0.to_owned());
    steps.variables.insert("RUNNER_ARCH".to_owned(), machine.1.to_owned());
    steps.run(&action["runs"]["steps"], |action, _| panic!("{action}"));
    steps
}

/// With what it takes to sync the organization.
fn act_on(runner: &Runner, fake: &FakeNorthflank, inputs: &[(&str, &str)]) -> StepsRun {
    let origin = fake.origin();
    let access = [("northflank-api-token", fake.token()), ("base-url", &origin)];
    act(runner, this_machine(), &[&access, inputs].concat())
}

#[test]
fn the_version_that_is_installed_is_the_actions_own() {
    let text = read("action.yml");
    let action = Yaml::load_from_str(&text).unwrap().remove(0);
    assert_eq!(action["inputs"]["version"]["default"].as_str(), Some(VERSION));
    assert!(text.contains(&format!("uses: ConductorOne/baton-northflank@v{VERSION}\n")));
}

#[test]
#[ignore = "needs jq; .ci/run has it"]
fn what_breaks_rules_is_annotated_and_fails_the_step() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.write(".git/HEAD", "");
    runner.write("access.yaml", &read("examples/review.yaml"));
    let steps = act_on(&runner, &fake, &[("rules", "access.yaml")]);
    assert_eq!(steps.failure, Some(exit_code::VIOLATED), "{}", steps.log);
    assert!(steps.log.contains("::error file=access.yaml,line=14,"), "{}", steps.log);
    assert!(steps.written("GITHUB_STEP_SUMMARY").contains("Søren Eriksen"));
    assert_eq!(steps.filled("${{ steps.review.outputs.violations }}"), "4");
    let sarif = fs::read_to_string(steps.filled("${{ steps.review.outputs.sarif }}")).unwrap();
    let sarif: Json = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 4);
    // A file that is there is judged as it is, by the next steps' own call as well.
    let before = fake.requests();
    let steps = act(&runner, this_machine(), &[("rules", "access.yaml"), ("fail-on", "warning")]);
    assert_eq!((steps.failure, fake.requests()), (Some(exit_code::VIOLATED), before));
    assert!(steps.written("GITHUB_PATH").starts_with(runner.path("temp").to_str().unwrap()));
}

#[test]
#[ignore = "needs jq; .ci/run has it"]
fn rules_that_hold_pass_and_mistakes_fail() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.write("access.yaml", "version: 1\nrules: [{id: a, role: owner, holders: {max: 9}}]\n");
    let steps = act_on(&runner, &fake, &[("rules", "access.yaml")]);
    assert_eq!(steps.failure, None, "{}", steps.log);
    assert_eq!(steps.filled("${{ steps.review.outputs.violations }}"), "0");
    for inputs in [
        [("rules", "none.yaml"), ("file", "sync.c1z")],
        [("rules", "access.yaml"), ("file", "none.c1z")],
        [("rules", "access.yaml"), ("baseline", "none.json")],
        [("rules", "access.yaml"), ("fail-on", "info")],
    ] {
        let steps = act(&runner, this_machine(), &inputs);
        assert_eq!(steps.failure, Some(exit_code::INVALID_ARGUMENT), "{}", steps.log);
        assert_eq!(steps.filled("${{ steps.review.outputs.violations }}"), "");
    }
    let origin = fake.origin();
    let wrong = [("northflank-api-token", "nf-wrong"), ("base-url", &*origin)];
    let steps = act(&runner, this_machine(), &wrong);
    assert_eq!(steps.failure, Some(exit_code::UNAUTHENTICATED), "{}", steps.log);
}

#[test]
#[ignore = "needs zip and unzip; .ci/run has them"]
fn every_archive_of_a_release_is_installed_on_its_own_system_and_no_other_is() {
    let runner = Runner::new();
    for (machine, target, executable) in [
        (("Linux", "X64"), "x86_64-unknown-linux-musl", "baton-northflank"),
        (("Linux", "ARM64"), "aarch64-unknown-linux-musl", "baton-northflank"),
        (("macOS", "X64"), "x86_64-apple-darwin", "baton-northflank"),
        (("macOS", "ARM64"), "aarch64-apple-darwin", "baton-northflank"),
        (("Windows", "X64"), "x86_64-pc-windows-msvc", "baton-northflank.exe"),
    ] {
        runner.pack(target);
        fs::remove_dir_all(runner.path("temp/baton-northflank")).ok();
        let steps = act(&runner, machine, &[]);
        assert_eq!(steps.failure, None, "{}", steps.log);
        assert!(runner.path("temp/baton-northflank").join(executable).exists());
    }
    let steps = act(&runner, ("Windows", "ARM64"), &[]);
    assert_eq!(steps.failure, Some(1), "{}", steps.log);
    assert!(steps.log.contains("isn't released for Windows on ARM64"));
}

#[test]
fn what_the_sums_are_not_of_is_not_run() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.tamper();
    let steps = act_on(&runner, &fake, &[]);
    assert_eq!((steps.failure, fake.requests()), (Some(1), 0), "{}", steps.log);
    // Nor is anything that they don't name.
    let runner = Runner::new();
    fs::write(runner.path("release/SHA256SUMS"), "").unwrap();
    let steps = act_on(&runner, &fake, &[]);
    assert_eq!((steps.failure, fake.requests()), (Some(1), 0), "{}", steps.log);
}

#[test]
#[ignore = "needs jq; .ci/run has it"]
fn no_input_is_taken_for_shell_or_for_a_flag() {
    let fake = fake(Organization::demo());
    let names =
        ["version", "northflank-api-token", "base-url", "file", "rules", "baseline", "fail-on"];
    for name in names {
        let runner = Runner::new();
        runner.write("access.yaml", &read("examples/review.yaml"));
        act_on(&runner, &fake, &[(name, HOSTILE), ("rules", "access.yaml")]);
        act_on(&runner, &fake, &[("rules", "access.yaml"), (name, "--output=table=pwned")]);
        assert!(!runner.is_pwned(), "{name}");
    }
}
