//! A platform that is down, for seconds and for minutes, whatever it looks like and whatever is
//! under way: it costs time and nothing else.

use std::time::Duration;

use crate::harness::daemon::{Daemon, slow_northflank};
use crate::harness::{WAIT, wait_for_requests, wait_until};
use fake_conductorone::{Code, FakeConductorOne, Method, Options, Outage};

/// The calls at which it goes down. The first heartbeat is not among them: a task whose first
/// heartbeat fails is ConductorOne's to hand out again.
const CALLS: [Method; 5] =
    [Method::Token, Method::Hello, Method::GetTask, Method::UploadAsset, Method::FinishTask];

/// What a gateway refuses or doesn't find has been judged by nobody.
const OUTAGES: [Outage; 7] = [
    Outage::Refusal,
    Outage::Gateway(200),
    Outage::Gateway(401),
    Outage::Gateway(503),
    Outage::Gateway(403),
    Outage::Gateway(404),
    Outage::Silence,
];

#[test]
fn outages_of_seconds_cost_time_and_nothing_else() {
    outages(Duration::from_millis(2500), &Options::default());
}

/// Heartbeats are as far apart as in life, and tokens expire meanwhile.
#[test]
#[ignore = "takes minutes; .ci/run runs it beside other checks"]
fn outages_of_minutes_cost_time_and_nothing_else() {
    let options = Options {
        next_heartbeat: Duration::from_secs(20),
        token_life: Some(Duration::from_mins(1)),
        ..Options::default()
    };
    outages(Duration::from_secs(130), &options);
}

/// Every outage at every call, and in mid-sync, side by side.
fn outages(time: Duration, options: &Options) {
    std::thread::scope(|scope| {
        for outage in OUTAGES {
            for call in CALLS.map(Some).into_iter().chain([None]) {
                scope.spawn(move || go_down(call, outage, time, options.clone()));
            }
        }
    });
}

/// Goes down at a call, or else while Northflank is being read.
fn go_down(call: Option<Method>, outage: Outage, time: Duration, options: Options) {
    let platform = FakeConductorOne::start(options).unwrap();
    let northflank = slow_northflank();
    let task = platform.assign_sync();
    if let Some(call) = call {
        platform.go_down_at(call, outage);
    }
    let mut daemon = Daemon::start(&platform, &northflank);
    if call.is_none() {
        wait_for_requests(&northflank, 4);
        platform.go_down(outage);
    }
    wait_until("the outage", WAIT, || platform.is_down());
    std::thread::sleep(time);
    assert!(daemon.is_running() && !platform.has_ended(&task), "{call:?} {outage:?}");
    platform.come_up();

    // The longer it was away, the longer it takes to be noticed again.
    wait_until("the end", WAIT * 2 + time, || platform.has_ended(&task));
    let ending = platform.ending(&task);
    assert_eq!(ending.code, Code::Ok, "{call:?} {outage:?}: {}", daemon.log());
    daemon.assert_complete(&platform, &northflank, &task);
    assert_eq!(platform.count(Method::FinishTask), 1, "{call:?} {outage:?}");
    platform.assert_no_violations();
}
