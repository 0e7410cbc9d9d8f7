//! Who may read the sync file, in the words of its mode and group.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fake_northflank::{FakeNorthflank, Options, Organization};
#[cfg(target_os = "linux")]
use rustix::{fs::XattrFlags, io::Errno};

use crate::harness::TestDir;
#[cfg(target_os = "linux")]
use crate::harness::refuse::FileSystem;
use crate::harness::sync_file::SyncFile;

fn fake() -> FakeNorthflank {
    let options = Options { rate_limit: None, ..Options::default() };
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Mode and group.
fn rights(path: &Path) -> (u32, u32) {
    let found = fs::metadata(path).unwrap();
    (found.mode() & 0o7777, found.gid())
}

/// A group that files may be given to, and that new ones don't have if there is such a one.
fn another_group(path: &Path) -> u32 {
    let groups = Command::new("id").arg("-G").output().unwrap().stdout;
    let groups = String::from_utf8(groups).unwrap();
    let own = groups.split_whitespace().map(|group| group.parse().unwrap());
    // Only root may give files to any.
    let may_give = |group: &u32| chown(path, None, Some(*group)).is_ok();
    [12_345].into_iter().chain(own).find(may_give).unwrap()
}

#[test]
fn a_file_that_is_replaced_keeps_the_mode_and_group_that_somebody_chose() {
    let (fake, room) = (fake(), TestDir::new());
    let path = room.file("sync.c1z");
    // One that is empty has been made for this.
    fs::write(&path, "").unwrap();
    for mode in [0o640, 0o644, 0o660, 0o604, 0o400, 0o600] {
        let group = another_group(&path);
        set_mode(&path, mode);
        room.connector_to(&fake).run().expect_success();
        assert_eq!(rights(&path), (mode, group), "{mode:o}");
    }
    // Nothing that runs or changes who runs it is passed on to what was not looked at.
    set_mode(&path, 0o4755);
    room.connector_to(&fake).run().expect_success();
    assert_eq!(rights(&path).0, 0o755);
    fs::rename(&path, room.file("real.c1z")).unwrap();
    std::os::unix::fs::symlink("real.c1z", &path).unwrap();
    set_mode(&path, 0o640);
    room.connector_to(&fake).run().expect_success();
    assert_eq!(rights(&room.file("real.c1z")).0, 0o640);
}

#[test]
fn a_mode_that_is_chosen_while_a_run_works_is_kept() {
    let options = Options { latency: Duration::from_millis(300), ..Options::default() };
    let slow = FakeNorthflank::start(Organization::demo(), options).unwrap();
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    room.connector_to(&fake()).run().expect_success();
    let mut run = room.connector_to(&slow).spawn();
    while slow.requests() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    set_mode(&path, 0o640);
    assert!(run.wait().unwrap().success());
    assert_eq!(SyncFile::open(&path).syncs().len(), 2);
    assert_eq!(rights(&path).0, 0o640);
}

#[test]
fn a_new_file_is_its_owners_alone_whatever_the_umask() {
    let fake = fake();
    for umask in ["0", "022", "027"] {
        let room = TestDir::new();
        let mut connector = room.connector_to(&fake);
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().current_dir(room.path());
        shell.envs(connector.0.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.args(["-c", &format!("umask {umask}; exec \"$0\"")]).arg(connector.0.get_program());
        connector.0 = shell;
        connector.run().expect_success();
        assert_eq!(rights(&room.file("sync.c1z")).0, 0o600, "{umask}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_group_can_not_be_kept_its_rights_go_and_nobody_gains_any() {
    let fake = fake();
    for errno in [Errno::PERM, Errno::INVAL, Errno::OPNOTSUPP] {
        let place = FileSystem::refusing(&["chown"], errno);
        for (mode, kept) in
            [(0o640, 0o600), (0o660, 0o600), (0o644, 0o604), (0o604, 0o600), (0o646, 0o604)]
        {
            let room = TestDir::new();
            let path = room.file("sync.c1z");
            room.connector_to(&fake).run().expect_success();
            let own = rights(&path).1;
            if another_group(&path) == own {
                return;
            }
            set_mode(&path, mode);
            let run = place.under(room.connector_to(&fake), &room).run().expect_success();
            assert!(run.stderr().contains("the group of the file can't be kept"), "{mode:o}");
            assert_eq!(rights(&path), (kept, own), "{mode:o}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_mode_can_be_set_the_file_is_its_owners_alone_and_the_run_says_so() {
    let (fake, room) = (fake(), TestDir::new());
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    set_mode(&path, 0o640);
    let place = FileSystem::refusing(&["chmod"], Errno::PERM);
    let run = place.under(room.connector_to(&fake), &room).run().expect_success();
    assert!(run.stderr().contains("the mode of the file can't be kept"), "{}", run.stderr());
    assert_eq!(rights(&path).0, 0o600);
}

/// An access list of Linux's: the owner, the user 12345, the group, the most that the last two
/// may do, and others.
#[cfg(target_os = "linux")]
fn access_list(user_12345: u16, group: u16, most: u16) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (0x01, 6, NOBODY),
        (0x02, user_12345, 12_345),
        (0x04, group, NOBODY),
        (0x10, most, NOBODY),
        (0x20, 0, NOBODY),
    ];
    let entries = entries.into_iter().flat_map(|(tag, may, id): (u16, u16, u32)| {
        [&tag.to_le_bytes()[..], &may.to_le_bytes(), &id.to_le_bytes()].concat()
    });
    2_u32.to_le_bytes().into_iter().chain(entries).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn who_is_let_in_by_a_list_is_still_let_in_and_the_group_is_not_for_it() {
    const LIST: &str = "system.posix_acl_access";
    let list_of = |path: &Path| {
        let mut list = vec![0; 1024];
        let length = rustix::fs::getxattr(path, LIST, list.as_mut_slice());
        length.map(|length| list[..length].to_vec())
    };
    let (fake, room) = (fake(), TestDir::new());
    let path = room.file("sync.c1z");
    room.connector_to(&fake).run().expect_success();
    let list = access_list(4, 0, 4);
    rustix::fs::setxattr(&path, LIST, &list, XattrFlags::empty()).unwrap();
    assert_eq!(rights(&path).0, 0o640);
    room.connector_to(&fake).run().expect_success();
    assert_eq!((list_of(&path), rights(&path).0), (Ok(list), 0o640));

    // What the directory gives to each new file is not for one that has none.
    let default = "system.posix_acl_default";
    rustix::fs::setxattr(room.path(), default, &access_list(7, 7, 7), XattrFlags::empty()).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    rustix::fs::removexattr(&path, LIST).unwrap();
    set_mode(&path, 0o640);
    room.connector_to(&fake).run().expect_success();
    assert_eq!((list_of(&path), rights(&path).0), (Err(Errno::NODATA), 0o640));
}
