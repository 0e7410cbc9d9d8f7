//! What is logged of a sync that has come to its end.

use std::path::Path;
use std::time::Duration;

use crate::c1z::SavedFile;

/// Logs that a sync is complete, how much of everything there is, and how long it `took`; with the
/// requests that were made and the file, where somebody asks for them.
pub fn log_completion(
    saved: &SavedFile,
    took: Duration,
    requests: Option<u64>,
    file: Option<&Path>,
) {
    let SavedFile { sync_id, stats, size, .. } = saved;
    tracing::info!(
        sync_id,
        resources = stats.resources,
        entitlements = stats.entitlements,
        grants = stats.grants,
        requests,
        file = file.map(|file| tracing::field::display(file.display())),
        bytes = size,
        seconds = took.as_secs_f64(),
        "sync complete"
    );
}
