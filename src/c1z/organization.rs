//! Whose access a sync tells of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a sync says of the organization that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// What its own service calls it in addresses; it may change.
    #[serde(default)]
    slug: Option<String>,
    /// Its id, which stays.
    #[serde(default)]
    uid: Option<String>,
}

impl Organization {
    /// As far as it is known; `None` if nothing is.
    pub fn new(slug: Option<String>, uid: Option<String>) -> Option<Self> {
        (slug.is_some() || uid.is_some()).then_some(Self { slug, uid })
    }

    /// What people call it: its slug, or else its id.
    pub fn name(&self) -> &str {
        self.slug.as_deref().or(self.uid.as_deref()).unwrap_or_default()
    }

    /// Whether they are two for certain: by their ids where both are known, else by their slugs.
    pub fn is_other_than(&self, other: &Self) -> bool {
        let differ = |one: &Option<String>, another: &Option<String>| {
            one.as_ref().zip(another.as_ref()).map(|(one, another)| one != another)
        };
        differ(&self.uid, &other.uid).or_else(|| differ(&self.slug, &other.slug)).unwrap_or(false)
    }
}

/// By its slug, and its id where that alone tells it from another.
impl fmt::Display for Organization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.slug, &self.uid) {
            (Some(slug), Some(uid)) => write!(formatter, "{slug} ({uid})"),
            _ => formatter.write_str(self.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Organization;

    #[test]
    fn organizations_are_told_apart_by_id_and_else_by_slug() {
        let known = |slug: &str, uid: &str| {
            let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Organization::new(said(slug), said(uid)).unwrap()
        };
        for (one, another, is_other) in [
            (known("acme", "1"), known("acme", "1"), false),
            (known("acme", "1"), known("renamed", "1"), false),
            (known("acme", "1"), known("acme", "2"), true),
            (known("acme", "1"), known("acme", ""), false),
            (known("acme", "1"), known("other", ""), true),
            (known("acme", ""), known("", "1"), false),
            (known("", "1"), known("", "2"), true),
        ] {
            assert_eq!(one.is_other_than(&another), is_other, "{one} {another}");
            assert_eq!(another.is_other_than(&one), is_other, "{another} {one}");
        }
        assert_eq!(Organization::new(None, None), None);
        assert_eq!(known("acme", "1").to_string(), "acme (1)");
        assert_eq!((known("acme", "1").name(), known("", "1").name()), ("acme", "1"));
    }
}
