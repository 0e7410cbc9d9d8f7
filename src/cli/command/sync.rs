//! One sync into one file.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::c1z::Target;
use crate::cli::exit::Failure;
use crate::cli::signal::Signals;
use crate::cli::terminal::{self, Terminal};
use crate::northflank::{self, Client};
use crate::sync::{self, Progress, SyncOptions, SyncPhase, warnings};

/// Time between a signal and the end of the process, whatever is under way.
const STOP_WITHIN: Duration = Duration::from_millis(900);

/// Time between two states of the progress display.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Syncs into `file` and tells how far it is.
pub(super) async fn sync(
    file: &Path,
    northflank: &northflank::ClientSettings,
    options: SyncOptions,
    terminal: &Terminal,
    signals: &mut Signals,
) -> Result<String, Failure> {
    let started = Instant::now();
    let target = Target::inspect(file).map_err(sync::Error::File)?;
    let path = target.path().to_owned();
    let client = Client::new(northflank)?;
    let progress = Arc::new(Progress::default());
    let cancel = CancellationToken::new();
    let mut syncing = pin!(sync::sync(&client, target, options, &progress, &cancel));
    let mut redraw = tokio::time::interval(REDRAW_EVERY);
    let outcome = loop {
        tokio::select! {
            outcome = &mut syncing => break outcome,
            signal = signals.next() => {
                cancel.cancel();
                let mut stopped = tokio::time::timeout(STOP_WITHIN, &mut syncing).await.ok();
                if stopped.is_none() && progress.phase() == SyncPhase::Replacing {
                    stopped = Some(syncing.as_mut().await);
                }
                if let Some(Ok(saved)) = stopped {
                    // It came too late to stop anything: the file is there, and complete.
                    break Ok(saved);
                }
                terminal.clear();
                return Err(Failure::Signal(signal));
            }
            _ = redraw.tick(), if terminal.is_shown() => terminal.draw(&progress, &client),
        }
    };
    terminal.clear();
    let saved = outcome?;
    sync::log_completion(&saved, started.elapsed(), Some(client.requests()), Some(&path));
    if terminal.is_shown() {
        let whoami = progress.whoami();
        let warnings = whoami.map(|whoami| warnings(whoami, OffsetDateTime::now_utc()));
        let (took, warnings) = (started.elapsed(), warnings.unwrap_or_default());
        terminal.print(&terminal::summary(&saved, &path, took, whoami, &warnings));
    }
    Ok(saved.sync_id)
}
