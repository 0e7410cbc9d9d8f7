//! Pages: what the answer to a request for a list says.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::lenient::Dispensable;
use super::model::{DirectoryGroup, DirectoryGroupMember, Member, Role, RoleMember};
use super::text::Text;
use super::wording::one_line;
use super::{keys, lenient};

/// Something that Northflank lists, under a key of its own in `data`.
pub trait Listed: for<'de> Deserialize<'de> + Hash {
    /// The key of the array.
    const KEY: &'static str;

    /// What tells the row from others, if anything does.
    fn id(&self) -> Option<&Text>;

    /// What of it could not be read, where the row is of use without.
    fn problem(&self) -> Option<String> {
        None
    }
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

    fn problem(&self) -> Option<String> {
        (self.restrictions == Some(Dispensable::Malformed)).then(|| {
            let role = one_line(&self.id);
            format!("the restrictions of the role {role} aren't what the API documents; left out")
        })
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

/// What an answer says by itself.
#[derive(Debug)]
pub struct Told<T> {
    /// The rows, in the API's order.
    pub rows: Vec<T>,
    /// Whether more rows follow (`hasNextPage`), if it says so.
    pub more: Option<bool>,
    /// The cursor of what follows.
    pub cursor: Option<String>,
}

/// Why an answer is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, cut short, or of another shape.
    #[error("it is not the JSON that the API documents: {0}")]
    Json(#[from] serde_json::Error),
    /// Which of the two values counts, nobody knows.
    #[error("an object in it has the key {0:?} twice")]
    SameKey(String),
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

impl<T: Listed> Told<T> {
    /// Reads what `body` says.
    pub fn read(body: &[u8]) -> Result<Self, PageError> {
        let Envelope { data, pagination }: Envelope<T> = serde_json::from_slice(body)?;
        if let Some(key) = keys::twice(body) {
            return Err(PageError::SameKey(one_line(&key)));
        }
        let Pagination { more, cursor } = pagination.unwrap_or_default();
        Ok(Self { rows: data.0, more, cursor: cursor.map(String::from) })
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
    #[serde(default, deserialize_with = "lenient::cursor")]
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
    use super::{Member, PageError, Told};

    fn read(body: &str) -> Result<Told<Member>, PageError> {
        Told::read(body.as_bytes())
    }

    fn pagination(pagination: &str) -> (Option<bool>, Option<String>) {
        let body = format!(r#"{{"data":{{"members":[]}}{pagination}}}"#);
        let told = read(&body).unwrap();
        (told.more, told.cursor)
    }

    #[test]
    fn what_follows_is_told_by_a_word_and_a_cursor_each_of_which_may_be_missing() {
        let cursor = |text: &str| Some(text.to_owned());
        let both = r#","pagination":{"hasNextPage":true,"cursor":"c=+/","count":2.0}"#;
        assert_eq!(pagination(both), (Some(true), cursor("c=+/")));
        assert_eq!(pagination(r#","pagination":{"cursor":"c"}"#), (None, cursor("c")));
        for none in ["", r#","cursor":null"#, r#","cursor":"""#] {
            let word = format!(r#","pagination":{{"hasNextPage":false{none}}}"#);
            assert_eq!(pagination(&word), (Some(false), None));
        }
        for absent in ["", r#","pagination":null"#, r#","pagination":{}"#] {
            assert_eq!(pagination(absent), (None, None));
        }
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
            r#"{"data":{"members":[]},"pagination":{"hasNextPage":true,"cursor":"\ud83d"}}"#,
        ] {
            assert!(matches!(read(body), Err(PageError::Json(_))), "{body}");
        }
    }

    #[test]
    fn an_answer_in_which_an_object_has_a_key_twice_is_refused() {
        for body in [
            r#"{"data":{"members":[{"id":"a"}],"members":[]}}"#,
            r#"{"data":{"members":[{"id":"a"}],"\u006dembers":[]}}"#,
            r#"{"data":{"members":[]},"extra":{"a":1,"a":1}}"#,
            r#"{"data":{"members":[{"id":"a","other":1,"other":2}]}}"#,
        ] {
            assert!(matches!(read(body), Err(PageError::SameKey(_))), "{body}");
        }
        for body in [
            r#"{"data":{"members":[{"id":"a","\u0069d":"b"}]}}"#,
            r#"{"data":{"members":[{"id":"a"}]},"data":{"members":[]}}"#,
            r#"{"data":{"members":[]},"pagination":{"hasNextPage":true,"hasNextPage":false}}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
