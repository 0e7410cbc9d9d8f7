//! Steps of GitHub's jobs and composite actions, run one after the other as its runner does: with
//! the expressions, files and shells that ours use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use saphyr::Yaml;

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Flag(bool),
}

impl Value {
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    fn is_true(&self) -> bool {
        *self != Self::Flag(false) && *self != Self::Text(String::new())
    }
}

/// A run of steps.
pub struct StepsRun {
    /// Where they run.
    pub workspace: PathBuf,
    /// What expressions may name: inputs, secrets, and what steps hand on.
    pub context: BTreeMap<String, Value>,
    /// The environment of every step.
    pub variables: BTreeMap<String, String>,
    /// What all steps have printed.
    pub log: String,
    /// The code of the first step that failed.
    pub failure: Option<i32>,
}

impl StepsRun {
    /// Runs steps; `others` does what an action of others does with its inputs, and returns its
    /// outputs.
    pub fn run(
        &mut self,
        steps: &Yaml<'_>,
        mut others: impl FnMut(&str, &BTreeMap<String, String>) -> BTreeMap<String, String>,
    ) {
        for step in steps.as_sequence().unwrap() {
            let text = |key: &str| step.as_mapping_get(key).and_then(Yaml::as_str);
            if !self.is_due(text("if")) {
                continue;
            }
            let outputs = if let Some(script) = text("run") {
                self.shell(script, text("shell"), &self.values(step, "env"))
            } else {
                others(text("uses").unwrap(), &self.values(step, "with"))
            };
            for (name, value) in outputs {
                let id = text("id").unwrap();
                self.context.insert(format!("steps.{id}.outputs.{name}"), Value::Text(value));
            }
        }
    }

    /// A text in which each expression stands for its value.
    pub fn filled(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").unwrap();
            filled += &self.value(expression).text();
            filled += rest;
        }
        filled
    }

    /// What stands in a file that steps write, such as `GITHUB_STEP_SUMMARY`.
    pub fn written(&self, variable: &str) -> String {
        fs::read_to_string(self.path(variable)).unwrap_or_default()
    }

    fn path(&self, variable: &str) -> PathBuf {
        Path::new(&self.variables["RUNNER_TEMP"]).join(variable)
    }

    fn values(&self, step: &Yaml<'_>, key: &str) -> BTreeMap<String, String> {
        let mapping = step.as_mapping_get(key).and_then(Yaml::as_mapping);
        let text = |value: &Yaml<'_>| match value.as_str() {
            Some(text) => self.filled(text),
            None => value
                .as_bool()
                .map_or_else(|| value.as_integer().unwrap().to_string(), |flag| flag.to_string()),
        };
        let pairs = mapping.into_iter().flatten();
        pairs.map(|(name, value)| (name.as_str().unwrap().to_owned(), text(value))).collect()
    }

    /// Runs a script; returns its outputs.
    fn shell(
        &mut self,
        script: &str,
        shell: Option<&str>,
        variables: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        // An expression would be part of the script, whatever it holds.
        assert!(!script.contains("${{"), "{script}");
        let flags = match shell {
            None => &["-e"][..],
            Some("bash") => &["--noprofile", "--norc", "-e", "-o", "pipefail"],
            other => panic!("{other:?}"),
        };
        let mut path = self.written("GITHUB_PATH").replace('\n', ":");
        path += &self.variables["PATH"];
        fs::remove_file(self.path("GITHUB_OUTPUT")).ok();
        let mut command = Command::new("bash");
        command.args(flags).args(["-c", script]).current_dir(&self.workspace).env_clear();
        command.envs(&self.variables).env("PATH", path);
        for file in ["GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"] {
            command.env(file, self.path(file));
        }
        let output = command.envs(variables).output().unwrap();
        self.log += &String::from_utf8(output.stdout).unwrap();
        self.log += &String::from_utf8(output.stderr).unwrap();
        if !output.status.success() && self.failure.is_none() {
            self.failure = output.status.code();
        }
        let outputs = self.written("GITHUB_OUTPUT");
        let pairs = outputs.lines().map(|line| line.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn is_due(&self, condition: Option<&str>) -> bool {
        let condition = condition.unwrap_or("success()");
        let condition = condition.trim_start_matches("${{").trim_end_matches("}}");
        let asks = ["success()", "always()", "cancelled()", "failure()"];
        let is_due = self.value(condition).is_true();
        is_due && (self.failure.is_none() || asks.iter().any(|it| condition.contains(it)))
    }

    fn value(&self, expression: &str) -> Value {
        let mut reader = Expression { rest: expression.trim(), run: self };
        let value = reader.either();
        assert_eq!(reader.rest, "", "{expression}");
        value
    }
}

/// What is left to read of an expression.
struct Expression<'run> {
    rest: &'run str,
    run: &'run StepsRun,
}

impl Expression<'_> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.takes("||") {
            let other = self.both();
            value = if value.is_true() { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.comparison();
        while self.takes("&&") {
            let other = self.comparison();
            value = if value.is_true() { other } else { value };
        }
        value
    }

    fn comparison(&mut self) -> Value {
        let value = self.single();
        if self.takes("==") {
            return Value::Flag(value == self.single());
        }
        if self.takes("!=") {
            return Value::Flag(value != self.single());
        }
        value
    }

    fn single(&mut self) -> Value {
        if self.takes("!") {
            return Value::Flag(!self.single().is_true());
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').unwrap();
            self.rest = rest.trim_start();
            return Value::Text(text.to_owned());
        }
        let is_of_name = |char: char| char.is_alphanumeric() || "._-".contains(char);
        let length = self.rest.find(|char| !is_of_name(char)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest.trim_start();
        if self.takes("()") {
            return Value::Flag(match name {
                "success" => self.run.failure.is_none(),
                "failure" => self.run.failure.is_some(),
                "always" => true,
                "cancelled" => false,
                other => panic!("{other}"),
            });
        }
        match self.run.context.get(name) {
            Some(value) => value.clone(),
            // What a step didn't hand on is empty; what nobody has is a mistake.
            None if name.starts_with("steps.") => Value::Text(String::new()),
            None => panic!("nothing is called {name}"),
        }
    }
}
