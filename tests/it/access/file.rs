//! What `--output` writes: whole, private, and in place of what was there at once.

use crate::harness::exit_code;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use fake_northflank::Organization;

use super::{access, printed, synced};

#[test]
fn a_file_holds_what_would_have_been_printed_and_is_its_owners_alone() {
    let room = synced(&Organization::demo());
    for format in ["table", "json", "csv", "markdown", "html"] {
        let run = access(&room, &["--format", format, "--output", "told"]);
        run.expect_success();
        let file = room.file("told");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&file).unwrap(), printed(&room, &["--format", format]));
        assert_eq!(room.names(), ["sync.c1z", "told"]);
    }
}

#[test]
fn a_file_that_anybody_could_read_becomes_private_with_its_new_content() {
    let room = synced(&Organization::demo());
    fs::write(room.file("told"), "old").unwrap();
    fs::set_permissions(room.file("told"), fs::Permissions::from_mode(0o644)).unwrap();
    access(&room, &["-o", "told"]).expect_success();
    assert_eq!(fs::metadata(room.file("told")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_pipe_or_device_is_not_replaced() {
    let room = synced(&Organization::demo());
    let pipe = std::process::Command::new("mkfifo").arg(room.file("pipe")).status();
    assert!(pipe.unwrap().success());
    let run = access(&room, &["--output", "pipe"]);
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["can't write pipe", "no regular file"]);
    assert!(!fs::metadata(room.file("pipe")).unwrap().is_file());
    assert_eq!(room.names(), ["pipe", "sync.c1z"]);
}

#[test]
fn json_names_the_digest_of_the_file_that_it_was_made_from() {
    use sha2::{Digest, Sha256};
    let room = synced(&Organization::demo());
    let digest = Sha256::digest(fs::read(room.file("sync.c1z")).unwrap());
    let hex = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let told: serde_json::Value =
        serde_json::from_str(&printed(&room, &["--format", "json"])).unwrap();
    assert_eq!(told["sha256"], hex.as_str());
    assert!(printed(&room, &["--format", "html"]).contains(&hex));
}
