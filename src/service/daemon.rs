//! What tasks share.

use std::sync::Arc;

use crate::northflank;
use crate::sync;

use super::platform::Platform;
use super::scratch::Scratch;

/// All that tasks need.
pub(super) struct Daemon {
    pub(super) platform: Arc<Platform>,
    pub(super) northflank: northflank::Client,
    pub(super) scratch: Arc<Scratch>,
    pub(super) skips_full_syncs: bool,
    pub(super) sync: sync::Options,
}
