//! A sync, judged: what every output tells of.

use std::fmt::Write as _;
use std::path::Path;

use time::OffsetDateTime;

use crate::report::access::{AccessReport, counted};
use crate::report::model::SyncLabel;

use super::baseline::{Baseline, KnownFinding};
use super::error::Error;
use super::judge::{Judgement, judge};
use super::rule_finding::RuleFinding;
use super::rules::{Rule, RuleSet, Severity};

/// A sync, judged by rules.
pub struct Review<'rules> {
    /// Which sync it is.
    pub sync: SyncLabel,
    rules: &'rules RuleSet,
    /// What was found, suppressed or not, by rule and there by whom it is of.
    pub findings: Vec<RuleFinding>,
    /// What is to be said besides.
    pub warnings: Vec<String>,
    /// What a baseline knows and isn't there any more.
    pub gone: Vec<KnownFinding>,
    fail_on: Severity,
}

impl<'rules> Review<'rules> {
    /// Judges a sync as of `now`. `rules_file` is where the rules stand; findings of severity
    /// `fail_on` and above are failures.
    pub fn new(
        rules: &'rules RuleSet,
        rules_file: &Path,
        access: &AccessReport,
        now: OffsetDateTime,
        fail_on: Severity,
    ) -> Result<Self, Error> {
        let Judgement { findings, warnings } = judge(rules, rules_file, access, now)?;
        let (sync, gone) = (access.label(), Vec::new());
        Ok(Self { sync, rules, findings, warnings, gone, fail_on })
    }

    /// Takes for known what a baseline knows.
    pub fn compare(&mut self, baseline: &Baseline) {
        self.gone = baseline.mark(&mut self.findings, self.rules);
    }

    /// A baseline of everything that no exception accepts.
    pub fn baseline(&self) -> Baseline {
        Baseline::of(&self.findings, self.rules)
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &'rules [Rule] {
        &self.rules.rules
    }

    /// The rule that a finding breaks.
    pub fn rule_of(&self, finding: &RuleFinding) -> &'rules Rule {
        &self.rules.rules[finding.rule]
    }

    /// The same for the same finding.
    pub fn fingerprint(&self, finding: &RuleFinding) -> String {
        finding.fingerprint(&self.rule_of(finding).id)
    }

    /// What was found of one rule, by its place.
    pub fn of_rule(&self, place: usize) -> &[RuleFinding] {
        let start = self.findings.partition_point(|finding| finding.rule < place);
        let end = self.findings.partition_point(|finding| finding.rule <= place);
        &self.findings[start..end]
    }

    /// What was found and isn't suppressed.
    pub fn open(&self) -> impl Iterator<Item = &RuleFinding> {
        self.findings.iter().filter(|finding| finding.is_open())
    }

    /// Whether a finding fails the review.
    pub fn fails(&self, finding: &RuleFinding) -> bool {
        finding.is_open() && finding.severity >= self.fail_on
    }

    /// Whether anything does.
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| self.fails(finding))
    }

    /// How it ended, in a sentence.
    pub fn summary(&self) -> String {
        let of = |severity| self.open().filter(|it| it.severity == severity).count();
        let is_broken = |place: &usize| self.of_rule(*place).iter().any(RuleFinding::is_open);
        let broken = (0..self.rules().len()).filter(is_broken).count();
        let suppressed = self.findings.len() - self.open().count();
        let mut text = format!(
            "{} of {} broken: {}, {}",
            broken,
            counted(self.rules().len(), "rule", "rules"),
            counted(of(Severity::Error), "error", "errors"),
            counted(of(Severity::Warning), "warning", "warnings")
        );
        if suppressed > 0 {
            let _ = write!(text, "; {suppressed} suppressed");
        }
        if !self.gone.is_empty() {
            let _ = write!(text, "; {} of the baseline gone", self.gone.len());
        }
        text
    }
}
