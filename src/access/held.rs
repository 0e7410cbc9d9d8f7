//! Who holds what, and how.

use std::rc::Rc;

use crate::facts::{Given, How, Known, in_words};

/// How a grant to a group is called that it holds by itself.
pub(super) const LINKED: &str = "linked";

/// Who holds what, and how.
#[derive(Debug, Clone)]
pub struct Held {
    /// Who.
    pub principal: Rc<Known>,
    /// What.
    pub given: Rc<Given>,
    /// How.
    pub way: Rc<Way>,
}

/// How something is held.
#[derive(Debug)]
pub struct Way {
    how: How,
    /// What it is called when it is held by itself.
    by_itself: &'static str,
    through: Vec<Rc<Given>>,
}

impl Way {
    /// For what a grant says; `through` are the entitlements that it names.
    pub(super) fn new(how: How, by_itself: &'static str, through: Vec<Rc<Given>>) -> Self {
        Self { how, by_itself, through }
    }

    /// Whether a group holds it, for its members.
    pub fn is_link(&self) -> bool {
        self.by_itself == LINKED
    }

    /// One word: `direct`, `through`, `direct+through`, `member`, `linked`, or the source's
    /// own.
    pub fn word(&self) -> &str {
        self.how.word(self.by_itself)
    }

    /// In words: `direct and through group Engineering`.
    pub fn in_words(&self) -> String {
        self.in_words_with(Given::called)
    }

    /// In words, with what it is held through as `called` names it.
    pub fn in_words_with(&self, called: impl Fn(&Given) -> String) -> String {
        let by_itself = match &self.how.membership {
            _ if self.how.direct => Some(self.by_itself),
            Some(membership) if self.through.is_empty() => Some(membership.as_str()),
            _ => None,
        };
        in_words(by_itself, self.through.iter().map(|given| called(given)))
    }

    /// Whether it is held by itself, maybe besides.
    pub fn is_direct(&self) -> bool {
        self.how.direct
    }

    /// The entitlements through which it is held.
    pub fn through(&self) -> &[Rc<Given>] {
        &self.through
    }

    /// The source's own word for a membership that nothing explains.
    pub fn membership(&self) -> Option<&str> {
        self.how.membership.as_deref()
    }
}
