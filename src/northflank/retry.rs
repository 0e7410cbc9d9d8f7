//! Which failures are tried again, how often and when.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;
use tokio::time::Instant;

use super::error::Problem;

/// Tries of one request that may fail, the first one included.
const MOST_TRIES: u32 = 5;

/// Refusals of one request for the rate limit's sake that are waited out. More than a few
/// come only if others use up every window as soon as it opens.
const MOST_RATE_LIMITED: u32 = 10;

/// No further try after this time, waits for the rate limit left out.
const LONGEST: Duration = Duration::from_mins(10);

/// The tries of one request.
pub(super) struct Retries {
    tries: u32,
    rate_limited: u32,
    delays: ExponentialBackoff,
    started: Instant,
}

impl Retries {
    /// Before the first try. `first` is about the delay after it.
    pub(super) fn new(first: Duration) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(first)
            .with_factor(3.0)
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(MOST_TRIES as usize - 1)
            .with_jitter();
        Self { tries: 0, rate_limited: 0, delays: delays.build(), started: Instant::now() }
    }

    /// Tries so far.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// Leaves a wait for the rate limit out of the time that trying may take.
    pub(super) fn leave_out(&mut self, wait: Duration) {
        self.started += wait;
    }

    /// How long to wait before another try after `problem`, or `None` if there is none.
    /// `hint` is how long Northflank asks to wait.
    pub(super) fn after(&mut self, problem: &Problem, hint: Option<Duration>) -> Option<Duration> {
        self.tries += 1;
        if !is_transient(problem) || self.started.elapsed() > LONGEST {
            return None;
        }
        match (problem, hint) {
            (Problem::Refused(refusal), Some(hint))
                if refusal.status == StatusCode::TOO_MANY_REQUESTS =>
            {
                // Waiting as long as asked is no failure.
                self.rate_limited += 1;
                (self.rate_limited < MOST_RATE_LIMITED).then_some(hint)
            }
            (_, hint) => self.delays.next().map(|delay| delay.max(hint.unwrap_or_default())),
        }
    }
}

/// Whether the same request may well succeed later.
fn is_transient(problem: &Problem) -> bool {
    match problem {
        Problem::Transport { .. } | Problem::Stalled { .. } => true,
        Problem::Refused(refusal) => {
            refusal.status.is_server_error()
                || refusal.status == StatusCode::REQUEST_TIMEOUT
                || refusal.status == StatusCode::TOO_MANY_REQUESTS
        }
        Problem::Page(error) => error.is_cut_short(),
        Problem::TooLarge { .. } | Problem::Endless(_) | Problem::RateLimited(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, MOST_RATE_LIMITED, MOST_TRIES, Problem, Retries, StatusCode};
    use crate::northflank::{PageError, Refusal};

    const FIRST: Duration = Duration::from_millis(200);

    fn refused(status: u16) -> Problem {
        Problem::Refused(Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            message: None,
            id: None,
            required_permission: None,
            is_northflanks: true,
        })
    }

    fn tries(problem: &Problem, hint: Option<Duration>) -> u32 {
        let mut retries = Retries::new(FIRST);
        while retries.after(problem, hint).is_some() {}
        retries.tries()
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_a_few_times_and_nothing_else() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(tries(&refused(status), None), MOST_TRIES, "{status}");
        }
        for status in [301, 400, 401, 403, 404, 405, 409, 410, 422] {
            assert_eq!(tries(&refused(status), None), 1, "{status}");
        }
        assert_eq!(tries(&Problem::Endless("x"), None), 1);
        assert_eq!(tries(&Problem::Page(PageError::NoPagination(100)), None), 1);
        let cut: serde_json::Error = serde_json::from_str::<Vec<u8>>("[1,").unwrap_err();
        assert_eq!(tries(&Problem::Page(cut.into()), None), MOST_TRIES);
    }

    #[tokio::test]
    async fn a_rate_limit_that_says_how_long_is_waited_out_more_often() {
        let hint = Some(Duration::from_mins(1));
        assert_eq!(tries(&refused(429), hint), MOST_RATE_LIMITED);
        assert_eq!(tries(&refused(503), hint), MOST_TRIES);
        let mut retries = Retries::new(FIRST);
        assert_eq!(retries.after(&refused(429), hint), hint);
        assert!(retries.after(&refused(503), hint) >= hint, "never sooner than asked");
    }

    #[tokio::test]
    async fn delays_grow() {
        let mut retries = Retries::new(FIRST);
        let problem = refused(500);
        let delays: Vec<_> = std::iter::from_fn(|| retries.after(&problem, None)).collect();
        assert_eq!(delays.len(), 4);
        assert!(delays[0] >= Duration::from_millis(200) && delays[3] >= Duration::from_secs(5));
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(20)));
    }
}
