//! A review for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::c1z::Organization;
use crate::report::access::{JsonEntitlement, JsonPrincipal, JsonResource};
use crate::report::model;

use super::outcome::Review;
use super::rule_finding::{RuleFinding, Suppression};

/// Writes a review as JSON.
pub fn json(review: &Review<'_>, mut output: impl Write) -> io::Result<()> {
    let rules = review.rules().iter().enumerate().map(|(place, rule)| JsonRule {
        id: &rule.id,
        severity: rule.severity.word(),
        violations: review.of_rule(place).iter().filter(|it| it.is_open()).count(),
    });
    let document = JsonReview {
        file: &review.sync.file,
        sync_id: &review.sync.sync_id,
        ended_at: &review.sync.ended_at,
        organization: review.sync.organization.as_ref(),
        rules: rules.collect(),
        findings: review.findings.iter().map(|finding| JsonFinding::new(review, finding)).collect(),
        gone: review.gone.iter().collect(),
    };
    model::json(&document, &mut output)?;
    output.flush()
}

#[derive(Serialize)]
struct JsonReview<'review> {
    file: &'review str,
    sync_id: &'review str,
    ended_at: &'review str,
    organization: Option<&'review Organization>,
    rules: Vec<JsonRule<'review>>,
    findings: Vec<JsonFinding<'review>>,
    gone: Vec<&'review super::baseline::KnownFinding>,
}

#[derive(Serialize)]
struct JsonRule<'review> {
    id: &'review str,
    severity: &'static str,
    /// Those that aren't suppressed.
    violations: usize,
}

#[derive(Serialize)]
struct JsonFinding<'review> {
    rule: &'review str,
    demand: String,
    severity: &'static str,
    fingerprint: String,
    principal: Option<JsonPrincipal<'review>>,
    entitlement: Option<JsonEntitlement<'review>>,
    resource: Option<JsonResource<'review>>,
    message: String,
    suppressed: Option<JsonSuppression<'review>>,
    /// The exception that ended, if one did.
    ended_exception: Option<JsonEnded<'review>>,
}

#[derive(Serialize)]
struct JsonSuppression<'review> {
    by: &'static str,
    reason: Option<&'review str>,
    until: Option<String>,
}

#[derive(Serialize)]
struct JsonEnded<'review> {
    reason: &'review str,
    until: String,
}

impl<'review> JsonFinding<'review> {
    fn new(review: &Review<'review>, finding: &'review RuleFinding) -> Self {
        Self {
            rule: &review.rule_of(finding).id,
            demand: finding.demand().into_owned(),
            severity: finding.severity.word(),
            fingerprint: review.fingerprint(finding),
            principal: finding.principal.as_deref().map(JsonPrincipal::new),
            entitlement: finding.entitlements.first().map(|given| JsonEntitlement::new(given)),
            resource: finding.resource.as_deref().map(JsonResource::new),
            message: finding.message(),
            suppressed: finding.suppressed.as_ref().map(|suppressed| match suppressed {
                Suppression::Exception { reason, until } => JsonSuppression {
                    by: "exception",
                    reason: Some(reason),
                    until: Some(until.to_string()),
                },
                Suppression::Baseline => {
                    JsonSuppression { by: "baseline", reason: None, until: None }
                }
            }),
            ended_exception: finding
                .ended
                .as_ref()
                .map(|ended| JsonEnded { reason: &ended.reason, until: ended.until.to_string() }),
        }
    }
}
