//! What is accepted for a time.

use time::Date;

use crate::baton::resource_key;
use crate::report::access;
use crate::report::model::ResourceInfo;

use super::resolve::{HELD, IdResolver, PRINCIPALS};
use super::rule_finding::{EndedException, RuleFinding, Suppression};
use super::rules::{ExceptionOf, RuleException, RuleSet};

/// Marks what exceptions accept on the day `today`, and what ones that have ended did. Returns
/// warnings of those that are of nothing.
pub(super) fn accept(
    findings: &mut [RuleFinding],
    rules: &RuleSet,
    resolver: &mut IdResolver<'_>,
    today: Date,
) -> Result<Vec<String>, access::Error> {
    let mut warnings = Vec::new();
    // One that holds goes before one that has ended.
    let (current, ended): (Vec<_>, Vec<_>) =
        rules.exceptions.iter().partition(|exception| exception.until >= today);
    for exception in current.into_iter().chain(ended) {
        let Some(accepted) = AcceptedSet::new(exception, resolver)? else { continue };
        let mut matches = false;
        let of_rule = |finding: &&mut RuleFinding| {
            rules.rules[finding.rule].id == exception.rule && accepted.has(finding)
        };
        for finding in findings.iter_mut().filter(of_rule) {
            matches = true;
            let (reason, until) = (exception.reason.clone(), exception.until);
            if finding.suppressed.is_some() {
                continue;
            }
            if until >= today {
                finding.suppressed = Some(Suppression::Exception { reason, until });
            } else {
                finding.ended.get_or_insert(EndedException { reason, until });
            }
        }
        if !matches {
            warnings.push(format!(
                "the exception of {} at line {} is of nothing that was found ({}): remove it",
                exception.rule, exception.at.line, exception.reason
            ));
        }
    }
    warnings.append(&mut resolver.warnings);
    Ok(warnings)
}

/// Whose findings an exception accepts.
enum AcceptedSet {
    /// Of anybody of these, by `type:id`.
    Principals(Vec<String>),
    /// Of nobody, about any of these.
    Resources(Vec<String>),
    Nobody,
}

impl AcceptedSet {
    /// Nothing where the file has nobody of the id, which is a warning.
    fn new(
        exception: &RuleException,
        resolver: &mut IdResolver<'_>,
    ) -> Result<Option<Self>, access::Error> {
        let place = format!("exception of {}", exception.rule);
        let (id, kinds, set): (_, _, fn(Vec<String>) -> Self) = match &exception.of {
            ExceptionOf::Principal(id) => (id, PRINCIPALS, Self::Principals),
            ExceptionOf::Resource(id) => (id, HELD, Self::Resources),
            ExceptionOf::Nobody => return Ok(Some(Self::Nobody)),
        };
        let found = resolver.allowed(id, &kinds, &place)?;
        let keys: Vec<_> = found.iter().map(|(kind, id)| resource_key(kind, id)).collect();
        Ok((!keys.is_empty()).then(|| set(keys)))
    }

    fn has(&self, finding: &RuleFinding) -> bool {
        let has = |keys: &[String], of: &ResourceInfo| keys.contains(&of.reference.key());
        match (self, &finding.principal, &finding.resource) {
            (Self::Principals(keys), Some(principal), _) => has(keys, principal),
            (Self::Resources(keys), None, Some(resource)) => has(keys, resource),
            (Self::Nobody, None, _) => true,
            _ => false,
        }
    }
}
