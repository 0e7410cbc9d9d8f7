//! What was read for a task whose file then could not be delivered: it is for that task, and for
//! another one as long as it is nearly as new as what that would read.

use std::fs;
use std::path::Path;

use crate::harness::daemon::{Daemon, northflank, platform, scratch, sync_file};
use crate::harness::{WAIT, wait_until};
use baton_northflank::northflank::BaseUrl;
use baton_northflank::sync::SyncSelection;
use baton_northflank::work_dir::{FoundJournal, IdentityDigests, Journal, RunIdentity};
use fake_conductorone::{Code, FakeConductorOne, Fault, Method, Rule};
use fake_northflank::{FakeNorthflank, Organization};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Takes the role of owner from whoever was given it by hand.
fn revoke_owners(organization: &mut Organization) {
    let owner = organization.roles.iter_mut().find(|role| role.id == "owner").unwrap();
    assert!(!owner.explicit.is_empty());
    owner.explicit.clear();
}

/// A task that read everything and then could not deliver it; owners were revoked since.
fn undelivered() -> (FakeConductorOne, FakeNorthflank, Daemon, String) {
    let (platform, northflank) = (platform(), northflank());
    let daemon = Daemon::start(&platform, &northflank);
    let refuse = Fault::RefuseAfter(1, Code::ResourceExhausted);
    platform.script(Rule::every(Method::UploadAsset, refuse).times(3));
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::ResourceExhausted);
    northflank.mutate(revoke_owners);
    (platform, northflank, daemon, task)
}

/// Makes what is kept so many seconds older.
fn age(daemon: &Daemon, northflank: &FakeNorthflank, seconds: i64) {
    let found = scratch(&daemon.room).into_iter().find(|name| name.ends_with("/journal")).unwrap();
    let path = daemon.room.file("scratch").join(found);
    let base_url: BaseUrl = northflank.origin().parse().unwrap();
    let token = |salt: &[u8]| Sha256::new().chain_update(salt).chain_update(northflank.token());
    let identity = RunIdentity {
        version: env!("CARGO_PKG_VERSION"),
        settings: &format!("{base_url} {:?}", SyncSelection::default()),
        digests: &|salt| IdentityDigests {
            organization: None,
            token: token(salt).finalize().into(),
        },
        sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP",
        is_finished: &|_| false,
    };
    let mut records = Vec::new();
    let found = Journal::find(&path, &identity, |record, _| {
        records.push(record.to_vec());
        Ok(())
    });
    assert!(matches!(found, Ok(FoundJournal::Records { cut: None, .. })));
    drop(found);
    rewrite(&path, &identity, records, seconds);
}

fn rewrite(path: &Path, identity: &RunIdentity<'_>, records: Vec<Vec<u8>>, seconds: i64) {
    let mut journal = Journal::create(path, identity).unwrap();
    for mut record in records {
        let note = record.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut said: Value = serde_json::from_slice(&record[note..]).unwrap();
        for (kind, time) in [("page", "ended_at"), ("finished", "at")] {
            if let Some(at) = said[kind][time].as_i64() {
                said[kind][time] = (at - seconds).into();
            }
        }
        record.truncate(note);
        record.extend(said.to_string().bytes());
        journal.append([record.as_slice()]).unwrap();
    }
    journal.make_safe().unwrap();
    assert!(fs::metadata(path).unwrap().len() > 0);
}

/// Waits for a task's upload and says whether the file still has owners that were revoked.
fn delivers_what_was_read(platform: &FakeConductorOne, daemon: &Daemon, task: &str) -> bool {
    wait_until("the upload", WAIT, || !platform.uploads(task).is_empty());
    let uploads = platform.uploads(task);
    let file = sync_file(&daemon.room, &uploads[0].data);
    let is_owner = |key: &String| key.starts_with("role:owner:assigned:user:");
    file.grants().keys().any(is_owner)
}

#[test]
fn a_later_task_reads_anew_what_another_could_not_deliver() {
    let (platform, northflank, daemon, _) = undelivered();
    age(&daemon, &northflank, 10 * 60);
    let task = platform.assign_sync();
    daemon.requests_to_complete(&platform, &northflank, &task);
    assert!(!daemon.log().contains("going on from an interrupted sync"), "{}", daemon.log());
}

#[test]
fn the_same_task_delivers_what_it_has_read_and_another_one_within_minutes() {
    let (platform, northflank, daemon, task) = undelivered();
    age(&daemon, &northflank, 5 * 3600);
    platform.assign_again(&task);
    let before = northflank.requests();
    assert!(delivers_what_was_read(&platform, &daemon, &task));
    assert_eq!(northflank.requests() - before, 4, "the token, members, roles and groups");

    let (platform, northflank, daemon, _) = undelivered();
    age(&daemon, &northflank, 9 * 60);
    let task = platform.assign_sync();
    assert!(delivers_what_was_read(&platform, &daemon, &task));

    // But not for ever.
    let (platform, northflank, daemon, task) = undelivered();
    age(&daemon, &northflank, 24 * 3600);
    platform.assign_again(&task);
    assert!(!delivers_what_was_read(&platform, &daemon, &task));
}
