//! Serves a fake organization until standard input ends: `fake-northflank --help`.

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use fake_northflank::{FakeNorthflank, Options, Organization, Profile, Size};

const HELP: &str = "\
Serves a fake Northflank API on loopback until standard input ends.

  --demo                the demo's organization (default: a generated one)
  --seed N              what to generate from (1)
  --members N           (250)
  --roles N             (20)
  --groups N            (15)
  --memberships N       rows of all roles' and groups' member lists (2000)
  --latency-ms N        time that each answer takes (0)
  --rate-limit N        requests an hour, 0 for no limit (1000)
  --strict              refuse whatever the documentation doesn't cover
  --port N              (any free one)

Prints origin=… and token=… once it serves.";

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-northflank: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let mut size = Size { members: 250, roles: 20, groups: 15, memberships: 2_000 };
    let (mut seed, mut port, mut demo) = (1, 0, false);
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let text = arguments.next().ok_or_else(|| format!("{flag} needs a number"))?;
            text.parse().map_err(|_| format!("{flag} needs a number, not {text:?}"))
        };
        match flag.as_str() {
            "--help" => {
                println!("{HELP}");
                return Ok(());
            }
            "--demo" => demo = true,
            "--strict" => options.profile = Profile::Strict,
            "--seed" => seed = number()?,
            "--members" => size.members = number()?.try_into()?,
            "--roles" => size.roles = number()?.try_into()?,
            "--groups" => size.groups = number()?.try_into()?,
            "--memberships" => size.memberships = number()?.try_into()?,
            "--latency-ms" => options.latency = Duration::from_millis(number()?),
            "--rate-limit" => {
                options.rate_limit = Some(number()?.try_into()?).filter(|limit| *limit > 0);
            }
            "--port" => port = number()?.try_into()?,
            _ => return Err(format!("{flag} is no flag; see --help").into()),
        }
    }
    let organization = if demo { Organization::demo() } else { Organization::generate(seed, size) };
    let fake = FakeNorthflank::start_at(organization, options, port)?;
    println!("origin={}\ntoken={}", fake.origin(), fake.token());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
