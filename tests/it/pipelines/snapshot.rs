//! The workflow that snapshots access.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use fake_northflank::{Action, Endpoint, FakeNorthflank, Organization, Rule, Size};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value as Json, json};

use super::{HOSTILE, Runner, VERSION, fake, read};
use crate::harness::changes::quietly_changed_demo;
use crate::harness::sync_file::SyncFile;
use crate::harness::workflow::{StepsRun, Value};
use crate::harness::{exit_code, expected};

/// A repository that calls the workflow every night.
struct Caller {
    runner: Runner,
    nights: usize,
    /// Names of files that another job has left in the workspace.
    left: &'static [&'static str],
}

/// How a night went.
struct Night {
    steps: StepsRun,
    /// Names of what its artifact holds, if there is one.
    kept: Vec<String>,
    outputs: BTreeMap<String, String>,
    concurrency: String,
}

impl Caller {
    fn new() -> Self {
        Self { runner: Runner::new(), nights: 0, left: &[] }
    }

    /// One run of the job, on a new machine, with inputs besides those that it can't do without.
    fn night(&mut self, fake: &FakeNorthflank, inputs: &[(&str, &str)]) -> Night {
        self.nights += 1;
        for name in ["workspace", "temp"] {
            fs::remove_dir_all(self.runner.path(name)).ok();
            fs::create_dir(self.runner.path(name)).unwrap();
        }
        for name in self.left {
            fs::write(self.runner.path("workspace").join(name), "left").unwrap();
        }
        let text = read(".github/workflows/access-snapshot.yaml");
        let workflow = Yaml::load_from_str(&text).unwrap().remove(0);
        let call = &workflow["on"]["workflow_call"];
        let mut steps = self.runner.steps(context(call, fake, inputs));
        let job = &workflow["jobs"]["snapshot"];
        let concurrency = steps.filled(job["concurrency"].as_str().unwrap());
        steps.run(&job["steps"], |action, with| self.other(action, with));
        let mut outputs = BTreeMap::new();
        for name in call["outputs"].as_mapping().unwrap().keys() {
            let name = name.as_str().unwrap();
            outputs.insert(name.to_owned(), steps.filled(job["outputs"][name].as_str().unwrap()));
        }
        Night { steps, kept: self.kept(), outputs, concurrency }
    }

    /// What actions of others do.
    fn other(&self, action: &str, with: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let workspace = self.runner.path("workspace");
        if action.starts_with("actions/checkout@") {
            assert_eq!(with["persist-credentials"], "false");
            fs::create_dir_all(workspace.join(&with["path"]).join(".git")).unwrap();
            let files = self.runner.path("repository");
            let files = fs::read_dir(files).into_iter().flatten().map(|file| file.unwrap());
            for file in files {
                let to = workspace.join(&with["path"]).join(file.file_name());
                fs::copy(file.path(), to).unwrap();
            }
            return BTreeMap::new();
        }
        assert!(action.starts_with("actions/upload-artifact@"), "{action}");
        let number = self.nights;
        let place = |end: &str| self.runner.path("github").join(format!("artifact-{number}.{end}"));
        let mut zip = Command::new("sh");
        let files = with["path"].replace('\n', " ");
        zip.args(["-c", &format!("zip -q \"$0\" {files}")]).arg(place("zip"));
        assert!(zip.current_dir(&workspace).status().unwrap().success());
        let about = json!({
            "id": number, "name": with["name"], "expired": false,
            "created_at": format!("2026-11-{number:02}T03:23:00Z"),
            "workflow_run": {"head_branch": "main", "repository_id": 1, "head_repository_id": 1},
        });
        fs::write(place("json"), about.to_string()).unwrap();
        let url = format!("https://github.com/marlow/access/actions/runs/1/artifacts/{number}");
        [("artifact-url".to_owned(), url)].into()
    }

    /// What the last night's artifact holds.
    fn kept(&self) -> Vec<String> {
        let archive = self.runner.path("github").join(format!("artifact-{}.zip", self.nights));
        let list = Command::new("unzip").args(["-Z", "-1"]).arg(archive).output().unwrap();
        let mut names: Vec<_> =
            String::from_utf8(list.stdout).unwrap().lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The file that the last night has left.
    fn file(&self) -> SyncFile {
        SyncFile::open(&self.runner.path("workspace").join("northflank.c1z"))
    }

    /// Puts a file into the calling repository.
    fn commit(&self, name: &str, text: &str) {
        fs::create_dir_all(self.runner.path("repository")).unwrap();
        fs::write(self.runner.path("repository").join(name), text).unwrap();
    }
}

/// What the workflow's expressions may name.
fn context(
    call: &Yaml<'_>,
    fake: &FakeNorthflank,
    inputs: &[(&str, &str)],
) -> BTreeMap<String, Value> {
    let mut context = BTreeMap::new();
    for (name, input) in call["inputs"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let given = inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        let default = input.as_mapping_get("default");
        let value = match input["type"].as_str().unwrap() {
            "boolean" => {
                let flag = given.map(|value| value == "true");
                Value::Flag(flag.unwrap_or_else(|| default.unwrap().as_bool().unwrap()))
            }
            "number" => Value::Text(default.unwrap().as_integer().unwrap().to_string()),
            _ => Value::Text(match (given, name) {
                (Some(value), _) => value.to_owned(),
                (None, "version") => VERSION.to_owned(),
                (None, "base-url") => fake.origin(),
                (None, _) => default.unwrap().as_str().unwrap().to_owned(),
            }),
        };
        context.insert(format!("inputs.{name}"), value);
    }
    for (name, _) in inputs {
        assert!(context.contains_key(&format!("inputs.{name}")), "{name}");
    }
    let text = |text: &str| Value::Text(text.to_owned());
    context.insert("secrets.northflank-api-token".to_owned(), text(fake.token()));
    context.insert("github.token".to_owned(), text("github-token"));
    context.insert("github.ref".to_owned(), text("refs/heads/main"));
    context
}

impl Night {
    fn assert_ended(&self, code: Option<i32>) {
        assert_eq!(self.steps.failure, code, "{}", self.steps.log);
    }

    fn summary(&self) -> String {
        self.steps.written("GITHUB_STEP_SUMMARY")
    }
}

const TOLD: [&str; 4] = ["access.csv", "access.html", "changes.md", "northflank.c1z"];
const JUDGED: [&str; 4] = ["review.json", "review.md", "review.sarif", "review.xml"];

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn every_night_goes_on_from_the_file_of_the_night_before() {
    let (before, after) = (fake(Organization::demo()), fake(quietly_changed_demo()));
    let mut caller = Caller::new();
    let first = caller.night(&before, &[]);
    first.assert_ended(None);
    assert_eq!(first.kept, TOLD);
    assert_eq!(first.outputs["changed"], "unknown");
    assert_eq!(first.outputs["violations"], "");
    assert!(first.outputs["file"].ends_with("/artifacts/1"), "{:?}", first.outputs);
    assert!(first.steps.log.contains("::warning::there is no earlier snapshot"));
    let second = caller.night(&after, &[]);
    second.assert_ended(None);
    assert_eq!(second.outputs["changed"], "true");
    assert!(second.summary().contains("Zoë Quill"), "{}", second.summary());
    let third = caller.night(&after, &[]);
    third.assert_ended(None);
    assert_eq!(third.outputs["changed"], "false");
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn a_gate_is_green_only_where_nothing_has_changed_since_a_snapshot_that_is_there() {
    let (before, after) = (fake(Organization::demo()), fake(quietly_changed_demo()));
    let mut caller = Caller::new();
    let gate = [("fail-on-changes", "true")];
    let first = caller.night(&before, &gate);
    first.assert_ended(Some(exit_code::INVALID_ARGUMENT));
    // It is kept, for the next one.
    assert_eq!(first.kept, TOLD);
    assert!(first.steps.log.contains("::error::there was no earlier snapshot"));
    caller.night(&before, &gate).assert_ended(None);
    let changed = caller.night(&after, &gate);
    changed.assert_ended(Some(exit_code::CHANGED));
    assert_eq!(changed.kept, TOLD);
    assert_eq!(changed.outputs["changed"], "true");
    // What has expired is as good as none.
    for number in 1..=3 {
        let about = caller.runner.path("github").join(format!("artifact-{number}.json"));
        let text = fs::read_to_string(&about).unwrap();
        fs::write(about, text.replace("\"expired\":false", "\"expired\":true")).unwrap();
    }
    caller.night(&after, &gate).assert_ended(Some(exit_code::INVALID_ARGUMENT));
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn broken_rules_fail_the_job_when_everything_is_kept_and_told() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.commit("access.yaml", &read("examples/review.yaml"));
    let night = caller.night(&fake, &[("rules", "access.yaml"), ("name", "marlow")]);
    night.assert_ended(Some(exit_code::VIOLATED));
    let mut kept: Vec<_> = TOLD.into_iter().chain(JUDGED).collect();
    kept.sort_unstable();
    assert_eq!(night.kept, kept);
    assert_eq!((&*night.outputs["changed"], &*night.outputs["violations"]), ("unknown", "4"));
    let annotation = "::error file=access.yaml,line=14,col=5,title=engineers-through-their-group::";
    assert!(night.steps.log.contains(annotation), "{}", night.steps.log);
    assert!(night.summary().contains("Søren Eriksen"), "{}", night.summary());
    let uploaded = fs::read_to_string(caller.runner.path("github").join("uploaded.sarif")).unwrap();
    let uploaded: Json = serde_json::from_str(&uploaded).unwrap();
    let run = &uploaded["runs"][0];
    // Of two organizations in one repository neither closes the other's alerts.
    assert_eq!(run["automationDetails"]["id"], "access-snapshot/marlow/");
    assert_eq!(run["results"].as_array().unwrap().len(), 4);
    let page = fs::read_to_string(caller.runner.path("workspace").join("access.html")).unwrap();
    assert!(page.contains("engineers-through-their-group"));
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn what_is_known_or_less_severe_fails_no_job() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    let rules = "version: 1\nrules: [{id: a, role: owner, only: [], severity: warning}]\n";
    caller.commit("access.yaml", rules);
    let warned = caller.night(&fake, &[("rules", "access.yaml")]);
    warned.assert_ended(None);
    assert_eq!(warned.outputs["violations"], "2");
    let strict = [("rules", "access.yaml"), ("fail-on", "warning")];
    caller.night(&fake, &strict).assert_ended(Some(exit_code::VIOLATED));
    let known = ["ada-marlow", "ben-okafor"].map(|id| {
        let principal = format!("user:{id}");
        json!({"rule": "a", "demand": "only", "principal": principal, "entitlements": ["role:owner:assigned"]})
    });
    let baseline = json!({"version": 1, "findings": known});
    caller.commit("known.json", &baseline.to_string());
    let night = caller.night(&fake, &[&strict[..], &[("baseline", "known.json")]].concat());
    night.assert_ended(None);
    assert_eq!(night.outputs["violations"], "0");
    // Code scanning would show what is suppressed as open.
    let uploaded = fs::read_to_string(caller.runner.path("github").join("uploaded.sarif")).unwrap();
    let uploaded: Json = serde_json::from_str(&uploaded).unwrap();
    assert_eq!(uploaded["runs"][0]["results"], json!([]));
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn where_code_scanning_is_off_nothing_fails_by_it() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.commit("access.yaml", "version: 1\nrules: [{id: a, role: owner, holders: {max: 9}}]\n");
    let rules = [("rules", "access.yaml")];
    let answer = caller.runner.path("github").join("answer");
    for text in [
        "gh: Advanced Security must be enabled for this repository to use code scanning. (HTTP 403)",
        "gh: Resource not accessible by integration (HTTP 403)",
        "gh: Not Found (HTTP 404)",
    ] {
        fs::write(&answer, text).unwrap();
        let night = caller.night(&fake, &rules);
        night.assert_ended(None);
        assert!(night.steps.log.contains("::notice::code scanning took nothing"));
        assert!(night.steps.log.contains(text), "{}", night.steps.log);
    }
    // Anything else is a failure, be it GitHub's.
    fs::write(&answer, "gh: Server Error (HTTP 502)").unwrap();
    let night = caller.night(&fake, &rules);
    night.assert_ended(Some(1));
    assert!(night.kept.contains(&"northflank.c1z".to_owned()));
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn a_mistake_in_the_rules_fails_the_job_and_loses_no_file() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.commit("access.yaml", "version: 1\nrules: [{id: a, role: ownr, only: []}]\n");
    for rules in ["access.yaml", "none.yaml", HOSTILE] {
        let night = caller.night(&fake, &[("rules", rules)]);
        night.assert_ended(Some(exit_code::INVALID_ARGUMENT));
        assert_eq!(night.kept, TOLD);
        assert_eq!(night.outputs["violations"], "");
        assert!(!caller.runner.path("github").join("uploaded.sarif").exists());
        assert!(!caller.runner.is_pwned());
    }
    assert_eq!(caller.night(&fake, &[]).outputs["changed"], "false");
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn a_sync_that_fails_fails_the_job_and_keeps_nothing() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.night(&fake, &[]).assert_ended(None);
    let refusal = Action::json(403, r#"{"error":{"message":"Forbidden"}}"#);
    fake.script(Rule::every(Endpoint::RoleMembers, refusal));
    let night = caller.night(&fake, &[]);
    night.assert_ended(Some(exit_code::PERMISSION_DENIED));
    assert_eq!(night.kept, [""; 0]);
    assert_eq!((&*night.outputs["changed"], &*night.outputs["file"]), ("", ""));
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn what_another_job_has_left_on_its_runner_is_no_part_of_this_one() {
    let left = &["northflank.c1z", "review.json", "review.sarif", "review.md", "changes.md"];
    let mut caller = Caller { left, ..Caller::new() };
    let night = caller.night(&fake(Organization::demo()), &[]);
    night.assert_ended(None);
    assert!(!night.kept.iter().any(|name| name.starts_with("review")), "{:?}", night.kept);
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn a_file_of_the_run_before_is_taken_for_no_new_one_whatever_its_time() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.night(&fake, &[]).assert_ended(None);
    // As it is west of Greenwich, since archives hold no time zone.
    let mut later = Command::new("sh");
    later.args(["-c", "touch -d tomorrow northflank.c1z && zip -q \"$0\" northflank.c1z"]);
    later.arg(caller.runner.path("github").join("artifact-1.zip"));
    assert!(later.current_dir(caller.runner.path("workspace")).status().unwrap().success());
    let night = caller.night(&fake, &[("base-url", "http://northflank.example")]);
    night.assert_ended(Some(exit_code::INVALID_ARGUMENT));
    assert_eq!(night.outputs["changed"], "");
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn two_organizations_of_one_repository_keep_out_of_each_others_way() {
    let one = fake(Organization::demo());
    let size = Size { members: 5, roles: 2, groups: 1, memberships: 4 };
    let two = fake(Organization::generate(7, size));
    let mut caller = Caller::new();
    let (first, other) = (caller.night(&one, &[]), caller.night(&two, &[("name", "a b&c=d")]));
    assert_ne!(first.concurrency, other.concurrency);
    for night in [first, other] {
        assert_eq!(night.outputs["changed"], "unknown");
    }
    let night = caller.night(&one, &[]);
    assert_eq!(night.outputs["changed"], "false", "{}", night.steps.log);
    assert_eq!(caller.file().resource_keys(), expected::resources(&Organization::demo()));
    assert_eq!(caller.night(&two, &[("name", "a b&c=d")]).outputs["changed"], "false");
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn what_the_sums_are_not_of_is_not_run() {
    let fake = fake(Organization::demo());
    let mut caller = Caller::new();
    caller.runner.tamper();
    let night = caller.night(&fake, &[]);
    night.assert_ended(Some(1));
    assert!(night.steps.log.contains("FAILED"), "{}", night.steps.log);
    assert_eq!(fake.requests(), 0);
}

#[test]
#[ignore = "needs jq, zip and unzip; .ci/run has them"]
fn no_input_is_taken_for_shell() {
    let fake = fake(Organization::demo());
    for name in ["version", "name", "base-url", "baseline", "fail-on"] {
        let mut caller = Caller::new();
        caller.commit("access.yaml", &read("examples/review.yaml"));
        caller.night(&fake, &[("rules", "access.yaml"), (name, HOSTILE)]);
        assert!(!caller.runner.is_pwned(), "{name}");
    }
}
