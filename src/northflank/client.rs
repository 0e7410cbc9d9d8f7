//! The client: requests to the read endpoints, and their lists as streams of pages.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{Stream, try_unfold};
use memchr::memmem;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::watch;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::base_url::{BaseUrl, bearer};
use super::budget::{self, Budget, Window};
use super::error::{Error, Problem, Refusal, TransportProblem};
use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember};
use super::page::{Answer, Listed, Page, Paging, Position};
use super::retry::Retries;

/// The largest page that the API documents.
const LARGEST_PAGE: usize = 100;

/// The largest answer that is read, in MiB after decompression. Directory groups come
/// unpaged, some 250 bytes each: room for a quarter of a million of them.
const LARGEST_ANSWER_MIB: usize = 64;

/// Pages in a row without a row that is new, each promising more, after which a list counts
/// as endless.
const MOST_PAGES_WITHOUT_NEWS: usize = 20;

/// Time to open a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time without a byte of an answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a [`Client`] needs to know.
#[derive(Debug)]
pub struct Settings {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The API token, without surrounding blanks.
    pub token: SecretString,
    /// Time for one try of a request, from the first byte sent to the last received.
    pub request_timeout: Duration,
    /// About the time before a failed request is tried again; it grows from try to try.
    pub first_retry: Duration,
    /// Time that all waits for the rate limit may take together; `None` for as long as it
    /// takes.
    pub max_wait: Option<Duration>,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A header can't carry it.
    #[error("the API token has characters that no token has; was it copied whole and alone?")]
    Token,
    /// TLS or the HTTP library.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

/// Reads from the Northflank API. Clones share connections, rate budget and counter.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    base_url: BaseUrl,
    token: SecretString,
    budget: Budget,
    first_retry: Duration,
    requests: AtomicU64,
}

impl Client {
    /// A client for `settings`. Connects to nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let mut headers = HeaderMap::new();
        let token = bearer(settings.token.expose_secret()).ok_or(SettingsError::Token)?;
        headers.insert(AUTHORIZATION, token);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // The API's documentation asks for it on every request, GET included.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("baton-northflank/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry the token to another host.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(IDLE_TIMEOUT)
            .timeout(settings.request_timeout);
        if settings.base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        // Fails only if a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            http: builder.build().map_err(SettingsError::Http)?,
            shared: Arc::new(Shared {
                base_url: settings.base_url.clone(),
                token: settings.token.clone(),
                budget: Budget::new(settings.max_wait),
                first_retry: settings.first_retry,
                requests: AtomicU64::new(0),
            }),
        })
    }

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.shared.base_url
    }

    /// SHA-256 of `salt` and the token: tells tokens apart without telling the token.
    pub fn token_digest(&self, salt: &[u8]) -> [u8; 32] {
        let token = self.shared.token.expose_secret();
        Sha256::new().chain_update(salt).chain_update(token).finalize().into()
    }

    /// The rate window as of the newest answer.
    pub fn window(&self) -> Option<Window> {
        self.shared.budget.window()
    }

    /// Until when all requests wait for the rate limit, if they do, and changes of that.
    pub fn waiting(&self) -> watch::Receiver<Option<OffsetDateTime>> {
        self.shared.budget.waiting()
    }

    /// Requests made so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The organization's members (permission: Organization > Admin > Members > Read), page
    /// by page. Like the other lists it begins at `from`, as an earlier page named it, or else
    /// at the first page.
    pub fn members(
        &self,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<Member>, Error>> + use<> {
        self.pages(&["org-members"], from)
    }

    /// The organization's roles (permission: Organization > Admin > Roles > Read).
    pub fn roles(
        &self,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<Role>, Error>> + use<> {
        self.pages(&["org-roles"], from)
    }

    /// The members of a role (permission: Organization > Admin > Roles > Read).
    pub fn role_members(
        &self,
        role: &str,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<RoleMember>, Error>> + use<> {
        self.pages(&["org-roles", role, "members"], from)
    }

    /// All directory groups, which the API doesn't page (permission: Organization > Admin >
    /// Roles > Read).
    pub async fn directory_groups(&self) -> Result<Answer<DirectoryGroup>, Error> {
        self.page(&self.endpoint(&["directory-groups"]), Paging::Whole, None).await
    }

    /// The members of a directory group (permission: Organization > Admin > Members >
    /// Read).
    pub fn directory_group_members(
        &self,
        group: &str,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<DirectoryGroupMember>, Error>> + use<> {
        self.pages(&["directory-groups", group, "members"], from)
    }

    /// The first member: whether members may be read at all.
    pub async fn first_member(&self) -> Result<Answer<Member>, Error> {
        self.page(&self.endpoint(&["org-members"]), Paging::Rows(1), None).await
    }

    /// The first role: whether roles may be read at all.
    pub async fn first_role(&self) -> Result<Answer<Role>, Error> {
        self.page(&self.endpoint(&["org-roles"]), Paging::Rows(1), None).await
    }

    /// A list, page after page. Ends with the last page or the first error.
    fn pages<T: Listed>(
        &self,
        path: &[&str],
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<T>, Error>> + use<T> {
        let client = self.clone();
        let reading = Some(Reading::new(self.endpoint(path), from));
        try_unfold(reading, move |reading| {
            let client = client.clone();
            async move {
                let Some(mut reading) = reading else {
                    return Ok(None);
                };
                let answer = reading.page(&client).await?;
                let next = reading.after(&answer.page)?;
                Ok(Some((answer, next)))
            }
        })
    }

    fn endpoint(&self, path: &[&str]) -> Endpoint {
        Endpoint { url: self.shared.base_url.join(path) }
    }

    /// One page, with as many tries as it takes and its failures are worth.
    async fn page<T: Listed>(
        &self,
        endpoint: &Endpoint,
        paging: Paging,
        at: Option<&Position>,
    ) -> Result<Answer<T>, Error> {
        let mut url = endpoint.url.clone();
        if let Paging::Rows(rows) = paging {
            url.query_pairs_mut().append_pair("per_page", &rows.to_string());
        }
        match at {
            None => {}
            Some(Position::Cursor(cursor)) => {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
        }
        let mut retries = Retries::new(self.shared.first_retry);
        loop {
            let permit = self.shared.budget.permit().await.map_err(|too_long| {
                let budget::TooLong { wait, allowed } = too_long;
                endpoint.error(retries.tries(), Problem::RateLimited { wait, allowed })
            })?;
            let span =
                debug_span!("request", method = "GET", path = endpoint.path(), status = Empty);
            let Failed { problem, hint } =
                match self.attempt(url.clone(), paging).instrument(span).await {
                    Ok(answer) => return Ok(answer),
                    Err(failed) => failed,
                };
            drop(permit);
            let Some(delay) = retries.after(&problem, hint) else {
                return Err(endpoint.error(retries.tries(), problem));
            };
            tracing::warn!(
                endpoint = endpoint.path(),
                problem = %problem,
                tries = retries.tries(),
                seconds = delay.as_secs_f64(),
                "trying again"
            );
            if hint.is_some() || problem.is_rate_limit() {
                // What Northflank asks of one request holds for all.
                self.shared.budget.block(delay);
            } else {
                tokio::time::sleep(delay).await;
            }
        }
    }

    async fn attempt<T: Listed>(&self, url: Url, paging: Paging) -> Result<Answer<T>, Failed> {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let response = self.http.get(url).send().await.map_err(transport)?;
        self.shared.budget.observe(response.headers());
        let status = response.status();
        Span::current().record("status", status.as_u16());
        tracing::debug!(path = response.url().path(), %status, "answer");
        let hint = budget::hint(status, response.headers());
        let mut body = body(response).await?;
        mask(&mut body, self.shared.token.expose_secret());
        if status == StatusCode::OK {
            let page = Page::read(&body, paging).map_err(Problem::from)?;
            Ok(Answer { page, body })
        } else {
            Err(Failed { problem: Problem::Refused(Refusal::read(status, &body)), hint })
        }
    }
}

/// A try that failed.
struct Failed {
    problem: Problem,
    /// How long Northflank asks to wait.
    hint: Option<Duration>,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { problem, hint: None }
    }
}

/// The whole body, decompressed, within the limit.
async fn body(mut response: Response) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > LARGEST_ANSWER_MIB << 20 {
            return Err(Problem::TooLarge { limit: LARGEST_ANSWER_MIB });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Makes the token unreadable in an answer. A server or proxy that repeats it, in an error's
/// message say, must not get it into logs or files.
fn mask(body: &mut [u8], token: &str) {
    // Something so short is no token, and may stand in an answer for other reasons.
    const SHORTEST: usize = 16;
    if token.len() < SHORTEST {
        return;
    }
    let mut from = 0;
    while let Some(found) = memmem::find(&body[from..], token.as_bytes()) {
        let start = from + found;
        from = start + token.len();
        body[start..from].fill(b'*');
    }
}

fn transport(error: reqwest::Error) -> Problem {
    let kind = if error.is_timeout() {
        TransportProblem::Timeout
    } else if error.is_connect() {
        TransportProblem::Connect
    } else {
        TransportProblem::Broken
    };
    // The endpoint is named already, without a query that could be long.
    Problem::Transport { kind, source: error.without_url() }
}

/// What is asked for, without paging.
struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// How errors name it.
    fn path(&self) -> &str {
        self.url.path()
    }

    fn error(&self, tries: u32, problem: Problem) -> Error {
        Error { endpoint: self.path().to_owned(), tries, problem }
    }
}

/// Where the reading of a list stands.
struct Reading {
    endpoint: Endpoint,
    at: Option<Position>,
    /// Whether the list was begun again, because a cursor was not accepted any more.
    is_second: bool,
    /// Hashes of the positions and rows met, to notice a list that runs in circles.
    hasher: RandomState,
    positions: HashSet<u64>,
    rows: HashSet<u64>,
    pages_without_news: usize,
}

impl Reading {
    fn new(endpoint: Endpoint, from: Option<Position>) -> Self {
        Self {
            endpoint,
            at: from,
            is_second: false,
            hasher: RandomState::new(),
            positions: HashSet::new(),
            rows: HashSet::new(),
            pages_without_news: 0,
        }
    }

    /// The page that is next. A cursor that is refused has expired: the list is read from its
    /// beginning once more.
    async fn page<T: Listed>(&mut self, client: &Client) -> Result<Answer<T>, Error> {
        let paging = Paging::Rows(LARGEST_PAGE);
        let page = client.page(&self.endpoint, paging, self.at.as_ref()).await;
        match page {
            Err(error) if self.at.is_some() && !self.is_second && error.is_bad_request() => {
                tracing::warn!(%error, "the cursor is refused; reading the list from its beginning");
                self.is_second = true;
                self.at = None;
                self.positions.clear();
                self.rows.clear();
                client.page(&self.endpoint, paging, None).await
            }
            page => page,
        }
    }

    /// The state after `page`, or `None` after the last.
    fn after<T: Listed>(mut self, page: &Page<T>) -> Result<Option<Self>, Error> {
        let Some(next) = &page.next else {
            return Ok(None);
        };
        let mut is_news = false;
        for row in &page.rows {
            // Whoever has no id can't be told from others.
            is_news |= row.id().is_none_or(|id| self.rows.insert(self.hasher.hash_one(id)));
        }
        self.pages_without_news = if is_news { 0 } else { self.pages_without_news + 1 };
        if self.pages_without_news > MOST_PAGES_WITHOUT_NEWS {
            return Err(self.endless("page after page brings nothing new, and each promises more"));
        }
        if !self.positions.insert(self.hasher.hash_one(next)) {
            return Err(self.endless("a cursor came up twice"));
        }
        self.at = Some(next.clone());
        Ok(Some(self))
    }

    fn endless(&self, problem: &'static str) -> Error {
        self.endpoint.error(1, Problem::Endless(problem))
    }
}
