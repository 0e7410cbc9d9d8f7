//! The client: requests to the read endpoints, and their lists as streams of pages.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{Stream, try_unfold};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use super::base_url::{BaseUrl, bearer};
use super::error::{Error, Refusal, TransportProblem};
use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember};
use super::page::{Listed, Page, Paging};
use super::window::{NewestWindow, Window};

/// The largest page that the API documents.
const LARGEST_PAGE: usize = 100;

/// The largest answer that is read, in MiB after decompression. Directory groups come
/// unpaged, some 250 bytes each: room for a quarter of a million of them.
const LARGEST_ANSWER_MIB: usize = 64;

/// Empty pages in a row, each promising more, after which a list counts as endless.
const MOST_EMPTY_PAGES: usize = 20;

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
    /// Time for one request, from the first byte sent to the last received.
    pub request_timeout: Duration,
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

/// Reads from the Northflank API. Clones share connections, rate window and counter.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: BaseUrl,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    window: NewestWindow,
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
            base_url: settings.base_url.clone(),
            shared: Arc::default(),
        })
    }

    /// The rate window as of the newest answer.
    pub fn window(&self) -> Option<Window> {
        self.shared.window.get()
    }

    /// Requests made so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The organization's members (permission: Organization > Admin > Members > Read).
    pub fn members(&self) -> impl Stream<Item = Result<Vec<Member>, Error>> + use<> {
        self.pages(&["org-members"])
    }

    /// The organization's roles (permission: Organization > Admin > Roles > Read).
    pub fn roles(&self) -> impl Stream<Item = Result<Vec<Role>, Error>> + use<> {
        self.pages(&["org-roles"])
    }

    /// The members of a role (permission: Organization > Admin > Roles > Read).
    pub fn role_members(
        &self,
        role: &str,
    ) -> impl Stream<Item = Result<Vec<RoleMember>, Error>> + use<> {
        self.pages(&["org-roles", role, "members"])
    }

    /// All directory groups, which the API doesn't page (permission: Organization > Admin >
    /// Roles > Read).
    pub async fn directory_groups(&self) -> Result<Vec<DirectoryGroup>, Error> {
        let endpoint = Endpoint::new(&self.base_url, &["directory-groups"]);
        Ok(self.page(&endpoint, Paging::Whole, None).await?.rows)
    }

    /// The members of a directory group (permission: Organization > Admin > Members >
    /// Read).
    pub fn directory_group_members(
        &self,
        group: &str,
    ) -> impl Stream<Item = Result<Vec<DirectoryGroupMember>, Error>> + use<> {
        self.pages(&["directory-groups", group, "members"])
    }

    /// The first member: whether members may be read at all.
    pub async fn first_member(&self) -> Result<Page<Member>, Error> {
        self.page(&Endpoint::new(&self.base_url, &["org-members"]), Paging::Rows(1), None).await
    }

    /// The first role: whether roles may be read at all.
    pub async fn first_role(&self) -> Result<Page<Role>, Error> {
        self.page(&Endpoint::new(&self.base_url, &["org-roles"]), Paging::Rows(1), None).await
    }

    /// A list, page after page. Ends with the last page or the first error.
    fn pages<T: Listed>(
        &self,
        path: &[&str],
    ) -> impl Stream<Item = Result<Vec<T>, Error>> + use<T> {
        let client = self.clone();
        let progress = Some(ListProgress {
            endpoint: Endpoint::new(&self.base_url, path),
            cursor: None,
            seen: HashSet::new(),
            empty_pages: 0,
        });
        try_unfold(progress, move |progress| {
            let client = client.clone();
            async move {
                let Some(progress) = progress else {
                    return Ok(None);
                };
                let cursor = progress.cursor.as_deref();
                let page =
                    client.page(&progress.endpoint, Paging::Rows(LARGEST_PAGE), cursor).await?;
                let progress = progress.after(&page)?;
                Ok(Some((page.rows, progress)))
            }
        })
    }

    async fn page<T: Listed>(
        &self,
        endpoint: &Endpoint,
        paging: Paging,
        cursor: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let mut url = endpoint.url.clone();
        if let Paging::Rows(rows) = paging {
            url.query_pairs_mut().append_pair("per_page", &rows.to_string());
        }
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let response = self.http.get(url).send().await.map_err(|error| endpoint.broken(error))?;
        self.shared.window.observe(response.headers());
        let status = response.status();
        tracing::trace!(endpoint = endpoint.path(), %status, "answer");
        let body = endpoint.body(response).await?;
        if status != StatusCode::OK {
            return Err(Error::Refused {
                endpoint: endpoint.path().to_owned(),
                answer: Refusal::read(status, &body),
            });
        }
        Page::read(&body, paging)
            .map_err(|source| Error::Page { endpoint: endpoint.path().to_owned(), source })
    }
}

/// What is asked for, without paging.
struct Endpoint {
    url: Url,
}

impl Endpoint {
    fn new(base_url: &BaseUrl, path: &[&str]) -> Self {
        Self { url: base_url.join(path) }
    }

    /// How errors name it.
    fn path(&self) -> &str {
        self.url.path()
    }

    /// The whole body, decompressed, within the limit.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > LARGEST_ANSWER_MIB << 20 {
                return Err(Error::TooLarge {
                    endpoint: self.path().to_owned(),
                    limit: LARGEST_ANSWER_MIB,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let problem = if error.is_timeout() {
            TransportProblem::Timeout
        } else if error.is_connect() {
            TransportProblem::Connect
        } else {
            TransportProblem::Broken
        };
        Error::Transport {
            endpoint: self.path().to_owned(),
            problem,
            // The URL is named already, without a query that could be long.
            source: error.without_url(),
        }
    }
}

/// Where a list's reading stands.
struct ListProgress {
    endpoint: Endpoint,
    cursor: Option<String>,
    /// Hashes of the cursors met, to notice a list that runs in circles.
    seen: HashSet<u64>,
    empty_pages: usize,
}

impl ListProgress {
    /// The state after `page`, or `None` after the last.
    fn after<T>(mut self, page: &Page<T>) -> Result<Option<Self>, Error> {
        let Some(cursor) = &page.next else {
            return Ok(None);
        };
        self.empty_pages = if page.rows.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MOST_EMPTY_PAGES {
            return Err(self.endless("page after page is empty, and each promises more"));
        }
        let mut hasher = DefaultHasher::new();
        cursor.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return Err(self.endless("a cursor came up twice"));
        }
        self.cursor = Some(cursor.clone());
        Ok(Some(self))
    }

    fn endless(&self, problem: &'static str) -> Error {
        Error::Endless { endpoint: self.endpoint.path().to_owned(), problem }
    }
}
