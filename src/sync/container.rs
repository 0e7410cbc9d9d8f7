//! What has a list of the people who are in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::northflank::Text;

/// What people are in, by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// A role.
    Role(Text),
    /// A directory group.
    Group(Text),
}

impl Container {
    /// What it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Group(_) => "directory group",
        }
    }

    /// Its id.
    pub fn id(&self) -> &Text {
        match self {
            Self::Role(id) | Self::Group(id) => id,
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind(), self.id())
    }
}
