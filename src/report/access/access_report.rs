//! Reading a sync: its grants, or those of them that were asked for.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::baton::resource_key;
use crate::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use crate::c1z::{GrantRow, OpenSync, RowKind, ScratchDirectory};
use crate::digest::hex;
use crate::report::model::{GrantPath, NameIndex, Namesakes, ResourceInfo, ResourceRef, SyncLabel};

use super::error::Error;
use super::filter::{Filter, FilterMatch};
use super::grant_info::{GrantInfo, HeldVia, LINKED};
use super::trait_index::TraitIndex;

/// The access that a sync tells of, or the part of it that was asked for.
pub struct AccessReport {
    sync: OpenSync,
    traits: TraitIndex,
    namesakes: Rc<Namesakes>,
    selection: FilterMatch,
}

/// A grant.
#[derive(Debug, Clone, Copy)]
pub struct ReportRow<'row> {
    pub id: &'row str,
    /// Who holds it, what, and how.
    pub grant: &'row GrantInfo,
}

impl AccessReport {
    /// Opens the newest finished full sync of `file`, or the one that is named.
    ///
    /// It is unpacked into `scratch`, which has to last as long.
    pub fn open(
        file: &Path,
        sync_id: Option<&str>,
        asked: &Filter,
        scratch: &ScratchDirectory,
    ) -> Result<Self, Error> {
        let sync = OpenSync::open(file, sync_id, scratch)?;
        let traits = TraitIndex::read(&sync)?;
        let selection = FilterMatch::find(&sync, &traits, asked)?;
        let namesakes = Rc::new(namesakes(&sync)?);
        Ok(Self { sync, traits, namesakes, selection })
    }

    pub fn sync(&self) -> &OpenSync {
        &self.sync
    }

    /// Whether everything was asked for.
    pub fn is_everything(&self) -> bool {
        self.selection.is_everything()
    }

    /// What was asked for.
    pub(in crate::report) fn selection(&self) -> &FilterMatch {
        &self.selection
    }

    /// What the types of the sync are.
    pub(in crate::report) fn traits(&self) -> &TraitIndex {
        &self.traits
    }

    /// The row of a resource.
    pub(in crate::report) fn row(
        &self,
        resource_type: &str,
        id: &str,
    ) -> Result<Option<Resource>, Error> {
        let row = self.sync.row(RowKind::Resources, &resource_key(resource_type, id))?;
        Ok(row.map(|data| NameIndex::new(&self.sync).decode(&data)).transpose()?)
    }

    /// The resource of this type and id, be there a row for it or not.
    pub(in crate::report) fn resource(
        &self,
        resource_type: &str,
        id: &str,
    ) -> Result<Rc<ResourceInfo>, Error> {
        Ok(self.names().resource(resource_type, id)?)
    }

    /// What resources are called, with their types.
    pub(in crate::report) fn labels(&self, ids: &[(String, String)]) -> Result<Vec<String>, Error> {
        let mut names = self.names();
        let called = ids.iter().map(|(resource_type, id)| {
            let info = names.resource(resource_type, id)?;
            Ok(format!("{resource_type} {}", info.reference.distinct_name()))
        });
        called.collect()
    }

    fn names(&self) -> NameIndex<&OpenSync> {
        NameIndex::new(&self.sync).with_namesakes(self.namesakes.clone())
    }

    /// Which sync it is.
    pub fn label(&self) -> SyncLabel {
        SyncLabel::new(self.sync.sync())
    }

    /// The SHA-256 of the file, in hexadecimal digits: which file this was told from.
    pub fn digest(&self) -> Result<String, Error> {
        let (digest, _) = self.sync.fingerprint()?;
        Ok(hex(&digest))
    }

    /// Hands each grant that was asked for to `take`, in the file's order.
    pub fn each_grant(
        &self,
        mut take: impl FnMut(ReportRow<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut reading = GrantReader::new(self);
        self.sync.grants(self.selection.grants(), |row| {
            if !self.selection.may_have(row.principal, row.resource) {
                return Ok(());
            }
            let grant = reading.grant_info(&row)?;
            if self.selection.has(&grant) {
                take(ReportRow { id: row.id, grant: &grant })
            } else {
                Ok(())
            }
        })
    }

    /// Hands each resource that was asked for to `take`, with its row if it has one; every
    /// one of the file, in its order, if nothing was.
    pub(in crate::report) fn each_resource(
        &self,
        mut take: impl FnMut(&Rc<ResourceInfo>, Option<&Resource>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut names = self.names();
        if self.selection.is_everything() {
            return self.sync.each(RowKind::Resources, |_, data| {
                let resource: Resource = names.decode(data)?;
                take(&Rc::new(names.resource_info(&resource)), Some(&resource))
            });
        }
        for (resource_type, id) in self.selection.ids() {
            let resource = self.row(resource_type, id)?;
            take(&names.resource(resource_type, id)?, resource.as_ref())?;
        }
        Ok(())
    }
}

/// Which names several resources of a type have.
fn namesakes(sync: &OpenSync) -> Result<Namesakes, Error> {
    let mut namesakes = Namesakes::default();
    let names = NameIndex::new(sync);
    sync.each(RowKind::Resources, |_, data| {
        ResourceRef::new(&names.decode(data)?).add_to(&mut namesakes);
        Ok::<_, Error>(())
    })?;
    Ok(namesakes)
}

/// Makes rows of grants. What they have in common is made once.
struct GrantReader<'access> {
    traits: &'access TraitIndex,
    names: NameIndex<&'access OpenSync>,
    paths: HashMap<(GrantPath, &'static str), Rc<HeldVia>>,
}

impl<'access> GrantReader<'access> {
    fn new(access: &'access AccessReport) -> Self {
        Self { traits: &access.traits, names: access.names(), paths: HashMap::new() }
    }

    fn grant_info(&mut self, row: &GrantRow<'_>) -> Result<GrantInfo, Error> {
        let principal = self.names.resource(row.principal.0, row.principal.1)?;
        let entitlement = self.names.entitlement(row.entitlement, || named_by(row))?;
        let path = GrantPath::decode(row.entitlement, row.data)
            .map_err(|source| self.names.no_message(source))?;
        let by_itself = if self.traits.of(row.principal.0).group {
            LINKED
        } else if self.traits.of(row.resource.0).group {
            "member"
        } else {
            "direct"
        };
        let key = (path, by_itself);
        if let Some(path) = self.paths.get(&key) {
            return Ok(GrantInfo { principal, entitlement, path: path.clone() });
        }
        let only_id = |id: &str| Entitlement { id: id.to_owned(), ..Entitlement::default() };
        let through = key.0.through.iter();
        let through = through.map(|id| self.names.entitlement(id, || Ok(only_id(id))));
        let through = through.collect::<Result<_, _>>()?;
        let path = Rc::new(HeldVia::new(key.0.clone(), by_itself, through));
        self.paths.insert(key, path.clone());
        Ok(GrantInfo { principal, entitlement, path })
    }
}

/// The entitlement of a grant, as far as the grant tells.
fn named_by(row: &GrantRow<'_>) -> Result<Entitlement, prost::DecodeError> {
    let grant: Grant = prost::Message::decode(row.data)?;
    let id = ResourceId {
        resource_type: row.resource.0.to_owned(),
        resource: row.resource.1.to_owned(),
    };
    Ok(Entitlement {
        id: row.entitlement.to_owned(),
        resource: Some(Resource { id: Some(id), ..Resource::default() }),
        ..grant.entitlement.unwrap_or_default()
    })
}
