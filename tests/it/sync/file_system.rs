//! File systems that can't do everything, as some of FUSE's and those that are mounted over the
//! network.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt;

use fake_northflank::{FakeNorthflank, Options, Organization, Size};
use rustix::io::Errno;

use crate::harness::interrupt::{How, Interrupter};
use crate::harness::refuse::FileSystem;
use crate::harness::sync_file::SyncFile;
use crate::harness::{Room, Run, expected};

/// What is refused for good, in the words of one file system or another.
const REFUSALS: [Errno; 4] = [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY];

fn fake() -> FakeNorthflank {
    let options = Options { rate_limit: None, ..Options::default() };
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

fn run_on(file_system: &FileSystem, fake: &FakeNorthflank, room: &Room) -> Run {
    file_system.under(room.connector_to(fake), room).run()
}

/// Asserts that the file is there, whole, and nothing else is.
fn expect_the_file_alone(room: &Room) {
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn a_directory_that_can_not_be_made_safe_ends_no_run() {
    let fake = fake();
    let others = [Errno::BADF, Errno::ISDIR, Errno::PERM, Errno::ACCESS, Errno::ROFS, Errno::IO];
    for errno in REFUSALS.into_iter().chain(others) {
        let room = Room::new();
        let run = run_on(&FileSystem::refusing(&["syncdir"], errno), &fake, &room);
        let run = run.expect_success();
        for part in ["only the system knows when what is read", "the new file is in place, but"] {
            assert_eq!(run.stderr().matches(part).count(), 1, "{errno}: {}", run.stderr());
        }
        expect_the_file_alone(&room);
    }
}

#[test]
fn a_file_that_can_not_be_made_safe_is_told_once_and_one_on_a_failing_disk_is_no_success() {
    let fake = fake();
    for errno in REFUSALS {
        let room = Room::new();
        let run = run_on(&FileSystem::refusing(&["sync"], errno), &fake, &room);
        let run = run.expect_success();
        let told = run.stderr().matches("doesn't say when a file is safe on disk").count();
        assert_eq!(told, 1, "{errno}: {}", run.stderr());
        expect_the_file_alone(&room);
    }
    for errno in [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::STALE] {
        let room = Room::new();
        run_on(&FileSystem::refusing(&["sync"], errno), &fake, &room).expect_failure(2, &[]);
        assert!(!room.file("sync.c1z").exists());
    }
}

#[test]
fn a_place_without_locks_is_told_with_what_to_do_and_left_as_it_was() {
    let fake = fake();
    for errno in REFUSALS.into_iter().chain([Errno::NOLCK, Errno::PERM]) {
        let (room, asked) = (Room::new(), fake.requests());
        let run = run_on(&FileSystem::refusing(&["flock"], errno), &fake, &room);
        run.expect_failure(3, &["sync.c1z.work/lock", "name a file on another file system"]);
        assert!(room.names().is_empty());
        assert!(fake.requests() <= asked + 4, "nothing but the validation has been read");
    }
}

#[test]
fn a_database_that_is_this_runs_alone_needs_no_locks_of_its_own() {
    let (fake, room) = (fake(), Room::new());
    for errno in [Errno::NOLCK, Errno::OPNOTSUPP, Errno::ACCESS, Errno::IO] {
        let place = FileSystem::refusing(&["lock"], errno);
        run_on(&place, &fake, &room).expect_success();
        let read = room.connector().variable("TMPDIR", room.path());
        let run = place.under(read.arguments(["access", "sync.c1z"]), &room).run();
        assert_eq!(run.code(), Some(0), "{}", run.stderr());
        expect_the_file_alone(&room);
    }
}

#[test]
fn what_is_sorted_on_disk_is_sorted_in_the_work_directory() {
    let size = Size { members: 2_500, roles: 20, groups: 0, memberships: 50_000 };
    let mut organization = Organization::generate(14, size);
    // As long as usernames get: what is sorted has to be more than is kept in memory.
    let name = |id: &mut String| id.insert_str(0, &"somebody-of-a-large-organization-".repeat(5));
    organization.members.iter_mut().for_each(|member| name(&mut member.id));
    organization.roles.iter_mut().flat_map(|role| &mut role.explicit).for_each(name);
    let options = Options { rate_limit: None, ..Options::default() };
    let fake = FakeNorthflank::start(organization, options).unwrap();
    let (room, interrupter) = (Room::new(), Interrupter::new());
    fs::create_dir(room.file("elsewhere")).unwrap();
    let connector = room.connector_to(&fake).variable("TMPDIR", room.file("elsewhere"));
    let connector = FileSystem::refusing(&["tmpfile"], Errno::OPNOTSUPP).under(connector, &room);
    interrupter.watch(connector, &room).run().expect_success();
    let calls = interrupter.calls();
    let temporary: Vec<_> = calls.iter().filter(|call| call.contains("etilqs_")).collect();
    assert!(temporary.iter().any(|call| call.starts_with("open ")), "nothing was sorted on disk");
    assert!(temporary.iter().all(|call| call.contains(" sync.c1z.work/etilqs_")), "{temporary:?}");
    assert_eq!(room.names(), ["elsewhere", "sync.c1z"]);
    assert_eq!(fs::read_dir(room.file("elsewhere")).unwrap().count(), 0);
}

#[test]
fn killed_where_no_file_can_be_made_without_a_name_a_run_blocks_no_later_one() {
    let (fake, room) = (fake(), Room::new());
    let place = FileSystem::refusing(&["tmpfile"], Errno::OPNOTSUPP);
    for at in 1..12 {
        let connector = Interrupter::new().interrupt(
            place.under(room.connector_to(&fake), &room),
            &room,
            at,
            How::Kill,
        );
        assert_eq!(connector.run().0.status.signal(), Some(9), "{at}");
        assert!(room.names().len() <= 1, "{:?}", room.names());
    }
    run_on(&place, &fake, &room).expect_success();
    expect_the_file_alone(&room);
}

#[test]
fn what_is_removed_while_it_is_open_keeps_no_directory_alive_and_blocks_no_later_run() {
    let fake = fake();
    for start in [".nfs", ".fuse_hidden", ".smbdelete", ".afpDeleted"] {
        let room = Room::new();
        let place = FileSystem::hiding(start);
        let run = run_on(&place, &fake, &room).expect_success();
        assert!(!run.stderr().contains("can't remove"), "{}", run.stderr());
        expect_the_file_alone(&room);

        // What a machine leaves that goes down meanwhile.
        fs::create_dir(room.file("sync.c1z.work")).unwrap();
        for name in ["lock", "journal"] {
            fs::write(room.file("sync.c1z.work").join(name), "").unwrap();
        }
        fs::write(room.file(&format!("sync.c1z.work/{start}00000000012a4e3f00000b1c")), "1")
            .unwrap();
        run_on(&place, &fake, &room).expect_success();
        expect_the_file_alone(&room);
    }
}
