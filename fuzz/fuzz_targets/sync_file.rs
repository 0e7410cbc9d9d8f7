//! Whatever is found where the sync file should be: it is refused and left alone, or its
//! syncs are taken over into a file that can be opened in turn.
#![no_main]

use std::fs;
use std::time::SystemTime;

use baton_northflank::c1z::{
    NewFile, PreviousFile, ProfileKeys, Retention, SyncRun, SyncType, Target,
};
use baton_northflank::connector::{GROUP, ROLE, USER};
use baton_northflank::work_dir::WorkDirectory;
use libfuzzer_sys::{Corpus, fuzz_target};

const TYPES: [&str; 3] = [GROUP, ROLE, USER];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((kind, data)) = data.split_first() else {
        return Corpus::Reject;
    };
    // As it is, or packed first, so that what is inside is reached.
    let file = match kind % 2 {
        0 => data.to_vec(),
        _ => {
            let mut file = b"C1ZF\0".to_vec();
            file.extend(zstd::encode_all(data, 1).expect("packing in memory"));
            file
        }
    };
    let room = tempfile::tempdir().expect("a directory");
    let path = room.path().join("sync.c1z");
    fs::write(&path, &file).expect("the file is written");
    let Ok(target) = Target::inspect(&path) else {
        return Corpus::Keep;
    };
    let work = WorkDirectory::create(target.path()).expect("a work directory");
    let saved = PreviousFile::open(&target, &work, &TYPES).and_then(|previous| {
        let run = SyncRun {
            sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP".to_owned(),
            sync_type: SyncType::Full,
            started_at: SystemTime::now().into(),
            reduced_to: None,
            organization: None,
            profile_keys: ProfileKeys::new(),
            types: Vec::new(),
        };
        NewFile::create(&target, &work, &previous, Retention::All, run)?.pack()?.replace()
    });
    drop(work);
    if saved.is_err() {
        assert!(fs::read(&path).expect("the file is there") == file);
    } else {
        let target = Target::inspect(&path).expect("our own file is a sync file");
        let work = WorkDirectory::create(target.path()).expect("a work directory");
        PreviousFile::open(&target, &work, &TYPES).expect("our own file is sound");
    }
    Corpus::Keep
});
