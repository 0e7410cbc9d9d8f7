//! Which failures are tried again, how often and when.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;
use tokio::time::Instant;

use super::error::Problem;
use super::rate_limit::RetryHint;

/// Tries of one request that may fail, the first one included.
const MOST_TRIES: u32 = 5;

/// Windows of the rate limit whose end one request waits for. More than a few are spent only if
/// others use up every one as soon as it opens.
const MOST_WINDOWS: u32 = 10;

/// Refusals of one request that are waited out as `Retry-After` asks, while requests are left in
/// the window: so many at least, and as many as come while less than [`PATIENCE`] has been
/// waited. Whoever asks along with others may be refused a few times in a row.
const MOST_REFUSALS: u32 = 10;
const PATIENCE: Duration = Duration::from_mins(1);

/// No further try after this time, waits for the rate limit left out.
const LONGEST: Duration = Duration::from_mins(10);

/// The tries of one request.
pub(super) struct Retries {
    tries: u32,
    windows: u32,
    refusals: u32,
    waited: Duration,
    backoff: ExponentialBuilder,
    delays: ExponentialBackoff,
    started: Instant,
}

impl Retries {
    /// Before the first try. `first` is about the delay after it.
    pub(super) fn new(first: Duration) -> Self {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(first)
            .with_factor(3.0)
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(MOST_TRIES as usize - 1)
            .with_jitter();
        Self {
            tries: 0,
            windows: 0,
            refusals: 0,
            waited: Duration::ZERO,
            backoff,
            delays: backoff.build(),
            started: Instant::now(),
        }
    }

    /// Tries so far.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// Leaves a wait for the rate limit out of the time that trying may take.
    pub(super) fn leave_out(&mut self, wait: Duration) {
        self.started += wait;
    }

    /// How long to wait before another try after `problem`, or `None` if there is none. `hint`
    /// is what Northflank asks for, `rest` the time until the window of the rate limit ends, as
    /// far as that is known.
    pub(super) fn after(
        &mut self,
        problem: &Problem,
        hint: RetryHint,
        rest: Option<Duration>,
    ) -> Option<Duration> {
        self.tries += 1;
        if !is_transient(problem) || self.started.elapsed() > LONGEST {
            return None;
        }
        if !problem.is_rate_limit() {
            return self.delays.next().map(|delay| delay.max(hint.wait().unwrap_or_default()));
        }
        // Waiting as long as asked is no failure.
        match hint {
            RetryHint::Nothing => self.delays.next().or_else(|| self.next_window(rest?)),
            RetryHint::RetryAfter(wait) => {
                self.refusals += 1;
                let has_patience = self.refusals < MOST_REFUSALS || self.waited < PATIENCE;
                self.waited += wait;
                if has_patience { Some(wait) } else { self.next_window(rest?) }
            }
            RetryHint::Spent(wait) => self.next_window(wait),
        }
    }

    /// Waits for the next window, in which everything begins anew.
    fn next_window(&mut self, wait: Duration) -> Option<Duration> {
        self.windows += 1;
        self.refusals = 0;
        self.waited = Duration::ZERO;
        self.delays = self.backoff.build();
        (self.windows < MOST_WINDOWS).then_some(wait)
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
    use super::{Duration, MOST_TRIES, MOST_WINDOWS, Problem, Retries, RetryHint, StatusCode};
    use crate::northflank::{PageError, Refusal};

    const FIRST: Duration = Duration::from_millis(200);

    fn refused(status: u16) -> Problem {
        let status = StatusCode::from_u16(status).unwrap();
        Problem::Refused(Refusal { status, ..Refusal::default() })
    }

    fn tries(problem: &Problem, hint: RetryHint) -> u32 {
        let mut retries = Retries::new(FIRST);
        while retries.after(problem, hint, None).is_some() {}
        retries.tries()
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_a_few_times_and_nothing_else() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(tries(&refused(status), RetryHint::Nothing), MOST_TRIES, "{status}");
        }
        for status in [301, 400, 401, 403, 404, 405, 409, 410, 422] {
            assert_eq!(tries(&refused(status), RetryHint::Nothing), 1, "{status}");
        }
        assert_eq!(tries(&Problem::Endless("x"), RetryHint::Nothing), 1);
        assert_eq!(tries(&Problem::Page(PageError::NoPagination(100)), RetryHint::Nothing), 1);
        let cut: serde_json::Error = serde_json::from_str::<Vec<u8>>("[1,").unwrap_err();
        assert_eq!(tries(&Problem::Page(cut.into()), RetryHint::Nothing), MOST_TRIES);
    }

    #[tokio::test]
    async fn a_rate_limit_that_says_how_long_is_waited_out_more_often() {
        let minute = Duration::from_mins(1);
        for hint in [RetryHint::Spent(minute), RetryHint::RetryAfter(minute)] {
            assert_eq!(tries(&refused(429), hint), MOST_WINDOWS);
            assert_eq!(tries(&refused(503), hint), MOST_TRIES);
            let mut retries = Retries::new(FIRST);
            assert_eq!(retries.after(&refused(429), hint, None), Some(minute));
            let later = retries.after(&refused(503), hint, None);
            assert!(later >= Some(minute), "never sooner than asked");
        }
        let hint = RetryHint::RetryAfter(Duration::from_secs(2));
        assert_eq!(tries(&refused(429), hint), 31, "for a minute");
    }

    #[tokio::test]
    async fn when_tries_are_used_up_the_known_end_of_the_window_is_waited_for() {
        let rest = Some(Duration::from_mins(50));
        let mut retries = Retries::new(FIRST);
        for _window in 1..MOST_WINDOWS {
            for _try in 1..MOST_TRIES {
                let delay = retries.after(&refused(429), RetryHint::Nothing, rest).unwrap();
                assert!(delay <= Duration::from_secs(20), "{delay:?}");
            }
            assert_eq!(retries.after(&refused(429), RetryHint::Nothing, rest), rest);
        }
        let mut retries = Retries::new(FIRST);
        let hint = RetryHint::RetryAfter(Duration::from_secs(2));
        while retries.after(&refused(429), hint, rest) != rest {}
        assert_eq!(retries.after(&refused(429), hint, rest), hint.wait(), "as at the beginning");
        // Only the rate limit has windows.
        let mut retries = Retries::new(FIRST);
        while retries.after(&refused(503), RetryHint::Nothing, rest).is_some() {}
        assert_eq!(retries.tries(), MOST_TRIES);
    }

    #[tokio::test]
    async fn delays_grow() {
        let mut retries = Retries::new(FIRST);
        let problem = refused(500);
        let delays: Vec<_> =
            std::iter::from_fn(|| retries.after(&problem, RetryHint::Nothing, None)).collect();
        assert_eq!(delays.len(), 4);
        assert!(delays[0] >= Duration::from_millis(200) && delays[3] >= Duration::from_secs(5));
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(20)));
    }
}
