//! Parts of the organization: what was selected is in the file, or there is no file.

use fake_northflank::{FakeNorthflank, Options, Organization};

use crate::harness::TestDir;
use crate::harness::exit_code;
use crate::harness::sync_file::SyncFile;

fn fake() -> FakeNorthflank {
    FakeNorthflank::start(Organization::demo(), Options::default()).unwrap()
}

#[test]
fn an_id_that_northflank_lacks_is_told_with_the_nearest_ones_and_makes_no_file() {
    let fake = fake();
    for (wanted, parts) in [
        ("role/owners", &["no role \"owners\"", "did you mean owner?"][..]),
        ("user/ada-marlo", &["no user \"ada-marlo\"", "did you mean ada-marlow?"]),
        ("user/Priya Raman", &["did you mean priya-raman?"]),
        ("user/ines.duarte@marlow.exmple", &["did you mean ines-duarte or "]),
        ("group/oncall", &["no group \"oncall\"", "ONCALL0"]),
        ("role/zzzz", &["nothing in it is called like that"]),
        // An id of another type is none of this.
        ("role/ada-marlow", &["no role"]),
        ("role/owner,role/x,user/y", &["no role \"x\"", "no user \"y\""]),
    ] {
        let room = TestDir::new();
        let run = room.connector_to(&fake).arguments(["--sync-resources", wanted]).run();
        let run = run.expect_failure(exit_code::INVALID_ARGUMENT, parts);
        assert_eq!(run.stderr().matches("baton-northflank: ").count(), 1);
        assert!(!run.stderr().contains("is kept"), "{}", run.stderr());
        // By the next time it may exist: what was read is not gone on from.
        assert!(room.names().is_empty(), "{wanted}: {:?}", room.names());
    }
    fake.assert_no_violations();
}

#[test]
fn an_id_that_northflank_lacks_leaves_an_older_file_untouched() {
    let (room, fake) = (TestDir::new(), fake());
    room.connector_to(&fake).run().expect_success();
    let before = std::fs::read(room.file("sync.c1z")).unwrap();
    let run = room.connector_to(&fake).arguments(["--sync-resources", "role/nope"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["no role \"nope\""]);
    assert_eq!(std::fs::read(room.file("sync.c1z")).unwrap(), before);
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn ids_that_are_there_are_synced_whatever_is_left_out_of_them() {
    let fake = fake();
    for flag in [None, Some("--skip-grants"), Some("--skip-entitlements-and-grants")] {
        let room = TestDir::new();
        let wanted = ["--sync-resources", "role/owner,user/ada-marlow"];
        room.connector_to(&fake).arguments(wanted.into_iter().chain(flag)).run().expect_success();
        let resources = SyncFile::open(&room.file("sync.c1z")).resource_keys();
        for key in ["role:owner", "user:ada-marlow"] {
            assert!(resources.contains(key), "{flag:?}: {resources:?}");
        }
    }
}

#[test]
fn types_that_do_not_exist_or_leave_out_what_is_wanted_are_told_before_anything_is_asked() {
    let (room, fake) = (TestDir::new(), fake());
    for (arguments, parts) in [
        (&["--sync-resources=galaxy/a"][..], &["\"galaxy/a\"", "team, team-role and user"][..]),
        (&["--sync-resource-types=users"], &["\"users\"", "team, team-role and user"]),
        (&["--sync-resource-types=api-token"], &["api-token is synced only with --sync-secrets"]),
        (&["--sync-resources=api-token/a/b"], &["api-token is synced only with --sync-secrets"]),
        (
            &["--sync-resource-types=user", "--sync-resources=team/a"],
            &["--sync-resource-types leaves"],
        ),
        (
            &["--sync-resource-types=user", "--sync-resources=user/ada-marlow,role/owner"],
            &["--sync-resources", "\"role/owner\"", "--sync-resource-types leaves out"],
        ),
    ] {
        room.connector_to(&fake)
            .arguments(arguments)
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, parts);
    }
    assert_eq!(fake.requests(), 0);
    assert!(room.names().is_empty());
}
