//! Who holds what, and how.

use std::rc::Rc;

use crate::report::model::{EntitlementInfo, GrantPath, ResourceInfo, by_itself, in_words};

/// How a grant to a group is called that it holds by itself.
pub(in crate::report) const LINKED: &str = "linked";

/// Who holds what, and how.
#[derive(Debug, Clone)]
pub struct GrantInfo {
    /// Who.
    pub principal: Rc<ResourceInfo>,
    /// What.
    pub given: Rc<EntitlementInfo>,
    /// How.
    pub way: Rc<HeldVia>,
}

/// How something is held.
#[derive(Debug)]
pub struct HeldVia {
    how: GrantPath,
    /// What it is called when it is held by itself.
    by_itself: &'static str,
    through: Vec<Rc<EntitlementInfo>>,
}

impl HeldVia {
    /// For what a grant says; `through` are the entitlements that it names.
    pub(in crate::report) fn new(
        how: GrantPath,
        by_itself: &'static str,
        through: Vec<Rc<EntitlementInfo>>,
    ) -> Self {
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
        self.in_words_with(EntitlementInfo::called)
    }

    /// In words, with what it is held through as `called` names it.
    pub fn in_words_with(&self, called: impl Fn(&EntitlementInfo) -> String) -> String {
        in_words(self.direct(), self.membership(), self.through.iter().map(|given| called(given)))
    }

    /// What it is called as far as it is held by itself; the source's own word where nothing
    /// explains it.
    pub fn by_itself(&self) -> Option<&str> {
        by_itself(self.direct(), self.membership(), !self.through.is_empty())
    }

    fn direct(&self) -> Option<&str> {
        self.how.direct.then_some(self.by_itself)
    }

    /// Whether it is held by itself, maybe besides.
    pub fn is_direct(&self) -> bool {
        self.how.direct
    }

    /// The entitlements through which it is held.
    pub fn through(&self) -> &[Rc<EntitlementInfo>] {
        &self.through
    }

    /// The source's own word for a membership that nothing explains.
    pub fn membership(&self) -> Option<&str> {
        self.how.membership.as_deref()
    }
}
