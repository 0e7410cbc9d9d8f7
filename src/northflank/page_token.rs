//! Where in a list a page is, and what follows a page: both of Northflank's own clients go on
//! as long as there is a cursor, whatever `hasNextPage` says, and so does this.

use std::sync::atomic::{AtomicBool, Ordering};

use super::page_body::{PageBody, PageError};

/// The largest page that the API documents.
pub(super) const LARGEST_PAGE: usize = 100;

/// Where in a list a page is, as the page before told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageToken {
    /// What to ask for.
    query: PageQuery,
    /// So many rows from the beginning on lie before it at least, in full pages of
    /// [`LARGEST_PAGE`].
    before: usize,
    /// Whether the page that told of it said as well that nothing follows.
    is_denied: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PageQuery {
    /// The page behind a cursor.
    Cursor(String),
    /// The page with this number; the first is 1.
    Number(usize),
}

impl PageToken {
    /// Whether the page that told of it said as well that nothing follows.
    pub(super) fn is_denied(&self) -> bool {
        self.is_denied
    }

    /// What to ask for.
    pub(super) fn query(&self) -> &PageQuery {
        &self.query
    }

    /// Where the page after `told` is, which has so many rows and was at `at` (`None`: the first);
    /// `None` if there is none. Takes down what that says of the server's word.
    ///
    /// `limit` rows make a page full that says nothing of what follows.
    pub(super) fn after<R>(
        at: Option<&Self>,
        rows: usize,
        page: &PageBody<R>,
        limit: Option<usize>,
        trust: &HasNextPageTrust,
    ) -> Result<Option<Self>, PageError> {
        trust.update(at.is_some_and(|at| at.is_denied), rows, page);
        let before = match at {
            None => LARGEST_PAGE,
            Some(Self { query: PageQuery::Number(_), before, .. }) => {
                before.saturating_add(LARGEST_PAGE)
            }
            Some(Self { before, .. }) => before.saturating_add(rows.min(LARGEST_PAGE)),
        };
        // A page that was begun already comes once more rather than not at all.
        let number = PageQuery::Number(before / LARGEST_PAGE + 1);
        Ok(match (page.more, page.cursor.clone()) {
            (Some(false), Some(_)) if trust.is_earned() => None,
            (more, Some(cursor)) => {
                let query = PageQuery::Cursor(cursor);
                Some(Self { query, before, is_denied: more == Some(false) })
            }
            (Some(true), None) => Some(Self { query: number, before, is_denied: false }),
            (Some(false), None) => None,
            (None, None) if limit.is_none_or(|limit| rows < limit) => None,
            (None, None) => return Err(PageError::NoPagination(rows)),
        })
    }
}

/// What is known of an endpoint's word that nothing follows (`hasNextPage: false`) although
/// there is a cursor.
#[derive(Debug, Default)]
pub(super) struct HasNextPageTrust {
    /// It has said of a page that more follow, so that it knows the difference.
    has_promised: AtomicBool,
    /// Behind such a cursor there was nothing.
    was_kept: AtomicBool,
    /// Behind such a cursor there were rows.
    was_broken: AtomicBool,
}

impl HasNextPageTrust {
    /// Whether a cursor that it denies need not be followed.
    fn is_earned(&self) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is(&self.has_promised) && is(&self.was_kept) && !is(&self.was_broken)
    }

    /// Whether there were rows behind a cursor that it denied.
    pub(super) fn is_broken(&self) -> bool {
        self.was_broken.load(Ordering::Relaxed)
    }

    /// Takes down what a page says of it.
    fn update<R>(&self, was_denied: bool, rows: usize, page: &PageBody<R>) {
        let note = |flag: &AtomicBool| flag.store(true, Ordering::Relaxed);
        if page.more == Some(true) {
            note(&self.has_promised);
        }
        if was_denied && rows > 0 {
            note(&self.was_broken);
        } else if was_denied && page.more != Some(true) && page.cursor.is_none() {
            note(&self.was_kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HasNextPageTrust, LARGEST_PAGE, PageBody, PageQuery, PageToken};

    fn page(rows: usize, more: impl Into<Option<bool>>, cursor: Option<&str>) -> PageBody<usize> {
        PageBody { rows, more: more.into(), cursor: cursor.map(str::to_owned) }
    }

    fn after(
        at: Option<&PageToken>,
        page: &PageBody<usize>,
        trust: &HasNextPageTrust,
    ) -> Option<PageToken> {
        PageToken::after(at, page.rows, page, Some(LARGEST_PAGE), trust).unwrap()
    }

    /// Where a list goes on after these pages, one after the other.
    fn query(pages: &[PageBody<usize>]) -> Option<PageQuery> {
        let trust = HasNextPageTrust::default();
        let mut at = None;
        for page in pages {
            at = Some(after(at.as_ref(), page, &trust)?);
        }
        at.map(|at| at.query)
    }

    #[test]
    fn a_list_goes_on_as_long_as_there_is_a_cursor() {
        let cursor = |text: &str| Some(PageQuery::Cursor(text.to_owned()));
        assert_eq!(query(&[page(100, true, Some("a"))]), cursor("a"));
        assert_eq!(query(&[page(3, None, Some("a"))]), cursor("a"));
        assert_eq!(query(&[page(3, false, Some("a"))]), cursor("a"));
        assert_eq!(query(&[page(0, true, Some("a")), page(0, true, Some("b"))]), cursor("b"));
        assert_eq!(query(&[page(100, false, None)]), None);
    }

    #[test]
    fn more_rows_without_a_cursor_are_asked_for_by_number() {
        let full = || page(100, true, None);
        assert_eq!(query(&[full()]), Some(PageQuery::Number(2)));
        assert_eq!(query(&[full(), full(), full()]), Some(PageQuery::Number(4)));
        // The server's pages may be smaller than what was asked for.
        assert_eq!(
            query(&[page(50, true, None), page(50, true, None)]),
            Some(PageQuery::Number(3))
        );
        // An empty page is no end while it promises more.
        assert_eq!(query(&[full(), page(0, true, None)]), Some(PageQuery::Number(3)));
    }

    #[test]
    fn numbers_after_cursors_rather_repeat_a_page_than_leave_one_out() {
        let by_cursor = |rows| page(rows, true, Some("c"));
        let last = || page(100, true, None);
        let pages = [by_cursor(100), by_cursor(100), last()];
        assert_eq!(query(&pages), Some(PageQuery::Number(4)));
        assert_eq!(query(&[by_cursor(100), by_cursor(30), last()]), Some(PageQuery::Number(3)));
        assert_eq!(query(&[by_cursor(100), by_cursor(0), last()]), Some(PageQuery::Number(3)));
        assert_eq!(query(&[by_cursor(100), by_cursor(5000), last()]), Some(PageQuery::Number(4)));
    }

    #[test]
    fn a_page_that_says_nothing_is_the_last_only_if_it_is_not_full() {
        assert_eq!(query(&[page(99, None, None)]), None);
        let trust = HasNextPageTrust::default();
        let full = page(100, None, None);
        assert!(PageToken::after(None, full.rows, &full, Some(LARGEST_PAGE), &trust).is_err());
        assert_eq!(
            PageToken::after(None, full.rows, &full, None, &trust).unwrap(),
            None,
            "it isn't paged"
        );
    }

    #[test]
    fn the_word_is_good_once_both_of_its_meanings_have_held() {
        let trust = HasNextPageTrust::default();
        let denied = after(None, &page(3, false, Some("a")), &trust).unwrap();
        assert_eq!(after(Some(&denied), &page(0, false, None), &trust), None);
        assert!(after(None, &page(3, false, Some("b")), &trust).is_some(), "never said true");
        after(None, &page(100, true, Some("c")), &trust);
        assert_eq!(after(None, &page(3, false, Some("d")), &trust), None);
        // Rows behind such a cursor, in a list that was begun before: never again.
        after(Some(&denied), &page(1, false, None), &trust);
        assert!(after(None, &page(3, false, Some("e")), &trust).is_some());
    }

    #[test]
    fn an_empty_page_that_promises_more_proves_nothing() {
        let trust = HasNextPageTrust::default();
        after(None, &page(100, true, Some("a")), &trust);
        let denied = after(None, &page(3, false, Some("b")), &trust).unwrap();
        for unproven in [page(0, true, None), page(0, false, Some("c"))] {
            assert!(after(Some(&denied), &unproven, &trust).is_some());
            assert!(after(None, &page(3, false, Some("d")), &trust).is_some());
        }
    }
}
