//! Which types are people, groups and roles.

use std::collections::BTreeMap;

use crate::baton::v2::ResourceType;
use crate::baton::v2::resource_type::Trait;
use crate::c1z::{OpenSync, Rows};
use crate::facts::Names;

use super::error::Error;
use super::kind::Kind;

/// What a resource type is. A type can be several things, and nothing of this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) user: bool,
    pub(super) role: bool,
    pub(super) group: bool,
}

/// What the types of a sync are.
#[derive(Debug)]
pub(super) struct Kinds(BTreeMap<String, Traits>);

impl Traits {
    pub(super) fn is(self, kind: Kind) -> bool {
        match kind {
            Kind::User => self.user,
            Kind::Role => self.role,
            Kind::Group => self.group,
        }
    }
}

impl Kinds {
    /// Reads them from the types' traits.
    pub(super) fn read(sync: &OpenSync) -> Result<Self, Error> {
        // Files of former years may have no rows of types: then the names tell.
        let by_name = [
            ("user", Traits { user: true, ..Traits::default() }),
            ("role", Traits { role: true, ..Traits::default() }),
            ("group", Traits { group: true, ..Traits::default() }),
        ];
        let mut kinds: BTreeMap<_, _> =
            by_name.into_iter().map(|(name, traits)| (name.to_owned(), traits)).collect();
        let names = Names::new(sync);
        sync.each(Rows::ResourceTypes, |_, data| {
            let kind: ResourceType = names.decode(data)?;
            let has = |wanted: Trait| kind.traits.contains(&wanted.into());
            let traits =
                Traits { user: has(Trait::User), role: has(Trait::Role), group: has(Trait::Group) };
            kinds.insert(kind.id, traits);
            Ok::<_, Error>(())
        })?;
        Ok(Self(kinds))
    }

    /// What a type is.
    pub(super) fn of(&self, resource_type: &str) -> Traits {
        self.0.get(resource_type).copied().unwrap_or_default()
    }

    /// The types that are of a kind.
    pub(super) fn types(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, traits)| traits.is(kind)).map(|(name, _)| name.as_str())
    }
}
