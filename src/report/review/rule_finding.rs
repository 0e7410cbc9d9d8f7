//! What breaks a rule.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use time::Date;

use crate::digest::{hex, sha256};
use crate::report::model::{EntitlementInfo, ResourceInfo};

use super::breach::Breach;
use super::message::Message;
use super::rules::Severity;

/// What breaks a rule.
#[derive(Debug, Clone)]
pub struct RuleFinding {
    /// The rule, by its place.
    pub rule: usize,
    /// What of it is broken.
    pub(super) breach: Breach,
    /// How bad it is.
    pub severity: Severity,
    /// Who breaks it, if it is somebody.
    pub principal: Option<Rc<ResourceInfo>>,
    /// By holding what, in the order of ids; may be nothing.
    pub entitlements: Vec<Rc<EntitlementInfo>>,
    /// What it is about, if it is of nobody.
    pub resource: Option<Rc<ResourceInfo>>,
    /// Why it doesn't count, if it doesn't.
    pub suppressed: Option<Suppression>,
    /// The exception that ended, if one did.
    pub ended: Option<EndedException>,
}

/// Why a finding doesn't count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suppression {
    /// Somebody accepted it until a day.
    Exception {
        /// Why.
        reason: String,
        /// The last day.
        until: Date,
    },
    /// It was there when the baseline was written.
    Baseline,
}

/// An exception that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedException {
    /// Why it was there.
    pub reason: String,
    /// What was its last day.
    pub until: Date,
}

/// What a finding is, apart from names, numbers and order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FindingIdentity {
    pub(super) rule: String,
    pub(super) demand: String,
    /// `type:id`.
    pub(super) principal: Option<String>,
    /// `type:id`.
    pub(super) resource: Option<String>,
    pub(super) detail: Option<String>,
}

impl RuleFinding {
    /// Whether nobody accepted it and no baseline knows it.
    pub fn is_open(&self) -> bool {
        self.suppressed.is_none()
    }

    /// What of the rule is broken: `only`, `holders.max`, `require.status` and the like.
    pub fn demand(&self) -> Cow<'static, str> {
        self.breach.demand()
    }

    /// What is wrong, with names, on one line.
    pub fn message(&self) -> String {
        self.sentence().with_names()
    }

    /// What is wrong, with nothing but ids.
    pub fn message_with_ids(&self) -> String {
        self.sentence().with_ids()
    }

    /// Why it doesn't count, or no longer does.
    pub fn note(&self) -> Option<String> {
        match (&self.suppressed, &self.ended) {
            (Some(Suppression::Exception { reason, until }), _) => {
                Some(format!("accepted until {until}: {reason}"))
            }
            (Some(Suppression::Baseline), _) => Some("known".to_owned()),
            (None, Some(ended)) => {
                Some(format!("its exception ended on {}: {}", ended.until, ended.reason))
            }
            (None, None) => None,
        }
    }

    /// What is wrong, and its note.
    pub fn message_with_note(&self) -> String {
        let note = self.note().map(|note| format!("; {note}")).unwrap_or_default();
        self.message() + &note
    }

    fn sentence(&self) -> Message {
        let of = self.principal.as_ref().or(self.resource.as_ref());
        self.breach.message(of, &self.entitlements)
    }

    /// What it is. `rule` is the id of its rule.
    pub(super) fn identity(&self, rule: &str) -> FindingIdentity {
        FindingIdentity {
            rule: rule.to_owned(),
            demand: self.demand().into_owned(),
            principal: self.principal.as_ref().map(|of| of.reference.key()),
            resource: self.resource.as_ref().map(|of| of.reference.key()),
            detail: self.breach.detail().map(str::to_owned),
        }
    }

    /// The ids of what is held, in order.
    pub(super) fn entitlement_ids(&self) -> Vec<String> {
        self.entitlements.iter().map(|entitlement| entitlement.id.clone()).collect()
    }

    /// The same for the same finding, whoever is called how and whatever else there is: of
    /// rule, demand, principal, entitlements and resource.
    pub fn fingerprint(&self, rule: &str) -> String {
        let identity = self.identity(rule);
        let entitlements = self.entitlement_ids();
        let single = [Some(&identity.rule), Some(&identity.demand), identity.principal.as_ref()];
        let rest = [identity.resource.as_ref(), identity.detail.as_ref()];
        let mut text = String::new();
        // Each with its length, so that no two lists are the same text.
        for part in single.into_iter().chain(rest) {
            if let Some(part) = part {
                let _ = write!(text, "{}:{part}", part.len());
            }
            text.push(';');
        }
        for id in entitlements {
            let _ = write!(text, "{}:{id},", id.len());
        }
        hex(&sha256([text.as_bytes()]))
    }
}
