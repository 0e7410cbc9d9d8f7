//! What settings make of flags, variables and file together.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use rustls::RootCertStore;
use secrecy::ExposeSecret;
use time::macros::datetime;
use tracing::level_filters::LevelFilter;

use crate::c1z::Retention;
use crate::connector::{ROLE, TEAM_ROLE, USER};
use crate::service::ServiceSettings;
use crate::sync::SyncDepth;

use super::certificates;
use super::sync::AUTOMATIC_WORKERS;
use super::values::Values;
use super::{CollectorTls, Config, FIELDS, Flags, LogFormat, Problems, RunMode, arguments};

fn resolve(words: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let command = clap::Command::new("x").args(arguments(FIELDS));
    let matches = command.get_matches_from(["x"].iter().chain(words));
    Config::resolve(&Flags::from_matches(&matches, FIELDS), &|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.into())
    })
}

/// With a token and these variables besides.
fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
    resolve(arguments, &[&[TOKEN], variables].concat())
}

fn file(config: &Config) -> Option<&str> {
    match &config.mode {
        RunMode::OneShot { file, .. } => file.to_str(),
        RunMode::Service { .. } => None,
    }
}

fn service(config: Config) -> ServiceSettings {
    let RunMode::Service { settings, .. } = config.mode else { panic!("{config:?}") };
    *settings
}

const TOKEN: (&str, &str) = ("BATON_NORTHFLANK_API_TOKEN", "nf-1");
const CREDENTIALS: [(&str, &str); 2] =
    [("BATON_CLIENT_ID", "a@b.test/c"), ("BATON_CLIENT_SECRET", SECRET)];
/// The private key of RFC 8037, appendix A.1.
const SECRET: &str = "secret-token:conductorone.com:v1:\
     eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwiZCI6Im5XR3huZV85V21DNmhFcjBrdXdzeEVS\
     SnhXbDdNbWtaY0R1c0F4eXVmMkEiLCJ4IjoiMTFxWUFZS3hDcmZWU183VHlXUUhPZzdoY3ZQYXBp\
     TWxyd0lhYVBjSFVSbyJ9";

#[test]
fn a_token_is_all_that_is_needed() {
    let config = resolve(&[], &[TOKEN]).unwrap();
    assert_eq!(file(&config), Some("sync.c1z"));
    assert_eq!(config.northflank.base_url.to_string(), "https://api.northflank.com");
    assert_eq!(config.northflank.token.all()[0].expose_secret(), "nf-1");
    assert_eq!(config.northflank.request_timeout, Duration::from_mins(5));
    assert_eq!(config.sync.workers, AUTOMATIC_WORKERS);
    assert_eq!(config.sync.retention, Retention::AsMany);
    assert_eq!((config.northflank.max_wait, config.sync.resume), (None, true));
    assert_eq!(config.log.level, LevelFilter::INFO);
    assert_eq!(config.sync.selection.depth, SyncDepth::Full);
    assert!(config.telemetry.is_none());
    assert!(config.notes.is_empty());
}

#[test]
fn a_flag_goes_before_its_variable_and_an_empty_variable_is_unset() {
    let variables = [("BATON_FILE", "variable.c1z"), ("BATON_LOG_FORMAT", "json")];
    let config = with(&["-f", "flag.c1z"], &variables).unwrap();
    assert_eq!(file(&config), Some("flag.c1z"));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(file(&with(&[], &variables).unwrap()), Some("variable.c1z"));
    let config = with(&[], &[("BATON_FILE", ""), ("BATON_WORKERS", "")]).unwrap();
    assert_eq!(file(&config), Some("sync.c1z"));
}

#[test]
fn a_variable_goes_before_the_file_and_the_file_before_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yml");
    let text = "northflank-api-token: nf-file\nfile: file.c1z\nworkers: 3\n\
                sync-resource-types: [role, user]\nlog-levle: debug\n";
    std::fs::write(&path, text).unwrap();
    let path = ("BATON_CONFIG_PATH", path.to_str().unwrap());
    let config = resolve(&["--workers", "7"], &[path, ("BATON_FILE", "v.c1z")]).unwrap();
    assert_eq!(config.northflank.token.all()[0].expose_secret(), "nf-file");
    assert_eq!(file(&config), Some("v.c1z"));
    assert_eq!(config.sync.workers.get(), 7);
    assert_eq!(config.sync.selection.resource_types, [ROLE, USER]);
    assert!(config.notes[0].contains("log-levle"), "{:?}", config.notes);
    let config = resolve(&[], &[path]).unwrap();
    assert_eq!((file(&config), config.sync.workers.get()), (Some("file.c1z"), 3));
}

#[test]
fn a_settings_file_that_is_named_must_be_there_and_be_yaml() {
    for (path, said) in [("/none.yaml", "can't read /none.yaml"), ("/etc/hosts", ".yaml")] {
        let problems = with(&[], &[("BATON_CONFIG_PATH", path)]).unwrap_err().to_string();
        assert!(problems.contains(said), "{problems}");
    }
}

#[test]
fn blanks_around_the_token_are_dropped_and_a_blank_token_is_refused() {
    let config = resolve(&[], &[("BATON_NORTHFLANK_API_TOKEN", " nf-1\n")]).unwrap();
    assert_eq!(config.northflank.token.all()[0].expose_secret(), "nf-1");
    for token in [" \t\n", "nf-1 nf-2", "nf-\u{e9}"] {
        let problems = resolve(&["--northflank-api-token", token], &[]).unwrap_err();
        assert!(problems.to_string().starts_with("BATON_NORTHFLANK_API_TOKEN (--"));
        assert!(!problems.to_string().contains("nf-"), "{problems}");
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    let config = with(&["--northflank-api-token", "nf-hidden"], &CREDENTIALS).unwrap();
    let text = format!("{config:?}");
    assert!(!text.contains("nf-hidden") && !text.contains(SECRET), "{text}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let arguments = [
        "--workers",
        "many",
        "--log-level",
        "loud",
        "--northflank-base-url",
        "http://a.test",
        "--client-id",
        "a@b.test/c",
        "--max-wait",
        "soon",
        "--diff=xml",
        "--http-timeout-seconds",
        "1801",
        "--storage-engine",
        "pebble",
        "--sync-resource-types",
        "teams",
        "--sync-resources",
        "role",
        "--health-check-port",
        "0",
    ];
    let problems = resolve(&arguments, &[("BATON_LOG_FORMAT", "xml")]).unwrap_err().to_string();
    for name in [
        "NORTHFLANK_API_TOKEN",
        "NORTHFLANK_BASE_URL",
        "WORKERS",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "CLIENT_SECRET",
        "MAX_WAIT",
        "DIFF",
        "HTTP_TIMEOUT_SECONDS",
        "STORAGE_ENGINE",
        "SYNC_RESOURCE_TYPES",
        "SYNC_RESOURCES",
        "HEALTH_CHECK_PORT",
    ] {
        assert!(problems.contains(&format!("BATON_{name} (--")), "{name}: {problems}");
    }
}

#[test]
fn workers_may_be_automatic_or_one_at_a_time() {
    let workers = |text| with(&["--workers", text], &[]).map(|config| config.sync.workers);
    assert_eq!(workers("-1"), Ok(AUTOMATIC_WORKERS));
    assert_eq!(workers("0"), Ok(NonZeroUsize::MIN));
    assert_eq!(workers("100").map(NonZeroUsize::get), Ok(100));
    assert!(workers("-2").is_err());
    assert!(workers("101").is_err());
}

#[test]
fn retention_follows_the_variables_of_the_go_sdk() {
    let retention = |name, value| with(&[], &[(name, value)]).map(|config| config.sync.retention);
    assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "5"), Ok(Retention::Newest(5)));
    assert_eq!(retention("BATON_KEEP_SYNC_COUNT", "0"), Ok(Retention::AsMany));
    assert_eq!(retention("BATON_SKIP_CLEANUP", "true"), Ok(Retention::All));
    assert_eq!(retention("BATON_SKIP_CLEANUP", "false"), Ok(Retention::AsMany));
    // What isn't understood could have meant to keep.
    for (name, value) in [
        ("BATON_KEEP_SYNC_COUNT", "q"),
        ("BATON_KEEP_SYNC_COUNT", "10x"),
        ("BATON_KEEP_SYNC_COUNT", "-1"),
        ("BATON_SKIP_CLEANUP", "yes"),
        ("BATON_SKIP_CLEANUP", "on"),
    ] {
        let problems = retention(name, value).unwrap_err().to_string();
        assert!(problems.starts_with(&format!("{name} is {value:?}; it takes")), "{problems}");
    }
}

#[test]
fn credentials_of_conductorone_make_it_a_service() {
    let RunMode::Service { settings: plain, given_secret } = with(&[], &CREDENTIALS).unwrap().mode
    else {
        panic!("no service")
    };
    assert_eq!(plain.client_id.as_str(), "a@b.test/c");
    assert_eq!(given_secret.expose_secret(), SECRET);
    assert_eq!(plain.task_concurrency.get(), 3);
    assert!(plain.health_check.is_none());
    let arguments = ["--health-check", "--health-check-port=9", "--task-concurrency", "100"];
    let full = service(with(&arguments, &CREDENTIALS).unwrap());
    assert_eq!(full.health_check, Some(SocketAddr::from(([127, 0, 0, 1], 9))));
    assert_eq!(full.task_concurrency.get(), 100);
}

#[test]
fn one_credential_without_the_other_is_refused() {
    for half in CREDENTIALS {
        let problems = with(&[], &[half]).unwrap_err().to_string();
        assert!(problems.contains("service mode needs both"), "{problems}");
        assert!(!problems.contains("secret-token"), "{problems}");
    }
}

#[test]
fn credentials_that_can_not_work_are_refused_without_being_quoted() {
    for (variable, said) in [
        ("BATON_CLIENT_ID", "BATON_CLIENT_ID (--client-id) is no client id"),
        ("BATON_CLIENT_SECRET", "BATON_CLIENT_SECRET (--client-secret) is no client secret"),
        ("BATON_C1_API_HOST", "BATON_C1_API_HOST is no host"),
    ] {
        let wrong = [&[(variable, "https://hidden")], &CREDENTIALS[..]].concat();
        let problems = with(&[], &wrong).unwrap_err().to_string();
        assert!(problems.starts_with(said) && !problems.contains("hidden"), "{problems}");
    }
}

#[test]
fn variables_without_a_flag_say_more_of_the_service() {
    let further = [
        ("BATON_C1_API_HOST", "127.0.0.1:9"),
        ("BATON_HOST_ID", "tidy"),
        ("BATON_TMPDIR", "/tmp/room"),
    ];
    let further = service(with(&[], &[&further[..], &CREDENTIALS].concat()).unwrap());
    assert_eq!(further.api_host, Some("127.0.0.1:9".parse().unwrap()));
    assert_eq!(further.host_id, "tidy");
    assert_eq!(further.scratch, Some("/tmp/room".into()));
    let blank = [("BATON_C1_API_HOST", " "), ("BATON_HOST_ID", " "), ("BATON_TMPDIR", " ")];
    let plain = service(with(&[], &[&blank[..], &CREDENTIALS].concat()).unwrap());
    assert_eq!((plain.api_host, plain.host_id, plain.scratch), (None, String::new(), None));
}

#[test]
fn settings_of_the_other_mode_are_noted() {
    fn notes(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        with(arguments, variables).unwrap().notes
    }
    assert_eq!(notes(&["--skip-full-sync", "-p", "--exit-code"], &[]).len(), 3);
    assert_eq!(notes(&["--health-check"], &[]).len(), 0);
    for (name, value) in [
        ("FILE", "other.c1z"),
        ("DIFF", "json"),
        ("EXIT_CODE", "true"),
        ("MAX_WAIT", "1h"),
        ("SYNC_RESOURCES", "role/admin"),
        ("SKIP_ENTITLEMENTS_AND_GRANTS", "1"),
        ("SKIP_GRANTS", "t"),
    ] {
        let flag = format!("--{} ", name.to_lowercase().replace('_', "-"));
        let variable = format!("BATON_{name}");
        let notes = notes(&[], &[&[(&*variable, value)], &CREDENTIALS[..]].concat());
        let [note] = &notes[..] else { panic!("{name}: {notes:?}") };
        assert!(note.starts_with(&flag) && note.ends_with("service mode"), "{note}");
    }
    for (name, value) in [("TASK_CONCURRENCY", "2"), ("C1Z_TEMP_DIR", "/")] {
        let notes = notes(&[], &[(&*format!("BATON_{name}"), value)]);
        assert!(notes.len() == 1 && notes[0].ends_with("service mode only"), "{notes:?}");
    }
    for (variable, with_credentials) in [
        (("BATON_KEEP_SYNC_COUNT", "5"), true),
        (("BATON_SKIP_CLEANUP", "true"), true),
        (("BATON_HOST_ID", "tidy"), false),
        (("BATON_C1_API_HOST", "c1.test"), false),
    ] {
        let credentials = if with_credentials { &CREDENTIALS[..] } else { &[] };
        let notes = notes(&[], &[&[variable], credentials].concat());
        assert!(notes.len() == 1 && notes[0].starts_with(variable.0), "{notes:?}");
    }
    let off = [&[("BATON_SKIP_GRANTS", "false")], &CREDENTIALS[..]].concat();
    assert_eq!(notes(&["--sync-resource-types=role"], &off).len(), 0);
    // Its limit would be that of the daemon's life.
    let config = with(&["--max-wait=1h"], &CREDENTIALS).unwrap();
    assert_eq!(config.northflank.max_wait, None);
}

#[test]
fn what_every_go_connector_takes_is_taken_and_noted_where_it_does_nothing() {
    for words in [
        &["--parallel-sync"][..],
        &["--ticketing=true"],
        &["--keep-previous-sync-c1z"],
        &["--auth-method", "token"],
        &["--session-store-maximum-size", "15728640"],
        &["--provisioning"],
    ] {
        let notes = with(words, &[]).unwrap().notes;
        assert!(notes.len() == 1 && notes[0].contains(" has no effect: "), "{notes:?}");
    }
    assert_eq!(with(&["--ticketing=false"], &[]).unwrap().notes.len(), 0);
}

#[test]
fn levels_and_formats_are_known_in_any_case_and_by_gos_names() {
    for (text, level) in [
        ("DEBUG", LevelFilter::DEBUG),
        ("Info", LevelFilter::INFO),
        ("warning", LevelFilter::WARN),
        ("WARN", LevelFilter::WARN),
        ("panic", LevelFilter::ERROR),
        ("DPANIC", LevelFilter::ERROR),
        ("fatal", LevelFilter::ERROR),
    ] {
        assert_eq!(with(&["--log-level", text], &[]).unwrap().log.level, level, "{text}");
    }
    let format = |text| with(&[], &[("BATON_LOG_FORMAT", text)]).unwrap().log.format;
    assert_eq!([format("JSON"), format("Console")], [LogFormat::Json, LogFormat::Console]);
    assert!(with(&["--log-level", "loud"], &[]).is_err());
}

#[test]
fn types_are_named_in_any_case_and_separated_by_blanks_or_commas_wherever_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yaml");
    let types = |text: &str, variable: &str| {
        std::fs::write(&path, format!("sync-resource-types: {text}\n")).unwrap();
        let variables = [
            ("BATON_CONFIG_PATH", path.to_str().unwrap()),
            ("BATON_SYNC_RESOURCE_TYPES", variable),
        ];
        with(&[], &variables).map(|config| config.sync.selection.resource_types.clone())
    };
    for text in ["user role", "USER,Role", "user, role", " User  ROLE "] {
        assert_eq!(types(&format!("{text:?}"), ""), Ok(vec![USER, ROLE]), "{text}");
        assert_eq!(types("", text), Ok(vec![USER, ROLE]), "{text}");
    }
    assert_eq!(types("[user, Role]", ""), Ok(vec![USER, ROLE]));
    assert_eq!(types("[\"user role\"]", ""), Ok(vec![USER, ROLE]));
    for words in ["user role", "USER,Role", " user , ROLE "] {
        let selection = with(&["--sync-resource-types", words], &[]).unwrap().sync.selection;
        assert_eq!(selection.resource_types, [USER, ROLE], "{words}");
    }
    assert_eq!(types("team-role", ""), Ok(vec![TEAM_ROLE]));
    assert!(types("teams", "").is_err());
    assert!(types("api-token", "").is_err(), "that takes --sync-secrets");
    let resources = with(&["--sync-resources", "Role/Admin"], &[]).unwrap().sync;
    let id = &resources.selection.resources[0];
    assert_eq!((&*id.resource_type, &*id.resource), (ROLE, "Admin"));
}

#[test]
fn quotation_marks_that_a_value_has_kept_are_told_and_no_secret_with_it() {
    let mistake = |variable: (&str, &str)| {
        let variables = [&[variable], &CREDENTIALS[..]].concat();
        let other = CREDENTIALS.into_iter().filter(|it| it.0 != variable.0);
        let problems = match variable.0 {
            "BATON_NORTHFLANK_API_TOKEN" => resolve(&[], &[variable]),
            name if name.starts_with("BATON_CLIENT") => {
                with(&[], &other.chain([variable]).collect::<Vec<_>>())
            }
            _ => with(&[], &variables),
        };
        let problems = problems.unwrap_err().to_string();
        assert!(problems.starts_with(variable.0), "{problems}");
        assert!(problems.contains("leave them out, docker's --env-file keeps them"), "{problems}");
        problems
    };
    for token in ["\"nf-1-hidden\"", "'nf-1-hidden'", "\"nf-1-hidden", "`nf-1-hidden`"] {
        let problems = mistake(("BATON_NORTHFLANK_API_TOKEN", token));
        assert!(!problems.contains("hidden"), "{problems}");
    }
    let secret = mistake(("BATON_CLIENT_SECRET", &format!("\"{SECRET}\"")));
    assert!(!secret.contains("eyJ"), "{secret}");
    mistake(("BATON_CLIENT_ID", "\"a@b.test/c\""));
    mistake(("BATON_FILE", "'sync.c1z'"));
    mistake(("BATON_LOG_PATH", "\"a.log\""));
    mistake(("BATON_LOG_PATH", "'a.log,b.log'"));
    mistake(("BATON_SYNC_RESOURCES", "\"role/admin user/ada\""));
    mistake(("BATON_SYNC_RESOURCE_TYPES", "'role'"));
    mistake(("BATON_SKIP_GRANTS", "\"true\""));
    mistake(("BATON_KEEP_SYNC_COUNT", "'3'"));
    mistake(("BATON_SKIP_CLEANUP", "'true'"));
    mistake(("BATON_CONFIG_PATH", "\"settings.yaml\""));
    mistake(("NO_PROXY", "\"localhost\""));
    mistake(("HTTPS_PROXY", "\"http://proxy:3128\""));
    mistake(("BATON_HOST_ID", "\"tidy\""));
    mistake(("BATON_C1_API_HOST", "\"host.test\""));
}

#[test]
fn a_sync_file_is_one_of_this_machine() {
    for (text, said) in [
        (" ", "can't be blank"),
        ("\t", "can't be blank"),
        ("s3://bucket/sync.c1z", "is a URL; sync into a file of this machine"),
        ("gs://bucket/sync.c1z", "is a URL"),
        ("https://host.test/sync.c1z", "is a URL"),
        ("file:///tmp/sync.c1z", "is a URL"),
        (&"x".repeat(100_000), "longer than a path can be"),
    ] {
        for problems in [with(&["--file", text], &[]), with(&[], &[("BATON_FILE", text)])] {
            let problems = problems.unwrap_err().to_string();
            assert!(problems.starts_with("BATON_FILE (--file) is "), "{problems}");
            assert!(problems.contains(said) && problems.len() < 300, "{problems}");
        }
    }
    for text in ["a b.c1z", "s3:/a.c1z", "://a.c1z", "/a: //b.c1z"] {
        assert_eq!(file(&with(&["--file", text], &[]).unwrap()), Some(text));
    }
    for variable in ["BATON_CLIENT_ID", "BATON_OTEL_COLLECTOR_ENDPOINT", "BATON_STORAGE_ENGINE"] {
        let problems = with(&[], &[(variable, " ")]).unwrap_err().to_string();
        assert!(problems.starts_with(variable), "{problems}");
    }
}

#[test]
fn keys_of_other_connectors_are_named_and_tokens_in_their_place_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yaml");
    let note = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let config = with(&[], &[("BATON_CONFIG_PATH", path.to_str().unwrap())]).unwrap();
        config.notes.join(" ")
    };
    let note_of_flag = note("create-account-resource-type-2: x\n");
    assert!(note_of_flag.contains("create-account-resource-type-2"), "{note_of_flag}");
    let note_of_token = note("nf-create-account-resource-2: x\n");
    assert!(!note_of_token.contains("account"), "{note_of_token}");
    let note_of_run = note("abcdefghij0123456789a: x\n");
    assert!(!note_of_run.contains("abcdef"), "{note_of_run}");
}

#[test]
fn a_services_address_in_place_of_a_port_is_told_with_its_cause() {
    let port = |text| with(&["--health-check"], &[("BATON_HEALTH_CHECK_PORT", text)]);
    for text in ["tcp://10.0.0.1:8081", "udp://[fd00::1]:53"] {
        let problems = port(text).unwrap_err().to_string();
        assert!(
            problems.starts_with("BATON_HEALTH_CHECK_PORT (--health-check-port)"),
            "{problems}"
        );
        assert!(problems.contains("enableServiceLinks"), "{problems}");
        assert!(!problems.contains("takes a number"), "{problems}");
    }
    assert!(!port("many").unwrap_err().to_string().contains("enableServiceLinks"));
    assert!(port("8082").is_ok());
}

#[test]
fn a_diff_needs_two_syncs_of_everything() {
    assert!(with(&["--diff"], &[]).is_ok());
    assert!(with(&["--diff"], &[("BATON_KEEP_SYNC_COUNT", "1")]).is_err());
    for part in ["--skip-grants", "--sync-resource-types=role", "--sync-resources=role/a"] {
        assert!(with(&["--diff", part], &[]).is_err(), "{part}");
    }
}

#[test]
fn a_part_of_the_organization_can_be_selected() {
    let arguments = ["--sync-resources", "role/admin,user:ada", "--skip-grants"];
    let bid = ("BATON_SYNC_RESOURCE_TYPES", "role user");
    let selection = with(&arguments, &[bid]).unwrap().sync.selection;
    assert_eq!(selection.depth, SyncDepth::WithoutGrants);
    assert_eq!(selection.resource_types, [ROLE, USER]);
    let resources: Vec<_> = selection
        .resources
        .iter()
        .map(|id| (id.resource_type.as_str(), id.resource.as_str()))
        .collect();
    assert_eq!(resources, [(ROLE, "admin"), (USER, "ada")]);
    let bid = ["--sync-resources", "bid:r:group/g", "--skip-entitlements-and-grants"];
    let selection = with(&bid, &[]).unwrap().sync.selection;
    assert_eq!((selection.depth, selection.resources.len()), (SyncDepth::ResourcesOnly, 1));
}

#[test]
fn the_longest_wait_is_a_duration() {
    for (text, seconds) in [("90s", 90), ("20m", 1_200), ("2h", 7_200), ("1h30m", 5_400)] {
        let config = with(&["--max-wait", text], &[]).unwrap();
        assert_eq!(config.northflank.max_wait, Some(Duration::from_secs(seconds)));
    }
}

#[test]
fn debug_logs_end_when_they_expire() {
    let level = |until| {
        let arguments = ["--log-level=debug", "--log-level-debug-expires-at", until];
        with(&arguments, &[]).map(|config| (config.log.level, config.log.debug_until))
    };
    let past = datetime!(2020-01-01 00:00 UTC);
    assert_eq!(level("2020-01-01T00:00:00Z"), Ok((LevelFilter::INFO, Some(past))));
    assert_eq!(level("2999-01-01T00:00:00Z").unwrap().0, LevelFilter::DEBUG);
    assert!(level("tomorrow").is_err());
}

#[test]
fn the_collector_is_trusted_in_one_way() {
    let endpoint = ("BATON_OTEL_COLLECTOR_ENDPOINT", "collector.test:4317");
    let telemetry = |arguments: &[&str]| with(arguments, &[endpoint]).map(|it| it.telemetry);
    assert_eq!(telemetry(&[]).unwrap().unwrap().tls, CollectorTls::SystemRoots);
    let insecure = ["--otel-collector-endpoint-tls-insecure"];
    assert_eq!(telemetry(&insecure).unwrap().unwrap().tls, CollectorTls::Insecure);
    let names = vec!["localhost".to_owned()];
    let certificate = rcgen::generate_simple_self_signed(names).unwrap().cert.pem();
    let pem = [&*format!("--otel-collector-endpoint-tls-cert={certificate}")];
    let authority = CollectorTls::Authority(certificate.trim().into());
    assert_eq!(telemetry(&pem).unwrap().unwrap().tls, authority);
    assert!(telemetry(&[&pem[..], &insecure[..]].concat()).is_err());
    let none = telemetry(&["--otel-collector-endpoint-tls-cert", "PEM"]).unwrap_err().to_string();
    assert!(none.contains("no usable certificate"), "{none}");
    let off = ["--otel-tracing-disabled", "--otel-logging-disabled", "--otel-metrics-disabled"];
    assert!(telemetry(&off).unwrap().is_none());
}

#[test]
fn the_collectors_address_may_say_whether_it_speaks_tls() {
    let telemetry = |address: &str, arguments: &[&str]| {
        let endpoint = ("BATON_OTEL_COLLECTOR_ENDPOINT", address);
        with(arguments, &[endpoint]).map(|config| {
            let telemetry = config.telemetry.unwrap();
            (telemetry.endpoint, telemetry.tls)
        })
    };
    let of = |host: &str, tls| Ok((host.to_owned(), tls));
    let insecure = "--otel-collector-endpoint-tls-insecure";
    for address in ["http://host.test:4317", "HTTP://host.test:4317/"] {
        assert_eq!(telemetry(address, &[]), of("host.test:4317", CollectorTls::Insecure));
        assert_eq!(telemetry(address, &[insecure]), of("host.test:4317", CollectorTls::Insecure));
    }
    for address in ["host.test:4317", "https://host.test:4317", "https://host.test:4317/"] {
        assert_eq!(telemetry(address, &[]), of("host.test:4317", CollectorTls::SystemRoots));
    }
    assert_eq!(telemetry("[::1]:4317", &[insecure]), of("[::1]:4317", CollectorTls::Insecure));
    let problems = telemetry("https://host.test:4317", &[insecure]).unwrap_err().to_string();
    assert!(problems.contains("begins with https://"), "{problems}");
    let names = vec!["localhost".to_owned()];
    let certificate = rcgen::generate_simple_self_signed(names).unwrap().cert.pem();
    let authority = format!("--otel-collector-endpoint-tls-cert={certificate}");
    let problems = telemetry("http://host.test:4317", &[&authority]).unwrap_err().to_string();
    assert!(problems.contains("only one of"), "{problems}");
    for address in ["grpc://host.test:4317", "http://host.test:4318/v1/traces", "http://", "a b"] {
        let problems = telemetry(address, &[]).unwrap_err().to_string();
        assert!(problems.contains("it takes host:port of OTLP over gRPC"), "{problems}");
    }
}

#[test]
fn a_list_is_no_text_even_of_one_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yaml");
    for (text, key) in [
        ("northflank-api-token: [nf-listed]", "northflank-api-token"),
        ("northflank-api-token: nf-1\nfile: [a.c1z]", "file"),
    ] {
        std::fs::write(&path, text).unwrap();
        let variables = [("BATON_CONFIG_PATH", path.to_str().unwrap())];
        let problems = resolve(&[], &variables).unwrap_err().to_string();
        assert!(problems.starts_with(&format!("{key} in ")), "{problems}");
        assert!(problems.contains("is a list; it takes one value"), "{problems}");
        assert!(!problems.contains("nf-listed"), "{problems}");
    }
}

#[test]
fn a_token_that_was_put_in_anothers_place_is_not_repeated() {
    let token = "nf-Zm9vYmFy.c2VjcmV0LXRva2Vu";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yaml");
    let config = ("BATON_CONFIG_PATH", path.to_str().unwrap());
    let assert_hidden = |outcome: Result<Config, Problems>| {
        let said = match outcome {
            Ok(config) => config.notes.join(" "),
            Err(problems) => problems.to_string(),
        };
        assert!(said.contains("[hidden]") && !said.contains("Zm9vYmFy"), "{said}");
    };
    for variable in ["BATON_WORKERS", "BATON_LOG_LEVEL", "BATON_NORTHFLANK_BASE_URL", "BATON_DIFF"]
    {
        assert_hidden(with(&[], &[(variable, token)]));
        // Without the beginning that tokens have.
        let other = [("BATON_NORTHFLANK_API_TOKEN", "hunter2"), (variable, "is hunter2")];
        assert!(!resolve(&[], &other).unwrap_err().to_string().contains("hunter2"));
    }
    assert_hidden(with(&[], &[("BATON_SYNC_RESOURCES", token)]));
    for text in [format!("workers: {token}"), format!("{token}: 1")] {
        std::fs::write(&path, text).unwrap();
        assert_hidden(with(&[], &[config]));
    }
    for url in ["http://me:hunter2@a.test", "https://a.test/?token=hunter2", "me:hunter2@a.test"] {
        let problems = with(&["--northflank-base-url", url], &[]).unwrap_err().to_string();
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_proxy_that_can_not_be_understood_is_refused_in_both_modes() {
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    {
        let proxy = [(name, "http://me:hunter2@127.0.0.1:99999")];
        for variables in [proxy.to_vec(), [&proxy, &CREDENTIALS[..]].concat()] {
            let problems = with(&[], &variables).unwrap_err().to_string();
            assert!(problems.starts_with(&format!("{name} is no proxy")), "{problems}");
            assert!(!problems.contains("hunter2"), "{problems}");
        }
        assert!(with(&[], &[(name, "http://127.0.0.1:9999")]).is_ok());
    }
}

#[test]
fn a_proxy_that_leads_nowhere_need_not_be_understood() {
    let socks = ("ALL_PROXY", "socks5h://127.0.0.1:1080");
    assert!(with(&[], &[socks]).is_err());
    let loopback = ["--northflank-base-url", "http://127.0.0.1:1"];
    assert!(with(&loopback, &[socks]).is_ok(), "nobody's proxy leads to this machine");
    for exceptions in ["*", "northflank.com", "a.test,.northflank.com"] {
        assert!(with(&[], &[socks, ("NO_PROXY", exceptions)]).is_ok(), "{exceptions}");
        assert!(with(&[], &[socks, ("no_proxy", exceptions)]).is_ok(), "{exceptions}");
    }
    assert!(with(&[], &[socks, ("NO_PROXY", "a.test")]).is_err());
    // One for all is asked where there is no other.
    assert!(with(&[], &[socks, ("https_proxy", "http://127.0.0.1:3128")]).is_ok());
    // A service goes to ConductorOne as well.
    let service = |variables: &[_]| with(&loopback, &[variables, &CREDENTIALS[..]].concat());
    assert!(service(&[socks]).is_err());
    assert!(service(&[socks, ("NO_PROXY", "b.test")]).is_ok());
    assert!(service(&[socks, ("NO_PROXY", "b.test"), ("BATON_C1_API_HOST", "c.test")]).is_err());
    // The library takes the first that is set, be it empty.
    let hidden = [("HTTPS_PROXY", ""), ("https_proxy", "http://127.0.0.1:3128")];
    let problems = with(&[], &hidden).unwrap_err().to_string();
    assert!(problems.contains("https_proxy is passed over; unset HTTPS_PROXY"), "{problems}");
}

#[test]
fn empty_names_of_certificates_are_none() {
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        assert!(with(&[], &[(name, "")]).unwrap().northflank.verifier.is_some(), "{name}");
    }
}

#[test]
fn a_machine_without_certificates_is_told_so() {
    let flags = Flags::default();
    let mut values = Values::new(&flags, &|_| None);
    assert!(certificates::verifier(&mut values, Some(RootCertStore::empty())).is_none());
    let problems = values.finish(Some(())).unwrap_err().to_string();
    assert!(problems.contains("no CA certificates to trust servers by"), "{problems}");
    assert!(problems.contains("SSL_CERT_FILE") && problems.contains("install"), "{problems}");
    // Where nobody is met by TLS there need be none.
    let plain = with(&["--northflank-base-url", "http://127.0.0.1:1"], &[]).unwrap();
    assert!(plain.northflank.verifier.is_none());
    assert!(with(&[], &[]).unwrap().northflank.verifier.is_some());
}

#[test]
fn certificates_that_the_environment_names_must_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let names = vec!["localhost".to_owned()];
    let pem = rcgen::generate_simple_self_signed(names).unwrap().cert.pem();
    std::fs::create_dir(path("certificates")).unwrap();
    std::fs::write(path("certificates/ca.pem"), &pem).unwrap();
    std::fs::create_dir(path("none")).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("broken"), pem.replace("MII", "MIA")).unwrap();
    let good = path("certificates/ca.pem");
    assert!(with(&[], &[("SSL_CERT_FILE", &good)]).is_ok());
    assert!(with(&[], &[("SSL_CERT_DIR", &path("certificates"))]).is_ok());
    assert!(with(&[], &[("SSL_CERT_FILE", &good), ("SSL_CERT_DIR", &path("none"))]).is_ok());
    for (name, value) in [
        ("SSL_CERT_FILE", path("missing")),
        ("SSL_CERT_FILE", path("empty")),
        ("SSL_CERT_FILE", path("broken")),
        ("SSL_CERT_FILE", path("none")),
        ("SSL_CERT_FILE", "/dev/zero".to_owned()),
        ("SSL_CERT_DIR", path("none")),
        ("SSL_CERT_DIR", path("missing")),
    ] {
        let problems = with(&[], &[(name, &value)]).unwrap_err().to_string();
        assert!(problems.starts_with(&format!("{name} names {value}, ")), "{problems}");
    }
}

#[test]
fn credentials_left_empty_where_a_service_is_meant_to_run_are_a_mistake_that_names_both() {
    let empty = [("BATON_CLIENT_ID", ""), ("BATON_CLIENT_SECRET", "")];
    let one = [("BATON_CLIENT_ID", "")];
    let directory = tempfile::tempdir().unwrap();
    let scratch = directory.path().to_str().unwrap();
    for around in [
        ("BATON_HOST_ID", "tidy"),
        ("BATON_HEALTH_CHECK", "true"),
        ("BATON_C1Z_TEMP_DIR", scratch),
        ("BATON_C1_API_HOST", "host"),
        ("BATON_TASK_CONCURRENCY", "2"),
        ("BATON_METRICS_ADDRESS", "127.0.0.1:9090"),
        ("BATON_HEALTH_CHECK_PORT", "8082"),
        ("BATON_HEALTH_CHECK_BIND_ADDRESS", "0.0.0.0"),
    ] {
        for empty in [&empty[..], &one] {
            let problems = with(&[], &[empty, &[around]].concat()).unwrap_err().to_string();
            assert!(problems.contains("BATON_CLIENT_ID (--client-id)"), "{problems}");
            assert!(problems.contains("BATON_CLIENT_SECRET (--client-secret)"), "{problems}");
            assert!(problems.contains(&format!("{} is set", around.0)), "{problems}");
        }
        // In the settings file as well.
        let file = directory.path().join("settings.yaml");
        std::fs::write(&file, "client-id: ''\nclient-secret:\n").unwrap();
        let file = ("BATON_CONFIG_PATH", file.to_str().unwrap());
        assert!(with(&[], &[file, around]).is_err(), "{around:?}");
        assert!(with(&[], &[around]).is_ok(), "{around:?}: nobody spoke of credentials");
    }
    // A health check that is off is no service's.
    assert!(with(&[], &[&empty[..], &[("BATON_HEALTH_CHECK", "false")]].concat()).is_ok());
    assert!(with(&[], &empty).is_ok());
}
