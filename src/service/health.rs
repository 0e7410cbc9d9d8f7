//! The health check server, and the probe that asks it.
//!
//! | path | 200 while |
//! | --- | --- |
//! | `/live` | the process runs |
//! | `/ready` | ConductorOne knows the connector and it isn't stopping |
//! | `/health` | Northflank lets the connector read all that it needs |

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use tokio::sync::Mutex;

use super::error::Error;
use crate::causes::with_causes;
use crate::northflank::Client;
use crate::sync::validate;

/// How long a good answer of Northflank's is believed: three requests in this time, out of
/// the thousand an hour that syncs need.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// How long a bad one is.
const BAD_FOR: Duration = Duration::from_mins(1);

/// Time for Northflank to answer.
const VALIDATE_WITHIN: Duration = Duration::from_secs(30);

/// Time for a client to say what it wants.
const ASK_WITHIN: Duration = Duration::from_secs(10);

/// What the server knows.
pub(super) struct Health {
    northflank: Client,
    is_ready: AtomicBool,
    newest: Mutex<Option<Verdict>>,
}

/// What Northflank let the connector do, and when.
#[derive(Clone)]
struct Verdict {
    problem: Option<String>,
    at: Instant,
}

impl Verdict {
    fn is_fresh(&self) -> bool {
        let fresh_for = if self.problem.is_none() { GOOD_FOR } else { BAD_FOR };
        self.at.elapsed() < fresh_for
    }
}

impl Health {
    /// Not ready yet, and with nothing known of Northflank.
    pub(super) fn new(northflank: Client) -> Self {
        Self { northflank, is_ready: AtomicBool::new(false), newest: Mutex::default() }
    }

    /// Whether tasks are taken.
    pub(super) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    /// What is wrong with reading Northflank, if anything. Asks it rarely, and once for all
    /// who want to know.
    async fn problem(&self) -> Option<String> {
        let mut newest = self.newest.lock().await;
        if let Some(verdict) = newest.as_ref().filter(|verdict| verdict.is_fresh()) {
            return verdict.problem.clone();
        }
        let asked = tokio::time::timeout(VALIDATE_WITHIN, validate(&self.northflank)).await;
        let problem = match asked {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(with_causes(&error)),
            // A token that has used up its requests is a good one.
            Err(_) if self.northflank.waiting().borrow().is_some() => None,
            Err(_) => Some(format!("no answer within {} seconds", VALIDATE_WITHIN.as_secs())),
        };
        *newest = Some(Verdict { problem: problem.clone(), at: Instant::now() });
        problem
    }

    async fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/health" => match self.problem().await {
                None => response(StatusCode::OK, "healthy", None),
                Some(problem) => {
                    let details =
                        json!({"error": "can't read Northflank", "validation_error": problem});
                    response(StatusCode::SERVICE_UNAVAILABLE, "unhealthy", Some(details))
                }
            },
            "/ready" if self.is_ready.load(Ordering::Relaxed) => {
                response(StatusCode::OK, "ready", None)
            }
            "/ready" => response(StatusCode::SERVICE_UNAVAILABLE, "not_ready", None),
            "/live" => response(StatusCode::OK, "alive", None),
            _ => response(StatusCode::NOT_FOUND, "not_found", None),
        }
    }
}

fn response(status: StatusCode, word: &str, details: Option<Value>) -> Response<Full<Bytes>> {
    let now = OffsetDateTime::now_utc().truncate_to_second();
    let mut body = json!({"status": word, "timestamp": now.format(&Rfc3339).ok()});
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
