//! The task for which all this is there: sync, upload, clean up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::heartbeat::Heartbeats;
use super::platform::{Described, Failure, Outcome};
use super::protocol::Task;
use super::protocol::task::SyncFullTask;
use super::scratch::Place;
use super::upload::upload;
use super::{Daemon, hex};
use crate::c1z::{Saved, Target};
use crate::causes::with_causes;
use crate::connector::resource_types;
use crate::sync::{self, Progress};

/// Time for a sync to stop after it has been told to.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Does the task and tells ConductorOne how it ended, unless the first heartbeat got no answer
/// or a cancellation: then ConductorOne doesn't count the task as begun.
pub(super) async fn full_sync(
    daemon: &Daemon,
    task: &Task,
    wanted: &SyncFullTask,
    stop: &CancellationToken,
) {
    let mut place = daemon.scratch.place(&kind(wanted));
    let heartbeats = match Heartbeats::start(&daemon.platform, &task.id).await {
        Ok(Some(heartbeats)) => heartbeats,
        Ok(None) => {
            tracing::info!("ConductorOne has cancelled the task already");
            return;
        }
        Err(status) => {
            tracing::warn!(error = %Described(&status), "the first heartbeat failed; the task is left to ConductorOne");
            return;
        }
    };
    let cancel = CancellationToken::new();
    let outcome = {
        let mut working = std::pin::pin!(work(daemon, task, wanted, &mut place, &cancel));
        tokio::select! {
            outcome = &mut working => outcome,
            why = heartbeats.given_up() => {
                cancel.cancel();
                let _ = tokio::time::timeout(STOP_WITHIN, working).await;
                Err(Failure::cancelled(why.to_string()))
            }
            () = stop.cancelled() => {
                cancel.cancel();
                let _ = tokio::time::timeout(STOP_WITHIN, working).await;
                Err(Failure::cancelled("the connector is shutting down".to_owned()))
            }
        }
    };
    if stop.is_cancelled() && daemon.scratch.lasts() {
        place.keep_unfinished();
    }
    // Before ConductorOne hears of the end: it may send the same task again at once, and takes
    // no heartbeat of a task that has ended.
    drop((place, heartbeats));
    daemon.finish(&task.id, &outcome, stop).await;
}

impl Failure {
    fn cancelled(message: String) -> Self {
        Self { code: Code::Cancelled, message, is_final: false }
    }
}

/// What syncs of one kind have in common is what is wanted of them.
fn kind(wanted: &SyncFullTask) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, &wanted.encode_to_vec());
    format!("sync-{}", hex(&digest.as_ref()[..4]))
}

async fn work(
    daemon: &Daemon,
    task: &Task,
    wanted: &SyncFullTask,
    place: &mut Place,
    cancel: &CancellationToken,
) -> Outcome {
    let started = Instant::now();
    check(wanted)?;
    let target = Target::inspect(place.path()).map_err(sync::Error::File)?;
    let progress = Arc::new(Progress::default());
    let saved = sync::sync(&daemon.northflank, target, daemon.sync, &progress, cancel).await?;
    let Saved { sync_id, stats, size } = &saved;
    tracing::info!(
        sync_id,
        resources = stats.resources,
        entitlements = stats.entitlements,
        grants = stats.grants,
        bytes = size,
        seconds = started.elapsed().as_secs_f64(),
        "sync complete"
    );
    let started = Instant::now();
    cancel
        .run_until_cancelled(upload(&daemon.platform, &task.id, place.path()))
        .await
        .ok_or(sync::Error::Cancelled)??;
    tracing::info!(bytes = size, seconds = started.elapsed().as_secs_f64(), "uploaded");
    Ok(None)
}

/// Refuses what can't be done as it is wanted.
fn check(wanted: &SyncFullTask) -> Result<(), Failure> {
    let refuse = |message| Err(Failure { code: Code::Unknown, message, is_final: false });
    let known = resource_types();
    for id in &wanted.sync_resource_type_ids {
        if !known.iter().any(|resource_type| resource_type.id == *id) {
            return refuse(format!("invalid resource type '{id}' in filter"));
        }
    }
    match wanted.storage_engine.as_str() {
        "" | "sqlite" => Ok(()),
        "pebble" => {
            tracing::warn!("ConductorOne asks for a pebble file; this connector writes sqlite");
            Ok(())
        }
        engine => refuse(format!("unknown storage engine '{engine}'")),
    }
}

impl From<sync::Error> for Failure {
    fn from(error: sync::Error) -> Self {
        let code = Code::from(i32::from(crate::cli::sync_code(&error)));
        Self { code, message: with_causes(&error), is_final: false }
    }
}
