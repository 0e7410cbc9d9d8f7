//! Reading one list: page after page, from its beginning, and no further than it makes sense.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::error::{Error, Problem};
use super::list::{List, Rows};
use super::page::Page;
use super::page_token::{HasNextPageTrust, PageToken};
use super::request::Endpoint;

/// Times that a list is begun anew because a page behind a cursor is refused.
const MOST_NEW_BEGINNINGS: u32 = 3;

/// Pages in a row without a row that is new, each promising more, after which a list counts
/// as endless.
const MOST_PAGES_WITHOUT_NEWS: u32 = 20;

/// Pages in a row without an id that is new, after which a list counts as endless as well: whoever
/// has no id can't be told from others, however they are described.
const MOST_PAGES_WITHOUT_NEW_IDS: u32 = 1000;

/// No server lets a cursor expire that it gave out less than this time ago.
const FRESH: Duration = Duration::from_mins(1);

/// A list whose first page has been read.
#[derive(Debug)]
pub struct StartedList {
    /// That page.
    pub first: Page,
    /// What it was read from, where the list belongs to something.
    pub body: Vec<u8>,
    /// What follows it.
    pub rest: Paginator,
}

/// The reading of a list.
#[derive(Debug)]
pub struct Paginator {
    connection: Arc<Connection>,
    list: List,
    endpoint: Endpoint,
    /// Rows of a page; `None` where the API doesn't page.
    per_page: Option<usize>,
    trust: Arc<HasNextPageTrust>,
    next: NextRequest,
    new_beginnings: u32,
    loop_detector: LoopDetector,
}

/// What is to be read next.
#[derive(Debug)]
enum NextRequest {
    /// The first page.
    First,
    /// The page that the one before told of, at this time.
    Page(PageToken, Instant),
    /// Nothing.
    End,
}

impl Paginator {
    pub(super) fn new(
        connection: Arc<Connection>,
        list: List,
        endpoint: Endpoint,
        per_page: Option<usize>,
        trust: Arc<HasNextPageTrust>,
    ) -> Self {
        let loop_detector = LoopDetector::default();
        Self {
            connection,
            list,
            endpoint,
            per_page,
            trust,
            next: NextRequest::First,
            new_beginnings: 0,
            loop_detector,
        }
    }

    /// Reads the first page.
    pub async fn start(mut self) -> Result<StartedList, Error> {
        let (first, mut body) = self.read(None).await?;
        if self.list.parent.is_none() {
            body = Vec::new();
        }
        Ok(StartedList { first, body, rest: self })
    }

    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        Ok(self.next_with_body().await?.map(|(page, _)| page))
    }

    /// The next page, and the body that it was read from, as it came but for the token if that was
    /// in it; `None` after the last.
    ///
    /// A page behind the first one that is refused for what is asked for, or can't be had for
    /// long, begins the list anew, with its first page: its cursor has expired.
    pub async fn next_with_body(&mut self) -> Result<Option<(Page, Vec<u8>)>, Error> {
        let (at, received_at) = match mem::replace(&mut self.next, NextRequest::First) {
            NextRequest::First => return self.read(None).await.map(Some),
            NextRequest::Page(at, received_at) => (at, received_at),
            NextRequest::End => {
                self.next = NextRequest::End;
                return Ok(None);
            }
        };
        let error = match self.read(Some(&at)).await {
            Ok(page) => return Ok(Some(page)),
            Err(error) => error,
        };
        if self.is_at_its_end(&at, received_at, &error) {
            tracing::debug!(%error, "the list ends before a cursor that leads nowhere");
            self.next = NextRequest::End;
            return Ok(Some(self.end()));
        }
        self.may_begin_anew(error)?;
        self.read(None).await.map(Some)
    }

    /// Reads the page at `at`, or else the first.
    async fn read(&mut self, at: Option<&PageToken>) -> Result<(Page, Vec<u8>), Error> {
        let query = at.map(PageToken::query);
        let asked = self.connection.page(self.list.kind, &self.endpoint, self.per_page, query);
        let (page_body, body) = asked.await?;
        let next =
            PageToken::after(at, page_body.rows.len(), &page_body, self.per_page, &self.trust);
        let next = next.map_err(|error| self.endpoint.error(1, error.into()))?;
        let is_last = next.is_none();
        self.next = match next {
            None => NextRequest::End,
            Some(next) => {
                let check = self.loop_detector.check(&page_body.rows, &next);
                check.map_err(|problem| self.endpoint.error(1, Problem::Endless(problem)))?;
                NextRequest::Page(next, Instant::now())
            }
        };
        let (list, rows) = (self.list.clone(), page_body.rows);
        Ok((Page::new(list, rows, at.is_none(), is_last), body))
    }

    /// A last page without rows, and the body that says so.
    fn end(&self) -> (Page, Vec<u8>) {
        let key = self.list.kind.key();
        let body = format!(r#"{{"data":{{"{key}":[]}},"pagination":{{"hasNextPage":false}}}}"#);
        let (list, rows) = (self.list.clone(), self.list.kind.no_rows());
        (Page::new(list, rows, false, true), body.into_bytes())
    }

    /// Whether a page is refused because there is none, as the page before it said. Told of a
    /// moment ago, its cursor can't have expired. Where pages were wrong before, it means nothing,
    /// nor where it may be a gateway that refuses, unless it may say so of a cursor and the list
    /// begun anew meets it as well.
    fn is_at_its_end(&self, at: &PageToken, received_at: Instant, error: &Error) -> bool {
        let is_no = error.refusal().is_some_and(|answer| {
            let is_trusted =
                answer.is_northflanks || (self.new_beginnings > 0 && answer.may_be_of_a_cursor());
            is_trusted
                && answer.is_of_what_is_asked_for()
                && !answer.is_denied()
                && !answer.is_refused()
        });
        is_no && at.is_denied() && received_at.elapsed() < FRESH && !self.trust.is_broken()
    }

    /// Whether the list is to be read from its beginning, because `error` may mean that a cursor
    /// has expired. It is the outcome where that is not so.
    fn may_begin_anew(&mut self, error: Error) -> Result<(), Error> {
        let may_have_expired = error
            .refusal()
            .is_some_and(|it| it.is_of_what_is_asked_for() || it.status.is_server_error());
        if !may_have_expired || self.new_beginnings == MOST_NEW_BEGINNINGS {
            return Err(error);
        }
        tracing::warn!(%error, "a later page is refused; reading the list from its beginning");
        self.new_beginnings += 1;
        self.loop_detector = LoopDetector::default();
        Ok(())
    }
}

/// Hashes of what a list has said, to notice one that runs in circles.
#[derive(Debug, Default)]
struct LoopDetector {
    hasher: RandomState,
    tokens: HashSet<u64>,
    rows: HashSet<u64>,
    pages_without_news: u32,
    pages_without_new_ids: u32,
}

impl LoopDetector {
    /// Whether it makes sense to go on at `next` after these rows, or why not.
    fn check(&mut self, rows: &Rows, next: &PageToken) -> Result<(), &'static str> {
        let (mut is_news, mut has_new_id) = (false, false);
        for row in rows.iter() {
            let hash =
                row.id().map_or_else(|| row.hash(&self.hasher), |id| self.hasher.hash_one(id));
            let is_new = self.rows.insert(hash);
            is_news |= is_new;
            has_new_id |= is_new && row.id().is_some();
        }
        let count = |pages: u32, is_over: bool| if is_over { 0 } else { pages + 1 };
        self.pages_without_news = count(self.pages_without_news, is_news);
        self.pages_without_new_ids = count(self.pages_without_new_ids, has_new_id);
        if self.pages_without_news > MOST_PAGES_WITHOUT_NEWS
            || self.pages_without_new_ids > MOST_PAGES_WITHOUT_NEW_IDS
        {
            return Err("page after page brings nothing new, and each promises more");
        }
        if !self.tokens.insert(self.hasher.hash_one(next.query())) {
            return Err("a cursor came up twice");
        }
        Ok(())
    }
}
