//! The probe that asks the health check server of a service on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::exit_code::ExitCode;

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
