//! Where a sync file is put: what stands there, who else writes there, and what it is called.

use std::fs;
use std::time::Duration;

#[cfg(target_os = "linux")]
use fake_northflank::Size;
use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Rule};

use crate::harness::Connector;
#[cfg(target_os = "linux")]
use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;
use crate::harness::{TestDir, expected};

fn fake(latency: Duration) -> FakeNorthflank {
    let options = Options { latency, ..Options::default() };
    FakeNorthflank::start(Organization::demo(), options).unwrap()
}

/// Starts a run that is slow to check the token, and calls `meanwhile` once it has asked.
fn during_validation(room: &TestDir, meanwhile: impl FnOnce()) -> std::process::ExitStatus {
    let slow = fake(Duration::from_secs(3));
    let mut run = room.connector_to(&slow).spawn();
    while slow.requests() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    meanwhile();
    run.wait().unwrap()
}

#[test]
fn a_sync_that_another_run_adds_while_the_token_is_checked_is_kept() {
    let room = TestDir::new();
    let fast = fake(Duration::ZERO);
    let status = during_validation(&room, || {
        room.connector_to(&fast).run().expect_success();
    });
    assert!(status.success());
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_eq!(file.syncs().len(), 2);
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
}

#[test]
fn a_text_that_is_put_there_while_the_token_is_checked_is_left_alone() {
    let room = TestDir::new();
    let path = room.file("sync.c1z");
    let status = during_validation(&room, || fs::write(&path, "notes").unwrap());
    assert_eq!(status.code(), Some(exit_code::INVALID_ARGUMENT));
    assert_eq!(fs::read(&path).unwrap(), b"notes");
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn nothing_is_said_to_be_kept_where_somebody_has_removed_it() {
    let room = TestDir::new();
    let work = room.file("sync.c1z.work");
    let fake = fake(Duration::ZERO);
    let remove = move |_: &mut Organization| fs::remove_dir_all(&work).unwrap();
    fake.script(Rule::every(Endpoint::RoleMembers, Action::mutate(remove)).after(3).once());
    let run = room.connector_to(&fake).arguments(["--workers", "0"]).run();
    let run = run.expect_failure(exit_code::UNKNOWN, &["sync.c1z.work"]);
    assert!(!run.stderr().contains("is kept"), "{}", run.stderr());
}

#[test]
fn somebodys_directory_in_place_of_the_work_directory_is_told_and_left_alone() {
    let room = TestDir::new();
    fs::create_dir(room.file("sync.c1z.work")).unwrap();
    fs::write(room.file("sync.c1z.work/thesis.tex"), "years").unwrap();
    let run = room.connector_to(&fake(Duration::ZERO)).run();
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["sync.c1z.work", "thesis.tex", "move it away"],
    );
    assert_eq!(fs::read(room.file("sync.c1z.work/thesis.tex")).unwrap(), b"years");
}

#[cfg(unix)]
#[test]
fn a_name_that_leaves_no_room_for_the_work_directorys_is_told() {
    let (room, fake) = (TestDir::new(), fake(Duration::ZERO));
    let run = room.connector_to(&fake).arguments(["--file", &"x".repeat(252)]).run();
    run.expect_failure(
        exit_code::INVALID_ARGUMENT,
        &["xxx.work, where what is unfinished is kept", "shorter name"],
    );
    assert!(room.names().is_empty());
    room.connector_to(&fake).arguments(["--file", &"x".repeat(250)]).run().expect_success();
}

#[test]
fn no_log_is_added_to_the_end_of_the_sync_file() {
    let (room, fake) = (TestDir::new(), fake(Duration::ZERO));
    fs::create_dir(room.file("other")).unwrap();
    let with = |log: &str, file: &str| {
        room.connector_to(&fake).arguments(["--log-path", log, "--file", file]).run()
    };
    with("sync.c1z", "./other/../sync.c1z")
        .expect_failure(exit_code::INVALID_ARGUMENT, &["names the sync file itself"]);
    assert_eq!(room.names(), ["other"]);
    room.connector_to(&fake).run().expect_success();
    let before = (fs::read(room.file("sync.c1z")).unwrap(), fake.requests());
    with("other/../sync.c1z", "sync.c1z")
        .expect_failure(exit_code::INVALID_ARGUMENT, &["names the sync file itself"]);
    assert!(fs::read(room.file("sync.c1z")).unwrap() == before.0);
    assert_eq!(fake.requests(), before.1);
    with("other.c1z", "sync.c1z").expect_success();
}

#[test]
fn a_directory_that_does_not_exist_is_no_file() {
    let room = TestDir::new();
    let run = room.connector_to(&fake(Duration::ZERO)).arguments(["--file", "new/"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["new/", "a directory"]);
    assert!(room.names().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_takes_no_directory_is_told_as_no_place_to_write_to() {
    let room = TestDir::new();
    let fake = fake(Duration::ZERO);
    let run = room.connector_to(&fake).arguments(["--file", "/proc/sync.c1z"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["/proc/", "name a file elsewhere"]);
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_written_through() {
    let room = TestDir::new();
    std::os::unix::fs::symlink("real.c1z", room.file("sync.c1z")).unwrap();
    room.connector_to(&fake(Duration::ZERO)).run().expect_success();
    assert!(fs::symlink_metadata(room.file("sync.c1z")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(room.file("real.c1z")).unwrap().is_file());
    assert_eq!(room.names(), ["real.c1z", "sync.c1z"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_whose_name_is_not_utf_8_holds_one_sync_after_the_other() {
    use std::os::unix::ffi::OsStrExt;
    let room = TestDir::new();
    let directory = room.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&directory).unwrap();
    let fake = fake(Duration::ZERO);
    for count in 1..=2 {
        let mut connector = room.connector_to(&fake).variable("TMPDIR", &directory);
        connector.0.current_dir(&directory);
        connector.run().expect_success();
        assert_eq!(SyncFile::open(&directory.join("sync.c1z")).syncs().len(), count);
    }
    let mut connector = room.connector().variable("TMPDIR", &directory);
    connector.0.current_dir(&directory);
    let run = connector.arguments(["diff", "sync.c1z"]).run();
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
}

/// The connector in name spaces of its own, after this script.
#[cfg(target_os = "linux")]
fn unshared(mut connector: Connector, flags: &[&str], script: &str) -> Connector {
    let mut inside = std::process::Command::new("/usr/bin/unshare");
    inside.args(flags).args(["/bin/sh", "-c"]).arg(format!("{script} exec \"$0\" \"$@\""));
    inside.arg(connector.0.get_program()).args(connector.0.get_args());
    inside.current_dir(connector.0.get_current_dir().unwrap()).env_clear();
    inside.env("PATH", std::env::var_os("PATH").unwrap());
    inside.envs(connector.0.get_envs().filter_map(|(name, value)| Some((name, value?))));
    connector.0 = inside;
    connector
}

#[cfg(target_os = "linux")]
const MOUNTS: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Mounts a file by itself as containers do, in name spaces of its own.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs name spaces; .ci/run has it"]
fn a_file_that_is_mounted_by_itself_is_told_before_anything_is_asked() {
    let room = TestDir::new();
    for name in ["sync.c1z", "other.c1z"] {
        fs::write(room.file(name), "").unwrap();
    }
    let fake = fake(Duration::ZERO);
    let script = "mount --bind other.c1z sync.c1z &&";
    let run = unshared(room.connector_to(&fake), &MOUNTS, script).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["is mounted by itself", "-v \"$PWD:/out\""]);
    assert_eq!(fake.requests(), 0);
}

/// As in the README's manifest for Kubernetes, all but the volume is read-only, and there is no
/// place for temporary files: sorting so many grants takes some.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs name spaces, and most of a minute; .ci/run has it"]
fn a_large_organization_is_synced_where_nothing_but_the_volume_can_be_written_to() {
    const GRANTS: usize = 600_000;
    let size = Size { members: 20_000, roles: 60, groups: 0, memberships: GRANTS };
    let mut organization = Organization::generate(14, size);
    // As long as usernames get: what is sorted has to be more than is kept in memory.
    let name = |id: &mut String| id.insert_str(0, &"somebody-of-a-large-organization-".repeat(2));
    organization.members.iter_mut().for_each(|member| name(&mut member.id));
    organization.roles.iter_mut().flat_map(|role| &mut role.explicit).for_each(name);
    let options = Options { rate_limit: None, ..Options::default() };
    let fake = FakeNorthflank::start(organization, options).unwrap();
    let room = TestDir::new();
    fs::create_dir(room.file("out")).unwrap();
    let script = "mount --bind out /mnt && cd / && mount --options remount,bind,ro / &&
        for place in /tmp /var/tmp /usr/tmp /dev/shm; do
            if test -d $place; then
                mount --bind $place $place && mount --options remount,bind,ro $place || exit 99
            fi
        done &&
        ! touch /here 2> /dev/null && ! touch /tmp/here 2> /dev/null &&";
    let connector = room.connector_to(&fake).arguments(["--file", "/mnt/sync.c1z"]);
    unshared(connector, &MOUNTS, script).run().expect_success();
    let file = SyncFile::open(&room.file("out/sync.c1z"));
    let count = file.column("select cast(count(*) as text) from v1_grants").concat();
    assert_eq!(count, GRANTS.to_string());
}

/// Its own user may not list what it holds either.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs name spaces; .ci/run has it"]
fn a_directory_that_cannot_be_listed_holds_the_new_file_and_the_run_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let room = TestDir::new();
    let directory = room.file("out");
    fs::create_dir(&directory).unwrap();
    let closed = |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
    closed(0o300);
    let fake = fake(Duration::ZERO);
    let connector = room.connector_to(&fake).arguments(["--file", "out/sync.c1z"]);
    // Without the powers of an administrator, whoever runs the test.
    let run = unshared(connector, &["--user"], "").run().expect_success();
    closed(0o700);
    assert!(run.stderr().contains("the new file is in place, but"), "{}", run.stderr());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    let file = SyncFile::open(&directory.join("sync.c1z"));
    assert_eq!(file.grants(), expected::grants(&Organization::demo()));
}
