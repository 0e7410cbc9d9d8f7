//! The health check server, and the probe that asks it.
//!
//! | path | 200 while |
//! | --- | --- |
//! | `/live` | the process runs |
//! | `/ready` | ConductorOne knows the connector, accepts its credentials, and it isn't stopping |
//! | `/health` | Northflank lets the connector read all that it needs |
//!
//! Northflank is asked by one task at a time, which goes on when the probe that caused it has
//! left: probes give up sooner than Northflank may answer, and each is answered with what the
//! task found. While Northflank's rate limit is awaited, nothing is asked and the answer is what
//! was last known.
//!
//! Once everything could be read, it is enough to ask who the token is: as long as its role and
//! permissions are the same, it can read the same. That is one request in five minutes, 12 an
//! hour, where three were 36.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::error::Error;
use crate::error_chain::with_causes;
use crate::exit_code::ExitCode;
use crate::northflank::{Client, Problem, TokenPermissions};
use crate::sync::{ValidationError, validate};

/// How long a good answer of Northflank's is believed: one request in this time, out of the
/// thousand an hour that syncs need.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// How long a bad one is.
const BAD_FOR: Duration = Duration::from_mins(1);

/// Time for Northflank to answer.
const VALIDATE_WITHIN: Duration = Duration::from_secs(30);

/// Time for a client to say what it wants.
const ASK_WITHIN: Duration = Duration::from_secs(10);

/// Whether tasks are taken.
#[derive(Debug, Clone)]
pub(super) enum Readiness {
    /// Not yet, or no more.
    No,
    /// They are.
    Yes,
    /// ConductorOne refuses the credentials that it accepted before.
    Refused(String),
}

/// What the server knows.
pub(super) struct Health {
    northflank: Client,
    readiness: Mutex<Readiness>,
    known: watch::Sender<NorthflankHealth>,
}

/// What is known of Northflank.
#[derive(Default)]
struct NorthflankHealth {
    verdict: Option<CheckVerdict>,
    is_checking: bool,
    /// Until when it accepts no requests, as the newest check found.
    limited_until: Option<OffsetDateTime>,
    /// What the token was allowed when everything could be read, if Northflank tells.
    access: Option<TokenPermissions>,
}

/// What Northflank let the connector do, and when.
#[derive(Clone)]
struct CheckVerdict {
    problem: Option<String>,
    at: Instant,
    time: OffsetDateTime,
}

impl CheckVerdict {
    fn is_fresh(&self) -> bool {
        let fresh_for = if self.problem.is_none() { GOOD_FOR } else { BAD_FOR };
        self.at.elapsed() < fresh_for
    }
}

/// How a check ended.
enum CheckOutcome {
    /// All can be read, with this access if it is known.
    Well(Option<TokenPermissions>),
    /// This is wrong.
    Problem(String),
    /// The rate limit is reached: nothing new is known until then.
    Limited(OffsetDateTime),
}

impl Health {
    /// Not ready yet, and with nothing known of Northflank.
    pub(super) fn new(northflank: Client) -> Self {
        let (readiness, known) = (Mutex::new(Readiness::No), watch::Sender::default());
        Self { northflank, readiness, known }
    }

    /// Says whether tasks are taken from now on.
    pub(super) fn set(&self, readiness: Readiness) {
        *self.readiness.lock().unwrap_or_else(PoisonError::into_inner) = readiness;
    }

    /// What is known of reading Northflank, and until when the rate limit keeps it from being
    /// asked anew.
    async fn verdict(self: &Arc<Self>) -> (Option<CheckVerdict>, Option<OffsetDateTime>) {
        let mut known = self.known.subscribe();
        loop {
            {
                let known = known.borrow_and_update();
                let fresh = known.verdict.as_ref().filter(|verdict| verdict.is_fresh());
                if let Some(verdict) = fresh {
                    return (Some(verdict.clone()), None);
                }
                let wait = *self.northflank.waiting().borrow();
                let limits = [known.limited_until, wait.map(|wait| wait.until)];
                if let Some(until) = limits.into_iter().flatten().find(|until| is_to_come(*until)) {
                    return (known.verdict.clone(), Some(until));
                }
            }
            let begins = self
                .known
                .send_if_modified(|known| !std::mem::replace(&mut known.is_checking, true));
            if begins {
                tokio::spawn(Arc::clone(self).check());
            }
            // The sender is this server's own and outlives the wait.
            let _ = known.changed().await;
        }
    }

    /// Asks Northflank, and keeps what it finds.
    async fn check(self: Arc<Self>) {
        let access = self.known.borrow().access.clone();
        let asking = ask_northflank(&self.northflank, access);
        let checked = tokio::select! {
            checked = tokio::time::timeout(VALIDATE_WITHIN, asking) => {
                checked.unwrap_or_else(|_| {
                    let seconds = VALIDATE_WITHIN.as_secs();
                    CheckOutcome::Problem(format!("no answer within {seconds} seconds"))
                })
            }
            // It can last an hour. A token that has used up its requests is no bad one.
            until = self.limited() => CheckOutcome::Limited(until),
        };
        self.known.send_modify(|known| {
            known.is_checking = false;
            let verdict = |problem| CheckVerdict {
                problem,
                at: Instant::now(),
                time: OffsetDateTime::now_utc(),
            };
            match checked {
                CheckOutcome::Well(access) => {
                    known.access = access;
                    known.verdict = Some(verdict(None));
                }
                CheckOutcome::Problem(problem) => {
                    known.access = None;
                    known.verdict = Some(verdict(Some(problem)));
                }
                CheckOutcome::Limited(until) => known.limited_until = Some(until),
            }
        });
    }

    /// Waits until everybody waits for the rate limit; says until when.
    async fn limited(&self) -> OffsetDateTime {
        let mut waiting = self.northflank.waiting();
        loop {
            let wait = *waiting.borrow_and_update();
            if let Some(wait) = wait.filter(|wait| is_to_come(wait.until)) {
                return wait.until;
            }
            // The sender is the client's, which is this server's own.
            let _ = waiting.changed().await;
        }
    }

    async fn answer(self: &Arc<Self>, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/health" => health(self.verdict().await),
            "/ready" => {
                let readiness = self.readiness.lock().unwrap_or_else(PoisonError::into_inner);
                match &*readiness {
                    Readiness::Yes => response(StatusCode::OK, "ready", None),
                    Readiness::No => response(StatusCode::SERVICE_UNAVAILABLE, "not_ready", None),
                    Readiness::Refused(error) => {
                        let details = json!({"error": error});
                        response(StatusCode::SERVICE_UNAVAILABLE, "not_ready", Some(details))
                    }
                }
            }
            "/live" => response(StatusCode::OK, "alive", None),
            _ => response(StatusCode::NOT_FOUND, "not_found", None),
        }
    }
}

fn is_to_come(time: OffsetDateTime) -> bool {
    time > OffsetDateTime::now_utc()
}

/// Whether Northflank lets the connector read all that it needs, as it did with this access.
async fn ask_northflank(northflank: &Client, access: Option<TokenPermissions>) -> CheckOutcome {
    if let Some(access) = access
        && northflank.whoami().await.is_ok_and(|whoami| whoami.access == access)
    {
        return CheckOutcome::Well(Some(access));
    }
    let error = match validate(northflank).await {
        Ok(known) => {
            let access = known.whoami.map(|whoami| whoami.access);
            return CheckOutcome::Well(access.filter(TokenPermissions::is_known));
        }
        Err(error) => error,
    };
    if let ValidationError::Failed(errors) = &error {
        let mut waits = errors.iter().map(|error| match error.problem {
            Problem::RateLimited(too_long) => Some(too_long.wait),
            _ => None,
        });
        // With a bound on waits the rate limit is an error.
        if let Some(wait) = waits.try_fold(Duration::ZERO, |most, wait| Some(most.max(wait?))) {
            return CheckOutcome::Limited(OffsetDateTime::now_utc() + wait);
        }
    }
    CheckOutcome::Problem(with_causes(&error))
}

/// The answer to what is known and until when it can't be known better.
fn health(
    (verdict, limited_until): (Option<CheckVerdict>, Option<OffsetDateTime>),
) -> Response<Full<Bytes>> {
    let mut details = serde_json::Map::new();
    if let Some(until) = limited_until {
        let known = match &verdict {
            Some(CheckVerdict { time, .. }) => {
                format!("this is what was known at {}", rfc3339(*time))
            }
            None => "nothing has been known before".to_owned(),
        };
        let note = format!("Northflank's rate limit is awaited until {}; {known}", rfc3339(until));
        details.insert("note".to_owned(), note.into());
    }
    let problem = verdict.and_then(|verdict| verdict.problem);
    let (status, word) = match problem {
        None => (StatusCode::OK, "healthy"),
        Some(problem) => {
            details.insert("error".to_owned(), "can't read Northflank".into());
            details.insert("validation_error".to_owned(), problem.into());
            (StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
        }
    };
    response(status, word, (!details.is_empty()).then(|| details.into()))
}

/// A time in whole seconds.
fn rfc3339(time: OffsetDateTime) -> String {
    // Only years beyond 9999 have no such form.
    time.truncate_to_second().format(&Rfc3339).unwrap_or_default()
}

fn response(status: StatusCode, word: &str, details: Option<Value>) -> Response<Full<Bytes>> {
    let mut body = json!({"status": word, "timestamp": rfc3339(OffsetDateTime::now_utc())});
    if let Some(details) = details {
        body["details"] = details;
    }
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Listens for probes.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Health { address, source })
}

/// Answers probes until dropped.
pub(super) async fn serve(listener: TcpListener, health: Arc<Health>) -> Infallible {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Out of files, say, which passes.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        let health = Arc::clone(&health);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let health = Arc::clone(&health);
                async move { Ok::<_, Infallible>(health.answer(request.uri().path()).await) }
            });
            // A client that goes away is no error of the server's.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(ASK_WITHIN)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nobody answers.
    #[error("the health check server at {0} can't be reached; is it on (--health-check)?")]
    Unreachable(SocketAddr, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("the health check server at {0} did not answer in time")]
    Timeout(SocketAddr),
    /// The answer is no.
    #[error("/{endpoint} answers {status}: {body}")]
    Failed {
        /// What was asked for.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// The answer's body.
        body: String,
    },
}

impl ProbeError {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Timeout(_) => ExitCode::DEADLINE_EXCEEDED,
            Self::Unreachable(..) | Self::Failed { .. } => ExitCode::UNAVAILABLE,
        }
    }
}

/// Asks the health check server that listens on `address` for `endpoint`.
pub async fn probe(
    address: SocketAddr,
    endpoint: &str,
    timeout: Duration,
) -> Result<(), ProbeError> {
    // Who listens on every address listens on this one.
    let address = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    };
    let (status, body) = tokio::time::timeout(timeout, ask(address, endpoint))
        .await
        .map_err(|_| ProbeError::Timeout(address))?
        .map_err(|error| ProbeError::Unreachable(address, error))?;
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(ProbeError::Failed { endpoint: endpoint.to_owned(), status: status.as_u16(), body })
}

async fn ask(
    address: SocketAddr,
    endpoint: &str,
) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(format!("/{endpoint}"))
        .header(HOST, address.to_string())
        .body(Empty::<Bytes>::new())?;
    let asking = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    let mut asking = std::pin::pin!(asking);
    tokio::select! {
        answer = &mut asking => Ok(answer?),
        // The connection may end with the answer's last byte.
        _ = connection => Ok(asking.await?),
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckVerdict, Client, Duration, Health, Instant, OffsetDateTime, health};
    use crate::northflank::ClientSettings;
    use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Rule};
    use std::sync::Arc;

    fn health_of(origin: &str, token: &str) -> Arc<Health> {
        let settings = ClientSettings {
            base_url: origin.parse().unwrap(),
            token: token.into(),
            request_timeout: Duration::from_secs(1),
            first_retry: Duration::from_millis(1),
            verifier: None,
            max_wait: None,
            reserve: 0,
        };
        Arc::new(Health::new(Client::new(&settings).unwrap()))
    }

    #[tokio::test]
    async fn once_all_could_be_read_the_same_access_is_as_good() {
        let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
        let health = health_of(&fake.origin(), fake.token());
        let asked = async |requests: usize| {
            let before = fake.requests();
            let (verdict, _) = health.verdict().await;
            assert_eq!(fake.requests() - before, requests);
            health.known.send_modify(|known| {
                let long_ago = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
                known.verdict.as_mut().unwrap().at = long_ago;
            });
            verdict.unwrap().problem
        };
        assert_eq!(asked(4).await, None);
        assert_eq!(asked(1).await, None);
        assert_eq!(asked(1).await, None);
        // Another role: is it enough?
        let role = |body: &mut serde_json::Value| body["data"]["role"]["roleId"] = "other".into();
        fake.script(Rule::every(Endpoint::Auth, Action::alter_json(role)));
        assert_eq!(asked(5).await, None);
        assert_eq!(asked(1).await, None);
        // Nobody tells any more.
        fake.unscript();
        fake.script(Rule::every(Endpoint::Auth, Action::json(404, "{}")));
        assert_eq!(asked(5).await, None);
        assert_eq!(asked(4).await, None);
        // A permission less.
        fake.unscript();
        assert_eq!(asked(4).await, None);
        let less = |body: &mut serde_json::Value| {
            body["data"]["permissions"]["orgScope"] = serde_json::json!(["os_admin_roles_read"]);
        };
        fake.script(Rule::every(Endpoint::Auth, Action::alter_json(less)));
        let denied = r#"{"error":{"message":"Forbidden"}}"#;
        fake.script(Rule::every(Endpoint::Members, Action::json(403, denied)));
        assert!(asked(5).await.unwrap().contains("may not read members"));
        // What isn't well is not compared.
        fake.unscript();
        assert_eq!(asked(4).await, None);
    }

    #[tokio::test]
    async fn while_the_rate_limit_is_awaited_the_answer_is_what_was_known_and_says_so() {
        // Nobody answers there: what is asked fails.
        let known = health_of("http://127.0.0.1:1", "nf-token");
        let hour = Duration::from_hours(1);
        let time = OffsetDateTime::now_utc();
        for (problem, status) in [(None, 200), (Some("the token is refused".to_owned()), 503)] {
            known.known.send_modify(|known| {
                let at = Instant::now().checked_sub(hour).unwrap();
                known.verdict =
                    Some(CheckVerdict { problem: problem.clone(), at, time: time - hour });
                known.limited_until = Some(time + hour);
            });
            let (verdict, until) = known.verdict().await;
            assert_eq!(verdict.as_ref().unwrap().problem, problem);
            assert_eq!(until, Some(time + hour));
            assert_eq!(health((verdict, until)).status(), status);
        }
        // Afterwards it is asked again.
        known.known.send_modify(|known| known.limited_until = Some(time));
        let (verdict, until) = known.verdict().await;
        let problem = verdict.unwrap().problem.unwrap();
        assert!(until.is_none() && problem.contains("could not connect"), "{problem}");
    }
}
