//! Which types are people, groups and roles.

use std::collections::BTreeMap;

use crate::baton::v2::ResourceType;
use crate::baton::v2::resource_type::Trait;
use crate::c1z::{OpenSync, RowKind};
use crate::report::model::NameIndex;

use super::error::Error;
use super::filter_kind::FilterKind;

/// What a resource type is. A type can be several things, and nothing of this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a type can be several things")]
pub(in crate::report) struct TypeTraits {
    pub(in crate::report) user: bool,
    pub(in crate::report) role: bool,
    pub(in crate::report) group: bool,
    pub(in crate::report) secret: bool,
}

/// What the types of a sync are.
#[derive(Debug)]
pub(in crate::report) struct TraitIndex(BTreeMap<String, TypeTraits>);

impl TypeTraits {
    pub(in crate::report) fn is(self, kind: FilterKind) -> bool {
        match kind {
            FilterKind::User => self.user,
            FilterKind::Role => self.role,
            FilterKind::Group => self.group,
        }
    }
}

impl TraitIndex {
    /// Reads them from the types' traits.
    pub(in crate::report) fn read(sync: &OpenSync) -> Result<Self, Error> {
        // Files of former years may have no rows of types: then the names tell.
        let by_name = [
            ("user", TypeTraits { user: true, ..TypeTraits::default() }),
            ("role", TypeTraits { role: true, ..TypeTraits::default() }),
            ("group", TypeTraits { group: true, ..TypeTraits::default() }),
        ];
        let mut kinds: BTreeMap<_, _> =
            by_name.into_iter().map(|(name, traits)| (name.to_owned(), traits)).collect();
        let names = NameIndex::new(sync);
        sync.each(RowKind::ResourceTypes, |_, data| {
            let kind: ResourceType = names.decode(data)?;
            let has = |wanted: Trait| kind.traits.contains(&wanted.into());
            let traits = TypeTraits {
                user: has(Trait::User),
                role: has(Trait::Role),
                group: has(Trait::Group),
                secret: has(Trait::Secret),
            };
            kinds.insert(kind.id, traits);
            Ok::<_, Error>(())
        })?;
        Ok(Self(kinds))
    }

    /// What a type is.
    pub(in crate::report) fn of(&self, resource_type: &str) -> TypeTraits {
        self.0.get(resource_type).copied().unwrap_or_default()
    }

    /// Whether there is a type of this name.
    pub(in crate::report) fn has(&self, resource_type: &str) -> bool {
        self.0.contains_key(resource_type)
    }

    /// Whether there is a type of secrets.
    pub(in crate::report) fn has_secrets(&self) -> bool {
        self.0.values().any(|traits| traits.secret)
    }

    /// The types that are of a kind.
    pub(in crate::report) fn types(&self, kind: FilterKind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, traits)| traits.is(kind)).map(|(name, _)| name.as_str())
    }
}
