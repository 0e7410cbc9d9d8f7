//! How far a sync has come, for whoever shows it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::c1z::{self, Staging};
use crate::connector::{GROUP, ROLE, USER};

use super::list::List;
use super::stage::Rows;

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
    /// Roles and groups whose members are to be read.
    pub lists: Counter,
    /// Roles and groups whose members are all read.
    pub lists_done: Counter,
    /// Memberships of roles and groups read.
    pub memberships: Counter,
    /// Pages read, those of the run that this one goes on from included.
    pub pages: Counter,
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

    /// Counts what an earlier run has read.
    pub(super) fn resume(&self, pages: u64, staging: &Staging) -> Result<(), c1z::Error> {
        let unread = staging.unread()?;
        let lists = unread.iter().filter_map(|(name, _)| List::named(name));
        let lists = lists.filter(|it| matches!(it, List::RoleMembers(_) | List::GroupMembers(_)));
        for (counter, count) in [
            (&self.pages, pages),
            (&self.members, staging.count(USER)?),
            (&self.roles, staging.count(ROLE)?),
            (&self.groups, staging.count(GROUP)?),
            (&self.memberships, staging.memberships()?),
            (&self.lists, lists.count() as u64),
        ] {
            counter.0.fetch_add(count, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Counts a page that is safe, and the lists that it led to.
    pub(super) fn read(&self, rows: &Rows, lists: usize) {
        self.pages.add(1);
        self.lists.add(lists);
        let counter = match rows {
            Rows::Members(_) => &self.members,
            Rows::Roles(_) => &self.roles,
            Rows::Groups(_) => &self.groups,
            Rows::RoleMembers(..) | Rows::GroupMembers(..) => &self.memberships,
            Rows::RoleGone(_) | Rows::GroupGone(_) => return,
        };
        counter.add(rows.len());
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }
}
