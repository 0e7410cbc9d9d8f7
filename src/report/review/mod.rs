//! Access, judged by rules: what a sync tells that isn't allowed, and isn't accepted or known.
//!
//! - [`RuleSet`]: the rules, read with all that is wrong in them.
//! - [`Review`]: a sync, judged. The same rules, sync and time are the same findings.
//! - [`Baseline`]: findings that were there before.
//! - A file for each output.

mod baseline;
mod breach;
mod breaches;
mod duration;
mod error;
mod exceptions;
mod fields;
mod github;
mod holdings;
mod initial;
mod json;
mod judge;
mod junit;
mod markdown;
mod message;
mod outcome;
mod parse;
mod position;
mod resolve;
mod rule_finding;
mod rules;
mod sarif;
mod table;
mod yaml;

pub use baseline::{Baseline, KnownFinding};
pub use duration::RuleDuration;
pub use error::Error;
pub use github::github;
pub use initial::initial_rules;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use outcome::Review;
pub use position::{Position, RuleMistake, RuleMistakes};
pub use rule_finding::{EndedException, RuleFinding, Suppression};
pub use rules::{
    Demands, ExceptionOf, HeldSubject, HeldWay, Located, Rule, RuleException, RuleSet, RuleSubject,
    Severity, UnknownLogin,
};
pub use sarif::{MOST_CODE_SCANNING_RESULTS, code_scanning, sarif};
pub use table::table;
