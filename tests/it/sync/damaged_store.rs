//! A resume store that a disk or somebody has changed is found out and never becomes part of a
//! file: the sync begins anew, says why, and the file is complete and true.

use crate::harness::trial::{Trial, long_role};
use fake_northflank::{Action, Endpoint, Rule};
use rusqlite::Connection;

#[test]
fn a_store_that_no_run_can_have_left_is_discarded_and_everything_is_read_again() {
    for sql in [
        "update resource set data = x'ff' where type = 'role'",
        "update resource set data = x'ff' where number = (select max(number) from resource)",
        "update resource set type = 'team' where type = 'group'",
        "update resource set id = id || 'x' where number = (select max(number) from resource)",
        "update membership set principal = principal || 'x'",
        "update membership set container = container + 1000",
        "update link set container = -container",
        "update list set state = 7",
        "update list set name = 'x' || name where state = 0",
        "update list set name = replace(name, ':', ';') where state = 0",
        "delete from run",
    ] {
        let denied = Rule::every(Endpoint::RoleMembers, Action::json(403, "")).of(&long_role());
        let trial = Trial::new([denied]);
        trial.fail(7, &["403 Forbidden"]);
        trial.fake.unscript();
        let store = trial.room.file("sync.c1z.work/resume.db");
        Connection::open(store).unwrap().execute_batch(sql).unwrap();
        let run = trial.succeed();
        let line = "what an interrupted sync had read is discarded: it is damaged";
        assert!(run.stderr().contains(line), "{sql}: {}", run.stderr());
    }
}

#[test]
fn a_cursor_that_was_changed_costs_a_list_read_again_and_no_rows() {
    let denied = Rule::every(Endpoint::RoleMembers, Action::json(403, "")).of(&long_role());
    let trial = Trial::new([denied.after(1)]);
    trial.fail(7, &["403 Forbidden"]);
    trial.fake.unscript();
    let store = trial.room.file("sync.c1z.work/resume.db");
    let changed = Connection::open(store)
        .unwrap()
        .execute("update list set next = 'expired' where next is not null", [])
        .unwrap();
    assert!(changed > 0);
    trial.succeed();
}
