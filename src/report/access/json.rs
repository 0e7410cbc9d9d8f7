//! Access for programs.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

use crate::report::findings::{FindingPlace, FindingQuery, findings_of_secrets};
use crate::report::model::{
    self, EntitlementInfo, EntitlementRef, ResourceInfo, ResourceRef, RestrictionText, SyncLabel,
};

use super::access_report::{AccessReport, ReportRow};
use super::error::Error;

/// Writes the access as JSON, in the file's order.
pub fn json(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    let met = JsonProgress::default();
    let found = findings_of_secrets(access)?;
    let findings = found
        .iter()
        .flat_map(|list| list.places.iter().map(|place| JsonSecretFinding::new(list.query, place)));
    let document = JsonDocument {
        sync: access.label(),
        sha256: access.digest()?,
        grants: JsonGrants { access, met: &met },
        people_without_access: JsonWithoutGrants { access, met: &met, people: true },
        resources_without_holders: JsonWithoutGrants { access, met: &met, people: false },
        findings: findings.collect(),
    };
    let written = model::json(&document, &mut output);
    if let Some(error) = met.failure.take() {
        return Err(error);
    }
    written?;
    output.flush()?;
    Ok(())
}

/// What was met on the way; fields are written in the order in which they stand.
#[derive(Default)]
struct JsonProgress {
    /// Who holds something.
    principals: RefCell<HashSet<ResourceKey>>,
    /// What is held.
    resources: RefCell<HashSet<ResourceKey>>,
    /// Why reading ended, which the serializer can't tell.
    failure: RefCell<Option<Error>>,
}

#[derive(Serialize)]
struct JsonDocument<'access> {
    #[serde(flatten)]
    sync: SyncLabel,
    sha256: String,
    grants: JsonGrants<'access>,
    people_without_access: JsonWithoutGrants<'access>,
    resources_without_holders: JsonWithoutGrants<'access>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<JsonSecretFinding<'access>>,
}

/// All grants, written as they are read.
struct JsonGrants<'access> {
    access: &'access AccessReport,
    met: &'access JsonProgress,
}

/// The type and id of a resource.
type ResourceKey = (String, String);

/// People who hold nothing, or roles and groups that nobody holds.
struct JsonWithoutGrants<'access> {
    access: &'access AccessReport,
    met: &'access JsonProgress,
    people: bool,
}

#[derive(Serialize)]
struct JsonGrant<'row> {
    id: &'row str,
    principal: JsonPrincipal<'row>,
    entitlement: JsonEntitlement<'row>,
    how: &'row str,
    direct: bool,
    through: Vec<EntitlementRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<&'row str>,
}

#[derive(Serialize)]
pub(in crate::report) struct JsonEntitlement<'row> {
    id: &'row str,
    slug: &'row str,
    resource: JsonResource<'row>,
}

/// What is worth a look of something that holds nothing.
#[derive(Serialize)]
struct JsonSecretFinding<'row> {
    finding: &'static str,
    resource: JsonResource<'row>,
    note: Option<String>,
}

/// What gives something.
#[derive(Serialize)]
pub(in crate::report) struct JsonResource<'row> {
    #[serde(flatten)]
    reference: &'row ResourceRef,
    description: Option<&'row str>,
    restrictions: Option<&'row RestrictionText>,
}

#[derive(Serialize)]
pub(in crate::report) struct JsonPrincipal<'row> {
    #[serde(flatten)]
    reference: &'row ResourceRef,
    email: Option<&'row str>,
    status: Option<&'row str>,
    status_details: Option<&'row str>,
    last_login: Option<String>,
    email_verified: Option<bool>,
    joined_at: Option<&'row str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_member: Option<bool>,
}

impl<'row> JsonGrant<'row> {
    fn new(row: ReportRow<'row>) -> Self {
        let grant = row.grant;
        Self {
            id: row.id,
            principal: JsonPrincipal::new(&grant.principal),
            entitlement: JsonEntitlement::new(&grant.entitlement),
            how: grant.path.word(),
            direct: grant.path.is_direct(),
            through: grant.path.through().iter().map(|entitlement| entitlement.to_ref()).collect(),
            membership: grant.path.membership(),
        }
    }
}

impl<'row> JsonEntitlement<'row> {
    pub(in crate::report) fn new(entitlement: &'row EntitlementInfo) -> Self {
        Self {
            id: &entitlement.id,
            slug: &entitlement.slug,
            resource: JsonResource::new(&entitlement.resource),
        }
    }
}

impl<'row> JsonSecretFinding<'row> {
    fn new(query: FindingQuery, place: &'row FindingPlace) -> Self {
        let note = Some(place.note.in_words()).filter(|note| !note.is_empty());
        Self { finding: query.kind.id(), resource: JsonResource::new(&place.of), note }
    }
}

impl<'row> JsonResource<'row> {
    pub(in crate::report) fn new(info: &'row ResourceInfo) -> Self {
        Self {
            reference: &info.reference,
            description: Some(info.description.as_str()).filter(|text| !text.is_empty()),
            restrictions: info.restrictions.as_ref(),
        }
    }
}

impl<'row> JsonPrincipal<'row> {
    pub(in crate::report) fn new(info: &'row ResourceInfo) -> Self {
        let person = info.person.as_ref();
        let status = person.and_then(|person| person.status.as_ref());
        let details = status.map(|status| status.details.as_str());
        Self {
            reference: &info.reference,
            email: person.and_then(|person| person.email.as_deref()),
            status: status.and_then(|status| status.word),
            status_details: details.filter(|details| !details.is_empty()),
            last_login: person.and_then(|person| person.last_login?.format(&Rfc3339).ok()),
            email_verified: person.and_then(|person| person.is_verified),
            joined_at: person.and_then(|person| person.joined_at.as_deref()),
            organization_member: person.filter(|person| person.is_outsider).map(|_| false),
        }
    }
}

impl Serialize for JsonGrants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut principals = self.met.principals.borrow_mut();
        let mut resources = self.met.resources.borrow_mut();
        let read = self.access.each_grant(|row| {
            principals.insert(row.grant.principal.reference.type_and_id());
            resources.insert(row.grant.entitlement.resource.reference.type_and_id());
            list.serialize_element(&JsonGrant::new(row)).map_err(unwritten)
        });
        self.met.check(read)?;
        list.end()
    }
}

impl Serialize for JsonWithoutGrants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let met = if self.people { &self.met.principals } else { &self.met.resources };
        let met = met.borrow();
        let read = self.access.each_resource(|info, _| {
            let traits = self.access.traits().of(&info.reference.resource_type);
            let is_meant = if self.people { traits.user } else { traits.role || traits.group };
            if !is_meant || met.contains(&info.reference.type_and_id()) {
                return Ok(());
            }
            let written = if self.people {
                list.serialize_element(&JsonPrincipal::new(info))
            } else {
                list.serialize_element(&JsonResource::new(info))
            };
            written.map_err(unwritten)
        });
        self.met.check(read)?;
        list.end()
    }
}

impl JsonProgress {
    fn check<E: serde::ser::Error>(&self, read: Result<(), Error>) -> Result<(), E> {
        read.map_err(|error| {
            let said = E::custom(&error);
            self.failure.replace(Some(error));
            said
        })
    }
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::Output(std::io::Error::other(error.to_string()))
}
