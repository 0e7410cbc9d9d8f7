//! Cursors: opaque to clients, bound to what they were issued for.

use std::collections::HashMap;

use crate::options::CursorStyle;
use crate::route::Endpoint;

/// What a list goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    /// After so many rows.
    Offset(usize),
    /// After the row with this key.
    After(String),
    /// With this and `more` empty pages, then with what there is.
    Empty { more: usize, then: Box<Position> },
}

/// The list that a cursor was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) endpoint: Endpoint,
    pub(crate) id: Option<String>,
    /// The filters, as text.
    pub(crate) filter: String,
    /// The page size, where it may not change.
    pub(crate) per_page: Option<usize>,
}

/// All cursors issued so far.
#[derive(Default)]
pub(crate) struct Cursors {
    issued: HashMap<String, (Bound, Position)>,
}

impl Cursors {
    /// A new cursor.
    pub(crate) fn issue(&mut self, style: CursorStyle, bound: Bound, position: Position) -> String {
        // Spread over the alphabet, so that nobody takes it for a number.
        let number = (self.issued.len() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let cursor = match style {
            CursorStyle::UrlSafe => format!("c{number:016x}"),
            CursorStyle::Hostile => format!("+/=&#% é{number:016x}"),
            CursorStyle::Long => format!("{number:016x}").repeat(128),
        };
        self.issued.insert(cursor.clone(), (bound, position));
        cursor
    }

    /// What a cursor stands for; `None` if it was never issued, or for another list.
    pub(crate) fn find(&self, cursor: &str, bound: &Bound) -> Option<Position> {
        let (own, position) = self.issued.get(cursor)?;
        (own == bound).then(|| position.clone())
    }

    /// Whether a cursor was ever issued.
    pub(crate) fn knows(&self, cursor: &str) -> bool {
        self.issued.contains_key(cursor)
    }
}
