//! What can be asked for.

use std::fmt;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// A person, or another account.
    User,
    Role,
    Group,
}

impl FilterKind {
    pub(in crate::report) fn several(self) -> &'static str {
        match self {
            Self::User => "people",
            Self::Role => "roles",
            Self::Group => "groups",
        }
    }
}

impl fmt::Display for FilterKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
        })
    }
}
