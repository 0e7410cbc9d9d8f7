//! What can be asked for.

use std::fmt;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person, or another account.
    User,
    /// A role.
    Role,
    /// A group.
    Group,
}

impl Kind {
    /// Several of it.
    pub(super) fn several(self) -> &'static str {
        match self {
            Self::User => "people",
            Self::Role => "roles",
            Self::Group => "groups",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
        })
    }
}
