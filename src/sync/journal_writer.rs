//! Writing the journal, on a thread of its own: page after page, made safe where a list ends.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::work_dir::Journal;

use super::{Error, Progress};

/// A record that is to be written.
pub(super) struct PendingPage {
    pub(super) record: Vec<u8>,
    /// Whether a list ends with it: told when all of that is safe on disk.
    pub(super) is_safe: Option<oneshot::Sender<()>>,
}

/// How long the end of a list waits for others, to be made safe together with them: about half of
/// what that costs on a fast disk.
const GATHERING: Duration = Duration::from_micros(200);

/// Writes records until there are no more, and hands the journal back. What only begins a list is
/// worth nothing without its end, and waits for that to be made safe.
pub(super) fn write(
    mut journal: Journal,
    mut waiting: mpsc::Receiver<PendingPage>,
    progress: &Progress,
) -> Result<Journal, Error> {
    while let Some(first) = waiting.blocking_recv() {
        let mut appends = vec![first];
        if appends[0].is_safe.is_some() {
            std::thread::sleep(GATHERING);
        }
        while let Ok(next) = waiting.try_recv() {
            appends.push(next);
        }
        journal.append(appends.iter().map(|append| append.record.as_slice()))?;
        let ends: Vec<_> = appends.into_iter().filter_map(|append| append.is_safe).collect();
        if !ends.is_empty() {
            journal.make_safe()?;
            progress.lists_kept.add(ends.len());
        }
        for is_safe in ends {
            // A reader that was stopped meanwhile doesn't wait any more.
            let _ = is_safe.send(());
        }
    }
    Ok(journal)
}
