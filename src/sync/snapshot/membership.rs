//! Who holds something, and how: eight bytes.

use crate::connector::ListedResource;

/// Something that people are in, and who is; or something that nobody can be in.
#[derive(Debug)]
pub struct WithMembers {
    /// As Northflank lists it.
    pub row: Box<dyn ListedResource>,
    /// Each person once, by place.
    pub holders: Vec<MemberRef>,
    /// How many are in it whom Northflank gives no id.
    pub without_id: usize,
}

impl WithMembers {
    /// Nobody is in it yet.
    pub(super) fn new(row: Box<dyn ListedResource>) -> Self {
        Self { row, holders: Vec::new(), without_id: 0 }
    }

    /// The id of its resource type.
    pub fn resource_type(&self) -> &'static str {
        self.row.resource_type().id
    }
}

/// Somebody who holds what a role or group gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRef {
    /// Who.
    pub person: u32,
    /// How.
    pub holding: MembershipKind,
}

/// How somebody holds it: zero for what was added by hand, else one more than the number of
/// Northflank's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipKind(u32);

impl MembershipKind {
    pub(super) const DIRECT: Self = Self(0);

    /// As Northflank's word of this number says.
    pub(super) fn reported(word: u32) -> Self {
        Self(word.saturating_add(1))
    }

    /// The number of Northflank's word for it; `None` for what was added by hand.
    pub(super) fn word(self) -> Option<u32> {
        self.0.checked_sub(1)
    }
}
