//! Who holds something, and how: eight bytes.

/// A role or group, and who holds what it gives.
#[derive(Debug)]
pub struct WithMembers<T> {
    /// As Northflank lists it.
    pub row: T,
    /// Each person once, by place.
    pub holders: Vec<MemberRef>,
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
