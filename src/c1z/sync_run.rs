//! Syncs, as a file holds them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use time::OffsetDateTime;

use super::organization::Organization;

/// Which earlier syncs a file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// All of them.
    All,
    /// So many finished full syncs, the new one among them.
    Newest(usize),
    /// As many finished full syncs as there are, and at least what baton connectors keep unless
    /// told otherwise: the new one and the one before it, which `baton diff` compares. Nobody who
    /// keeps a history on purpose loses it to a run that wasn't told of it.
    AsMany,
}

impl Retention {
    /// What is kept where nobody says how many.
    pub const DEFAULT: Self = Self::AsMany;
}

/// What part of an organization a sync covers, as readers distinguish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncType {
    /// All of it.
    Full,
    /// Certain resources, besides an earlier full sync.
    Partial,
    /// All resources, without entitlements and grants.
    ResourcesOnly,
}

impl SyncType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Full => FULL,
            Self::Partial => "partial",
            Self::ResourcesOnly => "resources_only",
        }
    }
}

/// The sync type that readers show unless told otherwise.
pub(super) const FULL: &str = "full";

/// By resource type, the keys that the profiles of its resources may have.
pub type ProfileKeys = BTreeMap<String, BTreeSet<String>>;

/// The sync that a new file adds.
#[derive(Debug, Clone)]
pub struct SyncRun {
    /// Its id, a KSUID.
    pub sync_id: String,
    /// What it covers.
    pub sync_type: SyncType,
    /// When its first page was asked for.
    pub started_at: OffsetDateTime,
    /// What it was reduced to, in any words that are the same for the same; `None` if it
    /// covers everything.
    pub reduced_to: Option<String>,
    /// Whose access it tells of, as far as that is known.
    pub organization: Option<Organization>,
    /// What the connector knows to tell in profiles.
    pub profile_keys: ProfileKeys,
    /// The types that it covers besides those of everything, in order.
    pub types: Vec<String>,
}

/// How many rows a sync has, as `v1_sync_runs.stats` holds it and readers show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RowCounts {
    pub resource_types: u64,
    /// Resources of all types.
    pub resources: u64,
    /// Entitlements of all types' resources.
    pub entitlements: u64,
    /// Grants of all types' resources.
    pub grants: u64,
    /// Icons and the like.
    pub assets: u64,
    pub resources_by_resource_type: BTreeMap<String, u64>,
    pub entitlements_by_resource_type: BTreeMap<String, u64>,
    /// Grants by their entitlement's resource's type.
    pub grants_by_resource_type: BTreeMap<String, u64>,
}

/// A file that has been written and put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// The new sync's id, a KSUID.
    pub sync_id: String,
    /// What the new sync holds.
    pub stats: RowCounts,
    /// How many earlier finished syncs were not kept.
    pub removed: usize,
    /// The file's size in bytes.
    pub size: u64,
}
