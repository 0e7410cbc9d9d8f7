//! The rate budget: how many requests Northflank still accepts, shared by all requests of a
//! client, and the wait when there are none.
//!
//! Northflank counts requests in windows of an hour and says on every answer how many are
//! left (`x-ratelimit-*`). No request is sent that is known to be refused: when the window is
//! spent, everybody waits for its reset.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::wording::whole_seconds;

/// Resets are told in whole seconds; nobody says how they are rounded.
const MARGIN: Duration = Duration::from_secs(1);

/// A hint to wait for longer than this is garbage; windows last an hour.
const LONGEST_HINT: Duration = Duration::from_hours(24);

/// An answer that tells of a reset so much later belongs to a new window.
const NEW_WINDOW: Duration = Duration::from_secs(5);

/// What the newest answers said of the rate window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Requests that the window allows in all.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// So many of the window's requests are left to others.
    pub reserve: u32,
}

impl Window {
    /// Requests that may still be made in it.
    pub fn usable(&self) -> u32 {
        self.remaining.saturating_sub(self.reserve)
    }
}

/// A wait for the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it ends.
    pub until: OffsetDateTime,
    /// The requests that are left, if there are any: the reserve.
    pub reserve: Option<u32>,
}

/// Waiting is not allowed for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Northflank's rate limit is reached and lasts for another {}, which is more than the wait of \
     {} that is allowed in all{}",
    whole_seconds(.wait), whole_seconds(.allowed), kept(.reserve.as_ref())
)]
pub struct TooLong {
    /// Time until the next request could be sent.
    pub wait: Duration,
    /// Time allowed for all waits together.
    pub allowed: Duration,
    /// The requests that are left, if there are any: the reserve.
    pub reserve: Option<u32>,
}

fn kept(reserve: Option<&u32>) -> String {
    reserve.map_or(String::new(), |left| {
        format!("; the {left} requests that are left are the reserve (--rate-limit-reserve)")
    })
}

/// The budget of one client.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
    /// Told whenever somebody who waits might go on.
    changed: Notify,
    /// For what everybody waits, for whoever shows it.
    waiting: watch::Sender<Option<Wait>>,
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
struct State {
    window: Option<Counted>,
    in_flight: u32,
    /// No request before this, because an answer said so.
    blocked_until: Option<Instant>,
    /// Since when everybody waits.
    waiting_since: Option<Instant>,
    /// Time waited before that.
    waited: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    limit: u32,
    remaining: u32,
    /// When the window ends; unknown right after the one before has ended.
    reset: Option<Instant>,
}

/// What somebody who wants to send a request has to do.
enum Turn {
    Go,
    /// Wait until then. So many requests are left, for others.
    Sleep(Instant, Option<u32>),
    /// Wait for the answer to a request that is under way.
    Answer,
}

/// A request that is under way; dropping it ends it.
pub(super) struct Permit<'budget>(&'budget Budget);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.changed.notify_waiters();
    }
}

impl Budget {
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
    pub(super) async fn permit(&self) -> Result<Permit<'_>, TooLong> {
        loop {
            // Registered before the state is looked at, so that no change is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.turn()? {
                Turn::Go => return Ok(Permit(self)),
                Turn::Answer => changed.await,
                Turn::Sleep(until, _) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = changed => {}
                },
            }
        }
    }

    fn turn(&self) -> Result<Turn, TooLong> {
        let now = Instant::now();
        let mut state = self.state();
        let turn = state.turn(now, self.reserve);
        match turn {
            Turn::Go => {
                state.in_flight += 1;
                if let Some(since) = state.waiting_since.take() {
                    state.waited += now - since;
                    self.waiting.send_replace(None);
                }
            }
            Turn::Sleep(until, reserve) => {
                let since = *state.waiting_since.get_or_insert(now);
                let (wait, waited) = (until - now, state.waited + (now - since));
                if let Some(allowed) = self.max_wait.filter(|allowed| waited + wait > *allowed) {
                    return Err(TooLong { wait, allowed, reserve });
                }
                let until = OffsetDateTime::now_utc() + wait;
                self.waiting.send_if_modified(|shown| {
                    let is_new = shown.is_none_or(|shown| (until - shown.until).abs() > MARGIN);
                    if is_new {
                        *shown = Some(Wait { until, reserve });
                    }
                    is_new
                });
            }
            Turn::Answer => {}
        }
        Ok(turn)
    }

    /// Takes over what an answer's headers say of the window.
    pub(super) fn observe(&self, headers: &HeaderMap) {
        let number = |name| whole_number(headers, name).and_then(|it| u32::try_from(it).ok());
        let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
        if let (Some(limit), Some(remaining)) = (limit.filter(|limit| *limit > 0), remaining) {
            let now = Instant::now();
            let reset = reset(headers).map(|wait| now + wait + MARGIN);
            self.state().count(Counted { limit, remaining, reset }, now);
        }
    }

    /// Nobody sends anything for `wait`.
    pub(super) fn block(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        state.blocked_until = state.blocked_until.max(Some(until));
    }

    /// The window as of the newest answers, if any has told.
    pub(super) fn window(&self) -> Option<Window> {
        let Counted { limit, remaining, .. } = self.state().window?;
        Some(Window { limit, remaining, reserve: self.reserve.of(limit) })
    }

    /// For what everybody waits, and changes of that.
    pub(super) fn waiting(&self) -> watch::Receiver<Option<Wait>> {
        self.waiting.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&mut self, now: Instant, reserve: Reserve) -> Turn {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Turn::Sleep(until, None);
        }
        self.blocked_until = None;
        let Some(window) = &mut self.window else {
            return Turn::Go;
        };
        if window.reset.is_some_and(|reset| reset <= now) {
            *window = Counted { remaining: window.limit, reset: None, ..*window };
        }
        // The answers to requests under way may not be counted yet.
        if window.remaining.saturating_sub(reserve.of(window.limit)) > self.in_flight {
            return Turn::Go;
        }
        match window.reset {
            _ if self.in_flight > 0 => Turn::Answer,
            Some(reset) => Turn::Sleep(reset, Some(window.remaining).filter(|left| *left > 0)),
            // Nobody says when the window ends: the next answer will.
            None => Turn::Go,
        }
    }

    /// Answers arrive in any order. In one window `remaining` only falls, so that the least
    /// that was told is the newest.
    fn count(&mut self, told: Counted, now: Instant) {
        match &mut self.window {
            Some(known) if !known.is_over(told, now) => {
                known.remaining = known.remaining.min(told.remaining);
                known.reset = known.reset.or(told.reset);
            }
            window => *window = Some(told),
        }
    }
}

impl Counted {
    /// Whether `told` is of a later window.
    fn is_over(&self, told: Self, now: Instant) -> bool {
        match (self.reset, told.reset) {
            (Some(known), Some(told)) => known <= now || told > known + NEW_WINDOW,
            // Without resets only a rise tells.
            (_, None) => told.remaining > self.remaining,
            (None, Some(_)) => false,
        }
    }
}

/// How long an answer asks to wait: as `Retry-After` says, and after a refusal for the rate
/// limit's sake at least until the window's reset.
pub(super) fn hint(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let reset = reset(headers).filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
    Some(reset.max(retry_after(headers))? + MARGIN)
}

/// The time until the window ends. Documented as seconds; epoch seconds and milliseconds are
/// understood as well.
fn reset(headers: &HeaderMap) -> Option<Duration> {
    const EPOCH: f64 = 1e9;
    const EPOCH_MILLISECONDS: f64 = 1e12;
    first(headers, "x-ratelimit-reset", |text| {
        let value: f64 = text.parse().ok()?;
        let value = if value < EPOCH_MILLISECONDS { value } else { value / 1e3 };
        let time = Duration::try_from_secs_f64(value.ceil()).ok()?;
        if value < EPOCH {
            return credible(time);
        }
        let now = OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH;
        credible(time.saturating_sub(Duration::try_from(now).ok()?))
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    first(headers, RETRY_AFTER.as_str(), |text| {
        if let Ok(seconds) = text.parse() {
            return credible(Duration::from_secs(seconds));
        }
        // An HTTP date is one of mail's with another name for UTC.
        let date = OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()?;
        let wait = date - OffsetDateTime::now_utc();
        credible(Duration::try_from(wait).unwrap_or_default())
    })
}

fn credible(wait: Duration) -> Option<Duration> {
    (wait <= LONGEST_HINT).then_some(wait)
}

fn whole_number(headers: &HeaderMap, name: &str) -> Option<u64> {
    first(headers, name, |text| text.parse().ok())
}

/// The first value of a header that makes sense.
fn first<T>(headers: &HeaderMap, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    headers.get_all(name).iter().find_map(|value| read(value.to_str().ok()?.trim()))
}

#[cfg(test)]
mod tests {
    use super::{Budget, Duration, HeaderMap, Instant, Reserve, StatusCode, TooLong, Window};
    use reqwest::header::{HeaderName, HeaderValue};
    use time::OffsetDateTime;

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

    fn hint(headers: &HeaderMap) -> Option<Duration> {
        super::hint(StatusCode::TOO_MANY_REQUESTS, headers)
    }

    /// Seconds until a request may be sent, on tokio's paused clock.
    async fn seconds(budget: &Budget) -> u64 {
        let before = Instant::now();
        drop(budget.permit().await.unwrap());
        before.elapsed().as_secs()
    }

    #[test]
    fn the_first_valid_value_of_each_header_counts() {
        let budget = Budget::new(None, 0);
        assert_eq!(budget.window(), None);
        budget.observe(&headers(&[
            ("x-ratelimit-limit", "garbage"),
            ("x-ratelimit-limit", "1000"),
            ("x-ratelimit-remaining", "997"),
        ]));
        let expected = Window { limit: 1000, remaining: 997, reserve: 0 };
        assert_eq!(budget.window(), Some(expected));
        budget.observe(&HeaderMap::new());
        assert_eq!(budget.window(), Some(expected), "an answer without headers tells nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_window_is_waited_out_and_the_next_one_used() {
        let budget = Budget::new(None, 0);
        assert_eq!(seconds(&budget).await, 0);
        budget.observe(&window(1, 100));
        assert_eq!(seconds(&budget).await, 0);
        budget.observe(&window(0, 100));
        assert_eq!(seconds(&budget).await, 101);
        assert_eq!(budget.window(), Some(Window { limit: 10, remaining: 10, reserve: 0 }));
        budget.observe(&window(9, 3600));
        assert_eq!(seconds(&budget).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_under_way_are_counted_before_they_are_answered() {
        let budget = Budget::new(None, 0);
        budget.observe(&window(2, 50));
        let first = budget.permit().await.unwrap();
        let second = budget.permit().await.unwrap();
        let third = budget.permit();
        tokio::pin!(third);
        let early = tokio::time::timeout(Duration::from_secs(10), &mut third).await;
        assert!(early.is_err(), "two requests are left, and both are under way");
        budget.observe(&window(1, 40));
        drop(first);
        let early = tokio::time::timeout(Duration::from_secs(10), &mut third).await;
        assert!(early.is_err(), "the last one is under way");
        budget.observe(&window(0, 30));
        drop(second);
        let before = Instant::now();
        third.await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_overtake_each_other_dont_raise_the_budget() {
        let budget = Budget::new(None, 0);
        budget.observe(&window(3, 100));
        budget.observe(&window(4, 100));
        assert_eq!(budget.window(), Some(Window { limit: 10, remaining: 3, reserve: 0 }));
        budget.observe(&window(9, 3600));
        assert_eq!(
            budget.window(),
            Some(Window { limit: 10, remaining: 9, reserve: 0 }),
            "a new window"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_everybody_back() {
        let budget = Budget::new(None, 0);
        budget.block(Duration::from_secs(7));
        let waiting = budget.waiting();
        let (one, other) = tokio::join!(seconds(&budget), seconds(&budget));
        assert_eq!((one, other), (7, 7));
        assert_eq!(*waiting.borrow(), None, "the wait is over");
    }

    #[tokio::test(start_paused = true)]
    async fn all_waits_together_are_bounded() {
        let budget = Budget::new(Some(Duration::from_secs(20)), 0);
        budget.block(Duration::from_secs(15));
        assert_eq!(seconds(&budget).await, 15);
        budget.block(Duration::from_secs(6));
        let allowed = Duration::from_secs(20);
        let error = budget.permit().await.err();
        assert_eq!(error, Some(TooLong { wait: Duration::from_secs(6), allowed, reserve: None }));
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
        let budget = Budget::new(Some(Duration::from_secs(150)), 30);
        budget.observe(&window(4, 100));
        assert_eq!(seconds(&budget).await, 0);
        budget.observe(&window(3, 100));
        assert_eq!(budget.window().unwrap().usable(), 0);
        let waiting = budget.waiting();
        let waits = async {
            tokio::task::yield_now().await;
            let reserve = waiting.borrow().unwrap().reserve;
            assert_eq!(reserve, Some(3));
        };
        let (waited, ()) = tokio::join!(seconds(&budget), waits);
        assert_eq!(waited, 101);
        budget.observe(&window(2, 3600));
        let error = budget.permit().await.err().unwrap();
        assert_eq!(error.reserve, Some(2));
        assert!(error.to_string().contains("the 2 requests that are left are the res"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_of_one_request_is_used_whatever_the_reserve() {
        let budget = Budget::new(None, 90);
        let headers = |remaining, reset| {
            headers(&[
                ("x-ratelimit-limit", "1"),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", reset),
            ])
        };
        budget.observe(&headers("1", "100"));
        assert_eq!(seconds(&budget).await, 0);
        budget.observe(&headers("0", "100"));
        assert_eq!(seconds(&budget).await, 101);
    }

    #[test]
    fn hints_are_understood_in_every_form_and_the_longer_one_counts() {
        let now = OffsetDateTime::now_utc();
        let later = now + Duration::from_secs(100);
        let date = later.format(&time::format_description::well_known::Rfc2822).unwrap();
        let date = date.replace("+0000", "GMT");
        let epoch = later.unix_timestamp().to_string();
        let milliseconds = format!("{epoch}000");
        for (name, value) in [
            ("x-ratelimit-reset", "100"),
            ("x-ratelimit-reset", "99.2"),
            ("x-ratelimit-reset", &epoch),
            ("x-ratelimit-reset", &milliseconds),
            ("retry-after", "100"),
            ("retry-after", &date),
        ] {
            let seconds = hint(&headers(&[(name, value)])).unwrap().as_secs();
            assert!((99..=101).contains(&seconds), "{name}: {value}: {seconds}");
        }
        for (name, value) in [
            ("x-ratelimit-reset", "-5"),
            ("x-ratelimit-reset", "soon"),
            ("x-ratelimit-reset", "NaN"),
            ("x-ratelimit-reset", "99999999"),
            ("retry-after", "in a while"),
        ] {
            assert_eq!(hint(&headers(&[(name, value)])), None, "{name}: {value}");
        }
        let first_valid = ["-5", "soon", "100"].map(|value| ("x-ratelimit-reset", value));
        assert_eq!(hint(&headers(&first_valid)), Some(Duration::from_secs(101)));
        let both = [("x-ratelimit-reset", "5"), ("retry-after", "30")];
        assert_eq!(hint(&headers(&both)), Some(Duration::from_secs(31)));
        let busy = super::hint(StatusCode::SERVICE_UNAVAILABLE, &window(9, 3600));
        assert_eq!(busy, None, "the window has nothing to do with it");
    }
}
