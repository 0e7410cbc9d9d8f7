//! What the answer to a request for a list says by itself.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::lenient::{self, StrictObject};
use super::model::{
    DirectoryGroup, DirectoryGroupMember, Email, ListedToken, ListedTokenRole, Member, Role,
    RoleMember, Team, TeamMember, TeamRole,
};
use super::text::{Text, json_text};

/// Something that Northflank lists, under a key of its own in `data`.
pub trait ListRow: for<'de> Deserialize<'de> + Hash {
    /// The key of the array.
    const KEY: &'static str;

    /// What tells the row from others, if anything does.
    fn id(&self) -> Option<&Text>;

    /// What of it could not be read, where the row is of use without.
    fn malformed_fields(&self) -> impl Iterator<Item = &'static str>;
}

/// A row, the key of its lists, and the fields which it is of use without, with Northflank's names.
macro_rules! list_row {
    ($row:ident, $key:literal, [$($field:ident $name:literal),+] $(, $emails:ident)?) => {
        impl ListRow for $row {
            const KEY: &'static str = $key;

            fn id(&self) -> Option<&Text> {
                Option::from(&self.id)
            }

            fn malformed_fields(&self) -> impl Iterator<Item = &'static str> {
                malformed([$(($name, self.$field.is_malformed())),+])
                    $(.chain(malformed_emails(&self.$emails)))?
            }
        }
    };
}

list_row!(
    Member,
    "members",
    [name "name", joined_at "joinedAt", last_login "lastLoginTime", finalized "finalized"],
    emails
);
list_row!(
    Role,
    "roles",
    [
        name "name", description "description", restrictions "restrictions",
        created_at "createdAt", updated_at "updatedAt"
    ]
);
list_row!(
    RoleMember,
    "members",
    [name "name", membership "type", last_login "lastLoginTime"],
    emails
);
list_row!(
    DirectoryGroup,
    "directoryGroups",
    [name "name", idp_id "idpId", created_at "createdAt", updated_at "updatedAt"]
);
list_row!(DirectoryGroupMember, "members", [name "name", last_login "lastLoginTime"], emails);
list_row!(
    Team,
    "teams",
    [name "name", description "description", uid "uid", created_at "createdAt"]
);
list_row!(
    TeamMember,
    "members",
    [name "name", last_login "lastLoginTime", finalized "finalized"],
    emails
);
list_row!(
    TeamRole,
    "roles",
    [
        name "name", description "description", restrictions "restrictions",
        created_at "createdAt", updated_at "updatedAt"
    ]
);

impl ListRow for ListedToken {
    const KEY: &'static str = "tokens";

    fn id(&self) -> Option<&Text> {
        Some(&self.id)
    }

    fn malformed_fields(&self) -> impl Iterator<Item = &'static str> {
        let role = self.role.as_ref();
        let is_malformed = |part: fn(&ListedTokenRole) -> bool| role.is_some_and(part);
        malformed([
            ("name", self.name.is_malformed()),
            ("description", self.description.is_malformed()),
            ("role", self.role.is_malformed()),
            ("roleId", is_malformed(|role| role.id.is_malformed())),
            ("name", is_malformed(|role| role.name.is_malformed())),
            ("roleType", is_malformed(|role| role.role_type.is_malformed())),
            ("creatorEmail", self.creator_email.is_malformed()),
            ("createdAt", self.created_at.is_malformed()),
            ("expiresAt", self.expires_at.is_malformed()),
            ("lastUsedAt", self.last_used_at.is_malformed()),
            ("active", self.active.is_malformed()),
            ("revoked", self.revoked.is_malformed()),
        ])
    }
}

/// The names of those that are.
fn malformed<const COUNT: usize>(
    fields: [(&'static str, bool); COUNT],
) -> impl Iterator<Item = &'static str> {
    fields.into_iter().filter_map(|(name, is_malformed)| is_malformed.then_some(name))
}

fn malformed_emails(emails: &[Email]) -> impl Iterator<Item = &'static str> {
    emails.iter().flat_map(|Email { address, verified }| {
        malformed([("emails", address.is_malformed()), ("verified", verified.is_malformed())])
    })
}

/// What an answer says by itself.
#[derive(Debug)]
pub struct PageBody<R> {
    /// The rows, in the API's order.
    pub rows: R,
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

impl<R> PageBody<R> {
    /// The same with its rows as something else.
    pub(super) fn map<S>(self, rows: impl FnOnce(R) -> S) -> PageBody<S> {
        let Self { rows: read, more, cursor } = self;
        PageBody { rows: rows(read), more, cursor }
    }
}

impl<T: ListRow> PageBody<Vec<T>> {
    /// Reads what `body` says.
    pub fn read(body: &[u8]) -> Result<Self, PageError> {
        let text = json_text(body);
        let StrictObject(Envelope::<T> { data, pagination }) =
            serde_json::from_str(&text).map_err(|error| end_within_number(&text, error))?;
        let Pagination { more, cursor } = pagination.map(|StrictObject(it)| it).unwrap_or_default();
        Ok(Self { rows: data.0, more, cursor: cursor.map(String::from) })
    }
}

/// An error at the end of a text that ends within a number, which `serde_json` takes for one that
/// is wrong: with another digit it would only end too soon.
fn end_within_number(text: &str, error: serde_json::Error) -> serde_json::Error {
    if !error.is_syntax() {
        return error;
    }
    let longer = serde_json::from_str::<IgnoredAny>(&format!("{text}0")).err();
    longer.filter(serde_json::Error::is_eof).unwrap_or(error)
}

#[derive(Deserialize)]
#[serde(bound = "T: ListRow")]
struct Envelope<T> {
    data: RowArray<T>,
    pagination: Option<StrictObject<Pagination>>,
}

#[derive(Default, Deserialize)]
struct Pagination {
    #[serde(rename = "hasNextPage")]
    more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::cursor")]
    cursor: Option<Text>,
}

/// The array in `data`, found by its key.
struct RowArray<T>(Vec<T>);

impl<'de, T: ListRow> Deserialize<'de> for RowArray<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowArrayVisitor(PhantomData))
    }
}

struct RowArrayVisitor<T>(PhantomData<T>);

impl<'de, T: ListRow> Visitor<'de> for RowArrayVisitor<T> {
    type Value = RowArray<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with the array `{}`", T::KEY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rows = None;
        while let Some(key) = map.next_key::<Text>()? {
            if &*key != T::KEY {
                map.next_value::<IgnoredAny>()?;
            } else if rows.replace(map.next_value::<Vec<StrictObject<T>>>()?).is_some() {
                // Which of the two counts, nobody knows.
                return Err(A::Error::custom(format_args!(
                    "an object in it has the key {:?} twice",
                    T::KEY
                )));
            }
        }
        let rows = rows.ok_or_else(|| A::Error::missing_field(T::KEY))?;
        Ok(RowArray(rows.into_iter().map(|StrictObject(row)| row).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DirectoryGroup, DirectoryGroupMember, ListRow, Member, PageBody, PageError, Role,
        RoleMember,
    };

    fn read(body: &str) -> Result<PageBody<Vec<Member>>, PageError> {
        PageBody::read(body.as_bytes())
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
            r#"{"data":{"members":[["a"]]}}"#,
            r#"[{"members":[{"id":"a"}]},{"hasNextPage":false}]"#,
            r#"{"data":{"members":[]},"pagination":[true]}"#,
            r#"{"data":{"roles":[]},"pagination":{"hasNextPage":false}}"#,
            r#"{"data":{"members":[{"id":"a"}"#,
            r#"{"data":{"members":[]},"pagination":{"hasNextPage":true,"cursor":"\ud83d"}}"#,
        ] {
            assert!(matches!(read(body), Err(PageError::Json(_))), "{body}");
        }
    }

    #[test]
    fn an_answer_is_known_to_be_cut_short_wherever_it_ends() {
        let body =
            r#"{"data":{"members":[{"id":"a","x":[-0.5e+1,true,null,"\u00e9"]}]},"y":-1e-9}"#;
        for end in 1..body.len() {
            let error = read(&body[..end]).unwrap_err();
            assert!(error.is_cut_short(), "{}: {error}", &body[..end]);
        }
        for wrong in ["<", "{]", r#"{"data":01}"#, r#"{"data":{"members":[1e]}}"#, "{} {", "{}"] {
            assert!(!read(wrong).unwrap_err().is_cut_short(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_only_where_it_is_read() {
        for body in [
            r#"{"data":{"members":[{"id":"a"}],"members":[]}}"#,
            r#"{"data":{"members":[{"id":"a"}],"\u006dembers":[]}}"#,
            r#"{"data":{"members":[{"id":"a","\u0069d":"b"}]}}"#,
            r#"{"data":{"members":[{"id":"a"}]},"data":{"members":[]}}"#,
            r#"{"data":{"members":[]},"pagination":{"hasNextPage":true,"hasNextPage":false}}"#,
            r#"{"data":{"members":[]},"pagination":{"cursor":"a","cursor":"b"}}"#,
            r#"{"data":{"members":[]},"pagination":null,"pagination":{}}"#,
        ] {
            assert!(matches!(read(body), Err(PageError::Json(_))), "{body}");
        }
        for body in [
            r#"{"data":{"members":[],"roles":[1],"roles":[2]}}"#,
            r#"{"data":{"members":[]},"extra":{"a":1,"a":1},"extra":7}"#,
            r#"{"data":{"members":[]},"pagination":{"count":1,"count":2}}"#,
        ] {
            assert!(read(body).unwrap().rows.is_empty(), "{body}");
        }
        assert_eq!(read(r#"{"data":{"members":[{"id":"a","b":1,"b":2}]}}"#).unwrap().rows.len(), 1);
    }

    #[test]
    fn fields_that_are_malformed_are_known_by_name() {
        fn names<T: ListRow>(row: &str) -> Vec<&'static str> {
            let body = format!(r#"{{"data":{{"{}":[{row}]}}}}"#, T::KEY);
            let told = PageBody::<Vec<T>>::read(body.as_bytes()).unwrap();
            told.rows[0].malformed_fields().collect()
        }
        let row = r#"{"id":"a","name":1,"joinedAt":1,"lastLoginTime":1,"finalized":1,"type":1,
            "description":1,"restrictions":1,"createdAt":1,"updatedAt":1,"idpId":1,
            "emails":[1,{"address":1,"verified":1}],"other":1}"#;
        let emails = ["emails", "emails", "verified"];
        let own = |own: &[&'static str]| [own, &emails].concat();
        assert_eq!(names::<Member>(row), own(&["name", "joinedAt", "lastLoginTime", "finalized"]));
        assert_eq!(names::<RoleMember>(row), own(&["name", "type", "lastLoginTime"]));
        assert_eq!(names::<DirectoryGroupMember>(row), own(&["name", "lastLoginTime"]));
        let times = ["createdAt", "updatedAt"];
        assert_eq!(names::<Role>(row)[..3], ["name", "description", "restrictions"]);
        assert_eq!(names::<Role>(row)[3..], times);
        assert_eq!(names::<DirectoryGroup>(row)[..2], ["name", "idpId"]);
        assert_eq!(names::<DirectoryGroup>(row)[2..], times);
        assert_eq!(names::<Member>(r#"{"id":"a","name":null}"#), [""; 0]);
    }
}
