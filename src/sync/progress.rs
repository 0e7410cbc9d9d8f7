//! How far a sync has come, for whoever shows it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Checking the token's permissions.
    Validating,
    /// Reading lists.
    Reading,
    /// Writing rows, expanding grants.
    Writing,
    /// Building indexes, compressing, replacing the target.
    Saving,
}

/// Counters of a running sync. Each only grows.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    /// Members read.
    pub members: Counter,
    /// Roles found.
    pub roles: Counter,
    /// Directory groups found.
    pub groups: Counter,
    /// Roles and groups whose members are all read.
    pub lists_done: Counter,
    /// Memberships of roles and groups read.
    pub memberships: Counter,
    /// Grants written.
    pub grants: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Progress {
    /// What the sync is doing.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Validating,
            1 => Phase::Reading,
            2 => Phase::Writing,
            _ => Phase::Saving,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }
}
