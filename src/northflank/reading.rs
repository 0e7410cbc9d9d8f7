//! Reading one list: page after page, and no further than it makes sense.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::connection::Connection;
use super::error::{Error, Problem};
use super::page::{Listed, Told};
use super::position::{Place, Position, Word};
use super::request::Endpoint;

/// Pages in a row without a row that is new, each promising more, after which a list counts
/// as endless.
const MOST_PAGES_WITHOUT_NEWS: usize = 20;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, in the API's order.
    pub rows: Vec<T>,
    /// Where the next page is; `None` on the last.
    pub next: Option<Position>,
}

/// A page, and the answer that it was read from.
#[derive(Debug)]
pub struct Answer<T> {
    /// What it says.
    pub page: Page<T>,
    /// The body as it came, but for the token if that was in it.
    pub body: Vec<u8>,
}

/// Where the reading of a list stands.
pub(super) struct Reading {
    endpoint: Endpoint,
    /// Rows of a page; `None` where the API doesn't page.
    per_page: Option<usize>,
    at: Option<Position>,
    /// Whether the page before told of that just now, and not an earlier run's.
    is_fresh: bool,
    /// Whether the list was begun again, because a cursor was not accepted any more.
    is_second: bool,
    /// Hashes of the places and rows met, to notice a list that runs in circles.
    hasher: RandomState,
    places: HashSet<u64>,
    rows: HashSet<u64>,
    pages_without_news: usize,
}

impl Reading {
    /// From `from` on, or else from the beginning.
    pub(super) fn new(endpoint: Endpoint, per_page: Option<usize>, from: Option<Position>) -> Self {
        Self {
            endpoint,
            per_page,
            at: from,
            is_fresh: false,
            is_second: false,
            hasher: RandomState::new(),
            places: HashSet::new(),
            rows: HashSet::new(),
            pages_without_news: 0,
        }
    }

    /// The page that is next, and what is to be read after it, if anything is.
    pub(super) async fn next<T: Listed>(
        mut self,
        connection: &Connection,
        word: &Word,
    ) -> Result<(Answer<T>, Option<Self>), Error> {
        let page = connection.page(&self.endpoint, self.per_page, self.place()).await;
        let (told, body) = match page {
            Err(error) if self.is_at_its_end(&error, word) => {
                tracing::debug!(%error, "the list ends before a cursor that leads nowhere");
                nothing()
            }
            // What is refused has expired: the list is read from its beginning once more.
            Err(error) if self.at.is_some() && !self.is_second && error.is_bad_request() => {
                tracing::warn!(%error, "the cursor is refused; reading the list from its beginning");
                self.is_second = true;
                self.at = None;
                self.places.clear();
                self.rows.clear();
                connection.page(&self.endpoint, self.per_page, None).await?
            }
            page => page?,
        };
        let next = Position::after(self.at.as_ref(), &told, self.per_page, word);
        let next = next.map_err(|error| self.endpoint.error(1, error.into()))?;
        if let Some(next) = &next {
            self.check(&told.rows, &next.place())?;
        }
        let answer = Answer { page: Page { rows: told.rows, next: next.clone() }, body };
        let rest = next.map(|next| Self { at: Some(next), is_fresh: true, ..self });
        Ok((answer, rest))
    }

    /// Whether a page is refused because there is none, as the page before it said. Told of a
    /// moment ago, its cursor can't have expired. Where pages were wrong before, or where it is a
    /// gateway that refuses, it means nothing.
    fn is_at_its_end(&self, error: &Error, word: &Word) -> bool {
        self.is_fresh
            && self.at.as_ref().is_some_and(Position::is_denied)
            && !word.is_broken()
            && error.is_bad_request()
            && error.refusal().is_some_and(|refusal| refusal.is_northflanks)
    }

    fn place(&self) -> Option<Place> {
        self.at.as_ref().map(Position::place)
    }

    /// Whether it makes sense to go on at `next` after these rows.
    fn check<T: Listed>(&mut self, rows: &[T], next: &Place) -> Result<(), Error> {
        let mut is_news = false;
        for row in rows {
            // Whoever has no id can't be told from others.
            is_news |= row.id().is_none_or(|id| self.rows.insert(self.hasher.hash_one(id)));
        }
        self.pages_without_news = if is_news { 0 } else { self.pages_without_news + 1 };
        if self.pages_without_news > MOST_PAGES_WITHOUT_NEWS {
            return Err(self.endless("page after page brings nothing new, and each promises more"));
        }
        if !self.places.insert(self.hasher.hash_one(next)) {
            return Err(self.endless("a cursor came up twice"));
        }
        Ok(())
    }

    fn endless(&self, problem: &'static str) -> Error {
        self.endpoint.error(1, Problem::Endless(problem))
    }
}

/// A last page without rows.
fn nothing<T: Listed>() -> (Told<T>, Vec<u8>) {
    let told = Told { rows: Vec::new(), more: Some(false), cursor: None };
    let body = format!(r#"{{"data":{{"{}":[]}},"pagination":{{"hasNextPage":false}}}}"#, T::KEY);
    (told, body.into_bytes())
}
