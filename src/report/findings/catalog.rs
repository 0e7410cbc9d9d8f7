//! Everything that is looked for, by its stable id.

use std::borrow::Cow;

use crate::report::access::AccessReport;
use crate::report::model::TEAM_TYPE;

/// After how many days without a login or use somebody or something is worth a look, unless told
/// otherwise.
const IDLE_DAYS: u16 = 90;

/// Something to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Accounts that can't be used and hold something.
    UnusableAccounts,
    /// People whom a role or group names and the list of members doesn't.
    OutsideMemberList,
    /// People of whom only grants tell.
    PeopleWithoutRow,
    /// Accounts with a note in place of whether they can be used.
    StatusUnknown,
    /// People whose address isn't verified.
    UnverifiedAddresses,
    /// What is held neither by hand nor through something.
    UnexplainedMemberships,
    /// What is held by hand and through something.
    DirectBesideGroup,
    /// Roles that nobody holds.
    RolesWithoutHolders,
    /// Groups that a role or grant names and the file doesn't have.
    MissingGroups,
    /// People whose last login is long ago.
    Idle,
    /// People of whom no login is known.
    LoginUnknown,
    /// People who are in a team and not in the organization.
    TeamOnlyPeople,
    /// Tokens that don't end by themselves.
    TokenWithoutExpiry,
    /// Tokens that nobody uses.
    TokenUnused,
    /// Tokens whose creator is nobody of whom the file knows.
    TokenOrphaned,
    /// Tokens that act as owner.
    TokenOfOwner,
}

/// Something to look for, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingQuery {
    /// What.
    pub kind: FindingKind,
    /// After how many days, where it is a matter of days.
    pub days: u16,
}

impl FindingKind {
    /// All of them, in the order in which a page tells of them.
    pub const ALL: [Self; 16] = [
        Self::UnusableAccounts,
        Self::OutsideMemberList,
        Self::PeopleWithoutRow,
        Self::StatusUnknown,
        Self::UnverifiedAddresses,
        Self::UnexplainedMemberships,
        Self::DirectBesideGroup,
        Self::RolesWithoutHolders,
        Self::MissingGroups,
        Self::Idle,
        Self::LoginUnknown,
        Self::TeamOnlyPeople,
        Self::TokenWithoutExpiry,
        Self::TokenUnused,
        Self::TokenOrphaned,
        Self::TokenOfOwner,
    ];

    /// Its id, which never changes.
    pub fn id(self) -> &'static str {
        match self {
            Self::UnusableAccounts => "unusable-accounts",
            Self::OutsideMemberList => "outside-member-list",
            Self::PeopleWithoutRow => "people-without-row",
            Self::StatusUnknown => "status-unknown",
            Self::UnverifiedAddresses => "unverified-addresses",
            Self::UnexplainedMemberships => "unexplained-memberships",
            Self::DirectBesideGroup => "direct-beside-group",
            Self::RolesWithoutHolders => "roles-without-holders",
            Self::MissingGroups => "missing-groups",
            Self::Idle => "idle",
            Self::LoginUnknown => "login-unknown",
            Self::TeamOnlyPeople => "team-only-people",
            Self::TokenWithoutExpiry => "token-without-expiry",
            Self::TokenUnused => "token-unused",
            Self::TokenOrphaned => "token-orphaned",
            Self::TokenOfOwner => "token-of-owner",
        }
    }

    /// The one of this id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Why it is worth a look.
    pub fn why(self) -> &'static str {
        match self {
            Self::UnusableAccounts => {
                "Not finished, disabled or deleted: nobody works with this access, and whoever \
                 takes the account over has it."
            }
            Self::OutsideMemberList => "A role or group names them, the list of members doesn't.",
            Self::PeopleWithoutRow => "A grant names them, and nothing else is told of them.",
            Self::StatusUnknown => {
                "The file has them, and a note in place of whether they can be used."
            }
            Self::UnverifiedAddresses => "Nobody has shown to own the address.",
            Self::UnexplainedMemberships => {
                "Held neither by hand nor through a group that the file knows."
            }
            Self::DirectBesideGroup => "Leaving the group would not end it.",
            Self::RolesWithoutHolders => "Not needed, or not yet.",
            Self::MissingGroups => "A role names a group that the file doesn't have.",
            Self::Idle => "Before the sync. People of whom no login is known stand apart.",
            Self::LoginUnknown => "They never logged in, or nobody knows.",
            Self::TeamOnlyPeople => {
                "From outside, or gone from the organization and not from its teams."
            }
            Self::TokenWithoutExpiry => "Whoever has the secret can use it until somebody notices.",
            Self::TokenUnused => {
                "Before the sync. What is never used counts from when it was made."
            }
            Self::TokenOrphaned => {
                "No user of the file has the address of who made it: they may have left, and \
                 know the secret."
            }
            Self::TokenOfOwner => "It may do everything, without anybody's login.",
        }
    }

    /// How many days it takes unless told otherwise; `None` where it is no matter of days.
    pub fn default_days(self) -> Option<u16> {
        matches!(self, Self::Idle | Self::TokenUnused).then_some(IDLE_DAYS)
    }

    /// Whether it is about a role, group or token, and of nobody.
    pub fn is_of_nobody(self) -> bool {
        self.is_of_secrets() || matches!(self, Self::RolesWithoutHolders | Self::MissingGroups)
    }

    /// Whether it is about who holds what, be it through a group.
    pub fn is_of_grants(self) -> bool {
        matches!(self, Self::DirectBesideGroup | Self::RolesWithoutHolders)
    }

    /// Whether it is about tokens.
    pub(super) fn is_of_secrets(self) -> bool {
        matches!(
            self,
            Self::TokenWithoutExpiry | Self::TokenUnused | Self::TokenOrphaned | Self::TokenOfOwner
        )
    }

    /// What it is about and `access` has nothing of, in words: `tokens` or `teams`.
    pub(in crate::report) fn missing_in(self, access: &AccessReport) -> Option<&'static str> {
        let has_teams = || access.sync().sync().types.iter().any(|kind| kind == TEAM_TYPE);
        match self {
            Self::TeamOnlyPeople if !has_teams() => Some("teams"),
            kind if kind.is_of_secrets() && !access.traits().has_secrets() => Some("tokens"),
            _ => None,
        }
    }

    /// Whether it is about when people logged in, of which a file may know nothing.
    pub fn is_of_logins(self) -> bool {
        matches!(self, Self::Idle | Self::LoginUnknown)
    }
}

impl FindingQuery {
    /// For something, with its default number.
    pub fn new(kind: FindingKind) -> Self {
        Self { kind, days: kind.default_days().unwrap_or_default() }
    }

    /// What was found, in a few words.
    pub fn title(self) -> Cow<'static, str> {
        match self.kind {
            FindingKind::UnusableAccounts => "Accounts that can't be used and hold something",
            FindingKind::OutsideMemberList => "People outside the member list",
            FindingKind::PeopleWithoutRow => "People without a row in the file",
            FindingKind::StatusUnknown => "Accounts of unknown status",
            FindingKind::UnverifiedAddresses => "Unverified addresses",
            FindingKind::UnexplainedMemberships => "Memberships that nothing explains",
            FindingKind::DirectBesideGroup => "Roles held by hand beside a group",
            FindingKind::RolesWithoutHolders => "Roles that nobody holds",
            FindingKind::MissingGroups => "Linked groups that are missing",
            FindingKind::Idle => return format!("No login for {} days", self.days).into(),
            FindingKind::LoginUnknown => "No login known",
            FindingKind::TeamOnlyPeople => "People who are only in a team",
            FindingKind::TokenWithoutExpiry => "Tokens without an expiry",
            FindingKind::TokenUnused => {
                return format!("Tokens unused for {} days", self.days).into();
            }
            FindingKind::TokenOrphaned => "Tokens of unknown creators",
            FindingKind::TokenOfOwner => "Tokens that act as owner",
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FindingKind;

    #[test]
    fn every_id_is_of_one_finding() {
        let ids: BTreeSet<_> = FindingKind::ALL.map(FindingKind::id).into();
        assert_eq!(ids.len(), FindingKind::ALL.len());
        for kind in FindingKind::ALL {
            assert_eq!(FindingKind::of_id(kind.id()), Some(kind));
        }
        assert_eq!(FindingKind::of_id("Idle"), None);
    }
}
