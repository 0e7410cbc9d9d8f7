//! Connections: TLS, HTTP/2 and HTTP/1.1, and who answers which request.

use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tower_service::Service as _;

use crate::api::baton_service_server::BatonServiceServer;
use crate::platform::Options;
use crate::script::{Fault, Method, Outage};
use crate::service::Service;
use crate::state::State;
use crate::token::Registration;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) registration: Registration,
    /// The host and port under which it is reached.
    pub(crate) authority: String,
    pub(crate) state: Mutex<State>,
    /// Notified whenever something happened that a test could wait for.
    pub(crate) changed: Condvar,
    breaking: broadcast::Sender<()>,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        registration: Registration,
        authority: String,
        state: State,
    ) -> Self {
        let breaking = broadcast::channel(1).0;
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { options, registration, authority, state, changed, breaking }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks all connections.
    pub(crate) fn break_connections(&self) {
        // Without connections nobody listens.
        let _ = self.breaking.send(());
    }
}

/// Serves one connection.
pub(crate) async fn converse(stream: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let mut breaking = shared.breaking.subscribe();
    let outage = {
        let mut state = shared.state();
        if state.outage == Some(Outage::Refusal) {
            return;
        }
        state.connections += 1;
        state.open_connections += 1;
        state.outage
    };
    let serving = async {
        if outage == Some(Outage::Silence) {
            std::future::pending::<()>().await;
        }
        let Ok(stream) = tls.accept(stream).await else {
            return;
        };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(Arc::clone(&shared), request));
        let builder = auto::Builder::new(TokioExecutor::new());
        // A client that goes away is no error of the server's.
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    };
    tokio::select! {
        () = serving => {}
        _ = breaking.recv() => {}
    }
    shared.state().open_connections -= 1;
    shared.changed.notify_all();
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let method = Method::at(request.uri().path());
    let outage = shared.state().outage_at(method);
    match outage {
        None => {}
        Some(Outage::Gateway(status)) => {
            let mut page = answer(status, "<html>".to_owned());
            page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            return Ok(page);
        }
        Some(Outage::Refusal) => {
            shared.break_connections();
            return std::future::pending().await;
        }
        Some(Outage::Silence) => return std::future::pending().await,
    }
    let authority = request.uri().authority().map(ToString::to_string).or_else(|| {
        let host = request.headers().get("host")?;
        Some(host.to_str().ok()?.to_owned())
    });
    if authority.as_deref() != Some(&shared.authority) {
        shared.state().violation(format!("authority {authority:?}"));
    }
    if method == Some(Method::Token) {
        return Ok(token(&shared, request).await);
    }
    BatonServiceServer::new(Service(shared)).call(request).await
}

async fn token(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let fault = shared.state().begin(Method::Token, None);
    match &fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Refuse(code)) => {
            let status = if *code == tonic::Code::Unauthenticated { 401 } else { 503 };
            return answer(status, String::new());
        }
        _ => {}
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    if ["authorization", "dpop"].iter().any(|name| head.headers.contains_key(*name)) {
        shared.state().violation("a token request with an authorization");
    }
    let (status, body) = shared.registration.answer(
        &mut shared.state(),
        head.method.as_str(),
        content_type,
        &body,
        shared.options.token_life,
    );
    // Judged as of its arrival.
    if let Some(Fault::Delay(time)) = fault {
        tokio::time::sleep(time).await;
    }
    answer(status, body)
}

fn answer(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
