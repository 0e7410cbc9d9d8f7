//! What changed between two syncs, as lines to show.

use super::names::SyncLabel;

/// What changed since an earlier sync.
#[derive(Debug, Clone)]
pub struct ChangeList {
    /// The earlier sync.
    pub since: SyncLabel,
    /// What changed, by kind; kinds of which nothing changed are left out.
    pub sections: Vec<ChangeSection>,
}

/// Changes of one kind.
#[derive(Debug, Clone)]
pub struct ChangeSection {
    /// The kind.
    pub title: &'static str,
    /// What the columns hold.
    pub columns: &'static [&'static str],
    pub lines: Vec<ChangeLine>,
}

/// Something that came, went or changed. No text can steer a terminal.
#[derive(Debug, Clone)]
pub struct ChangeLine {
    /// Which of these.
    pub sign: ChangeSign,
    /// What it is of.
    pub columns: Vec<String>,
    /// The facts that changed.
    pub changes: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSign {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// It is there still, and not the same.
    Changed,
}

impl ChangeSign {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    /// The mark for it.
    pub fn mark(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}
