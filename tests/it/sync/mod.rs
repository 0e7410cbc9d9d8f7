//! One sync: what the file holds, and what happens when something goes wrong.

mod broken_off;
mod compaction;
mod conformance;
mod damaged_journal;
mod directory_sync;
mod dispensable;
mod faults;
mod file;
mod file_system;
mod interrupt;
mod paging;
mod peer;
mod permissions;
mod place;
pub(crate) mod properties;
mod rate_limits;
mod resume;
mod retries;
mod selection;
mod team_faults;
mod teams;
mod validation;
