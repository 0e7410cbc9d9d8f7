//! Heartbeats: as long as they come, ConductorOne leaves a task to this connector; their
//! answers say whether it still wants the task done.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use super::platform::{Platform, StatusText};
use super::protocol::BatonServiceHeartbeatResponse;

/// So many heartbeats in a row may fail before the task counts as lost.
const FAILURES: u32 = 9;

/// Between heartbeats where ConductorOne names no time.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

/// The least time between heartbeats.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time between heartbeats.
const LONGEST_INTERVAL: Duration = Duration::from_mins(5);

/// Why a task is not worked on any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum GivenUp {
    /// ConductorOne doesn't want it any more.
    #[error("ConductorOne cancelled the task")]
    Cancelled,
    /// ConductorOne can't know that it is being worked on.
    #[error("{FAILURES} heartbeats in a row failed")]
    Unheard,
}

/// Heartbeats of one task, until dropped.
pub(super) struct Heartbeats {
    abandoned: CancellationToken,
    why: Arc<OnceLock<GivenUp>>,
    _beating: AbortOnDropHandle<()>,
}

impl Heartbeats {
    /// Sends the first heartbeat, and the others from then on. `None` if ConductorOne has
    /// cancelled the task already.
    pub(super) async fn start(
        platform: &Arc<Platform>,
        task: &str,
    ) -> Result<Option<Self>, Status> {
        let first = platform.heartbeat(task).await?;
        if first.cancelled {
            return Ok(None);
        }
        let abandoned = CancellationToken::new();
        let why = Arc::new(OnceLock::new());
        let beating = {
            let (platform, task) = (Arc::clone(platform), task.to_owned());
            let (abandoned, why) = (abandoned.clone(), Arc::clone(&why));
            async move {
                // Set once: this is the only writer.
                let _ = why.set(beat(&platform, &task, interval(&first)).await);
                abandoned.cancel();
            }
        };
        let beating = tokio::spawn(tracing::Instrument::in_current_span(beating));
        Ok(Some(Self { abandoned, why, _beating: AbortOnDropHandle::new(beating) }))
    }

    /// Waits until there is a reason to give the task up, for ever if none comes.
    pub(super) async fn abandoned(&self) -> GivenUp {
        self.abandoned.cancelled().await;
        self.why.get().copied().unwrap_or(GivenUp::Unheard)
    }
}

async fn beat(platform: &Platform, task: &str, mut interval: Duration) -> GivenUp {
    let mut failures = 0;
    loop {
        tokio::time::sleep(interval).await;
        match platform.heartbeat(task).await {
            Ok(answer) if answer.cancelled => return GivenUp::Cancelled,
            Ok(answer) => {
                failures = 0;
                interval = self::interval(&answer);
            }
            Err(status) => {
                failures += 1;
                tracing::warn!(failures, error = %StatusText(&status), "a heartbeat failed");
                if failures >= FAILURES {
                    return GivenUp::Unheard;
                }
            }
        }
    }
}

fn interval(answer: &BatonServiceHeartbeatResponse) -> Duration {
    let wanted = answer.next_heartbeat.and_then(|time| Duration::try_from(time).ok());
    match wanted {
        None | Some(Duration::ZERO) => DEFAULT_INTERVAL,
        Some(time) => time.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::{BatonServiceHeartbeatResponse, Duration, interval};

    #[test]
    fn the_interval_is_what_conductorone_wants_within_limits() {
        let of = |next| {
            interval(&BatonServiceHeartbeatResponse { next_heartbeat: next, ..Default::default() })
        };
        let time = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
        assert_eq!(of(None), Duration::from_secs(30));
        assert_eq!(of(time(0, 0)), Duration::from_secs(30));
        assert_eq!(of(time(-5, 0)), Duration::from_secs(30));
        assert_eq!(of(time(0, 1_000_000)), Duration::from_secs(1));
        assert_eq!(of(time(7, 0)), Duration::from_secs(7));
        assert_eq!(of(time(7200, 0)), Duration::from_mins(5));
    }
}
