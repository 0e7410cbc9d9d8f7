//! The client: the read endpoints, and their lists page by page.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::base_url::BaseUrl;
use super::connection::{ClientSettings, ClientSettingsError, Connection};
use super::error::Refusal;
use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember};
use super::page::ListRow;
use super::page_token::{HasNextPageTrust, LARGEST_PAGE};
use super::paginator::Paginator;
use super::rate_limit::{RateLimitWait, RateWindow};
use super::schema_report::SchemaReport;
use super::whoami::Whoami;

const MEMBERS: &str = "/v1/org-members";
const ROLES: &str = "/v1/org-roles";
const ROLE_MEMBERS: &str = "/v1/org-roles/{}/members";
const GROUPS: &str = "/v1/directory-groups";
const GROUP_MEMBERS: &str = "/v1/directory-groups/{}/members";

/// Reads from the Northflank API. Clones share connections, rate budget and counter.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Arc<Connection>,
    /// What has been learnt of each endpoint's word on whether pages follow.
    trusts: Arc<Mutex<HashMap<&'static str, Arc<HasNextPageTrust>>>>,
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
    pub fn recording(&self, shapes: &Arc<SchemaReport>) -> Self {
        let mut recording = self.clone();
        Arc::make_mut(&mut recording.connection).shapes = Some(Arc::clone(shapes));
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
        self.connection.budget.window()
    }

    /// For what all requests wait, if they do, and changes of that.
    pub fn waiting(&self) -> watch::Receiver<Option<RateLimitWait>> {
        self.connection.budget.waiting()
    }

    /// Requests made so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.connection.requests.load(Ordering::Relaxed)
    }

    /// Whose token this is, if the server tells: asked once, and not for long. Any other answer
    /// than the documented says nothing but that it was a refusal, if it was one, and nobody else
    /// has to wait for its sake.
    pub async fn whoami(&self) -> Result<Whoami, Option<Refusal>> {
        self.connection.whoami().await
    }

    /// The organization's members ([`READ_MEMBERS`](super::READ_MEMBERS)).
    pub fn members(&self) -> Paginator<Member> {
        self.list(MEMBERS, None, Some(LARGEST_PAGE))
    }

    /// The organization's roles ([`READ_ROLES`](super::READ_ROLES)).
    pub fn roles(&self) -> Paginator<Role> {
        self.list(ROLES, None, Some(LARGEST_PAGE))
    }

    /// The members of a role ([`READ_ROLES`](super::READ_ROLES)).
    pub fn role_members(&self, role: &str) -> Paginator<RoleMember> {
        self.list(ROLE_MEMBERS, Some(role), Some(LARGEST_PAGE))
    }

    /// The directory groups ([`READ_ROLES`](super::READ_ROLES)). The API doesn't page them and
    /// documents no query; should it begin to, they are read as what its answers say.
    pub fn directory_groups(&self) -> Paginator<DirectoryGroup> {
        self.list(GROUPS, None, None)
    }

    /// The members of a directory group ([`READ_MEMBERS`](super::READ_MEMBERS)).
    pub fn directory_group_members(&self, group: &str) -> Paginator<DirectoryGroupMember> {
        self.list(GROUP_MEMBERS, Some(group), Some(LARGEST_PAGE))
    }

    /// A list, in pages of `per_page` rows if it is paged.
    fn list<T: ListRow>(
        &self,
        name: &'static str,
        id: Option<&str>,
        per_page: Option<usize>,
    ) -> Paginator<T> {
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        let trust = Arc::clone(trusts.entry(name).or_default());
        let endpoint = self.connection.endpoint(name, id);
        Paginator::new(Arc::clone(&self.connection), endpoint, per_page, trust)
    }
}
