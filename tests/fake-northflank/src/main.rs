//! Serves a fake organization until standard input ends: `fake-northflank --help`.

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use fake_northflank::{
    FakeNorthflank, Options, Organization, Permissions, Profile, Size, Token, Whoami, Word,
};

const HELP: &str = "\
Serves a fake Northflank API on loopback until standard input ends.

  --demo                the demo's organization, with its teams and API tokens
                        (default: a generated one)
  --seed N              what to generate from (1)
  --members N           (250)
  --roles N             (20)
  --groups N            (15)
  --memberships N       rows of all roles' and groups' member lists (2000)
  --teams N             with their roles and API tokens (3)
  --latency-ms N        time that each answer takes (0)
  --rate-limit N        requests an hour, 0 for no limit (1000)
  --strict              refuse whatever the documentation doesn't cover
  --whoami WHAT         what GET /v1/auth says of the token: organization (default), team,
                        expiring (in ten days), absent (there is no such path), odd
  --without-directory-sync STATUS
                        no groups, and this answer to the question for them; 200: an empty list
  --paged-groups        directory groups come in pages too
  --paging WHAT         what pages say of those after them: kept (as documented; default),
                        always-false (hasNextPage; a cursor where there are more),
                        false-until-empty (with a cursor, until an empty page),
                        stray-cursor (on the last page, with an empty page behind it),
                        without-cursor (hasNextPage is true; pages go by number)
  --empty-pages N       so many, each promising more, before each page but the first (0)
  --keep-answers        make each answer once and give it again: for measuring clients
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
    let (mut seed, mut teams, mut port, mut demo) = (1, 3, 0, false);
    let mut options = Options::default();
    let mut token = Token::new(Permissions::ALL);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut word = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        let mut number = || -> Result<u64, String> {
            let text = word()?;
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
            "--teams" => teams = number()?.try_into()?,
            "--latency-ms" => options.latency = Duration::from_millis(number()?),
            "--rate-limit" => {
                options.rate_limit = Some(number()?.try_into()?).filter(|limit| *limit > 0);
            }
            "--without-directory-sync" => {
                options.without_directory_sync = Some(number()?.try_into()?);
            }
            "--paged-groups" => options.paged_groups = true,
            "--empty-pages" => options.empty_pages = number()?.try_into()?,
            "--whoami" => match word()?.as_str() {
                "organization" => {}
                "team" => token = Token::of_team(),
                "expiring" => token.expires_at = Some(10 * 24 * 60 * 60),
                "absent" => options.whoami = Whoami::Absent,
                "odd" => options.whoami = Whoami::Odd,
                other => return Err(format!("{flag} can't be {other:?}; see --help").into()),
            },
            "--paging" => {
                options.word = match word()?.as_str() {
                    "kept" => Word::Kept,
                    "always-false" => Word::AlwaysFalse,
                    "false-until-empty" => Word::FalseUntilEmpty,
                    "stray-cursor" => Word::StrayCursor,
                    "without-cursor" => Word::WithoutCursor,
                    other => return Err(format!("{flag} can't be {other:?}; see --help").into()),
                }
            }
            "--keep-answers" => options.keep_answers = true,
            "--port" => port = number()?.try_into()?,
            _ => return Err(format!("{flag} is no flag; see --help").into()),
        }
    }
    let mut organization = if demo {
        Organization::demo().with_teams_of_the_demo()
    } else {
        Organization::generate(seed, size).with_teams(seed, teams)
    };
    if options.without_directory_sync.is_some() {
        organization = organization.without_directory_sync();
    }
    let fake = FakeNorthflank::start_at(organization, options, port)?;
    println!("origin={}\ntoken={}", fake.origin(), fake.add_token(token));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    // In the background of a script it ends at once.
    eprintln!("fake-northflank: standard input has ended, and with it the serving; keep it open");
    Ok(())
}
