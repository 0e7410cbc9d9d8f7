//! Access for programs.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

use crate::facts::{self, Entitled, Known, Named, Restrictions, SyncLabel};

use super::error::Error;
use super::reading::{Access, Row};

/// Writes the access as JSON, in the file's order.
pub fn json(access: &Access, mut output: impl Write) -> Result<(), Error> {
    let met = Met::default();
    let document = Document {
        sync: access.label(),
        grants: Grants { access, met: &met },
        people_without_access: Without { access, met: &met, people: true },
        resources_without_holders: Without { access, met: &met, people: false },
    };
    let written = facts::json(&document, &mut output);
    if let Some(error) = met.failure.take() {
        return Err(error);
    }
    written?;
    output.flush()?;
    Ok(())
}

/// What was met on the way; fields are written in the order in which they stand.
#[derive(Default)]
struct Met {
    /// Who holds something.
    principals: RefCell<HashSet<Key>>,
    /// What is held.
    resources: RefCell<HashSet<Key>>,
    /// Why reading ended, which the serializer can't tell.
    failure: RefCell<Option<Error>>,
}

#[derive(Serialize)]
struct Document<'access> {
    #[serde(flatten)]
    sync: SyncLabel,
    grants: Grants<'access>,
    people_without_access: Without<'access>,
    resources_without_holders: Without<'access>,
}

/// All grants, written as they are read.
struct Grants<'access> {
    access: &'access Access,
    met: &'access Met,
}

/// The type and id of a resource.
type Key = (String, String);

/// People who hold nothing, or roles and groups that nobody holds.
struct Without<'access> {
    access: &'access Access,
    met: &'access Met,
    people: bool,
}

#[derive(Serialize)]
struct Grant<'row> {
    id: &'row str,
    principal: Principal<'row>,
    entitlement: Entitlement<'row>,
    how: &'row str,
    direct: bool,
    through: Vec<Entitled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<&'row str>,
}

#[derive(Serialize)]
struct Entitlement<'row> {
    id: &'row str,
    slug: &'row str,
    resource: Resource<'row>,
}

/// What gives something.
#[derive(Serialize)]
struct Resource<'row> {
    #[serde(flatten)]
    named: &'row Named,
    description: Option<&'row str>,
    restrictions: Option<&'row Restrictions>,
}

#[derive(Serialize)]
struct Principal<'row> {
    #[serde(flatten)]
    named: &'row Named,
    email: Option<&'row str>,
    status: Option<&'row str>,
    status_details: Option<&'row str>,
    last_login: Option<String>,
    email_verified: Option<bool>,
    joined_at: Option<&'row str>,
}

impl<'row> Grant<'row> {
    fn new(row: Row<'row>) -> Self {
        let held = row.held;
        Self {
            id: row.id,
            principal: Principal::new(&held.principal),
            entitlement: Entitlement {
                id: &held.given.id,
                slug: &held.given.slug,
                resource: Resource::new(&held.given.resource),
            },
            how: held.way.word(),
            direct: held.way.is_direct(),
            through: held.way.through().iter().map(|given| given.entitled()).collect(),
            membership: held.way.membership(),
        }
    }
}

impl<'row> Resource<'row> {
    fn new(known: &'row Known) -> Self {
        Self {
            named: &known.named,
            description: Some(known.description.as_str()).filter(|text| !text.is_empty()),
            restrictions: known.restrictions.as_ref(),
        }
    }
}

impl<'row> Principal<'row> {
    fn new(known: &'row Known) -> Self {
        let person = known.person.as_ref();
        let status = person.and_then(|person| person.status.as_ref());
        let details = status.map(|status| status.details.as_str());
        Self {
            named: &known.named,
            email: person.and_then(|person| person.email.as_deref()),
            status: status.and_then(|status| status.word),
            status_details: details.filter(|details| !details.is_empty()),
            last_login: person.and_then(|person| person.last_login?.format(&Rfc3339).ok()),
            email_verified: person.and_then(|person| person.is_verified),
            joined_at: person.and_then(|person| person.joined_at.as_deref()),
        }
    }
}

impl Serialize for Grants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut principals = self.met.principals.borrow_mut();
        let mut resources = self.met.resources.borrow_mut();
        let read = self.access.each(|row| {
            principals.insert(key(&row.held.principal.named));
            resources.insert(key(&row.held.given.resource.named));
            list.serialize_element(&Grant::new(row)).map_err(unwritten)
        });
        self.met.check(read)?;
        list.end()
    }
}

impl Serialize for Without<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let met = if self.people { &self.met.principals } else { &self.met.resources };
        let met = met.borrow();
        let read = self.access.each_asked(|known, _| {
            let traits = self.access.kinds().of(&known.named.resource_type);
            let is_meant = if self.people { traits.user } else { traits.role || traits.group };
            if !is_meant || met.contains(&key(&known.named)) {
                return Ok(());
            }
            let written = if self.people {
                list.serialize_element(&Principal::new(known))
            } else {
                list.serialize_element(&Resource::new(known))
            };
            written.map_err(unwritten)
        });
        self.met.check(read)?;
        list.end()
    }
}

impl Met {
    fn check<E: serde::ser::Error>(&self, read: Result<(), Error>) -> Result<(), E> {
        read.map_err(|error| {
            let said = E::custom(&error);
            self.failure.replace(Some(error));
            said
        })
    }
}

fn key(named: &Named) -> Key {
    (named.resource_type.clone(), named.resource.clone())
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::Output(std::io::Error::other(error.to_string()))
}
