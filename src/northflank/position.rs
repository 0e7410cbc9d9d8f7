//! Where in a list a page is, and what follows a page: both of Northflank's own clients go on
//! as long as there is a cursor, whatever `hasNextPage` says, and so does this.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::page::{PageError, Told};

/// The largest page that the API documents.
pub(super) const LARGEST_PAGE: usize = 100;

/// Where in a list a page is, as an earlier page told. Nobody else needs to know what it says:
/// it is kept and given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Behind a cursor, or else at a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// So many rows from the beginning on lie before it at least, in full pages of
    /// [`LARGEST_PAGE`].
    #[serde(default)]
    before: usize,
    /// Whether the page that told of it said as well that nothing follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_denied: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The page behind a cursor.
    Cursor(String),
    /// The page with this number; the first is 1.
    Number(usize),
}

impl Position {
    /// Behind `cursor`, in a list of which nothing else is known.
    pub fn behind(cursor: &str) -> Self {
        Self { cursor: Some(cursor.to_owned()), before: 0, is_denied: false }
    }

    /// Whether the page that told of it said as well that nothing follows.
    pub(super) fn is_denied(&self) -> bool {
        self.is_denied
    }

    /// The cursor, if it is behind one.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// What to ask for.
    pub(super) fn place(&self) -> Place {
        match &self.cursor {
            Some(cursor) => Place::Cursor(cursor.clone()),
            // A page that was begun already comes once more rather than not at all.
            None => Place::Number(self.before / LARGEST_PAGE + 1),
        }
    }

    /// Where the page after `told` is, which was at `at` (`None`: the first); `None` if there
    /// is none. Takes down what that says of the server's word.
    ///
    /// `limit` rows make a page full that says nothing of what follows.
    pub(super) fn after<T>(
        at: Option<&Self>,
        told: &Told<T>,
        limit: Option<usize>,
        word: &Word,
    ) -> Result<Option<Self>, PageError> {
        word.weigh(at.is_some_and(|at| at.is_denied), told);
        let rows = told.rows.len();
        let before = match at {
            None => LARGEST_PAGE,
            Some(Self { cursor: None, before, .. }) => before.saturating_add(LARGEST_PAGE),
            Some(Self { before, .. }) => before.saturating_add(rows.min(LARGEST_PAGE)),
        };
        Ok(match (told.more, told.cursor.clone()) {
            (Some(false), Some(_)) if word.is_good() => None,
            (more, Some(cursor)) => {
                Some(Self { cursor: Some(cursor), before, is_denied: more == Some(false) })
            }
            (Some(true), None) => Some(Self { cursor: None, before, is_denied: false }),
            (Some(false), None) => None,
            (None, None) if limit.is_none_or(|limit| rows < limit) => None,
            (None, None) => return Err(PageError::NoPagination(rows)),
        })
    }
}

/// What is known of the server's word that nothing follows (`hasNextPage: false`) although
/// there is a cursor.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// It has said of a page that more follow, so that it knows the difference.
    has_promised: AtomicBool,
    /// Behind such a cursor there was nothing.
    was_kept: AtomicBool,
    /// Behind such a cursor there were rows.
    was_broken: AtomicBool,
}

impl Word {
    /// Whether a cursor that it denies need not be followed.
    fn is_good(&self) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is(&self.has_promised) && is(&self.was_kept) && !is(&self.was_broken)
    }

    /// Whether there were rows behind a cursor that it denied.
    pub(super) fn is_broken(&self) -> bool {
        self.was_broken.load(Ordering::Relaxed)
    }

    /// Takes down what a page says of it.
    fn weigh<T>(&self, was_denied: bool, told: &Told<T>) {
        let note = |flag: &AtomicBool| flag.store(true, Ordering::Relaxed);
        if told.more == Some(true) {
            note(&self.has_promised);
        }
        if was_denied && !told.rows.is_empty() {
            note(&self.was_broken);
        } else if was_denied && told.more != Some(true) && told.cursor.is_none() {
            note(&self.was_kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_PAGE, Place, Position, Told, Word};

    fn told(rows: usize, more: impl Into<Option<bool>>, cursor: Option<&str>) -> Told<()> {
        Told { rows: vec![(); rows], more: more.into(), cursor: cursor.map(str::to_owned) }
    }

    fn after(at: Option<&Position>, told: &Told<()>, word: &Word) -> Option<Position> {
        Position::after(at, told, Some(LARGEST_PAGE), word).unwrap()
    }

    /// Where a list goes on after these pages, one after the other.
    fn place(pages: &[Told<()>]) -> Option<Place> {
        let word = Word::default();
        let mut at = None;
        for page in pages {
            at = Some(after(at.as_ref(), page, &word)?);
        }
        at.map(|at| at.place())
    }

    #[test]
    fn a_list_goes_on_as_long_as_there_is_a_cursor() {
        let cursor = |text: &str| Some(Place::Cursor(text.to_owned()));
        assert_eq!(place(&[told(100, true, Some("a"))]), cursor("a"));
        assert_eq!(place(&[told(3, None, Some("a"))]), cursor("a"));
        assert_eq!(place(&[told(3, false, Some("a"))]), cursor("a"));
        assert_eq!(place(&[told(0, true, Some("a")), told(0, true, Some("b"))]), cursor("b"));
        assert_eq!(place(&[told(100, false, None)]), None);
    }

    #[test]
    fn more_rows_without_a_cursor_are_asked_for_by_number() {
        let full = || told(100, true, None);
        assert_eq!(place(&[full()]), Some(Place::Number(2)));
        assert_eq!(place(&[full(), full(), full()]), Some(Place::Number(4)));
        // The server's pages may be smaller than what was asked for.
        assert_eq!(place(&[told(50, true, None), told(50, true, None)]), Some(Place::Number(3)));
        // An empty page is no end while it promises more.
        assert_eq!(place(&[full(), told(0, true, None)]), Some(Place::Number(3)));
    }

    #[test]
    fn numbers_after_cursors_rather_repeat_a_page_than_leave_one_out() {
        let by_cursor = |rows| told(rows, true, Some("c"));
        let last = || told(100, true, None);
        let pages = [by_cursor(100), by_cursor(100), last()];
        assert_eq!(place(&pages), Some(Place::Number(4)));
        assert_eq!(place(&[by_cursor(100), by_cursor(30), last()]), Some(Place::Number(3)));
        assert_eq!(place(&[by_cursor(100), by_cursor(0), last()]), Some(Place::Number(3)));
        assert_eq!(place(&[by_cursor(100), by_cursor(5000), last()]), Some(Place::Number(4)));
    }

    #[test]
    fn a_page_that_says_nothing_is_the_last_only_if_it_is_not_full() {
        assert_eq!(place(&[told(99, None, None)]), None);
        let word = Word::default();
        let full = told(100, None, None);
        assert!(Position::after(None, &full, Some(LARGEST_PAGE), &word).is_err());
        assert_eq!(Position::after(None, &full, None, &word).unwrap(), None, "it isn't paged");
    }

    #[test]
    fn the_word_is_good_once_both_of_its_meanings_have_held() {
        let word = Word::default();
        let denied = after(None, &told(3, false, Some("a")), &word).unwrap();
        assert_eq!(after(Some(&denied), &told(0, false, None), &word), None);
        assert!(after(None, &told(3, false, Some("b")), &word).is_some(), "never said true");
        after(None, &told(100, true, Some("c")), &word);
        assert_eq!(after(None, &told(3, false, Some("d")), &word), None);
        // Rows behind such a cursor, in a list that was begun before: never again.
        after(Some(&denied), &told(1, false, None), &word);
        assert!(after(None, &told(3, false, Some("e")), &word).is_some());
    }

    #[test]
    fn an_empty_page_that_promises_more_proves_nothing() {
        let word = Word::default();
        after(None, &told(100, true, Some("a")), &word);
        let denied = after(None, &told(3, false, Some("b")), &word).unwrap();
        for unproven in [told(0, true, None), told(0, false, Some("c"))] {
            assert!(after(Some(&denied), &unproven, &word).is_some());
            assert!(after(None, &told(3, false, Some("d")), &word).is_some());
        }
    }

    #[test]
    fn a_position_is_the_same_when_it_has_been_kept() {
        let word = Word::default();
        for told in
            [told(100, true, None), told(7, false, Some("c=+/&\" é")), told(100, true, Some("c"))]
        {
            let position = after(None, &told, &word).unwrap();
            let kept = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&kept).unwrap(), position, "{kept}");
        }
    }
}
