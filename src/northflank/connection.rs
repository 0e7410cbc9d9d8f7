//! How Northflank is reached: what every request has in common.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memchr::memmem;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use rustls::client::danger::ServerCertVerifier;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use super::api_token::ApiToken;
use super::base_url::{BaseUrl, bearer};
use super::rate_limit::RateLimiter;
use super::schema_report::SchemaReport;
use crate::digest::sha256;
use crate::exit_code::ExitCode;

/// Time to open a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Silence on a connection after which the other side is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What a [`Client`](super::Client) needs to know.
#[derive(Debug)]
pub struct ClientSettings {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The API token, without surrounding blanks.
    pub token: ApiToken,
    /// Time for one try of a request, from the first byte sent to the last received. The first
    /// byte of the answer may take all of it.
    pub request_timeout: Duration,
    /// About the time before a failed request is tried again; it grows from try to try.
    pub first_retry: Duration,
    /// Time that all waits for the rate limit may take together; `None` for as long as it
    /// takes.
    pub max_wait: Option<Duration>,
    /// How much of each rate window is left untouched, in percent of it.
    pub reserve: u8,
    /// What verifies the server's certificate. Without it none is trusted, which plain http does
    /// without.
    pub verifier: Option<Arc<dyn ServerCertVerifier>>,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientSettingsError {
    /// A header can't carry it.
    #[error("the API token has characters that no token has; was it copied whole and alone?")]
    Token,
    /// The TLS library.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP library.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

impl ClientSettingsError {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Token => ExitCode::INVALID_ARGUMENT,
            Self::Tls(_) | Self::Http(_) => ExitCode::UNKNOWN,
        }
    }
}

/// TLS for an HTTP client whose servers `verifier` verifies; without it none is trusted.
pub fn tls(verifier: Option<&Arc<dyn ServerCertVerifier>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = match verifier {
        Some(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::clone(verifier)),
        None => config.with_root_certificates(RootCertStore::empty()),
    };
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The header that carries a token, if one can.
#[expect(clippy::disallowed_methods, reason = "put into a header")]
pub(super) fn authorization(token: &SecretString) -> Option<HeaderValue> {
    bearer(token.expose_secret())
}

/// What every request has in common. Clones share all of it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) http: reqwest::Client,
    pub(super) base_url: BaseUrl,
    pub(super) token: ApiToken,
    pub(super) rate_limiter: Arc<RateLimiter>,
    pub(super) first_retry: Duration,
    /// How many there were.
    pub(super) requests: Arc<AtomicU64>,
    /// Whether any list has been read.
    pub(super) has_read: Arc<AtomicBool>,
    /// Fields that can't be read and have been warned of.
    pub(super) malformed: Arc<Mutex<BTreeSet<&'static str>>>,
    /// What the newest try of a request met, unless it was answered.
    pub(super) last_problem: Arc<Mutex<Option<String>>>,
    /// What answers looked like, where somebody wants to know.
    pub(super) schema_report: Option<Arc<SchemaReport>>,
}

impl Connection {
    /// As `settings` say. Connects to nothing yet.
    pub(super) fn new(settings: &ClientSettings) -> Result<Self, ClientSettingsError> {
        let mut headers = HeaderMap::new();
        authorization(&settings.token.newest()).ok_or(ClientSettingsError::Token)?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // The API's documentation asks for it on every request, GET included.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("baton-northflank/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry the token to another host.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // A peer that is gone is noticed long before one that is slow runs out of time.
            .tcp_keepalive(KEEP_ALIVE)
            .tcp_keepalive_interval(KEEP_ALIVE / 4)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE / 2)
            .timeout(settings.request_timeout);
        if settings.base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        let tls = tls(settings.verifier.as_ref()).map_err(ClientSettingsError::Tls)?;
        let http = builder.tls_backend_preconfigured(tls).build();
        Ok(Self {
            http: http.map_err(ClientSettingsError::Http)?,
            base_url: settings.base_url.clone(),
            token: settings.token.clone(),
            rate_limiter: Arc::new(RateLimiter::new(settings.max_wait, settings.reserve)),
            first_retry: settings.first_retry,
            requests: Arc::default(),
            has_read: Arc::default(),
            malformed: Arc::default(),
            last_problem: Arc::default(),
            schema_report: None,
        })
    }

    /// SHA-256 of `salt` and the token: tells tokens apart without telling the token.
    #[expect(clippy::disallowed_methods, reason = "told apart by digest")]
    pub(super) fn token_digest(&self, salt: &[u8]) -> [u8; 32] {
        let token = self.token.newest();
        sha256([salt, token.expose_secret().as_bytes()])
    }

    /// Makes the token unreadable in an answer. A server or proxy that repeats it, in an error's
    /// message say, must not get it into logs or files.
    pub(super) fn mask(&self, body: &mut [u8]) {
        // Something so short is no token, and may stand in an answer for other reasons.
        const SHORTEST: usize = 16;
        for token in self.token.all() {
            #[expect(clippy::disallowed_methods, reason = "taken out of an answer")]
            let token = token.expose_secret();
            if token.len() < SHORTEST {
                continue;
            }
            let mut from = 0;
            while let Some(found) = memmem::find(&body[from..], token.as_bytes()) {
                let start = from + found;
                from = start + token.len();
                body[start..from].fill(b'*');
            }
        }
    }
}
