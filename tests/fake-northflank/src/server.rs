//! The server: HTTP on loopback.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue,
};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use loopback::{Listener, Server};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::answer::{Answer, Asked, answer};
use crate::delivery::{Delivery, HungUp};
use crate::journal;
use crate::options::Options;
use crate::organization::Organization;
use crate::route::Endpoint;
use crate::script::Rule;
use crate::state::State;
use crate::token::{Permissions, Token, hash};

/// A running fake. Dropping it stops it.
pub struct FakeNorthflank {
    shared: Arc<Shared>,
    address: SocketAddr,
    token: String,
    _server: Server,
}

struct Shared {
    options: Options,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeNorthflank {
    /// Serves `organization` on a free port of the loopback address.
    pub fn start(organization: Organization, options: Options) -> io::Result<Self> {
        Self::start_at(organization, options, 0)
    }

    /// Serves `organization` on a certain port of the loopback address.
    pub fn start_at(organization: Organization, options: Options, port: u16) -> io::Result<Self> {
        let listener = Listener::bind(port)?;
        let address = listener.address();
        let shared = Arc::new(Shared { options, state: Mutex::new(State::new(organization)) });
        // Before anybody can ask.
        let token = shared.state().add_token(Token::new(Permissions::ALL));
        let serving = Arc::clone(&shared);
        let server = listener.serve(move |stream| converse(stream, Arc::clone(&serving)))?;
        Ok(Self { shared, address, token, _server: server })
    }

    /// The API's origin, `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token that may read everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Makes another token known; returns its secret.
    pub fn add_token(&self, token: Token) -> String {
        self.shared.state().add_token(token)
    }

    /// Revokes a token.
    pub fn revoke(&self, secret: &str) {
        if let Some(token) = self.shared.state().tokens.get_mut(secret) {
            token.is_revoked = true;
        }
    }

    /// Scripts an answer.
    pub fn script(&self, rule: Rule) {
        self.shared.state().rules.push(rule);
    }

    /// Takes back all that was scripted.
    pub fn unscript(&self) {
        self.shared.state().rules.clear();
    }

    /// Changes the organization while it is served.
    pub fn mutate(&self, mut change: impl FnMut(&mut Organization)) {
        self.shared.state().mutate(&mut change);
    }

    /// Moves the fake's clock on: rate windows end, tokens expire.
    pub fn advance(&self, time: Duration) {
        self.shared.state().advance(time);
    }

    /// The organization as it is now.
    pub fn organization(&self) -> Organization {
        self.shared.state().organization.clone()
    }

    /// All requests so far.
    pub fn journal(&self) -> Vec<journal::Request> {
        self.shared.state().journal.clone()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.shared.state().journal.len()
    }

    /// How often each endpoint was asked.
    pub fn requests_per_endpoint(&self) -> BTreeMap<Endpoint, usize> {
        self.shared.state().per_endpoint()
    }

    /// The most requests that were under way at once.
    pub fn max_in_flight(&self) -> usize {
        self.shared.state().most_in_flight
    }

    /// What clients did that no client of this API should do.
    pub fn violations(&self) -> Vec<String> {
        self.shared.state().violations.clone()
    }

    /// Asserts that clients behaved.
    ///
    /// # Panics
    ///
    /// If they didn't.
    pub fn assert_no_violations(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

/// Serves one connection.
async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let title_case = shared.options.title_case_headers;
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        Box::pin(async move { respond(&shared, request).await })
    });
    let mut connection = hyper::server::conn::http1::Builder::new()
        .title_case_headers(title_case)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away is no error of the server's, which may mean to hang up itself.
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let cause = outcome.as_ref().err().and_then(|error| error.source()?.downcast_ref());
    if let Some(HungUp { reset: true }) = cause {
        let stream = connection.into_parts().io.into_inner();
        // Dropped at once, the connection is reset. Were it not, the client would see it
        // closed, which is as good a fault.
        let _ = stream.set_zero_linger();
    }
}

type Body = UnsyncBoxBody<Bytes, HungUp>;

async fn respond(shared: &Shared, request: Request<Incoming>) -> Result<Response<Body>, HungUp> {
    let arrived = Instant::now();
    begin(shared);
    let answer = answered(shared, &request);
    if let Delivery::Late(by) = answer.delivery {
        tokio::time::sleep(by).await;
    }
    let outcome = match answer.delivery {
        Delivery::Closed => Some(Err(HungUp { reset: false })),
        Delivery::Reset => Some(Err(HungUp { reset: true })),
        Delivery::Silence => None,
        _ => Some(Ok(response(&shared.options, answer))),
    };
    if !shared.options.latency.is_zero() {
        // Making the answer is a part of the time that it takes.
        tokio::time::sleep_until(arrived + shared.options.latency).await;
    }
    shared.state().in_flight -= 1;
    match outcome {
        Some(outcome) => outcome,
        None => std::future::pending().await,
    }
}

fn begin(shared: &Shared) {
    let mut state = shared.state();
    state.in_flight += 1;
    state.most_in_flight = state.most_in_flight.max(state.in_flight);
    let in_flight = state.in_flight;
    if shared.options.most_in_flight.is_some_and(|most| in_flight > most) {
        state.violations.push(format!("{in_flight} requests at once"));
    }
}

fn answered(shared: &Shared, request: &Request<Incoming>) -> Answer {
    let mut state = shared.state();
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let authorization: Vec<String> =
        request.headers().get_all(AUTHORIZATION).iter().map(text).collect();
    let asked = Asked {
        method: request.method().as_str(),
        path,
        query,
        authorization: authorization.iter().map(String::as_str).collect(),
        accepts_gzip: accepts_gzip(request.headers()),
    };
    judge(&mut state, request, &asked);
    let at = state.now();
    let answer = answer(&mut state, &shared.options, &asked);
    let headers = request.headers().iter().filter(|(name, _)| *name != AUTHORIZATION);
    let secret = authorization.first().and_then(|value| value.strip_prefix("Bearer "));
    state.journal.push(journal::Request {
        at,
        method: asked.method.to_owned(),
        target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        token: secret.map(hash),
        status: answer.status,
    });
    answer
}

/// Notes what no client of this API should do.
fn judge(state: &mut State, request: &Request<Incoming>, asked: &Asked<'_>) {
    let mut violations = Vec::new();
    let target = request.uri().to_string();
    match asked.authorization.len() {
        1 => {}
        count => violations.push(format!("{count} authorization headers")),
    }
    let exposed = request.headers().iter().filter(|(name, _)| *name != AUTHORIZATION);
    let exposed: Vec<&[u8]> =
        exposed.map(|(_, value)| value.as_bytes()).chain([target.as_bytes()]).collect();
    for secret in state.tokens.keys().map(String::as_bytes) {
        let holds = |text: &&[u8]| text.windows(secret.len()).any(|part| part == secret);
        if exposed.iter().any(holds) {
            violations.push("the token outside of the authorization header".to_owned());
        }
    }
    if asked.method != "GET" {
        violations.push(format!("method {}", asked.method));
    }
    if !hyper::body::Body::is_end_stream(request.body()) {
        violations.push("a body".to_owned());
    }
    let mut names = Vec::new();
    for (name, value) in form_urlencoded::parse(asked.query.as_bytes()) {
        if name == "per_page" && value.parse().is_ok_and(|number: usize| number > 100) {
            violations.push(format!("per_page={value}"));
        }
        if name == "cursor" && !state.cursors.knows(&value) {
            violations.push(format!("a cursor that was never issued: {value:?}"));
        }
        names.push(name);
    }
    if names.iter().any(|name| name == "page") && names.iter().any(|name| name == "cursor") {
        violations.push("page and cursor together".to_owned());
    }
    // What the URL Standard leaves as it is in a path.
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?\\`{}".contains(&byte);
    if !asked.path.bytes().all(allowed) {
        violations.push(format!("an id that is not percent-encoded: {}", asked.path));
    }
    if state.not_before.is_some_and(|until| state.now() < until) {
        violations.push("a request sooner than the last 429 allows".to_owned());
    }
    let violations = violations.into_iter().map(|what| format!("{what} ({target})"));
    state.violations.extend(violations);
}

fn accepts_gzip(asked: &HeaderMap) -> bool {
    let mut values = asked.get_all(ACCEPT_ENCODING).iter();
    values.any(|value| value.to_str().is_ok_and(|value| value.contains("gzip")))
}

fn response(options: &Options, answer: Answer) -> Response<Body> {
    let body = Bytes::from(answer.body);
    let length = answer.delivery.content_length(body.len());
    let mut response = Response::new(match answer.delivery {
        Delivery::Whole | Delivery::Late(_) if options.chunked => {
            let parts = body.chunks(4096).map(|part| Ok(Frame::data(Bytes::copy_from_slice(part))));
            StreamBody::new(Frames(parts.collect::<Vec<_>>().into_iter())).boxed_unsync()
        }
        Delivery::Whole | Delivery::Late(_) => {
            Full::new(body).map_err(|never| match never {}).boxed_unsync()
        }
        in_parts => StreamBody::new(in_parts.send(body)).boxed_unsync(),
    });
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(length) = length.filter(|_| !options.chunked) {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            if name == CONTENT_TYPE {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
    }
    response
}

/// Chunks that are all there.
struct Frames<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Frames<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
