//! Access tokens: fetched for an assertion, kept until shortly before they expire.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::sync::Mutex;
use tonic::metadata::{Ascii, MetadataValue};

use super::assertion::{NoRandomness, assertion};
use super::credentials::{ApiHost, ClientId, ClientSecret};

/// A token is replaced this long before it expires.
const EARLY: Duration = Duration::from_secs(10);

/// Time to open a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The client id or secret is not accepted.
    #[error(
        "ConductorOne refuses the client id and secret ({0}): they are wrong or revoked, or \
         this machine's clock is off by minutes"
    )]
    Refused(StatusCode),
    /// ConductorOne can't answer now.
    #[error("ConductorOne's token endpoint fails ({0})")]
    Failing(StatusCode),
    /// No connection, or no answer in time.
    #[error("ConductorOne's token endpoint can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The answer holds no token.
    #[error("ConductorOne's token endpoint answers without a usable token")]
    Malformed,
    /// The process ends.
    #[error("fetching an access token was interrupted")]
    Interrupted,
    /// No assertion could be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// A token, as it goes into a header.
#[derive(Debug, Clone)]
pub(super) struct AccessToken {
    /// `Bearer …`. Marked sensitive, so that no debug output shows it.
    pub(super) authorization: MetadataValue<Ascii>,
    replace_at: Instant,
}

/// Fetches tokens, one request for all who wait for it.
pub(super) struct TokenSource {
    http: reqwest::Client,
    url: String,
    id: ClientId,
    secret: ClientSecret,
    newest: Mutex<Option<AccessToken>>,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: u64,
}

impl TokenSource {
    /// A source for `id` that asks `host` over `tls`. `timeout` limits one request.
    pub(super) fn new(
        id: ClientId,
        secret: ClientSecret,
        host: &ApiHost,
        tls: ClientConfig,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!(
                "baton-c1-credential-provider baton-northflank/",
                env!("CARGO_PKG_VERSION")
            ))
            // A redirect could carry the assertion to another host.
            .redirect(Policy::none())
            .https_only(true)
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            // Asked once in a token's life: not worth an open connection.
            .pool_max_idle_per_host(0)
            .build()?;
        let url = format!("https://{}/auth/v1/token", host.as_str());
        Ok(Self { http, url, id, secret, newest: Mutex::default() })
    }

    /// The newest token, fetched if there is none that lasts.
    ///
    /// Fetching goes on when the one who wants it gives up, as a heartbeat soon does: otherwise
    /// nobody would ever wait long enough for a slow answer.
    pub(super) async fn token(self: &Arc<Self>) -> Result<AccessToken, TokenError> {
        let source = Arc::clone(self);
        let fetching = tokio::spawn(async move { source.newest_or_fetched().await });
        fetching.await.map_err(|_| TokenError::Interrupted)?
    }

    async fn newest_or_fetched(&self) -> Result<AccessToken, TokenError> {
        // Held while fetching: who comes meanwhile gets the same token.
        let mut newest = self.newest.lock().await;
        if let Some(token) = newest.as_ref().filter(|token| Instant::now() < token.replace_at) {
            return Ok(token.clone());
        }
        let token = self.fetch().await?;
        *newest = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that was refused, unless there is a newer one already.
    pub(super) async fn discard(&self, refused: &AccessToken) {
        let mut newest = self.newest.lock().await;
        if newest.as_ref().is_some_and(|token| token.authorization == refused.authorization) {
            *newest = None;
        }
    }

    async fn fetch(&self) -> Result<AccessToken, TokenError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let assertion = assertion(&self.id, &self.secret, i64::try_from(now).unwrap_or(i64::MAX))?;
        let asked_at = Instant::now();
        let request = self.http.post(&self.url).form(&[
            ("client_id", self.id.as_str()),
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ]);
        let response =
            request.send().await.map_err(|error| TokenError::Unreachable(error.without_url()))?;
        match response.status() {
            StatusCode::OK => {}
            // As OAuth has it (RFC 6749, section 5.2). No other answer judges the credentials, nor
            // does a page: a gateway may refuse or not find what it is to pass on.
            status @ (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED)
                if !is_page(&response) =>
            {
                return Err(TokenError::Refused(status));
            }
            status => return Err(TokenError::Failing(status)),
        }
        let body = response.bytes().await;
        let body = body.map_err(|error| TokenError::Unreachable(error.without_url()))?;
        let answer: TokenResponse =
            serde_json::from_slice(&body).map_err(|_| TokenError::Malformed)?;
        tracing::debug!(expires_in = answer.expires_in, "got an access token");
        answer.token(asked_at).ok_or(TokenError::Malformed)
    }
}

/// Whether an answer is a page for people.
fn is_page(response: &Response) -> bool {
    let content = response.headers().get(CONTENT_TYPE);
    content.is_some_and(|content| content.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

impl TokenResponse {
    /// The token, with its life counted from `asked_at`.
    fn token(&self, asked_at: Instant) -> Option<AccessToken> {
        if self.access_token.is_empty() {
            return None;
        }
        let scheme = match self.token_type.to_ascii_lowercase().as_str() {
            "" | "bearer" => "Bearer",
            "mac" => "MAC",
            "basic" => "Basic",
            _ => &self.token_type,
        };
        let mut authorization =
            MetadataValue::try_from(format!("{scheme} {}", self.access_token)).ok()?;
        authorization.set_sensitive(true);
        // An unreasonable number of seconds is no reason to panic.
        let life = Duration::from_secs(self.expires_in.min(u64::from(u32::MAX)));
        Some(AccessToken { authorization, replace_at: asked_at + life.saturating_sub(EARLY) })
    }
}

#[cfg(test)]
mod tests {
    use super::TokenResponse;
    use std::time::{Duration, Instant};

    fn answer(json: &str) -> TokenResponse {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_token_is_replaced_before_it_expires() {
        let now = Instant::now();
        let token = answer(r#"{"access_token":"a","token_type":"bearer","expires_in":3600}"#);
        let token = token.token(now).unwrap();
        assert_eq!(token.authorization, "Bearer a");
        assert_eq!(token.replace_at, now + Duration::from_secs(3590));
        assert!(!format!("{token:?}").contains("Bearer"));
    }

    #[test]
    fn a_token_without_a_life_is_used_once() {
        let now = Instant::now();
        assert_eq!(answer(r#"{"access_token":"a"}"#).token(now).unwrap().replace_at, now);
        assert!(answer(r#"{"access_token":""}"#).token(now).is_none());
        assert!(answer(r#"{"access_token":"a\nb"}"#).token(now).is_none());
    }
}
