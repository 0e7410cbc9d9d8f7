//! The rate limit: never run into knowingly, waited out as asked, and never a reason to lose
//! anything.

use std::time::{Duration, Instant, SystemTime};

use crate::harness::exit_code;
use crate::harness::trial::{Trial, each_run, long_role, organization, requests};
use crate::harness::{Run, signal, wait_for_requests};
use fake_northflank::{Action, Delivery, Endpoint, Options, RateHeaders, Rule};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A refusal with these headers, which tell to wait so many seconds.
fn refusal(headers: &[(&str, String)], seconds: u64) -> Action {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Action::Refuse { headers: headers.collect(), wait: Duration::from_secs(seconds) }
}

/// `refusals`, each for the members of another role. Without the fake's own rate headers.
fn trial(refusals: Vec<Action>) -> Trial {
    let roles = organization().roles;
    assert!(refusals.len() <= roles.len());
    let refused = refusals
        .into_iter()
        .zip(&roles)
        .map(|(refusal, role)| Rule::every(Endpoint::RoleMembers, refusal).of(&role.id).once());
    Trial::with(Options { rate_limit: None, ..Options::default() }, refused)
}

/// The forms in which HTTP writes times: today's and two older ones.
const HTTP_DATES: [&[BorrowedFormatItem<'_>]; 3] = [
    format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    ),
    format_description!(
        "[weekday], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] GMT"
    ),
    format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] \
         [year]"
    ),
];

/// The time in so many seconds, as HTTP writes it.
fn http_date(seconds: u64, format: &[BorrowedFormatItem<'_>]) -> String {
    let time = OffsetDateTime::from(SystemTime::now() + Duration::from_secs(seconds));
    time.format(format).unwrap()
}

fn epoch(seconds: u64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    now + Duration::from_secs(seconds)
}

#[test]
fn a_refusal_is_waited_out_as_long_as_it_asks_however_it_says_so() {
    let reset = "x-ratelimit-reset";
    // One worker: whatever is sent after a refusal was sent knowing of it.
    let trial = trial(vec![
        refusal(&[(reset, "1".into())], 1),
        refusal(&[("retry-after", "1".into())], 1),
        refusal(&[(reset, "0.2".into()), ("retry-after", "2".into())], 2),
        refusal(&[(reset, "2".into()), ("retry-after", "0".into())], 2),
        refusal(&[(reset, "soon".into()), (reset, "-5".into()), (reset, "1".into())], 1),
    ])
    .arguments(&["--workers", "0"]);
    let run = trial.succeed();
    trial.fake.assert_no_violations();
    assert_eq!(trial.fake.requests(), requests() + 5);
    assert!(run.stderr().contains("rate limit"), "{}", run.stderr());
}

#[test]
fn a_refusal_may_name_the_time_instead_of_the_seconds() {
    let trial = trial(vec![
        refusal(&[("x-ratelimit-reset", (epoch(6).as_secs()).to_string())], 0),
        refusal(&[("x-ratelimit-reset", (epoch(8).as_millis()).to_string())], 0),
        refusal(&[("retry-after", http_date(10, HTTP_DATES[0]))], 0),
    ])
    .arguments(&["--workers", "0"]);
    // The requests after each refusal come when it says, on a clock of whole seconds.
    let started = Instant::now();
    trial.succeed();
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(8), "{took:?}");
    assert_eq!(trial.fake.requests(), requests() + 3);
}

#[test]
fn a_refusal_without_a_usable_hint_is_tried_again_after_a_pause() {
    let reset = "x-ratelimit-reset";
    let trial = trial(vec![
        refusal(&[], 0),
        refusal(&[(reset, "soon".into()), ("retry-after", "later".into())], 0),
        refusal(&[(reset, "-1".into())], 0),
        refusal(&[(reset, "1e300".into()), ("retry-after", "99999999999999999999".into())], 0),
        refusal(&[(reset, "NaN".into()), ("retry-after", String::new())], 0),
        refusal(&[(reset, "1e9".into())], 0),
    ]);
    trial.succeed();
    assert_eq!(trial.fake.requests(), requests() + 6);
    // For good, it is an error like any other.
    let refusals = refusal(&[], 0);
    let options = Options { rate_limit: None, ..Options::default() };
    let trial = Trial::with(options, [Rule::every(Endpoint::Groups, refusals)]);
    trial.fail_then_succeed(
        exit_code::RESOURCE_EXHAUSTED,
        &["GET /v1/directory-groups: ", "429 Too Many Requests"],
    );
}

#[test]
fn while_requests_are_left_retry_after_rules_in_whatever_form_and_not_the_windows_end() {
    // Each answer says that hundreds of requests are left and that the window lasts a minute.
    let roles = organization().roles;
    let refusals = |refusals: Vec<Action>| {
        let refused = refusals.into_iter().zip(&roles);
        let refused = refused
            .map(|(refusal, role)| Rule::every(Endpoint::RoleMembers, refusal).of(&role.id).once());
        let options = Options { window: Duration::from_mins(1), ..Options::default() };
        let trial = Trial::with(options, refused).arguments(&["--workers", "0"]);
        let started = Instant::now();
        trial.succeed();
        trial.fake.assert_no_violations();
        started.elapsed()
    };
    let seconds = |text: &str| {
        let headers = vec![("retry-after".to_owned(), text.to_owned())];
        Action::Refuse { headers, wait: Duration::from_secs_f64(text.parse().unwrap()) }
    };
    let took = refusals(["1", "0", "1.5", "0.25"].map(seconds).into());
    assert!(took < Duration::from_secs(55), "{took:?}");
    for format in HTTP_DATES {
        let took = refusals(vec![refusal(&[("retry-after", http_date(8, format))], 0)]);
        // Of whole seconds.
        assert!(took >= Duration::from_secs(6) && took < Duration::from_secs(55), "{took:?}");
    }
    // It may take some more refusals than for other reasons.
    let refusal = refusal(&[("retry-after", "0".into())], 0);
    let rule = Rule::every(Endpoint::Groups, refusal).times(12);
    Trial::new([rule]).succeed();
}

#[test]
fn refusals_without_a_hint_are_waited_out_until_the_window_ends_as_answers_before_have_said() {
    let options = Options {
        window: Duration::from_secs(25),
        rate_headers: RateHeaders::OnSuccess,
        ..Options::default()
    };
    let started = Instant::now();
    let refuse = Action::alter(move |answer| {
        // Longer than the usual tries take.
        if started.elapsed() < Duration::from_secs(21) {
            answer.status = 429;
            answer.body.clear();
        }
    });
    let trial = Trial::with(options, [Rule::every(Endpoint::RoleMembers, refuse)]);
    let run = trial.succeed();
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(24), "{took:?}");
    assert!(run.stderr().contains("waiting for Northflank's rate limit"), "{}", run.stderr());
    // Who doesn't want to wait for so long is told at once how long it would be.
    let options = Options { rate_headers: RateHeaders::OnSuccess, ..Options::default() };
    let rule = Rule::every(Endpoint::RoleMembers, Action::json(429, ""));
    let trial = Trial::with(options, [rule]).arguments(&["--max-wait", "20m"]);
    trial.fail_then_succeed(
        exit_code::RESOURCE_EXHAUSTED,
        &["rate limit is reached", "59m", "more than the wait of 20m"],
    );
}

#[test]
fn a_late_answer_of_the_window_before_does_not_stall_the_new_one() {
    let late_by = Duration::from_secs(24);
    let late = Action::alter(move |answer| {
        answer.headers.push(("x-ratelimit-remaining".into(), "0".into()));
        answer.delivery = Delivery::Late(late_by);
    });
    let window = Duration::from_secs(20);
    let options = Options { rate_limit: Some(20), window, ..Options::default() };
    let rule = Rule::every(Endpoint::RoleMembers, late).of(&long_role()).once();
    let trial = Trial::with(options, [rule]).arguments(&["--rate-limit-reserve", "0"]);
    trial.succeed();
    let journal = trial.fake.journal();
    assert!(journal.iter().all(|asked| asked.status == 200));
    // The page after it is asked for when it has come, and not when the new window has ended.
    let path = format!("/v1/org-roles/{}/members", long_role());
    let asked: Vec<_> = journal.iter().filter(|it| it.target.starts_with(&path)).collect();
    let (first, second) = (asked[0].at, asked[1].at);
    assert!(second < first + late_by + window / 2, "{first:?} {second:?}");
}

#[test]
fn what_one_worker_is_asked_to_wait_all_wait() {
    // Answers take longer than a busy machine takes to see that one of them is a refusal.
    let latency = Duration::from_millis(50);
    let options = Options { rate_limit: None, latency, ..Options::default() };
    let refusal = refusal(&[("x-ratelimit-reset", "2".into())], 2);
    let rule = Rule::every(Endpoint::RoleMembers, refusal).once();
    let trial = Trial::with(options, [rule]).arguments(&["--workers", "4"]);
    trial.succeed();
    // Three were under way when the first was refused.
    let early = trial.fake.violations();
    assert!(early.len() <= 3, "{early:#?}");
}

#[test]
fn the_budget_is_kept_to_and_no_request_is_sent_that_would_be_refused() {
    for refused_count in [false, true] {
        let options = Options {
            rate_limit: Some(12),
            window: Duration::from_secs(2),
            refused_count,
            most_in_flight: Some(8),
            ..Options::default()
        };
        let trial = Trial::with(options, []).arguments(&["--rate-limit-reserve", "0"]);
        let run = trial.succeed();
        let refused = trial.fake.journal().iter().filter(|request| request.status == 429).count();
        assert_eq!(refused, 0, "of {} requests", trial.fake.requests());
        assert_eq!(trial.fake.requests(), requests());
        trial.fake.assert_no_violations();
        for part in [
            "more than Northflank's rate limit and the reserve leave in this window",
            "waiting for Northflank's rate limit",
            "\"until\":\"",
            "\"pages\":",
        ] {
            assert!(run.stderr().contains(part), "{part}: {}", run.stderr());
        }
    }
}

#[test]
fn a_share_of_each_window_is_left_to_others() {
    // By default a tenth of it, rounded down.
    for (limit, arguments, usable) in
        [(19, &[][..], 18), (20, &["--rate-limit-reserve", "50"], 10), (2, &[], 2)]
    {
        let window = Duration::from_secs(2);
        let options = Options { rate_limit: Some(limit), window, ..Options::default() };
        let trial = Trial::with(options, []).arguments(arguments);
        let trial = if limit == 2 { trial.arguments(&["--max-wait", "1s"]) } else { trial };
        if limit == 2 {
            trial.fail(exit_code::RESOURCE_EXHAUSTED, &["rate limit is reached"]);
        } else {
            let run = trial.succeed();
            assert!(run.stderr().contains("the reserve that is kept"), "{}", run.stderr());
        }
        let journal = trial.fake.journal();
        let mut begins = journal[0].at;
        let mut used = 0;
        for asked in &journal {
            if asked.at >= begins + window {
                (begins, used) = (asked.at, 0);
            }
            used += 1;
            let refused = usize::from(asked.status == 429);
            assert!(used <= usable + refused || limit == 2, "{used} of {limit}");
        }
    }
    let trial = Trial::with(Options { rate_limit: Some(20), ..Options::default() }, []);
    let trial = trial.arguments(&["--rate-limit-reserve", "50", "--max-wait", "1m"]);
    let run = trial.fail(
        exit_code::RESOURCE_EXHAUSTED,
        &["the 10 requests that are left are the reserve (--rate-limit-reserve)"],
    );
    assert!(run.stderr().contains("\"requests_in_reserve\":10"), "{}", run.stderr());
    assert_eq!(trial.fake.requests(), 10);
}

#[test]
fn a_budget_that_nobody_tells_of_costs_refusals_but_no_rows() {
    for rate_headers in [RateHeaders::Never, RateHeaders::OnSuccess] {
        let options = Options {
            rate_limit: Some(15),
            window: Duration::from_secs(1),
            rate_headers,
            ..Options::default()
        };
        Trial::with(options, []).succeed();
    }
}

#[test]
fn a_window_that_others_have_spent_is_waited_for_from_the_first_request_on() {
    let rules = [Endpoint::Members, Endpoint::Roles, Endpoint::Groups].map(|endpoint| {
        let refusal = refusal(&[("x-ratelimit-reset", "1".into())], 0);
        Rule::every(endpoint, refusal).once()
    });
    let trial = Trial::with(Options::default(), rules);
    trial.succeed();
    assert_eq!(trial.fake.requests(), requests() + 3);
}

#[test]
fn a_wait_longer_than_allowed_ends_the_run_resumably_with_an_exit_code_of_its_own() {
    let long = || refusal(&[("x-ratelimit-reset", "3000".into())], 3000);
    let options = || Options { rate_limit: None, ..Options::default() };
    let last_role = organization().roles[7].id.clone();
    let refused = Rule::every(Endpoint::RoleMembers, long()).of(&last_role);
    let trial =
        Trial::with(options(), [refused]).arguments(&["--max-wait", "5s", "--workers", "0"]);
    let parts = ["rate limit is reached", "50m", "more than the wait of 5s"];
    let run = trial.fail_then_succeed(exit_code::RESOURCE_EXHAUSTED, &parts);
    assert!(!run.stderr().contains("panic"));
    // The second run read no list again but for those that each run reads, and the one that was
    // refused.
    let repeated = trial.fake.requests() - requests();
    assert_eq!(repeated, each_run() + 1);

    // Before anything is read.
    let refused = Rule::every(Endpoint::Members, long());
    let trial = Trial::with(options(), [refused]).arguments(&["--max-wait", "0s"]);
    trial.fail_then_succeed(
        exit_code::RESOURCE_EXHAUSTED,
        &["GET /v1/org-members", "rate limit is reached"],
    );
}

#[test]
fn a_run_that_gets_nowhere_in_the_time_that_it_is_allowed_says_so() {
    let line = "will come no further in the same time";
    let run = |limit| {
        let options = Options { rate_limit: Some(limit), ..Options::default() };
        let trial = Trial::with(options, []);
        let connector = trial.room.connector_to(&trial.fake);
        let run = connector.arguments(["--max-wait", "0s", "--workers", "1"]).run();
        run.expect_failure(exit_code::RESOURCE_EXHAUSTED, &["rate limit is reached"])
            .stderr()
            .to_owned()
    };
    // Enough for what each run asks, and a first page.
    let nowhere = run(u32::try_from(each_run()).unwrap() + 1);
    assert!(nowhere.contains(line), "{nowhere}");
    let somewhere = run(u32::try_from(each_run()).unwrap() + 12);
    assert!(!somewhere.contains(line), "{somewhere}");
}

#[test]
fn waits_within_the_allowance_are_waited() {
    let refusal = refusal(&[("x-ratelimit-reset", "1".into())], 1);
    let trial = trial(vec![refusal]).arguments(&["--max-wait", "1m", "--workers", "0"]);
    trial.succeed();
    trial.fake.assert_no_violations();
}

#[test]
fn a_wait_for_a_window_ends_at_once_on_a_signal_and_loses_nothing() {
    let trial = Trial::with(Options { rate_limit: Some(24), ..Options::default() }, []);
    let child = trial.room.connector_to(&trial.fake).spawn();
    wait_for_requests(&trial.fake, 20);
    signal(child.id(), "TERM");
    let run = Run(child.wait_with_output().unwrap());
    run.expect_failure(exit_code::TERMINATE, &["stopped by SIGTERM"]);
    assert_eq!(trial.room.names(), ["sync.c1z.work"]);
}
