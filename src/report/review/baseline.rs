//! What was there when somebody last looked: known findings, so that only new ones fail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::rule_finding::{FindingIdentity, RuleFinding, Suppression};
use super::rules::RuleSet;

/// The version of baselines.
const VERSION: u32 = 1;

/// Known findings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    findings: BTreeSet<KnownFinding>,
}

/// A known finding. Names nobody but by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFinding {
    /// The rule's id.
    pub rule: String,
    /// The demand that isn't met.
    pub demand: String,
    /// Who, as `type:id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// By holding which entitlements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// What it is about, as `type:id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The id of a group that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How many there were, where it is a matter of number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Baseline {
    /// Everything that was found and that nobody accepted otherwise.
    pub(super) fn of(findings: &[RuleFinding], rules: &RuleSet) -> Self {
        let is_open =
            |it: &&RuleFinding| !matches!(it.suppressed, Some(Suppression::Exception { .. }));
        let info = findings.iter().filter(is_open).map(|finding| {
            let FindingIdentity { rule, demand, principal, resource, detail } =
                finding.identity(&rules.rules[finding.rule].id);
            let (entitlements, count) = (finding.entitlement_ids(), finding.breach.count());
            KnownFinding { rule, demand, principal, entitlements, resource, detail, count }
        });
        Self { version: VERSION, findings: info.collect() }
    }

    /// Reads one; `file` is where it stands.
    pub fn parse(text: &[u8], file: &Path) -> Result<Self, Error> {
        let unfit = |reason: String| Error::Baseline { file: file.to_owned(), reason };
        let baseline: Self =
            serde_json::from_slice(text).map_err(|error| unfit(error.to_string()))?;
        if baseline.version != VERSION {
            return Err(unfit(format!("version {} isn't known here", baseline.version)));
        }
        Ok(baseline)
    }

    /// How many findings it knows.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Marks what it knows; returns what it knows and isn't there any more.
    pub(super) fn mark(&self, findings: &mut [RuleFinding], rules: &RuleSet) -> Vec<KnownFinding> {
        let mut info: BTreeMap<FindingIdentity, Vec<&KnownFinding>> = BTreeMap::new();
        for finding in &self.findings {
            let KnownFinding { rule, demand, principal, resource, detail, .. } = finding.clone();
            let identity = FindingIdentity { rule, demand, principal, resource, detail };
            info.entry(identity).or_default().push(finding);
        }
        let mut met = BTreeSet::new();
        for finding in findings {
            let identity = finding.identity(&rules.rules[finding.rule].id);
            let Some(same) = info.get(&identity) else { continue };
            let entitlements = finding.entitlement_ids();
            let count = finding.breach.count();
            // What is there, and worse, isn't gone.
            let is_same = |it: &&&KnownFinding| {
                it.entitlements.is_empty()
                    || it.entitlements.iter().any(|id| entitlements.contains(id))
            };
            met.extend(same.iter().filter(is_same).map(|it| (*it).clone()));
            if finding.suppressed.is_none() && same.iter().any(|it| it.covers(&entitlements, count))
            {
                finding.suppressed = Some(Suppression::Baseline);
            }
        }
        self.findings.difference(&met).cloned().collect()
    }
}

impl KnownFinding {
    /// Whether a finding of the same is none that is worse: of nothing more that is held, and
    /// of a number that isn't farther out of bounds.
    fn covers(&self, entitlements: &[String], count: Option<u64>) -> bool {
        let is_no_more = match (self.count, count) {
            (Some(info), Some(count)) if self.demand == "holders.min" => count >= info,
            (Some(info), Some(count)) => count <= info,
            (None, None) => true,
            _ => false,
        };
        is_no_more && entitlements.iter().all(|id| self.entitlements.contains(id))
    }
}
