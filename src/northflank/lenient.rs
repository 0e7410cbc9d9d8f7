//! How strictly the parts of an answer are read: ids to the letter, what a sync can do without
//! as they come.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use super::text::Text;

/// A part of a row that a sync can do without.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dispensable<T> {
    /// It says this.
    Read(T),
    /// It isn't what the API documents.
    Malformed,
}

impl<'de, T: for<'json> Deserialize<'json>> Deserialize<'de> for Dispensable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(serde_json::from_str(json.get()).map_or(Self::Malformed, Self::Read))
    }
}

/// A text. Anything else says nothing.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Ok(match Option::deserialize(deserializer)? {
        Some(Dispensable::Read(text)) => Some(text),
        Some(Dispensable::Malformed) | None => None,
    })
}

/// An id.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    Ok(Exact::deserialize(deserializer)?.0)
}

/// An id, unless it is null or blank.
pub(super) fn id_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text>, D::Error> {
    let id = Option::<Exact>::deserialize(deserializer)?.map(|Exact(id)| id);
    Ok(id.filter(|id| id.filled().is_some()))
}

/// A cursor, unless it is null or empty.
pub(super) fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    let cursor = Option::<Exact>::deserialize(deserializer)?.map(|Exact(cursor)| cursor);
    Ok(cursor.filter(|cursor| !cursor.is_empty()))
}

/// Ids, of which there may be none.
pub(super) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    let ids = Option::<Vec<Exact>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(ids.into_iter().map(|Exact(id)| id).collect())
}

/// A text to the letter. One with half a surrogate pair is refused rather than mended: with
/// another letter it would name something else.
struct Exact(Text);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json then passes half surrogates through to be named here.
        deserializer.deserialize_bytes(ExactVisitor)
    }
}

struct ExactVisitor;

impl Visitor<'_> for ExactVisitor {
    type Value = Exact;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Exact, E> {
        Ok(Exact(text.into()))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Exact, E> {
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| E::custom("an id or cursor holds what is no character"))?;
        Ok(Exact(text.into()))
    }
}
