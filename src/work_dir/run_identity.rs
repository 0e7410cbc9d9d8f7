//! Whose journal it is: what a run must have in common with the one that it goes on from.

use std::fmt;

use serde::{Deserialize, Serialize};
/// A run, as far as it matters to a later one.
#[derive(Clone, Copy)]
pub struct RunIdentity<'run> {
    /// The program's version: another may read the same records differently.
    pub version: &'run str,
    /// What is to be read and from where, in any words.
    pub settings: &'run str,
    /// Digests of a salt and what opens the organization.
    pub digests: &'run dyn Fn(&[u8]) -> IdentityDigests,
    /// The id of the sync, if it begins now.
    pub sync_id: &'run str,
    /// Whether the sync of this id is finished, so that nothing is left to do for it.
    pub is_finished: &'run dyn Fn(&str) -> bool,
}

/// What tells organizations apart without telling secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityDigests {
    /// Of the organization's own id, where it is known. It counts where both runs know it.
    pub organization: Option<[u8; 32]>,
    pub token: [u8; 32],
}

/// Why a journal was discarded.
#[derive(Debug, PartialEq, Eq)]
pub enum DiscardReason {
    /// Nothing of it can be read.
    Damaged(String),
    /// Another version of the connector made it.
    OtherVersion,
    /// It was made for other settings.
    OtherSettings,
    /// It tells of another organization.
    OtherOrganization,
    /// It was made with another token.
    OtherToken,
}

impl fmt::Display for DiscardReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Damaged(problem) => return write!(formatter, "it is damaged ({problem})"),
            Self::OtherVersion => "it was made by another version of the connector",
            Self::OtherSettings => "it was made with other settings",
            Self::OtherOrganization => "it was read from another organization",
            Self::OtherToken => "it was made with another API token",
        })
    }
}

/// What the first frame says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JournalHeader {
    version: String,
    settings: String,
    salt: [u8; 16],
    digests: IdentityDigests,
    pub(super) sync_id: String,
}

impl JournalHeader {
    pub(super) fn new(identity: &RunIdentity<'_>, salt: [u8; 16]) -> Self {
        Self {
            version: identity.version.to_owned(),
            settings: identity.settings.to_owned(),
            salt,
            digests: (identity.digests)(&salt),
            sync_id: identity.sync_id.to_owned(),
        }
    }

    /// Whether a run of `identity` may go on from the journal, or why not.
    pub(super) fn is_like(&self, identity: &RunIdentity<'_>) -> Result<(), DiscardReason> {
        if self.version != identity.version {
            return Err(DiscardReason::OtherVersion);
        }
        if self.settings != identity.settings {
            return Err(DiscardReason::OtherSettings);
        }
        let digests = (identity.digests)(&self.salt);
        match (self.digests.organization, digests.organization) {
            (Some(theirs), Some(ours)) if theirs == ours => Ok(()),
            (Some(_), Some(_)) => Err(DiscardReason::OtherOrganization),
            _ if self.digests.token == digests.token => Ok(()),
            _ => Err(DiscardReason::OtherToken),
        }
    }
}
