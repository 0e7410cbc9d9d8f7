//! What resources and entitlements are called, found by their ids.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use prost::Message;
use prost_types::value::Kind;
use serde::Serialize;

use crate::baton::resource_key;
use crate::baton::v2::{Entitlement, Resource, ResourceId};
use crate::c1z::{self, FinishedSync, OpenSync, Organization, RowKind};

use super::account::AccountInfo;
use super::error::Error;
use super::namesakes::Namesakes;
use super::profile_keys::MEMBERS_WITHOUT_ID;
use super::restrictions::RestrictionText;
use super::secret::SecretInfo;

/// Which sync it is.
#[derive(Debug, Clone, Serialize)]
pub struct SyncLabel {
    /// The file that holds it.
    pub file: String,
    pub sync_id: String,
    /// When it ended, as the file has it.
    pub ended_at: String,
    /// Whether that is in UTC for certain.
    #[serde(skip)]
    pub is_utc: bool,
    /// What it was reduced to, where it doesn't cover everything.
    pub reduced_to: Option<String>,
    /// Whose access it tells of, where it says so.
    pub organization: Option<Organization>,
    /// The types that it covers besides those that every sync of everything has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct ResourceRef {
    /// The id of its type.
    pub resource_type: String,
    /// Its own id.
    pub resource: String,
    /// What people call it; its id if the file doesn't tell.
    pub display_name: String,
    /// Whether another of its type is called like that.
    #[serde(skip)]
    pub has_namesake: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntitlementRef {
    pub id: String,
    /// What it is called among those of its resource.
    pub slug: String,
    /// Whose it is.
    pub resource: ResourceRef,
}

/// A resource that a row names, and what its own row tells.
#[derive(Debug)]
pub struct ResourceInfo {
    /// What it is called.
    pub reference: ResourceRef,
    /// What is told of it as an account; `None` if the file has no row for it.
    pub person: Option<AccountInfo>,
    /// What it is for; may be empty.
    pub description: String,
    /// Where it applies, if it is a role that tells.
    pub restrictions: Option<RestrictionText>,
    /// What is told of it as a secret, if it is one.
    pub secret: Option<SecretInfo>,
    /// How many hold it of whom the file has nothing, as they have no id.
    pub holders_without_id: Option<f64>,
}

/// An entitlement that a row names.
#[derive(Debug)]
pub struct EntitlementInfo {
    pub id: String,
    /// What it is called among those of its resource.
    pub slug: String,
    /// Whose it is.
    pub resource: Rc<ResourceInfo>,
}

/// The rows of one sync, by id.
pub trait RowSource {
    /// The file that holds them.
    fn file(&self) -> &Path;
    fn message(&self, rows: RowKind, id: &str) -> Result<Option<Vec<u8>>, c1z::Error>;
}

impl RowSource for &OpenSync {
    fn file(&self) -> &Path {
        &self.sync().file
    }

    fn message(&self, rows: RowKind, id: &str) -> Result<Option<Vec<u8>>, c1z::Error> {
        self.row(rows, id)
    }
}

/// Finds what rows name only by id; each once.
pub struct NameIndex<M> {
    messages: M,
    resources: HashMap<String, Rc<ResourceInfo>>,
    entitlements: HashMap<String, Rc<EntitlementInfo>>,
    namesakes: Rc<Namesakes>,
    /// The key that is looked for: a place that is used again, a million times in a large sync.
    key: String,
}

impl<M: RowSource> NameIndex<M> {
    /// For the rows of one sync.
    pub fn new(messages: M) -> Self {
        Self {
            messages,
            resources: HashMap::new(),
            entitlements: HashMap::new(),
            namesakes: Rc::default(),
            key: String::new(),
        }
    }

    /// Which names need an id beside them.
    #[must_use]
    pub fn with_namesakes(self, namesakes: Rc<Namesakes>) -> Self {
        Self { namesakes, ..self }
    }

    /// What a row says of its resource.
    pub fn resource_info(&self, resource: &Resource) -> ResourceInfo {
        ResourceInfo::new(self.resource_ref(resource), Some(resource))
    }

    /// What a row calls its resource.
    pub fn resource_ref(&self, resource: &Resource) -> ResourceRef {
        let mut reference = ResourceRef::new(resource);
        self.compare(&mut reference);
        reference
    }

    /// The resource of this type and id, be there a row for it or not.
    pub fn resource(&mut self, resource_type: &str, id: &str) -> Result<Rc<ResourceInfo>, Error> {
        self.key.clear();
        self.key.extend([resource_type, ":", id]);
        if let Some(info) = self.resources.get(&self.key) {
            return Ok(info.clone());
        }
        let row = self.messages.message(RowKind::Resources, &self.key)?;
        let row: Option<Resource> = row.map(|data| self.decode(&data)).transpose()?;
        let mut info = ResourceInfo::by_id(resource_type, id, row.as_ref());
        self.compare(&mut info.reference);
        let info = Rc::new(info);
        self.resources.insert(self.key.clone(), info.clone());
        Ok(info)
    }

    fn compare(&self, reference: &mut ResourceRef) {
        let ResourceRef { resource_type, resource, display_name, .. } = &*reference;
        reference.has_namesake = self.namesakes.has(resource_type, resource, display_name);
    }

    /// The entitlement of this id. What `named_by` says of it stands in for a row that the
    /// file lacks.
    pub fn entitlement(
        &mut self,
        id: &str,
        named_by: impl FnOnce() -> Result<Entitlement, prost::DecodeError>,
    ) -> Result<Rc<EntitlementInfo>, Error> {
        if let Some(entitlement) = self.entitlements.get(id) {
            return Ok(entitlement.clone());
        }
        let entitlement = match self.messages.message(RowKind::Entitlements, id)? {
            Some(data) => self.decode(&data)?,
            None => named_by().map_err(|source| self.no_message(source))?,
        };
        let entitlement = Rc::new(self.entitlement_info(&entitlement)?);
        self.entitlements.insert(id.to_owned(), entitlement.clone());
        Ok(entitlement)
    }

    /// The entitlement of a message.
    pub fn entitlement_info(
        &mut self,
        entitlement: &Entitlement,
    ) -> Result<EntitlementInfo, Error> {
        let resource = entitlement.resource.as_ref().and_then(|resource| resource.id.as_ref());
        let none = ResourceId::default();
        let ResourceId { resource_type, resource } = resource.unwrap_or(&none);
        Ok(EntitlementInfo {
            id: entitlement.id.clone(),
            slug: if entitlement.slug.is_empty() {
                entitlement.display_name.clone()
            } else {
                entitlement.slug.clone()
            },
            resource: self.resource(resource_type, resource)?,
        })
    }

    /// A message of the sync.
    pub fn decode<T: Message + Default>(&self, data: &[u8]) -> Result<T, Error> {
        T::decode(data).map_err(|source| self.no_message(source))
    }

    /// What is wrong with a row.
    pub fn no_message(&self, source: prost::DecodeError) -> Error {
        Error::Message { file: self.messages.file().to_owned(), source }
    }
}

impl ResourceInfo {
    /// A resource of this type and id, with what its row tells if it has one.
    fn by_id(resource_type: &str, id: &str, row: Option<&Resource>) -> Self {
        let name = row.map_or("", |row| &row.display_name);
        let reference = ResourceRef {
            resource_type: resource_type.to_owned(),
            resource: id.to_owned(),
            display_name: if name.is_empty() { id } else { name }.to_owned(),
            has_namesake: false,
        };
        Self::new(reference, row)
    }

    fn new(reference: ResourceRef, row: Option<&Resource>) -> Self {
        Self {
            reference,
            person: row.map(AccountInfo::of),
            description: row.map(|row| row.description.clone()).unwrap_or_default(),
            restrictions: row.and_then(RestrictionText::of),
            secret: row.and_then(SecretInfo::of),
            holders_without_id: row.and_then(holders_without_id),
        }
    }
}

/// How many hold something whom the file can't name, if its row tells of any.
fn holders_without_id(row: &Resource) -> Option<f64> {
    match row.profile.as_ref()?.fields.get(MEMBERS_WITHOUT_ID)?.kind.as_ref()? {
        Kind::NumberValue(count) => Some(*count).filter(|count| *count > 0.0),
        _ => None,
    }
}

impl EntitlementInfo {
    /// Type and name of whose it is; its id where the file doesn't tell.
    pub fn label(&self) -> String {
        self.resource.reference.label_or(&self.id)
    }

    /// It with all of its names.
    pub fn to_ref(&self) -> EntitlementRef {
        EntitlementRef {
            id: self.id.clone(),
            slug: self.slug.clone(),
            resource: self.resource.reference.clone(),
        }
    }
}

impl EntitlementRef {
    /// Type and name of whose it is; its id where the file doesn't tell.
    pub fn label(&self) -> String {
        self.resource.label_or(&self.id)
    }
}

impl ResourceRef {
    /// Its type and id as one text.
    pub fn key(&self) -> String {
        resource_key(&self.resource_type, &self.resource)
    }

    pub fn type_and_id(&self) -> (String, String) {
        (self.resource_type.clone(), self.resource.clone())
    }

    /// Its name, with the id if another of its type has the same.
    pub fn distinct_name(&self) -> Cow<'_, str> {
        if self.has_namesake && self.display_name != self.resource {
            format!("{} ({})", self.display_name, self.resource).into()
        } else {
            self.display_name.as_str().into()
        }
    }

    fn label_or(&self, id: &str) -> String {
        if self.resource_type.is_empty() {
            id.to_owned()
        } else {
            format!("{} {}", self.resource_type, self.distinct_name())
        }
    }

    /// Has it compared with others of its type.
    pub fn add_to(&self, namesakes: &mut Namesakes) {
        namesakes.add(&self.resource_type, &self.resource, &self.display_name);
    }

    /// What a message says of its resource.
    pub fn new(resource: &Resource) -> Self {
        let ResourceId { resource_type, resource: id } = resource.id.clone().unwrap_or_default();
        let name = &resource.display_name;
        let display_name = if name.is_empty() { &id } else { name }.clone();
        Self { display_name, resource_type, resource: id, has_namesake: false }
    }
}

impl SyncLabel {
    /// The label of a sync.
    pub fn new(sync: &FinishedSync) -> Self {
        Self {
            file: sync.file.display().to_string(),
            sync_id: sync.sync_id.clone(),
            ended_at: sync.ended_at.clone(),
            is_utc: sync.is_utc,
            reduced_to: sync.reduced_to.clone(),
            organization: sync.organization.clone(),
            types: sync.types.clone(),
        }
    }

    /// When it ended, to the second, and in which zone: its own, UTC, or the local time of
    /// whoever wrote the file, which says no more.
    pub fn ended(&self) -> String {
        let digit = |char: char| char.is_ascii_digit();
        let (seconds, zone) = match self.ended_at.split_once('.') {
            Some((seconds, fraction)) => (seconds, fraction.trim_start_matches(digit)),
            None => (self.ended_at.as_str(), ""),
        };
        let is_told = |zone: &str| zone.contains(['Z', '+', '-']) || zone.ends_with("UTC");
        let has_zone = is_told(zone) || seconds.get(10..).is_some_and(is_told);
        match (has_zone, self.is_utc) {
            (true, _) => format!("{seconds}{zone}"),
            (false, true) => format!("{seconds} UTC"),
            (false, false) => format!("{seconds}, local time where it was written"),
        }
    }

    /// The file, whose access it tells of, if it says so, and when its sync ended.
    pub fn in_words(&self) -> String {
        let of = self.organization.as_ref().map(|of| format!("{}, ", of.name()));
        format!("{} ({}{})", self.file, of.unwrap_or_default(), self.ended())
    }
}

#[cfg(test)]
mod tests {
    use super::SyncLabel;

    #[test]
    fn a_time_says_its_zone_as_far_as_it_is_known() {
        let ended = |ended_at: &str, is_utc| {
            let (file, sync_id) = ("f".to_owned(), "s".to_owned());
            let ended_at = ended_at.to_owned();
            let (reduced_to, organization, types) = (None, None, Vec::new());
            SyncLabel { file, sync_id, ended_at, is_utc, reduced_to, organization, types }.ended()
        };
        assert_eq!(ended("2026-11-24 08:00:00.123", true), "2026-11-24 08:00:00 UTC");
        assert_eq!(ended("2026-11-24 08:00:00", true), "2026-11-24 08:00:00 UTC");
        let local = "2026-11-24 08:00:00, local time where it was written";
        assert_eq!(ended("2026-11-24 08:00:00.123", false), local);
        assert_eq!(ended("2026-11-24 08:00:00", false), local);
        for zone in ["+00:00", "-07:00", "Z", " -0700 PDT", " UTC"] {
            for seconds in ["2026-11-24 08:00:00", "2026-11-24T08:00:00"] {
                for is_utc in [true, false] {
                    let told = format!("{seconds}{zone}");
                    assert_eq!(ended(&told, is_utc), told);
                    assert_eq!(ended(&format!("{seconds}.5{zone}"), is_utc), told);
                }
            }
        }
    }
}
