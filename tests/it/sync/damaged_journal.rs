//! A journal that a disk or somebody has changed is found out and never becomes part of a file:
//! the sync goes on from what is whole of it or begins anew, says so, and the file is complete
//! and true. (That holds for every byte and every length; `sync/record/tests.rs` tries them all.)

use std::fs;
use std::path::PathBuf;

use fake_northflank::{Action, Endpoint, Rule};

use crate::harness::exit_code;
use crate::harness::trial::{Trial, long_role};

/// A run that was stopped by an answer, and its journal.
fn interrupted() -> (Trial, PathBuf) {
    let denied = Rule::every(Endpoint::RoleMembers, Action::json(403, "")).of(&long_role());
    let trial = Trial::new([denied.after(1)]);
    trial.fail(exit_code::PERMISSION_DENIED, &["403 Forbidden"]);
    trial.fake.unscript();
    let journal = trial.room.file("sync.c1z.work/journal");
    (trial, journal)
}

#[test]
fn a_journal_that_does_not_begin_as_one_is_discarded_and_everything_is_read_again() {
    for damage in [
        (|content| content.fill(b'x')) as fn(&mut Vec<u8>),
        |content| content[0] ^= 1,
        |content| content[30] ^= 1,
        |content| content.truncate(11),
        |content| content.truncate(20),
        |content| content[20..].fill(0),
    ] {
        let (trial, journal) = interrupted();
        let mut content = fs::read(&journal).unwrap();
        damage(&mut content);
        fs::write(&journal, content).unwrap();
        let run = trial.succeed();
        let line = "what an interrupted sync had read is discarded: it is damaged";
        assert!(run.stderr().contains(line), "{}", run.stderr());
    }
}

#[test]
fn what_is_whole_of_a_journal_is_kept_and_only_the_rest_read_again() {
    for damage in [
        (|content| {
            let place = content.len() * 2 / 3;
            content[place] ^= 0x10;
        }) as fn(&mut Vec<u8>),
        |content| content.truncate(content.len() - 1),
        |content| content.extend_from_slice(&[0; 5000]),
        |content| content.extend_from_slice(b"x"),
    ] {
        let (trial, journal) = interrupted();
        let mut content = fs::read(&journal).unwrap();
        damage(&mut content);
        fs::write(&journal, content).unwrap();
        let run = trial.succeed();
        for line in [
            "the end of what an interrupted sync had read is damaged",
            "going on from an interrupted sync",
        ] {
            assert!(run.stderr().contains(line), "{line}: {}", run.stderr());
        }
    }
}
