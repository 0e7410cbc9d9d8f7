//! The client: the read endpoints, and their lists as streams of pages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream::{Stream, try_unfold};
use tokio::sync::watch;

use super::base_url::BaseUrl;
use super::budget::{Wait, Window};
use super::connection::{Connection, Settings, SettingsError};
use super::error::Error;
use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember};
use super::page::Listed;
use super::position::{LARGEST_PAGE, Position, Word};
use super::reading::{Answer, Reading};
use super::request::Endpoint;
use super::shape::Shapes;
use super::whoami::Whoami;

const MEMBERS: &str = "/v1/org-members";
const ROLES: &str = "/v1/org-roles";
const GROUPS: &str = "/v1/directory-groups";

/// Reads from the Northflank API. Clones share connections, rate budget and counter.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Connection,
    /// What has been learnt of the server's word on whether pages follow.
    word: Arc<Word>,
}

impl Client {
    /// A client for `settings`. Connects to nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { connection: Connection::new(settings)?, word: Arc::default() })
    }

    /// A client with the same connections, budget and counter that has learnt nothing yet of
    /// how the server pages: each run finds out anew.
    #[must_use]
    pub fn unprejudiced(&self) -> Self {
        Self { word: Arc::default(), ..self.clone() }
    }

    /// The same client, which notes in `shapes` what answers look like.
    #[must_use]
    pub fn recording(&self, shapes: &Arc<Shapes>) -> Self {
        let mut recording = self.clone();
        recording.connection.shapes = Some(Arc::clone(shapes));
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
    pub fn window(&self) -> Option<Window> {
        self.connection.budget.window()
    }

    /// For what all requests wait, if they do, and changes of that.
    pub fn waiting(&self) -> watch::Receiver<Option<Wait>> {
        self.connection.budget.waiting()
    }

    /// Requests made so far, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.connection.requests.load(Ordering::Relaxed)
    }

    /// Whose token this is, if the server tells: asked once, and not for long. Any other answer
    /// than the documented says nothing, and nobody else has to wait for its sake.
    pub async fn whoami(&self) -> Option<Whoami> {
        self.connection.whoami().await
    }

    /// The organization's members ([`READ_MEMBERS`](super::READ_MEMBERS)), page by page. Like
    /// the other lists it begins at `from`, as an earlier page named it, or else at the first
    /// page.
    pub fn members(
        &self,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<Member>, Error>> + use<> {
        self.pages(self.connection.endpoint(MEMBERS, None), Some(LARGEST_PAGE), from)
    }

    /// The first page of that list.
    pub async fn first_members(&self) -> Result<Answer<Member>, Error> {
        self.first(MEMBERS, Some(LARGEST_PAGE)).await
    }

    /// The organization's roles ([`READ_ROLES`](super::READ_ROLES)).
    pub fn roles(
        &self,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<Role>, Error>> + use<> {
        self.pages(self.connection.endpoint(ROLES, None), Some(LARGEST_PAGE), from)
    }

    /// The first page of that list.
    pub async fn first_roles(&self) -> Result<Answer<Role>, Error> {
        self.first(ROLES, Some(LARGEST_PAGE)).await
    }

    /// The members of a role ([`READ_ROLES`](super::READ_ROLES)).
    pub fn role_members(
        &self,
        role: &str,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<RoleMember>, Error>> + use<> {
        let endpoint = self.connection.endpoint("/v1/org-roles/{}/members", Some(role));
        self.pages(endpoint, Some(LARGEST_PAGE), from)
    }

    /// The directory groups ([`READ_ROLES`](super::READ_ROLES)). The API doesn't page them and
    /// documents no query; should it begin to, they are read as what its answers say.
    pub fn directory_groups(
        &self,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<DirectoryGroup>, Error>> + use<> {
        self.pages(self.connection.endpoint(GROUPS, None), None, from)
    }

    /// The first page of that list.
    pub async fn first_directory_groups(&self) -> Result<Answer<DirectoryGroup>, Error> {
        self.first(GROUPS, None).await
    }

    /// The members of a directory group ([`READ_MEMBERS`](super::READ_MEMBERS)).
    pub fn directory_group_members(
        &self,
        group: &str,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<DirectoryGroupMember>, Error>> + use<> {
        let endpoint = self.connection.endpoint("/v1/directory-groups/{}/members", Some(group));
        self.pages(endpoint, Some(LARGEST_PAGE), from)
    }

    async fn first<T: Listed>(
        &self,
        name: &'static str,
        per_page: Option<usize>,
    ) -> Result<Answer<T>, Error> {
        let reading = Reading::new(self.connection.endpoint(name, None), per_page, None);
        let (first, _) = reading.next(&self.connection, &self.word).await?;
        Ok(first)
    }

    /// A list, page after page, in pages of `per_page` rows if it is paged. Ends with the last
    /// page or the first error.
    fn pages<T: Listed>(
        &self,
        endpoint: Endpoint,
        per_page: Option<usize>,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<Answer<T>, Error>> + use<T> {
        let client = self.clone();
        try_unfold(Some(Reading::new(endpoint, per_page, from)), move |reading| {
            let Self { connection, word } = client.clone();
            async move {
                match reading {
                    Some(reading) => reading.next(&connection, &word).await.map(Some),
                    None => Ok(None),
                }
            }
        })
    }
}
