//! What became of the tasks: the newest of each kind of outcome, and how many there were. For
//! probes and metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;
use tonic::Code;

use super::platform::TaskOutcome;

/// The longest that is told of an error, in bytes.
const LONGEST_ERROR: usize = 600;

/// What a sync that ConductorOne asks for is called.
pub(super) const FULL_SYNC: &str = "sync_full";

/// The kinds of tasks that this connector does.
const DONE_HERE: [&str; 2] = [FULL_SYNC, "hello"];

/// What became of the tasks of this process.
#[derive(Debug, Default)]
pub(super) struct TaskHistory(Mutex<TaskRecords>);

/// What is known of the tasks at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskRecords {
    /// Those that are worked on, by id.
    pub(super) running: BTreeMap<String, TaskStart>,
    /// The one that ended last.
    pub(super) last: Option<TaskRecord>,
    /// The sync that ended last.
    pub(super) last_sync: Option<TaskRecord>,
    /// The sync that ended well last.
    pub(super) last_successful_sync: Option<TaskRecord>,
    /// How many ended, by kind and ending.
    pub(super) ended: BTreeMap<(&'static str, TaskEnding), u64>,
}

/// A task that was begun.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TaskStart {
    pub(super) kind: &'static str,
    #[serde(with = "rfc3339")]
    pub(super) begun_at: OffsetDateTime,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TaskEnding {
    /// As it should.
    Done,
    /// It could not be done.
    Failed,
    /// It was broken off: ConductorOne no longer wanted it, or the connector stopped.
    Cancelled,
    /// It is nothing that this connector does.
    Refused,
}

impl TaskEnding {
    pub(super) const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::Cancelled, Self::Refused];

    /// Its name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }

    fn of(kind: &str, outcome: &TaskOutcome) -> Self {
        match outcome {
            Ok(_) => Self::Done,
            Err(failure) if failure.is_final || !DONE_HERE.contains(&kind) => Self::Refused,
            Err(failure) if failure.code == Code::Cancelled => Self::Cancelled,
            Err(_) => Self::Failed,
        }
    }
}

/// A task that has ended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TaskRecord {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) start: TaskStart,
    #[serde(with = "rfc3339")]
    pub(super) ended_at: OffsetDateTime,
    /// How long it took.
    pub(super) seconds: f64,
    pub(super) outcome: TaskEnding,
    /// gRPC's code, where it didn't end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Why it didn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl TaskHistory {
    /// A task of this kind begins.
    pub(super) fn start(self: &Arc<Self>, id: &str, kind: &'static str) -> RunningTask {
        let start = TaskStart { kind, begun_at: whole_seconds(OffsetDateTime::now_utc()) };
        self.with(|records| records.running.insert(id.to_owned(), start.clone()));
        let history = Arc::clone(self);
        RunningTask { history, id: id.to_owned(), start, begun: Instant::now() }
    }

    /// What is known now.
    pub(super) fn records(&self) -> TaskRecords {
        self.with(|records| records.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut TaskRecords) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A task that is worked on, until dropped.
pub(super) struct RunningTask {
    history: Arc<TaskHistory>,
    id: String,
    start: TaskStart,
    begun: Instant,
}

impl RunningTask {
    /// Notes how it ended: before ConductorOne is told, which may take minutes.
    pub(super) fn ended(&self, outcome: &TaskOutcome) {
        let failure = outcome.as_ref().err();
        self.note(
            TaskEnding::of(self.start.kind, outcome),
            failure.map(|failure| format!("{:?}", failure.code)),
            failure.map(|failure| failure.message.clone()),
        );
    }

    /// Notes that it was left to ConductorOne, with the reason.
    pub(super) fn left(&self, why: String) {
        self.note(TaskEnding::Cancelled, None, Some(why));
    }

    fn note(&self, outcome: TaskEnding, code: Option<String>, error: Option<String>) {
        let time = self.begun.elapsed();
        let record = TaskRecord {
            id: self.id.clone(),
            start: self.start.clone(),
            ended_at: whole_seconds(OffsetDateTime::now_utc()),
            seconds: seconds(time),
            outcome,
            code,
            error: error.map(|error| crate::baton::shorten(&error, LONGEST_ERROR)),
        };
        self.history.with(|records| {
            *records.ended.entry((self.start.kind, outcome)).or_default() += 1;
            if self.start.kind == FULL_SYNC {
                if outcome == TaskEnding::Done {
                    records.last_successful_sync = Some(record.clone());
                }
                records.last_sync = Some(record.clone());
            }
            records.last = Some(record);
        });
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.history.with(|records| records.running.remove(&self.id));
    }
}

/// Seconds, to the thousandth.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000.0).round() / 1_000.0
}

fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.truncate_to_second()
}

#[cfg(test)]
mod tests {
    use super::super::platform::TaskFailure;
    use super::{Arc, Code, FULL_SYNC, TaskEnding, TaskHistory};

    #[test]
    fn the_last_sync_that_ended_well_outlives_those_that_did_not() {
        let history = Arc::new(TaskHistory::default());
        let failure = |code, is_final| TaskFailure { code, message: "no".into(), is_final };
        let first = history.start("1", FULL_SYNC);
        assert_eq!(history.records().running.len(), 1);
        first.ended(&Ok(None));
        drop(first);
        history.start("2", FULL_SYNC).ended(&Err(failure(Code::DataLoss, false)));
        history.start("3", "grant").ended(&Err(failure(Code::NotFound, false)));
        history.start("4", FULL_SYNC).left("unheard".into());
        let records = history.records();
        assert!(records.running.is_empty());
        let id = |record: &Option<super::TaskRecord>| record.as_ref().unwrap().id.clone();
        assert_eq!(id(&records.last_successful_sync), "1");
        assert_eq!((id(&records.last_sync), id(&records.last)), ("4".into(), "4".into()));
        let counts: Vec<_> = records.ended.into_iter().collect();
        assert_eq!(
            counts,
            [
                (("grant", TaskEnding::Refused), 1),
                ((FULL_SYNC, TaskEnding::Done), 1),
                ((FULL_SYNC, TaskEnding::Failed), 1),
                ((FULL_SYNC, TaskEnding::Cancelled), 1),
            ]
        );
    }
}
