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
    pub entitlement: Rc<EntitlementInfo>,
    /// How.
    pub path: Rc<HeldVia>,
}

/// How something is held.
#[derive(Debug)]
pub struct HeldVia {
    path: GrantPath,
    /// What it is called when it is held by itself.
    by_itself: &'static str,
    through: Vec<Rc<EntitlementInfo>>,
}

impl HeldVia {
    /// For what a grant says; `through` are the entitlements that it names.
    pub(in crate::report) fn new(
        path: GrantPath,
        by_itself: &'static str,
        through: Vec<Rc<EntitlementInfo>>,
    ) -> Self {
        Self { path, by_itself, through }
    }

    /// Whether a group holds it, for its members.
    pub fn is_link(&self) -> bool {
        self.by_itself == LINKED
    }

    /// One word: `direct`, `through`, `direct+through`, `member`, `linked`, or the source's
    /// own.
    pub fn word(&self) -> &str {
        self.path.word(self.by_itself)
    }

    /// In words: `direct and through group Engineering`.
    pub fn in_words(&self) -> String {
        self.in_words_with(EntitlementInfo::label)
    }

    /// In words, with what it is held through as `label` names it.
    pub fn in_words_with(&self, label: impl Fn(&EntitlementInfo) -> String) -> String {
        in_words(
            self.direct(),
            self.membership(),
            self.through.iter().map(|entitlement| label(entitlement)),
        )
    }

    /// What it is called as far as it is held by itself; the source's own word where nothing
    /// explains it.
    pub fn by_itself(&self) -> Option<&str> {
        by_itself(self.direct(), self.membership(), !self.through.is_empty())
    }

    fn direct(&self) -> Option<&str> {
        self.path.direct.then_some(self.by_itself)
    }

    /// Whether it is held by itself, maybe besides.
    pub fn is_direct(&self) -> bool {
        self.path.direct
    }

    /// The entitlements through which it is held.
    pub fn through(&self) -> &[Rc<EntitlementInfo>] {
        &self.through
    }

    /// The source's own word for a membership that nothing explains.
    pub fn membership(&self) -> Option<&str> {
        self.path.membership.as_deref()
    }
}
