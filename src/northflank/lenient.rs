//! How strictly the parts of an answer are read: ids to the letter, what a sync can do without
//! as they come.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::{NO_CHARACTER, Text};

/// A part of a row that a sync can do without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Lenient<T> {
    /// It says nothing.
    #[default]
    Absent,
    /// It says this.
    Read(T),
    /// It isn't what the API documents.
    Malformed,
}

impl<T> Lenient<T> {
    /// What it says.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Read(part) => Some(part),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// The same, dereferenced.
    pub fn as_deref(&self) -> Option<&T::Target>
    where
        T: Deref,
    {
        self.as_ref().map(Deref::deref)
    }

    /// What it says, by itself.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Read(part) => Some(part),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// Whether it isn't what the API documents.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed)
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Lenient<U> {
        match self {
            Self::Absent => Lenient::Absent,
            Self::Read(part) => Lenient::Read(map(part)),
            Self::Malformed => Lenient::Malformed,
        }
    }
}

impl<T> From<Option<T>> for Lenient<T> {
    fn from(part: Option<T>) -> Self {
        part.map_or(Self::Absent, Self::Read)
    }
}

impl<T: for<'json> Deserialize<'json>> Lenient<T> {
    /// Reads it. What can't be taken for anything is a key twice: either value could count.
    pub(super) fn read(json: &str) -> serde_json::Result<Self> {
        if json == "null" {
            return Ok(Self::Absent);
        }
        match serde_json::from_str(json) {
            Ok(part) => Ok(Self::Read(part)),
            Err(error) if error.to_string().starts_with(TWICE) => Err(error),
            Err(_) => Ok(Self::Malformed),
        }
    }
}

/// How serde begins to say so.
pub(super) const TWICE: &str = "duplicate field";

impl<'de, T: for<'json> Deserialize<'json>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(json.get()).map_err(D::Error::custom)
    }
}

/// An object. A struct by itself would also be read from an array, by the order of its fields.
pub(super) struct StrictObject<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StrictObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StrictObjectVisitor(PhantomData))
    }
}

struct StrictObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StrictObjectVisitor<T> {
    type Value = StrictObject<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StrictObject<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(StrictObject)
    }
}

/// An object that a sync can do without.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<Lenient<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'json> Deserialize<'json>,
{
    let object = Lenient::<StrictObject<T>>::deserialize(deserializer)?;
    Ok(object.map(|StrictObject(object)| object))
}

pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    Ok(ExactText::deserialize(deserializer)?.0)
}

/// An id, unless it is null or blank.
pub(super) fn id_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text>, D::Error> {
    let id = Option::<ExactText>::deserialize(deserializer)?.map(|ExactText(id)| id);
    Ok(id.filter(|id| id.filled().is_some()))
}

/// A cursor, unless it is null or empty.
pub(super) fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    let cursor = Option::<ExactText>::deserialize(deserializer)?.map(|ExactText(cursor)| cursor);
    Ok(cursor.filter(|cursor| !cursor.is_empty()))
}

/// Ids, of which there may be none.
pub(super) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    let ids = Option::<Vec<ExactText>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(ids.into_iter().map(|ExactText(id)| id).collect())
}

/// A text to the letter. One that holds what is no character is refused rather than mended: with
/// another letter it would name something else.
pub(super) struct ExactText(pub(super) Text);

impl<'de> Deserialize<'de> for ExactText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ExactTextVisitor)
    }
}

struct ExactTextVisitor;

impl Visitor<'_> for ExactTextVisitor {
    type Value = ExactText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExactText, E> {
        if text.contains(NO_CHARACTER) {
            return Err(E::custom("an id or cursor holds what is no character"));
        }
        Ok(ExactText(text.into()))
    }
}
