//! The loop: take a free place, ask for a task, work on it, ask again.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Code, Status};
use tracing::Instrument;

use super::error::Error;
use super::full_sync::full_sync;
use super::health::{Health, Readiness};
use super::hello::hello;
use super::platform::{CallProgress, StatusText, TaskFailure, TaskOutcome, reached};
use super::protocol::Task;
use super::protocol::task::TaskType;
use super::task_context::TaskContext;
use super::unsupported::{kind, unsupported_outcome};

/// The longest time between two polls.
const LONGEST_POLL: Duration = Duration::from_mins(5);

/// The least time between two polls, whatever ConductorOne wants.
const SHORTEST_POLL: Duration = Duration::from_millis(50);

/// The least time between two polls when there was nothing new to do.
const SHORTEST_IDLE_POLL: Duration = Duration::from_secs(1);

/// The longest time between two polls that fail.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long ConductorOne refuses credentials that it has accepted before they count as revoked,
const REFUSED_FOR: Duration = Duration::from_mins(3);

/// and how often.
const REFUSALS: u32 = 5;

/// How long ConductorOne is told of a task's end, while it can't be reached.
const FINISH_WITHIN: Duration = Duration::from_mins(10);

/// Polls until `stop` is triggered, or the credentials are revoked. Tasks run on `tasks`.
pub(super) async fn poll(
    daemon: &Arc<TaskContext>,
    health: &Health,
    concurrency: NonZeroUsize,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let polling = poll_on(daemon, health, concurrency, tasks, stop);
    stop.run_until_cancelled(polling).await.unwrap_or(Ok(()))
}

async fn poll_on(
    daemon: &Arc<TaskContext>,
    health: &Health,
    concurrency: NonZeroUsize,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let places = Arc::new(Semaphore::new(concurrency.get()));
    let running = RunningTasks::default();
    let mut failures: u32 = 0;
    let mut refusals = RefusalCount::default();
    loop {
        // Before polling: a task that is handed out must be begun at once.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Ok(());
        };
        let pause = match daemon.platform.get_task().await {
            Ok(answer) => {
                failures = 0;
                if refusals.end() {
                    health.set(Readiness::Ready);
                }
                let pause = answer.next_poll.and_then(|time| Duration::try_from(time).ok());
                let pause = pause.unwrap_or_default().min(LONGEST_POLL);
                let task = answer.task;
                let task = task.filter(|task| !matches!(task.task_type, Some(TaskType::None(_))));
                let is_news =
                    task.is_some_and(|task| spawn_task(daemon, task, &running, place, tasks, stop));
                pause.max(if is_news { SHORTEST_POLL } else { SHORTEST_IDLE_POLL })
            }
            Err(status) => {
                failures = failures.saturating_add(1);
                if status.code() == Code::Unauthenticated {
                    let message = StatusText(&status).to_string();
                    if refusals.are_final(Instant::now()) {
                        return Err(Error::Refused { code: status.code(), message });
                    }
                    health.set(Readiness::Refused(message));
                }
                let pause =
                    Duration::from_secs(u64::from(failures.min(60)).pow(2)).min(LONGEST_WAIT);
                report_failed_poll(&status, pause);
                pause
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Refusals in a row of credentials that ConductorOne has accepted. One alone may come from a
/// roll-out or a clock that jumped; what lasts has been revoked.
#[derive(Default)]
struct RefusalCount {
    count: u32,
    since: Option<Instant>,
}

impl RefusalCount {
    /// Counts one; whether waiting on is pointless.
    fn are_final(&mut self, now: Instant) -> bool {
        self.count += 1;
        let since = *self.since.get_or_insert(now);
        self.count >= REFUSALS && now - since >= REFUSED_FOR
    }

    /// The credentials are accepted. Whether they weren't before.
    fn end(&mut self) -> bool {
        std::mem::take(self).count > 0
    }
}

fn report_failed_poll(status: &Status, pause: Duration) {
    let seconds = pause.as_secs();
    tracing::warn!(error = %StatusText(status), retry_in_seconds = seconds, "can't ask ConductorOne for tasks");
}

/// The ids of the tasks that are being worked on.
type RunningTasks = Arc<Mutex<BTreeSet<String>>>;

/// Whether there was something to begin.
fn spawn_task(
    daemon: &Arc<TaskContext>,
    task: Task,
    running: &RunningTasks,
    place: OwnedSemaphorePermit,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> bool {
    let span = tracing::info_span!("task", id = task.id, kind = kind(task.task_type.as_ref()));
    let ids = |running: &RunningTasks| {
        running.lock().unwrap_or_else(PoisonError::into_inner).insert(task.id.clone())
    };
    if !ids(running) {
        span.in_scope(|| tracing::warn!("ConductorOne sent a task that is being worked on"));
        return false;
    }
    let (daemon, running, stop) = (Arc::clone(daemon), Arc::clone(running), stop.clone());
    let work = async move {
        tracing::info!("task begun");
        daemon.work(&task, &stop).await;
        running.lock().unwrap_or_else(PoisonError::into_inner).remove(&task.id);
        drop((daemon, place));
    };
    tasks.spawn(work.instrument(span));
    true
}

impl TaskContext {
    async fn work(&self, task: &Task, stop: &CancellationToken) {
        let running = self.history.start(&task.id, kind(task.task_type.as_ref()));
        match &task.task_type {
            // Hello itself tells ConductorOne that this task is done.
            Some(TaskType::Hello(_)) => {
                match hello(&self.platform, self.sync.selection.secrets, Some(&task.id)).await {
                    Ok(()) => {
                        running.ended(&Ok(None));
                        tracing::info!("task done");
                    }
                    Err(status) => {
                        let message = StatusText(&status).to_string();
                        tracing::error!(error = message, "Hello failed");
                        let failure = TaskFailure { code: status.code(), message, is_final: false };
                        running.ended(&Err(failure));
                    }
                }
            }
            Some(TaskType::SyncFull(wanted)) => full_sync(self, task, wanted, &running, stop).await,
            other => {
                let outcome = unsupported_outcome(other.as_ref());
                if let Err(failure) = &outcome {
                    tracing::info!(code = ?failure.code, answer = failure.message, "not done here");
                }
                running.ended(&outcome);
                self.finish(&task.id, &outcome, stop).await;
            }
        }
    }

    /// Tells ConductorOne how a task ended, again until it answers. Whatever the answer, it is
    /// not told twice.
    pub(super) async fn finish(&self, task: &str, outcome: &TaskOutcome, stop: &CancellationToken) {
        let mut wait = Duration::from_secs(1);
        let telling = async {
            loop {
                match self.platform.finish(task, outcome).await {
                    Err(status)
                        if reached(&status) != CallProgress::ConductorOne
                            && !stop.is_cancelled() =>
                    {
                        let seconds = wait.as_secs();
                        tracing::warn!(error = %StatusText(&status), retry_in_seconds = seconds, "can't tell ConductorOne yet");
                        // One last try when the daemon is told to stop.
                        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                    outcome => return outcome,
                }
            }
        };
        let told = tokio::time::timeout(FINISH_WITHIN, telling).await;
        let told = told.unwrap_or_else(|_| Err(Status::unavailable("gave up telling it")));
        if let Err(status) = told {
            tracing::error!(error = %StatusText(&status), "ConductorOne was not told how the task ended; it will send it again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, REFUSED_FOR, RefusalCount};

    #[test]
    fn credentials_count_as_revoked_after_some_refusals_over_some_minutes() {
        let (start, mut refusals) = (Instant::now(), RefusalCount::default());
        assert!(!refusals.are_final(start));
        let late = start + REFUSED_FOR;
        assert!(!refusals.are_final(late) && !refusals.are_final(late), "too few");
        assert!(refusals.end() && !refusals.end());
        for second in 0..100 {
            assert!(!refusals.are_final(late + Duration::from_secs(second)), "too soon");
        }
        assert!(refusals.are_final(late + REFUSED_FOR));
    }
}
