//! What probes are told of the daemon.
//!
//! | path | 200 while |
//! | --- | --- |
//! | `/live` | the process runs |
//! | `/ready` | ConductorOne knows the connector, answers, accepts its credentials, and it isn't stopping |
//! | `/health` | Northflank lets the connector read all that it needs, and the last sync didn't fail |
//!
//! Northflank is asked by one task at a time, which goes on when the probe that caused it has
//! left: probes give up sooner than Northflank may answer. Each is answered with what the task
//! found or, in time for a probe's own deadline, with what is known until then. While Northflank's
//! rate limit is awaited, nothing is asked and the answer is what was last known.
//!
//! Once everything could be read, it is enough to ask who the token is: as long as its role and
//! permissions are the same, it can read the same. That is one request in five minutes, 12 an
//! hour, where three were 36.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::contact::{Contact, SILENCE, Unanswered};
use super::error::Error;
use super::http_server::{self, Answerer};
use super::task_history::{TaskEnding, TaskHistory, TaskRecord};
use crate::error_chain::with_causes;
use crate::northflank::{Client, Problem, TokenPermissions};
use crate::sync::{SyncSelection, ValidationError, validate};

/// How long a good answer of Northflank's is believed: one request in this time, out of the
/// thousand an hour that syncs need.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// How long a bad one is.
const BAD_FOR: Duration = Duration::from_mins(1);

/// Time for Northflank to answer.
const VALIDATE_WITHIN: Duration = Duration::from_secs(30);

/// Time for the answer to a probe, which waits for five seconds unless it is told otherwise.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Whether tasks are taken.
#[derive(Debug, Clone)]
pub(super) enum Readiness {
    /// Not yet: ConductorOne hasn't accepted the connector.
    Starting,
    /// They are.
    Ready,
    /// ConductorOne refuses the credentials that it accepted before.
    Refused(String),
    /// No more.
    Stopping,
}

/// What is known of the daemon.
pub(super) struct Health {
    began_at: OffsetDateTime,
    northflank: Client,
    /// What is to be readable.
    selection: Arc<SyncSelection>,
    contact: Arc<Contact>,
    tasks: Arc<TaskHistory>,
    readiness: Mutex<Readiness>,
    last_check: watch::Sender<NorthflankHealth>,
}

/// What is known of Northflank.
#[derive(Default)]
struct NorthflankHealth {
    verdict: Option<CheckVerdict>,
    is_checking: bool,
    /// Until when it accepts no requests, as the newest check found.
    limited_until: Option<OffsetDateTime>,
    /// What the token was allowed when everything could be read, if Northflank tells.
    access: Option<TokenPermissions>,
}

/// What Northflank let the connector do, and when.
#[derive(Clone)]
struct CheckVerdict {
    problem: Option<String>,
    at: Instant,
    time: OffsetDateTime,
}

impl CheckVerdict {
    fn is_fresh(&self) -> bool {
        let fresh_for = if self.problem.is_none() { GOOD_FOR } else { BAD_FOR };
        self.at.elapsed() < fresh_for
    }
}

/// How a check ended.
enum CheckOutcome {
    /// All can be read, with this access if it is known.
    Well(Option<TokenPermissions>),
    /// This is wrong.
    Problem(String),
    /// The rate limit is reached: nothing new is known until then.
    Limited(OffsetDateTime),
}

impl Health {
    /// Not ready yet, and with nothing known of Northflank.
    pub(super) fn new(
        northflank: Client,
        selection: Arc<SyncSelection>,
        contact: Arc<Contact>,
        tasks: Arc<TaskHistory>,
    ) -> Self {
        let (readiness, known) = (Mutex::new(Readiness::Starting), watch::Sender::default());
        let began_at = OffsetDateTime::now_utc();
        Self { began_at, northflank, selection, contact, tasks, readiness, last_check: known }
    }

    /// Says whether tasks are taken from now on.
    pub(super) fn set(&self, readiness: Readiness) {
        *self.readiness.lock().unwrap_or_else(PoisonError::into_inner) = readiness;
    }

    /// When the process began to serve.
    pub(super) fn began_at(&self) -> OffsetDateTime {
        self.began_at
    }

    /// Northflank's client, which counts its requests.
    pub(super) fn northflank(&self) -> &Client {
        &self.northflank
    }

    /// What is known of ConductorOne.
    pub(super) fn contact(&self) -> &Contact {
        &self.contact
    }

    /// What became of the tasks.
    pub(super) fn tasks(&self) -> &TaskHistory {
        &self.tasks
    }

    /// Whether Northflank let everything be read when it was last asked by a probe.
    pub(super) fn northflank_is_well(&self) -> Option<bool> {
        self.last_check.borrow().verdict.as_ref().map(|verdict| verdict.problem.is_none())
    }

    /// Why no tasks are taken, if they aren't.
    pub(super) fn unready(&self, now: Instant) -> Option<String> {
        let readiness = self.readiness.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unanswered = self.contact.unanswered(now);
        let behind = |error: &Option<String>| {
            error.as_ref().map(|error| format!(": {error}")).unwrap_or_default()
        };
        match (readiness, unanswered) {
            (Readiness::Ready, Some(Unanswered { time, error })) if time >= SILENCE => {
                let (minutes, error) = (time.as_secs() / 60, behind(&error));
                Some(format!("ConductorOne has not answered for {minutes} minutes{error}"))
            }
            (Readiness::Ready, _) => None,
            (Readiness::Refused(error), _) => Some(error),
            (Readiness::Starting, unanswered) => {
                let error = behind(&unanswered.and_then(|unanswered| unanswered.error));
                Some(format!("ConductorOne has not accepted this connector yet{error}"))
            }
            (Readiness::Stopping, _) => Some("the connector is stopping".to_owned()),
        }
    }

    /// What is known of reading Northflank by the time that a probe waits for.
    async fn finding(self: &Arc<Self>) -> HealthFinding {
        if let Ok((verdict, limited_until)) =
            tokio::time::timeout(ANSWER_WITHIN, self.verdict()).await
        {
            let note = limited_until.map(|until| {
                let known = match &verdict {
                    Some(CheckVerdict { time, .. }) => known_at(*time),
                    None => "nothing has been known before".to_owned(),
                };
                format!("Northflank's rate limit is awaited until {}; {known}", rfc3339(until))
            });
            return HealthFinding { problem: verdict.and_then(|verdict| verdict.problem), note };
        }
        let seconds = ANSWER_WITHIN.as_secs();
        let verdict = self.last_check.borrow().verdict.clone();
        match (self.northflank.last_problem(), verdict) {
            (Some(problem), _) => {
                let problem =
                    format!("no answer within {seconds} seconds, still trying: {problem}");
                HealthFinding { problem: Some(problem), note: None }
            }
            (None, Some(CheckVerdict { problem, time, .. })) => {
                let note = format!("Northflank is being asked again; {}", known_at(time));
                HealthFinding { problem, note: Some(note) }
            }
            (None, None) => {
                let problem = format!("no answer within {seconds} seconds, still waiting");
                HealthFinding { problem: Some(problem), note: None }
            }
        }
    }

    /// What is known of reading Northflank, and until when the rate limit keeps it from being
    /// asked anew.
    async fn verdict(self: &Arc<Self>) -> (Option<CheckVerdict>, Option<OffsetDateTime>) {
        let mut known = self.last_check.subscribe();
        loop {
            {
                let known = known.borrow_and_update();
                let fresh = known.verdict.as_ref().filter(|verdict| verdict.is_fresh());
                if let Some(verdict) = fresh {
                    return (Some(verdict.clone()), None);
                }
                let wait = *self.northflank.waiting().borrow();
                let limits = [known.limited_until, wait.map(|wait| wait.until)];
                if let Some(until) = limits.into_iter().flatten().find(|until| is_to_come(*until)) {
                    return (known.verdict.clone(), Some(until));
                }
            }
            let begins = self
                .last_check
                .send_if_modified(|known| !std::mem::replace(&mut known.is_checking, true));
            if begins {
                tokio::spawn(Arc::clone(self).check());
            }
            // The sender is this server's own and outlives the wait.
            let _ = known.changed().await;
        }
    }

    /// Asks Northflank, and keeps what it finds.
    async fn check(self: Arc<Self>) {
        let access = self.last_check.borrow().access.clone();
        let asking = ask_northflank(&self.northflank, &self.selection, access);
        let checked = tokio::select! {
            checked = tokio::time::timeout(VALIDATE_WITHIN, asking) => {
                checked.unwrap_or_else(|_| {
                    let seconds = VALIDATE_WITHIN.as_secs();
                    CheckOutcome::Problem(format!("no answer within {seconds} seconds"))
                })
            }
            // It can last an hour. A token that has used up its requests is no bad one.
            until = self.limited() => CheckOutcome::Limited(until),
        };
        self.last_check.send_modify(|known| {
            known.is_checking = false;
            let verdict = |problem| CheckVerdict {
                problem,
                at: Instant::now(),
                time: OffsetDateTime::now_utc(),
            };
            match checked {
                CheckOutcome::Well(access) => {
                    known.access = access;
                    known.verdict = Some(verdict(None));
                }
                CheckOutcome::Problem(problem) => {
                    known.access = None;
                    known.verdict = Some(verdict(Some(problem)));
                }
                CheckOutcome::Limited(until) => known.limited_until = Some(until),
            }
        });
    }

    /// Waits until everybody waits for the rate limit; says until when.
    async fn limited(&self) -> OffsetDateTime {
        let mut waiting = self.northflank.waiting();
        loop {
            let wait = *waiting.borrow_and_update();
            if let Some(wait) = wait.filter(|wait| is_to_come(wait.until)) {
                return wait.until;
            }
            // The sender is the client's, which is this server's own.
            let _ = waiting.changed().await;
        }
    }

    async fn respond(self: &Arc<Self>, path: &str) -> Response<Full<Bytes>> {
        match path {
            "/health" => self.health(self.finding().await),
            "/ready" => match self.unready(Instant::now()) {
                None => response(StatusCode::OK, "ready", None),
                Some(error) => {
                    let details = json!({"error": error});
                    response(StatusCode::SERVICE_UNAVAILABLE, "not_ready", Some(details))
                }
            },
            "/live" => response(StatusCode::OK, "alive", None),
            _ => response(StatusCode::NOT_FOUND, "not_found", None),
        }
    }

    /// The answer to what is known of Northflank, of the tasks and of ConductorOne.
    fn health(&self, HealthFinding { problem, note }: HealthFinding) -> Response<Full<Bytes>> {
        let records = self.tasks.records();
        let mut details = Map::new();
        if let Some(note) = note {
            details.insert("note".to_owned(), note.into());
        }
        let sync_failed =
            records.last_sync.as_ref().is_some_and(|sync| sync.outcome == TaskEnding::Failed);
        let error = match problem {
            Some(problem) => {
                details.insert("validation_error".to_owned(), problem.into());
                Some("can't read Northflank")
            }
            None if sync_failed => Some("the last sync failed"),
            None => None,
        };
        if let Some(error) = error {
            details.insert("error".to_owned(), error.into());
        }
        let record = |record: &Option<TaskRecord>| json!(record);
        let running = records.running.iter().map(|(id, start)| {
            json!({"id": id, "kind": start.kind, "begun_at": rfc3339(start.begun_at)})
        });
        let contact = json!({
            "last_answer_at": self.contact.answered_at().map(rfc3339),
            "unanswered_seconds":
                self.contact.unanswered(Instant::now()).map(|unanswered| unanswered.time.as_secs()),
        });
        let further = [
            ("running_tasks", running.collect::<Vec<_>>().into()),
            ("last_task", record(&records.last)),
            ("last_sync", record(&records.last_sync)),
            ("last_successful_sync", record(&records.last_successful_sync)),
            ("conductorone", contact),
        ];
        details.extend(further.map(|(name, value)| (name.to_owned(), value)));
        let (status, word) = match error {
            None => (StatusCode::OK, "healthy"),
            Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
        };
        response(status, word, Some(details.into()))
    }
}

/// What a probe is told of reading Northflank.
struct HealthFinding {
    /// What is wrong.
    problem: Option<String>,
    /// How old this is, where nothing newer can be known.
    note: Option<String>,
}

/// What is known, where it isn't new.
fn known_at(time: OffsetDateTime) -> String {
    format!("this is what was known at {}", rfc3339(time))
}

fn is_to_come(time: OffsetDateTime) -> bool {
    time > OffsetDateTime::now_utc()
}

/// Whether Northflank lets the connector read all that it needs, as it did with this access.
async fn ask_northflank(
    northflank: &Client,
    selection: &SyncSelection,
    access: Option<TokenPermissions>,
) -> CheckOutcome {
    if let Some(access) = access
        && northflank.whoami().await.is_ok_and(|whoami| whoami.access == access)
    {
        return CheckOutcome::Well(Some(access));
    }
    let error = match validate(northflank, selection).await {
        Ok(known) => {
            let access = known.whoami.map(|whoami| whoami.access);
            return CheckOutcome::Well(access.filter(TokenPermissions::is_known));
        }
        Err(error) => error,
    };
    if let ValidationError::Failed(errors) = &error {
        let mut waits = errors.iter().map(|error| match error.problem {
            Problem::RateLimited(too_long) => Some(too_long.wait),
            _ => None,
        });
        // With a bound on waits the rate limit is an error.
        if let Some(wait) = waits.try_fold(Duration::ZERO, |most, wait| Some(most.max(wait?))) {
            return CheckOutcome::Limited(OffsetDateTime::now_utc() + wait);
        }
    }
    CheckOutcome::Problem(with_causes(&error))
}

/// A time in whole seconds.
fn rfc3339(time: OffsetDateTime) -> String {
    // Only years beyond 9999 have no such form.
    time.truncate_to_second().format(&Rfc3339).unwrap_or_default()
}

fn response(status: StatusCode, word: &str, details: Option<Value>) -> Response<Full<Bytes>> {
    let mut body = json!({"status": word, "timestamp": rfc3339(OffsetDateTime::now_utc())});
    if let Some(details) = details {
        body["details"] = details;
    }
    http_server::response(status, "application/json", body.to_string())
}

/// Listens for probes.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Health { address, source })
}

impl Answerer for Arc<Health> {
    async fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        self.respond(path).await
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckVerdict, Client, Duration, Health, Instant, OffsetDateTime, Readiness};
    use crate::northflank::ClientSettings;
    use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, Rule};
    use std::sync::Arc;

    fn health_of(origin: &str, token: &str) -> Arc<Health> {
        let settings = ClientSettings {
            base_url: origin.parse().unwrap(),
            token: token.into(),
            request_timeout: Duration::from_secs(1),
            first_retry: Duration::from_millis(1),
            verifier: None,
            max_wait: None,
            reserve: 0,
        };
        let client = Client::new(&settings).unwrap();
        Arc::new(Health::new(client, Arc::default(), Arc::default(), Arc::default()))
    }

    #[tokio::test]
    async fn once_all_could_be_read_the_same_access_is_as_good() {
        let fake = FakeNorthflank::start(Organization::demo(), Options::default()).unwrap();
        let health = health_of(&fake.origin(), fake.token());
        let asked = async |requests: usize| {
            let before = fake.requests();
            let (verdict, _) = health.verdict().await;
            assert_eq!(fake.requests() - before, requests);
            health.last_check.send_modify(|known| {
                let long_ago = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
                known.verdict.as_mut().unwrap().at = long_ago;
            });
            verdict.unwrap().problem
        };
        assert_eq!(asked(4).await, None);
        assert_eq!(asked(1).await, None);
        assert_eq!(asked(1).await, None);
        // Another role: is it enough?
        let role = |body: &mut serde_json::Value| body["data"]["role"]["roleId"] = "other".into();
        fake.script(Rule::every(Endpoint::Auth, Action::alter_json(role)));
        assert_eq!(asked(5).await, None);
        assert_eq!(asked(1).await, None);
        // Nobody tells any more.
        fake.unscript();
        fake.script(Rule::every(Endpoint::Auth, Action::json(404, "{}")));
        assert_eq!(asked(5).await, None);
        assert_eq!(asked(4).await, None);
        // A permission less.
        fake.unscript();
        assert_eq!(asked(4).await, None);
        let less = |body: &mut serde_json::Value| {
            body["data"]["permissions"]["orgScope"] = serde_json::json!(["os_admin_roles_read"]);
        };
        fake.script(Rule::every(Endpoint::Auth, Action::alter_json(less)));
        let denied = r#"{"error":{"message":"Forbidden"}}"#;
        fake.script(Rule::every(Endpoint::Members, Action::json(403, denied)));
        assert!(asked(5).await.unwrap().contains("may not read members"));
        // What isn't well is not compared.
        fake.unscript();
        assert_eq!(asked(4).await, None);
    }

    #[tokio::test]
    async fn while_the_rate_limit_is_awaited_the_answer_is_what_was_known_and_says_so() {
        // Nobody answers there: what is asked fails.
        let known = health_of("http://127.0.0.1:1", "nf-token");
        let hour = Duration::from_hours(1);
        let time = OffsetDateTime::now_utc();
        for (problem, status) in [(None, 200), (Some("the token is refused".to_owned()), 503)] {
            known.last_check.send_modify(|known| {
                let at = Instant::now().checked_sub(hour).unwrap();
                known.verdict =
                    Some(CheckVerdict { problem: problem.clone(), at, time: time - hour });
                known.limited_until = Some(time + hour);
            });
            let (verdict, until) = known.verdict().await;
            assert_eq!(verdict.as_ref().unwrap().problem, problem);
            assert_eq!(until, Some(time + hour));
            let finding = known.finding().await;
            let note = finding.note.as_deref().unwrap();
            assert!(note.contains("rate limit is awaited until"), "{note}");
            assert_eq!(known.health(finding).status(), status);
        }
        // Afterwards it is asked again.
        known.last_check.send_modify(|known| known.limited_until = Some(time));
        let (verdict, until) = known.verdict().await;
        let problem = verdict.unwrap().problem.unwrap();
        assert!(until.is_none() && problem.contains("could not connect"), "{problem}");
    }

    #[tokio::test]
    async fn a_probe_is_answered_in_time_with_the_reason_while_northflank_can_not_be_reached() {
        let unreachable = health_of("http://127.0.0.1:1", "nf-token");
        // A try that fails is made again, as often and as late as in life.
        let started = Instant::now();
        let finding = unreachable.finding().await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        let problem = finding.problem.unwrap();
        assert!(problem.contains("could not connect"), "{problem}");
    }

    #[test]
    fn it_is_not_ready_after_five_minutes_without_an_answer_and_says_why() {
        let health = health_of("http://127.0.0.1:1", "nf-token");
        let start = Instant::now();
        let minutes = |count| start + Duration::from_mins(count);
        let unready = |count| health.unready(minutes(count)).unwrap_or_default();
        assert_eq!(unready(0), "ConductorOne has not accepted this connector yet");
        health.contact.call_started(start);
        health.contact.call_failed("refused");
        assert_eq!(unready(0), "ConductorOne has not accepted this connector yet: refused");
        health.set(Readiness::Ready);
        health.contact.call_answered();
        assert_eq!(unready(60), "", "nothing was asked");
        health.contact.call_started(minutes(60));
        assert_eq!(unready(64), "");
        health.contact.call_failed("connection refused");
        let expected = "ConductorOne has not answered for 6 minutes: connection refused";
        assert_eq!(unready(66), expected);
        health.contact.call_answered();
        assert_eq!(unready(67), "");
        health.set(Readiness::Stopping);
        assert_eq!(unready(67), "the connector is stopping");
    }
}
