//! Whatever is wrong is told in one line; nothing is written and nothing printed.

use std::fs;

use fake_northflank::Organization;

use super::{access, synced};
use crate::harness::exit_code;
use crate::harness::sync_file::change;

#[test]
fn an_id_that_the_file_lacks_is_told_with_the_nearest_ones() {
    let room = synced(&Organization::demo());
    for (flag, id, parts) in [
        ("--user", "ada-marlo", &["no user \"ada-marlo\"", "did you mean ada-marlow?"][..]),
        ("--user", "Priya Ramon", &["did you mean priya-raman?"]),
        ("--user", "ines.duarte@marlow.exmple", &["ines-duarte"]),
        ("--role", "owners", &["no role \"owners\"", "did you mean owner?"]),
        ("--group", "oncall", &["no group \"oncall\"", "ONCALL0"]),
        ("--role", "zzzz", &["nothing in it is called like that"]),
        // Ids of another kind are none of this.
        ("--role", "ada-marlow", &["no role"]),
    ] {
        access(&room, &[flag, id])
            .expect_failure(exit_code::INVALID_ARGUMENT, &[&["sync.c1z"], parts].concat());
    }
}

#[test]
fn what_cannot_be_read_or_written_is_refused() {
    let room = synced(&Organization::demo());
    fs::write(room.file("pebble.c1z"), b"C1Z3\0rest").unwrap();
    fs::write(room.file("text.c1z"), b"hello").unwrap();
    fs::write(room.file("broken.c1z"), b"C1ZF\0rest").unwrap();
    fs::create_dir(room.file("directory")).unwrap();
    // A file whose only sync isn't finished.
    fs::copy(room.file("sync.c1z"), room.file("unfinished.c1z")).unwrap();
    change(&room.file("unfinished.c1z"), "update v1_sync_runs set ended_at = null");
    let before = room.names();
    for (arguments, parts) in [
        (&["none.c1z"][..], &["none.c1z does not exist"][..]),
        (&["pebble.c1z"], &["C1Z3 file", "--storage-engine sqlite"]),
        (&["text.c1z"], &["no sync file"]),
        (&["broken.c1z"], &["is damaged"]),
        (&["directory"], &["a directory"]),
        (&["unfinished.c1z"], &["no finished full sync"]),
        (&["-o", "none/told"], &["can't write none/told"]),
        (&["-o", "directory"], &["can't write directory"]),
        (&["-o", "./sync.c1z"], &["is the sync file itself"]),
        (&["--title", "Access"], &["--title is for --format html"]),
        (&["--format", "xml"], &["table, json, csv, markdown, html"]),
    ] {
        for format in [&[][..], &["--format", "csv"], &["--format", "html", "-o", "told"]] {
            let has = |flag| arguments.contains(&flag) && format.contains(&flag);
            if ["--format", "-o"].iter().any(|flag| has(flag))
                || arguments.contains(&"--title") && format.contains(&"html")
            {
                continue;
            }
            let run = access(&room, &[arguments, format].concat());
            let run = run.expect_failure(exit_code::INVALID_ARGUMENT, parts);
            assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
            assert_eq!(room.names(), before);
        }
    }
}

#[test]
fn a_file_that_is_broken_in_its_midst_leaves_nothing_half_told() {
    let room = synced(&Organization::demo());
    change(
        &room.file("sync.c1z"),
        "update v1_grants set data = x'2aff' where id = (select max(id) from v1_grants)",
    );
    for format in ["table", "json", "csv", "markdown", "html"] {
        access(&room, &["--format", format])
            .expect_failure(exit_code::INVALID_ARGUMENT, &["no baton message"]);
        let arguments = ["--format", format, "-o", "told"];
        access(&room, &arguments)
            .expect_failure(exit_code::INVALID_ARGUMENT, &["no baton message"]);
        assert_eq!(room.names(), ["sync.c1z"]);
    }
}

#[test]
fn a_view_in_place_of_a_table_is_not_run() {
    let room = synced(&Organization::demo());
    change(
        &room.file("sync.c1z"),
        "alter table v1_grants rename to kept;
             create view v1_grants as with recursive endless(id) as
             (select 1 union all select id + 1 from endless) select endless.id, external_id, data,
             sync_id, discovered_at, resource_type_id, resource_id, entitlement_id,
             principal_resource_type_id, principal_resource_id from endless, kept;",
    );
    access(&room, &[])
        .expect_failure(exit_code::INVALID_ARGUMENT, &["v1_grants in its database is no table"]);
}
