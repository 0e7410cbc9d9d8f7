//! What changed between two syncs: resources, entitlements and grants that came, went or
//! changed, and through what somebody holds what.
//!
//! A row counts as changed if its message did, as for `baton diff`; what exactly changed is
//! told in facts.

mod error;
mod facts;
mod markdown;
mod table;

pub use error::Error;
pub use markdown::markdown;
pub use table::table;

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use serde::Serialize;

use crate::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use crate::c1z::{ComparedSync, Comparison, Rows, Side};

use facts::Facts;

/// Everything that changed from one sync to another, by id.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// The earlier sync.
    pub old: SyncLabel,
    /// The later sync.
    pub new: SyncLabel,
    /// Users, roles, groups and whatever else there is.
    pub resources: Changes<Named>,
    /// What resources give.
    pub entitlements: Changes<Entitled>,
    /// Who holds what.
    pub grants: Changes<Held>,
}

/// Which sync it is.
#[derive(Debug, Clone, Serialize)]
pub struct SyncLabel {
    /// The file that holds it.
    pub file: String,
    /// Its id.
    pub sync_id: String,
    /// When it ended, as the file has it.
    pub ended_at: String,
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

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The id of its type.
    pub resource_type: String,
    /// Its own id.
    pub resource: String,
    /// What people call it; its id if the file doesn't tell.
    pub display_name: String,
}

/// An entitlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entitled {
    /// Its id.
    pub id: String,
    /// What it is called among those of its resource.
    pub slug: String,
    /// Whose it is.
    pub resource: Named,
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
        let mut names = Names { comparison, resources: HashMap::new() };
        Ok(Self {
            old: SyncLabel::new(comparison.sync(Side::Old)),
            new: SyncLabel::new(comparison.sync(Side::New)),
            resources: names.changes(Rows::Resources, |_, _, resource: &Resource| {
                Ok((Named::new(resource), facts::of_resource(resource)))
            })?,
            entitlements: names.changes(Rows::Entitlements, |names, side, entitlement| {
                Ok((names.entitled(side, entitlement)?, facts::of_entitlement(entitlement)))
            })?,
            grants: names.changes(Rows::Grants, |names, side, grant| {
                let held = names.held(side, grant)?;
                let facts = facts::of_grant(grant, how(&held));
                Ok((held, facts))
            })?,
        })
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.entitlements.is_empty() && self.grants.is_empty()
    }
}

impl<T> Changes<T> {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.modified.is_empty() && self.deleted.is_empty()
    }
}

impl SyncLabel {
    fn new(sync: &ComparedSync) -> Self {
        Self {
            file: sync.file.display().to_string(),
            sync_id: sync.sync_id.clone(),
            ended_at: sync.ended_at.clone(),
        }
    }
}

impl Named {
    fn new(resource: &Resource) -> Self {
        let id = resource.id.clone().unwrap_or_default();
        let name = &resource.display_name;
        let display_name = if name.is_empty() { &id.resource } else { name };
        Self {
            display_name: display_name.clone(),
            resource_type: id.resource_type,
            resource: id.resource,
        }
    }
}

/// Through what somebody holds something, in words.
fn how(held: &Held) -> String {
    let direct = held.direct.then(|| "direct".to_owned());
    let through = held.through.iter().map(|source| {
        format!("through {} {}", source.resource.resource_type, source.resource.display_name)
    });
    let ways: Vec<_> = direct.into_iter().chain(through).collect();
    match &held.membership {
        Some(membership) if ways.is_empty() => membership.clone(),
        _ => ways.join(" and "),
    }
}

/// Finds what rows name only by id.
struct Names<'comparison> {
    comparison: &'comparison Comparison,
    resources: HashMap<(Side, ResourceKey), Named>,
}

type ResourceKey = (String, String);

impl Names<'_> {
    /// The changed rows of one kind, each with its facts.
    fn changes<M: Message + Default, T>(
        &mut self,
        rows: Rows,
        read: impl Fn(&mut Self, Side, &M) -> Result<(T, Facts), Error>,
    ) -> Result<Changes<T>, Error> {
        let mut changes =
            Changes { created: Vec::new(), modified: Vec::new(), deleted: Vec::new() };
        let comparison = self.comparison;
        comparison.differences(rows, |difference| {
            let mut read = |side, data: Option<Vec<u8>>| {
                data.map(|data| read(self, side, &decode(comparison, side, &data)?)).transpose()
            };
            let old = read(Side::Old, difference.old)?;
            let new = read(Side::New, difference.new)?;
            match (old, new) {
                (None, Some((row, _))) => changes.created.push(row),
                (Some((row, _)), None) => changes.deleted.push(row),
                (Some((_, before)), Some((row, after))) => {
                    let changes_of_row = facts::changed(&before, &after);
                    changes.modified.push(Modified { row, changes: changes_of_row });
                }
                (None, None) => {}
            }
            Ok::<_, Error>(())
        })?;
        Ok(changes)
    }

    fn resource(&mut self, side: Side, id: &ResourceId) -> Result<Named, Error> {
        let key = (side, (id.resource_type.clone(), id.resource.clone()));
        if let Some(named) = self.resources.get(&key) {
            return Ok(named.clone());
        }
        let row_id = crate::baton::resource_key(&id.resource_type, &id.resource);
        let resource = match self.comparison.row(side, Rows::Resources, &row_id)? {
            Some(data) => decode(self.comparison, side, &data)?,
            None => Resource { id: Some(id.clone()), ..Resource::default() },
        };
        let named = Named::new(&resource);
        self.resources.insert(key, named.clone());
        Ok(named)
    }

    fn entitled(&mut self, side: Side, entitlement: &Entitlement) -> Result<Entitled, Error> {
        let resource = entitlement.resource.as_ref().and_then(|resource| resource.id.as_ref());
        Ok(Entitled {
            id: entitlement.id.clone(),
            slug: if entitlement.slug.is_empty() {
                entitlement.display_name.clone()
            } else {
                entitlement.slug.clone()
            },
            resource: self.resource(side, resource.unwrap_or(&ResourceId::default()))?,
        })
    }

    /// An entitlement of which only the id is sure to be known.
    fn entitlement(
        &mut self,
        side: Side,
        id: &str,
        known: Option<&Entitlement>,
    ) -> Result<Entitled, Error> {
        if let Some(data) = self.comparison.row(side, Rows::Entitlements, id)? {
            return self.entitled(side, &decode(self.comparison, side, &data)?);
        }
        let unknown = Entitlement { id: id.to_owned(), ..Entitlement::default() };
        self.entitled(side, known.unwrap_or(&unknown))
    }

    fn held(&mut self, side: Side, grant: &Grant) -> Result<Held, Error> {
        let principal = grant.principal.as_ref().and_then(|principal| principal.id.as_ref());
        let entitlement = grant.entitlement.as_ref();
        let id = entitlement.map_or("", |entitlement| entitlement.id.as_str());
        let sources: Option<&BTreeMap<_, _>> =
            grant.sources.as_ref().map(|sources| &sources.sources);
        let sources = || sources.into_iter().flat_map(BTreeMap::keys);
        let membership = facts::membership(grant);
        let mut through = Vec::new();
        for source in sources().filter(|source| *source != id) {
            through.push(self.entitlement(side, source, None)?);
        }
        Ok(Held {
            id: grant.id.clone(),
            principal: self.resource(side, principal.unwrap_or(&ResourceId::default()))?,
            entitlement: self.entitlement(side, id, entitlement)?,
            direct: sources().any(|source| source == id)
                || (through.is_empty() && membership.is_none()),
            through,
            membership,
        })
    }
}

fn decode<M: Message + Default>(
    comparison: &Comparison,
    side: Side,
    data: &[u8],
) -> Result<M, Error> {
    M::decode(data)
        .map_err(|source| Error::Message { file: comparison.sync(side).file.clone(), source })
}
