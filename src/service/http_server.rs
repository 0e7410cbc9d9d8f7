//! A small HTTP server, for probes and for whoever collects metrics.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// Time for a client to say what it wants.
const ASK_WITHIN: Duration = Duration::from_secs(10);

/// What answers the path of a request.
pub(super) trait Answerer: Clone + Send + Sync + 'static {
    fn answer(&self, path: &str) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Answers requests until dropped.
pub(super) async fn serve(listener: TcpListener, answerer: impl Answerer) -> Infallible {
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
        let answerer = answerer.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answerer = answerer.clone();
                async move { Ok::<_, Infallible>(answerer.answer(request.uri().path()).await) }
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

/// An answer that nobody keeps.
pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: String,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
