//! What changed, by id, with facts.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use prost::Message;
use serde::Serialize;

use crate::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use crate::c1z::{self, Comparison, FinishedSync, Rows, Side};
use crate::facts::{
    Entitled, Error, Facts, How, Messages, Named, Names, Namesakes, SyncLabel, in_words,
    of_entitlement, of_grant, of_resource, with_sets_in_order, without_login,
};

/// Everything that changed from one sync to another, by id.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// The earlier sync, if there is one to compare with.
    pub old: Option<SyncLabel>,
    /// The later sync.
    pub new: SyncLabel,
    /// Users, roles, groups and whatever else there is.
    pub resources: Changes<Named>,
    /// What resources give.
    pub entitlements: Changes<Entitled>,
    /// Who holds what.
    pub grants: Changes<Held>,
}

/// Changes of one kind of row.
#[derive(Debug, Clone, Serialize)]
pub struct Changes<T> {
    /// Only in the later sync.
    pub created: Vec<T>,
    /// In both, not the same. As they are in the later sync.
    pub modified: Vec<Modified<T>>,
    /// Only in the earlier sync.
    pub deleted: Vec<T>,
}

/// A row that is in both syncs and not the same.
#[derive(Debug, Clone, Serialize)]
pub struct Modified<T> {
    /// As it is in the later sync.
    #[serde(flatten)]
    pub row: T,
    /// What changed. Empty if it is something that no fact tells.
    pub changes: Vec<Change>,
}

/// A fact that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub fact: String,
    /// In the earlier sync, if it was there.
    pub old: Option<String>,
    /// In the later sync, if it is there.
    pub new: Option<String>,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// Who holds it.
    pub principal: Named,
    /// What is held.
    pub entitlement: Entitled,
    /// Whether it is held directly, maybe besides.
    pub direct: bool,
    /// Through which entitlements of other resources it is held.
    pub through: Vec<Entitled>,
    /// The source system's own word for a membership that nothing explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<String>,
}

impl Diff {
    /// Compares two syncs.
    pub fn new(comparison: &Comparison) -> Result<Self, Error> {
        let mut reading = Reading::new(comparison)?;
        Ok(Self {
            old: Some(SyncLabel::new(comparison.sync(Side::Old))),
            new: SyncLabel::new(comparison.sync(Side::New)),
            resources: reading.changes(Rows::Resources, |names, resource: &Resource| {
                Ok((names.named(resource), of_resource(resource)))
            })?,
            entitlements: reading.changes(Rows::Entitlements, |names, entitlement| {
                Ok((names.given(entitlement)?.entitled(), of_entitlement(entitlement)))
            })?,
            grants: reading.changes(Rows::Grants, |names, grant| {
                let held = held(names, grant)?;
                let facts = of_grant(grant, how(&held, str::to_owned));
                Ok((held, facts))
            })?,
        })
    }

    /// A sync that there is no earlier one to compare with: nothing changed, as far as anybody
    /// can tell.
    pub fn without_baseline(new: &FinishedSync) -> Self {
        Self {
            old: None,
            new: SyncLabel::new(new),
            resources: Changes::none(),
            entitlements: Changes::none(),
            grants: Changes::none(),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.entitlements.is_empty() && self.grants.is_empty()
    }
}

impl<T> Changes<T> {
    fn none() -> Self {
        Self { created: Vec::new(), modified: Vec::new(), deleted: Vec::new() }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.modified.is_empty() && self.deleted.is_empty()
    }
}

/// Through what somebody holds something, in words, with each name as it is shown.
pub(super) fn how(held: &Held, shown: impl Fn(&str) -> String) -> String {
    let by_itself = match &held.membership {
        _ if held.direct => Some("direct".to_owned()),
        Some(membership) if held.through.is_empty() => Some(shown(membership)),
        _ => None,
    };
    let called = |source: &Entitled| match source.resource.resource_type.as_str() {
        "" => shown(&source.id),
        kind => format!("{} {}", shown(kind), shown(&source.resource.distinct_name())),
    };
    in_words(by_itself.as_deref(), held.through.iter().map(called))
}

/// The facts that differ, by name.
fn changed(old: &Facts, new: &Facts) -> Vec<Change> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            fact: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

/// The rows of one of the two syncs.
struct OneOf<'comparison>(&'comparison Comparison, Side);

impl Messages for OneOf<'_> {
    fn file(&self) -> &Path {
        &self.0.sync(self.1).file
    }

    fn message(&self, rows: Rows, id: &str) -> Result<Option<Vec<u8>>, c1z::Error> {
        self.0.row(self.1, rows, id)
    }
}

/// The changed rows, and what their ids stand for in each sync.
struct Reading<'comparison> {
    comparison: &'comparison Comparison,
    old: Names<OneOf<'comparison>>,
    new: Names<OneOf<'comparison>>,
}

impl<'comparison> Reading<'comparison> {
    fn new(comparison: &'comparison Comparison) -> Result<Self, Error> {
        let names = |side| Names::new(OneOf(comparison, side));
        // A name that one resource had and another has now is that of two, as well.
        let mut namesakes = Namesakes::default();
        for side in [Side::Old, Side::New] {
            let names = names(side);
            comparison.each(side, Rows::Resources, |data| {
                Named::new(&names.decode(data)?).add_to(&mut namesakes);
                Ok::<_, Error>(())
            })?;
        }
        let namesakes = Rc::new(namesakes);
        let names = |side| names(side).beside(namesakes.clone());
        Ok(Self { comparison, old: names(Side::Old), new: names(Side::New) })
    }

    /// The changed rows of one kind, each with its facts.
    fn changes<M: Message + Default, T>(
        &mut self,
        rows: Rows,
        read: impl Fn(&mut Names<OneOf<'comparison>>, &M) -> Result<(T, Facts), Error>,
    ) -> Result<Changes<T>, Error> {
        let mut changes = Changes::none();
        let Self { comparison, old: old_names, new: new_names } = self;
        comparison.differences(rows, |mut difference| {
            if let (Rows::Resources, Some(old), Some(new)) =
                (rows, &mut difference.old, &mut difference.new)
            {
                for (data, names) in [(&mut *old, &*old_names), (&mut *new, &*new_names)] {
                    let rest = without_login(data);
                    let rest = rest.and_then(|rest| Ok(with_sets_in_order(&rest)?.into_owned()));
                    *data = rest.map_err(|error| names.no_message(error))?;
                }
                if old == new {
                    return Ok(());
                }
            }
            let read = |names: &mut Names<_>, data: Option<Vec<u8>>| {
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
                    changes.modified.push(Modified { row, changes: changed(&before, &after) });
                }
                (None, None) => {}
            }
            Ok::<_, Error>(())
        })?;
        Ok(changes)
    }
}

fn held(names: &mut Names<OneOf<'_>>, grant: &Grant) -> Result<Held, Error> {
    let principal = grant.principal.as_ref().and_then(|principal| principal.id.as_ref());
    let none = ResourceId::default();
    let ResourceId { resource_type, resource } = principal.unwrap_or(&none);
    let known = grant.entitlement.as_ref();
    let id = known.map_or("", |entitlement| entitlement.id.as_str());
    let how = How::new(id, grant.sources.as_ref(), &grant.annotations);
    let mut entitled = |id: &str, known: Option<&Entitlement>| {
        let only_id = || Entitlement { id: id.to_owned(), ..Entitlement::default() };
        let given = names.entitlement(id, || Ok(known.cloned().unwrap_or_else(only_id)))?;
        Ok::<_, Error>(given.entitled())
    };
    let entitlement = entitled(id, known)?;
    let through = how.through.iter().map(|id| entitled(id, None)).collect::<Result<_, _>>()?;
    Ok(Held {
        id: grant.id.clone(),
        principal: names.resource(resource_type, resource)?.named.clone(),
        entitlement,
        direct: how.direct,
        through,
        membership: how.membership,
    })
}

#[cfg(test)]
mod tests {
    use super::{Change, changed};
    use crate::facts::Facts;

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_facts_that_differ_are_changes() {
        let old = facts(&[("name", "a"), ("login", "l"), ("parent", "p")]);
        let new = facts(&[("name", "b"), ("login", "l"), ("emails", "e")]);
        let change = |fact: &str, old: Option<&str>, new: Option<&str>| Change {
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
