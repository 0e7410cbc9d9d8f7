//! Reading a sync: its grants, or those of them that were asked for.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::baton::resource_key;
use crate::baton::v2::{Entitlement, Grant, Resource, ResourceId};
use crate::c1z::{GrantRow, OpenSync, Rows, Scratch};
use crate::facts::{How, Known, Named, Names, Namesakes, SyncLabel};

use super::error::Error;
use super::held::{Held, LINKED, Way};
use super::kinds::Kinds;
use super::selection::{Asked, Selection};

/// The access that a sync tells of, or the part of it that was asked for.
pub struct Access {
    sync: OpenSync,
    kinds: Kinds,
    namesakes: Rc<Namesakes>,
    selection: Selection,
}

/// A grant.
#[derive(Debug, Clone, Copy)]
pub struct Row<'row> {
    /// Its id.
    pub id: &'row str,
    /// Who holds it, what, and how.
    pub held: &'row Held,
}

impl Access {
    /// Opens the newest finished full sync of `file`, or the one that is named.
    ///
    /// It is unpacked into `scratch`, which has to last as long.
    pub fn open(
        file: &Path,
        sync_id: Option<&str>,
        asked: &Asked,
        scratch: &Scratch,
    ) -> Result<Self, Error> {
        let sync = OpenSync::open(file, sync_id, scratch)?;
        let kinds = Kinds::read(&sync)?;
        let selection = Selection::find(&sync, &kinds, asked)?;
        let namesakes = Rc::new(namesakes(&sync)?);
        Ok(Self { sync, kinds, namesakes, selection })
    }

    /// The sync.
    pub fn sync(&self) -> &OpenSync {
        &self.sync
    }

    /// Whether everything was asked for.
    pub fn is_everything(&self) -> bool {
        self.selection.is_everything()
    }

    /// What was asked for.
    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What the types of the sync are.
    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The row of a resource.
    pub(super) fn row(&self, resource_type: &str, id: &str) -> Result<Option<Resource>, Error> {
        let row = self.sync.row(Rows::Resources, &resource_key(resource_type, id))?;
        Ok(row.map(|data| Names::new(&self.sync).decode(&data)).transpose()?)
    }

    /// What resources are called, with their types.
    pub(super) fn called(&self, ids: &[(String, String)]) -> Result<Vec<String>, Error> {
        let mut names = self.names();
        let called = ids.iter().map(|(resource_type, id)| {
            let known = names.resource(resource_type, id)?;
            Ok(format!("{resource_type} {}", known.named.distinct_name()))
        });
        called.collect()
    }

    fn names(&self) -> Names<&OpenSync> {
        Names::new(&self.sync).beside(self.namesakes.clone())
    }

    /// Which sync it is.
    pub fn label(&self) -> SyncLabel {
        SyncLabel::new(self.sync.sync())
    }

    /// Hands each grant that was asked for to `take`, in the file's order.
    pub fn each(&self, mut take: impl FnMut(Row<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let mut reading = Reading::new(self);
        self.sync.grants(self.selection.grants(), |row| {
            if !self.selection.may_have(row.principal, row.resource) {
                return Ok(());
            }
            let held = reading.held(&row)?;
            if self.selection.has(&held) { take(Row { id: row.id, held: &held }) } else { Ok(()) }
        })
    }

    /// Hands each resource that was asked for to `take`, with its row if it has one; every
    /// one of the file, in its order, if nothing was.
    pub(super) fn each_asked(
        &self,
        mut take: impl FnMut(&Rc<Known>, Option<&Resource>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut names = self.names();
        if self.selection.is_everything() {
            return self.sync.each(Rows::Resources, |_, data| {
                let resource: Resource = names.decode(data)?;
                take(&Rc::new(names.known(&resource)), Some(&resource))
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
    let names = Names::new(sync);
    sync.each(Rows::Resources, |_, data| {
        Named::new(&names.decode(data)?).add_to(&mut namesakes);
        Ok::<_, Error>(())
    })?;
    Ok(namesakes)
}

/// Makes rows of grants. What they have in common is made once.
struct Reading<'access> {
    kinds: &'access Kinds,
    names: Names<&'access OpenSync>,
    ways: HashMap<(How, &'static str), Rc<Way>>,
}

impl<'access> Reading<'access> {
    fn new(access: &'access Access) -> Self {
        Self { kinds: &access.kinds, names: access.names(), ways: HashMap::new() }
    }

    fn held(&mut self, row: &GrantRow<'_>) -> Result<Held, Error> {
        let principal = self.names.resource(row.principal.0, row.principal.1)?;
        let given = self.names.entitlement(row.entitlement, || named_by(row))?;
        let how = How::decode(row.entitlement, row.data)
            .map_err(|source| self.names.no_message(source))?;
        let by_itself = if self.kinds.of(row.principal.0).group {
            LINKED
        } else if self.kinds.of(row.resource.0).group {
            "member"
        } else {
            "direct"
        };
        let key = (how, by_itself);
        if let Some(way) = self.ways.get(&key) {
            return Ok(Held { principal, given, way: way.clone() });
        }
        let only_id = |id: &str| Entitlement { id: id.to_owned(), ..Entitlement::default() };
        let through = key.0.through.iter();
        let through = through.map(|id| self.names.entitlement(id, || Ok(only_id(id))));
        let through = through.collect::<Result<_, _>>()?;
        let way = Rc::new(Way::new(key.0.clone(), by_itself, through));
        self.ways.insert(key, way.clone());
        Ok(Held { principal, given, way })
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
