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
mod holdings;
mod json;
mod judge;
mod message;
mod outcome;
mod parse;
mod position;
mod resolve;
mod rule_finding;
mod rules;
mod sync_end;
mod table;
mod yaml;

pub use baseline::{Baseline, KnownFinding};
pub use duration::RuleDuration;
pub use error::Error;
pub use json::json;
pub use outcome::Review;
pub use position::{Position, RuleMistake, RuleMistakes};
pub use rule_finding::{EndedException, RuleFinding, Suppression};
pub use rules::{
    Demands, ExceptionOf, HeldSubject, HeldWay, Located, Rule, RuleException, RuleSet, RuleSubject,
    Severity, UnknownLogin,
};
pub use table::table;
