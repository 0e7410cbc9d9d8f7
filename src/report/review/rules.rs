//! Rules of who may hold what, as their file has them.

use time::Date;

use crate::report::findings::FindingQuery;

use super::duration::RuleDuration;
use super::position::Position;

/// A file of rules.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// How old a sync may be.
    pub max_age: Option<Located<RuleDuration>>,
    /// The rules, in their order. At least one.
    pub rules: Vec<Rule>,
    /// What is accepted for a time.
    pub exceptions: Vec<RuleException>,
}

/// Something, and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// Where.
    pub at: Position,
    /// What.
    pub value: T,
}

impl RuleSet {
    /// Every id that stands in it of people or of what they hold.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let of_rules = self.rules.iter().flat_map(|rule| {
            let (subjects, only): (&[_], _) = match &rule.subject {
                RuleSubject::Finding(_) => (&[], None),
                RuleSubject::NotTogether(ids) => (ids, None),
                RuleSubject::Holders(held, demands) => (held.ids(), demands.only.as_ref()),
            };
            subjects.iter().chain(only.into_iter().flatten())
        });
        let of_exceptions = self.exceptions.iter().filter_map(|exception| match &exception.of {
            ExceptionOf::Principal(id) | ExceptionOf::Resource(id) => Some(id),
            ExceptionOf::Nobody => None,
        });
        of_rules.chain(of_exceptions).map(|id| id.value.as_str())
    }
}

#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it begins.
    pub at: Position,
    /// Its stable id.
    pub id: String,
    /// What it is about, and what it demands.
    pub subject: RuleSubject,
    /// How bad it is to break it.
    pub severity: Severity,
    /// Why it is there.
    pub why: Option<String>,
}

/// What a rule is about.
#[derive(Debug, Clone)]
pub enum RuleSubject {
    /// Those who hold something.
    Holders(HeldSubject, Box<Demands>),
    /// What nobody may hold all of. At least two ids of roles or groups.
    NotTogether(Vec<Located<String>>),
    /// What is worth a look anyway.
    Finding(FindingQuery),
}

/// What is held.
#[derive(Debug, Clone)]
pub enum HeldSubject {
    /// Any of these roles.
    Roles(Vec<Located<String>>),
    /// Any of these groups.
    Groups(Vec<Located<String>>),
    /// Every role, each by itself.
    AnyRole,
}

impl HeldSubject {
    /// The ids that name it.
    fn ids(&self) -> &[Located<String>] {
        match self {
            Self::Roles(ids) | Self::Groups(ids) => ids,
            Self::AnyRole => &[],
        }
    }
}

/// What is demanded of those who hold something. At least one is.
#[derive(Debug, Clone, Default)]
pub struct Demands {
    /// The only people who may, by id; groups stand for their members.
    pub only: Option<Vec<Located<String>>>,
    /// How many people may at least.
    pub min: Option<u64>,
    /// How many may at most.
    pub max: Option<u64>,
    /// In which way they may.
    pub held: Option<HeldWay>,
    /// Whether their accounts have to be enabled or the like.
    pub status: Option<&'static str>,
    /// Whether their addresses have to be verified, or not.
    pub email_verified: Option<bool>,
    /// How long ago before the sync's end their last login may be.
    pub login_within: Option<RuleDuration>,
    /// What becomes of those of whom no login is known.
    pub unknown_login: UnknownLogin,
}

/// In which way something may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldWay {
    /// Through something else only.
    ThroughGroup,
    /// By hand only.
    Directly,
    /// In any.
    Any,
}

/// What becomes of somebody of whom no login is known, where one is demanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownLogin {
    /// A warning.
    #[default]
    Warn,
    /// A finding of the rule's severity.
    Fail,
    /// Nothing.
    Ignore,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be looked at.
    Warning,
    /// To be ended.
    #[default]
    Error,
}

impl Severity {
    /// The words for them.
    pub const NAMES: [&str; 2] = ["error", "warning"];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The one of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Error, Self::Warning].into_iter().find(|severity| severity.word() == word)
    }
}

/// What is accepted for a time.
#[derive(Debug, Clone)]
pub struct RuleException {
    /// Where it begins.
    pub at: Position,
    /// The id of the rule that it is of.
    pub rule: String,
    /// Whom or what it is of.
    pub of: ExceptionOf,
    /// Why.
    pub reason: String,
    /// Its last day, in UTC.
    pub until: Date,
}

/// Whom or what an exception is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExceptionOf {
    /// Somebody, by id.
    Principal(Located<String>),
    /// A finding of nobody, about a resource of this id.
    Resource(Located<String>),
    /// Any finding of nobody.
    Nobody,
}
