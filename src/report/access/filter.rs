//! The part of a sync that is asked for.

use crate::baton::resource_key;
use crate::c1z::{GrantQuery, OpenSync, RowKind};
use crate::report::model::ResourceRef;

use super::error::Error;
use super::filter_kind::FilterKind;
use super::grant_info::GrantInfo;
use super::named_resources::{NamedResources, TypedId};
use super::trait_index::TraitIndex;
use super::unknown_id::UnknownId;

/// Of what is to be told. A grant has to be of each kind that is named, and there of any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Users, each by id, e-mail address or name: what they hold.
    pub users: Vec<String>,
    /// Roles, each by id or name: who holds them.
    pub roles: Vec<String>,
    /// Groups, each by id or name: who is in them, what they hold, and what is held through them.
    pub groups: Vec<String>,
}

/// The resources that are asked for; of a kind that nobody asked for, none.
#[derive(Debug, Default)]
pub(in crate::report) struct FilterMatch {
    users: Vec<TypedId>,
    roles: Vec<TypedId>,
    groups: Vec<TypedId>,
}

impl FilterMatch {
    /// Finds what is asked for.
    pub(in crate::report) fn find(
        sync: &OpenSync,
        traits: &TraitIndex,
        asked: &Filter,
    ) -> Result<Self, Error> {
        let find = |kind, texts: &[String]| {
            let mut found = Vec::new();
            for text in texts {
                let search = FilterSearch { sync, traits, kind };
                for id in search.find(text)? {
                    if !found.contains(&id) {
                        found.push(id);
                    }
                }
            }
            Ok::<_, Error>(found)
        };
        Ok(Self {
            users: find(FilterKind::User, &asked.users)?,
            roles: find(FilterKind::Role, &asked.roles)?,
            groups: find(FilterKind::Group, &asked.groups)?,
        })
    }

    /// Whether everything is asked for.
    pub(in crate::report) fn is_everything(&self) -> bool {
        self.users.is_empty() && self.roles.is_empty() && self.groups.is_empty()
    }

    /// Whether people are asked for, or everybody is.
    pub(in crate::report) fn is_by_person(&self) -> bool {
        !self.users.is_empty() || self.is_everything()
    }

    /// Whether everybody is told of who holds a role that is.
    pub(in crate::report) fn has_all_holders(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// What is to be told of: if people are asked for, they are, else roles, else groups. Those
    /// of other traits say what of it.
    pub(in crate::report) fn ids(&self) -> impl Iterator<Item = &TypedId> {
        [&self.users, &self.roles, &self.groups]
            .into_iter()
            .find(|ids| !ids.is_empty())
            .into_iter()
            .flatten()
    }

    /// What else it was narrowed down to.
    pub(in crate::report) fn narrowed_to(&self) -> (&[TypedId], &[TypedId]) {
        match (&self.users[..], &self.roles[..]) {
            ([], []) => (&[], &[]),
            ([], _) => (&[], &self.groups),
            _ => (&self.roles, &self.groups),
        }
    }

    /// Everything that was asked for, by type and id.
    pub(in crate::report) fn every_id(&self) -> impl Iterator<Item = &TypedId> {
        self.users.iter().chain(&self.roles).chain(&self.groups)
    }

    /// The grants among which those that were asked for are found, in the file's order.
    pub(in crate::report) fn grants(&self) -> GrantQuery<'_> {
        match (&self.users[..], &self.roles[..]) {
            ([(kind, id)], _) => GrantQuery::HeldBy(kind, id),
            ([], [(kind, id)]) => GrantQuery::Of(kind, id),
            _ => GrantQuery::All,
        }
    }

    /// Whether a grant may be meant, as far as its columns tell.
    pub(in crate::report) fn may_have(
        &self,
        principal: (&str, &str),
        resource: (&str, &str),
    ) -> bool {
        (self.users.is_empty() || has(&self.users, principal))
            && (self.roles.is_empty() || has(&self.roles, resource))
    }

    /// Whether a grant that may be meant is.
    pub(in crate::report) fn has(&self, grant: &GrantInfo) -> bool {
        let names = |reference: &ResourceRef| {
            has(&self.groups, (&reference.resource_type, &reference.resource))
        };
        self.groups.is_empty()
            || names(&grant.principal.reference)
            || names(&grant.entitlement.resource.reference)
            || grant.path.through().iter().any(|entitlement| names(&entitlement.resource.reference))
    }
}

fn has(ids: &[TypedId], (resource_type, id): (&str, &str)) -> bool {
    ids.iter().any(|(other_type, other)| other == id && other_type == resource_type)
}

/// A search for resources of one kind.
pub(super) struct FilterSearch<'sync> {
    pub(super) sync: &'sync OpenSync,
    pub(super) traits: &'sync TraitIndex,
    pub(super) kind: FilterKind,
}

impl FilterSearch<'_> {
    /// The resources that `text` names: by id, by type and id, by an e-mail address, or by a name
    /// that nothing else of the kind has. Several types may have the same id.
    fn find(&self, text: &str) -> Result<Vec<TypedId>, Error> {
        let found = self.find_by_id(text)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let names = NamedResources::find(self.sync, self.traits, [text])?;
        let found = self.find_by_name(text, &names)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let (kinds, takes_any_type) = (&[self.kind], false);
        let Self { sync, traits, .. } = *self;
        Err(UnknownId { sync, traits, kinds, takes_any_type, text }.error(true)?)
    }

    /// The resources that have the id `text`, or that type and id.
    pub(super) fn find_by_id(&self, text: &str) -> Result<Vec<TypedId>, Error> {
        let with_type = text.match_indices([':', '/']).filter_map(|(at, _)| {
            let resource_type = &text[..at];
            let is_one = self.traits.of(resource_type).is(self.kind);
            is_one.then(|| (resource_type, &text[at + 1..]))
        });
        let mut found = Vec::new();
        for (resource_type, id) in
            self.traits.types(self.kind).map(|resource_type| (resource_type, text)).chain(with_type)
        {
            if self.is_there(resource_type, id)? {
                found.push((resource_type.to_owned(), id.to_owned()));
            }
        }
        Ok(found)
    }

    /// Whether the file has a row for it, or a grant that names it: connectors may leave a
    /// principal's row out.
    pub(super) fn is_there(&self, resource_type: &str, id: &str) -> Result<bool, Error> {
        let key = resource_key(resource_type, id);
        Ok(self.sync.row(RowKind::Resources, &key)?.is_some()
            || self.sync.is_named_by_a_grant(resource_type, id)?)
    }

    /// Who has the address `text`, or else what has that name; nothing where nothing does.
    pub(super) fn find_by_name(
        &self,
        text: &str,
        names: &NamedResources,
    ) -> Result<Vec<TypedId>, Error> {
        let found = names.of(self.traits, self.kind, text);
        if found.len() < 2 {
            return Ok(found);
        }
        let file = self.sync.sync().file.clone();
        let ids = found.into_iter().map(|(_, id)| id).collect();
        Err(Error::Ambiguous { file, kind: self.kind, text: text.to_owned(), ids })
    }
}
