//! `cargo run --release --example demo`: a made-up organization, served on loopback and
//! synced into `./sync.c1z` by the very code of the binary, and told as a page. No account is
//! needed.

use std::ffi::OsString;
use std::process::ExitCode;

use fake_northflank::{FakeNorthflank, Options, Organization};

const FILE: &str = "sync.c1z";

const PAGE: [&str; 8] =
    ["access", FILE, "--format", "html", "--title", "Marlow Freight", "--output", "access.html"];

const NEXT: &str = "
The file holds what a fake Northflank API on this machine served, and access.html tells who has
access to what, and why: open it in a browser. What to try next:

  baton-northflank access --user carla-rossi
                                        what one person holds, and how
  cargo run --release --example demo    once more: the file keeps both syncs
  baton resources                       ConductorOne's `baton` command line reads the file,
  baton grants                          https://github.com/ConductorOne/baton
  baton access -t user -r carla-rossi   what one person has access to

Your own organization: export BATON_NORTHFLANK_API_TOKEN=… and run baton-northflank.";

fn main() -> ExitCode {
    let fake = match FakeNorthflank::start(Organization::demo(), Options::default()) {
        Ok(fake) => fake,
        Err(error) => {
            eprintln!("demo: can't serve the fake API: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("Marlow Freight, a made-up organization, is served at {}", fake.origin());
    let run = |arguments: Vec<OsString>| {
        let arguments = [OsString::from("baton-northflank")].into_iter().chain(arguments);
        baton_northflank::cli::main(arguments, |name| match name {
            "BATON_NORTHFLANK_API_TOKEN" => Some(fake.token().into()),
            "BATON_NORTHFLANK_BASE_URL" => Some(fake.origin().into()),
            "BATON_FILE" => Some(FILE.into()),
            _ => std::env::var_os(name),
        })
    };
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // What is asked for beyond the demo can be another file, or no sync at all.
    let is_all = arguments.is_empty();
    let mut code = run(arguments);
    if !is_all {
        return code;
    }
    if code == ExitCode::SUCCESS {
        code = run(PAGE.map(OsString::from).into());
    }
    if code == ExitCode::SUCCESS {
        println!("{NEXT}");
    }
    code
}
