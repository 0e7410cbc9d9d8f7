//! The rows of a new sync. Statements are prepared once, and what all rows of a sync have in
//! common is bound once.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use rusqlite::{Connection, Statement, ToSql};

use crate::baton::resource_key;
use crate::baton::v2::{Entitlement, Grant, GrantExpandable, Resource, ResourceId, ResourceType};

use super::error::Error;
use super::sync_run::RowCounts;

/// Adds rows, by type and id.
pub struct Inserts<'file> {
    target: &'file Path,
    stats: &'file mut RowCounts,
    resource_type: Statement<'file>,
    resource: Statement<'file>,
    entitlement: Statement<'file>,
    grant: Statement<'file>,
    /// The message that is being added, encoded.
    message: Vec<u8>,
}

impl<'file> Inserts<'file> {
    /// Adds rows of the sync `sync_id`.
    pub(super) fn new(
        connection: &'file Connection,
        target: &'file Path,
        sync_id: &str,
        discovered_at: &str,
        stats: &'file mut RowCounts,
    ) -> Result<Self, Error> {
        let prepare = |table: &str, columns: &[&str]| {
            let values: Vec<String> =
                (1..=columns.len() + 2).map(|number| format!("?{number}")).collect();
            let mut statement = connection.prepare(&format!(
                "insert into {table} (sync_id, discovered_at, {}) values ({})",
                columns.join(", "),
                values.join(", ")
            ))?;
            statement.raw_bind_parameter(1, sync_id)?;
            statement.raw_bind_parameter(2, discovered_at)?;
            Ok::<_, rusqlite::Error>(statement)
        };
        let all = || {
            Ok::<_, rusqlite::Error>([
                prepare("v1_resource_types", &["external_id", "data"])?,
                prepare(
                    "v1_resources",
                    &[
                        "resource_type_id",
                        "external_id",
                        "parent_resource_type_id",
                        "parent_resource_id",
                        "data",
                    ],
                )?,
                prepare(
                    "v1_entitlements",
                    &["resource_type_id", "resource_id", "external_id", "data"],
                )?,
                prepare(
                    "v1_grants",
                    &[
                        "resource_type_id",
                        "resource_id",
                        "entitlement_id",
                        "principal_resource_type_id",
                        "principal_resource_id",
                        "external_id",
                        "expansion",
                        "needs_expansion",
                        "data",
                    ],
                )?,
            ])
        };
        let [resource_type, resource, entitlement, grant] =
            all().map_err(Error::database(target))?;
        let message = Vec::new();
        Ok(Self { target, stats, resource_type, resource, entitlement, grant, message })
    }

    /// Adds a resource type.
    pub fn resource_type(&mut self, resource_type: &ResourceType) -> Result<(), Error> {
        self.stats.resource_types += 1;
        self.stats.resources_by_resource_type.insert(resource_type.id.clone(), 0);
        let message = encoded(&mut self.message, resource_type);
        insert(&mut self.resource_type, &[&resource_type.id, &message])
            .map_err(Error::database(self.target))
    }

    /// Adds a resource.
    pub fn resource(&mut self, resource: &Resource) -> Result<(), Error> {
        let ResourceId { resource_type, resource: id } = id_of(Some(resource));
        self.stats.resources += 1;
        count(&mut self.stats.resources_by_resource_type, resource_type);
        let parent = resource.parent_resource_id.as_ref();
        let message = encoded(&mut self.message, resource);
        let values: [&dyn ToSql; 5] = [
            resource_type,
            &resource_key(resource_type, id),
            &parent.map(|parent| &parent.resource_type),
            &parent.map(|parent| &parent.resource),
            &message,
        ];
        insert(&mut self.resource, &values).map_err(Error::database(self.target))
    }

    /// Adds an entitlement.
    pub fn entitlement(&mut self, entitlement: &Entitlement) -> Result<(), Error> {
        let ResourceId { resource_type, resource } = id_of(entitlement.resource.as_ref());
        self.stats.entitlements += 1;
        count(&mut self.stats.entitlements_by_resource_type, resource_type);
        let message = encoded(&mut self.message, entitlement);
        insert(&mut self.entitlement, &[resource_type, resource, &entitlement.id, &message])
            .map_err(Error::database(self.target))
    }

    /// Adds a grant. `expansion` says over which entitlements it is expanded; that annotation
    /// stands in a column of its own and not in the message. `needs_expansion` is 1 for all
    /// that have one, expanded or not: baton-sdk never clears it (`grantExtractFields` in
    /// `pkg/dotc1z/grants.go`), and its compactor takes these rows for all edges there are.
    pub fn grant(
        &mut self,
        grant: &Grant,
        expansion: Option<&GrantExpandable>,
    ) -> Result<(), Error> {
        let entitlement = grant.entitlement.as_ref();
        let held = id_of(entitlement.and_then(|entitlement| entitlement.resource.as_ref()));
        let principal = id_of(grant.principal.as_ref());
        self.stats.grants += 1;
        count(&mut self.stats.grants_by_resource_type, &held.resource_type);
        let message = encoded(&mut self.message, grant);
        let values: [&dyn ToSql; 9] = [
            &held.resource_type,
            &held.resource,
            &entitlement.map(|entitlement| &entitlement.id),
            &principal.resource_type,
            &principal.resource,
            &grant.id,
            &expansion.map(Message::encode_to_vec),
            &expansion.is_some(),
            &message,
        ];
        insert(&mut self.grant, &values).map_err(Error::database(self.target))
    }
}

fn encoded<'buffer>(buffer: &'buffer mut Vec<u8>, message: &impl Message) -> &'buffer [u8] {
    buffer.clear();
    // A vector takes all that there is.
    let _ = message.encode(buffer);
    buffer
}

/// Runs a statement whose first two parameters are bound.
fn insert(statement: &mut Statement<'_>, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    for (number, value) in (3..).zip(values) {
        statement.raw_bind_parameter(number, value)?;
    }
    statement.raw_execute().map(drop)
}

fn count(counts: &mut BTreeMap<String, u64>, resource_type: &str) {
    match counts.get_mut(resource_type) {
        Some(count) => *count += 1,
        None => {
            counts.insert(resource_type.to_owned(), 1);
        }
    }
}

/// The id of a resource that always has one here.
fn id_of(resource: Option<&Resource>) -> &ResourceId {
    static NONE: ResourceId = ResourceId { resource_type: String::new(), resource: String::new() };
    resource.and_then(|resource| resource.id.as_ref()).unwrap_or(&NONE)
}
