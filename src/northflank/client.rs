//! The client: the read endpoints, and their lists page by page.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::base_url::BaseUrl;
use super::connection::{ClientSettings, ClientSettingsError, Connection};
use super::error::Refusal;
use super::list::{List, ListKind};
use super::page_token::{HasNextPageTrust, LARGEST_PAGE};
use super::paginator::Paginator;
use super::rate_limit::{RateLimitWait, RateWindow};
use super::schema_report::SchemaReport;
use super::whoami::Whoami;

/// Reads from the Northflank API. Clones share connections, rate budget and counter.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Arc<Connection>,
    /// What has been learnt of each endpoint's word on whether pages follow.
    trusts: Arc<Mutex<HashMap<ListKind, Arc<HasNextPageTrust>>>>,
}

impl Client {
    /// A client for `settings`. Connects to nothing yet.
    pub fn new(settings: &ClientSettings) -> Result<Self, ClientSettingsError> {
        Ok(Self { connection: Arc::new(Connection::new(settings)?), trusts: Arc::default() })
    }

    /// A client with the same connections, budget and counter for another run, which finds out
    /// anew how the server pages, and warns anew of what can't be read.
    #[must_use]
    pub fn with_fresh_paging(&self) -> Self {
        let mut another = Self { trusts: Arc::default(), ..self.clone() };
        Arc::make_mut(&mut another.connection).malformed = Arc::default();
        another
    }

    /// The same client, which notes in `shapes` what answers look like.
    #[must_use]
    pub fn recording(&self, schema_report: &Arc<SchemaReport>) -> Self {
        let mut recording = self.clone();
        Arc::make_mut(&mut recording.connection).schema_report = Some(Arc::clone(schema_report));
        recording
    }

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.connection.base_url
    }

    /// SHA-256 of `salt` and the token: tells tokens apart without telling the token.
    pub fn token_digest(&self, salt: &[u8]) -> [u8; 32] {
        self.connection.token_digest(salt)
    }

    /// The rate window as of the newest answer.
    pub fn window(&self) -> Option<RateWindow> {
        self.connection.rate_limiter.window()
    }

    /// For what all requests wait, if they do, and changes of that.
    pub fn waiting(&self) -> watch::Receiver<Option<RateLimitWait>> {
        self.connection.rate_limiter.waiting()
    }

    /// Requests made so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.connection.requests.load(Ordering::Relaxed)
    }

    /// What the newest try of a request met, unless it was answered: why a list isn't there yet.
    pub fn last_problem(&self) -> Option<String> {
        self.connection.last_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whose token this is, if the server tells: asked once, and not for long. Any other answer
    /// than the documented says nothing but that it was a refusal, if it was one, and nobody else
    /// has to wait for its sake.
    pub async fn whoami(&self) -> Result<Whoami, Option<Refusal>> {
        self.connection.whoami().await
    }

    /// The pages of a list.
    pub fn list(&self, list: List) -> Paginator {
        let declaration = list.kind.declaration();
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        let trust = Arc::clone(trusts.entry(list.kind).or_default());
        let endpoint = self.connection.endpoint(declaration.path, list.parent.as_deref());
        let per_page = declaration.is_paged.then_some(LARGEST_PAGE);
        Paginator::new(Arc::clone(&self.connection), list, endpoint, per_page, trust)
    }
}
