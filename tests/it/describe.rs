//! What the connector says of itself without a token: the files that are committed for
//! ConductorOne, completions and the manual page.

use std::path::Path;

use crate::harness::exit_code;
use crate::harness::{Run, TestDir};

fn said(arguments: &[&str]) -> Run {
    let run = TestDir::new().connector().arguments(arguments).run();
    assert_eq!((run.code(), run.stderr()), (Some(0), ""));
    run
}

fn assert_is_current(file: &str, subcommand: &str) {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let committed = std::fs::read_to_string(committed).unwrap();
    assert!(
        committed == said(&[subcommand]).stdout(),
        "{file} is stale; write it anew: cargo run -- {subcommand} > {file}"
    );
}

#[test]
fn the_committed_capabilities_are_the_binarys() {
    assert_is_current("baton_capabilities.json", "capabilities");
}

#[test]
fn the_committed_schema_is_the_binarys() {
    assert_is_current("config_schema.json", "config");
}

#[test]
fn every_shell_gets_completions() {
    for (shell, part) in [
        ("bash", "-o default baton-northflank"),
        ("zsh", "#compdef baton-northflank"),
        ("fish", "complete -c baton-northflank"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let run = said(&["completion", shell]);
        assert!(run.stdout().contains(part), "{shell}: {}", run.stdout());
        assert!(run.stdout().contains("northflank-api-token"), "{shell}");
    }
    let run = TestDir::new().connector().arguments(["completion", "csh"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["csh", "bash"]);
}

#[test]
fn the_manual_page_names_every_section_and_setting() {
    let run = said(&["man"]);
    for part in [".TH baton-northflank", "BATON_NORTHFLANK_API_TOKEN", ".SH VERSION"] {
        assert!(run.stdout().contains(part), "{part}");
    }
}

#[test]
fn the_manual_page_tells_of_every_command_and_names_no_other_page() {
    let page = said(&["man"]).stdout().replace('\\', "");
    let help = said(&["--help"]);
    let commands = help.stdout().split("Commands:\n").nth(1).unwrap().lines();
    // Each begins a line; what is said of it may go on on further ones.
    let names: Vec<_> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let section = format!(".SH BATON-NORTHFLANK {}\n", name.to_uppercase());
        assert!(page.contains(&section), "{section}");
    }
    for flag in ["--shapes", "--user", "--exit-code", "--endpoint"] {
        assert!(page.contains(flag), "{flag}");
    }
    assert!(!page.contains("(1)"), "another page is named");
}

#[test]
fn flags_of_a_sync_are_refused_beside_a_subcommand() {
    let run = TestDir::new().connector().arguments(["--workers", "2", "capabilities"]).run();
    run.expect_failure(exit_code::INVALID_ARGUMENT, &["capabilities", "cannot be used with"]);
}
