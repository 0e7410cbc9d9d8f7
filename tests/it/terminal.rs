//! What a person sees in a real terminal of 80 and of 120 columns, kept in `tests/it/snapshots`.
//!
//! Needs tmux; `.ci/run` runs these, and they fail where it is missing.

use std::thread::sleep;
use std::time::Duration;

use crate::harness::TestDir;
use crate::harness::changes::{changed_demo, quietly_changed_demo};
use crate::harness::picture;
use crate::harness::screen::Screen;
use fake_northflank::{
    Action, Delivery, DeniedAs, Endpoint, FakeNorthflank, Options, Organization, Permissions, Rule,
    Token,
};

const WIDTHS: [usize; 2] = [80, 120];

fn fake(organization: Organization) -> FakeNorthflank {
    FakeNorthflank::start(organization, Options::default()).unwrap()
}

/// Compares a picture with the one that is kept.
fn assert_picture(name: &str, screen: &Screen, columns: usize, capture: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let picture = screen.picture(capture);
    settings.bind(|| insta::assert_snapshot!(format!("{name}_{columns}"), picture));
}

/// Runs the connector against `fake` to its end, in windows of both widths.
fn assert_run(name: &str, fake: &FakeNorthflank, arguments: &[&str], more: &[(&str, &str)]) {
    for columns in WIDTHS {
        let screen = Screen::new(columns);
        let origin = fake.origin();
        let variables = [
            ("BATON_NORTHFLANK_API_TOKEN", fake.token()),
            ("BATON_NORTHFLANK_BASE_URL", origin.as_str()),
        ];
        // What a run is given goes before what it is given here.
        screen.start(arguments, &[&variables, more].concat());
        assert_picture(name, &screen, columns, &screen.end());
    }
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn help_fits_the_terminal() {
    for columns in WIDTHS {
        let screen = Screen::new(columns);
        screen.start(&["--help"], &[]);
        assert_picture("help", &screen, columns, &screen.end());
        let screen = Screen::new(columns);
        screen.start(&["diff", "--help"], &[("NO_COLOR", "1")]);
        assert_picture("help_diff_no_colour", &screen, columns, &screen.end());
    }
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn a_sync_ends_with_a_summary() {
    let fake = fake(Organization::demo());
    assert_run("sync", &fake, &["--workers", "0"], &[]);
    assert_run("sync_no_colour", &fake, &["--workers", "0"], &[("NO_COLOR", "1")]);
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn progress_is_one_line() {
    for columns in WIDTHS {
        let fake = fake(Organization::demo());
        let silence = Action::deliver(Delivery::Silence);
        fake.script(Rule::every(Endpoint::RoleMembers, silence).of("viewer"));
        let screen = Screen::new(columns);
        let (origin, token) = (fake.origin(), fake.token());
        let variables =
            [("BATON_NORTHFLANK_API_TOKEN", token), ("BATON_NORTHFLANK_BASE_URL", &origin)];
        screen.start(&["--workers", "0", "--log-level", "warn"], &variables);
        // Lists are read in a fixed order: after this one everything is silent.
        let requests = || fake.journal().iter().any(|it| it.target.contains("/viewer/members"));
        while !requests() {
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(500));
        assert_picture("progress", &screen, columns, &screen.wait_for("Reading "));
    }
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn a_wait_for_the_rate_limit_says_how_long() {
    for columns in WIDTHS {
        let options = Options { rate_limit: Some(9), ..Options::default() };
        let fake = FakeNorthflank::start(Organization::demo(), options).unwrap();
        let screen = Screen::new(columns);
        let (origin, token) = (fake.origin(), fake.token());
        let variables =
            [("BATON_NORTHFLANK_API_TOKEN", token), ("BATON_NORTHFLANK_BASE_URL", &origin)];
        screen.start(&["--workers", "0"], &variables);
        assert_picture("rate_limit", &screen, columns, &screen.wait_for("Waiting for the rate"));
    }
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn changes_are_coloured_unless_that_is_not_wanted() {
    let (old, new) = (fake(Organization::demo()), fake(changed_demo()));
    for columns in WIDTHS {
        for (name, variables) in [("diff", &[][..]), ("diff_no_colour", &[("NO_COLOR", "1")][..])] {
            let screen = Screen::new(columns);
            for (fake, file) in [(&old, "old.c1z"), (&new, "new.c1z")] {
                let run = std::process::Command::new(env!("CARGO_BIN_EXE_baton-northflank"))
                    .env_clear()
                    .env("BATON_NORTHFLANK_API_TOKEN", fake.token())
                    .env("BATON_NORTHFLANK_BASE_URL", fake.origin())
                    .arg("-f")
                    .arg(screen.path().join(file))
                    .output()
                    .unwrap();
                assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            }
            screen.start(&["diff", "old.c1z", "new.c1z", "--exit-code"], variables);
            assert_picture(name, &screen, columns, &screen.end());
        }
    }
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn access_fits_the_terminal_and_what_it_cannot_show_is_refused() {
    let room = TestDir::new();
    room.connector_to(&fake(Organization::demo())).run().expect_success();
    let on_call = "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0";
    let people = ["--user", "daniel-weiss", "--user", "pending-7f3a", "--user", "priya-raman"];
    for columns in WIDTHS {
        for (name, asked, variables) in [
            ("access", &people[..], &[][..]),
            ("access_no_colour", &people, &[("NO_COLOR", "1")]),
            ("access_group", &["--group", on_call], &[]),
            ("access_page", &["--format", "html"], &[]),
            ("access_csv", &["--format", "csv"], &[]),
            ("access_help_no_colour", &["--help"], &[("NO_COLOR", "1")]),
        ] {
            let screen = Screen::new(columns);
            std::fs::copy(room.file("sync.c1z"), screen.path().join("sync.c1z")).unwrap();
            screen.start(&[&["access"], asked].concat(), variables);
            assert_picture(name, &screen, columns, &screen.end());
        }
    }
}

/// How many columns the windows have that documents show.
const PICTURED: usize = 92;

/// Compares what a window shows of a command with the picture of it that documents have. Writes
/// that where snapshots are written, too.
fn assert_documented(name: &str, arguments: &[&str], shown: &str) {
    let prompt = format!("{{dim}}$ {{bold}}baton-northflank {}{{}}", arguments.join(" "));
    let made = picture::svg(&format!("{prompt}\n{shown}"), PICTURED);
    let path = format!("{}/docs/images/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept.lines().find(|line| !made.contains(line)), None, "{shown}");
    assert_eq!(kept, made, "INSTA_UPDATE=always makes it anew");
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn the_picture_of_changes_in_the_readme_is_what_a_terminal_shows() {
    const ARGUMENTS: [&str; 3] = ["--diff", "--log-level", "warn"];
    let room = TestDir::new();
    room.connector_to(&fake(Organization::demo())).run().expect_success();
    let screen = Screen::new(PICTURED);
    std::fs::copy(room.file("sync.c1z"), screen.path().join("sync.c1z")).unwrap();
    let fake = fake(quietly_changed_demo());
    let origin = fake.origin();
    let variables =
        [("BATON_NORTHFLANK_API_TOKEN", fake.token()), ("BATON_NORTHFLANK_BASE_URL", &origin)];
    screen.start(&ARGUMENTS, &variables);
    let shown = screen.picture(&screen.end()).replace("\n[exit code 0]", "");
    let shown = shown.replace("/tmp/.tmpabcdef/", "");
    // The first time that it tells is the older sync's.
    let shown = shown.replacen("2026-11-24", "2026-11-23", 1);
    assert_documented("changes.svg", &ARGUMENTS, &shown);
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn the_picture_of_a_review_in_the_readme_is_what_a_terminal_shows() {
    const ARGUMENTS: [&str; 3] = ["review", "--rules", "review.yaml"];
    let room = TestDir::new();
    assert_eq!(room.connector().arguments(["demo"]).run().code(), Some(0));
    let screen = Screen::new(PICTURED);
    for name in ["sync.c1z", "review.yaml"] {
        std::fs::copy(room.file(name), screen.path().join(name)).unwrap();
    }
    screen.start(&ARGUMENTS, &[]);
    let shown = screen.picture(&screen.end()).replace("\n[exit code 21]", "");
    assert_documented("review.svg", &ARGUMENTS, &shown);
}

#[test]
#[ignore = "needs tmux; .ci/run has it"]
fn errors_say_what_happened_and_what_to_do() {
    let plain = fake(Organization::demo());
    assert_run("error_token", &plain, &[], &[("BATON_NORTHFLANK_API_TOKEN", "nf-wrong")]);
    let mistakes =
        ["--workers", "many", "--log-level", "loud", "--client-id", "x", "--max-wait", "soon"];
    assert_run("error_settings", &plain, &mistakes, &[]);
    assert_run("error_target", &plain, &["-f", "missing/sync.c1z"], &[]);
    assert_run("error_flag", &plain, &["--worker", "2"], &[]);

    let options = Options { denied_as: DeniedAs::Forbidden, ..Options::default() };
    let denied = FakeNorthflank::start(Organization::demo(), options).unwrap();
    let token = denied.add_token(Token::new(Permissions { roles: false, ..Permissions::ALL }));
    assert_run("error_permission", &denied, &[], &[("BATON_NORTHFLANK_API_TOKEN", &token)]);

    let broken = fake(Organization::demo());
    broken.script(Rule::every(Endpoint::RoleMembers, Action::json(400, "{}")));
    assert_run("error_server", &broken, &["--workers", "0", "--no-resume"], &[]);
}
