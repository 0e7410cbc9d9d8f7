//! The rate budget: how many requests Northflank still accepts, shared by all requests of a
//! client, and the wait when there are none.
//!
//! Northflank counts requests in windows of an hour and says on every answer how many are
//! left (`x-ratelimit-*`). No request is sent that is known to be refused: when the window is
//! spent, everybody waits for its reset.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::rate_headers::RateHeaders;
use super::rate_window::{CountedWindow, MARGIN};
use super::text_format::whole_seconds;

/// What the newest answers said of the rate window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWindow {
    /// Requests that the window allows in all.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// So many of the window's requests are left to others.
    pub reserve: u32,
}

impl RateWindow {
    /// Requests that may still be made in it.
    pub fn usable(&self) -> u32 {
        self.remaining.saturating_sub(self.reserve)
    }
}

/// A wait for the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitWait {
    /// When it ends.
    pub until: OffsetDateTime,
    /// The requests that are left, if there are any: the reserve.
    pub reserve: Option<u32>,
}

/// Waiting is not allowed for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Northflank's rate limit is reached and lasts for another {}, which {}is more than the wait of \
     {} that is allowed in all{}",
    whole_seconds(.wait), earlier_waits(.waited), whole_seconds(.allowed),
    reserve_hint(.reserve.as_ref())
)]
pub struct WaitTooLong {
    /// Time until the next request could be sent.
    pub wait: Duration,
    /// Time waited before.
    pub waited: Duration,
    /// Time allowed for all waits together.
    pub allowed: Duration,
    /// The requests that are left, if there are any: the reserve.
    pub reserve: Option<u32>,
}

fn earlier_waits(waited: &Duration) -> String {
    match waited.as_secs() {
        0 => String::new(),
        _ => format!("with the {} waited before ", whole_seconds(waited)),
    }
}

fn reserve_hint(reserve: Option<&u32>) -> String {
    reserve.map_or(String::new(), |left| {
        format!("; the {left} requests that are left are the reserve (--rate-limit-reserve)")
    })
}

/// The budget of one client.
#[derive(Debug)]
pub(super) struct RateLimiter {
    state: Mutex<LimiterState>,
    /// Told whenever somebody who waits might go on.
    changed: Notify,
    /// For what everybody waits, for whoever shows it.
    waiting: watch::Sender<Option<RateLimitWait>>,
    max_wait: Option<Duration>,
    /// How much of each window is left to others.
    reserve: Reserve,
}

/// So many percent of each window.
#[derive(Debug, Clone, Copy)]
struct Reserve(u8);

impl Reserve {
    /// The requests of a window of `limit` that it takes up; one is always usable.
    fn of(self, limit: u32) -> u32 {
        let share = u64::from(limit) * u64::from(self.0) / 100;
        u32::try_from(share).unwrap_or(limit).min(limit.saturating_sub(1))
    }
}

#[derive(Debug, Default)]
struct LimiterState {
    window: Option<CountedWindow>,
    in_flight: u32,
    /// No request before this, because an answer said so.
    blocked_until: Option<Instant>,
    /// How many wait for the rate limit.
    waiters: u32,
    /// Since when some do.
    waiting_since: Option<Instant>,
    /// Time waited before that.
    waited: Duration,
}

/// What somebody who wants to send a request has to do.
enum SendDecision {
    Go,
    /// Wait until then. So many requests are left, for others.
    Sleep(Instant, Option<u32>),
    /// Wait for the answer to a request that is under way. One that comes when the window has
    /// ended says nothing of the next.
    Answer(Option<Instant>),
}

/// What a refusal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryHint {
    /// Nothing, or nothing that can be understood.
    Nothing,
    /// To wait for so long.
    RetryAfter(Duration),
    /// To wait for so long until the window ends, because no request is left in it.
    Spent(Duration),
}

impl RetryHint {
    /// How long it asks to wait, if it does.
    pub(super) fn wait(self) -> Option<Duration> {
        match self {
            Self::Nothing => None,
            Self::RetryAfter(wait) | Self::Spent(wait) => Some(wait),
        }
    }
}

/// A request that is under way; dropping it ends it.
pub(super) struct RequestPermit<'budget>(&'budget RateLimiter);

impl Drop for RequestPermit<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.changed.notify_waiters();
    }
}

/// Somebody who waits for the rate limit. Dropping it, as a run does that is stopped, ends the
/// wait.
struct QueuedRequest<'budget>(&'budget RateLimiter);

impl<'budget> QueuedRequest<'budget> {
    fn start(rate_limiter: &'budget RateLimiter) -> Self {
        let mut state = rate_limiter.state();
        state.waiters += 1;
        state.waiting_since.get_or_insert_with(Instant::now);
        drop(state);
        Self(rate_limiter)
    }
}

impl Drop for QueuedRequest<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiters -= 1;
        if state.waiters == 0 {
            let since = state.waiting_since.take();
            state.waited += since.map_or(Duration::ZERO, |since| since.elapsed());
            self.0.waiting.send_replace(None);
        }
    }
}

impl RateLimiter {
    /// A budget of which nothing is known yet, whose waits together last `max_wait` at most,
    /// and which leaves `reserve` percent of each window to others.
    pub(super) fn new(max_wait: Option<Duration>, reserve: u8) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            waiting: watch::Sender::new(None),
            max_wait,
            reserve: Reserve(reserve),
        }
    }

    /// Waits until a request may be sent.
    pub(super) async fn permit(&self) -> Result<RequestPermit<'_>, WaitTooLong> {
        let mut waiter = None;
        loop {
            // Registered before the state is looked at, so that no change is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let turn = self.state().turn(self.reserve);
            let until = match turn {
                SendDecision::Go => return Ok(RequestPermit(self)),
                SendDecision::Answer(until) => {
                    waiter = None;
                    until
                }
                SendDecision::Sleep(until, reserve) => {
                    waiter.get_or_insert_with(|| QueuedRequest::start(self));
                    self.wait_until(until, reserve)?;
                    Some(until)
                }
            };
            match until {
                Some(until) => {
                    let _ = timeout_at(until, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Tells of a wait, unless it is too long.
    fn wait_until(&self, until: Instant, reserve: Option<u32>) -> Result<(), WaitTooLong> {
        let wait = until.saturating_duration_since(Instant::now());
        let state = self.state();
        let waiting = state.waiting_since.map_or(Duration::ZERO, |since| since.elapsed());
        let waited = state.waited + waiting;
        if let Some(allowed) = self.max_wait.filter(|it| waited + wait > *it) {
            return Err(WaitTooLong { wait, waited, allowed, reserve });
        }
        let until = OffsetDateTime::now_utc() + wait;
        self.waiting.send_if_modified(|shown| {
            let is_new = shown.is_none_or(|shown| (until - shown.until).abs() > MARGIN);
            if is_new {
                *shown = Some(RateLimitWait { until, reserve });
            }
            is_new
        });
        Ok(())
    }

    /// Takes over what an answer's headers say of the window, to a request that was sent when
    /// it was `asked`. Returns what they ask for. After a refusal for the rate limit's sake
    /// nobody sends anything for so long, from this moment on.
    pub(super) fn observe(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        asked: Instant,
    ) -> RetryHint {
        let now = Instant::now();
        let headers = RateHeaders::read(headers);
        let mut state = self.state();
        let is_late = state.count(&headers, asked, now);
        let hint = state.hint(status, &headers, is_late);
        if let (StatusCode::TOO_MANY_REQUESTS, Some(wait)) = (status, hint.wait()) {
            state.block(now + wait);
        }
        hint
    }

    /// Nobody sends anything for `wait`.
    pub(super) fn block(&self, wait: Duration) {
        self.state().block(Instant::now() + wait);
    }

    /// The time until the window ends, if that is known.
    pub(super) fn rest(&self) -> Option<Duration> {
        let end = self.state().window?.end()?;
        end.checked_duration_since(Instant::now())
    }

    /// The window as of the newest answers, if any has told.
    pub(super) fn window(&self) -> Option<RateWindow> {
        let CountedWindow { limit, remaining, .. } = self.state().window?;
        Some(RateWindow { limit, remaining, reserve: self.reserve.of(limit) })
    }

    /// For what everybody waits, and changes of that.
    pub(super) fn waiting(&self) -> watch::Receiver<Option<RateLimitWait>> {
        self.waiting.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, LimiterState> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LimiterState {
    /// Whose turn it is to send a request has it counted.
    fn turn(&mut self, reserve: Reserve) -> SendDecision {
        let now = Instant::now();
        let blocked = self.blocked_until.filter(|until| *until > now);
        let turn = match (self.turn_in_window(now, reserve), blocked) {
            (SendDecision::Sleep(until, left), blocked) if blocked.is_none_or(|it| it <= until) => {
                SendDecision::Sleep(until, left)
            }
            (_, Some(until)) => SendDecision::Sleep(until, None),
            (turn, None) => turn,
        };
        if matches!(turn, SendDecision::Go) {
            self.in_flight += 1;
        }
        turn
    }

    fn turn_in_window(&mut self, now: Instant, reserve: Reserve) -> SendDecision {
        let Some(window) = &mut self.window else {
            return SendDecision::Go;
        };
        window.roll_over(now);
        // The answers to requests under way may not be counted yet.
        if window.remaining.saturating_sub(reserve.of(window.limit)) > self.in_flight {
            return SendDecision::Go;
        }
        match window.end() {
            end if self.in_flight > 0 => SendDecision::Answer(end),
            Some(end) => SendDecision::Sleep(end, Some(window.remaining).filter(|left| *left > 0)),
            // Nobody says when the window ends: the next answer will.
            None => SendDecision::Go,
        }
    }

    /// Returns whether the answer is late: of the window before.
    fn count(&mut self, headers: &RateHeaders, asked: Instant, now: Instant) -> bool {
        let Some(from_headers) = CountedWindow::from_headers(headers, asked, now) else {
            return false;
        };
        if let Some(window) = &mut self.window {
            return window.update(from_headers, asked);
        }
        self.window = Some(from_headers);
        false
    }

    /// What an answer asks for. While requests are left, the window has nothing to do with it.
    fn hint(&self, status: StatusCode, headers: &RateHeaders, is_late: bool) -> RetryHint {
        let RateHeaders { remaining, reset, retry_after, .. } = *headers;
        if status != StatusCode::TOO_MANY_REQUESTS {
            return retry_after
                .map_or(RetryHint::Nothing, |wait| RetryHint::RetryAfter(wait + MARGIN));
        }
        if is_late {
            return RetryHint::Nothing;
        }
        let known = self.window.and_then(|window| window.remaining_requests());
        match (retry_after, remaining.or(known), reset) {
            (Some(wait), Some(1..), _) | (Some(wait), None, None) => {
                RetryHint::RetryAfter(wait + MARGIN)
            }
            _ if remaining > Some(0) => RetryHint::Nothing,
            (retry_after, _, reset) => retry_after
                .max(reset)
                .map_or(RetryHint::Nothing, |wait| RetryHint::Spent(wait + MARGIN)),
        }
    }

    fn block(&mut self, until: Instant) {
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};
    use tokio::time::{sleep, timeout};

    use super::{
        Duration, HeaderMap, Instant, RateLimiter, RateWindow, Reserve, RetryHint, StatusCode,
        WaitTooLong,
    };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    fn window(remaining: u32, reset: u32) -> HeaderMap {
        headers(&[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", &remaining.to_string()),
            ("x-ratelimit-reset", &reset.to_string()),
        ])
    }

    /// The answer to a request that was sent when it was `asked`.
    fn answer(rate_limiter: &RateLimiter, asked: Instant, headers: &HeaderMap) {
        rate_limiter.observe(StatusCode::OK, headers, asked);
    }

    /// The answer to a request that was sent just now.
    fn observe(rate_limiter: &RateLimiter, headers: &HeaderMap) {
        answer(rate_limiter, Instant::now(), headers);
    }

    fn refuse(rate_limiter: &RateLimiter, headers: &HeaderMap) -> RetryHint {
        rate_limiter.observe(StatusCode::TOO_MANY_REQUESTS, headers, Instant::now())
    }

    fn remaining(rate_limiter: &RateLimiter) -> u32 {
        rate_limiter.window().unwrap().remaining
    }

    /// Seconds until a request may be sent, on tokio's paused clock.
    async fn seconds(rate_limiter: &RateLimiter) -> u64 {
        let before = Instant::now();
        drop(rate_limiter.permit().await.unwrap());
        before.elapsed().as_secs()
    }

    #[test]
    fn the_first_valid_value_of_each_header_counts() {
        let rate_limiter = RateLimiter::new(None, 0);
        assert_eq!(rate_limiter.window(), None);
        observe(
            &rate_limiter,
            &headers(&[
                ("x-ratelimit-limit", "garbage"),
                ("x-ratelimit-limit", "1000"),
                ("x-ratelimit-remaining", "997"),
            ]),
        );
        let expected = RateWindow { limit: 1000, remaining: 997, reserve: 0 };
        assert_eq!(rate_limiter.window(), Some(expected));
        observe(&rate_limiter, &HeaderMap::new());
        assert_eq!(
            rate_limiter.window(),
            Some(expected),
            "an answer without headers tells nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_window_is_waited_out_and_the_next_one_used() {
        let rate_limiter = RateLimiter::new(None, 0);
        assert_eq!(seconds(&rate_limiter).await, 0);
        observe(&rate_limiter, &window(1, 100));
        assert_eq!(seconds(&rate_limiter).await, 0);
        observe(&rate_limiter, &window(0, 100));
        assert_eq!(seconds(&rate_limiter).await, 101);
        assert_eq!(
            rate_limiter.window(),
            Some(RateWindow { limit: 10, remaining: 10, reserve: 0 })
        );
        observe(&rate_limiter, &window(9, 3600));
        assert_eq!(seconds(&rate_limiter).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_under_way_are_counted_before_they_are_answered() {
        let rate_limiter = RateLimiter::new(None, 0);
        observe(&rate_limiter, &window(2, 50));
        let first = rate_limiter.permit().await.unwrap();
        let second = rate_limiter.permit().await.unwrap();
        let third = rate_limiter.permit();
        tokio::pin!(third);
        let early = timeout(Duration::from_secs(10), &mut third).await;
        assert!(early.is_err(), "two requests are left, and both are under way");
        observe(&rate_limiter, &window(1, 40));
        drop(first);
        let early = timeout(Duration::from_secs(10), &mut third).await;
        assert!(early.is_err(), "the last one is under way");
        observe(&rate_limiter, &window(0, 30));
        drop(second);
        let before = Instant::now();
        third.await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_overtake_each_other_dont_raise_the_budget() {
        let rate_limiter = RateLimiter::new(None, 0);
        observe(&rate_limiter, &window(3, 100));
        observe(&rate_limiter, &window(4, 100));
        assert_eq!(rate_limiter.window(), Some(RateWindow { limit: 10, remaining: 3, reserve: 0 }));
        observe(&rate_limiter, &window(9, 3600));
        assert_eq!(
            rate_limiter.window(),
            Some(RateWindow { limit: 10, remaining: 9, reserve: 0 }),
            "a new window"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_everybody_back() {
        let rate_limiter = RateLimiter::new(None, 0);
        rate_limiter.block(Duration::from_secs(7));
        let waiting = rate_limiter.waiting();
        let (one, other) = tokio::join!(seconds(&rate_limiter), seconds(&rate_limiter));
        assert_eq!((one, other), (7, 7));
        assert_eq!(*waiting.borrow(), None, "the wait is over");
    }

    #[tokio::test(start_paused = true)]
    async fn all_waits_together_are_bounded() {
        let rate_limiter = RateLimiter::new(Some(Duration::from_secs(20)), 0);
        rate_limiter.block(Duration::from_secs(15));
        assert_eq!(seconds(&rate_limiter).await, 15);
        rate_limiter.block(Duration::from_secs(6));
        let [wait, waited, allowed] = [6, 15, 20].map(Duration::from_secs);
        let error = rate_limiter.permit().await.err().unwrap();
        assert_eq!(error, WaitTooLong { wait, waited, allowed, reserve: None });
        assert!(error.to_string().contains("6s, which with the 15s waited before is more"));
    }

    #[test]
    fn the_reserve_is_rounded_down_and_leaves_one_request_at_least() {
        for (limit, percent, reserve) in
            [(1000, 10, 100), (1000, 0, 0), (19, 10, 1), (9, 10, 0), (1, 90, 0), (2, 90, 1)]
        {
            assert_eq!(Reserve(percent).of(limit), reserve, "{percent}% of {limit}");
        }
        assert_eq!(Reserve(90).of(u32::MAX), 3_865_470_565);
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_reserve_everybody_waits_for_the_next_window_and_says_why() {
        let rate_limiter = RateLimiter::new(Some(Duration::from_secs(150)), 30);
        observe(&rate_limiter, &window(4, 100));
        assert_eq!(seconds(&rate_limiter).await, 0);
        observe(&rate_limiter, &window(3, 100));
        assert_eq!(rate_limiter.window().unwrap().usable(), 0);
        let waiting = rate_limiter.waiting();
        let waits = async {
            tokio::task::yield_now().await;
            let reserve = waiting.borrow().unwrap().reserve;
            assert_eq!(reserve, Some(3));
        };
        let (waited, ()) = tokio::join!(seconds(&rate_limiter), waits);
        assert_eq!(waited, 101);
        observe(&rate_limiter, &window(2, 3600));
        let error = rate_limiter.permit().await.err().unwrap();
        assert_eq!(error.reserve, Some(2));
        assert!(error.to_string().contains("the 2 requests that are left are the res"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_of_one_request_is_used_whatever_the_reserve() {
        let rate_limiter = RateLimiter::new(None, 90);
        let headers = |remaining, reset| {
            headers(&[
                ("x-ratelimit-limit", "1"),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", reset),
            ])
        };
        observe(&rate_limiter, &headers("1", "100"));
        assert_eq!(seconds(&rate_limiter).await, 0);
        observe(&rate_limiter, &headers("0", "100"));
        assert_eq!(seconds(&rate_limiter).await, 101);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_of_the_window_before_says_nothing_of_the_new_one() {
        // The new window is known by an answer to a request that was sent later, or earlier, or
        // by the time that has passed.
        for late_by in [5, 130] {
            let rate_limiter = RateLimiter::new(None, 0);
            observe(&rate_limiter, &window(1, 100));
            sleep(Duration::from_secs(95)).await;
            let asked = Instant::now();
            if late_by < 100 {
                sleep(Duration::from_secs(5)).await;
                answer(&rate_limiter, asked - Duration::from_secs(1), &window(9, 3600));
            } else {
                sleep(Duration::from_secs(20)).await;
                assert_eq!(seconds(&rate_limiter).await, 0);
                assert_eq!(remaining(&rate_limiter), 10, "{late_by}");
            }
            let before = remaining(&rate_limiter);
            sleep(Duration::from_secs(late_by)).await;
            for late in [window(0, 5), window(0, 0), window(0, 7)] {
                answer(&rate_limiter, asked, &late);
                assert_eq!(remaining(&rate_limiter), before, "{late_by}");
                let late_refusal =
                    rate_limiter.observe(StatusCode::TOO_MANY_REQUESTS, &late, asked);
                assert_eq!(late_refusal, RetryHint::Nothing);
            }
            assert_eq!(seconds(&rate_limiter).await, 0, "{late_by}");
            // What is told of the new one counts, however late.
            answer(&rate_limiter, asked, &window(3, 3600 - u32::try_from(late_by).unwrap()));
            assert_eq!(remaining(&rate_limiter), 3, "{late_by}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_resets_a_late_answer_says_nothing_of_the_new_window_either() {
        let from_headers = |remaining| {
            headers(&[("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", remaining)])
        };
        let rate_limiter = RateLimiter::new(None, 0);
        observe(&rate_limiter, &from_headers("1"));
        let asked = Instant::now();
        sleep(Duration::from_secs(30)).await;
        observe(&rate_limiter, &from_headers("9"));
        sleep(Duration::from_secs(1)).await;
        for late in ["0", "10"] {
            answer(&rate_limiter, asked, &from_headers(late));
            assert_eq!(remaining(&rate_limiter), 9, "{late}");
        }
        observe(&rate_limiter, &from_headers("2"));
        assert_eq!(remaining(&rate_limiter), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_nobody_repeats_is_not_believed_for_long() {
        let rate_limiter = RateLimiter::new(None, 0);
        let asked = Instant::now();
        sleep(Duration::from_secs(1)).await;
        observe(&rate_limiter, &window(9, 80_000));
        answer(&rate_limiter, asked, &window(0, 100));
        assert_eq!(remaining(&rate_limiter), 9, "it may be late");
        observe(&rate_limiter, &window(0, 100));
        assert_eq!(seconds(&rate_limiter).await, 101);
    }

    #[test]
    fn while_requests_are_left_only_retry_after_says_how_long_to_wait() {
        let retry_after = |seconds| RetryHint::RetryAfter(Duration::from_secs(seconds));
        let spent = |seconds| RetryHint::Spent(Duration::from_secs(seconds));
        // Nothing is known of the window; the refusal says that it is spent; that requests are
        // left; an answer before it has said so.
        for (pairs, unknown, none_left, left, left_before) in [
            (
                &[][..],
                RetryHint::Nothing,
                RetryHint::Nothing,
                RetryHint::Nothing,
                RetryHint::Nothing,
            ),
            (&[("retry-after", "1")], retry_after(2), spent(2), retry_after(2), retry_after(2)),
            (&[("x-ratelimit-reset", "50")], spent(51), spent(51), RetryHint::Nothing, spent(51)),
            (
                &[("retry-after", "1"), ("x-ratelimit-reset", "50")],
                spent(51),
                spent(51),
                retry_after(2),
                retry_after(2),
            ),
            (
                &[("retry-after", "60"), ("x-ratelimit-reset", "50")],
                spent(61),
                spent(61),
                retry_after(61),
                retry_after(61),
            ),
        ] {
            let from_headers = |remaining| {
                let own = [("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", remaining)];
                refuse(&RateLimiter::new(None, 0), &headers(&[pairs, &own].concat()))
            };
            let before = RateLimiter::new(None, 0);
            observe(&before, &window(7, 50));
            let hints = [
                refuse(&RateLimiter::new(None, 0), &headers(pairs)),
                from_headers("0"),
                from_headers("7"),
                refuse(&before, &headers(pairs)),
            ];
            assert_eq!(hints, [unknown, none_left, left, left_before], "{pairs:?}");
        }
        let (rate_limiter, busy) = (RateLimiter::new(None, 0), StatusCode::SERVICE_UNAVAILABLE);
        let hint = rate_limiter.observe(busy, &window(9, 3600), Instant::now());
        assert_eq!(hint, RetryHint::Nothing, "the window has nothing to do with it");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_an_answer_that_is_a_refusal_waits_for_its_end() {
        let rate_limiter = RateLimiter::new(None, 0);
        observe(&rate_limiter, &window(1, 500));
        let first = rate_limiter.permit().await.unwrap();
        let others = async {
            let before = Instant::now();
            drop(rate_limiter.permit().await.unwrap());
            before.elapsed().as_secs()
        };
        let refused = async {
            sleep(Duration::from_secs(1)).await;
            refuse(&rate_limiter, &headers(&[("retry-after", "20")]));
            drop(first);
        };
        let (waited, ()) = tokio::join!(others, refused);
        assert_eq!(waited, 22);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_late_is_waited_for_no_longer_than_the_window_lasts() {
        let rate_limiter = RateLimiter::new(None, 0);
        observe(&rate_limiter, &window(1, 100));
        let _late = rate_limiter.permit().await.unwrap();
        assert_eq!(seconds(&rate_limiter).await, 101);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_whoever_waits() {
        let rate_limiter = RateLimiter::new(Some(Duration::from_mins(1)), 0);
        let waiting = rate_limiter.waiting();
        rate_limiter.block(Duration::from_secs(50));
        assert!(timeout(Duration::from_secs(10), rate_limiter.permit()).await.is_err());
        assert_eq!(*waiting.borrow(), None, "nobody waits any more");
        sleep(Duration::from_secs(39)).await;
        assert_eq!(seconds(&rate_limiter).await, 1);
        // Ten seconds and one were waited, and not what lies between.
        rate_limiter.block(Duration::from_secs(48));
        assert_eq!(seconds(&rate_limiter).await, 48);
        rate_limiter.block(Duration::from_secs(2));
        assert!(rate_limiter.permit().await.is_err());
    }
}
