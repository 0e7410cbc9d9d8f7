//! Files that somebody made to do harm, and odd ones. `access` reads as `diff` does.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::harness::changes::changed_demo;
use crate::harness::exit_code;
use crate::harness::sync_file::{SyncFile, change, pack, unpack};
use crate::harness::{Run, TestDir};
use baton_northflank::baton::v2::Resource;
use fake_northflank::{FakeNorthflank, Options, Organization};
use prost::Message;
use rusqlite::Connection;

fn sync(room: &TestDir, file: &str, organization: Organization) {
    let fake = FakeNorthflank::start(organization, Options::default()).unwrap();
    room.connector_to(&fake).arguments(["-f", file]).run().expect_success();
}

fn run(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments(arguments).run()
}

/// A room with `old.c1z` and `new.c1z`, which has the user `zoe-quill` besides.
fn room() -> TestDir {
    let room = TestDir::new();
    sync(&room, "old.c1z", Organization::demo());
    sync(&room, "new.c1z", changed_demo());
    room
}

/// Gives somebody another name in a file.
fn rename(path: &Path, user: &str, name: &str) {
    let resource = SyncFile::open(path).resources().remove(&format!("user:{user}")).unwrap();
    let renamed = Resource { display_name: name.into(), ..resource };
    let bytes: Vec<_> = renamed.encode_to_vec().iter().map(|it| format!("{it:02x}")).collect();
    let bytes = bytes.concat();
    change(
        path,
        &format!("update v1_resources set data = x'{bytes}' where external_id = 'user:{user}'"),
    );
}

#[test]
fn a_name_wider_than_any_terminal_is_shown_and_moves_nothing_else() {
    let room = room();
    let wide = "x".repeat(70_000);
    rename(&room.file("new.c1z"), "zoe-quill", &wide);
    let told = run(&room, &["diff", "old.c1z", "new.c1z"]);
    assert_eq!((told.code(), told.stderr()), (Some(0), ""));
    assert!(told.stdout().contains(&format!("+ user {wide} (zoe-quill)")));
    let told = [told, run(&room, &["access", "new.c1z", "--role", "viewer"])];
    for told in told {
        assert_eq!((told.code(), told.stderr()), (Some(0), ""));
        let lines = told.stdout().lines().filter(|line| !line.contains(&wide));
        assert!(lines.map(str::len).max().unwrap() < 400, "{}", told.stdout());
    }
}

#[test]
fn json_shows_no_control_characters() {
    let room = room();
    rename(&room.file("new.c1z"), "zoe-quill", "Z\u{7f}o\u{9b}e\u{85}\u{1b}[2J\u{202e}");
    for arguments in [
        &["diff", "old.c1z", "new.c1z", "--format", "json"][..],
        &["access", "new.c1z", "--format", "json"],
    ] {
        let told = run(&room, arguments);
        assert_eq!((told.code(), told.stderr()), (Some(0), ""));
        assert!(told.stdout().contains(r"Z\u007fo\u009be\u0085\u001b[2J\u202e"), "{arguments:?}");
        let steers = |char: char| char.is_control() && char != '\n' || char == '\u{202e}';
        assert!(!told.stdout().contains(steers), "{arguments:?}");
    }
}

#[test]
fn what_is_no_plain_table_is_not_read() {
    let endless = "with recursive endless(id) as (select 1 union all select id + 1 from endless)
                   select endless.id, external_id, data, sync_id, discovered_at, resource_type_id,
                   resource_id, entitlement_id, principal_resource_type_id, principal_resource_id
                   from endless, kept";
    for (sql, name) in [
        (
            format!("alter table v1_grants rename to kept; create view v1_grants as {endless};"),
            "v1_grants",
        ),
        (
            "alter table v1_resources add column more as (hex(zeroblob(400000000)))".to_owned(),
            "v1_resources",
        ),
        (
            "alter table v1_sync_runs rename to kept;
             create virtual table v1_sync_runs using fts5 (sync_id, ended_at, sync_token);"
                .to_owned(),
            "v1_sync_runs",
        ),
    ] {
        let room = room();
        change(&room.file("new.c1z"), &sql);
        let part = format!("{name} in its database is no table");
        for arguments in
            [&["diff", "old.c1z", "new.c1z"][..], &["diff", "new.c1z"], &["access", "new.c1z"]]
        {
            run(&room, arguments).expect_failure(exit_code::INVALID_ARGUMENT, &["new.c1z", &part]);
        }
        // Nor is it taken over.
        let before = fs::read(room.file("new.c1z")).unwrap();
        let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
        let into = room.connector_to(&fake).arguments(["-f", "new.c1z"]).run();
        into.expect_failure(exit_code::INVALID_ARGUMENT, &["new.c1z", &part]);
        assert!(fs::read(room.file("new.c1z")).unwrap() == before);
    }
}

/// HTML as GitHub's own renderer makes it.
fn rendered(markdown: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = std::process::Command::new(tests.join("target/markdown/bin/python"))
        .arg(tests.join("tests/markdown/render.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the renderer is needed; see .ci/run");
    python.stdin.take().unwrap().write_all(markdown.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs Python; .ci/run has it"]
fn github_makes_of_a_name_what_it_is_and_no_link() {
    let names = [
        "www.evil.example/x",
        "WWW.evil.example",
        "see http://evil.example/?a=b",
        "https://evil.example",
        "ftp://evil.example/x",
        "xmpp:a@evil.example/x",
        "mailto:a@evil.example",
        "ada@evil.example",
        "a.b-c_d+e@evil.example",
        "&#64;team @team a&#64;evil.example",
        "<https://evil.example>",
        "<a href=https://evil.example>x</a>",
        "[x](https://evil.example) ![x](https://evil.example/x.png)",
        "[x][1] [1]: https://evil.example",
        "`a` **b** _c_ ~~d~~ \\e a|b",
        "$\\href{https://evil.example}{x}$ $`x`$",
    ];
    let room = room();
    // The judge sees what it is to see.
    assert!(rendered("ada&#64;evil.example\n").contains("<a href"));
    for name in names {
        rename(&room.file("new.c1z"), "zoe-quill", name);
        for arguments in [
            &["diff", "old.c1z", "new.c1z", "--format", "markdown"][..],
            &["access", "new.c1z", "--format", "markdown"],
        ] {
            let told = run(&room, arguments);
            assert_eq!((told.code(), told.stderr()), (Some(0), ""));
            let html = rendered(told.stdout());
            let shown = html.replace("<span>", "").replace("</span>", "");
            let cell = format!(">user {} (zoe-quill)<", as_html(name));
            assert!(shown.contains(&cell), "{cell} is not in {shown}");
            for element in ["<a", "<img", "<em", "<strong", "<del", "<code"] {
                assert!(!html.contains(element), "{name}: {element} in {html}");
            }
        }
    }
}

fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How often a page leads to the one below it.
const TIMES: u16 = 200;

/// Makes the first pages of the grants lead to the same pages over and over: a sound look at
/// any of them, and no end to all.
fn entangle(path: &Path) {
    let database = path.with_extension("db");
    unpack(path, &database);
    let connection = Connection::open(&database).unwrap();
    // With an index the grants of a sync would be found without a look at all pages.
    let drop: Vec<String> = {
        let sql = "select 'drop index ' || name from sqlite_master
                   where tbl_name = 'v1_grants' and type = 'index'";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    connection.execute_batch(&drop.join(";")).unwrap();
    let number = |sql| {
        let number = connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        usize::try_from(number).unwrap()
    };
    let size = number("pragma page_size");
    let root = number("select rootpage from sqlite_master where name = 'v1_grants'");
    connection.close().unwrap();
    let mut bytes = fs::read(&database).unwrap();
    let page = bytes[(root - 1) * size..root * size].to_vec();
    bytes.extend(page);
    // Pages above pages (https://www.sqlite.org/fileformat2.html#b_tree_pages): so many times
    // the page below.
    let above = |below: usize| {
        let mut page = vec![0; size];
        let below = u32::try_from(below).unwrap().to_be_bytes();
        let cell = size - 5;
        page[cell..cell + 4].copy_from_slice(&below);
        page[cell + 4] = 1;
        page[0] = 5;
        page[3..5].copy_from_slice(&TIMES.to_be_bytes());
        page[5..7].copy_from_slice(&u16::try_from(cell).unwrap().to_be_bytes());
        page[8..12].copy_from_slice(&below);
        for number in 0..usize::from(TIMES) {
            let at = 12 + 2 * number;
            page[at..at + 2].copy_from_slice(&u16::try_from(cell).unwrap().to_be_bytes());
        }
        page
    };
    for _ in 0..6 {
        bytes.extend(above(bytes.len() / size));
    }
    let top = above(bytes.len() / size);
    bytes[(root - 1) * size..root * size].copy_from_slice(&top);
    let pages = u32::try_from(bytes.len() / size).unwrap().to_be_bytes();
    bytes[28..32].copy_from_slice(&pages);
    fs::write(&database, bytes).unwrap();
    pack(&database, path);
    fs::remove_file(database).unwrap();
}

#[test]
fn pages_without_end_are_not_read_to_their_end() {
    let room = room();
    entangle(&room.file("new.c1z"));
    // Read to their end, they would take years.
    for arguments in [&["diff", "old.c1z", "new.c1z"][..], &["access", "new.c1z"]] {
        let damaged = ["new.c1z is damaged", " than it has "];
        run(&room, arguments).expect_failure(exit_code::INVALID_ARGUMENT, &damaged);
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let room = room();
    let pipe = std::process::Command::new("mkfifo").arg(room.file("pipe.c1z")).status();
    assert!(pipe.unwrap().success());
    for (name, part) in [
        ("pipe.c1z", "is a device or pipe"),
        ("/dev/zero", "is a device or pipe"),
        (".", "is a directory"),
    ] {
        for arguments in
            [&["diff", "old.c1z", name][..], &["diff", name, "new.c1z"], &["access", name]]
        {
            run(&room, arguments).expect_failure(exit_code::INVALID_ARGUMENT, &[name, part]);
        }
    }
}
