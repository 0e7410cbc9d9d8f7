//! How the organization is served, where the real API's behaviour is unknown or varies.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::route::Endpoint;

/// All switches; the defaults are the best guess of the real API.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Options {
    /// What is done with requests that the documentation doesn't cover.
    pub profile: Profile,
    /// Requests a window allows; `None` for no limit, and then no headers either.
    pub rate_limit: Option<u32>,
    /// The length of a window, from its first request.
    pub window: Duration,
    /// On which answers the rate headers stand.
    pub rate_headers: RateHeaders,
    /// Whether refused requests count as well.
    pub refused_count: bool,
    /// Time that each answer takes.
    pub latency: Duration,
    /// What cursors look like.
    pub cursors: CursorStyle,
    /// What a cursor remembers.
    pub anchor: PagingAnchor,
    /// Rows of each page, whatever was asked for.
    pub page_size: Option<usize>,
    /// Empty pages, each with a fresh cursor, before each page but a list's first.
    pub empty_pages: usize,
    /// Whether the last page of a list that ends with it claims that more follow, which then
    /// turns out as an empty page.
    pub last_full_page_says_more: bool,
    /// What pages say of those after them.
    pub word: Word,
    /// What pages of these endpoints say instead.
    pub words: BTreeMap<Endpoint, Word>,
    /// Whether directory groups come in pages, which nobody documents.
    pub paged_groups: bool,
    /// Status of the answer to the question for directory groups in an organization without
    /// Directory Sync; `None` where it has it. With 200 it is an empty list.
    pub without_directory_sync: Option<u16>,
    /// What is said of the token that asks.
    pub whoami: Whoami,
    /// What somebody looks like who is both explicit and implicit.
    pub both_types: BothTypes,
    /// How a missing permission is answered.
    pub denied_as: DeniedAs,
    /// Whether large bodies are compressed for clients that accept it.
    pub gzip: bool,
    /// Whether bodies come in chunks instead of with a length.
    pub chunked: bool,
    /// Whether header names come In-Title-Case.
    pub title_case_headers: bool,
    /// Which of the documented fields there are.
    pub schema: Schema,
    /// More requests than this at once are a violation.
    pub most_in_flight: Option<usize>,
    /// Whether an answer is made once and then given again, its cursor included, until the
    /// organization changes: for benchmarks, which measure clients and not this.
    pub keep_answers: bool,
}

impl Options {
    /// What pages of an endpoint say of those after them.
    pub fn word_of(&self, endpoint: Endpoint) -> Word {
        self.words.get(&endpoint).copied().unwrap_or(self.word)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Lenient,
            rate_limit: Some(1000),
            window: Duration::from_hours(1),
            rate_headers: RateHeaders::Always,
            refused_count: false,
            latency: Duration::ZERO,
            cursors: CursorStyle::UrlSafe,
            anchor: PagingAnchor::Offset,
            page_size: None,
            empty_pages: 0,
            last_full_page_says_more: false,
            word: Word::Kept,
            words: BTreeMap::new(),
            paged_groups: false,
            without_directory_sync: None,
            whoami: Whoami::Known,
            both_types: BothTypes::ExplicitWins,
            denied_as: DeniedAs::Unauthorized,
            gzip: true,
            chunked: false,
            title_case_headers: false,
            schema: Schema::default(),
            most_in_flight: None,
            keep_answers: false,
        }
    }
}

/// What is done with requests that the documentation doesn't cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A best guess of reality.
    Lenient,
    /// A refusal.
    Strict,
}

/// On which answers the rate headers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateHeaders {
    /// On all.
    Always,
    /// On 200 only.
    OnSuccess,
    /// On none.
    Never,
}

/// What cursors look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorStyle {
    /// Letters and digits.
    UrlSafe,
    /// With `+ / = & # %`, a blank and an accent.
    Hostile,
    /// Two kibibytes of letters.
    Long,
}

/// What a cursor remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagingAnchor {
    /// How many rows have been served: rows shift when some are added or removed.
    Offset,
    /// The last row served: the list goes on after it.
    Key,
}

/// What pages say of those after them, by `hasNextPage` and `cursor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// As documented: true with a cursor, and on the last page false without one.
    Kept,
    /// Always false; there is a cursor where another page follows.
    AlwaysFalse,
    /// Always false with a cursor, but for a last, empty page.
    FalseUntilEmpty,
    /// As documented, but for a cursor on the last page, behind which an empty one lies.
    StrayCursor,
    /// True without a cursor: pages are to be asked for by number.
    WithoutCursor,
}

impl Word {
    /// All of them, the documented one first.
    pub const ALL: [Self; 5] = [
        Self::Kept,
        Self::AlwaysFalse,
        Self::FalseUntilEmpty,
        Self::StrayCursor,
        Self::WithoutCursor,
    ];
}

/// What `GET /v1/auth` says of the token that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whoami {
    /// What is documented.
    Known,
    /// There is no such endpoint.
    Absent,
    /// Values that nobody documents, of the wrong types too.
    Odd,
}

/// What somebody looks like who is both explicit and implicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BothTypes {
    /// One row, `explicit`.
    ExplicitWins,
    /// One row, `implicit`.
    ImplicitWins,
    /// Two rows.
    TwoRows,
}

/// How a missing permission is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedAs {
    /// 401 with `error.details.requiredPermission`, as has been reported.
    Unauthorized,
    /// 403.
    Forbidden,
}

/// Which of the documented fields there are, and in what form.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Schema {
    /// Only what the documentation's examples show.
    pub minimal: bool,
    /// Every optional field is null.
    pub nulls: bool,
    /// Fields that nobody documents, at each level.
    pub extra_fields: bool,
    /// The form of e-mail addresses.
    pub emails: Emails,
    /// `count` with a fraction.
    pub float_count: bool,
    /// The form of times.
    pub times: Times,
    /// A `type` and a `restrictionMode` that nobody documents.
    pub unknown_values: bool,
    /// Half a surrogate pair at the end of each name.
    pub half_surrogates: bool,
    /// Every optional field, but for the links of a role, is of another type.
    pub malformed: bool,
}

/// The form of e-mail addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emails {
    /// Objects for members, strings in directory groups.
    #[default]
    AsDocumented,
    /// Objects everywhere.
    Objects,
    /// Strings everywhere.
    Strings,
    /// Strings and objects in turns.
    Mixed,
    /// An empty array.
    Empty,
    /// Null.
    Null,
    /// Objects without an address.
    WithoutAddress,
}

/// The form of times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Times {
    /// As in the organization.
    #[default]
    AsGiven,
    /// Without a fraction, at an offset of two hours.
    Offset,
    /// Not times at all.
    Invalid,
}
