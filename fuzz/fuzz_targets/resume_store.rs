//! Whatever an interrupted run seems to have left behind: it is gone on from or discarded, and
//! reading it ends in rows or in an error.
#![no_main]

use std::fs;

use baton_northflank::baton::v2::Resource;
use baton_northflank::c1z::{Error, Found, Identity, Previous, Reason, Staging, Target};
use baton_northflank::connector::{GROUP, ROLE, USER};
use baton_northflank::work::WorkDirectory;
use libfuzzer_sys::fuzz_target;
use prost::Message;

fuzz_target!(|store: &[u8]| {
    let room = tempfile::tempdir().expect("a directory");
    let target = Target::inspect(&room.path().join("sync.c1z")).expect("an absent file");
    let directory = WorkDirectory::beside(target.path());
    fs::create_dir(&directory).expect("a directory");
    fs::write(directory.join("resume.db"), store).expect("the store is written");
    let work = WorkDirectory::create(target.path()).expect("a work directory");
    let previous =
        Previous::open(&target, &work, &[GROUP, ROLE, USER]).expect("there is no file before");
    // The seeds are stores of this run.
    let identity = Identity {
        settings: "settings",
        token_digest: &|_| [7; 32],
        now: std::time::UNIX_EPOCH.into(),
    };
    let (staging, found) = match Staging::open(&target, &work, &previous, &identity, true) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    match found {
        Found::Pages(pages) => {
            assert!(pages > 0);
            if let Err(error) = walk(&staging) {
                assert!(!error.to_string().is_empty());
            }
        }
        // What begins anew is empty and works.
        Found::Nothing | Found::Discarded(_) => {
            assert_eq!(staging.memberships().expect("a new store"), 0);
            assert_eq!(staging.unread().expect("a new store"), []);
            walk(&staging).expect("a new store can be read");
        }
    }
    if let Found::Discarded(reason) = found {
        assert!(!reason.to_string().is_empty() && reason != Reason::Unwanted);
    }
});

/// Reads all that a sync reads of a store.
fn walk(staging: &Staging) -> Result<(), Error> {
    for (list, _) in staging.unread()? {
        staging.next_page(&list)?;
    }
    for resource_type in [GROUP, ROLE, USER] {
        staging.count(resource_type)?;
        staging.each_resource(resource_type, |_, data| {
            // Whether it is one is the sync's to judge.
            let _ = Resource::decode(data);
            Ok::<_, Error>(())
        })?;
    }
    let groups = staging.containers(GROUP)?;
    for role in staging.containers(ROLE)? {
        staging.resource(role)?;
        staging.linked(role, GROUP)?;
        for group in &groups {
            staging.missing_holders(*group, role)?;
        }
        staging.each_holder(role, |user, _| {
            for group in &groups {
                staging.holds(*group, user)?;
            }
            Ok::<_, Error>(())
        })?;
    }
    Ok(())
}
