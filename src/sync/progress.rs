//! How far a sync has come, for whoever shows it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::connector::resource_type_of_members;
use crate::northflank::{ListKind, Page, Whoami};

/// What a sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPhase {
    /// Checking the token's permissions.
    Validating,
    /// Reading lists.
    Reading,
    /// Writing rows, expanding grants.
    Writing,
    /// Building indexes, compressing.
    Saving,
    /// Putting the new file in place of the target; it can't be stopped any more.
    Replacing,
}

/// How far a running sync is. Each counter only grows.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    whoami: OnceLock<Whoami>,
    /// Members read.
    pub members: Counter,
    /// Roles and groups whose members are to be read.
    pub lists: Counter,
    /// Roles and groups whose members are all read.
    pub lists_done: Counter,
    /// Memberships of roles and groups read.
    pub memberships: Counter,
    /// Those that were read to their ends and are safe in the journal.
    pub lists_kept: Counter,
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
    /// Whose token it is, once that is known.
    pub fn whoami(&self) -> Option<&Whoami> {
        self.whoami.get()
    }

    pub(super) fn set_whoami(&self, whoami: Whoami) {
        // A sync asks once.
        let _ = self.whoami.set(whoami);
    }

    /// What the sync is doing.
    pub fn phase(&self) -> SyncPhase {
        match self.phase.load(Ordering::SeqCst) {
            0 => SyncPhase::Validating,
            1 => SyncPhase::Reading,
            2 => SyncPhase::Writing,
            3 => SyncPhase::Saving,
            _ => SyncPhase::Replacing,
        }
    }

    /// Counts what a page says.
    pub(super) fn read(&self, page: &Page) {
        self.pages.add(1);
        match &page.list {
            list if resource_type_of_members(list.kind).is_some() => {
                self.memberships.add(page.rows.len());
            }
            list if list.kind == ListKind::Members => self.members.add(page.rows.len()),
            _ => {}
        }
    }

    pub(super) fn enter(&self, phase: SyncPhase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }
}
