//! How a sync is to be done.

use std::num::NonZeroUsize;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::c1z::Retention;
use crate::northflank::Client;

use super::{Progress, SyncSelection};

/// How a sync is to be done.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Lists that are read side by side, each with one request under way.
    pub workers: NonZeroUsize,
    /// Which earlier syncs the file keeps.
    pub retention: Retention,
    /// What to sync.
    pub selection: Arc<SyncSelection>,
    /// Whether to go on from what an interrupted sync into the same target has read.
    pub resume: bool,
    /// The task that the sync is for. What has been read is then kept even when the file is there,
    /// for a caller that has yet to deliver the file and then removes [`WorkDirectory::beside`](crate::work_dir::WorkDirectory::beside).
    pub for_task: Option<String>,
    /// Whether selected resources that Northflank doesn't have are left out, with a warning,
    /// rather than an error.
    pub leave_out_unknown: bool,
}

/// A sync under way.
pub(super) struct SyncContext<'sync> {
    pub(super) client: &'sync Client,
    pub(super) options: &'sync SyncOptions,
    /// When it began.
    pub(super) now: OffsetDateTime,
    pub(super) progress: &'sync Arc<Progress>,
    pub(super) cancel: &'sync CancellationToken,
}
