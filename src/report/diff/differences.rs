//! What changed, by id, with facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use prost::Message;
use serde::Serialize;

use crate::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use crate::c1z::{self, Comparison, FinishedSync, RowKind, SyncSide};
use crate::report::model::{
    Attributes, EntitlementRef, Error, GrantPath, Incomparable, NameIndex, Namesakes, ResourceRef,
    RowSource, SyncLabel, in_words, of_entitlement, of_grant, of_resource, with_sets_in_order,
};

/// Everything that changed from one sync to another, by id.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// The earlier sync, if there is one to compare with.
    pub old: Option<SyncLabel>,
    /// The later sync.
    pub new: SyncLabel,
    /// Users, roles, groups and whatever else there is.
    pub resources: RowChanges<ResourceRef>,
    /// What resources give.
    pub entitlements: RowChanges<EntitlementRef>,
    /// Who holds what.
    pub grants: RowChanges<DiffGrant>,
    /// The addresses of those whom it is about, by `type:id`: as they are in the later sync, or
    /// else were in the earlier one.
    pub emails: BTreeMap<String, String>,
}

/// Changes of one kind of row.
#[derive(Debug, Clone, Serialize)]
pub struct RowChanges<T> {
    /// Only in the later sync.
    pub created: Vec<T>,
    /// In both, not the same. As they are in the later sync.
    pub modified: Vec<ModifiedRow<T>>,
    /// Only in the earlier sync.
    pub deleted: Vec<T>,
}

/// A row that is in both syncs and not the same.
#[derive(Debug, Clone, Serialize)]
pub struct ModifiedRow<T> {
    /// As it is in the later sync.
    #[serde(flatten)]
    pub row: T,
    /// What changed. Empty if it is something that no fact tells.
    pub changes: Vec<AttributeChange>,
}

/// A fact that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttributeChange {
    /// Its name.
    pub fact: String,
    /// In the earlier sync, if it was there.
    pub old: Option<String>,
    /// In the later sync, if it is there.
    pub new: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffGrant {
    pub id: String,
    /// Who holds it.
    pub principal: ResourceRef,
    /// What is held.
    pub entitlement: EntitlementRef,
    /// Whether it is held directly, maybe besides.
    pub direct: bool,
    /// Through which entitlements of other resources it is held.
    pub through: Vec<EntitlementRef>,
    /// The source system's own word for a membership that nothing explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<String>,
}

impl Diff {
    /// Compares two syncs.
    pub fn new(comparison: &Comparison) -> Result<Self, Error> {
        let mut reading = DiffReader::new(comparison)?;
        let mut diff = Self {
            old: Some(SyncLabel::new(comparison.sync(SyncSide::Old))),
            new: SyncLabel::new(comparison.sync(SyncSide::New)),
            resources: reading.changes(RowKind::Resources, |names, resource: &Resource| {
                Ok((names.resource_ref(resource), of_resource(resource)))
            })?,
            entitlements: reading.changes(RowKind::Entitlements, |names, entitlement| {
                Ok((names.entitlement_info(entitlement)?.to_ref(), of_entitlement(entitlement)))
            })?,
            grants: reading.changes(RowKind::Grants, |names, grant| {
                let row = diff_grant(names, grant)?;
                let facts = of_grant(grant, path_in_words(&row, str::to_owned));
                Ok((row, facts))
            })?,
            emails: BTreeMap::new(),
        };
        diff.emails = reading.emails(&diff)?;
        Ok(diff)
    }

    /// The address of a resource, if it is somebody who has one.
    pub(super) fn email(&self, row: &ResourceRef) -> Option<&str> {
        self.emails.get(&row.key()).map(String::as_str)
    }

    /// A sync that there is no earlier one to compare with: nothing changed, as far as anybody
    /// can tell.
    pub fn without_baseline(new: &FinishedSync) -> Self {
        Self {
            old: None,
            new: SyncLabel::new(new),
            resources: RowChanges::none(),
            entitlements: RowChanges::none(),
            grants: RowChanges::none(),
            emails: BTreeMap::new(),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.entitlements.is_empty() && self.grants.is_empty()
    }
}

impl<T> RowChanges<T> {
    fn none() -> Self {
        Self { created: Vec::new(), modified: Vec::new(), deleted: Vec::new() }
    }

    fn rows(&self) -> impl Iterator<Item = &T> {
        let modified = self.modified.iter().map(|modified| &modified.row);
        self.created.iter().chain(&self.deleted).chain(modified)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.modified.is_empty() && self.deleted.is_empty()
    }
}

/// Through what somebody holds something, in words, with each name as it is shown.
pub(super) fn path_in_words(grant: &DiffGrant, shown: impl Fn(&str) -> String) -> String {
    let membership = grant.membership.as_deref().map(&shown);
    let called = |source: &EntitlementRef| match source.resource.resource_type.as_str() {
        "" => shown(&source.id),
        kind => format!("{} {}", shown(kind), shown(&source.resource.distinct_name())),
    };
    let direct = grant.direct.then_some("direct");
    in_words(direct, membership.as_deref(), grant.through.iter().map(called))
}

/// The facts that differ, by name.
fn changed(old: &Attributes, new: &Attributes) -> Vec<AttributeChange> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| AttributeChange {
            fact: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

/// The rows of one of the two syncs.
struct SideRows<'comparison>(&'comparison Comparison, SyncSide);

impl RowSource for SideRows<'_> {
    fn file(&self) -> &Path {
        &self.0.sync(self.1).file
    }

    fn message(&self, rows: RowKind, id: &str) -> Result<Option<Vec<u8>>, c1z::Error> {
        self.0.row(self.1, rows, id)
    }
}

/// The changed rows, and what their ids stand for in each sync.
struct DiffReader<'comparison> {
    comparison: &'comparison Comparison,
    old: NameIndex<SideRows<'comparison>>,
    new: NameIndex<SideRows<'comparison>>,
}

impl<'comparison> DiffReader<'comparison> {
    fn new(comparison: &'comparison Comparison) -> Result<Self, Error> {
        let names = |side| NameIndex::new(SideRows(comparison, side));
        // A name that one resource had and another has now is that of two, as well.
        let mut namesakes = Namesakes::default();
        for side in [SyncSide::Old, SyncSide::New] {
            let names = names(side);
            comparison.each(side, RowKind::Resources, |data| {
                ResourceRef::new(&names.decode(data)?).add_to(&mut namesakes);
                Ok::<_, Error>(())
            })?;
        }
        let namesakes = Rc::new(namesakes);
        let names = |side| names(side).with_namesakes(namesakes.clone());
        Ok(Self { comparison, old: names(SyncSide::Old), new: names(SyncSide::New) })
    }

    /// The addresses of those whom the changes are about.
    fn emails(&mut self, diff: &Diff) -> Result<BTreeMap<String, String>, Error> {
        let mut emails = BTreeMap::new();
        let principals = diff.grants.rows().map(|grant| &grant.principal);
        for row in diff.resources.rows().chain(principals) {
            for names in [&mut self.new, &mut self.old] {
                let info = names.resource(&row.resource_type, &row.resource)?;
                let email = info.person.as_ref().and_then(|person| person.email.clone());
                if let Some(email) = email {
                    emails.entry(row.key()).or_insert(email);
                }
            }
        }
        Ok(emails)
    }

    /// The changed rows of one kind, each with its facts.
    fn changes<M: Message + Default, T>(
        &mut self,
        rows: RowKind,
        read: impl Fn(&mut NameIndex<SideRows<'comparison>>, &M) -> Result<(T, Attributes), Error>,
    ) -> Result<RowChanges<T>, Error> {
        let mut changes = RowChanges::none();
        let Self { comparison, old: old_names, new: new_names } = self;
        let [old, new] = [SyncSide::Old, SyncSide::New].map(|side| comparison.sync(side));
        let incomparable = Incomparable::between(old, new);
        comparison.differences(rows, |mut difference| {
            if let (RowKind::Resources, Some(old), Some(new)) =
                (rows, &mut difference.old, &mut difference.new)
            {
                for (data, names) in [(&mut *old, &*old_names), (&mut *new, &*new_names)] {
                    let rest = incomparable.without(data);
                    let rest = rest.and_then(|rest| Ok(with_sets_in_order(&rest)?.into_owned()));
                    *data = rest.map_err(|error| names.no_message(error))?;
                }
                if old == new {
                    return Ok(());
                }
            }
            let read = |names: &mut NameIndex<_>, data: Option<Vec<u8>>| {
                data.map(|data| {
                    let message = names.decode(&data)?;
                    read(names, &message)
                })
                .transpose()
            };
            match (read(old_names, difference.old)?, read(new_names, difference.new)?) {
                (None, Some((row, _))) => changes.created.push(row),
                (Some((row, _)), None) => changes.deleted.push(row),
                (Some((_, before)), Some((row, after))) => {
                    changes.modified.push(ModifiedRow { row, changes: changed(&before, &after) });
                }
                (None, None) => {}
            }
            Ok::<_, Error>(())
        })?;
        Ok(changes)
    }
}

fn diff_grant(names: &mut NameIndex<SideRows<'_>>, grant: &Grant) -> Result<DiffGrant, Error> {
    let principal = grant.principal.as_ref().and_then(|principal| principal.id.as_ref());
    let none = ResourceId::default();
    let ResourceId { resource_type, resource } = principal.unwrap_or(&none);
    let info = grant.entitlement.as_ref();
    let id = info.map_or("", |entitlement| entitlement.id.as_str());
    let path = GrantPath::new(id, grant.sources.as_ref(), &grant.annotations);
    let mut entitled = |id: &str, info: Option<&Entitlement>| {
        let only_id = || Entitlement { id: id.to_owned(), ..Entitlement::default() };
        let entitlement = names.entitlement(id, || Ok(info.cloned().unwrap_or_else(only_id)))?;
        Ok::<_, Error>(entitlement.to_ref())
    };
    let entitlement = entitled(id, info)?;
    let through = path.through.iter().map(|id| entitled(id, None)).collect::<Result<_, _>>()?;
    Ok(DiffGrant {
        id: grant.id.clone(),
        principal: names.resource(resource_type, resource)?.reference.clone(),
        entitlement,
        direct: path.direct,
        through,
        membership: path.membership,
    })
}

#[cfg(test)]
mod tests {
    use super::{AttributeChange, changed};
    use crate::report::model::Attributes;

    fn facts(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_facts_that_differ_are_changes() {
        let old = facts(&[("name", "a"), ("login", "l"), ("parent", "p")]);
        let new = facts(&[("name", "b"), ("login", "l"), ("emails", "e")]);
        let change = |fact: &str, old: Option<&str>, new: Option<&str>| AttributeChange {
            fact: fact.into(),
            old: old.map(Into::into),
            new: new.map(Into::into),
        };
        assert_eq!(
            changed(&old, &new),
            [
                change("emails", None, Some("e")),
                change("name", Some("a"), Some("b")),
                change("parent", Some("p"), None),
            ]
        );
        assert!(changed(&old, &old).is_empty());
    }
}
