//! What breaks rules, above what is worth a look anyway.

use crate::baton::printable;
use crate::report::review::{Review, RuleFinding, Suppression};

use super::limits::MOST_NAMES;

/// Rules, and what breaks them.
#[derive(Debug)]
pub struct PageRules {
    /// How it ended, in a sentence.
    pub(in crate::report) summary: String,
    pub(in crate::report) rules: Vec<PageRule>,
}

#[derive(Debug)]
pub(in crate::report) struct PageRule {
    pub(in crate::report) id: String,
    pub(in crate::report) why: Option<String>,
    /// How many findings aren't suppressed.
    pub(in crate::report) open: usize,
    /// What is found, suppressed or not.
    pub(in crate::report) lines: Vec<PageRuleLine>,
    /// How many findings it leaves to JSON.
    pub(in crate::report) more: usize,
}

/// What breaks a rule.
#[derive(Debug)]
pub(in crate::report) struct PageRuleLine {
    pub(in crate::report) word: &'static str,
    pub(in crate::report) message: String,
    pub(in crate::report) note: String,
}

impl PageRules {
    /// What a review found.
    pub fn new(review: &Review<'_>) -> Self {
        let rules = review.rules().iter().enumerate().map(|(place, rule)| {
            let findings = review.of_rule(place);
            // What nobody accepts stands first, and is cut last.
            let (open, suppressed): (Vec<_>, Vec<_>) =
                findings.iter().partition(|finding| finding.is_open());
            let lines = open.iter().chain(&suppressed).take(MOST_NAMES);
            PageRule {
                id: rule.id.clone(),
                why: rule.why.as_deref().map(printable),
                open: open.len(),
                lines: lines.map(|finding| PageRuleLine::new(finding)).collect(),
                more: findings.len().saturating_sub(MOST_NAMES),
            }
        });
        let mut rules: Vec<_> = rules.collect();
        // What is broken stands first.
        rules.sort_by_key(|rule| rule.open == 0);
        Self { summary: review.summary(), rules }
    }
}

impl PageRuleLine {
    fn new(finding: &RuleFinding) -> Self {
        let (word, note) = match (&finding.suppressed, &finding.ended) {
            (Some(Suppression::Exception { reason, until }), _) => {
                ("accepted", format!("until {until}: {reason}"))
            }
            (Some(Suppression::Baseline), _) => ("known", String::new()),
            (None, Some(ended)) => {
                let note = format!("its exception ended on {}: {}", ended.until, ended.reason);
                (finding.severity.word(), note)
            }
            (None, None) => (finding.severity.word(), String::new()),
        };
        // Several names stand in it: none may turn what stands beside it.
        Self { word, message: printable(&finding.message()), note: printable(&note) }
    }
}
