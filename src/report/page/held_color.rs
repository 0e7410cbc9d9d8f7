//! How something is held, as far as its colour tells.

use crate::report::access::GrantInfo;

/// How something is held, as far as its colour tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum HeldColor {
    /// By hand.
    Direct,
    /// By hand and through something.
    Both,
    /// Through something only.
    Through,
    /// The source's own word.
    Word,
}

impl HeldColor {
    pub(in crate::report) fn of(grant: &GrantInfo) -> Self {
        match (grant.path.is_direct(), grant.path.through().is_empty()) {
            (true, true) => Self::Direct,
            (true, false) => Self::Both,
            (false, false) => Self::Through,
            (false, true) => Self::Word,
        }
    }

    /// The name of its class.
    pub(in crate::report) fn class(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Both => "both",
            Self::Through => "through",
            Self::Word => "word",
        }
    }

    /// The letter that stands for it in a row.
    pub(in crate::report) fn letter(self) -> &'static str {
        &self.class()[..1]
    }

    /// The letter that stands for it in a narrow cell.
    pub(in crate::report) fn capital(self) -> &'static str {
        match self {
            Self::Direct => "D",
            Self::Both => "B",
            Self::Through => "T",
            Self::Word => "W",
        }
    }

    /// What it means.
    pub(in crate::report) fn legend(self) -> &'static str {
        match self {
            Self::Direct => "by hand",
            Self::Both => "by hand and through a group",
            Self::Through => "through a group",
            Self::Word => "in the source's own word",
        }
    }
}
