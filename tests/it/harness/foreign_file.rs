//! Files of other connectors, with what ours never has in them.

use std::path::Path;

use baton_northflank::baton::v2::grant_sources::GrantSource;
use baton_northflank::baton::v2::resource_type::Trait;
use baton_northflank::baton::v2::{
    Entitlement, Grant, GrantSources, Resource, ResourceId, ResourceType, UserTrait,
};
use baton_northflank::baton::{annotation, resource_key};
use prost::Message;
use rusqlite::{Connection, params};

use super::sync_file::pack;

/// A file with rows of one finished sync.
pub struct ForeignFile {
    connection: Connection,
    scratch: tempfile::TempDir,
}

impl ForeignFile {
    pub fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let connection = Connection::open(scratch.path().join("db")).unwrap();
        let common = "id integer primary key, external_id text not null, data blob not null,
                      sync_id text not null, discovered_at datetime not null";
        connection
            .execute_batch(&format!(
                "create table v1_resource_types ({common});
                 create table v1_resources ({common});
                 create table v1_entitlements ({common});
                 create table v1_grants ({common}, resource_type_id text not null,
                     resource_id text not null, entitlement_id text not null,
                     principal_resource_type_id text not null,
                     principal_resource_id text not null);
                 create table v1_sync_runs (sync_id text, ended_at datetime, sync_type text,
                     sync_token text);
                 insert into v1_sync_runs values ('s', '2026-11-24 08:00:00', 'full', '');"
            ))
            .unwrap();
        Self { connection, scratch }
    }

    fn row(&self, table: &str, id: &str, message: &impl Message) {
        let sql = format!(
            "insert into v1_{table} (external_id, data, sync_id, discovered_at)
             values (?1, ?2, 's', '2026-11-24')"
        );
        self.connection.execute(&sql, params![id, message.encode_to_vec()]).unwrap();
    }

    pub fn kind(&self, name: &str, of: Option<Trait>) {
        let kind = ResourceType {
            id: name.into(),
            traits: of.into_iter().map(Into::into).collect(),
            ..ResourceType::default()
        };
        self.row("resource_types", name, &kind);
    }

    pub fn resource(&self, kind: &str, name: &str, user: Option<&UserTrait>) {
        let resource = Resource {
            id: Some(ResourceId { resource_type: kind.into(), resource: name.into() }),
            display_name: name.to_uppercase(),
            annotations: user.map(annotation).into_iter().collect(),
            ..Resource::default()
        };
        self.row("resources", &resource_key(kind, name), &resource);
    }

    pub fn grant(
        &self,
        entitlement: (&str, &str, &str),
        principal: (&str, &str),
        through: &[&str],
    ) {
        let (kind, name, slug) = entitlement;
        let entitlement = format!("{kind}:{name}:{slug}");
        let sources = through.iter().map(|id| ((*id).to_owned(), GrantSource { is_direct: true }));
        let grant = Grant {
            id: format!("{entitlement}:{}:{}", principal.0, principal.1),
            entitlement: Some(Entitlement {
                id: entitlement.clone(),
                slug: slug.into(),
                ..Entitlement::default()
            }),
            sources: (!through.is_empty()).then(|| GrantSources { sources: sources.collect() }),
            ..Grant::default()
        };
        self.connection
            .execute(
                "insert into v1_grants (external_id, data, sync_id, discovered_at,
                 resource_type_id, resource_id, entitlement_id, principal_resource_type_id,
                 principal_resource_id) values (?1, ?2, 's', '', ?3, ?4, ?5, ?6, ?7)",
                params![
                    grant.id,
                    grant.encode_to_vec(),
                    kind,
                    name,
                    entitlement,
                    principal.0,
                    principal.1
                ],
            )
            .unwrap();
    }

    pub fn save(self, path: &Path) {
        self.connection.close().unwrap();
        pack(&self.scratch.path().join("db"), path);
    }
}
