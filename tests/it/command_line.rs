//! Flags, variables and targets that can't work: one clear line, the right exit code, and
//! nothing touched. No request is made for any of them.

use std::fs;

use crate::harness::exit_code;
use crate::harness::{Connector, TestDir, daemon};
use fake_northflank::{FakeNorthflank, Options, Organization};

/// Nothing listens on port 1, so that a run that gets as far as asking fails with 14.
fn with_token(room: &TestDir) -> Connector {
    room.connector()
        .variable("BATON_NORTHFLANK_API_TOKEN", "nf-token")
        .variable("BATON_NORTHFLANK_BASE_URL", "http://127.0.0.1:1")
}

#[test]
fn help_and_version_go_to_standard_output() {
    let room = TestDir::new();
    let help = room.connector().arguments(["--help"]).run();
    assert_eq!((help.code(), help.stderr()), (Some(0), ""));
    assert!(help.stdout().contains("BATON_NORTHFLANK_API_TOKEN"));
    let version = room.connector().arguments(["--version"]).run();
    assert_eq!(version.stdout(), concat!("baton-northflank ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_missing_token_is_named_with_its_variable_and_flag() {
    let room = TestDir::new();
    room.connector().run().expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["BATON_NORTHFLANK_API_TOKEN (--northflank-api-token) is not set", "Settings > API"],
    );
    assert!(room.names().is_empty());
}

#[test]
fn a_blank_token_is_refused() {
    let room = TestDir::new();
    for token in ["", " ", "\t\n"] {
        let run = room.connector().variable("BATON_NORTHFLANK_API_TOKEN", token).run();
        run.expect_failure(exit_code::INVALID_ARGUMENT, &["BATON_NORTHFLANK_API_TOKEN"]);
    }
}

#[test]
fn unknown_flags_and_values_are_one_line_without_usage() {
    let room = TestDir::new();
    for arguments in [&["--fiel", "x"][..], &["extra"], &["--file"], &["--workers", "many"]] {
        let run = with_token(&room)
            .arguments(arguments)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &[]);
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
    }
}

#[test]
fn a_value_without_its_equals_sign_is_no_command_that_there_is_not() {
    let room = TestDir::new();
    for (arguments, said) in [
        (&["--diff", "json"][..], "'--diff=json'"),
        (&["--workers", "2", "--skip-grants", "true"], "'--skip-grants=true'"),
        (&["-p", "false"], "'--provisioning=false'"),
        (&["--file", "a.c1z", "b.c1z"], "unexpected argument 'b.c1z' found"),
        (&["--diff", "nf-hidden"], "'--diff=[hidden]'"),
    ] {
        let run = with_token(&room)
            .arguments(arguments)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &[said]);
        assert!(!run.error().contains("command"), "{}", run.error());
    }
    let run = with_token(&room).arguments(["--diff", "capabilities"]).run();
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["the subcommand 'capabilities' cannot be used with"],
    );
}

#[test]
fn no_value_of_any_length_makes_a_line_that_nobody_reads() {
    let room = TestDir::new();
    let long = "x".repeat(100_000);
    let words = "many words ".repeat(10_000);
    let path = format!("{}sync.c1z", "directory/".repeat(10_000));
    for (value, names) in [(&long, 9), (&words, 3), (&path, 2)] {
        for name in &[
            "BATON_FILE",
            "BATON_LOG_PATH",
            "BATON_CONFIG_PATH",
            "BATON_C1Z_TEMP_DIR",
            "BATON_SYNC_RESOURCES",
            "BATON_LOG_LEVEL",
            "BATON_CLIENT_ID",
            "SSL_CERT_FILE",
            "HTTPS_PROXY",
        ][..names]
        {
            let run = with_token(&room).variable(name, value).run();
            assert!(run.error().len() < 4_100, "{name}: {}", run.error().len());
            assert!(!run.error().contains(&"x".repeat(500)), "{name}: {}", run.error());
        }
        for text in [format!("file: '{value}'"), format!("'{value}': 1"), format!("{value}: {{}}")]
        {
            fs::write(room.file(".baton.yaml"), text).unwrap();
            // Another mistake, so that nothing is asked.
            let run = with_token(&room).arguments(["--workers", "many"]).run();
            assert!(run.error().len() < 4_100, "{}", run.error());
        }
        fs::remove_file(room.file(".baton.yaml")).unwrap();
        for arguments in [&["access", value][..], &["diff", value], &["--file", value], &[value]] {
            let run = with_token(&room).arguments(arguments).run();
            assert!(run.error().len() < 4_100, "{arguments:?}");
        }
    }
}

#[test]
fn a_base_url_that_would_expose_the_token_is_refused() {
    let room = TestDir::new();
    for (url, part) in [
        ("http://api.northflank.com", "plain http"),
        ("https://me:secret@api.northflank.com", "credentials"),
        ("https://api.northflank.com?x=1", "query"),
        ("northflank", "not a URL"),
    ] {
        let run = with_token(&room).arguments(["--northflank-base-url", url]).run();
        run.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["BATON_NORTHFLANK_BASE_URL (--northflank-base-url)", part],
        );
    }
}

#[test]
fn what_would_send_the_token_astray_is_refused_by_every_command_that_sends_it() {
    let room = TestDir::new();
    let missing = room.file("missing.pem");
    for command in [&[][..], &["check"], &["check", "--shapes"]] {
        for (name, value, said) in [
            ("HTTPS_PROXY", "socks5://127.0.0.1:1", "HTTPS_PROXY is not an HTTP proxy"),
            ("https_proxy", "http://127.0.0.1:99999", "https_proxy is no proxy"),
            ("ALL_PROXY", "socks5h://127.0.0.1:1", "ALL_PROXY is not an HTTP proxy"),
            ("SSL_CERT_FILE", missing.to_str().unwrap(), "SSL_CERT_FILE names"),
            ("SSL_CERT_DIR", "/nowhere", "SSL_CERT_DIR names"),
        ] {
            let connector = room.connector().variable("BATON_NORTHFLANK_API_TOKEN", "nf-token");
            let run = connector.variable(name, value).arguments(command).run();
            run.expect_failure(exit_code::INVALID_ARGUMENT, &[said]);
        }
    }
    assert!(room.names().is_empty());
}

#[test]
fn northflank_is_trusted_by_the_same_certificates_as_conductorone() {
    // Whoever is asked there says that it is no Northflank, if its certificate is trusted.
    let platform = daemon::platform();
    let room = TestDir::new();
    fs::write(room.file("ca.pem"), platform.certificate()).unwrap();
    let asked = &|variables: &[(&str, &str)]| {
        let base_url = format!("https://{}", platform.api_host());
        let mut connector = room
            .connector()
            .variable("BATON_NORTHFLANK_API_TOKEN", "nf-token")
            .variable("BATON_NORTHFLANK_BASE_URL", base_url);
        for (name, value) in variables {
            connector = connector.variable(name, value);
        }
        connector.arguments(["check"]).run().stderr().to_owned()
    };
    let ca = room.file("ca.pem");
    let ca = ("SSL_CERT_FILE", ca.to_str().unwrap());
    // Each tries for some seconds.
    std::thread::scope(|scope| {
        for directory in [None, Some(("SSL_CERT_DIR", ""))] {
            scope.spawn(move || {
                let variables: Vec<_> = [Some(ca), directory].into_iter().flatten().collect();
                let said = asked(&variables);
                assert!(said.contains("the answer can't be used"), "{said}");
            });
        }
        for variables in [&[][..], &[("SSL_CERT_FILE", "")], &[("SSL_CERT_DIR", "")]] {
            scope.spawn(|| {
                let said = asked(variables);
                assert!(
                    said.contains("could not connect") && said.contains("certificate"),
                    "{said}"
                );
            });
        }
    });
}

#[test]
fn an_unreachable_api_is_unavailable_and_no_file_is_made() {
    let room = TestDir::new();
    let run = with_token(&room).run().expect_failure(
        exit_code::UNAVAILABLE,
        &["/v1/org-members", "could not connect", "refused"],
    );
    assert_eq!(run.error().matches("could not connect").count(), 1, "{}", run.error());
    assert!(run.error().len() < 300, "{}", run.error());
    assert!(room.names().is_empty());
}

#[test]
fn a_target_that_is_no_file_is_refused_before_any_request() {
    let room = TestDir::new();
    fs::create_dir(room.file("directory")).unwrap();
    for (target, part) in [
        ("directory", "is a directory"),
        ("/dev/null", "is a device"),
        ("missing/sync.c1z", "does not exist"),
        ("..", "is a directory"),
    ] {
        with_token(&room)
            .arguments(["-f", target])
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &[part]);
    }
    assert_eq!(room.names(), ["directory"]);
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let room = TestDir::new();
    for (content, part) in [
        (&b"hello, world"[..], "does not begin with C1ZF"),
        (b"C1Z3\0rest", "C1Z3"),
        (b"C1Z", "does not begin with C1ZF"),
    ] {
        fs::write(room.file("sync.c1z"), content).unwrap();
        with_token(&room)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &["is not a sync file", part]);
        assert_eq!(fs::read(room.file("sync.c1z")).unwrap(), content);
        assert_eq!(room.names(), ["sync.c1z"]);
    }
}

#[test]
fn logs_are_json_where_nobody_watches() {
    let room = TestDir::new();
    let run = with_token(&room).run();
    // What can't be asked may be tried again before it is clear that nobody tells whose token it is.
    let log = run.stderr().lines().find(|line| line.contains("starting sync")).unwrap();
    let log: serde_json::Value = serde_json::from_str(log).unwrap();
    assert_eq!(log["message"], "starting sync");
    assert_eq!(log["level"], "INFO");
    let run = with_token(&room).variable("BATON_LOG_FORMAT", "console").run();
    let log = run.stderr().lines().find(|line| line.contains("starting sync")).unwrap();
    assert!(log.contains("INFO starting sync") && !log.contains('\u{1b}'), "{log}");
    let quiet = with_token(&room).variable("BATON_LOG_LEVEL", "error").run();
    assert_eq!(quiet.stderr().lines().count(), 1, "only the error: {}", quiet.stderr());
}

#[test]
fn logs_also_go_to_files_without_colour() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let flags = ["--log-path", "a.log,b.log", "--log-format", "console"];
    room.connector_to(&fake).arguments(flags).run().expect_success();
    for name in ["a.log", "b.log"] {
        let log = fs::read_to_string(room.file(name)).unwrap();
        assert!(log.contains("INFO starting sync") && !log.contains('\u{1b}'), "{log}");
    }
    let run = room.connector_to(&fake).arguments(["--log-path", "missing/a.log"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["can't write the log file missing/a.log"]);
}

#[test]
fn settings_are_taken_from_the_file_in_the_working_directory() {
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let settings = format!(
        "northflank-api-token: {}\nnorthflank-base-url: {}\nlog-levle: debug\n",
        fake.token(),
        fake.origin()
    );
    fs::write(room.file(".baton.yaml"), settings).unwrap();
    let run = room.connector().run().expect_success();
    assert!(run.stderr().contains("log-levle"), "{}", run.stderr());
    fs::write(room.file(".baton.yaml"), "northflank-api-token: 'nf-1").unwrap();
    let run = room
        .connector()
        .run()
        .expect_failure(exit_code::INVALID_ARGUMENT, &["can't read .baton.yaml"]);
    assert!(!run.stderr().contains("nf-1"), "{}", run.stderr());
}
