//! File systems that can't do everything, as some of FUSE's and those that are mounted over the
//! network.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::ExitStatusExt;

use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Rule, Size};
use rustix::io::Errno;

use crate::harness::exit_code;
use crate::harness::interrupt::{How, Interrupter};
use crate::harness::refuse::FileSystem;
use crate::harness::sync_file::SyncFile;
use crate::harness::{Run, TestDir, expected};

/// What is refused for good, in the words of one file system or another.
const REFUSALS: [Errno; 4] = [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY];

fn fake() -> FakeNorthflank {
    let options = Options { rate_limit: None, ..Options::default() };
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

fn run_on(file_system: &FileSystem, fake: &FakeNorthflank, room: &TestDir) -> Run {
    file_system.under(room.connector_to(fake), room).run()
}

/// Asserts that the file is there, whole, and nothing else is.
fn expect_the_file_alone(room: &TestDir) {
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn a_directory_that_can_not_be_made_safe_ends_no_run() {
    let fake = fake();
    let others = [Errno::BADF, Errno::ISDIR, Errno::PERM, Errno::ACCESS, Errno::ROFS, Errno::IO];
    for errno in REFUSALS.into_iter().chain(others) {
        let room = TestDir::new();
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
        let room = TestDir::new();
        let run = run_on(&FileSystem::refusing(&["sync"], errno), &fake, &room);
        let run = run.expect_success();
        let told = run.stderr().matches("doesn't say when a file is safe on disk").count();
        assert_eq!(told, 1, "{errno}: {}", run.stderr());
        expect_the_file_alone(&room);
    }
    for errno in [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::STALE] {
        let room = TestDir::new();
        run_on(&FileSystem::refusing(&["sync"], errno), &fake, &room)
            .expect_failure(exit_code::UNKNOWN, &[]);
        assert!(!room.file("sync.c1z").exists());
    }
}

#[test]
fn a_place_without_locks_is_told_with_what_to_do_and_left_as_it_was() {
    let fake = fake();
    for errno in REFUSALS.into_iter().chain([Errno::NOLCK, Errno::PERM]) {
        let (room, asked) = (TestDir::new(), fake.requests());
        let run = run_on(&FileSystem::refusing(&["flock"], errno), &fake, &room);
        run.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["sync.c1z.work/lock", "name a file on another file system"],
        );
        assert!(room.names().is_empty());
        assert!(fake.requests() <= asked + 4, "nothing but the validation has been read");
    }
    // Another run may have the one that is there.
    let room = TestDir::new();
    fs::create_dir(room.file("sync.c1z.work")).unwrap();
    fs::write(room.file("sync.c1z.work/lock"), "").unwrap();
    let run = run_on(&FileSystem::refusing(&["flock"], Errno::NOLCK), &fake, &room);
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["sync.c1z.work/lock"]);
    assert!(room.file("sync.c1z.work/lock").exists());
}

#[test]
fn a_database_that_is_this_runs_alone_needs_no_locks_of_its_own() {
    let (fake, room) = (fake(), TestDir::new());
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
    let (room, interrupter) = (TestDir::new(), Interrupter::new());
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
    let (fake, room) = (fake(), TestDir::new());
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
        let room = TestDir::new();
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

/// What a failing disk or mount says, each in its own words.
const FAILURES: [Errno; 5] =
    [Errno::IO, Errno::STALE, Errno::NOTCONN, Errno::UCLEAN, Errno::REMOTEIO];

#[test]
fn a_disk_that_fails_is_told_as_that_and_its_file_is_not_called_damaged() {
    let (fake, room) = (fake(), TestDir::new());
    run_on(&FileSystem::default(), &fake, &room).expect_success();
    let old = fs::read(room.file("sync.c1z")).unwrap();
    for errno in FAILURES {
        for call in ["read:/sync.c1z", "read:/previous.db", "open:/previous.db", "open:/sync.c1z"] {
            let run = run_on(&FileSystem::refusing(&[call], errno), &fake, &room);
            let text = run.stderr().to_owned();
            run.expect_failure(exit_code::UNKNOWN, &["disk", "health"]);
            assert!(!text.contains("damaged") && !text.contains("move it away"), "{call}: {text}");
            assert!(fs::read(room.file("sync.c1z")).unwrap() == old);
            assert_eq!(room.names(), ["sync.c1z"], "{call}");
        }
        let place = FileSystem::refusing(&["read:/sync.c1z"], errno);
        for arguments in [["access", "sync.c1z"], ["diff", "sync.c1z"]] {
            let reader = room.connector().variable("TMPDIR", room.path()).arguments(arguments);
            place
                .under(reader, &room)
                .run()
                .expect_failure(exit_code::UNKNOWN, &["disk", "health"]);
        }
    }
}

#[test]
fn what_an_interrupted_run_has_read_outlives_a_disk_that_fails_for_a_while() {
    let (fake, room) = (fake(), TestDir::new());
    fake.script(Rule::every(Endpoint::RoleMembers, Action::json(403, "")).after(3).once());
    room.connector_to(&fake)
        .arguments(["--workers", "0"])
        .run()
        .expect_failure(exit_code::PERMISSION_DENIED, &["403"]);
    let journal = room.file("sync.c1z.work/journal");
    let read = fs::read(&journal).unwrap();
    for errno in FAILURES {
        for call in ["read:/journal", "open:/journal"] {
            let run = run_on(&FileSystem::refusing(&[call], errno), &fake, &room);
            run.expect_failure(
                exit_code::UNKNOWN,
                &["can't read", "journal", "disk fails", "health"],
            );
            assert!(fs::read(&journal).unwrap() == read, "{call}");
        }
    }
    let run = run_on(&FileSystem::default(), &fake, &room).expect_success();
    assert!(run.stderr().contains("going on from an interrupted sync"), "{}", run.stderr());
    expect_the_file_alone(&room);
}

#[test]
fn a_read_only_file_system_is_told_as_that() {
    let (fake, room) = (fake(), TestDir::new());
    for call in ["mkdir", "open:/lock", "open:/sync.db", "open:/journal"] {
        let place = FileSystem::refusing(&[call], Errno::ROFS);
        let run = run_on(&place, &fake, &room);
        assert!(!run.stderr().contains("permission"), "{}", run.stderr());
        run.expect_failure(
            exit_code::INVALID_ARGUMENT,
            &["its file system is read-only", "on a volume"],
        );
    }
    let run = run_on(&FileSystem::refusing(&["mkdir"], Errno::ACCESS), &fake, &room);
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["no permission to create the directory", "--user"],
    );
}

#[test]
fn where_readers_can_not_unpack_they_name_the_directory_and_what_sets_it() {
    let (fake, room) = (fake(), TestDir::new());
    run_on(&FileSystem::default(), &fake, &room).expect_success();
    fs::create_dir(room.file("temporary")).unwrap();
    let read = |command: &str, temporary: &str, place: &FileSystem| {
        let reader = room.connector().variable("TMPDIR", room.file(temporary));
        place.under(reader.arguments([command, "sync.c1z"]), &room).run()
    };
    for command in ["access", "diff"] {
        for nowhere in ["nonexistent", "sync.c1z", "sync.c1z/within"] {
            let run = read(command, nowhere, &FileSystem::default());
            run.expect_failure(
                exit_code::INVALID_ARGUMENT,
                &[nowhere, "let TMPDIR name a directory"],
            );
        }
        for errno in [Errno::ROFS, Errno::ACCESS, Errno::PERM, Errno::OPNOTSUPP] {
            let run = read(command, "temporary", &FileSystem::refusing(&["mkdir"], errno));
            assert!(!run.stderr().contains("--user"), "{}", run.stderr());
            run.expect_failure(
                exit_code::INVALID_ARGUMENT,
                &["/temporary", "let TMPDIR name a directory"],
            );
        }
        for call in ["mkdir", "open:.db"] {
            for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
                let run = read(command, "temporary", &FileSystem::refusing(&[call], errno));
                run.expect_failure(
                    exit_code::UNKNOWN,
                    &["no space left in", "/temporary", "let TMPDIR name"],
                );
            }
        }
        for call in ["mkdir", "open:.db", "read:.db"] {
            let run = read(command, "temporary", &FileSystem::refusing(&[call], Errno::IO));
            assert!(!run.stderr().contains("damaged"), "{}", run.stderr());
            run.expect_failure(exit_code::UNKNOWN, &["disk fails", "/temporary", "health"]);
        }
    }
    assert_eq!(fs::read_dir(room.file("temporary")).unwrap().count(), 0);
    let after = room.connector_to(&fake).variable("TMPDIR", room.file("nonexistent"));
    let run = after.arguments(["--diff"]).run();
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["nonexistent", "let TMPDIR name a directory"],
    );
    assert_eq!(SyncFile::open(&room.file("sync.c1z")).syncs().len(), 2, "it is written");
}
