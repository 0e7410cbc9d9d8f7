//! Changes as CSV, and into a file.

use std::fs;

use crate::harness::TestDir;
use crate::harness::changes::changed_demo;
use crate::harness::exit_code;
use fake_northflank::{FakeNorthflank, Options, Organization};

fn changed() -> TestDir {
    let room = TestDir::new();
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    room.connector_to(&fake).run().expect_success();
    fake.mutate(|organization| *organization = changed_demo());
    room.connector_to(&fake).run().expect_success();
    room
}

#[test]
fn changes_are_rows_with_addresses() {
    let room = changed();
    let run = room.connector().arguments(["diff", "--format", "csv"]).run();
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    let lines: Vec<_> = run.stdout().split("\r\n").filter(|line| !line.is_empty()).collect();
    assert!(lines[0].starts_with("change,kind,principal_type,principal_id,principal_name,email,"));
    let organization = Organization::demo();
    let left = organization.members.iter().find(|member| member.id == "uma-vargas").unwrap();
    let address = &left.emails[0].address;
    let of = |start: &str| lines.iter().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    let gone = of("removed,resource,user,uma-vargas,");
    assert!(gone.len() == 1 && gone[0].contains(address.as_str()), "{gone:?}");
    assert!(
        of("removed,grant,user,uma-vargas,").iter().all(|line| line.contains(address.as_str()))
    );
    assert!(of("added,resource,").iter().any(|line| line.contains("zoe-quill")), "{lines:#?}");
    assert!(of("changed,resource,,,,,role,owner,").iter().any(|line| line.contains(",name,")));
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() >= columns));
    // After a sync as well.
    let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
    let run = room.connector_to(&fake).arguments(["--diff=csv"]).run();
    assert!(run.stdout().contains("added,resource,user,uma-vargas,"), "{}", run.stdout());
}

#[test]
fn any_format_goes_into_a_file_of_its_owners_and_never_into_the_sync_file() {
    use std::os::unix::fs::PermissionsExt;
    let room = changed();
    for format in ["table", "json", "csv", "markdown"] {
        let printed = room.connector().arguments(["diff", "--format", format]).run();
        let run = room.connector().arguments(["diff", "--format", format, "-o", "changes"]).run();
        let run = run.expect_success();
        assert_eq!(run.stderr(), "");
        assert_eq!(fs::read_to_string(room.file("changes")).unwrap(), printed.stdout());
        let mode = fs::metadata(room.file("changes")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let run = room.connector().arguments(["diff", "-o", "changes", "--exit-code"]).run();
    assert_eq!(run.code(), Some(exit_code::CHANGED));
    let before = fs::read(room.file("sync.c1z")).unwrap();
    for (file, said) in [("sync.c1z", "is the sync file itself"), ("none/x", "can't write none/x")]
    {
        room.connector()
            .arguments(["diff", "-o", file])
            .run()
            .expect_failure(exit_code::INVALID_ARGUMENT, &[said]);
    }
    assert!(fs::read(room.file("sync.c1z")).unwrap() == before);
    assert_eq!(room.names(), ["changes", "sync.c1z"]);
}
