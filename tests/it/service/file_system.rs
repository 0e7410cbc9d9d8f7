//! Service mode where the scratch directory is on a file system that can't do everything.
#![cfg(target_os = "linux")]

use fake_conductorone::Code;
use rustix::io::Errno;

use crate::harness::TestDir;
use crate::harness::daemon::{Daemon, connector, fakes, scratch};
use crate::harness::exit_code;
use crate::harness::refuse::FileSystem;

#[test]
fn what_a_scratch_directory_can_do_without_ends_no_service_and_stays_behind_no_task() {
    for (place, what) in [
        (FileSystem::hiding(".nfs"), ".nfs"),
        (FileSystem::hiding(".fuse_hidden"), ".fuse_hidden"),
        (FileSystem::refusing(&["sync", "syncdir"], Errno::INVAL), "fsync"),
        (FileSystem::refusing(&["tmpfile", "lock", "chmod"], Errno::OPNOTSUPP), "O_TMPFILE"),
    ] {
        let ((platform, northflank), room) = (fakes(), TestDir::new());
        let service = place.under(connector(&platform, &northflank, &room), &room);
        let daemon = Daemon::of(service, room);
        for _ in 0..2 {
            let task = platform.assign_sync();
            assert_eq!(platform.ending(&task).code, Code::Ok, "{what}: {}", daemon.log());
            daemon.assert_complete(&platform, &northflank, &task);
        }
        let (code, log, room) = daemon.stop();
        assert_eq!(code, Some(0), "{what}: {log}");
        assert!(!log.contains("can't remove"), "{what}: {log}");
        assert!(scratch(&room).is_empty(), "{what}: {:?}", scratch(&room));
        platform.assert_no_violations();
    }
}

#[test]
fn a_scratch_directory_that_can_not_be_used_is_told_with_what_names_another() {
    for (calls, errno) in [
        (["flock"], Errno::NOLCK),
        (["flock"], Errno::OPNOTSUPP),
        (["mkdir"], Errno::ROFS),
        (["mkdir"], Errno::ACCESS),
    ] {
        let ((platform, northflank), room) = (fakes(), TestDir::new());
        let place = FileSystem::refusing(&calls, errno);
        let run = place.under(connector(&platform, &northflank, &room), &room).run();
        run.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["scratch", "name another directory by --c1z-temp-dir"],
        );
    }
}
