//! Whatever an interrupted run seems to have left behind: whole lists are found in it and nothing
//! else, what follows can be kept behind it, and what was found can be told.
//!
//! The first byte of the input says what the rest is: the journal's bytes; or records that a
//! journal keeps, one after another between bytes 0xff, of which then a byte is changed.
#![no_main]

use std::fs;
use std::path::Path;

use baton_northflank::connector::{ResourceContext, entitlement};
use baton_northflank::northflank::{List, ListKind, Page, Rows};
use baton_northflank::sync::{JournalIndex, Snapshot, SnapshotBuilder, recorded_page};
use baton_northflank::work_dir::{FoundJournal, IdentityDigests, Journal, RunIdentity};
use libfuzzer_sys::{Corpus, fuzz_target};
use time::OffsetDateTime;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((kind, rest)) = input.split_first() else {
        return Corpus::Reject;
    };
    let room = tempfile::tempdir().expect("a directory");
    let path = room.path().join("journal");
    if kind % 2 == 0 {
        fs::write(&path, rest).expect("the journal is written");
    } else {
        let (found, _) = open(&path);
        assert!(matches!(found, FoundJournal::Nothing));
        let mut journal = begin(&path);
        journal.append(rest.split(|byte| *byte == 0xff)).expect("the records are kept");
        drop(journal);
        if kind % 4 == 3 {
            let mut content = fs::read(&path).expect("the journal");
            let place = usize::from(*kind) * 7919 % content.len();
            content[place] ^= kind | 1;
            fs::write(&path, content).expect("the journal is written");
        }
    }
    let (found, records) = open(&path);
    let mut journal = match found {
        FoundJournal::Records { journal, .. } => {
            assert!(records > 0);
            tell(&gathered(&path).finish());
            journal
        }
        FoundJournal::Nothing => begin(&path),
        FoundJournal::Discarded(reason) => {
            assert!(!reason.to_string().is_empty());
            begin(&path)
        }
    };
    // What isn't whole is gone, and what follows stands behind the rest.
    journal.append([b"{}\n{}".as_slice()]).expect("the record is kept");
    drop(journal);
    match open(&path) {
        (FoundJournal::Records { cut: Some(_), .. }, again) => assert_eq!(again, records),
        (FoundJournal::Discarded(_), _) => assert_eq!(records, 0),
        (FoundJournal::Records { .. } | FoundJournal::Nothing, _) => {
            panic!("a record that is none was taken")
        }
    }
    Corpus::Keep
});

/// The seeds are journals of this run.
fn identity() -> RunIdentity<'static> {
    RunIdentity {
        version: "version",
        settings: "settings",
        digests: &|_| IdentityDigests { organization: None, token: [7; 32] },
        sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP",
        is_finished: &|_| false,
    }
}

fn begin(path: &Path) -> Journal {
    Journal::create(path, &identity()).expect("files work")
}

/// What is found, and how many records.
fn open(path: &Path) -> (FoundJournal, usize) {
    let (mut index, mut records) = (JournalIndex::default(), 0);
    let found = Journal::find(path, &identity(), |record, place| {
        index.add(record, place)?;
        records += 1;
        Ok(())
    });
    (found.expect("files work"), records)
}

/// All whole lists that are found, folded, as far as their pages can be read.
fn gathered(path: &Path) -> SnapshotBuilder {
    let mut index = JournalIndex::default();
    let found = Journal::find(path, &identity(), |record, place| index.add(record, place));
    let Ok(FoundJournal::Records { journal, .. }) = found else {
        panic!("what was found is lost");
    };
    let mut fold = SnapshotBuilder::default();
    let kept = index.kept_lists(OffsetDateTime::UNIX_EPOCH, None);
    let ids = |kind: ListKind| {
        let ids = kept.keys().filter(|it| it.kind == kind).filter_map(|it| it.parent.as_deref());
        ids.map(|id| serde_json::json!({"id": id})).collect::<Vec<_>>()
    };
    let roles = ids(ListKind::RoleMembers);
    let groups = ids(ListKind::DirectoryGroupMembers);
    // Blank ids are no role's or group's.
    for (kind, rows) in [
        (ListKind::Roles, serde_json::from_value(roles.into()).map(Rows::Roles)),
        (
            ListKind::DirectoryGroups,
            serde_json::from_value(groups.into()).map(Rows::DirectoryGroups),
        ),
    ] {
        let Ok(rows) = rows else { continue };
        let list = List::only(kind);
        fold.page(Page::new(list, rows, true, true)).expect("there is little of it");
    }
    let mut reader = journal.reader().expect("files work");
    for (of, list) in &kept {
        for place in &list.pages {
            let record = reader.read(*place).expect("what was found can be read again");
            if let Ok(page) = recorded_page(of, record) {
                fold.page(page).expect("there is little of it");
            }
        }
    }
    fold
}

/// Tells all that a sync tells of what was read.
fn tell(access: &Snapshot) {
    let people: Vec<u32> = access.people().collect();
    for person in &people {
        let user = access.user(*person).expect("what was kept is known");
        assert_eq!(user.id.expect("an id").resource, access.id(*person));
    }
    assert!(people.is_sorted_by_key(|person| access.id(*person)));
    for container in access.containers() {
        let resource = container.row.resource(&ResourceContext::default());
        if let Some(spec) = container.row.resource_type().entitlement {
            entitlement(spec, &resource);
        }
        let holders = &container.holders;
        assert!(holders.is_sorted_by(|one, next| one.person < next.person));
        for holder in holders {
            assert!(people.contains(&holder.person));
            access.reported(holder.holding);
        }
    }
}
