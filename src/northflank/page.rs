//! Pages: the envelope of a list, and the rule for whether another page follows.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember, Text};

/// Something that Northflank lists, under a key of its own in `data`.
pub trait Listed: for<'de> Deserialize<'de> {
    /// The key of the array.
    const KEY: &'static str;

    /// What tells the row from others, if anything does.
    fn id(&self) -> Option<&Text>;
}

impl Listed for Member {
    const KEY: &'static str = "members";

    fn id(&self) -> Option<&Text> {
        Some(&self.id)
    }
}

impl Listed for Role {
    const KEY: &'static str = "roles";

    fn id(&self) -> Option<&Text> {
        Some(&self.id)
    }
}

impl Listed for RoleMember {
    const KEY: &'static str = "members";

    fn id(&self) -> Option<&Text> {
        Some(&self.id)
    }
}

impl Listed for DirectoryGroup {
    const KEY: &'static str = "directoryGroups";

    fn id(&self) -> Option<&Text> {
        Some(&self.id)
    }
}

impl Listed for DirectoryGroupMember {
    const KEY: &'static str = "members";

    fn id(&self) -> Option<&Text> {
        self.id.as_ref()
    }
}

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

/// Where in a list a page is, as an earlier page named it. Nobody else needs to know what it
/// says: it is kept and given back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Behind a cursor.
    Cursor(String),
}

/// How a list is paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// In pages of at most this many rows.
    Rows(usize),
    /// Not at all: one answer holds everything.
    Whole,
}

/// Why an answer is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, cut short, or of another shape.
    #[error("it is not the JSON that the API documents: {0}")]
    Json(#[from] serde_json::Error),
    /// Rows would be lost in silence.
    #[error("it says that more rows follow but has no cursor to read them with")]
    NoCursor,
    /// A full page without a word on whether it is the last.
    #[error("it holds a full page of {0} rows and doesn't say whether more follow")]
    NoPagination(usize),
}

impl PageError {
    /// Whether the answer ended before it was whole, which another try may mend.
    pub(super) fn is_cut_short(&self) -> bool {
        matches!(self, Self::Json(error) if error.is_eof())
    }
}

impl<T: Listed> Page<T> {
    /// Reads the page in `body`.
    ///
    /// Another page follows if `hasNextPage` is true and there is a cursor; the field
    /// decides where the two disagree in the direction of stopping, and more rows without
    /// a cursor are an error. Where `hasNextPage` or all of `pagination` is missing, a
    /// cursor means more, and without one the page must be short enough to be the last.
    pub fn read(body: &[u8], paging: Paging) -> Result<Self, PageError> {
        let Envelope { data, pagination }: Envelope<T> = serde_json::from_slice(body)?;
        let rows = data.0;
        let Paging::Rows(limit) = paging else {
            return Ok(Self { rows, next: None });
        };
        let Pagination { more, cursor } = pagination.unwrap_or_default();
        let cursor = cursor.filter(|cursor| !cursor.is_empty()).map(String::from);
        let next = match (more, cursor) {
            (Some(false), _) => None,
            (Some(true) | None, Some(cursor)) => Some(Position::Cursor(cursor)),
            (Some(true), None) => return Err(PageError::NoCursor),
            (None, None) if rows.len() < limit => None,
            (None, None) => return Err(PageError::NoPagination(rows.len())),
        };
        Ok(Self { rows, next })
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: Listed")]
struct Envelope<T> {
    data: Rows<T>,
    pagination: Option<Pagination>,
}

#[derive(Default, Deserialize)]
struct Pagination {
    #[serde(rename = "hasNextPage")]
    more: Option<bool>,
    cursor: Option<Text>,
}

/// The array in `data`, found by its key.
struct Rows<T>(Vec<T>);

impl<'de, T: Listed> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowsVisitor(PhantomData))
    }
}

struct RowsVisitor<T>(PhantomData<T>);

impl<'de, T: Listed> Visitor<'de> for RowsVisitor<T> {
    type Value = Rows<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with the array `{}`", T::KEY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rows = None;
        while let Some(key) = map.next_key::<Text>()? {
            if &*key == T::KEY {
                rows = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        rows.map(Rows).ok_or_else(|| A::Error::missing_field(T::KEY))
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, Page, PageError, Paging, Position};

    fn read(body: &str) -> Result<Page<Member>, PageError> {
        Page::read(body.as_bytes(), Paging::Rows(2))
    }

    fn next(pagination: &str, rows: usize) -> Result<Option<Position>, PageError> {
        let rows = vec![r#"{"id":"a"}"#; rows].join(",");
        read(&format!(r#"{{"data":{{"members":[{rows}]}}{pagination}}}"#)).map(|page| page.next)
    }

    #[test]
    fn a_page_ends_a_list_when_it_says_so() {
        assert_eq!(next(r#","pagination":{"hasNextPage":false,"count":2}"#, 2).unwrap(), None);
        let contradicting = r#","pagination":{"hasNextPage":false,"cursor":"c"}"#;
        assert_eq!(next(contradicting, 2).unwrap(), None);
    }

    #[test]
    fn a_cursor_leads_to_the_next_page() {
        let more = r#","pagination":{"hasNextPage":true,"cursor":"c=+/","count":2.0}"#;
        let cursor = |text: &str| Some(Position::Cursor(text.to_owned()));
        assert_eq!(next(more, 2).unwrap(), cursor("c=+/"));
        let unsaid = r#","pagination":{"cursor":"c"}"#;
        assert_eq!(next(unsaid, 2).unwrap(), cursor("c"));
    }

    #[test]
    fn more_rows_without_a_cursor_are_an_error() {
        for cursor in ["", r#","cursor":null"#, r#","cursor":"""#] {
            let pagination = format!(r#","pagination":{{"hasNextPage":true{cursor}}}"#);
            assert!(matches!(next(&pagination, 2), Err(PageError::NoCursor)));
        }
    }

    #[test]
    fn a_page_without_pagination_is_the_last_only_if_it_is_not_full() {
        assert_eq!(next("", 1).unwrap(), None);
        assert_eq!(next(r#","pagination":null"#, 0).unwrap(), None);
        assert!(matches!(next("", 2), Err(PageError::NoPagination(2))));
    }

    #[test]
    fn an_answer_of_another_shape_is_never_an_empty_page() {
        for body in [
            "",
            "{}",
            "<html></html>",
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"members":null}}"#,
            r#"{"data":{"members":{}}}"#,
            r#"{"data":{"roles":[]},"pagination":{"hasNextPage":false}}"#,
            r#"{"data":{"members":[{"id":"a"}"#,
        ] {
            assert!(matches!(read(body), Err(PageError::Json(_))), "{body}");
        }
    }
}
