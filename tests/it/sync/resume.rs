//! What has been read survives whatever ends a run: the next one reads only the rest, and
//! makes the file that an uninterrupted run makes.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::harness::exit_code;
use crate::harness::sync_file::{Content, SyncFile};
use crate::harness::{
    self, Connector, Run, TestDir, assert_takes_at_most, expected, trial, wait_for_requests,
};
use baton_northflank::northflank::BaseUrl;
use baton_northflank::northflank::{List, ListKind};
use baton_northflank::sync::{SyncSelection, page_record};
use baton_northflank::work_dir::{IdentityDigests, Journal, RunIdentity};
use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Owner, Permissions, Rule, Token};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use time::{Duration as Span, OffsetDateTime};

const WORKERS: usize = 4;

/// Kills in all. Each costs a start of the binary.
const KILLS: usize = 200;

fn fake(latency: Duration) -> FakeNorthflank {
    let options = Options { latency, rate_limit: None, ..Options::default() };
    FakeNorthflank::start(trial::organization(), options).unwrap()
}

/// How often each list of a role's or group's members was begun.
fn lists(fake: &FakeNorthflank) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in fake.journal() {
        if let Some((path, "per_page=100")) = request.target.split_once('?')
            && path.ends_with("/members")
        {
            *counts.entry(path.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// How often lists were begun that had been begun before.
fn repeated(fake: &FakeNorthflank) -> usize {
    lists(fake).values().map(|count| count - 1).sum()
}

/// The rows of a file, which must be what the fake serves.
fn complete(path: &Path) -> Content {
    let file = SyncFile::open(path);
    assert_eq!(file.resource_keys(), expected::resources(&trial::organization()));
    assert_eq!(file.grants(), expected::grants(&trial::organization()));
    file.content()
}

fn uninterrupted() -> Content {
    let (fake, room) = (fake(Duration::ZERO), TestDir::new());
    room.connector_to(&fake).run().expect_success();
    complete(&room.file("sync.c1z"))
}

/// Runs until a random moment: a random page is asked for, and a little later the process is
/// killed, if it hasn't ended by itself.
fn run_and_kill(fake: &FakeNorthflank, room: &TestDir, random: &mut ChaCha8Rng) -> Output {
    let workers = WORKERS.to_string();
    let mut child = room.connector_to(fake).arguments(["--workers", &workers]).spawn();
    let before = fake.requests();
    // What comes after the last page is writing and saving.
    let requests = before + random.random_range(0..=trial::requests());
    while fake.requests() < requests && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(Duration::from_micros(random.random_range(0..20_000)));
    // Fails if the process has ended by itself.
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

#[test]
fn killed_at_any_moment_a_run_loses_no_whole_list_and_repeats_only_those_under_way() {
    let whole = uninterrupted();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut kills, mut files, mut resumed, mut saved, mut most_repeated) = (0, 0, 0, 0, 0);
    while kills < KILLS {
        let (fake, room) = (fake(Duration::from_millis(3)), TestDir::new());
        let path = room.file("sync.c1z");
        let before = kills;
        let is_killed = loop {
            let output = run_and_kill(&fake, &room, &mut random);
            resumed += usize::from(says(&output, "going on from an interrupted sync"));
            if output.status.success() {
                break false;
            }
            assert_eq!(output.status.signal(), Some(9), "{output:?}");
            kills += 1;
            if path.exists() {
                break true;
            }
        };
        let repeated = repeated(&fake);
        let most = (kills - before) * WORKERS;
        assert!(repeated <= most, "{repeated}, {} kills", kills - before);
        most_repeated = most_repeated.max(repeated);
        assert!(complete(&path) == whole, "the rows are not those of an uninterrupted run");
        if is_killed {
            // The file was in place: the next sync is a new one, not the same once more.
            saved += 1;
            room.connector_to(&fake).run().expect_success();
            assert!(complete(&path) == whole);
            assert_eq!(SyncFile::open(&path).syncs().len(), 2);
        }
        assert_eq!(room.names(), ["sync.c1z"]);
        fake.assert_no_violations();
        files += 1;
    }
    println!(
        "{kills} kills over {files} files, {saved} of them after saving; {resumed} runs went on \
         from earlier ones; at most {most_repeated} lists were read again for one file"
    );
    assert!(resumed > KILLS / 4, "{resumed} runs went on from what a killed one had read");
}

fn says(output: &Output, text: &str) -> bool {
    String::from_utf8_lossy(&output.stderr).contains(text)
}

/// A run that is stopped by an answer in the middle, and what it leaves.
fn interrupted() -> (FakeNorthflank, TestDir) {
    let (fake, room) = (fake(Duration::ZERO), TestDir::new());
    let error = r#"{"error":{"status":418,"message":"tea","id":"nf-teapot"}}"#;
    fake.script(Rule::every(Endpoint::GroupMembers, Action::json(418, error)).after(3));
    room.connector_to(&fake)
        .arguments(["--workers", "0"])
        .run()
        .expect_failure(exit_code::UNKNOWN, &["418"]);
    assert_eq!(room.names(), ["sync.c1z.work"]);
    fake.unscript();
    (fake, room)
}

#[test]
fn a_run_after_a_fatal_error_reads_only_the_rest_and_says_so() {
    let (fake, room) = interrupted();
    let before = fake.requests();
    let run = room.connector_to(&fake).run().expect_success();
    assert!(run.stderr().contains("going on from an interrupted sync"), "{}", run.stderr());
    assert_eq!(room.names(), ["sync.c1z"]);
    assert!(complete(&room.file("sync.c1z")) == uninterrupted());
    // Of the lists only the one that failed is begun again: by the run that failed, and by this.
    assert!(repeated(&fake) <= 2);
    assert!(fake.requests() - before < trial::requests());
}

#[test]
fn a_signal_ends_the_run_within_a_second_and_leaves_what_was_read_to_the_next() {
    for (signal, code) in
        [("HUP", exit_code::HANGUP), ("INT", exit_code::INTERRUPT), ("TERM", exit_code::TERMINATE)]
    {
        assert_takes_at_most(Duration::from_secs(1), || {
            let (fake, room) = (fake(Duration::from_millis(200)), TestDir::new());
            let child = room.connector_to(&fake).arguments(["--workers", "2"]).spawn();
            wait_for_requests(&fake, 12);
            harness::signal(child.id(), signal);
            let signalled = Instant::now();
            let run = Run(child.wait_with_output().unwrap());
            let took = signalled.elapsed();
            assert!(run.stderr().contains("what has been read is kept"), "{}", run.stderr());
            run.expect_failure(code, &[&format!("stopped by SIG{signal}")]);
            assert_eq!(room.names(), ["sync.c1z.work"]);
            room.connector_to(&fake).run().expect_success();
            assert!(repeated(&fake) <= 2);
            complete(&room.file("sync.c1z"));
            took
        });
    }
}

/// Runs again in a room where a run was interrupted; asserts that it begins anew and says
/// why.
fn begins_anew(
    (fake, room): (FakeNorthflank, TestDir),
    change: impl FnOnce(&FakeNorthflank, &TestDir, Connector) -> Connector,
    reason: &str,
) {
    let before = fake.requests();
    let connector = change(&fake, &room, room.connector_to(&fake));
    let run = connector.run().expect_success();
    assert!(run.stderr().contains("is discarded"), "{}", run.stderr());
    assert!(run.stderr().contains(reason), "{reason}: {}", run.stderr());
    assert_eq!(fake.requests() - before, trial::requests());
    complete(&room.file("sync.c1z"));
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn what_another_token_of_the_same_organization_read_is_gone_on_from() {
    let (fake, room) = interrupted();
    let before = fake.requests();
    let token = fake.add_token(Token::new(Permissions::ALL));
    let connector = room.connector_to(&fake).variable("BATON_NORTHFLANK_API_TOKEN", token);
    let run = connector.run().expect_success();
    assert!(run.stderr().contains("going on from an interrupted sync"), "{}", run.stderr());
    assert!(fake.requests() - before < trial::requests());
    assert!(complete(&room.file("sync.c1z")) == uninterrupted());
}

#[test]
fn what_another_organizations_token_read_is_discarded() {
    let other = |fake: &FakeNorthflank, _: &TestDir, connector: Connector| {
        let owner = Owner { slug: "acme".into(), uid: "65a4f0c2d9b8e7163f5a0fff".into() };
        let token = fake.add_token(Token { owner, ..Token::new(Permissions::ALL) });
        connector.variable("BATON_NORTHFLANK_API_TOKEN", token)
    };
    begins_anew(interrupted(), other, "another organization");
}

#[test]
fn where_nobody_tells_whose_it_is_what_another_token_read_is_discarded() {
    let other = |fake: &FakeNorthflank, _: &TestDir, connector: Connector| {
        let token = fake.add_token(Token::new(Permissions::ALL));
        fake.script(Rule::every(Endpoint::Auth, Action::json(404, "{}")));
        connector.variable("BATON_NORTHFLANK_API_TOKEN", token)
    };
    begins_anew(interrupted(), other, "another API token");
}

#[test]
fn what_was_read_elsewhere_is_discarded() {
    let elsewhere = |fake: &FakeNorthflank, _: &TestDir, connector: Connector| {
        let origin = fake.origin().replace("127.0.0.1", "localhost");
        connector.variable("BATON_NORTHFLANK_BASE_URL", origin)
    };
    begins_anew(interrupted(), elsewhere, "other settings");
}

#[test]
fn starting_over_can_be_asked_for() {
    let flag = |_: &FakeNorthflank, _: &TestDir, connector: Connector| {
        connector.arguments(["--no-resume"])
    };
    begins_anew(interrupted(), flag, "starting over was asked for");
}

#[test]
fn what_is_damaged_or_too_old_is_discarded() {
    let journal = |room: &TestDir| room.file("sync.c1z.work").join("journal");
    let damage = |_: &FakeNorthflank, room: &TestDir, connector| {
        fs::write(journal(room), vec![b'x'; 9000]).unwrap();
        connector
    };
    begins_anew(interrupted(), damage, "it is damaged");
    let age = |fake: &FakeNorthflank, room: &TestDir, connector| {
        // The same run, long ago.
        let base_url: BaseUrl = fake.origin().parse().unwrap();
        let identity = RunIdentity {
            version: env!("CARGO_PKG_VERSION"),
            settings: &format!("{base_url} {:?}", SyncSelection::default()),
            digests: &|salt| IdentityDigests {
                organization: None,
                token: Sha256::new()
                    .chain_update(salt)
                    .chain_update(fake.token())
                    .finalize()
                    .into(),
            },
            sync_id: "2MXke1Dao9Xkzp7SZxSbMPcd7YP",
            is_finished: &|_| false,
        };
        let mut old = Journal::create(&journal(room), &identity).unwrap();
        let of = List::of(ListKind::RoleMembers, trial::long_role().as_str().into());
        let long_ago = OffsetDateTime::now_utc() - Span::hours(25);
        let body = br#"{"data":{"members":[]}}"#.to_vec();
        let record = page_record(&of, 0, Some(long_ago), body).unwrap();
        old.append([record.as_slice()]).unwrap();
        connector
    };
    begins_anew(interrupted(), age, "not too old");
}

#[test]
fn the_journal_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_fake, room) = interrupted();
    let work = fs::metadata(room.file("sync.c1z.work")).unwrap();
    assert_eq!(work.permissions().mode() & 0o777, 0o700);
    let journal = fs::metadata(room.file("sync.c1z.work/journal")).unwrap();
    assert_eq!(journal.permissions().mode() & 0o777, 0o600);
}
