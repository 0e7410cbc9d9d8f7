//! The tables and indexes of a version 1 sync file.
//!
//! Names and columns are the format's; readers create missing indexes by exactly these
//! names, so a right name on wrong columns would leave a hole. Two index names mislead
//! (`idx_resources_external_sync_v1`, `idx_resources_parent_resource_id_v1`); that is how the
//! format has them.

/// A table of the file.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The `create table` statement.
    pub(super) create: &'static str,
    /// The `create index` statements of those that all rows are in.
    pub(super) indexes: &'static [&'static str],
    /// Those that few rows are in.
    pub(super) partial_indexes: &'static [&'static str],
}

/// All tables, in the order in which rows name each other.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "v1_resource_types",
        create: "create table v1_resource_types (
            id integer primary key,
            external_id text not null,
            data blob not null,
            sync_id text not null,
            discovered_at datetime not null
        )",
        indexes: &["create unique index idx_resource_types_external_sync_v1
                on v1_resource_types (external_id, sync_id)"],
        partial_indexes: &[],
    },
    Table {
        name: "v1_resources",
        create: "create table v1_resources (
            id integer primary key,
            resource_type_id text not null,
            external_id text not null,
            parent_resource_type_id text,
            parent_resource_id text,
            data blob not null,
            sync_id text not null,
            discovered_at datetime not null
        )",
        indexes: &[
            "create index idx_resources_resource_type_id_v1 on v1_resources (resource_type_id)",
            "create index idx_resources_external_sync_v1
                on v1_resources (parent_resource_type_id, parent_resource_id)",
            "create unique index idx_resources_parent_resource_id_v1
                on v1_resources (external_id, sync_id)",
        ],
        partial_indexes: &[],
    },
    Table {
        name: "v1_entitlements",
        create: "create table v1_entitlements (
            id integer primary key,
            resource_type_id text not null,
            resource_id text not null,
            external_id text not null,
            data blob not null,
            sync_id text not null,
            discovered_at datetime not null
        )",
        indexes: &[
            "create index idx_entitlements_resource_id_v1
                on v1_entitlements (resource_type_id, resource_id)",
            "create unique index idx_entitlements_external_sync_v1
                on v1_entitlements (external_id, sync_id)",
        ],
        partial_indexes: &[],
    },
    Table {
        name: "v1_grants",
        create: "create table v1_grants (
            id integer primary key,
            resource_type_id text not null,
            resource_id text not null,
            entitlement_id text not null,
            principal_resource_type_id text not null,
            principal_resource_id text not null,
            external_id text not null,
            expansion blob,
            needs_expansion integer not null default 0,
            data blob not null,
            sync_id text not null,
            discovered_at datetime not null
        )",
        indexes: &[
            "create index idx_grants_resource_type_id_resource_id_v1
                on v1_grants (resource_type_id, resource_id)",
            "create index idx_grants_principal_id_v1
                on v1_grants (principal_resource_type_id, principal_resource_id)",
            "create index idx_grants_entitlement_id_principal_id_v1
                on v1_grants (entitlement_id, principal_resource_type_id, principal_resource_id)",
            "create unique index idx_grants_external_sync_v1 on v1_grants (external_id, sync_id)",
            "create index idx_grants_entitlement_sync_grant_v1
                on v1_grants (entitlement_id, sync_id, id)",
        ],
        partial_indexes: &[
            "create index idx_grants_sync_expansion_v1
                on v1_grants (sync_id) where expansion is not null",
            "create index idx_grants_sync_needs_expansion_v1
                on v1_grants (sync_id) where needs_expansion = 1",
        ],
    },
    Table {
        name: "v1_assets",
        create: "create table v1_assets (
            id integer primary key,
            external_id text not null,
            content_type text not null,
            data blob not null,
            sync_id text not null,
            discovered_at datetime not null
        )",
        indexes: &[
            "create unique index idx_assets_external_sync_v1 on v1_assets (external_id, sync_id)",
        ],
        partial_indexes: &[],
    },
    Table {
        name: "v1_connector_sessions",
        create: "create table v1_connector_sessions (
            id integer primary key,
            sync_id text not null,
            key text not null,
            value blob not null
        )",
        indexes: &["create unique index idx_session_store_sync_key_v1
                on v1_connector_sessions (sync_id, key)"],
        partial_indexes: &[],
    },
    Table {
        name: "v1_sync_runs",
        create: "create table v1_sync_runs (
            id integer primary key,
            sync_id text not null,
            started_at datetime not null,
            ended_at datetime,
            sync_token text not null,
            sync_type text not null default 'full',
            parent_sync_id text not null default '',
            linked_sync_id text not null default '',
            supports_diff integer not null default 0,
            grants_backfilled integer not null default 0,
            stats text,
            ingest_invariant_generation text not null default '',
            ingest_invariant_coverage text not null default '',
            ingest_invariant_mode text not null default ''
        )",
        indexes: &["create unique index idx_sync_runs_sync_id_v1 on v1_sync_runs (sync_id)"],
        partial_indexes: &[],
    },
];
