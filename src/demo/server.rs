//! The API, on loopback.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::answer::answer;
use super::organization::{DemoDay, DemoOrganization};

/// The API token to ask with. It opens nothing: what is served is made up.
pub const TOKEN: &str = "made-up-token-of-the-demo";

/// The API, on a thread of its own. Dropping it ends it, with all its connections.
pub struct DemoServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Serves the organization as it is on `day`, on a free port of the loopback address.
    pub fn start(day: DemoDay) -> io::Result<Self> {
        let organization = Arc::new(DemoOrganization::on(day)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    never = serve(listener, organization) => match never {},
                    // Also when the sender is gone.
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The API's origin, `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It doesn't panic, and if it did that would have been told.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, organization: Arc<DemoOrganization>) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Whoever tried to connect tries again.
            tokio::task::yield_now().await;
            continue;
        };
        let organization = Arc::clone(&organization);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let response = response(&organization, request.uri().path());
                async move { Ok::<_, Infallible>(response) }
            });
            // A client that goes away is no error of the server's.
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn response(organization: &DemoOrganization, path: &str) -> Response<Full<Bytes>> {
    let (status, body) = match answer(organization, path) {
        Some(body) => (StatusCode::OK, body.to_string()),
        None => (StatusCode::NOT_FOUND, r#"{"error":{"message":"Not found"}}"#.to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
