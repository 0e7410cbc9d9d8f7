//! Every setting, once: flags, variables, keys of the file, help and the JSON schema of the
//! configuration all follow from this table.

use super::field::{Field, FieldKind, HelpGroup};

/// Defines one constant for each field, and [`FIELDS`] with all of them.
macro_rules! fields {
    ($($constant:ident = $field:expr;)*) => {
        $(pub(crate) const $constant: &Field = &$field;)*

        /// All fields, in the order in which help lists them.
        pub(crate) const FIELDS: &[&Field] = &[$($constant),*];
    };
}

fields! {
    API_TOKEN = Field::text(
        "northflank-api-token",
        "TOKEN",
        "API token whose organization role may read members and roles",
    )
    .aside("better given by its variable: other users of the machine see command lines")
    .group(HelpGroup::Northflank)
    .required()
    .secret()
    .for_form("Northflank API token");

    API_TOKEN_FILE = Field::text(
        "northflank-api-token-file",
        "FILE",
        "File that holds the API token, in place of the token itself; read anew when Northflank \
         refuses it",
    )
    .group(HelpGroup::Northflank)
    .for_operators();

    BASE_URL = Field::text("northflank-base-url", "URL", "Where the Northflank API is")
        .group(HelpGroup::Northflank)
        .default("https://api.northflank.com")
        .for_form("Northflank API base URL");

    HTTP_TIMEOUT_SECONDS = Field::number(
        "http-timeout-seconds",
        1,
        1800,
        "The longest that one request may take, in seconds (1 to 1800); the answer's first byte \
         may take all of it, and an answer that has begun may pause for 30",
    )
    .group(HelpGroup::Northflank)
    .default("300")
    .for_operators();

    MAX_WAIT = Field::text(
        "max-wait",
        "DURATION",
        "The longest that a sync may wait for Northflank's rate limit in all, such as 90s, 20m \
         or 2h",
    )
    .group(HelpGroup::Northflank)
    .default_in_words("as long as it takes");

    RATE_LIMIT_RESERVE = Field::number(
        "rate-limit-reserve",
        0,
        90,
        "How much of each window of Northflank's rate limit to leave to others, in percent (0 to \
         90): the limit is the whole account's",
    )
    .group(HelpGroup::Northflank)
    .default("10")
    .for_operators();

    FILE = Field::text(
        "file",
        "FILE",
        "The sync file to write; an existing one gets a new sync and keeps the one before",
    )
    .short('f')
    .default("sync.c1z");

    WORKERS = Field::number(
        "workers",
        -1,
        100,
        "Lists to read side by side: a number up to 100, 0 for one at a time, -1 for automatic, \
         which is 8",
    )
    .default("-1");

    NO_RESUME = Field::switch(
        "no-resume",
        "Start afresh, even where an interrupted sync of the same file could go on",
    );

    DIFF = Field::new(
        "diff",
        FieldKind::Option { bare: "table" },
        "FORMAT",
        "After the sync, print what changed since the file's sync before: as table, json, csv \
         or markdown",
    );

    EXIT_CODE = Field::switch("exit-code", "With --diff, exit with 20 if something changed");

    REQUIRE_BASELINE = Field::switch(
        "require-baseline",
        "With --diff, exit with 3 if the file holds no earlier sync to compare with; the new one is \
         written all the same",
    );

    SYNC_RESOURCE_TYPES = Field::list(
        "sync-resource-types",
        "TYPES",
        "Sync only resources of these types: group, role, team, team-role, user",
    );

    SYNC_TEAMS = Field::switch(
        "sync-teams",
        "Sync teams and their roles as well, which takes more requests and permissions",
    )
    .for_form("Sync teams and their roles");

    SYNC_SECRETS = Field::switch(
        "sync-secrets",
        "Sync API tokens as well, without their secrets, which takes more requests and permissions",
    )
    .for_form("Sync secrets");

    SYNC_RESOURCES = Field::list(
        "sync-resources",
        "IDS",
        "Sync only these resources, each given as type/id or type:id, such as role/admin",
    );

    SKIP_ENTITLEMENTS_AND_GRANTS = Field::switch(
        "skip-entitlements-and-grants",
        "Sync resources only",
    );

    SKIP_GRANTS = Field::switch("skip-grants", "Sync resources and entitlements, but no grants")
        .hidden();

    STORAGE_ENGINE = Field::text(
        "storage-engine",
        "ENGINE",
        "The kind of sync file; this connector writes sqlite only, which every reader accepts",
    )
    .default("sqlite");

    PROVISIONING = Field::switch(
        "provisioning",
        "Accepted as by every connector; this one only reads and never provisions",
    )
    .short('p');

    TICKETING = Field::switch("ticketing", "Accepted as by every connector; this one has no tickets")
        .hidden();

    PARALLEL_SYNC = Field::switch(
        "parallel-sync",
        "Accepted as by every connector; this one always reads side by side",
    )
    .hidden();

    KEEP_PREVIOUS_SYNC_C1Z = Field::switch(
        "keep-previous-sync-c1z",
        "Accepted as by every connector; this one reads everything anew",
    )
    .hidden();

    AUTH_METHOD = Field::text(
        "auth-method",
        "METHOD",
        "Accepted as by every connector; this one knows an API token only",
    )
    .hidden();

    SESSION_STORE_MAXIMUM_SIZE = Field::text(
        "session-store-maximum-size",
        "BYTES",
        "Accepted as by every connector; this one has no session store",
    )
    .group(HelpGroup::Service)
    .hidden();

    CLIENT_ID = Field::text(
        "client-id",
        "ID",
        "Client id from ConductorOne; with its secret, run as a service that syncs on request",
    )
    .group(HelpGroup::Service);

    CLIENT_SECRET = Field::text("client-secret", "SECRET", "Client secret from ConductorOne")
        .group(HelpGroup::Service)
        .secret();

    TASK_CONCURRENCY = Field::number(
        "task-concurrency",
        1,
        100,
        "Tasks to run at a time (1 to 100)",
    )
    .group(HelpGroup::Service)
    .default("3");

    SKIP_FULL_SYNC = Field::switch(
        "skip-full-sync",
        "Answer requests for a sync without syncing",
    )
    .group(HelpGroup::Service);

    C1Z_TEMP_DIR = Field::text(
        "c1z-temp-dir",
        "DIRECTORY",
        "Where sync files are built before they are uploaded; a sync without ConductorOne works \
         beside its file",
    )
    .group(HelpGroup::Service)
    .default_in_words("the system's temporary directory");

    HEALTH_CHECK = Field::switch("health-check", "Serve /health, /ready and /live over HTTP")
        .group(HelpGroup::Service)
        .for_operators();

    HEALTH_CHECK_PORT = Field::number(
        "health-check-port",
        1,
        65_535,
        "Port of the health check server",
    )
    .group(HelpGroup::Service)
    .default("8081")
    .for_operators();

    HEALTH_CHECK_BIND_ADDRESS = Field::text(
        "health-check-bind-address",
        "ADDRESS",
        "IP address that the health check server listens on",
    )
    .group(HelpGroup::Service)
    .default("127.0.0.1")
    .for_operators();

    METRICS_ADDRESS = Field::text(
        "metrics-address",
        "ADDRESS",
        "IP address and port on which to serve /metrics for Prometheus, such as 0.0.0.0:9090",
    )
    .group(HelpGroup::Service)
    .default_in_words("none")
    .for_operators();

    LOG_LEVEL = Field::text("log-level", "LEVEL", "How much to log: debug, info, warn or error")
        .group(HelpGroup::Logs)
        .default("info")
        .for_operators();

    LOG_LEVEL_DEBUG_EXPIRES_AT = Field::text(
        "log-level-debug-expires-at",
        "TIME",
        "When debug logging falls back to info, such as 2026-12-01T00:00:00Z",
    )
    .group(HelpGroup::Logs)
    .for_operators();

    LOG_FORMAT = Field::text("log-format", "FORMAT", "How to log: console or json")
        .group(HelpGroup::Logs)
        .default_in_words("console on a terminal, else json");

    LOG_PATH = Field::list(
        "log-path",
        "FILES",
        "Files to write logs to, besides standard error",
    )
    .group(HelpGroup::Logs);

    OTEL_COLLECTOR_ENDPOINT = Field::text(
        "otel-collector-endpoint",
        "ENDPOINT",
        "OpenTelemetry collector to send traces, logs and a service's metrics to, over gRPC",
    )
    .group(HelpGroup::Telemetry)
    .for_operators();

    OTEL_COLLECTOR_ENDPOINT_TLS_CERT_PATH = Field::text(
        "otel-collector-endpoint-tls-cert-path",
        "FILE",
        "File with the PEM certificate of the collector's CA",
    )
    .group(HelpGroup::Telemetry)
    .for_operators();

    OTEL_COLLECTOR_ENDPOINT_TLS_CERT = Field::text(
        "otel-collector-endpoint-tls-cert",
        "PEM",
        "PEM certificate of the collector's CA",
    )
    .group(HelpGroup::Telemetry)
    .for_operators();

    OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE = Field::switch(
        "otel-collector-endpoint-tls-insecure",
        "Talk to the collector without TLS",
    )
    .group(HelpGroup::Telemetry)
    .for_operators();

    OTEL_METRICS_DISABLED = Field::switch("otel-metrics-disabled", "Send no metrics")
        .group(HelpGroup::Telemetry)
        .for_operators();

    OTEL_TRACING_DISABLED = Field::switch("otel-tracing-disabled", "Send no traces")
        .group(HelpGroup::Telemetry)
        .for_operators();

    OTEL_LOGGING_DISABLED = Field::switch("otel-logging-disabled", "Send no logs")
        .group(HelpGroup::Telemetry)
        .for_operators();
}

/// Those that say how to reach Northflank.
pub(crate) const NORTHFLANK_FIELDS: &[&Field] =
    &[API_TOKEN, API_TOKEN_FILE, BASE_URL, HTTP_TIMEOUT_SECONDS, MAX_WAIT, RATE_LIMIT_RESERVE];

/// Those that say what part of the organization is synced.
pub(crate) const SELECTION_FIELDS: &[&Field] = &[
    SYNC_RESOURCE_TYPES,
    SYNC_TEAMS,
    SYNC_SECRETS,
    SYNC_RESOURCES,
    SKIP_ENTITLEMENTS_AND_GRANTS,
    SKIP_GRANTS,
];
