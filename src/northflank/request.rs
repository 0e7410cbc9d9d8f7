//! One request, with as many tries as it takes and its failures are worth.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Response, StatusCode, Url};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::connection::{Connection, authorization};
use super::error::{Error, Problem, Refusal, TransportProblem};
use super::list::{AnyRow, ListKind, Rows};
use super::page_body::PageBody;
use super::page_token::PageQuery;
use super::rate_limit::{RateLimiter, RetryHint};
use super::retry::Retries;
use super::whoami::Whoami;

/// The largest answer that is read, in MiB after decompression. Directory groups come
/// unpaged, some 250 bytes each: room for a quarter of a million of them.
const LARGEST_ANSWER_MIB: usize = 64;

/// Time without a byte of an answer that has begun.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Time for the answer to who the token is, which a sync can do without.
const WHOAMI_WITHIN: Duration = Duration::from_secs(10);

/// What is asked for, without paging.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    /// The path as the API documents it.
    name: &'static str,
}

impl Endpoint {
    /// How errors name it.
    fn path(&self) -> &str {
        self.url.path()
    }

    pub(super) fn error(&self, tries: u32, problem: Problem) -> Error {
        Error { endpoint: self.path().to_owned(), tries, problem }
    }
}

/// A try that failed.
pub(super) struct FailedTry {
    problem: Problem,
    /// What Northflank asks for.
    hint: RetryHint,
}

impl From<Problem> for FailedTry {
    fn from(problem: Problem) -> Self {
        Self { problem, hint: RetryHint::Nothing }
    }
}

/// Why it isn't known whose token it is.
struct WhoamiError {
    reason: String,
    /// What was answered, where that was a refusal.
    refusal: Option<Refusal>,
}

impl From<String> for WhoamiError {
    fn from(reason: String) -> Self {
        Self { reason, refusal: None }
    }
}

impl Connection {
    /// The endpoint with this path, in which each `{}` stands for a part of `id`: slashes end
    /// all parts but the last.
    pub(super) fn endpoint(&self, name: &'static str, id: Option<&str>) -> Endpoint {
        let mut parts = id.unwrap_or_default().splitn(name.matches("{}").count(), '/');
        let segments = name.trim_start_matches("/v1/").split('/');
        let segments: Vec<_> = segments
            .map(|name| if name == "{}" { parts.next().unwrap_or_default() } else { name })
            .collect();
        Endpoint { url: self.base_url.join(&segments), name }
    }

    /// What one page of a list says, and the body that says it.
    pub(super) async fn page(
        &self,
        kind: ListKind,
        endpoint: &Endpoint,
        per_page: Option<usize>,
        query: Option<&PageQuery>,
    ) -> Result<(PageBody<Rows>, Vec<u8>), Error> {
        let mut url = endpoint.url.clone();
        if let Some(rows) = per_page {
            url.query_pairs_mut().append_pair("per_page", &rows.to_string());
        }
        match query {
            None => {}
            Some(PageQuery::Cursor(cursor)) => {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            Some(PageQuery::Number(number)) => {
                url.query_pairs_mut().append_pair("page", &number.to_string());
            }
        }
        let attempt = || {
            let span =
                debug_span!("request", method = "GET", path = endpoint.path(), status = Empty);
            // Boxed, since all first questions are one future.
            let attempt = Box::pin(self.attempt(kind, endpoint, url.clone()).instrument(span));
            async {
                let outcome = attempt.await;
                let problem = outcome.as_ref().err().map(|failed| failed.problem.to_string());
                *self.last_problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
                outcome
            }
        };
        let (page, body) = tried(&self.rate_limiter, self.first_retry, endpoint, attempt)
            .await
            .map_err(|mut error| {
                error.doubt_base_url(self.has_read.load(Ordering::Relaxed));
                error
            })?;
        self.has_read.store(true, Ordering::Relaxed);
        self.warn_of_malformed(endpoint, &page.rows);
        Ok((page, body))
    }

    /// Warns of fields that a sync can do without and that can't be read, of each once.
    fn warn_of_malformed(&self, endpoint: &Endpoint, rows: &Rows) {
        for field in rows.iter().flat_map(AnyRow::malformed_fields) {
            if self.malformed.lock().unwrap_or_else(PoisonError::into_inner).insert(field) {
                tracing::warn!(
                    endpoint = endpoint.path(),
                    field,
                    "the field {field} isn't what the API documents; it is left out, here and \
                     wherever else that is so"
                );
            }
        }
    }

    /// Whose token this is; see [`Client::whoami`](super::Client::whoami).
    pub(super) async fn whoami(&self) -> Result<Whoami, Option<Refusal>> {
        let endpoint = self.endpoint("/v1/auth", None);
        let span = debug_span!("request", method = "GET", path = endpoint.path(), status = Empty);
        // Boxed, since all first questions are one future.
        let asking = Box::pin(self.ask_whoami(&endpoint).instrument(span));
        let asked = timeout(WHOAMI_WITHIN, asking).await;
        let page = asked.unwrap_or_else(|_| Err("no answer in time".to_owned().into()));
        page.map_err(|WhoamiError { reason, refusal }| {
            tracing::debug!(reason, "who the token is remains unknown");
            refusal
        })
    }

    async fn ask_whoami(&self, endpoint: &Endpoint) -> Result<Whoami, WhoamiError> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let _permit = self.rate_limiter.permit().await.map_err(|error| said(&error))?;
        let asked = Instant::now();
        let response = self.send(endpoint.url.clone()).await.map_err(|error| said(&error))?;
        let status = response.status();
        if status == StatusCode::OK {
            self.rate_limiter.observe(status, response.headers(), asked);
        }
        let body = self.body(endpoint, response).await.map_err(|error| said(&error))?;
        if status != StatusCode::OK {
            let refusal = Refusal::read(status, &body);
            return Err(WhoamiError { reason: refusal.to_string(), refusal: Some(refusal) });
        }
        Ok(Whoami::read(&body)?)
    }

    async fn attempt(
        &self,
        kind: ListKind,
        endpoint: &Endpoint,
        url: Url,
    ) -> Result<(PageBody<Rows>, Vec<u8>), FailedTry> {
        let asked = Instant::now();
        let response = self.send(url).await?;
        let status = response.status();
        let hint = self.rate_limiter.observe(status, response.headers(), asked);
        let body = self.body(endpoint, response).await?;
        if status == StatusCode::OK {
            let page = kind.read(&body).map_err(Problem::from)?;
            Ok((page, body))
        } else {
            Err(FailedTry { problem: Problem::Refused(Refusal::read(status, &body)), hint })
        }
    }

    async fn send(&self, url: Url) -> Result<Response, Problem> {
        let token = self.token.newest();
        let response = self.send_with(&token, url.clone()).await?;
        // One that was rotated, or lacked a permission, is refused; where it came from, its successor
        // is by then.
        let is_refused =
            matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if is_refused && self.token.has_successor(&token).await {
            return self.send_with(&self.token.newest(), url).await;
        }
        Ok(response)
    }

    async fn send_with(&self, token: &SecretString, url: Url) -> Result<Response, Problem> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.http.get(url);
        let request = match authorization(token) {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            // The first one is known to fit; Northflank refuses a request without.
            None => request,
        };
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        Span::current().record("status", status.as_u16());
        tracing::debug!(path = response.url().path(), %status, "answer");
        Ok(response)
    }

    /// The whole body, decompressed, within the limit, without the token.
    async fn body(&self, endpoint: &Endpoint, mut response: Response) -> Result<Vec<u8>, Problem> {
        let mut body = Vec::new();
        while let Some(chunk) = timeout(LONGEST_PAUSE, response.chunk())
            .await
            .map_err(|_| Problem::Stalled { pause: LONGEST_PAUSE })?
            .map_err(transport)?
        {
            if body.len() + chunk.len() > LARGEST_ANSWER_MIB << 20 {
                return Err(Problem::TooLarge { limit: LARGEST_ANSWER_MIB });
            }
            body.extend_from_slice(&chunk);
        }
        self.mask(&mut body);
        if let Some(schema_report) = &self.schema_report {
            schema_report.record(endpoint.name, response.status(), response.headers(), &body);
        }
        Ok(body)
    }
}

/// Makes attempts until one succeeds or there is no point in another. Each waits until the
/// budget allows it; that is no part of trying.
async fn tried<T, Attempt>(
    rate_limiter: &RateLimiter,
    first_retry: Duration,
    endpoint: &Endpoint,
    attempt: impl Fn() -> Attempt,
) -> Result<T, Error>
where
    Attempt: Future<Output = Result<T, FailedTry>>,
{
    let mut retries = Retries::new(first_retry);
    loop {
        let asked = Instant::now();
        let permit = rate_limiter
            .permit()
            .await
            .map_err(|too_long| endpoint.error(retries.tries(), Problem::RateLimited(too_long)))?;
        retries.leave_out(asked.elapsed());
        let FailedTry { problem, hint } = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let Some(delay) = retries.after(&problem, hint, rate_limiter.rest()) else {
            return Err(endpoint.error(retries.tries(), problem));
        };
        tracing::warn!(
            endpoint = endpoint.path(),
            problem = %problem,
            tries = retries.tries(),
            seconds = delay.as_secs_f64(),
            "trying again"
        );
        if hint.wait().is_some() || problem.is_rate_limit() {
            // What Northflank asks of one request holds for all, before anybody takes its place.
            rate_limiter.block(delay);
            drop(permit);
        } else {
            drop(permit);
            tokio::time::sleep(delay).await;
        }
    }
}

fn transport(error: reqwest::Error) -> Problem {
    let kind = if error.is_timeout() {
        TransportProblem::Timeout
    } else if error.is_connect() {
        TransportProblem::Connect
    } else {
        TransportProblem::Broken
    };
    // The endpoint is named already, without a query that could be long.
    Problem::Transport { kind, source: error.without_url() }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use reqwest::StatusCode;
    use reqwest::header::HeaderValue;

    use super::{Endpoint, FailedTry, Instant, Problem, RateLimiter, Refusal, RetryHint, tried};

    fn refusal(status: u16, hint: Option<u64>) -> FailedTry {
        let status = StatusCode::from_u16(status).unwrap();
        let problem = Problem::Refused(Refusal::read(status, b""));
        let wait = hint.map(Duration::from_secs);
        let hint = match status {
            StatusCode::TOO_MANY_REQUESTS => wait.map(RetryHint::Spent),
            _ => wait.map(RetryHint::RetryAfter),
        };
        FailedTry { problem, hint: hint.unwrap_or(RetryHint::Nothing) }
    }

    /// How many tries a request takes that is answered by these refusals first.
    async fn tries(refusals: Vec<FailedTry>) -> Result<usize, String> {
        tries_within(&RateLimiter::new(None, 0), refusals).await
    }

    async fn tries_within(
        rate_limiter: &RateLimiter,
        refusals: Vec<FailedTry>,
    ) -> Result<usize, String> {
        let url = "http://127.0.0.1/v1/x".parse().unwrap();
        let endpoint = Endpoint { url, name: "/v1/x" };
        let (refusals, tries) = (Cell::new(refusals.into_iter()), Cell::new(0));
        let attempt = || {
            tries.set(tries.get() + 1);
            let mut left = refusals.take();
            let refusal = left.next();
            refusals.set(left);
            std::future::ready(refusal.map_or(Ok(()), Err))
        };
        let outcome = tried(rate_limiter, Duration::from_millis(200), &endpoint, attempt).await;
        outcome.map(|()| tries.get()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_hiccup_after_a_long_wait_for_the_rate_limit_is_as_good_as_any() {
        // An hourly window, then a server that has to wake up.
        let refusals = vec![refusal(429, Some(3600)), refusal(503, None), refusal(503, None)];
        assert_eq!(tries(refusals).await, Ok(4));
        // Window after window that others use up.
        let refusals = (0..9).map(|_| refusal(429, Some(3600))).collect();
        assert_eq!(tries(refusals).await, Ok(10));
        let refusals = vec![refusal(503, Some(3600)), refusal(429, None), refusal(503, None)];
        assert_eq!(tries(refusals).await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn bare_refusals_are_waited_out_until_the_window_ends_that_answers_before_told_of() {
        let rate_limiter = RateLimiter::new(None, 0);
        let page = [("limit", "1000"), ("remaining", "700"), ("reset", "3000")];
        let headers = page.map(|(name, value)| {
            let name = format!("x-ratelimit-{name}").parse().unwrap();
            (name, HeaderValue::from_static(value))
        });
        let headers = headers.into_iter().collect();
        rate_limiter.observe(StatusCode::OK, &headers, Instant::now());
        let bare = |count| (0..count).map(|_| refusal(429, None)).collect();
        let before = Instant::now();
        assert_eq!(tries_within(&rate_limiter, bare(4)).await, Ok(5));
        assert!(before.elapsed() < Duration::from_mins(1), "they passed by themselves");
        assert_eq!(tries_within(&rate_limiter, bare(8)).await, Ok(9));
        // Whoever asks right after it may still be refused for some seconds.
        assert!((3_001..3_030).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
        // Of the window after it nothing is known.
        let error = tries_within(&rate_limiter, bare(9)).await.unwrap_err();
        assert!(error.contains("(5 tries)"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn trying_has_an_end() {
        let refusals = (0..5).map(|_| refusal(503, None)).collect();
        let error = tries(refusals).await.unwrap_err();
        assert!(error.contains("(5 tries)"), "{error}");
    }
}
