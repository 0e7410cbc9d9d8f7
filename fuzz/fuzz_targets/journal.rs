//! Whatever an interrupted run seems to have left behind: what is whole of it is gathered and
//! nothing else, what follows can be kept behind it, and what was gathered can be told.
//!
//! The first byte of the input says what the rest is: the journal's bytes; or records that a
//! journal keeps, one after another between bytes 0xff, of which then a byte is changed.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use baton_northflank::connector::{entitlement, group, role};
use baton_northflank::journal::{Digests, Found, Identity, Journal, Reason};
use baton_northflank::sync::{Access, Gathered, Progress};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((kind, rest)) = input.split_first() else {
        return Corpus::Reject;
    };
    let room = tempfile::tempdir().expect("a directory");
    let path = room.path().join("journal");
    if kind % 2 == 0 {
        fs::write(&path, rest).expect("the journal is written");
    } else {
        let (mut journal, _, found) = open(&path);
        assert_eq!(found, Found::Nothing);
        journal.append(rest.split(|byte| *byte == 0xff)).expect("the records are kept");
        drop(journal);
        if kind % 4 == 3 {
            let mut content = fs::read(&path).expect("the journal");
            let place = usize::from(*kind) * 7919 % content.len();
            content[place] ^= kind | 1;
            fs::write(&path, content).expect("the journal is written");
        }
    }
    let (mut journal, gathered, found) = open(&path);
    let count = match found {
        Found::Records { count, .. } => {
            assert!(count > 0);
            count
        }
        Found::Nothing => 0,
        Found::Discarded(reason) => {
            assert!(!reason.to_string().is_empty() && reason != Reason::Unwanted);
            0
        }
    };
    tell(&gathered.finish());
    // What isn't whole is gone, and what follows stands behind the rest.
    journal.append([b"{}\n{}".as_slice()]).expect("the record is kept");
    drop(journal);
    let (_, _, found) = open(&path);
    match found {
        Found::Records { count: again, cut: Some(_) } => assert_eq!(again, count),
        Found::Discarded(_) => assert_eq!(count, 0),
        found => panic!("a record that is none was replayed: {found:?}"),
    }
    Corpus::Keep
});

fn open(path: &Path) -> (Journal, Gathered, Found) {
    // The seeds are journals of this run.
    let identity = Identity {
        version: "version",
        settings: "settings",
        digests: &|_| Digests { organization: None, token: [7; 32] },
        sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP",
        is_finished: &|_| false,
        now: std::time::UNIX_EPOCH.into(),
    };
    let mut gathered = Gathered::nothing_of(&Arc::default());
    let progress = Progress::default();
    let replay = |record: &[u8]| gathered.replay(record, &progress);
    let (journal, found) = Journal::open(path, &identity, true, replay).expect("files work");
    (journal, gathered, found)
}

/// Tells all that a sync tells of what was read.
fn tell(access: &Access) {
    let people: Vec<u32> = access.people().collect();
    for person in &people {
        let user = access.user(*person).expect("what was kept is known");
        assert_eq!(user.id.expect("an id").resource, access.id(*person));
    }
    assert!(people.is_sorted_by_key(|person| access.id(*person)));
    let groups = access.groups.iter().map(|held| (group(&held.row), &held.holders));
    let roles = access.roles.iter().map(|held| (role(&held.row), &held.holders));
    for (resource, holders) in groups.chain(roles) {
        entitlement(&resource);
        assert!(holders.is_sorted_by(|one, next| one.person < next.person));
        for holder in holders {
            assert!(people.contains(&holder.person));
            access.reported(holder.holding);
        }
    }
}
