//! The task for which all this is there: sync, upload, clean up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::Instrument;

use super::heartbeat::{GivenUp, Heartbeats};
use super::platform::{StatusText, TaskFailure, TaskOutcome};
use super::protocol::Task;
use super::protocol::task::SyncFullTask;
use super::task_context::TaskContext;
use super::task_history::RunningTask;
use super::temp_store::{KIND, TaskFile};
use super::upload::upload;
use crate::c1z::Target;
use crate::connector::{OptIn, resource_type};
use crate::digest::{hex, sha256};
use crate::error_chain::with_causes;
use crate::sync::{self, Progress, SyncDepth, SyncSelection};

/// Time for a sync to stop after it has been told to.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Time for a debug log to be uploaded.
const DEBUG_LOG_WITHIN: Duration = Duration::from_mins(5);

/// Does the task and tells ConductorOne how it ended, unless the first heartbeat got no answer
/// or a cancellation: then ConductorOne doesn't count the task as begun.
pub(super) async fn full_sync(
    daemon: &TaskContext,
    task: &Task,
    wanted: &SyncFullTask,
    running: &RunningTask,
    stop: &CancellationToken,
) {
    let mut place = match daemon.scratch.task_file(&kind(wanted)) {
        Ok(place) => place,
        Err(error) => {
            let message = with_causes(&error);
            tracing::error!(error = message, "task failed");
            let failure = TaskFailure { code: Code::Unavailable, message, is_final: false };
            let outcome = Err(failure);
            running.ended(&outcome);
            return daemon.finish(&task.id, &outcome, stop).await;
        }
    };
    let heartbeats = match Heartbeats::start(&daemon.platform, &task.id).await {
        Ok(Some(heartbeats)) => heartbeats,
        Ok(None) => {
            tracing::info!("ConductorOne has cancelled the task already");
            running.left("ConductorOne had cancelled the task already".to_owned());
            return;
        }
        Err(status) => {
            let error = StatusText(&status);
            tracing::warn!(%error, "the first heartbeat failed; the task is left to ConductorOne");
            running.left(format!("the first heartbeat failed: {error}"));
            return;
        }
    };
    let cancel = CancellationToken::new();
    let (outcome, is_wanted) = {
        let work = work(daemon, task, wanted, &place, &cancel).instrument(debug_span(task, &place));
        let mut working = std::pin::pin!(work);
        tokio::select! {
            outcome = &mut working => (outcome, true),
            why = heartbeats.abandoned() => {
                let ending = stopped(working, &cancel, why.to_string()).await;
                (ending, why != GivenUp::Cancelled)
            }
            () = stop.cancelled() => {
                let why = "the connector is shutting down".to_owned();
                (stopped(working, &cancel, why).await, true)
            }
        }
    };
    // Pages are kept until the file that they make is where it belongs.
    if outcome.is_ok() || !is_wanted {
        place.forget_unfinished();
    }
    match &outcome {
        Ok(_) => tracing::info!("task done"),
        Err(failure) if failure.code == Code::Cancelled => {
            tracing::warn!(reason = failure.message, "task ended early");
        }
        Err(failure) => {
            tracing::error!(code = ?failure.code, error = failure.message, "task failed");
        }
    }
    running.ended(&outcome);
    // Before ConductorOne hears of the end: it may send the same task again at once, and takes
    // no heartbeat of a task that has ended.
    drop((place, heartbeats));
    daemon.finish(&task.id, &outcome, stop).await;
}

/// The outcome of work that is told to stop: what it has done counts, even if only just.
async fn stopped(
    working: Pin<&mut impl Future<Output = TaskOutcome>>,
    cancel: &CancellationToken,
    why: String,
) -> TaskOutcome {
    cancel.cancel();
    match tokio::time::timeout(STOP_WITHIN, working).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) | Err(_) => Err(TaskFailure::cancelled(why)),
    }
}

/// Within this span the debug log is written, if one is wanted.
fn debug_span(task: &Task, place: &TaskFile) -> tracing::Span {
    let log = place.debug_log();
    match log.to_str() {
        Some(path) if task.debug => tracing::debug_span!("debug", debug_log = path),
        _ => tracing::Span::none(),
    }
}

impl TaskFailure {
    fn cancelled(message: String) -> Self {
        Self { code: Code::Cancelled, message, is_final: false }
    }
}

/// What syncs of one kind have in common is what is wanted of them.
fn kind(wanted: &SyncFullTask) -> String {
    format!("{KIND}{}", hex(&sha256([&wanted.encode_to_vec()])[..4]))
}

async fn work(
    daemon: &TaskContext,
    task: &Task,
    wanted: &SyncFullTask,
    place: &TaskFile,
    cancel: &CancellationToken,
) -> TaskOutcome {
    let started = Instant::now();
    if daemon.skips_full_syncs {
        // An empty file would tell ConductorOne that nobody has access to anything.
        let message = "full syncs are switched off here (--skip-full-sync)".to_owned();
        return Err(TaskFailure { code: Code::FailedPrecondition, message, is_final: true });
    }
    let selection = selection(wanted, &daemon.sync.selection)?;
    let options = sync::SyncOptions {
        selection: Arc::new(selection),
        for_task: Some(task.id.clone()),
        // As in baton-sdk: it may have been deleted since it was asked for.
        leave_out_unknown: true,
        ..daemon.sync.clone()
    };
    let target = Target::inspect(place.path()).map_err(sync::Error::File)?;
    let progress = Arc::new(Progress::default());
    let saved = sync::sync(&daemon.northflank, target, options, &progress, cancel).await?;
    sync::log_completion(&saved, started.elapsed(), None, None);
    let uploading = async {
        let started = Instant::now();
        upload(&daemon.platform, &task.id, place.path()).await?;
        tracing::info!(bytes = saved.size, seconds = started.elapsed().as_secs_f64(), "uploaded");
        Ok::<_, TaskFailure>(())
    };
    let uploading = uploading.instrument(tracing::debug_span!("upload"));
    let uploaded = cancel.run_until_cancelled(uploading).await;
    if let Some(Err(_)) = uploaded {
        tracing::info!("what has been read is kept; the next try uploads it");
    }
    uploaded.ok_or(sync::Error::Cancelled)??;
    if task.debug {
        // From here on the task is done, whatever becomes of its log.
        cancel.run_until_cancelled(upload_debug_log(daemon, task, place)).await;
    }
    Ok(None)
}

/// Uploads the debug log under the same task: ConductorOne tells the two files apart by what
/// they hold. The task is done without it.
async fn upload_debug_log(daemon: &TaskContext, task: &Task, place: &TaskFile) {
    // What goes on is logged there: only a copy holds still while it is sent.
    let (log, copy) = (place.debug_log(), place.debug_log_copy());
    let uploading = async {
        let copying = {
            let copy = copy.clone();
            tokio::task::spawn_blocking(move || std::fs::copy(log, copy))
        };
        copying.await.map_err(io::Error::other).flatten()?;
        upload(&daemon.platform, &task.id, &copy).await
    };
    match tokio::time::timeout(DEBUG_LOG_WITHIN, uploading).await {
        Ok(Ok(())) => tracing::info!("debug log uploaded"),
        Ok(Err(error)) => tracing::warn!(%error, "the debug log can't be uploaded"),
        Err(_) => {
            let minutes = DEBUG_LOG_WITHIN.as_secs() / 60;
            tracing::warn!(minutes, "the debug log could not be uploaded in time");
        }
    }
}

/// What part of the organization is wanted. The types that this connector is limited to count
/// where ConductorOne names none; its other local limits are not for syncs on request.
fn selection(wanted: &SyncFullTask, local: &SyncSelection) -> Result<SyncSelection, TaskFailure> {
    let refuse = |message| TaskFailure { code: Code::Unknown, message, is_final: false };
    match wanted.storage_engine.as_str() {
        "" | "sqlite" => {}
        "pebble" => tracing::info!("a pebble file is asked for; this connector writes sqlite"),
        engine => return Err(refuse(format!("unknown storage engine '{engine}'"))),
    }
    let has_secrets = |id: &str| {
        resource_type(id).is_some_and(|own| own.opt_in == Some(OptIn::Secrets)) && !local.secrets
    };
    let no_secrets = |id: &str| {
        refuse(format!("'{id}' is synced only with --sync-secrets, which isn't set here"))
    };
    let own_type = |id: &String| match resource_type(id) {
        Some(own) if has_secrets(own.id) => Err(no_secrets(own.id)),
        own => own
            .map(|own| own.id)
            .ok_or_else(|| refuse(format!("invalid resource type '{id}' in filter"))),
    };
    let resource_types: Vec<_> =
        wanted.sync_resource_type_ids.iter().map(own_type).collect::<Result<_, _>>()?;
    let resources: Vec<_> = wanted
        .targeted_sync_resources
        .iter()
        .map(|resource| {
            resource.id.clone().ok_or_else(|| refuse("a targeted resource has no id".to_owned()))
        })
        .collect::<Result<_, _>>()?;
    if let Some(id) = resources.iter().find(|id| has_secrets(&id.resource_type)) {
        return Err(no_secrets(&id.resource_type));
    }
    let is_local = resource_types.is_empty();
    Ok(SyncSelection {
        depth: if wanted.skip_entitlements_and_grants {
            SyncDepth::ResourcesOnly
        } else if wanted.skip_grants {
            SyncDepth::WithoutGrants
        } else {
            SyncDepth::Full
        },
        resource_types: if is_local { local.resource_types.clone() } else { resource_types },
        teams: is_local && local.teams,
        secrets: local.secrets,
        // As in baton-sdk, some resources alone are not expanded.
        expand: !wanted.skip_expand_grants && resources.is_empty(),
        resources,
    })
}

impl From<sync::Error> for TaskFailure {
    fn from(error: sync::Error) -> Self {
        let code = Code::from_i32(error.code().number().into());
        Self { code, message: with_causes(&error), is_final: false }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, SyncDepth, SyncFullTask, SyncSelection, kind, selection};
    use crate::baton::v2::{Resource, ResourceId};
    use crate::connector::{GROUP, ROLE, USER};

    #[test]
    fn local_types_count_where_conductorone_names_none() {
        let local = SyncSelection { resource_types: vec![ROLE], ..SyncSelection::default() };
        let plain = selection(&SyncFullTask::default(), &local).unwrap();
        assert_eq!((plain.resource_types, plain.expand), (vec![ROLE], true));
        let ids = vec!["user".into(), "group".into()];
        let wanted = SyncFullTask { sync_resource_type_ids: ids, ..SyncFullTask::default() };
        assert_eq!(selection(&wanted, &local).unwrap().resource_types, [USER, GROUP]);
        let local = SyncSelection { depth: SyncDepth::ResourcesOnly, ..SyncSelection::default() };
        let plain = selection(&SyncFullTask::default(), &local).unwrap();
        assert_eq!(plain.depth, SyncDepth::Full, "other limits are for syncs into a file");
    }

    #[test]
    fn some_resources_alone_are_not_expanded_and_need_ids() {
        let local = SyncSelection::default();
        let id = ResourceId { resource_type: "role".into(), resource: "owner".into() };
        let target = Resource { id: Some(id.clone()), ..Resource::default() };
        let wanted = |target| SyncFullTask {
            targeted_sync_resources: vec![target],
            ..SyncFullTask::default()
        };
        let partial = selection(&wanted(target), &local).unwrap();
        assert_eq!((partial.resources, partial.expand), (vec![id], false));
        let failure = selection(&wanted(Resource::default()), &local).unwrap_err();
        assert_eq!(failure.code, Code::Unknown);
    }

    #[test]
    fn syncs_of_different_kinds_never_go_on_from_each_other() {
        let plain = SyncFullTask::default();
        let less = SyncFullTask { skip_grants: true, ..SyncFullTask::default() };
        assert_eq!(kind(&plain), kind(&plain.clone()));
        assert_ne!(kind(&plain), kind(&less));
    }
}
