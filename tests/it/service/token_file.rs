//! The API token from a file, which may be rotated while the daemon runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::daemon::{Daemon, fakes, northflank_with, platform};
use crate::harness::exit_code;
use crate::harness::{Connector, TestDir};
use fake_conductorone::Code;
use fake_northflank::{DeniedAs, FakeNorthflank, Options, Organization, Permissions, Token};

fn write(path: &Path, token: &str, mode: u32) {
    fs::write(path, format!("{token}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Without the variable that holds a token itself.
fn with_file(mut connector: Connector, file: &Path) -> Connector {
    connector.0.env_remove("BATON_NORTHFLANK_API_TOKEN");
    connector.variable("BATON_NORTHFLANK_API_TOKEN_FILE", file)
}

#[test]
fn a_token_that_is_rotated_in_its_file_is_used_from_the_first_refusal_on() {
    let (platform, northflank) = fakes();
    let room = TestDir::new();
    let file = room.file("token");
    let (old, new) =
        (northflank.token().to_owned(), northflank.add_token(Token::new(Permissions::ALL)));
    write(&file, &old, 0o600);
    let daemon = Daemon::start_with(&platform, &northflank, room, |it| with_file(it, &file));
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    northflank.revoke(&old);
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Unauthenticated);
    let before = northflank.requests();
    write(&file, &new, 0o600);
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok, "{}", daemon.log());
    assert!(northflank.requests() > before);
    assert_eq!(daemon.log().matches("its file holds another, which is used now").count(), 1);
    let (code, log, _) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(&old) && !log.contains(&new), "{log}");
    assert!(!log.contains("others on this machine"), "{log}");
    platform.assert_no_violations();
}

#[test]
fn a_token_that_lacked_a_permission_is_replaced_in_its_file_as_one_that_was_rotated() {
    let options = Options { denied_as: DeniedAs::Forbidden, ..Options::default() };
    let (platform, northflank) = (platform(), northflank_with(options));
    let room = TestDir::new();
    let file = room.file("token");
    let limited =
        northflank.add_token(Token::new(Permissions { roles: false, ..Permissions::ALL }));
    write(&file, &limited, 0o600);
    let daemon = Daemon::start_with(&platform, &northflank, room, |it| with_file(it, &file));
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::PermissionDenied);
    write(&file, northflank.token(), 0o600);
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok, "{}", daemon.log());
    let (code, log, _) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    platform.assert_no_violations();
}

#[test]
fn a_sync_without_conductorone_takes_its_token_from_a_file_and_warns_where_others_may_read_it() {
    let northflank = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let file = room.file("token");
    for (mode, warns) in [(0o644, true), (0o640, false), (0o400, false)] {
        let _ = fs::remove_file(&file);
        write(&file, northflank.token(), mode);
        let run = with_file(room.connector_to(&northflank), &file).run().expect_success();
        let warning = "others on this machine may read the token in";
        assert_eq!(run.stderr().contains(warning), warns, "{mode:o}: {}", run.stderr());
    }
}

#[test]
fn a_settings_file_with_a_secret_that_others_may_read_is_warned_of() {
    let northflank = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let room = TestDir::new();
    let settings = format!("northflank-api-token: {}", northflank.token());
    for (text, mode, warns) in
        [(settings.as_str(), 0o644, true), (&settings, 0o600, false), ("workers: 2", 0o644, false)]
    {
        write(&room.file(".baton.yaml"), text, mode);
        let run = room.connector_to(&northflank).run().expect_success();
        let warning = "others on this machine may read .baton.yaml, which holds a secret";
        assert_eq!(run.stderr().contains(warning), warns, "{}", run.stderr());
    }
}

#[test]
fn a_token_file_that_can_not_be_used_is_one_line_and_3() {
    let room = TestDir::new();
    fs::create_dir(room.file("directory")).unwrap();
    fs::write(room.file("empty"), " \n").unwrap();
    fs::write(room.file("two"), "nf-one\nnf-two\n").unwrap();
    fs::write(room.file("quoted"), "\"nf-one\"").unwrap();
    fs::write(room.file("bytes"), [0xff, 0xfe]).unwrap();
    for (name, said) in [
        ("missing", "it can't be read: No such file or directory"),
        ("directory", "it is no regular file"),
        ("empty", "the file is empty"),
        ("two", "something else than a token alone"),
        ("quoted", "something else than a token alone"),
        ("bytes", "something else than a token alone"),
    ] {
        let run = with_file(room.connector(), &room.file(name)).run();
        let run = run.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["BATON_NORTHFLANK_API_TOKEN_FILE (--", said],
        );
        assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
        assert!(!run.stderr().contains("nf-one"), "{}", run.stderr());
    }
    write(&room.file("token"), "nf-one", 0o600);
    let both = with_file(room.connector(), &room.file("token"))
        .variable("BATON_NORTHFLANK_API_TOKEN", "nf-two");
    both.run().expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["BATON_NORTHFLANK_API_TOKEN_FILE", "are both set"],
    );
}
