//! Why the daemon ended, or could not begin.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::exit_code::ExitCode;

/// Why the daemon ended, or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host makes no address.
    #[error("ConductorOne's host makes no address: {0}")]
    Address(String),
    /// TLS for its calls.
    #[error("TLS for ConductorOne could not be set up")]
    Tls(#[source] tonic::transport::Error),
    /// TLS for its tokens.
    #[error("TLS for ConductorOne's tokens could not be set up")]
    TlsOfTokens(#[source] rustls::Error),
    /// The HTTP library.
    #[error("the HTTP client for ConductorOne could not be set up")]
    Http(#[source] reqwest::Error),
    /// No scratch space.
    #[error("can't work in {}: {source}; name another directory by --c1z-temp-dir", path.display())]
    Scratch { path: PathBuf, source: std::io::Error },
    /// The health check server can't listen.
    #[error(
        "the health check server can't listen on {address}; choose another --health-check-port"
    )]
    Health { address: SocketAddr, source: std::io::Error },
    /// Nobody can collect metrics.
    #[error("metrics can't be served on {address}; choose another --metrics-address")]
    Metrics { address: SocketAddr, source: std::io::Error },
    /// ConductorOne refuses the connector. Asking again would not help.
    #[error("ConductorOne refuses the connector: {message}")]
    Refused {
        /// The code that it answered with.
        code: tonic::Code,
        /// What it said.
        message: String,
    },
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Address(_) | Self::Scratch { .. } | Self::Metrics { .. } => {
                ExitCode::INVALID_ARGUMENT
            }
            Self::Refused { code, .. } => ExitCode::of_grpc(*code as u8),
            Self::Health { .. } => ExitCode::UNAVAILABLE,
            Self::Tls(_) | Self::TlsOfTokens(_) | Self::Http(_) => ExitCode::UNKNOWN,
        }
    }
}
