//! The demo, as somebody meets it who has nothing but the binary.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use fake_northflank::{FakeNorthflank, Options, Organization, Size};

use crate::harness::changes::quietly_changed_demo;
use crate::harness::exit_code;
use crate::harness::expected;
use crate::harness::sync_file::SyncFile;
use crate::harness::{Connector, Run, TestDir};

const BINARY: &str = env!("CARGO_BIN_EXE_baton-northflank");

/// What the demo writes.
const WRITTEN: [&str; 3] = ["access.html", "review.yaml", "sync.c1z"];

fn demo(room: &TestDir, arguments: &[&str]) -> Run {
    room.connector().arguments(["demo"]).arguments(arguments).run()
}

fn assert_success(run: &Run) {
    assert_eq!(run.code(), Some(0), "{}", run.stderr());
}

/// What the demo advises to type: its indented lines, but for why one would.
fn advised(run: &Run) -> Vec<String> {
    let (_, advice) = run.stdout().split_once("\nWhat to try next:\n").unwrap();
    let lines = advice.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Asserts that a file holds an organization with the demo's teams and tokens.
fn assert_holds(file: &SyncFile, organization: Organization) {
    let organization = organization.with_teams_of_the_demo();
    assert_eq!(file.grants(), expected::grants_with_teams(&organization));
    let mut resources = expected::resources_with_teams(&organization);
    resources.extend(expected::tokens(&organization));
    assert_eq!(file.resource_keys(), resources);
}

#[test]
fn the_demo_syncs_a_made_up_organization_and_tells_who_has_access() {
    let room = TestDir::new();
    let run = demo(&room, &[]);
    assert_success(&run);
    assert_eq!(room.names(), WRITTEN);
    assert!(
        run.stdout()
            .contains("Marlow Freight, a made-up organization, is served at http://127.0.0.1:")
    );
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_holds(&file, Organization::demo());
    let page = fs::read_to_string(room.file("access.html")).unwrap();
    assert!(page.contains("<title>Marlow Freight") && page.contains("carla-rossi"));
}

/// A variable of any kind, a settings file and a proxy that would each spoil a sync.
fn spoiled(room: &TestDir, connector: Connector) -> Connector {
    fs::write(room.file(".baton.yaml"), "client-id: x\nfile: [a, b]\nworkers: many\n").unwrap();
    let help = room.connector().arguments(["--help"]).run();
    let names = help.stdout().split(|char: char| !char.is_ascii_uppercase() && char != '_');
    let names = names.filter(|name| name.starts_with("BATON_") && !name.ends_with('_'));
    let further = ["BATON_C1_API_HOST", "BATON_HOST_ID", "BATON_SKIP_GRANTS", "HTTP_PROXY"];
    let further = further.into_iter().chain(["http_proxy", "ALL_PROXY"]);
    let connector = names
        .chain(further)
        .fold(connector, |connector, name| connector.variable(name, "nowhere://not a value"));
    connector.variable("BATON_SKIP_GRANTS", "true").variable("BATON_KEEP_SYNC_COUNT", "1")
}

#[test]
fn nothing_that_the_shell_or_a_settings_file_sets_reaches_the_demo() {
    let room = TestDir::new();
    for _ in 0..2 {
        let connector = spoiled(&room, room.connector());
        assert_success(&connector.arguments(["demo"]).run());
        assert_eq!(room.names(), [&[".baton.yaml"], &WRITTEN[..]].concat());
    }
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_holds(&file, quietly_changed_demo());
}

#[test]
fn each_further_run_is_of_another_day_and_shows_what_changed() {
    let room = TestDir::new();
    let first = demo(&room, &[]);
    assert_success(&first);
    assert!(!first.stdout().contains("Zoë Quill"));
    let second = demo(&room, &[]);
    assert_success(&second);
    for change in ["+ user Zoë Quill", "- user Uma Vargas", "- user Ben Okafor"] {
        assert!(second.stdout().contains(change), "{}", second.stdout());
    }
    let file = SyncFile::open(&room.file("sync.c1z"));
    assert_holds(&file, quietly_changed_demo());
    let third = demo(&room, &[]);
    assert_success(&third);
    assert!(third.stdout().contains("- user Zoë Quill"), "{}", third.stdout());
}

#[test]
fn what_the_demo_advises_works_as_typed() {
    let room = TestDir::new();
    let (name, directory) = (Path::new(BINARY).file_name().unwrap(), Path::new(BINARY).parent());
    // Installed, and copied to where a path has a blank.
    fs::create_dir(room.file("my tools")).unwrap();
    fs::hard_link(BINARY, room.file("my tools/baton-northflank"))
        .or_else(|_| fs::copy(BINARY, room.file("my tools/baton-northflank")).map(drop))
        .unwrap();
    let here = room.path().to_str().unwrap();
    for (program, elsewhere) in [
        (name.to_str().unwrap(), None),
        ("./my tools/baton-northflank", Some("-it's a demo")),
        (BINARY, Some(here)),
    ] {
        // Once, and once more: another day has further advice.
        for count in [3, 4] {
            let mut command = Command::new(BINARY);
            command.arg0(program).arg("demo").env_clear().current_dir(room.path());
            command.args(elsewhere.iter().map(|it| format!("--directory={it}")));
            let run = Run(command.output().unwrap());
            assert_success(&run);
            let lines = advised(&run);
            assert_eq!(lines.len(), count, "{}", run.stdout());
            for line in lines {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &line]).current_dir(room.path()).env_clear();
                let run = Run(shell.env("PATH", directory.unwrap()).output().unwrap());
                let code = if line.contains(" review ") { exit_code::VIOLATED } else { 0 };
                assert_eq!(run.code(), Some(code), "{line}: {}", run.stderr());
                assert!(!run.stdout().is_empty(), "{line}");
            }
        }
        fs::remove_file(room.file("sync.c1z")).ok();
    }
}

#[test]
fn its_rules_are_the_example_and_some_are_broken_on_each_day() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/review.yaml");
    let example = fs::read_to_string(example).unwrap();
    let room = TestDir::new();
    for broken in ["is to be held through a group only", "at least 2 are needed"] {
        assert_success(&demo(&room, &[]));
        assert_eq!(fs::read_to_string(room.file("review.yaml")).unwrap(), example);
        let run = room.connector().arguments(["review", "--rules", "review.yaml"]).run();
        assert_eq!(run.code(), Some(exit_code::VIOLATED), "{}", run.stderr());
        let told = run.stdout().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(broken) && told.contains(" holds "), "{told}");
    }
}

#[test]
fn rules_that_somebody_has_changed_stay_as_they_are() {
    let room = TestDir::new();
    assert_success(&demo(&room, &[]));
    let changed = fs::read_to_string(room.file("review.yaml")).unwrap().replace("max: 3", "max: 1");
    fs::write(room.file("review.yaml"), &changed).unwrap();
    assert_success(&demo(&room, &[]));
    assert_eq!(fs::read_to_string(room.file("review.yaml")).unwrap(), changed);
}

#[test]
fn in_the_image_the_demo_advises_to_run_the_image() {
    let room = TestDir::new();
    let mut command = Command::new(BINARY);
    command.arg0("/baton-northflank").arg("demo").env_clear().current_dir(room.path());
    let run = Run(command.output().unwrap());
    assert_success(&run);
    let image = concat!(
        "docker run --rm --user \"$(id -u):$(id -g)\" -v \"$(pwd):/out\" ",
        "ghcr.io/conductorone/baton-northflank:",
        env!("CARGO_PKG_VERSION")
    );
    for line in advised(&run) {
        assert!(line.starts_with(image), "{line}");
    }
}

#[test]
fn a_directory_that_is_named_is_made_and_nothing_is_written_elsewhere() {
    let room = TestDir::new();
    let run = demo(&room, &["--directory", "a/b c"]);
    assert_success(&run);
    assert_eq!(room.names(), ["a"]);
    assert!(WRITTEN.iter().all(|name| room.file("a/b c").join(name).exists()));
    assert!(run.stdout().contains("a/b c/access.html"), "{}", run.stdout());
}

/// Puts something of somebody's own where the demo would write.
type Foreign = fn(&TestDir);

#[test]
fn nothing_that_is_not_the_demos_own_is_overwritten() {
    let others: [(&str, Foreign); 10] = [
        ("sync.c1z", |room| {
            let size = Size { members: 5, roles: 2, groups: 1, memberships: 4 };
            let own = Organization::generate(1, size);
            let fake = FakeNorthflank::start(own, Options::default()).unwrap();
            room.connector_to(&fake).run().expect_success();
        }),
        ("sync.c1z", |room| {
            // The demo's once, and then a sync of somebody's own.
            assert_success(&demo(room, &[]));
            fs::remove_file(room.file("access.html")).unwrap();
            let fake = FakeNorthflank::start(Organization::default(), Options::default()).unwrap();
            room.connector_to(&fake).run().expect_success();
        }),
        ("sync.c1z", |room| fs::write(room.file("sync.c1z"), "hello, world").unwrap()),
        ("sync.c1z", |room| symlink("elsewhere", room.file("sync.c1z")).unwrap()),
        ("sync.c1z.work", |room| fs::create_dir(room.file("sync.c1z.work")).unwrap()),
        ("access.html", |room| fs::write(room.file("access.html"), "<title>mine</title>").unwrap()),
        ("access.html", |room| fs::create_dir(room.file("access.html")).unwrap()),
        ("access.html", |room| symlink("nowhere", room.file("access.html")).unwrap()),
        ("review.yaml", |room| fs::write(room.file("review.yaml"), "version: 1\n").unwrap()),
        ("review.yaml", |room| symlink("nowhere", room.file("review.yaml")).unwrap()),
    ];
    for (name, put) in others {
        let room = TestDir::new();
        put(&room);
        let (names, content) = (room.names(), fs::read(room.file(name)).ok());
        demo(&room, &[]).expect_failure(
            exit_code::INVALID_ARGUMENT,
            &[name, "isn't known to be the demo's", "--directory"],
        );
        assert_eq!(room.names(), names, "{name}");
        assert_eq!(fs::read(room.file(name)).ok(), content, "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_at_any_change_leaves_nothing_but_what_was_whole() {
    use crate::harness::interrupt::{How, Interrupter};
    use std::os::unix::process::ExitStatusExt;

    let watched = |room: &TestDir, interrupter: &Interrupter, at: usize| {
        let connector = room.connector().arguments(["demo"]).variable("TMPDIR", room.path());
        interrupter.interrupt(connector, room, at, How::Interrupt).run()
    };
    // Its own changes, in the order in which it makes them.
    let (room, interrupter) = (TestDir::new(), Interrupter::new());
    assert_success(&watched(&room, &interrupter, 1_000_000));
    let calls = interrupter.calls().len();
    assert!(calls > 10, "{:?}", interrupter.calls());
    for at in (1..=calls).step_by(13) {
        let (room, interrupter) = (TestDir::new(), Interrupter::new());
        let run = watched(&room, &interrupter, at);
        let status = run.0.status;
        let is_stopped = status.signal() == Some(2) || status.code() == Some(exit_code::INTERRUPT);
        assert!(is_stopped || status.success(), "{at}: {status}");
        let names = room.names();
        assert!(names.iter().all(|name| WRITTEN.contains(&name.as_str())), "{at}: {names:?}");
        assert_success(&demo(&room, &[]));
    }
}

#[test]
fn what_ends_half_way_leaves_nothing_behind() {
    let room = TestDir::new();
    // Its first file grows beyond what the shell lets it.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"ulimit -f 1; exec "$0" demo"#, BINARY]).current_dir(room.path());
    let run = Run(shell.env_clear().output().unwrap());
    assert_ne!(run.code(), Some(0));
    assert!(room.names().is_empty(), "{:?}", room.names());
    assert_success(&demo(&room, &[]));
}
