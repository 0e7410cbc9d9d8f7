//! How much stands on one page; JSON has everything.

/// How many people the page shows. A browser takes so many rows at ease.
pub(in crate::report) const MOST_PEOPLE: usize = 10_000;

/// How many roles, and how many groups, the page shows.
pub(in crate::report) const MOST_ROLES: usize = 100;

/// How many names one list of the page has.
pub(in crate::report) const MOST_NAMES: usize = 500;

/// How many changes of one kind the page shows.
pub(in crate::report) const MOST_CHANGES: usize = 200;

/// More people than this make a page that a browser had better lay out piece by piece.
pub(in crate::report) const LARGE: usize = 300;

/// How many people a browser shows at once: more of them follow on demand.
pub(in crate::report) const AT_ONCE: usize = 200;

/// How many roles have columns that are wide enough for words.
pub(in crate::report) const WIDE_COLUMNS: usize = 8;
