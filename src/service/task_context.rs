//! What tasks share.

use std::sync::Arc;

use crate::northflank;
use crate::sync;

use super::platform::Platform;
use super::task_history::TaskHistory;
use super::temp_store::TempStore;

/// All that tasks need.
pub(super) struct TaskContext {
    pub(super) platform: Arc<Platform>,
    pub(super) northflank: northflank::Client,
    pub(super) scratch: Arc<TempStore>,
    pub(super) history: Arc<TaskHistory>,
    pub(super) skips_full_syncs: bool,
    pub(super) sync: sync::SyncOptions,
}
