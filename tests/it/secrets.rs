//! The API token is in nothing that the connector writes: no output, no log at any level, no
//! file, no command line; whatever happens, and whatever a server says.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::exit_code;
use crate::harness::sync_file::unpack;
use crate::harness::{Connector, TestDir, wait_for_requests};
use baton_northflank::northflank::{Client, ClientSettings, List, ListKind};
use fake_northflank::{
    Action, Delivery, DeniedAs, Endpoint, FakeNorthflank, Options, Organization, Permissions, Rule,
    Token,
};
use sha2::{Digest, Sha256};
use tracing_subscriber::fmt::MakeWriter;

/// What must be found nowhere.
pub(crate) struct Secret(Vec<Vec<u8>>);

impl Secret {
    /// The token, each of its parts and some of their pieces, and what would do to try
    /// guessed tokens against: a digest without salt.
    pub(crate) fn of(token: &str) -> Self {
        let mut needles = vec![token.as_bytes().to_vec()];
        for part in token.trim_start_matches("nf-").split('.') {
            needles.push(part.as_bytes().to_vec());
        }
        let signature = token.rsplit('.').next().unwrap().as_bytes();
        needles.extend(signature.chunks_exact(12).map(<[u8]>::to_vec));
        let digest = Sha256::digest(token);
        needles.push(format!("{digest:x}").into());
        needles.push(digest.to_vec());
        Self(needles)
    }

    pub(crate) fn assert_not_in(&self, what: &str, text: &[u8]) {
        for needle in &self.0 {
            let found = memchr::memmem::find(text, needle);
            assert!(found.is_none(), "{what} holds {:?}", String::from_utf8_lossy(needle));
        }
    }

    /// Looks into every file of a directory, and into sync files unpacked.
    fn assert_not_below(&self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            self.assert_not_in("a name", path.as_os_str().as_encoded_bytes());
            if path.is_dir() {
                self.assert_not_below(&path);
                continue;
            }
            let name = path.display().to_string();
            let content = fs::read(&path).unwrap();
            self.assert_not_in(&name, &content);
            if content.starts_with(b"C1ZF") {
                let scratch = tempfile::NamedTempFile::new().unwrap();
                unpack(&path, scratch.path());
                self.assert_not_in(&name, &fs::read(scratch.path()).unwrap());
            }
        }
    }
}

/// Runs in both formats of logs, with all lines and a log file; returns the exit codes.
fn assert_silent(token: &str, connector: impl Fn(&TestDir) -> Connector) -> Vec<Option<i32>> {
    let secret = Secret::of(token);
    ["console", "json"]
        .map(|format| {
            let room = TestDir::new();
            let run = connector(&room)
                .arguments(["--log-level", "debug", "--log-format", format])
                .arguments(["--log-path", "connector.log"])
                .run();
            secret.assert_not_in("standard output", &run.0.stdout);
            secret.assert_not_in("standard error", &run.0.stderr);
            assert!(!run.stderr().is_empty());
            secret.assert_not_below(room.path());
            run.code()
        })
        .to_vec()
}

fn fake(options: Options, rules: Vec<Rule>) -> FakeNorthflank {
    let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
    for rule in rules {
        fake.script(rule);
    }
    fake
}

#[test]
fn no_outcome_shows_the_token() {
    let members = |action| vec![Rule::every(Endpoint::RoleMembers, action).after(2)];
    let long_wait = Action::Refuse {
        headers: vec![("retry-after".into(), "3000".into())],
        wait: Duration::ZERO,
    };
    let redirect = Action::Respond {
        status: 302,
        headers: vec![("location".into(), "http://localhost:1/".into())],
        body: Vec::new(),
    };
    let outcomes = [
        (0, Vec::new()),
        (0, vec![Rule::every(Endpoint::Members, Action::json(503, "busy")).times(2)]),
        (0, vec![Rule::every(Endpoint::Roles, Action::deliver(Delivery::Reset)).times(2)]),
        (2, members(redirect)),
        (2, members(Action::json(200, "<html>"))),
        (2, members(Action::json(400, ""))),
        (4, members(Action::deliver(Delivery::Silence))),
        (7, members(Action::json(403, ""))),
        (8, members(long_wait)),
        (14, members(Action::json(500, ""))),
        (14, members(Action::deliver(Delivery::Closed))),
        (16, members(Action::json(401, ""))),
    ];
    std::thread::scope(|scope| {
        for (code, rules) in outcomes {
            scope.spawn(move || {
                let fake = fake(Options::default(), rules);
                let codes = assert_silent(fake.token(), |room| {
                    let limits = ["--http-timeout-seconds", "1", "--max-wait", "1m"];
                    room.connector_to(&fake).arguments(limits)
                });
                // The second run meets what is left of the fault, which may be nothing.
                assert_eq!(codes[0], Some(code));
            });
        }
    });
}

#[test]
fn no_mistake_in_the_settings_shows_the_token() {
    let fake = fake(Options::default(), Vec::new());
    let token = fake.token();
    for arguments in [
        &["--workers", "many"][..],
        &["--fiel", "x"],
        &["--file", "no/such/directory/sync.c1z"],
        &["--northflank-base-url", "http://api.northflank.com"],
    ] {
        let codes = assert_silent(token, |room| room.connector_to(&fake).arguments(arguments));
        assert!(codes.iter().all(|code| *code != Some(0)));
    }
    for wrong in [format!("{token} {token}"), format!("{token}\u{e9}"), format!("{token}\nx")] {
        let codes = assert_silent(token, |room| {
            room.connector_to(&fake).variable("BATON_NORTHFLANK_API_TOKEN", &wrong)
        });
        assert_eq!(codes, [Some(exit_code::INVALID_ARGUMENT); 2]);
    }
    // As a flag, the token is on the command line by the caller's choice; nowhere else.
    for arguments in [
        vec!["--northflank-api-token", token],
        vec!["--northflank-api-token", token, "extra"],
        vec!["--northflank-api-token", token, "--northflank-api-token", token],
    ] {
        assert_silent(token, |room| {
            room.connector()
                .variable("BATON_NORTHFLANK_BASE_URL", fake.origin())
                .arguments(&arguments)
        });
    }
    let joined = format!("--northflank-api-token={token}");
    assert_silent(token, |room| {
        room.connector().variable("BATON_NORTHFLANK_BASE_URL", fake.origin()).arguments([&joined])
    });
}

#[test]
fn no_token_that_is_refused_is_shown() {
    for denied_as in [DeniedAs::Unauthorized, DeniedAs::Forbidden] {
        let fake = fake(Options { denied_as, ..Options::default() }, Vec::new());
        let permissions = Permissions { roles: false, ..Permissions::ALL };
        let limited = fake.add_token(Token::new(permissions));
        let revoked = fake.add_token(Token::new(Permissions::ALL));
        fake.revoke(&revoked);
        for (token, code) in
            [(limited, exit_code::PERMISSION_DENIED), (revoked, exit_code::UNAUTHENTICATED)]
        {
            let codes = assert_silent(&token, |room| {
                room.connector_to(&fake).variable("BATON_NORTHFLANK_API_TOKEN", &token)
            });
            assert_eq!(codes, [Some(code); 2]);
        }
    }
}

#[test]
fn a_settings_file_that_cannot_be_read_is_not_quoted() {
    let fake = fake(Options::default(), Vec::new());
    let token = fake.token();
    for text in [
        format!("northflank-api-token: {token}\n  : ] {token}\n"),
        format!("northflank-api-token: [{token}\n"),
        format!("northflank-api-token: {{{token}: {token}}}\n"),
        format!("{token}\n"),
        format!("{token}: x\n"),
        format!("northflank-api-token: \"{token}\n"),
        format!("northflank-api-token: !{token} x\n"),
        format!("northflank-api-token: *{token}\n"),
    ] {
        let secret = Secret::of(token);
        let room = TestDir::new();
        fs::write(room.file(".baton.yaml"), &text).unwrap();
        let run = room.connector().run();
        assert_ne!(run.code(), Some(0), "{text}");
        secret.assert_not_in(&text, &run.0.stderr);
        secret.assert_not_in(&text, &run.0.stdout);
    }
}

#[test]
fn a_server_that_echoes_the_token_does_not_get_it_shown_or_stored() {
    let fake = fake(Options::default(), Vec::new());
    let token = fake.token().to_owned();
    let bodies = [
        (403, format!(r#"{{"error":{{"message":"Bearer {token} may not","id":"{token}"}}}}"#)),
        (401, format!(r#"{{"error":{{"details":{{"requiredPermission":"{token}"}}}}}}"#)),
        (400, format!(r#"{{"error":"{token}"}}"#)),
        (502, format!(r#"{{"message":"{}{token}"}}"#, "x".repeat(200))),
        (200, format!(r#"{{"data":"{token}"}}"#)),
        (200, format!(r#"{{"data":{{"members":"{token}"}}}}"#)),
        (200, format!(r#"{{"data":{{"members":[{{"id":"{token}:","type":"explicit"}}]}}}}"#)),
        (
            200,
            format!(
                r#"{{"data":{{"members":[{{"id":"a","name":"{token}","type":"explicit"}}]}}}}"#
            ),
        ),
        (200, format!(r#"{{"data":{{"members":[{{"id":"a","type":"{token}"}}]}}}}"#)),
        (200, format!(r#"{{"data":{{"members":[]}},"pagination":{{"hasNextPage":"{token}"}}}}"#)),
        (200, token.clone()),
    ];
    for (status, body) in bodies {
        fake.unscript();
        fake.script(Rule::every(Endpoint::RoleMembers, Action::json(status, &body)));
        assert_silent(&token, |room| room.connector_to(&fake));
    }
}

#[test]
fn a_client_secret_that_cannot_be_used_is_not_quoted() {
    let fake = fake(Options::default(), Vec::new());
    // A valid key of zeros, in ways in which it may be copied or mistaken.
    let seed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let payload = "eyJkIjoiQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQSJ9";
    let secret = Secret(vec![seed.into(), payload.into(), payload[20..40].into()]);
    let id = "crimson-fox-1@tenant.example.com/pcc";
    for (id, text) in [
        (id, format!("secret-token:conductorone.com:v1:{payload}")),
        (id, format!("secret-token:conductorone.com:v2:{payload}")),
        (id, format!("secret-token:conductorone.com:v1:{}", &payload[..50])),
        (id, format!(r#"{{"kty":"OKP","crv":"Ed25519","d":"{seed}"}}"#)),
        (id, payload.to_owned()),
        // The two mixed up, or one of them missing.
        (payload, id.to_owned()),
        (payload, payload.to_owned()),
        ("", format!("secret-token:conductorone.com:v1:{payload}")),
        (payload, String::new()),
    ] {
        let room = TestDir::new();
        let run = room
            .connector_to(&fake)
            .variable("BATON_CLIENT_ID", id)
            .variable("BATON_CLIENT_SECRET", &text)
            .arguments(["--log-level", "debug"])
            .run();
        assert_eq!(run.code(), Some(exit_code::INVALID_ARGUMENT), "{text}: {}", run.stderr());
        secret.assert_not_in(&text, &run.0.stderr);
        secret.assert_not_in(&text, &run.0.stdout);
        assert!(room.names().is_empty());
    }
    assert_eq!(fake.requests(), 0);
}

#[test]
fn subcommands_that_need_no_token_do_not_show_one() {
    let fake = fake(Options::default(), Vec::new());
    let secret = Secret::of(fake.token());
    let room = TestDir::new();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["capabilities"],
        &["config"],
        &["completion", "bash"],
        &["completion", "zsh"],
    ] {
        let run = room.connector_to(&fake).arguments(arguments).run();
        assert_eq!(run.code(), Some(0), "{arguments:?}: {}", run.stderr());
        secret.assert_not_in(&format!("{arguments:?}"), &run.0.stdout);
        secret.assert_not_in(&format!("{arguments:?}"), &run.0.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_leaves_no_token_behind_and_shows_none_in_the_process_list() {
    let options = Options { latency: Duration::from_millis(50), ..Options::default() };
    let fake = fake(options, Vec::new());
    let secret = Secret::of(fake.token());
    let room = TestDir::new();
    let mut run = room.connector_to(&fake).arguments(["--workers", "0"]).spawn();
    wait_for_requests(&fake, 8);
    for file in ["cmdline", "comm", "stat", "status"] {
        let path = format!("/proc/{}/{file}", run.id());
        secret.assert_not_in(&path, &fs::read(&path).unwrap());
    }
    run.kill().unwrap();
    let output = run.wait_with_output().unwrap();
    secret.assert_not_in("standard error", &output.stderr);
    assert!(room.names().iter().any(|name| name == "sync.c1z.work"), "{:?}", room.names());
    secret.assert_not_below(room.path());
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Collected {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'log> MakeWriter<'log> for Collected {
    type Writer = Self;

    fn make_writer(&'log self) -> Self {
        self.clone()
    }
}

/// The binary logs nothing below `debug`; libraries have more to tell whoever listens.
#[test]
fn no_library_tells_the_token_at_the_lowest_level_and_no_debug_output_does() {
    let fake = fake(
        Options::default(),
        vec![
            Rule::every(Endpoint::Members, Action::json(503, "busy")).once(),
            Rule::every(Endpoint::Groups, Action::deliver(Delivery::Reset)).once(),
        ],
    );
    let secret = Secret::of(fake.token());
    let log = Collected::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let settings = ClientSettings {
        base_url: fake.origin().parse().unwrap(),
        token: fake.token().into(),
        request_timeout: Duration::from_secs(10),
        first_retry: Duration::from_millis(1),
        verifier: None,
        max_wait: None,
        reserve: 0,
    };
    secret.assert_not_in("the settings", format!("{settings:#?}").as_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let client = Client::new(&settings).unwrap();
            client.list(List::only(ListKind::Members)).start().await.unwrap();
            client.list(List::only(ListKind::DirectoryGroups)).start().await.unwrap();
            let client = format!("{client:#?}");
            secret.assert_not_in("the client", client.as_bytes());
        });
    });
    let log = log.0.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("TRACE") && text.contains("trying again"), "{text}");
    secret.assert_not_in("the log", &log);
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let fake = fake(Options::default(), Vec::new());
    let token = fake.token();
    let secret = Secret::of(token);
    let flag = format!("--{token}");
    let value = format!("--workers={token}");
    let url = format!("https://me:{token}@host.test");
    let collector = format!("https://me:{token}@host test");
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let room = TestDir::new();
        let connector = room.connector_to(&fake).arguments(arguments);
        let variables = variables.iter();
        let run = variables.fold(connector, |it, (name, value)| it.variable(name, value)).run();
        assert!(run.code() != Some(0), "{arguments:?}");
        secret.assert_not_in("standard output", &run.0.stdout);
        secret.assert_not_in("standard error", &run.0.stderr);
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
        secret.assert_not_below(room.path());
    };
    for arguments in [
        &[token][..],
        &[&flag],
        &[&value],
        &["diff", token],
        &["diff", "a.c1z", "b.c1z", token],
        &["diff", "a.c1z", "--format", token],
        &["health-check", "--endpoint", token],
        &["completion", token],
        &["--log-level", token],
        &["--northflank-base-url", &url],
        &["--log-path", &format!("/nowhere/{token}")],
        &["--otel-collector-endpoint", &collector],
        &["--c1z-temp-dir", token, "--client-id=a@b.test/c", "--client-secret=x"],
    ] {
        run(arguments, &[]);
    }
    for variable in ["BATON_CONFIG_PATH", "BATON_KEEP_SYNC_COUNT", "BATON_MAX_WAIT"] {
        run(&[], &[(variable, token)]);
    }
    // Loopback is reached without a proxy.
    let elsewhere = ("BATON_NORTHFLANK_BASE_URL", "https://api.acme.test");
    run(&[], &[elsewhere, ("HTTPS_PROXY", &format!("http://me:{token}@127.0.0.1:99999"))]);
}
