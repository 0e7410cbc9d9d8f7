//! Profiles: the free-form facts of a resource, as a `google.protobuf.Struct`.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

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

    /// Adds a number of things, if there are any.
    #[must_use]
    pub fn count(self, key: &str, count: usize) -> Self {
        // A profile knows only fractions; nobody has so many of anything that one is lost.
        let number = u32::try_from(count).unwrap_or(u32::MAX);
        self.with(key, (count > 0).then(|| Kind::NumberValue(number.into())))
    }

    /// Adds a list of texts, if it has any.
    #[must_use]
    pub fn texts<'text>(self, key: &str, values: impl IntoIterator<Item = &'text str>) -> Self {
        let values = values.into_iter().map(|value| Kind::StringValue(value.to_owned()));
        self.list(key, values)
    }

    /// Adds a set of texts, in order, if it has any.
    #[must_use]
    pub fn text_set<'text>(self, key: &str, values: impl IntoIterator<Item = &'text str>) -> Self {
        self.texts(key, values).in_order(key)
    }

    /// Adds a set of nested profiles, in order, if it has any.
    #[must_use]
    pub fn profile_set(self, key: &str, values: impl IntoIterator<Item = Profile>) -> Self {
        self.profiles(key, values).in_order(key)
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

    fn in_order(mut self, key: &str) -> Self {
        let kind = self.0.get_mut(key).and_then(|value| value.kind.as_mut());
        if let Some(Kind::ListValue(list)) = kind {
            order_set(&mut list.values);
        }
        self
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

/// Puts the values of a set in order, each once: texts, and profiles by their ids.
pub fn order_set(values: &mut Vec<Value>) {
    let text = |value: &Value| match &value.kind {
        Some(Kind::StringValue(text)) => Some(text.clone()),
        _ => None,
    };
    values.sort_by_cached_key(|value| {
        let name = match &value.kind {
            Some(Kind::StructValue(profile)) => profile.fields.get("id").and_then(text),
            _ => text(value),
        };
        (name, value.encode_to_vec())
    });
    values.dedup();
}
