//! Profiles: the free-form facts of a resource, as a `google.protobuf.Struct`.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

/// The key under which the profile of a user of this connector's tells the last login. Whoever
/// compares files has to know it: a login is no change.
pub const LAST_LOGIN: &str = "last_login_at";

/// What the status of a user of this connector's says whom the member list lacks.
pub const NOT_LISTED: &str = "not in the organization's member list";

/// Builds a profile. Absent facts are left out, never written as null or empty.
#[derive(Debug, Clone, Default)]
pub struct Profile(BTreeMap<String, Value>);

impl Profile {
    /// An empty profile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text, if there is one.
    #[must_use]
    pub fn text(self, key: &str, value: Option<&str>) -> Self {
        self.with(key, value.map(|value| Kind::StringValue(value.to_owned())))
    }

    /// Adds a truth value, if it is known.
    #[must_use]
    pub fn flag(self, key: &str, value: Option<bool>) -> Self {
        self.with(key, value.map(Kind::BoolValue))
    }

    /// Adds a list of texts, if it has any.
    #[must_use]
    pub fn texts<'text>(self, key: &str, values: impl IntoIterator<Item = &'text str>) -> Self {
        let values = values.into_iter().map(|value| Kind::StringValue(value.to_owned()));
        self.list(key, values)
    }

    /// Adds a list of nested profiles, if it has any.
    #[must_use]
    pub fn profiles(self, key: &str, values: impl IntoIterator<Item = Profile>) -> Self {
        let values = values.into_iter().map(|value| Kind::StructValue(value.build()));
        self.list(key, values)
    }

    /// The finished struct.
    pub fn build(self) -> Struct {
        Struct { fields: self.0 }
    }

    fn list(self, key: &str, values: impl Iterator<Item = Kind>) -> Self {
        let values: Vec<Value> = values.map(|kind| Value { kind: Some(kind) }).collect();
        let kind = (!values.is_empty()).then_some(Kind::ListValue(ListValue { values }));
        self.with(key, kind)
    }

    fn with(mut self, key: &str, kind: Option<Kind>) -> Self {
        if kind.is_some() {
            self.0.insert(key.to_owned(), Value { kind });
        }
        self
    }
}
