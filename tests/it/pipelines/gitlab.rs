//! The job for pipelines of GitLab.

use std::fs;
use std::process::Command;

use fake_northflank::{FakeNorthflank, Organization};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value as Json;

use super::{HOSTILE, Runner, VERSION, fake, read};
use crate::harness::{Run, exit_code};

/// Runs the job as a runner does, with these inputs and the token in a variable of the project's.
fn job(runner: &Runner, fake: &FakeNorthflank, inputs: &[(&str, &str)]) -> Run {
    let text = read("deploy/gitlab.yml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let [header, jobs] = &documents[..] else { panic!("{documents:?}") };
    let declared = header["spec"]["inputs"].as_mapping().unwrap();
    let filled = |text: &str| {
        declared.iter().fold(text.to_owned(), |text, (name, input)| {
            let name = name.as_str().unwrap();
            let given = inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
            let default = input.as_mapping_get("default").and_then(Yaml::as_str);
            let value = given.or(default).unwrap_or("access.yaml");
            text.replace(&format!("$[[ inputs.{name} ]]"), value)
        })
    };
    let job = &jobs["$[[ inputs.name ]]"];
    let mut shell = Command::new("sh");
    shell.env_clear().envs(runner.variables()).current_dir(runner.path("workspace"));
    for (name, value) in job["variables"].as_mapping().unwrap() {
        let value = filled(value.as_str().unwrap()).replace("$NORTHFLANK_API_TOKEN", fake.token());
        let value = value.replace("https://api.northflank.com", &fake.origin());
        shell.env(name.as_str().unwrap(), value);
    }
    let lines = job["script"].as_sequence().unwrap().iter();
    let script: Vec<_> = lines.map(|line| line.as_str().unwrap()).collect();
    let script = script.join("\n");
    assert!(!script.contains("$[["), "an input would be part of the script: {script}");
    Run(shell.args(["-ec", &script]).output().unwrap())
}

#[test]
fn the_version_that_is_run_is_the_files_own() {
    let text = read("deploy/gitlab.yml");
    let header = Yaml::load_from_str(&text).unwrap().remove(0);
    assert_eq!(header["spec"]["inputs"]["version"]["default"].as_str(), Some(VERSION));
    assert!(text.contains(&format!("/baton-northflank/v{VERSION}/deploy/gitlab.yml\n")));
}

#[test]
fn what_breaks_rules_fails_the_job_with_a_report_of_tests() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.write("access.yaml", &read("examples/review.yaml"));
    let run = job(&runner, &fake, &[]);
    assert_eq!(run.code(), Some(exit_code::VIOLATED), "{}", run.stderr());
    assert!(run.stdout().contains("engineers-through-their-group  2 findings"), "{}", run.stdout());
    let kept = |name: &str| {
        let path = runner.path("workspace").join("access-snapshot").join(name);
        fs::read_to_string(path).unwrap()
    };
    assert!(kept("review.xml").contains("<failure"), "{}", kept("review.xml"));
    let told: Json = serde_json::from_str(&kept("review.json")).unwrap();
    assert_eq!(told["findings"].as_array().unwrap().len(), 4);
    // Everything that is kept is there, and the report is.
    let text = read("deploy/gitlab.yml");
    let jobs = Yaml::load_from_str(&text).unwrap().remove(1);
    let artifacts = &jobs["$[[ inputs.name ]]"]["artifacts"];
    assert_eq!(artifacts["when"].as_str(), Some("always"));
    let report = &artifacts["reports"]["junit"];
    for path in artifacts["paths"].as_sequence().unwrap().iter().chain([report]) {
        let path = path.as_str().unwrap();
        assert!(runner.path("workspace").join(path).exists(), "{path}");
    }
}

#[test]
fn rules_that_hold_pass_and_mistakes_fail() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.write("access.yaml", "version: 1\nrules: [{id: a, role: owner, holders: {max: 9}}]\n");
    let run = job(&runner, &fake, &[]);
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
    for (name, value, code) in [
        ("rules", "none.yaml", exit_code::INVALID_ARGUMENT),
        ("baseline", "none.json", exit_code::INVALID_ARGUMENT),
        ("token", "nf-wrong", exit_code::UNAUTHENTICATED),
    ] {
        let run = job(&runner, &fake, &[(name, value)]);
        assert_eq!(run.code(), Some(code), "{name}: {}", run.stderr());
    }
}

#[test]
fn what_the_sums_are_not_of_is_not_run() {
    let (fake, runner) = (fake(Organization::demo()), Runner::new());
    runner.tamper();
    let run = job(&runner, &fake, &[]);
    assert_eq!((run.code(), fake.requests()), (Some(1), 0), "{}", run.stderr());
    let runner = Runner::new();
    fs::write(runner.path("release/SHA256SUMS"), "").unwrap();
    let run = job(&runner, &fake, &[]);
    assert_eq!((run.code(), fake.requests()), (Some(1), 0), "{}", run.stderr());
}

#[test]
fn no_input_is_taken_for_shell_or_for_a_flag() {
    let fake = fake(Organization::demo());
    for name in ["version", "token", "base-url", "rules", "baseline", "fail-on"] {
        let runner = Runner::new();
        runner.write("access.yaml", &read("examples/review.yaml"));
        job(&runner, &fake, &[(name, HOSTILE)]);
        job(&runner, &fake, &[(name, "--output=table=pwned")]);
        assert!(!runner.is_pwned(), "{name}");
    }
}
